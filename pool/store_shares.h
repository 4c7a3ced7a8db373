/*
 * store_shares.h - the part of the store that money hangs on: shares, what became of
 * them, totals.
 *
 * The rules of store.h hold.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POOL_STORE_SHARES_H
#define MINERVA_POOL_STORE_SHARES_H

#include "miner/pow/commitment.h"
#include "miner/work/job.h"
#include "pool/store.h"

enum stored_share_state { SHARE_UNSETTLED, SHARE_SETTLED, SHARE_VOID, SHARE_SURPLUS };

struct stored_share {
    int64_t id;
    uint8_t digest[DIGEST_SIZE]; /* of the proof's bytes */
    uint8_t header[JOB_HEADER_SIZE];
    uint8_t ticket[DIGEST_SIZE];
    uint8_t configuration[CONFIGURATION_SIZE];
    uint8_t hash_a[DIGEST_SIZE]; /* raw root */
    int64_t worker, lease;       /* lease 0: without a task */
    struct site site;
    double cost;     /* N: hashes it stands for */
    uint64_t number; /* the worker's how-manieth */
    enum stored_share_state state;
};

MUST_CHECK enum status
store_share_add(struct store *store, const struct stored_share *share, struct error *err);
/* OK: these bytes were accepted before; NOT_FOUND. */
MUST_CHECK enum status store_share_seen(struct store *store,
                                        const uint8_t digest[DIGEST_SIZE],
                                        struct error *err);
MUST_CHECK enum status store_share_ticket_seen(struct store *store,
                                               const uint8_t header[JOB_HEADER_SIZE],
                                               const uint8_t ticket[DIGEST_SIZE],
                                               struct error *err);
/* The first share of a site within a lease that is not void; NOT_FOUND. */
MUST_CHECK enum status store_share_first(struct store *store, int64_t lease,
                                         const struct site *site,
                                         struct stored_share *out, struct error *err);
/* The index-th share of a lease that is not void; NOT_FOUND past the last. */
MUST_CHECK enum status store_share_at(struct store *store, int64_t lease, uint64_t index,
                                      struct stored_share *out, struct error *err);
MUST_CHECK enum status store_share_count(struct store *store, int64_t lease,
                                         uint64_t *count, struct error *err);
/* The oldest unsettled share of a worker that may settle: its task's result accepted, its
 * number at most number_max; NOT_FOUND. */
MUST_CHECK enum status store_share_ripe(struct store *store, int64_t worker,
                                        uint64_t number_max, struct stored_share *out,
                                        struct error *err);
MUST_CHECK enum status store_share_mark(struct store *store, int64_t id,
                                        enum stored_share_state state, struct error *err);
/* All unsettled shares of a worker (lease 0) or of one lease become void; how many. */
MUST_CHECK enum status store_share_void(struct store *store, int64_t worker,
                                        int64_t lease, uint64_t *count,
                                        struct error *err);

/* Lifetime totals by name ("accepted", "rejected 22", "credited"): only ever added to. */
MUST_CHECK enum status store_total_add(struct store *store, const char *name,
                                       double amount, struct error *err);
typedef void store_total_visit(void *context, const char *name, double amount);
MUST_CHECK enum status store_total_each(struct store *store, store_total_visit *visit,
                                        void *context,
                                        struct error *err); /* by name, ascending */

#endif
