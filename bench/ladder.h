/*
 * ladder.h - a mined product on a CUDA card, step by step: each step is all that the one
 * before it does and one thing more, on the same operands, launched the same way.
 *
 * Steps before the clock's are done before it starts, so that caches hold the same.  One
 * launch over the whole product; the left operand is another one each time.  The lane's
 * tickets only: what the kernels of cuda_ablation.cu have.  One thread, the device's.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BENCH_LADDER_H
#define MINERVA_BENCH_LADDER_H

#include "backends/cuda/cuda_calls.h"
#include "bench/bench.h"
#include "miner/tasks/generated.h"
#include "miner/work/proof.h"

enum ladder_step {
    LADDER_LOOP,    /* the loop over k of the mined product; no product is written */
    LADDER_FOLD,    /* and the fold into words */
    LADDER_HASH,    /* and the words' tickets, against a bound: the mining kernel */
    LADDER_NOISE,   /* and a's noise, drawn and added */
    LADDER_COMMIT,  /* and a's root, and the seed that comes of it */
    LADDER_FACTORS, /* and X and Y */
    LADDER_CORRECT, /* and the correction within the loop */
    LADDER_STORE,   /* and the clean product written: all that a useful product does */
    LADDER_STEPS
};

struct ladder {
    struct device *device;
    struct generated operands;
    struct packed *packed; /* b, noised */
    struct buffer *hits, *c, *key, *tree;
    struct matmul_plan tile;
    struct mining mining;
    size_t row; /* of cuda_matmul.def */
    struct cuda_function *entries[LADDER_STEPS];
    uint64_t seed_a;           /* of the left operand's values */
    uint8_t root[DIGEST_SIZE]; /* of the last one that was committed */
    uint32_t users;
};

/* Ready for every step; ABSENT with a sentence where the device multiplies this shape by
 * kernels that have no steps. */
MUST_CHECK enum status ladder_open(const struct bench_setup *setup, struct ladder **out,
                                   struct error *err);
void ladder_close(struct ladder *ladder); /* NULL is fine */
/* One product up to that step, to its end; kept: where the step writes what it came to
 * (cuda_ablation.h), or no buffer.  ns: what the step's parts took. */
MUST_CHECK enum status ladder_run(struct ladder *ladder, enum ladder_step step,
                                  struct buffer *kept, uint64_t *ns);
/* ladder_check.c: what the step gives equals the text's, in tiles all over the product;
 * MISMATCH names the tile. */
MUST_CHECK enum status ladder_check(struct ladder *ladder, enum ladder_step step,
                                    struct error *err);

#endif
