/*
 * leaves_case.h - rows that are quantised, and hashed as chunks: what the texts make of
 * them, one after the other.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_LEAVES_CASE_H
#define MINERVA_TESTS_LEAVES_CASE_H

#include "backends/device.h"

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
    struct launch first, second; /* their views once there are buffers */
    struct buffer *buffers[LEAVES_VIEWS];
};

/* Of rows that are plain, zeros, hardly anything, and faulty in every way. */
void leaves_case_make(const struct leaves_shape *shape, struct leaves_case *out);
/* Puts all views on a device, and says so to the launches. */
void leaves_case_load(struct leaves_case *c, struct device *device);
/* What lies there now is what the texts left; gives the buffers up. */
void leaves_case_expect(struct leaves_case *c, struct device *device);
/* Views out of c's buffers, whatever these are. */
void leaves_case_views(struct leaves_case *c);
void leaves_case_free(struct leaves_case *c);

#endif
