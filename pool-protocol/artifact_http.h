/*
 * artifact_http.h - fetches what is named by its hash, and brings big results to the
 * pool.
 *
 * The receiver hashes while it reads and refuses anything else than what the name says.
 * What is fetched lies in a cache folder (artifact_cache.h); a partial file there
 * survives a restart and is continued.  Calls block until they are done, refused, or
 * *stop becomes true; any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_ARTIFACT_HTTP_H
#define MINERVA_PROTOCOL_ARTIFACT_HTTP_H

#include <stdatomic.h>

#include "miner/base/bytes.h"
#include "pool-protocol/artifact_cache.h"

struct artifact_source {     /* lent to each call */
    const char *url;         /* http(s)://host:port/path, no slash at the end */
    const char *token;       /* bearer token of put, or NULL */
    const char *proxy;       /* or NULL */
    const char *ca_file;     /* or NULL */
    const atomic_bool *stop; /* ends a call with CANCELLED; NULL: nothing does */
};

/* The folder of a model (manifest.json, model.safetensors, vocab.txt), fetched where it
 * is not in the cache yet: folder receives its path. Another thread or process that
 * fetches the same waits. */
MUST_CHECK enum status
artifact_http_model(const struct artifact_source *source, struct artifact_cache *cache,
                    const char *model, char folder[ARTIFACT_PATH_MAX], struct error *err);
/* size bytes named hash (BLAKE3) into out, which is replaced and grows to size. Nothing
 * is cached. */
MUST_CHECK enum status artifact_http_get(const struct artifact_source *source,
                                         const char *hash, uint64_t size,
                                         struct blob *out, struct error *err);
/* PUT <url>/<hash of data>. OK also when the pool has it already. */
MUST_CHECK enum status artifact_http_put(const struct artifact_source *source,
                                         struct bytes data, struct error *err);

#endif
