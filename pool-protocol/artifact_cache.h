/*
 * artifact_cache.h - a folder of bounded size for what was fetched: the least recently
 * used goes.
 *
 * Holds models (folders named by their id) and partial files (named by their hash). Names
 * are hashes and nothing else: no path ever comes from a pool, and nothing outside the
 * folder is touched.  What is in use may be removed; open mappings live on.  Any thread;
 * between processes and threads a lock file keeps one fetcher at a time.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_ARTIFACT_CACHE_H
#define MINERVA_PROTOCOL_ARTIFACT_CACHE_H

#include <stdatomic.h>

#include "miner/base/bytes.h"

enum { ARTIFACT_PATH_MAX = 1024, ARTIFACT_ID_SIZE = 64 };

struct artifact_cache;

/* The folder is made where it is missing. */
MUST_CHECK enum status artifact_cache_open(const char *folder, uint64_t size_max,
                                           struct artifact_cache **out,
                                           struct error *err);
void artifact_cache_close(
    struct artifact_cache *cache); /* NULL is fine; the files stay */

/* The folder of a model that is complete, and marks it as used now; NOT_FOUND otherwise.
 */
MUST_CHECK enum status artifact_cache_model(struct artifact_cache *cache,
                                            const char *model,
                                            char folder[ARTIFACT_PATH_MAX],
                                            struct error *err);
/* The ids of the models that are complete, for the hello; returns how many. */
uint32_t artifact_cache_models(struct artifact_cache *cache,
                               char (*ids)[ARTIFACT_ID_SIZE + 1], uint32_t count_max);

/* One fetcher at a time: waits for the lock, or CANCELLED when *stop (may be NULL)
 * becomes true. */
MUST_CHECK enum status artifact_cache_lock(struct artifact_cache *cache,
                                           const atomic_bool *stop, int *lock,
                                           struct error *err);
void artifact_cache_unlock(int lock);

/* With the lock held: removes the least recently used until size more bytes fit; never
 * model (may be NULL) or its parts. FULL with both numbers when they cannot. */
MUST_CHECK enum status artifact_cache_make_room(struct artifact_cache *cache,
                                                uint64_t size, const char *keep,
                                                struct error *err);
/* Where the parts of a model are gathered: an existing folder inside the cache, kept over
 * restarts. */
MUST_CHECK enum status artifact_cache_gather(struct artifact_cache *cache,
                                             const char *model,
                                             char folder[ARTIFACT_PATH_MAX],
                                             struct error *err);
/* The gathered folder becomes the model's. */
MUST_CHECK enum status artifact_cache_finish(struct artifact_cache *cache,
                                             const char *model, struct error *err);

#endif
