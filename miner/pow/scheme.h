/*
 * scheme.h - a proof of work over matrix products.
 *
 * A run sits on a device as a matmul port: it reads the newest job at each product,
 * commits, noises, multiplies, looks for tickets, and hands back the exact clean product.
 * prove() and verify() run on the CPU, plainly: they are the definition, keep no state,
 * and suit any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POW_SCHEME_H
#define MINERVA_POW_SCHEME_H

#include "backends/matmul.h"
#include "miner/base/mailbox.h"
#include "miner/base/queue.h"
#include "miner/work/outgoing.h"

struct pow_run;

struct pow_limits { /* the largest product that will come: sizes all scratch */
    uint32_t m, n, k;
    uint32_t hits; /* findings a product, at most; more are dropped and counted */
};

struct pow_outlet {         /* where findings go */
    struct queue *findings; /* of struct outgoing *; lent */
    uint32_t device;        /* the number findings carry */
};

/* What a verifier holds a proof against. */
struct pow_check {
    uint8_t header[JOB_HEADER_SIZE];
    uint32_t cert_version; /* 1..3 */
    uint32_t min_rank;     /* 32..1024 */
    struct target target;  /* T, before the work factor */
};

struct pow_scheme {
    const char *name;
    /* jobs holds struct job; below multiplies what cannot be proved and is lent. */
    enum status (*begin)(struct mailbox *jobs, struct matmul_port *below,
                         const struct pow_limits *limits, const struct pow_outlet *outlet,
                         struct pow_run **out, struct error *err);
    void (*end)(struct pow_run *run);
    struct matmul_port *(*port)(struct pow_run *run);
    /* Room for what a job will derive of these weights, so that no step needs to make it.
     * Without this call the first product under a job makes it. */
    enum status (*prepare)(struct pow_run *run, struct weights *weights,
                           struct error *err);
    /* What products from now on find carries this task's id ("" for none). One job is
     * kept for all parts of a site; a new header is picked up at the next product. */
    void (*assign)(struct pow_run *run, const char *task_id);
    /* Recomputes the finding; OK gives the share (encoded), LOW or BAD_PROOF say the
     * device erred. */
    enum status (*prove)(const struct finding *finding, struct share **out,
                         struct error *err);
    /* In the order of pow.md section 9, a sentence for each refusal; ticket is filled
     * from the bound check on. LOW: all holds but the bound.  Takes at most 10 ms a
     * share. */
    enum status (*verify)(const struct proof *proof, const struct pow_check *check,
                          uint8_t ticket[32], struct error *err);
};

#define SCHEME(file) extern const struct pow_scheme scheme_##file;
#include "miner/pow/schemes.def"
#undef SCHEME

/* The rank a product of this k gets under min_rank: the smallest power of two the limits
 * allow; 0: none, the product is computed plainly (pow.md section 1). */
uint32_t pow_rank(uint64_t k, uint32_t min_rank);
/* h * w * d * min(r, 128) (pow.md section 7). */
uint64_t pow_work_factor(uint64_t h, uint64_t w, uint64_t k, uint64_t rank);

#endif
