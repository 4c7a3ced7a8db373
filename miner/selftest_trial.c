/*
 * selftest_trial.c - device calls whose first failure sticks.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/selftest_trial.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/memory.h"

void trial_fail(struct trial *trial, enum status status, const char *format, ...)
{
    va_list list;

    if (trial->status)
        return;
    trial->status = trial->err.status = status;
    va_start(list, format);
    vsnprintf(trial->err.text, sizeof(trial->err.text), format, list);
    va_end(list);
}

static void check(struct trial *trial, enum status status, const char *what)
{
    if (status)
        trial_fail(trial, status, "%s: %s", what, status_text(status));
}

void trial_end(struct trial *trial)
{
    for (size_t i = 0; i < trial->buffer_count; i++)
        device_buffer_free(trial->device, trial->buffers[i]);
    for (size_t i = 0; i < trial->block_count; i++)
        memory_free(trial->blocks[i]);
    trial->buffer_count = trial->block_count = 0;
}

const struct vector_member *trial_maybe(struct trial *trial, const char *name)
{
    return vector_case_find(trial->given, name, VECTOR_TENSOR);
}

struct vector_member trial_tensor(struct trial *trial, const char *name)
{
    const struct vector_member *member = trial_maybe(trial, name);

    if (member)
        return *member;
    trial_fail(trial, STATUS_BAD_DATA, "the case has no tensor \"%s\"", name);
    return (struct vector_member){.rows = 1, .columns = 1};
}

uint64_t trial_number(struct trial *trial, const char *name, uint64_t max)
{
    const struct vector_member *member =
        vector_case_find(trial->given, name, VECTOR_NUMBER);

    if (member && member->number <= max)
        return member->number;
    trial_fail(trial, STATUS_BAD_DATA, "the case has no number \"%s\" up to %llu", name,
               (unsigned long long)max);
    return 0;
}

void trial_hex(struct trial *trial, const char *name, uint8_t *out, size_t count)
{
    const struct vector_member *member =
        vector_case_find(trial->given, name, VECTOR_TEXT);

    memset(out, 0, count);
    if (!member || !hex_decode((const char *)member->data.data, out, count))
        trial_fail(trial, STATUS_BAD_DATA, "\"%s\" is not %zu hex digits", name,
                   2 * count);
}

void *trial_block(struct trial *trial, size_t size)
{
    void *block = trial->status ? NULL : memory_array(size, 1);

    assert(trial->block_count < TRIAL_BUFFERS_MAX);
    if (!block) {
        trial_fail(trial, STATUS_NO_MEMORY, "out of memory");
        return NULL;
    }
    return trial->blocks[trial->block_count++] = block;
}

struct view trial_room(struct trial *trial, size_t size)
{
    struct buffer *buffer = NULL;

    assert(trial->buffer_count < TRIAL_BUFFERS_MAX);
    if (trial->status)
        return (struct view){0};
    check(trial, device_buffer_new(trial->device, size, &buffer), "a buffer");
    if (trial->status)
        return (struct view){0};
    trial->buffers[trial->buffer_count++] = buffer;
    return (struct view){.buffer = buffer};
}

struct view trial_put(struct trial *trial, const void *data, size_t size)
{
    const struct view view = trial_room(trial, size);

    if (!trial->status)
        check(trial, device_write(trial->device, view.buffer, 0, data, size), "a write");
    return view;
}

void trial_get(struct trial *trial, struct view from, void *out, size_t size)
{
    if (!trial->status)
        check(trial, device_read(trial->device, from.buffer, from.offset, out, size),
              "a read");
}

void trial_launch(struct trial *trial, enum kernel kernel, uint64_t count,
                  const struct view *views, const union scalar *scalars)
{
    struct launch launch = {.kernel = kernel, .last = count};

    if (trial->status)
        return;
    memcpy(launch.views, views, sizeof(launch.views));
    memcpy(launch.scalars, scalars, sizeof(launch.scalars));
    check(trial, device_launch(trial->device, &launch), kernel_table[kernel].name);
}

void trial_launch_then(struct trial *trial, const struct launch *first,
                       const struct launch *second)
{
    if (!trial->status)
        check(trial, device_launch_then(trial->device, first, second),
              kernel_table[second->kernel].name);
}

void trial_expect_host(struct trial *trial, const char *what, const void *got,
                       const void *want, size_t size)
{
    const uint8_t *a = got, *b = want;
    size_t first = 0;

    if (trial->status)
        return;
    while (first < size && a[first] == b[first])
        first++;
    if (first < size)
        trial_fail(trial, STATUS_MISMATCH,
                   "%s differs at byte %zu of %zu: %02x, expected %02x", what, first,
                   size, a[first], b[first]);
}

void trial_expect(struct trial *trial, const char *what, struct view from,
                  const void *want, size_t size)
{
    void *got = trial_block(trial, size);

    trial_get(trial, from, got, size);
    if (!trial->status)
        trial_expect_host(trial, what, got, want, size);
}
