/*
 * bert_shape.h - questions about an artifact that holds a BERT; for bert.c.
 *
 * Products are numbered through the layers, four a layer (task-pool.md section 5).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MODELS_BERT_SHAPE_H
#define MINERVA_MODELS_BERT_SHAPE_H

#include "miner/models/model.h"

enum { BERT_PRODUCTS = 4 }; /* of a layer: query-key-value, attention output, up, down */

struct bert_shape {
    uint64_t hidden, intermediate, layers, heads, vocab, positions, types;
    uint32_t limbs_a, limbs_w;
};
struct bert_shape bert_shape_of(const struct artifact *artifact);
/* Of a product's matrix, without limbs and padding. */
uint64_t bert_shape_n(const struct bert_shape *shape, uint32_t product);
uint64_t bert_shape_k(const struct bert_shape *shape, uint32_t product);
/* The name of a tensor of a product's matrix: field is q, s or b. */
void bert_shape_name(char name[TENSOR_NAME_MAX + 1], uint32_t product, const char *field);

/* The slots of struct model_kind. */
enum status bert_shape_check(const struct artifact *artifact, struct error *err);
uint32_t bert_shape_product_count(const struct artifact *artifact);
struct model_shape bert_shape_product(const struct artifact *artifact, uint32_t product,
                                      uint64_t tokens);
struct bytes bert_shape_weights(const struct artifact *artifact, uint32_t product);
uint32_t bert_shape_width(const struct artifact *artifact);
uint32_t bert_shape_vocabulary(const struct artifact *artifact);
uint32_t bert_shape_sequence_max(const struct artifact *artifact);

#endif
