/*
 * generated.h - the matrices of pow.md section 11 on a device, and their product.
 *
 * What the kind `matmul`, idle mining and benchmarks share.  Belongs to its device's
 * thread; generated_fill() and generated_check() to any.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TASKS_GENERATED_H
#define MINERVA_TASKS_GENERATED_H

#include "miner/tasks/task.h"

/* What a miner's own matrices are drawn from: 32 bytes of the OS.  Element i of strip s
 * of side d (0: A, 1: Bt) in attempt t is element i of the matrix of pow.md section 11
 * with seed x, where x is the first 8 bytes of H(u64 t || u64 s || u8 d; seed), integers
 * little-endian.  A strip is GENERATED_STRIP bytes; all values in [-64, 64] are equally
 * likely. */
struct generated_seed {
    uint8_t bytes[32];
};
enum { GENERATED_STRIP = 1 << 20 };

struct generated {
    struct device *device;
    struct model_shape shape;
    struct buffer *left, *right; /* A, m x k, and Bt, n x k */
    struct buffer *spare;        /* another A, or NULL */
    struct weights *weights;     /* of right */
};

/* m, n and k within what a product may be (pow.md section 1; k from 64). */
MUST_CHECK enum status generated_check(struct model_shape shape, struct error *err);
/* Bytes that a checked shape takes on a device with so many A, derived copies included.
 */
uint64_t generated_size(struct model_shape shape, uint32_t lefts);
/* Whether its largest matrix, or a product of so many bytes, is no larger than what the
 * device gives in one piece: a sentence with both figures where it is. */
MUST_CHECK enum status generated_piece_fits(const struct device *device,
                                            struct model_shape shape, uint64_t product,
                                            struct error *err);
/* Whether a checked shape and extra bytes fit the device: a sentence with both figures
 * where they do not. */
MUST_CHECK enum status generated_fits(const struct device *device,
                                      struct model_shape shape, uint64_t extra,
                                      struct error *err);
/* Room for both operands; nothing is in them yet. */
MUST_CHECK enum status generated_new(struct generated *out, struct device *device,
                                     struct model_shape shape, struct error *err);
/* Room for a spare A, and the change of places: while a product of the one may still be
 * on its way, the other one is written. */
MUST_CHECK enum status generated_spare_new(struct generated *generated);
void generated_turn(struct generated *generated);
void generated_free(struct generated *generated); /* its parts; a zeroed one is fine */
/* Writes the first rows of A out of seed; the others stay as they are. */
MUST_CHECK enum status generated_left(struct generated *generated, uint64_t seed,
                                      uint64_t rows);
/* Writes Bt and forgets what was derived of the one before. */
MUST_CHECK enum status generated_right(struct generated *generated, uint64_t seed);
/* A, or Bt, of an attempt out of seed, strip by strip: its first size bytes, the others
 * stay as they are.  Bt: what was derived of the one before is forgotten. */
MUST_CHECK enum status generated_draw_left(struct generated *generated,
                                           const struct generated_seed *seed,
                                           uint64_t attempt, uint64_t size);
MUST_CHECK enum status generated_draw_right(struct generated *generated,
                                            const struct generated_seed *seed);
/* The one site: pack 0, product 0.  No buffer in product: it is not wanted. */
MUST_CHECK enum status generated_run(struct generated *generated,
                                     struct matmul_port *port, struct view product);
/* The first size elements of the matrix of seed, on the host. */
void generated_fill(uint8_t *out, uint64_t size, uint64_t seed);

#endif
