/*
 * cuda_side.h - products on CUDA devices, compared with the plain composition of the
 * shared text.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_CUDA_SIDE_H
#define MINERVA_TESTS_CUDA_SIDE_H

#include "backends/device.h"
#include "tests/made_device.h"
#include "tests/product_case.h"
#include "tests/stand_in/cuda_stand_in.h"

/* One product of a shape on a device. */
struct cuda_side {
    const struct product_case *shape;
    const struct product_plain *plain;
    struct device *device;
    struct buffer *a, *b, *c, *hits;
    struct packed *packed;
    uint32_t hits_max;
    struct mining mining;
};

void cuda_side_make(struct cuda_side *side, struct device *device,
                    const struct product_case *shape, const struct product_plain *plain);
/* What is asked of the device; mined where the shape has a rank. */
struct multiply cuda_side_ask(const struct cuda_side *side, bool is_useful);
enum status cuda_side_multiply(const struct cuda_side *side, bool is_useful);
void cuda_side_check(const struct cuda_side *side, bool is_useful);
void cuda_side_free(struct cuda_side *side);

enum { CUDA_SMALL = 16, CUDA_LARGE = 64 }; /* one range, several */

/* The shape, its composition and a device whose streams lag so. */
struct cuda_setting {
    struct product_case shape;
    struct product_plain plain;
    struct device *device;
    struct cuda_side side;
};

void cuda_setting_make(struct cuda_setting *s, struct cuda_stand_in *stand_in,
                       uint64_t lag, uint32_t size);
void cuda_setting_free(struct cuda_setting *s);

#endif
