/*
 * roots.h - this pool's own roots of the registered weights, by job key.
 *
 * A cache: the same weights under the same key are hashed once.  Any thread; it has its
 * own lock.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POOL_ROOTS_H
#define MINERVA_POOL_ROOTS_H

#include "miner/work/proof.h"
#include "pool/works.h"

struct root_cache;
MUST_CHECK enum status root_cache_new(struct root_cache **out);
void root_cache_free(struct root_cache *cache); /* NULL is fine */
/* Raw hash_B of a product's weights under the key. */
MUST_CHECK enum status root_of_weights(struct root_cache *cache, const struct work *work,
                                       uint32_t product,
                                       const uint8_t job_key[DIGEST_SIZE],
                                       uint8_t root[DIGEST_SIZE], struct error *err);

#endif
