/*
 * blake3_host.c - BLAKE3 for the host: plain, keyed and derive-key, whole or in pieces.
 *
 * The compression function is the devices' text.  The tree's left edge is a stack: after
 * each whole chunk as many parents are made as the chunk count has trailing zero bits.
 * The last chunk stays open until more data comes, because it may be the root.
 *
 * SPDX-License-Identifier: MIT
 */
#include "kernels/blake3_host.h"

#include <assert.h>
#include <string.h>

#include "kernels/blake3_tree.h"

enum { BLAKE3_BLOCK = 64 };

static void hasher_begin(struct blake3 *hasher, const u32 key[8], u32 flags)
{
    memset(hasher, 0, sizeof *hasher);
    memcpy(hasher->key, key, sizeof hasher->key);
    memcpy(hasher->cv, key, sizeof hasher->cv);
    hasher->flags = flags;
}

static void key_load(const uint8_t *key, u32 words[8], u32 *flags)
{
    static const u32 iv[8] = {BLAKE3_IV0, BLAKE3_IV1, BLAKE3_IV2, BLAKE3_IV3,
                              BLAKE3_IV4, BLAKE3_IV5, BLAKE3_IV6, BLAKE3_IV7};

    *flags = key ? BLAKE3_KEYED : 0;
    if (key)
        blake3_load(key, 8, words);
    else
        memcpy(words, iv, sizeof iv);
}

void blake3_begin(struct blake3 *hasher)
{
    u32 key[8], flags;

    key_load(NULL, key, &flags);
    hasher_begin(hasher, key, flags);
}

void blake3_begin_keyed(struct blake3 *hasher, const uint8_t key[BLAKE3_SIZE])
{
    u32 words[8], flags;

    key_load(key, words, &flags);
    hasher_begin(hasher, words, flags);
}

void blake3_begin_derive_key(struct blake3 *hasher, const char *context)
{
    uint8_t derived[BLAKE3_SIZE];
    u32 key[8];

    blake3_begin(hasher);
    hasher->flags = BLAKE3_CONTEXT;
    blake3_add(hasher, context, strlen(context));
    blake3_end(hasher, derived);
    blake3_load(derived, 8, key);
    hasher_begin(hasher, key, BLAKE3_MATERIAL);
}

/* The open block's flags when it is not the chunk's last. */
static u32 block_flags(const struct blake3 *hasher)
{
    return hasher->flags | (hasher->blocks == 0 ? BLAKE3_CHUNK_START : 0);
}

static void parent_of(const struct blake3 *hasher, const u32 left[8], u32 flags,
                      u32 right[8])
{
    u32 m[16];

    memcpy(m, left, 32);
    memcpy(m + 8, right, 32);
    memcpy(right, hasher->key, 32);
    blake3_parent(m, hasher->flags | flags, right);
}

/* The chunk with this chaining value is whole and more data follows. */
static void push_chunk(struct blake3 *hasher, u32 cv[8])
{
    for (u64 chunks = hasher->chunk + 1; chunks % 2 == 0; chunks /= 2)
        parent_of(hasher, hasher->stack[--hasher->depth], 0, cv);
    assert(hasher->depth < BLAKE3_DEPTH_MAX);
    memcpy(hasher->stack[hasher->depth++], cv, 32);
    hasher->chunk++;
    hasher->blocks = 0;
    memcpy(hasher->cv, hasher->key, 32);
}

/* The open block is full and more data follows. */
static void close_block(struct blake3 *hasher)
{
    const int is_last = hasher->blocks == BLAKE3_CHUNK / BLAKE3_BLOCK - 1;
    u32 m[16];

    blake3_load(hasher->block, 16, m);
    blake3_compress(hasher->cv, m, hasher->chunk, BLAKE3_BLOCK,
                    block_flags(hasher) | (is_last ? BLAKE3_CHUNK_END : 0));
    hasher->blocks++;
    hasher->block_size = 0;
    if (is_last)
        push_chunk(hasher, hasher->cv);
}

/* Whole chunks without a copy, as long as something remains after them. */
static size_t add_chunks(struct blake3 *hasher, const uint8_t *data, size_t size)
{
    size_t done = 0;

    for (; size - done > BLAKE3_CHUNK; done += BLAKE3_CHUNK) {
        u32 cv[8];

        memcpy(cv, hasher->key, sizeof cv);
        blake3_chunk_padded(data + done, BLAKE3_CHUNK, hasher->chunk, hasher->flags, 0,
                            cv);
        push_chunk(hasher, cv);
    }
    return done;
}

void blake3_add(struct blake3 *hasher, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    while (size > 0) {
        size_t part;

        if (hasher->block_size == BLAKE3_BLOCK)
            close_block(hasher);
        if (hasher->block_size == 0 && hasher->blocks == 0 && size > BLAKE3_CHUNK) {
            part = add_chunks(hasher, bytes, size);
        } else {
            part = BLAKE3_BLOCK - hasher->block_size;
            part = part < size ? part : size;
            memcpy(hasher->block + hasher->block_size, bytes, part);
            hasher->block_size += (u32)part;
        }
        bytes += part;
        size -= part;
    }
}

void blake3_end(const struct blake3 *hasher, uint8_t out[BLAKE3_SIZE])
{
    const u32 root = hasher->depth == 0 ? BLAKE3_ROOT : 0;
    u32 m[16], cv[8];

    memcpy(cv, hasher->cv, sizeof cv);
    blake3_load_part(hasher->block, hasher->block_size, m);
    blake3_compress(cv, m, hasher->chunk, hasher->block_size,
                    block_flags(hasher) | BLAKE3_CHUNK_END | root);
    for (u32 i = hasher->depth; i > 0; i--)
        parent_of(hasher, hasher->stack[i - 1], i == 1 ? BLAKE3_ROOT : 0, cv);
    blake3_store(cv, out);
}

void blake3_hash(const void *data, size_t size, const uint8_t *key,
                 uint8_t out[BLAKE3_SIZE])
{
    struct blake3 hasher;
    u32 words[8], flags;

    key_load(key, words, &flags);
    hasher_begin(&hasher, words, flags);
    blake3_add(&hasher, data, size);
    blake3_end(&hasher, out);
}

void blake3_chunk_value(const uint8_t chunk[BLAKE3_CHUNK], uint64_t index,
                        const uint8_t *key, int root, uint8_t out[BLAKE3_SIZE])
{
    u32 cv[8], flags;

    key_load(key, cv, &flags);
    blake3_chunk_padded(chunk, BLAKE3_CHUNK, index, flags, root ? BLAKE3_ROOT : 0, cv);
    blake3_store(cv, out);
}

void blake3_parent_value(const uint8_t left[BLAKE3_SIZE],
                         const uint8_t right[BLAKE3_SIZE], const uint8_t *key, int root,
                         uint8_t out[BLAKE3_SIZE])
{
    u32 m[16], cv[8], flags;

    key_load(key, cv, &flags);
    blake3_load(left, 8, m);
    blake3_load(right, 8, m + 8);
    blake3_parent(m, flags | (root ? BLAKE3_ROOT : 0), cv);
    blake3_store(cv, out);
}
