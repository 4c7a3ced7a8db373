/*
 * opencl_product.h - one product on its way through the device, for the files that carry
 * it out.
 *
 * Rows go in bands, packed one after the other; each band is multiplied under windows of
 * columns; a window's band goes in strips, as many rows as there is room for their folds.
 * Bands, windows and strips hold whole tickets.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_OPENCL_PRODUCT_H
#define MINERVA_BACKENDS_OPENCL_PRODUCT_H

#include "backends/opencl/opencl_device.h"
#include "backends/opencl/opencl_part.h"

enum {
    OPENCL_LIMBS_MAX = 3,
    OPENCL_WINDOW_MAX = 4096,     /* slots */
    OPENCL_BAND_SIZE = 256 << 20, /* bytes of packed rows */
    OPENCL_FOLDS_SIZE = 32 << 20,
};

struct opencl_product {
    struct device *device;
    const struct multiply *ask;
    const struct packed *b;
    const struct opencl_order *rows, *columns;
    uint32_t k, k_padded, rank;
    uint32_t limbs;               /* 0: c is not corrected */
    uint32_t band, window, strip; /* slots at most */
    bool reorders;                /* columns of a window are copied in their order */
};

/* A range of slots. */
struct opencl_range {
    uint32_t first, slots;
};

/* Rows of a, noised or as they are, in the layout of the main loop. */
MUST_CHECK enum status opencl_left_make(const struct opencl_product *product,
                                        struct opencl_range band, bool has_noise);
/* Columns of a window in their own order; where they lie as packed, nothing is done. */
MUST_CHECK enum status opencl_right_make(const struct opencl_product *product,
                                         struct opencl_range window);
/* Both sparse factors as whole lines. */
MUST_CHECK enum status opencl_sparse_make(const struct opencl_product *product);
/* What takes the noise out of a band's rows; its clean rows are in place. */
MUST_CHECK enum status opencl_left_correct(const struct opencl_product *product,
                                           struct opencl_range band);
MUST_CHECK enum status opencl_right_correct(const struct opencl_product *product,
                                            struct opencl_range window);

#endif
