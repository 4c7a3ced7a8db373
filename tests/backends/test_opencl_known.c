/*
 * test_opencl_known.c - claim: the known answers that an OpenCL device must reproduce are
 * what the processor's backend makes of them.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "backends/opencl/opencl_known.h"

static void test_known(void **state)
{
    const struct device_options options = {.threads = 2};
    struct error err = {.status = STATUS_OK};
    struct device *device;

    (void)state;
    assert_int_equal(device_open(backend_find("cpu"), 0, &options, &device, NULL),
                     STATUS_OK);
    if (opencl_known_cores_check(device, &err) ||
        opencl_known_product_check(device, &err))
        fail_msg("%s", error_text(&err));
    device_close(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_known)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
