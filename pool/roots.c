/*
 * roots.c - keyed roots of weights, remembered.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool/roots.h"

#include <stdio.h>
#include <string.h>

#include "miner/base/memory.h"
#include "miner/pow/commitment.h"

enum { ROOTS_KEPT = 1024, WEIGHTS_SIZE_MAX = INT32_MAX };

struct root_entry {
    bool is_set;
    char owner[MODEL_ID_SIZE + 1]; /* the model, or the task whose own the weights are */
    uint32_t product;
    uint8_t job_key[DIGEST_SIZE], root[DIGEST_SIZE];
};

struct root_cache {
    struct lock *lock;
    size_t next;
    struct root_entry entries[ROOTS_KEPT];
};

enum status root_cache_new(struct root_cache **out)
{
    struct root_cache *cache = memory_new(struct root_cache);

    if (!cache || lock_new(&cache->lock)) {
        memory_free(cache);
        return STATUS_NO_MEMORY;
    }
    *out = cache;
    return STATUS_OK;
}

void root_cache_free(struct root_cache *cache)
{
    if (!cache)
        return;
    lock_free(cache->lock);
    memory_free(cache);
}

static bool root_known(struct root_cache *cache, const struct root_entry *wanted,
                       uint8_t root[DIGEST_SIZE])
{
    bool is_known = false;

    lock_take(cache->lock);
    for (size_t i = 0; i < ROOTS_KEPT && !is_known; i++) {
        const struct root_entry *entry = &cache->entries[i];
        is_known = entry->is_set && entry->product == wanted->product &&
                   !memcmp(entry->job_key, wanted->job_key, DIGEST_SIZE) &&
                   !strcmp(entry->owner, wanted->owner);
        if (is_known)
            memcpy(root, entry->root, DIGEST_SIZE);
    }
    lock_give(cache->lock);
    return is_known;
}

enum status root_of_weights(struct root_cache *cache, const struct work *work,
                            uint32_t product, const uint8_t job_key[DIGEST_SIZE],
                            uint8_t root[DIGEST_SIZE], struct error *err)
{
    struct root_entry entry = {.is_set = true, .product = product};
    struct blob weights = blob_empty(WEIGHTS_SIZE_MAX);

    snprintf(entry.owner, sizeof entry.owner, "%s",
             work->artifact ? work->assignment.model : work->assignment.id);
    memcpy(entry.job_key, job_key, DIGEST_SIZE);
    if (root_known(cache, &entry, root))
        return STATUS_OK;
    const enum status status =
        work->kind->weights(work->artifact, &work->assignment, product, &weights);
    if (status) {
        blob_free(&weights);
        return error_set(err, status, "the weights cannot be read: %s",
                         status_text(status));
    }
    commitment_root(blob_bytes(&weights), job_key, entry.root);
    blob_free(&weights);
    memcpy(root, entry.root, DIGEST_SIZE);
    lock_take(cache->lock);
    cache->entries[cache->next] = entry;
    cache->next = (cache->next + 1) % ROOTS_KEPT;
    lock_give(cache->lock);
    return STATUS_OK;
}
