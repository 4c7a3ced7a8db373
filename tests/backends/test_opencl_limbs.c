/*
 * test_opencl_limbs.c - claim: OpenCL takes noise out by two limbs in base 255 where k is
 * small for the rank, and by three where it is not; where two were taken and one sum does
 * not fit them, the product is made once more with three: from 32513 on, not at 32512,
 * in X or in Y, of either sign; and the clean product is the text's each time.
 *
 * Noise hardly ever names one factor so often: the loader's stand-in changes its pairs
 * when they are drawn, and sees in how many limbs the products are corrected.
 *
 * labels: plain opencl
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/limb_case.h"
#include "tests/stand_in/opencl_shim_open.h"

enum { OFTEN = 700, FACTOR = 7, TWO = 1 << 2, THREE = 1 << 3 };

static struct opencl_shim_opened opened;

/* What the stand-in does as well. */
static void pairs_change(uint16_t *pairs, uint32_t k)
{
    for (uint32_t l = 0; l < OFTEN && l < k; l++)
        if (pairs[2 * l + 1] != FACTOR)
            pairs[2 * l] = FACTOR;
}

static void check(struct device *device, const struct limb_case *given, uint64_t limbs)
{
    struct limb_operands operands;

    limb_case_make(given, &operands);
    opened.shim->one_factor = given->pairs_change ? OFTEN : 0;
    opened.shim->limbs = 0;
    limb_case_check(device, given, &operands);
    if (opened.shim->limbs != limbs)
        fail_msg("k %u, rank %u, a sum of %d in %s: limbs %x, expected %x", given->k,
                 given->rank, operands.sum, given->is_y ? "Y" : "X",
                 (unsigned)opened.shim->limbs, (unsigned)limbs);
    opened.shim->one_factor = 0;
    limb_case_free(&operands);
}

static struct device *open_variant(const char *variant)
{
    const struct device_options options = {.variant = variant};
    struct error err = {.status = STATUS_OK};
    struct device *device;
    const enum status status =
        device_open(&backend_opencl, opened.index, &options, &device, &err);

    if (status == STATUS_ABSENT)
        return NULL;
    if (status)
        fail_msg("%s", error_text(&err));
    return device;
}

static void check_all(struct device *device)
{
    static const struct {
        int32_t sum;
        uint64_t limbs;
    } sums[] = {{LIMB_EDGE, TWO},
                {-LIMB_EDGE, TWO},
                {LIMB_EDGE + 1, TWO | THREE},
                {-LIMB_EDGE - 1, TWO | THREE},
                {INT32_MAX, TWO | THREE},
                {-INT32_MAX, TWO | THREE}};
    struct limb_case given = {.k = 2048, .rank = 32, .seeds = {{1}, {2}}};

    for (size_t i = 0; i < 2 * sizeof sums / sizeof sums[0]; i++) {
        given.is_y = i % 2;
        given.sum = sums[i / 2].sum;
        given.pairs_change = pairs_change;
        check(device, &given, sums[i / 2].limbs);
    }
    /* As noise is drawn: 64 times the rank, and the next k. */
    given.pairs_change = NULL;
    check(device, &given, TWO);
    given.k += 64;
    check(device, &given, THREE);
}

static void test_switch(void **state)
{
    static const char *const variants[] = {"vector", "local"};

    (void)state;
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
        struct device *device = open_variant(variants[i]);

        if (device)
            check_all(device);
        device_close(device);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_switch)};

    opencl_shim_open(&opened);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
