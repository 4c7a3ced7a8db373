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

/* Bytes that all layers take (merkle.h says how they lie). */
size_t operand_tree_size(uint64_t rows, uint64_t k);
/* Layers of the operand's tree into tree, its root to the host.  key: the job key. */
MUST_CHECK enum status operand_tree_make(struct device *device, struct view operand,
                                         uint64_t size, struct buffer *key,
                                         struct buffer *tree, uint8_t root[DIGEST_SIZE]);

#endif
