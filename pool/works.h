/*
 * works.h - stored tasks taken apart: the assignment, its layout, its kind, its model.
 *
 * The last few are kept.  A work never changes once it is out, so whoever holds it may
 * read it on any thread; taking one out is under the pool's lock.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POOL_WORKS_H
#define MINERVA_POOL_WORKS_H

#include <stdatomic.h>

#include "miner/tasks/task.h"
#include "pool/pool_state.h"

struct work {
    atomic_uint holders;
    const struct task_kind *kind;
    const struct artifact *artifact; /* NULL for kinds without a model */
    struct assignment assignment;
    struct task_layout layout;
};

struct work_cache;
MUST_CHECK enum status work_cache_new(struct work_cache **out);
void work_cache_free(struct work_cache *cache); /* NULL is fine */

/* The kind and model of a request, or why this pool has no work of that sort. */
MUST_CHECK enum status work_kind(const struct pool *pool, const char *kind,
                                 const char *model, const struct task_kind **out,
                                 const struct artifact **artifact, struct error *err);
/* Lock held; the caller releases. */
MUST_CHECK enum status work_take(struct pool *pool, const struct stored_task *task,
                                 struct work **out, struct error *err);
void work_release(struct work *work); /* any thread; NULL is fine */

bool work_has_site(const struct work *work, const struct site *site);
struct model_shape work_shape(const struct work *work, const struct site *site);
/* H: hashes of all sites that can carry a proof (task-pool.md section 6). */
double work_hashes(const struct work *work, uint32_t min_rank);

#endif
