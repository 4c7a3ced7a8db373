/*
 * model_shelf.h - finds a model by its id: in the user's folders, in the cache, at the
 * pool.
 *
 * Opening looks through the folders once.  Any thread may find; what has to be fetched is
 * fetched by whoever asks first, and the others wait.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_MODEL_SHELF_H
#define MINERVA_MINER_MODEL_SHELF_H

#include "miner/models/artifact.h"
#include "pool-protocol/artifact_http.h"
#include "pool-protocol/message_authorize.h"

struct model_shelf;

struct model_shelf_options { /* copied */
    const char *folders[8];  /* each an artifact, or a folder of artifacts */
    size_t folder_count;
    const char *cache;   /* "": nothing is fetched */
    uint64_t cache_size; /* bytes */
};

/* BAD_CONFIG for a folder that holds no model. */
MUST_CHECK enum status model_shelf_open(const struct model_shelf_options *options,
                                        struct model_shelf **out, struct error *err);
void model_shelf_close(struct model_shelf *shelf); /* NULL is fine */

/* The ids at hand, for the hello. */
void model_shelf_offer(struct model_shelf *shelf, struct message_offer *offer);

/* Opens the model; source (may be NULL) says where it may be fetched.  The caller closes
 * it. */
MUST_CHECK enum status model_shelf_find(struct model_shelf *shelf, const char *id,
                                        const struct artifact_source *source,
                                        struct artifact **out, struct error *err);

#endif
