/*
 * store_leases.h - the part of the store that says who holds which task and what was
 * delivered.
 *
 * The rules of store.h hold.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POOL_STORE_LEASES_H
#define MINERVA_POOL_STORE_LEASES_H

#include "pool/store.h"

enum lease_state { LEASE_ACTIVE, LEASE_DELIVERED, LEASE_ENDED };
struct stored_lease {
    int64_t id;
    char task[TASK_ID_SIZE + 1], session[SESSION_SIZE + 1];
    int64_t worker;
    uint64_t until; /* while active; when it was delivered, afterwards */
    enum lease_state state;
    uint32_t faults; /* shares refused with 29 or 30 */
};
MUST_CHECK enum status store_lease_add(struct store *store, struct stored_lease *lease,
                                       struct error *err); /* fills its id */
MUST_CHECK enum status store_lease_set(struct store *store,
                                       const struct stored_lease *lease,
                                       struct error *err); /* until, state, faults */
MUST_CHECK enum status store_lease_get(struct store *store, int64_t id,
                                       struct stored_lease *out, struct error *err);
/* The newest lease of a session on a task, whatever its state; NOT_FOUND. */
MUST_CHECK enum status store_lease_find(struct store *store, const char *task,
                                        const char *session, struct stored_lease *out,
                                        struct error *err);
/* The active lease with the smallest id above after that was due before now; NOT_FOUND.
 */
MUST_CHECK enum status store_lease_due(struct store *store, uint64_t now, int64_t after,
                                       struct stored_lease *out, struct error *err);
/* OK: the session holds a task whose result will have exactly that size, and has not
 * brought LEASE_UPLOADS_MAX of them yet; NOT_FOUND. */
enum { LEASE_UPLOADS_MAX = 8 };
MUST_CHECK enum status store_lease_awaits(struct store *store, const char *session,
                                          uint64_t size, struct error *err);
/* One more was brought. */
MUST_CHECK enum status store_lease_uploaded(struct store *store, const char *session,
                                            uint64_t size, struct error *err);
/* How many active leases a session holds. */
MUST_CHECK enum status store_lease_count(struct store *store, const char *session,
                                         uint64_t *count, struct error *err);
/* After a start: offers are withdrawn, no lease is due before `until`. */
MUST_CHECK enum status store_restart(struct store *store, uint64_t until,
                                     struct error *err);

enum verdict_state { VERDICT_CHECKING, VERDICT_ACCEPTED, VERDICT_REJECTED };
struct stored_result {
    char task[TASK_ID_SIZE + 1];
    int64_t worker, lease;
    enum verdict_state state;
    char reason[STORE_REASON_MAX + 1];
    char output_hash[BLOB_NAME_SIZE + 1], result_hash[BLOB_NAME_SIZE + 1];
};
MUST_CHECK enum status store_result_put(struct store *store,
                                        const struct stored_result *result,
                                        struct error *err); /* adds or replaces */
MUST_CHECK enum status store_result_get(struct store *store, const char *task,
                                        int64_t worker, struct stored_result *out,
                                        struct error *err);
/* The first result still being checked whose task is above after; NOT_FOUND. */
MUST_CHECK enum status store_result_checking(struct store *store, const char *after,
                                             struct stored_result *out,
                                             struct error *err);

#endif
