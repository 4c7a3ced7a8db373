/*
 * blake3_host.h - BLAKE3 for the host, out of the same text the devices run
 * (hash/blake3.cl).
 *
 * Open to every rank.  Plain, keyed and derive-key modes, incremental, 32 bytes out; and
 * the keyed chunk tree that proofs open (pow.md sections 4 and 8).  Values are
 * independent of the machine. A hasher belongs to one thread; the functions keep no
 * state.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_KERNELS_BLAKE3_HOST_H
#define MINERVA_KERNELS_BLAKE3_HOST_H

#include <stddef.h>
#include <stdint.h>

enum { BLAKE3_SIZE = 32, BLAKE3_CHUNK = 1024, BLAKE3_DEPTH_MAX = 54 };

struct blake3 {
    uint32_t key[8];
    uint32_t flags;
    uint32_t cv[8]; /* of the open chunk */
    uint8_t block[64];
    uint32_t block_size, blocks;
    uint64_t chunk; /* counter of the open chunk */
    uint32_t stack[BLAKE3_DEPTH_MAX][8];
    uint32_t depth;
};

void blake3_begin(struct blake3 *hasher);
void blake3_begin_keyed(struct blake3 *hasher, const uint8_t key[BLAKE3_SIZE]);
void blake3_begin_derive_key(struct blake3 *hasher, const char *context);
void blake3_add(struct blake3 *hasher, const void *data, size_t size);
void blake3_end(const struct blake3 *hasher,
                uint8_t out[BLAKE3_SIZE]); /* may go on adding */

/* One call for all of it; key NULL: plain. */
void blake3_hash(const void *data, size_t size, const uint8_t *key,
                 uint8_t out[BLAKE3_SIZE]);

/* Chaining value of one whole chunk (1024 bytes) as the tree holds it; root: it is the
 * only one. */
void blake3_chunk_value(const uint8_t chunk[BLAKE3_CHUNK], uint64_t index,
                        const uint8_t *key, int root, uint8_t out[BLAKE3_SIZE]);
void blake3_parent_value(const uint8_t left[BLAKE3_SIZE],
                         const uint8_t right[BLAKE3_SIZE], const uint8_t *key, int root,
                         uint8_t out[BLAKE3_SIZE]);

#endif
