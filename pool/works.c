/*
 * works.c - opens stored tasks and remembers the last few.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool/works.h"

#include <stdio.h>
#include <string.h>

#include "miner/base/memory.h"
#include "miner/pow/scheme.h"
#include "pool-protocol/message_task.h"
#include "pool/shelf.h"

enum { WORKS_KEPT = 16 };

struct work_cache {
    struct work *works[WORKS_KEPT];
    size_t next;
};

enum status work_cache_new(struct work_cache **out)
{
    *out = memory_new(struct work_cache);
    return *out ? STATUS_OK : STATUS_NO_MEMORY;
}

void work_cache_free(struct work_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < WORKS_KEPT; i++)
        work_release(cache->works[i]);
    memory_free(cache);
}

void work_release(struct work *work)
{
    if (!work || atomic_fetch_sub(&work->holders, 1) > 1)
        return;
    task_layout_free(&work->layout);
    blob_free(&work->assignment.input);
    memory_free(work);
}

enum status work_kind(const struct pool *pool, const char *kind, const char *model,
                      const struct task_kind **out, const struct artifact **artifact,
                      struct error *err)
{
    *artifact = NULL;
    *out = task_kind_find(kind);
    if (!*out)
        return error_set(err, STATUS_NOT_SUPPORTED, "kind \"%s\" is not known here",
                         kind);
    if (!(*out)->needs_model)
        return *model ? error_set(err, STATUS_BAD_DATA, "kind %s takes no model", kind)
                      : STATUS_OK;
    *artifact = shelf_model(pool->shelf, model);
    if (!*artifact)
        return error_set(err, STATUS_NOT_FOUND,
                         "model \"%s\" is not on this pool's shelf", model);
    return STATUS_OK;
}

static void work_assign(const struct pool *pool, const struct stored_task *task,
                        struct assignment *out)
{
    snprintf(out->id, sizeof out->id, "%s", task->id);
    snprintf(out->kind, sizeof out->kind, "%s", task->kind);
    snprintf(out->model, sizeof out->model, "%s", task->model);
    snprintf(out->input_hash, sizeof out->input_hash, "%s", task->input_hash);
    out->input_size = task->input_size;
    out->input = blob_empty(TASK_INPUT_MAX);
    out->parameters = task->parameters;
    out->rows = task->rows;
    out->lease_s = pool->options.lease_s;
    out->work_units = task->work_units;
}

static enum status work_open(struct pool *pool, const struct stored_task *task,
                             struct work **out, struct error *err)
{
    struct work *work = memory_new(struct work);
    enum status status;

    if (!work)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a task");
    atomic_init(&work->holders, 1);
    work_assign(pool, task, &work->assignment);
    status = work_kind(pool, task->kind, task->model, &work->kind, &work->artifact, err);
    if (!status && *task->input_hash)
        status =
            store_blob_get(pool->store, task->input_hash, &work->assignment.input, err);
    if (!status)
        status =
            work->kind->layout(work->artifact, &work->assignment, &work->layout, err);
    if (status) {
        work_release(work);
        return status;
    }
    *out = work;
    return STATUS_OK;
}

enum status work_take(struct pool *pool, const struct stored_task *task,
                      struct work **out, struct error *err)
{
    struct work_cache *cache = pool->works;

    for (size_t i = 0; i < WORKS_KEPT; i++) {
        if (cache->works[i] && !strcmp(cache->works[i]->assignment.id, task->id)) {
            *out = cache->works[i];
            atomic_fetch_add(&(*out)->holders, 1);
            return STATUS_OK;
        }
    }
    const enum status status = work_open(pool, task, out, err);
    if (status)
        return status;
    work_release(cache->works[cache->next]);
    cache->works[cache->next] = *out;
    cache->next = (cache->next + 1) % WORKS_KEPT;
    atomic_fetch_add(&(*out)->holders, 1);
    return STATUS_OK;
}

bool work_has_site(const struct work *work, const struct site *site)
{
    return site->pack < work->layout.packs && site->product < work->layout.products &&
           site->pass == 0 && site->item == 0;
}

struct model_shape work_shape(const struct work *work, const struct site *site)
{
    return work->kind->shape(work->artifact, &work->assignment, &work->layout, *site);
}

double work_hashes(const struct work *work, uint32_t min_rank)
{
    double hashes = 0;

    for (uint32_t pack = 0; pack < work->layout.packs; pack++) {
        for (uint32_t product = 0; product < work->layout.products; product++) {
            const struct site site = {.pack = pack, .product = product};
            const struct model_shape shape = work_shape(work, &site);
            const uint32_t rank = pow_rank(shape.k, min_rank);
            if (rank)
                hashes += (double)shape.m * (double)shape.n *
                          (double)pow_work_factor(1, 1, shape.k, rank);
        }
    }
    return hashes;
}
