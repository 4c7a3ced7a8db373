/*
 * operand_tree.c - the chunk tree of an operand that lies on a device, made there.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/pow/operand_tree.h"

#include "miner/pow/merkle.h"

size_t operand_tree_size(uint64_t rows, uint64_t k)
{
    return (size_t)merkle_values(merkle_chunks(rows, k)) * DIGEST_SIZE;
}

enum status operand_tree_make(struct device *device, struct view operand, uint64_t size,
                              struct buffer *key, struct buffer *tree,
                              uint8_t root[DIGEST_SIZE])
{
    const uint64_t chunks = merkle_chunks(size, 1);
    struct launch launch = {.kernel = KERNEL_blake3_chunks,
                            .last = chunks,
                            .views = {operand, {key, 0}, {tree, 0}},
                            .scalars = {{.u64 = size}, {.u32 = chunks == 1}}};
    enum status status = device_launch(device, &launch);
    uint64_t first = 0;

    launch.kernel = KERNEL_blake3_parents;
    for (uint64_t width = chunks; width > 1 && !status; width = (width + 1) / 2) {
        launch.last = (width + 1) / 2;
        launch.views[0] = (struct view){tree, first * DIGEST_SIZE};
        launch.views[2] = (struct view){tree, (first + width) * DIGEST_SIZE};
        launch.scalars[0].u64 = width;
        launch.scalars[1].u32 = width == 2;
        status = device_launch(device, &launch);
        first += width;
    }
    return status ? status
                  : device_read(device, tree, (size_t)first * DIGEST_SIZE, root,
                                DIGEST_SIZE);
}
