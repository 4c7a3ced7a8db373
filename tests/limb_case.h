/*
 * limb_case.h - useful products with one sum of the noise's correction (X = A E_BL,
 * Y = E_AR B': pow.md section 10) exactly as large as a test wants it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_LIMB_CASE_H
#define MINERVA_TESTS_LIMB_CASE_H

#include "backends/device.h"

enum {
    LIMB_M = 16,
    LIMB_N = 32,
    LIMB_EDGE = 32512 /* two balanced digits in base 255 */
};

struct limb_case {
    uint32_t k, rank;
    uint8_t seeds[2][32]; /* of a's noise, and of b's */
    bool is_y;            /* the sum is one of Y; else of X */
    int32_t sum; /* in one line, of one factor; beyond what there can be: the most */
    /* NULL, or changes the pairs drawn for a side: what the device under test does too */
    void (*pairs_change)(uint16_t *pairs, uint32_t k);
};

struct limb_operands {
    int8_t *a, *b;
    uint16_t *pairs[2]; /* [k][2] of a's noise, and of b's */
    int32_t *c;         /* the text's */
    int32_t sum;        /* what it came to */
};

/* Fails the test where the text's own X and Y are not as wanted: that sum, and no other
 * sum as far from zero. */
void limb_case_make(const struct limb_case *given, struct limb_operands *out);
void limb_case_free(struct limb_operands *operands);
/* The device's clean product under that noise must be c. */
void limb_case_check(struct device *device, const struct limb_case *given,
                     const struct limb_operands *operands);
/* Sets the seeds to the first ones whose noise has so many positions of one factor at
 * most. */
void limb_case_seek(struct limb_case *given, uint32_t longest);

#endif
