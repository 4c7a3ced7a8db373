/*
 * operand_tree.c - the chunk tree of an operand that lies on a device, made there.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/pow/operand_tree.h"

#include <assert.h>

#include "miner/pow/merkle.h"

size_t operand_tree_size(uint64_t rows, uint64_t k)
{
    return (size_t)merkle_values(merkle_chunks(rows, k)) * DIGEST_SIZE;
}

/* The launch of chunks [first, last). */
static struct launch chunks_of(const struct operand_tree *tree, uint64_t first,
                               uint64_t last)
{
    return (struct launch){
        .kernel = KERNEL_blake3_chunks,
        .first = first,
        .last = last,
        .views = {tree->operand, {tree->key, 0}, {tree->tree, 0}},
        .scalars = {{.u64 = tree->size}, {.u32 = merkle_chunks(tree->size, 1) == 1}}};
}

/* Every value above chunks [first, last). */
static enum status parents_hash(const struct operand_tree *tree, uint64_t first,
                                uint64_t last, uint8_t root[DIGEST_SIZE])
{
    struct launch launch = {.kernel = KERNEL_blake3_parents,
                            .first = first,
                            .last = last,
                            .views = {{0}, {tree->key, 0}}};
    enum status status = STATUS_OK;
    uint64_t layer = 0;

    for (uint64_t width = merkle_chunks(tree->size, 1); width > 1 && !status;
         width = (width + 1) / 2) {
        launch.first /= 2;
        launch.last = (launch.last + 1) / 2;
        launch.views[0] = (struct view){tree->tree, layer * DIGEST_SIZE};
        launch.views[2] = (struct view){tree->tree, (layer + width) * DIGEST_SIZE};
        launch.scalars[0].u64 = width;
        launch.scalars[1].u32 = width == 2;
        status = device_launch(tree->device, &launch);
        layer += width;
    }
    return status ? status
                  : device_read(tree->device, tree->tree, (size_t)layer * DIGEST_SIZE,
                                root, DIGEST_SIZE);
}

enum status operand_tree_make(const struct operand_tree *tree,
                              const struct launch *made_by, uint8_t root[DIGEST_SIZE])
{
    const uint64_t chunks = merkle_chunks(tree->size, 1);
    const struct launch launch = chunks_of(tree, 0, chunks);
    const enum status status = made_by
                                   ? device_launch_then(tree->device, made_by, &launch)
                                   : device_launch(tree->device, &launch);

    return status ? status : parents_hash(tree, 0, chunks, root);
}

enum status operand_tree_renew(const struct operand_tree *tree, uint64_t first,
                               uint64_t size, uint8_t root[DIGEST_SIZE])
{
    assert(size);
    assert(first + size <= tree->size);
    const uint64_t begin = first / CHUNK_SIZE, end = (first + size - 1) / CHUNK_SIZE + 1;
    const struct launch launch = chunks_of(tree, begin, end);
    const enum status status = device_launch(tree->device, &launch);

    return status ? status : parents_hash(tree, begin, end, root);
}
