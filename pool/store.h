/*
 * store.h - everything the pool must not forget: tasks, leases, sessions, workers,
 * results, shares, totals.
 *
 * A verdict is one transaction: store_begin(), what belongs to it, store_commit(), and
 * only then the reply.  Whatever fails gives a sentence and is rolled back whole; the
 * caller answers "not now". AGAIN: another process holds the database; FULL: no room on
 * the disk; IO: it cannot be used. One thread at a time: the pool's lock is held around
 * every call.  Times are Unix seconds.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POOL_STORE_H
#define MINERVA_POOL_STORE_H

#include "miner/work/assignment.h"
#include "miner/work/proof.h"
#include "miner/work/site.h"
#include "pool-protocol/message_authorize.h"

enum { BLOB_NAME_SIZE = 64, STORE_REASON_MAX = 255 };

struct store;
MUST_CHECK enum status store_open(const char *path, struct store **out,
                                  struct error *err);
void store_close(struct store *store);
/* MONEY survives the machine's power too; a NOTE only the death of the process: who came,
 * what was refused, how far a task is. */
enum store_care { STORE_MONEY, STORE_NOTE };
MUST_CHECK enum status store_begin(struct store *store, enum store_care care,
                                   struct error *err);
MUST_CHECK enum status store_commit(struct store *store,
                                    struct error *err); /* rolls back where it fails */
void store_rollback(struct store *store);               /* fine outside a transaction */

/* Bytes by their BLAKE3 hash: inputs and outputs. */
MUST_CHECK enum status store_blob_put(struct store *store, const char *hash,
                                      struct bytes data, struct error *err);
/* NOT_FOUND; appended to out. */
MUST_CHECK enum status store_blob_get(struct store *store, const char *hash,
                                      struct blob *out, struct error *err);
MUST_CHECK enum status store_blob_sweep(struct store *store,
                                        struct error *err); /* nobody's
    blobs go, if nobody works: an upload comes before its result */

struct stored_worker {
    int64_t id;
    char wallet[WALLET_MAX + 1], name[WORKER_MAX + 1];
    uint64_t audited, results; /* without fault since it was last new */
    uint64_t shares;           /* accepted ever: what "further shares" counts */
    double delivered;          /* hashes of all sites of its delivered tasks */
    double credited;           /* hashes credited out of tasks */
};
/* The worker of that name, made where there is none. */
MUST_CHECK enum status store_worker(struct store *store, const char *wallet,
                                    const char *name, struct stored_worker *out,
                                    struct error *err);
MUST_CHECK enum status store_worker_get(struct store *store, int64_t id,
                                        struct stored_worker *out, struct error *err);
MUST_CHECK enum status store_worker_set(struct store *store,
                                        const struct stored_worker *worker,
                                        struct error *err); /* the counters */

/* The worker of a session, or NOT_FOUND. */
MUST_CHECK enum status store_session_get(struct store *store, const char *id,
                                         int64_t *worker, struct error *err);
MUST_CHECK enum status store_session_put(struct store *store, const char *id,
                                         int64_t worker, uint64_t now, struct error *err);

enum task_state {
    STORED_QUEUED,
    STORED_OFFERED,
    STORED_LEASED,
    STORED_CHECKING,
    STORED_DONE,
    STORED_FAILED,
    STORED_SPLIT,
    STORED_STATE_COUNT
};
enum task_checked { CHECKED_NONE, CHECKED_POOL };

struct stored_task {
    char id[TASK_ID_SIZE + 1];
    char parent[TASK_ID_SIZE + 1]; /* "" for a whole request */
    uint32_t part;                 /* number among its siblings */
    char kind[TASK_KIND_MAX + 1], model[MODEL_ID_SIZE + 1];
    char input_hash[BLOB_NAME_SIZE + 1];
    uint64_t input_size;
    struct task_parameters parameters;
    uint32_t rows;
    uint64_t items, token_rows, output_size, work_units;
    enum task_state state;
    enum task_checked checked;
    uint64_t done, tries;
    char reason[STORE_REASON_MAX + 1];
    char output_hash[BLOB_NAME_SIZE + 1], result_hash[BLOB_NAME_SIZE + 1];
    int64_t worker; /* who delivered */
};
MUST_CHECK enum status store_task_add(struct store *store, const struct stored_task *task,
                                      struct error *err);
MUST_CHECK enum status store_task_get(struct store *store, const char *id,
                                      struct stored_task *out, struct error *err);
/* State, checked, done, tries, reason, hashes, worker. */
MUST_CHECK enum status store_task_set(struct store *store, const struct stored_task *task,
                                      struct error *err);
/* The oldest queued task of one of the kinds (a list like "|embed|matmul|") that the
 * worker may have and that is not in skip (a list of ids of the same form); NOT_FOUND. */
MUST_CHECK enum status store_task_next(struct store *store, int64_t worker,
                                       const char *kinds, const char *skip,
                                       struct stored_task *out, struct error *err);
/* OK: some task is queued; NOT_FOUND. */
MUST_CHECK enum status store_task_waits(struct store *store, struct error *err);
MUST_CHECK enum status store_task_exclude(struct store *store, const char *task,
                                          int64_t worker, struct error *err);
/* The part-th child, or NOT_FOUND. */
MUST_CHECK enum status store_task_child(struct store *store, const char *parent,
                                        uint32_t part, struct stored_task *out,
                                        struct error *err);
MUST_CHECK enum status
store_task_counts(struct store *store, uint64_t counts[STORED_STATE_COUNT],
                  struct error *err); /* whole requests' children, not split ones */
/* The first task in a state whose id is above after, or NOT_FOUND: to walk them. */
MUST_CHECK enum status store_task_walk(struct store *store, enum task_state state,
                                       const char *after, struct stored_task *out,
                                       struct error *err);

#endif
