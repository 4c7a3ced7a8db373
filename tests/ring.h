/*
 * ring.h - a worker and a prover with the test in the pool's place.
 *
 * The test puts jobs and assignments in, and reads what would leave for the pool.  Every
 * wait fails the test after a minute.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_RING_H
#define MINERVA_TESTS_RING_H

#include "miner/prover.h"
#include "miner/worker.h"

enum { RING_MIN_RANK = 64, RING_HELPERS_MAX = 2 };

struct ring_options {
    const char *models; /* a folder, or NULL */
    bool mines_idle;
    bool without_prover;                  /* the test reads the findings */
    uint64_t fail_at, rest_ms, bytes_max; /* the first worker's */
    uint32_t helpers;                     /* more workers, at most RING_HELPERS_MAX */
    const char *devices; /* as -d has it, a worker takes the next; NULL: the processor */
};

struct ring {
    struct ledger *ledger;
    struct stop stop;
    atomic_uint rounds;
    atomic_uint_least64_t busy_ms;
    atomic_bool is_paused;
    struct mailbox *jobs;
    struct queue *assignments, *findings, *outbox;
    struct model_shelf *shelf;
    struct prover *prover;
    struct worker *worker;
    struct worker *helpers[RING_HELPERS_MAX]; /* ledger devices 1, 2 */
    struct pow_check check; /* what shares under ring_job() are held against */
};

/* Opened, self-tested, begun. */
void ring_open(struct ring *ring, const struct ring_options *options);
void ring_close(struct ring *ring);
/* A job so easy that most products of that kind hold a share. */
void ring_job(struct ring *ring, const char *target, bool unassigned);
/* Takes work. */
void ring_assign(struct ring *ring, struct assignment *work);
/* The next thing for the pool; the caller frees it. */
struct outgoing *ring_next(struct ring *ring);
/* The next answer of that kind; shares before it are held against the job and counted,
 * progress is skipped.  The caller frees it. */
struct answer *ring_answer(struct ring *ring, enum answer_kind kind, uint32_t *shares);
/* Waits until the worker has ended. */
enum status ring_end(struct ring *ring, const char **sentence);

struct device_entry ring_device(void); /* the first processor */
/* An assignment of that kind; input may be NULL.  id: one hex digit, repeated. */
struct assignment *ring_work(const char *kind, const char *model, struct blob *input,
                             char id);
struct assignment *ring_product(uint64_t m, uint64_t n, uint64_t k, char id);

#endif
