/*
 * leaves_case.c - rows that are quantised, and hashed as chunks.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/leaves_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "miner/base/memory.h"

enum { CHUNK = 1024, SLOT = 1, FAULTS = 3 };

static void *room(size_t size, uint8_t byte)
{
    void *data = memory_array(size, 1);

    assert_non_null(data);
    memset(data, byte, size);
    return data;
}

/* Plain rows, but for one in nine of each of these: zeros, hardly anything, the largest
 * value that is none yet, one that is a fault, infinities, no number. */
static void rows_draw(const struct leaves_shape *shape, uint32_t *x)
{
    static const uint32_t odd[] = {0,          0x21000000, 0x537fffff, 0x53800000,
                                   0x7f800000, 0x7fc00001, 0xff800000};
    uint64_t state = shape->rows * 1000003u + shape->k;

    for (size_t i = 0; i < (size_t)shape->rows * shape->k; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        x[i] = (uint32_t)((state >> 32 & 0x807fffff) | (120 + (state >> 60)) << 23);
    }
    for (uint32_t row = 1; row < shape->rows; row++) {
        uint32_t *at = x + (size_t)row * shape->k;

        if (row % 9 >= 7)
            continue;
        if (row % 9 < 2)
            memset(at, 0, shape->k * sizeof *at);
        at[row * 31 % shape->k] = odd[row % 9];
    }
}

static void launches_make(struct leaves_case *c, uint64_t size)
{
    const struct leaves_shape *shape = &c->shape;
    const uint64_t chunks = (size + CHUNK - 1) / CHUNK;

    c->first = (struct launch){
        .kernel = shape->limbs == 1 ? KERNEL_quantise7 : KERNEL_quantise14,
        .last = shape->rows,
        .scalars = {{.u32 = shape->k}, {.u32 = shape->k_padded}, {.u32 = SLOT}}};
    if (shape->limbs == 2) {
        c->first.scalars[2].u32 = shape->rows;
        c->first.scalars[3].u32 = SLOT;
    }
    c->second = (struct launch){.kernel = KERNEL_blake3_chunks,
                                .last = chunks,
                                .scalars = {{.u64 = size}, {.u32 = chunks == 1}}};
}

static void texts_run(struct leaves_case *c)
{
    void *const *v = c->after;
    void *const first[] = {v[LEAVES_X], v[LEAVES_Q], v[LEAVES_SCALE], v[LEAVES_FAULT]};
    void *const second[] = {v[LEAVES_Q], v[LEAVES_KEY], v[LEAVES_VALUES]};

    kernel_table[c->first.kernel].run(0, c->first.last, first, c->first.scalars);
    kernel_table[c->second.kernel].run(0, c->second.last, second, c->second.scalars);
}

void leaves_case_make(const struct leaves_shape *shape, struct leaves_case *out)
{
    const size_t size = (size_t)shape->limbs * shape->rows * shape->k_padded;

    *out = (struct leaves_case){.shape = *shape};
    launches_make(out, size);
    out->sizes[LEAVES_X] = (size_t)shape->rows * shape->k * sizeof(float);
    out->sizes[LEAVES_Q] = size;
    out->sizes[LEAVES_SCALE] = shape->rows * sizeof(float);
    out->sizes[LEAVES_FAULT] = FAULTS * sizeof(uint32_t);
    out->sizes[LEAVES_KEY] = 32;
    out->sizes[LEAVES_VALUES] = 32 * out->second.last;
    for (size_t i = 0; i < LEAVES_VIEWS; i++)
        out->before[i] = room(out->sizes[i], i == LEAVES_FAULT ? 0xff : 0x5a);
    rows_draw(shape, out->before[LEAVES_X]);
    for (size_t i = 0; i < LEAVES_VIEWS; i++) {
        out->after[i] = room(out->sizes[i], 0);
        memcpy(out->after[i], out->before[i], out->sizes[i]);
    }
    texts_run(out);
}

void leaves_case_views(struct leaves_case *c)
{
    for (size_t i = 0; i < LEAVES_KEY; i++)
        c->first.views[i].buffer = c->buffers[i];
    c->second.views[0].buffer = c->buffers[LEAVES_Q];
    c->second.views[1].buffer = c->buffers[LEAVES_KEY];
    c->second.views[2].buffer = c->buffers[LEAVES_VALUES];
}

void leaves_case_load(struct leaves_case *c, struct device *device)
{
    for (size_t i = 0; i < LEAVES_VIEWS; i++) {
        assert_int_equal(device_buffer_new(device, c->sizes[i], &c->buffers[i]),
                         STATUS_OK);
        assert_int_equal(
            device_write(device, c->buffers[i], 0, c->before[i], c->sizes[i]), STATUS_OK);
    }
    leaves_case_views(c);
}

void leaves_case_expect(struct leaves_case *c, struct device *device)
{
    for (size_t i = 0; i < LEAVES_VIEWS; i++) {
        uint8_t *got = room(c->sizes[i], 0);

        assert_int_equal(device_read(device, c->buffers[i], 0, got, c->sizes[i]),
                         STATUS_OK);
        if (memcmp(got, c->after[i], c->sizes[i]) != 0)
            fail_msg("%u rows of %u in %u limbs: view %u differs", c->shape.rows,
                     c->shape.k, c->shape.limbs, (unsigned)i);
        memory_free(got);
        device_buffer_free(device, c->buffers[i]);
    }
}

void leaves_case_free(struct leaves_case *c)
{
    for (size_t i = 0; i < LEAVES_VIEWS; i++) {
        memory_free(c->before[i]);
        memory_free(c->after[i]);
    }
}
