/*
 * merkle.c - the keyed chunk tree of one operand: its layers, its openings, its root.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/pow/merkle.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "kernels/blake3_host.h"
#include "miner/base/memory.h"

_Static_assert((int)CHUNK_SIZE == (int)BLAKE3_CHUNK,
               "an opened chunk is one of BLAKE3's");
_Static_assert((int)DIGEST_SIZE == (int)BLAKE3_SIZE, "a sibling is a chaining value");

uint64_t merkle_chunks(uint64_t rows, uint64_t k)
{
    return (rows * k + CHUNK_SIZE - 1) / CHUNK_SIZE;
}

uint64_t merkle_values(uint64_t chunks)
{
    uint64_t values = chunks;

    while (chunks > 1) {
        chunks = (chunks + 1) / 2;
        values += chunks;
    }
    return values;
}

/* Rows ascend, so that a chunk two of them share is the last one noted. */
static uint64_t rows_to_chunks(const uint64_t *rows, uint64_t row_count, uint64_t k,
                               uint64_t *chunks)
{
    uint64_t count = 0;

    for (uint64_t i = 0; i < row_count; i++) {
        const uint64_t last = ((rows[i] + 1) * k - 1) / CHUNK_SIZE;
        uint64_t chunk = rows[i] * k / CHUNK_SIZE;
        if (count && chunk <= chunks[count - 1])
            chunk = chunks[count - 1] + 1;
        for (; chunk <= last; chunk++)
            chunks[count++] = chunk;
    }
    return count;
}

/* One layer up: notes the partners that are not known, leaves the parents in known. */
static uint64_t layer_up(uint64_t *known, uint64_t count, uint64_t width, uint64_t first,
                         struct merkle_plan *plan)
{
    uint64_t kept = 0;

    for (uint64_t i = 0; i < count; i++) {
        const uint64_t node = known[i], partner = node ^ 1;
        if (i + 1 < count && known[i + 1] == partner)
            i++;
        else if (partner < width)
            plan->siblings[plan->sibling_count++] = first + partner;
        known[kept++] = node / 2;
    }
    return kept;
}

enum status merkle_plan_new(const uint64_t *rows, uint64_t row_count, uint64_t k,
                            uint64_t total, struct merkle_plan *out)
{
    const uint64_t chunks_max = row_count * (k / CHUNK_SIZE + 2);
    uint64_t *known, count, first = 0, depth = 1;

    for (uint64_t width = total; width > 1; width = (width + 1) / 2)
        depth++;
    *out = (struct merkle_plan){0};
    out->chunks = memory_array(chunks_max, sizeof *out->chunks);
    out->siblings = memory_array(chunks_max * depth, sizeof *out->siblings);
    known = memory_array(chunks_max, sizeof *known);
    if (!out->chunks || !out->siblings || !known) {
        memory_free(known);
        merkle_plan_free(out);
        return STATUS_NO_MEMORY;
    }
    out->chunk_count = count = rows_to_chunks(rows, row_count, k, out->chunks);
    assert(count && out->chunks[count - 1] < total);
    memcpy(known, out->chunks, count * sizeof *known);
    for (uint64_t width = total; width > 1; width = (width + 1) / 2) {
        count = layer_up(known, count, width, first, out);
        first += width;
    }
    memory_free(known);
    return STATUS_OK;
}

void merkle_plan_free(struct merkle_plan *plan)
{
    memory_free(plan->chunks);
    memory_free(plan->siblings);
    *plan = (struct merkle_plan){0};
}

/* The nodes of one layer whose values are known. */
struct known_nodes {
    uint64_t count, width; /* known of all */
    uint64_t *nodes;
    uint8_t (*values)[DIGEST_SIZE];
    uint64_t siblings_used;
};

static bool known_take_sibling(struct known_nodes *known, const struct opening *opening,
                               const uint8_t **value)
{
    if (known->siblings_used == opening->sibling_count)
        return false;
    *value = opening->siblings + known->siblings_used++ * DIGEST_SIZE;
    return true;
}

/* One layer up in place; false: a sibling is missing. */
static bool known_up(struct known_nodes *known, const struct opening *opening,
                     const uint8_t key[DIGEST_SIZE])
{
    uint64_t kept = 0;

    for (uint64_t i = 0; i < known->count; i++) {
        const uint64_t node = known->nodes[i], partner = node ^ 1;
        const uint8_t *own = known->values[i], *other = own;
        uint8_t parent[DIGEST_SIZE];
        if (partner >= known->width) {
            memcpy(parent, own, sizeof parent);
        } else {
            if (i + 1 < known->count && known->nodes[i + 1] == partner)
                other = known->values[++i];
            else if (!known_take_sibling(known, opening, &other))
                return false;
            blake3_parent_value(node & 1 ? other : own, node & 1 ? own : other, key,
                                known->width == 2, parent);
        }
        memcpy(known->values[kept], parent, sizeof parent);
        known->nodes[kept++] = node / 2;
    }
    known->count = kept;
    known->width = (known->width + 1) / 2;
    return true;
}

static enum status known_climb(struct known_nodes *known, const struct opening *opening,
                               const uint8_t key[DIGEST_SIZE], struct error *err)
{
    const int only = opening->chunk_total == 1;

    for (uint64_t i = 0; i < known->count; i++) {
        known->nodes[i] = opening->chunk_indices[i];
        blake3_chunk_value(opening->chunks + i * CHUNK_SIZE, known->nodes[i], key, only,
                           known->values[i]);
    }
    while (known->width > 1) {
        if (!known_up(known, opening, key))
            return error_set(err, STATUS_BAD_PROOF,
                             "%" PRIu64
                             " siblings, expected more: the tree has no root yet",
                             opening->sibling_count);
    }
    if (known->siblings_used != opening->sibling_count)
        return error_set(err, STATUS_BAD_PROOF, "%" PRIu64 " siblings, expected %" PRIu64,
                         opening->sibling_count, known->siblings_used);
    if (known->count != 1 || known->nodes[0] != 0)
        return error_set(err, STATUS_BAD_PROOF,
                         "the opened chunks are not ascending indices below %" PRIu64,
                         opening->chunk_total);
    return STATUS_OK;
}

enum status merkle_root(const struct opening *opening, const uint8_t key[DIGEST_SIZE],
                        uint8_t root[DIGEST_SIZE], struct error *err)
{
    struct known_nodes known = {
        .count = opening->chunk_count,
        .width = opening->chunk_total,
        .nodes = memory_array(opening->chunk_count, sizeof(uint64_t)),
        .values = memory_array(opening->chunk_count, DIGEST_SIZE),
    };
    enum status status;

    if (known.nodes && known.values)
        status = known_climb(&known, opening, key, err);
    else
        status = error_set(err, STATUS_NO_MEMORY, "no memory to hash %" PRIu64 " chunks",
                           opening->chunk_count);
    if (!status)
        memcpy(root, known.values[0], DIGEST_SIZE);
    memory_free(known.nodes);
    memory_free(known.values);
    return status;
}
