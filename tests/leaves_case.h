/*
 * leaves_case.h - rows that are quantised, and hashed as chunks: what the texts make of
 * them, one after the other.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_LEAVES_CASE_H
#define MINERVA_TESTS_LEAVES_CASE_H

#include "backends/backend.h"

struct leaves_shape {
    uint32_t rows, k, k_padded, limbs;
};

enum leaves_view {
    LEAVES_X,
    LEAVES_Q,
    LEAVES_SCALE,
    LEAVES_FAULT,
    LEAVES_KEY,
    LEAVES_VALUES,
    LEAVES_VIEWS
};

struct leaves_case {
    struct leaves_shape shape;
    void *before[LEAVES_VIEWS], *after[LEAVES_VIEWS];
    size_t sizes[LEAVES_VIEWS];
    struct launch first, second; /* views are for whoever runs them */
};

/* Of rows that are plain, zeros, hardly anything, and faulty in every way. */
void leaves_case_make(const struct leaves_shape *shape, struct leaves_case *out);
/* A launch's views out of one's own, in the order of its text. */
void leaves_case_views(struct leaves_case *c, struct buffer *const buffers[LEAVES_VIEWS]);
void leaves_case_free(struct leaves_case *c);

#endif
