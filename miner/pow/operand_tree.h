/*
 * operand_tree.h - the chunk tree of an operand that lies on a device, made there.
 *
 * Belongs to the device's thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POW_OPERAND_TREE_H
#define MINERVA_POW_OPERAND_TREE_H

#include "backends/device.h"
#include "miner/work/proof.h"

/* Where an operand and its tree lie; nothing of it is owned. */
struct operand_tree {
    struct device *device;
    struct view operand;
    uint64_t size;       /* of the operand, in bytes */
    struct buffer *key;  /* the job key */
    struct buffer *tree; /* of operand_tree_size() bytes at least */
};

/* Bytes that all layers take (merkle.h says how they lie). */
size_t operand_tree_size(uint64_t rows, uint64_t k);
/* All layers, and the root to the host.  made_by: the launch that writes the operand,
 * launched here; NULL: it is there already. */
MUST_CHECK enum status operand_tree_make(const struct operand_tree *tree,
                                         const struct launch *made_by,
                                         uint8_t root[DIGEST_SIZE]);
/* The same after size bytes from first on were written anew, out of the layers as they
 * were made under this key: hashes those chunks and what is above them. */
MUST_CHECK enum status operand_tree_renew(const struct operand_tree *tree, uint64_t first,
                                          uint64_t size, uint8_t root[DIGEST_SIZE]);

#endif
