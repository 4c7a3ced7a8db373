/*
 * layers.h - what networks are made of: kernels and the port put together, once for all
 * networks.
 *
 * Everything works on the rows of one pack.  Each operation that can leave the numeric
 * range has a slot of its own for the smallest faulty row; the slots are read once, when
 * the pack is over. Nothing allocates between begin and end.  Belongs to the device's
 * thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MODELS_LAYERS_H
#define MINERVA_MODELS_LAYERS_H

#include "miner/models/model.h"

struct layers {
    struct device *device;
    struct buffer *faults; /* u32 a slot: the smallest faulty row */
    uint32_t *rows_faulty; /* [slots_max]: the same, read back */
    int32_t *before;       /* [slots_max]: the product before the operation, -1: none */
    uint32_t slots_max, slots;
    /* of the pack under way */
    struct matmul_port *port;
    uint32_t pack, rows;
    int32_t product; /* the last one, -1: none yet */
};

MUST_CHECK enum status layers_open(struct device *device, uint32_t slots_max,
                                   struct layers *out);
void layers_close(struct layers *layers); /* zeroed is fine */
MUST_CHECK enum status layers_begin(struct layers *layers, struct matmul_port *port,
                                    uint32_t pack, uint32_t rows);
/* FAULT, and which, when an operation of the pack left the range. */
MUST_CHECK enum status layers_end(struct layers *layers, struct model_fault *fault);

/* x w' + bias as one product: quantise, multiply through the port, dequantise. */
struct linear {
    struct weights *weights;
    struct view scales, bias;
    uint32_t n, k; /* of the network: without limbs and padding */
    uint32_t limbs_a, limbs_w;
    uint32_t product;
};
struct linear_room { /* shared by all of a network's */
    struct view q, scales, acc;
};
MUST_CHECK enum status layers_linear(struct layers *layers, const struct linear *linear,
                                     const struct linear_room *room, struct view x,
                                     struct view y);

struct norm {
    struct view weight, bias;
    uint32_t width;
    float inv_width, eps;
};
MUST_CHECK enum status layers_norm(struct layers *layers, const struct norm *norm,
                                   struct view x, struct view y);

/* Attention of every row to the rows of its own sequence, no mask. */
struct attention {
    uint32_t heads, head_dim;
    float scale;
    struct view spans;        /* u32 [rows][4], see kernels.def */
    struct view integers[3];  /* room for q, k, v: i16 [rows][heads * head_dim] */
    struct view exponents[3]; /* i32 [rows][heads] */
};
/* qkv: rows of query, key and value one after the other. */
MUST_CHECK enum status layers_attention(struct layers *layers,
                                        const struct attention *attention,
                                        struct view qkv, struct view out);

/* y may be x; out may be y. */
MUST_CHECK enum status layers_gelu(struct layers *layers, uint32_t width, struct view x,
                                   struct view y);
MUST_CHECK enum status layers_residual(struct layers *layers, uint32_t width,
                                       struct view h, struct view y, struct view out);

struct embedding {
    struct view word, position, type;
    uint32_t width;
};
/* ids and positions: i32 [rows]. */
MUST_CHECK enum status layers_embed(struct layers *layers,
                                    const struct embedding *embedding, struct view ids,
                                    struct view positions, struct view out);
/* The mean of each sequence's rows as a unit vector; starts: u32 [sequences + 1]. */
MUST_CHECK enum status layers_mean_pool(struct layers *layers, const struct norm *width,
                                        uint32_t sequences, struct view h,
                                        struct view starts, struct view out);

#endif
