/*
 * product_run.h - one product on a device, held against the plain composition.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_PRODUCT_RUN_H
#define MINERVA_TESTS_PRODUCT_RUN_H

#include "backends/device.h"
#include "tests/product_case.h"

struct product_run { /* the device's side of one shape */
    struct device *device;
    struct buffer *a, *b, *c, *hits;
    struct buffer *others; /* hits of the second of a pair */
    struct packed *packed;
    uint32_t hits_max;
    size_t c_at; /* where c begins: in every other shape behind a single word */
};

/* Writes the operands, packs and reserves; hits_max 0: more room than there are hits. */
void product_run_load(struct product_run *run, struct device *device,
                      const struct product_case *shape, const struct product_plain *p,
                      uint32_t hits_max);
void product_run_free(struct product_run *run);
/* Multiplies.  The clean product, wanted or not, and every hit must be the text's. */
void product_run_check(struct product_run *run, const struct product_case *shape,
                       const struct product_plain *p, bool is_useful);
/* The product with its clean result, and without: the second is prepared while the first
 * may still run.  What both give must be the text's. */
void product_run_check_pair(struct product_run *run, const struct product_case *shape,
                            const struct product_plain *p);
/* The steps of the composition one by one, each a launch, must give p as well. */
void product_run_steps(struct device *device, const struct product_case *shape,
                       const struct product_plain *p);

#endif
