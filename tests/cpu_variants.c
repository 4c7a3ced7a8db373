/*
 * cpu_variants.c - kernels on every variant of the cpu backend beside the text.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/cpu_variants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "miner/base/memory.h"

static const char *const names[CPU_VARIANTS] = {"avx512", "avx2", "portable"};

void cpu_variants_check(const struct cpu_variants *all, struct launch launch)
{
    const uint32_t views = kernel_table[launch.kernel].views;
    const size_t size = all->sizes[views - 1];

    assert_true(views <= all->views);
    memset(all->host[views - 1], 0xa5, size);
    for (size_t v = 0; v < CPU_VARIANTS; v++)
        for (uint32_t i = 0; all->devices[v] && i < views; i++)
            assert_int_equal(device_write(all->devices[v], all->buffers[v][i], 0,
                                          all->host[i], all->sizes[i]),
                             STATUS_OK);
    kernel_table[launch.kernel].run(launch.first, launch.last, all->host, launch.scalars);
    for (size_t v = 0; v < CPU_VARIANTS; v++) {
        if (!all->devices[v])
            continue;
        for (uint32_t i = 0; i < views; i++)
            launch.views[i] = (struct view){all->buffers[v][i], 0};
        assert_int_equal(device_launch(all->devices[v], &launch), STATUS_OK);
        assert_int_equal(
            device_read(all->devices[v], all->buffers[v][views - 1], 0, all->found, size),
            STATUS_OK);
        if (memcmp(all->found, all->host[views - 1], size) != 0)
            fail_msg("%s: %s (%u, %u, %u, ...) over [%u, %u)", names[v],
                     kernel_table[launch.kernel].name, launch.scalars[0].u32,
                     launch.scalars[1].u32, launch.scalars[2].u32, (unsigned)launch.first,
                     (unsigned)launch.last);
    }
}

static void device_make(struct cpu_variants *all, size_t v)
{
    const struct device_options options = {.threads = 2, .variant = names[v]};
    const enum status status =
        device_open(backend_find("cpu"), 0, &options, &all->devices[v], NULL);

    if (status == STATUS_ABSENT)
        return;
    assert_int_equal(status, STATUS_OK);
    for (uint32_t i = 0; i < all->views; i++)
        assert_int_equal(
            device_buffer_new(all->devices[v], all->sizes[i], &all->buffers[v][i]),
            STATUS_OK);
}

void cpu_variants_open(struct cpu_variants *all, const size_t *sizes, uint32_t views)
{
    size_t largest = 0;

    assert_true(views <= KERNEL_VIEWS_MAX);
    *all = (struct cpu_variants){.views = views};
    for (uint32_t i = 0; i < views; i++) {
        all->sizes[i] = sizes[i];
        largest = sizes[i] > largest ? sizes[i] : largest;
        all->host[i] = memory_array(sizes[i], 1);
        assert_non_null(all->host[i]);
    }
    all->found = memory_array(largest, 1);
    assert_non_null(all->found);
    for (size_t v = 0; v < CPU_VARIANTS; v++)
        device_make(all, v);
}

void cpu_variants_close(struct cpu_variants *all)
{
    for (size_t v = 0; v < CPU_VARIANTS; v++) {
        for (uint32_t i = 0; all->devices[v] && i < all->views; i++)
            device_buffer_free(all->devices[v], all->buffers[v][i]);
        device_close(all->devices[v]);
    }
    for (uint32_t i = 0; i < all->views; i++)
        memory_free(all->host[i]);
    memory_free(all->found);
}
