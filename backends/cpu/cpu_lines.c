/*
 * cpu_lines.c - lines of an operand as packing wants them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cpu/cpu_lines.h"

#include <string.h>

#include "backends/cpu/cpu_tiles.h"

/* How many lines from the i-th on follow one another. */
static uint32_t run_length(const uint32_t *which, uint32_t i, uint32_t count)
{
    uint32_t length = 1;

    while (i + length < count && which[i + length] == which[i] + length)
        length++;
    return length;
}

static void noise_run(const struct device *device, const struct cpu_lines *lines,
                      uint32_t first, uint32_t length, int8_t *out)
{
    const size_t rank = lines->rank;
    /* The kernel's views are of one type for all; it writes only the last one. */
    void *const views[] = {(void *)(uintptr_t)(lines->values + (size_t)first * lines->k),
                           (void *)(uintptr_t)(lines->dense + first * rank),
                           (void *)(uintptr_t)lines->pairs, out};
    const union scalar scalars[] = {{.u32 = lines->k}, {.u32 = lines->rank}};

    device->kernels[KERNEL_noise_add](0, length, views, scalars);
}

void cpu_lines_take(const struct device *device, const struct cpu_lines *lines,
                    const uint32_t *which, uint32_t count, int8_t *room,
                    const int8_t **out)
{
    const size_t width = lines->k_padded;
    uint32_t length;

    for (uint32_t i = 0; i < count; i += length) {
        const int8_t *from = lines->values + (size_t)which[i] * lines->k;

        length = 1;
        out[i] = room + i * width;
        if (which[i] == CPU_NO_ROW) {
            out[i] = room + count * width;
        } else if (lines->dense) { /* then k is whole */
            length = run_length(which, i, count);
            noise_run(device, lines, which[i], length, room + i * width);
            for (uint32_t j = 1; j < length; j++)
                out[i + j] = room + (i + j) * width;
        } else if (width == lines->k) {
            out[i] = from;
        } else {
            memcpy(room + i * width, from, lines->k);
            memset(room + i * width + lines->k, 0, width - lines->k);
        }
    }
}
