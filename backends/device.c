/*
 * device.c - the checked face of a device.
 *
 * What a caller may get wrong with sizes that came from outside is refused with a status;
 * what only a mistake in this program can cause is asserted.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/device.h"

#include <assert.h>
#include <string.h>

enum {
    NOISE_K_UNIT = 64, /* pow.md section 1 */
    RANK_MIN = 32,
    RANK_MAX = 1024,
    TILE_MIN = 32,
    TILE_MAX = 256,
    K_MAX = 1 << 17, /* 2^17 products of int8 fit an int32 */
    LINES_MAX = 1 << 24,
};

static struct device_head *head(struct device *device)
{
    return (struct device_head *)device;
}

static const struct backend *backend_of(const struct device *device)
{
    return ((const struct device_head *)device)->backend;
}

static struct buffer_head *buffer_head(struct buffer *buffer)
{
    return (struct buffer_head *)buffer;
}

static struct packed_head *packed_head(struct packed *packed)
{
    return (struct packed_head *)packed;
}

/* Counts a call against an injected fault; every call that could fail on a device starts
 * here. */
static enum status device_enter(struct device *device)
{
    assert(device);
    if (head(device)->fail_at && !--head(device)->fail_at)
        return STATUS_DEVICE_LOST;
    return STATUS_OK;
}

static bool range_fits(uint64_t offset, uint64_t size, uint64_t all)
{
    return offset <= all && size <= all - offset;
}

/* Whether size bytes from the view on exist on this device. */
static bool view_holds(const struct device *device, struct view view, uint64_t size)
{
    const struct buffer_head *buffer = (const struct buffer_head *)view.buffer;

    return buffer && buffer->device == device &&
           range_fits(view.offset, size, buffer->size);
}

enum status device_open(const struct backend *backend, uint32_t index,
                        const struct device_options *options, struct device **out,
                        struct error *err)
{
    enum status status;

    assert(backend);
    assert(out);
    if (backend->absent)
        return error_set(err, STATUS_ABSENT, "%s: %s", backend->name, backend->absent);
    if (backend->abi != BACKEND_ABI)
        return error_set(err, STATUS_ABSENT,
                         "%s: speaks version %u of the contract, expected %u",
                         backend->name, backend->abi, (unsigned)BACKEND_ABI);
    status = backend->open(index, options, out, err);
    if (status)
        return status;
    head(*out)->backend = backend;
    head(*out)->index = index;
    return STATUS_OK;
}

void device_close(struct device *device)
{
    if (!device)
        return;
    assert(head(device)->counters.bytes_held == 0);
    backend_of(device)->close(device);
}

const struct device_info *device_info(const struct device *device)
{
    return &((const struct device_head *)device)->info;
}

const struct device_counters *device_counters(const struct device *device)
{
    return &((const struct device_head *)device)->counters;
}

void device_fail_at(struct device *device, uint64_t n)
{
    head(device)->fail_at = n;
}

void device_bytes_max(struct device *device, uint64_t bytes)
{
    head(device)->bytes_max = bytes;
}

/* NO_MEMORY beyond an injected limit. */
static enum status room_check(const struct device *device, uint64_t size)
{
    const struct device_head *of = (const struct device_head *)device;

    return of->bytes_max && size > of->bytes_max - of->counters.bytes_held
               ? STATUS_NO_MEMORY
               : STATUS_OK;
}

/* Remembers what there was no room for, for the sentence that a person reads. */
static enum status room_refused(struct device *device, enum status status, uint64_t size)
{
    struct device_counters *counters = &head(device)->counters;

    if (status == STATUS_NO_MEMORY)
        counters->refused = (struct device_refusal){counters->refused.count + 1, size,
                                                    counters->bytes_held};
    return status;
}

enum status device_buffer_new(struct device *device, size_t size, struct buffer **out)
{
    enum status status = device_enter(device);

    if (status)
        return status;
    status = room_check(device, size);
    if (!status)
        status = backend_of(device)->buffer_new(device, size, out);
    if (status)
        return room_refused(device, status, size);
    buffer_head(*out)->device = device;
    buffer_head(*out)->size = size;
    head(device)->counters.bytes_held += size;
    return STATUS_OK;
}

void device_buffer_free(struct device *device, struct buffer *buffer)
{
    if (!buffer)
        return;
    assert(buffer_head(buffer)->device == device);
    head(device)->counters.bytes_held -= buffer_head(buffer)->size;
    backend_of(device)->buffer_free(device, buffer);
}

size_t device_buffer_size(const struct buffer *buffer)
{
    return ((const struct buffer_head *)buffer)->size;
}

enum status device_write(struct device *device, struct buffer *to, size_t offset,
                         const void *from, size_t size)
{
    enum status status = device_enter(device);

    if (status)
        return status;
    if (!view_holds(device, (struct view){to, offset}, size))
        return STATUS_BAD_DATA;
    return size ? backend_of(device)->write(device, to, offset, from, size) : STATUS_OK;
}

enum status device_read(struct device *device, const struct buffer *from, size_t offset,
                        void *to, size_t size)
{
    const struct buffer_head *buffer = (const struct buffer_head *)from;
    enum status status = device_enter(device);

    if (status)
        return status;
    if (buffer->device != device || !range_fits(offset, size, buffer->size))
        return STATUS_BAD_DATA;
    return size ? backend_of(device)->read(device, from, offset, to, size) : STATUS_OK;
}

static enum status launch_check(const struct device *device, const struct launch *launch)
{
    assert((unsigned)launch->kernel < KERNEL_COUNT);
    assert(launch->first <= launch->last);
    for (uint32_t i = 0; i < kernel_table[launch->kernel].views; i++)
        if (launch->views[i].buffer && !view_holds(device, launch->views[i], 0))
            return STATUS_BAD_DATA;
    return STATUS_OK;
}

enum status device_launch(struct device *device, const struct launch *launch)
{
    enum status status = device_enter(device);

    if (!status)
        status = launch_check(device, launch);
    if (status || launch->first == launch->last)
        return status;
    head(device)->counters.launches++;
    return backend_of(device)->launch(device, launch);
}

enum status device_launch_then(struct device *device, const struct launch *first,
                               const struct launch *second)
{
    enum status status;

    if (first->first == first->last)
        return device_launch(device, second);
    if (second->first == second->last)
        return device_launch(device, first);
    status = device_enter(device);
    if (!status)
        status = launch_check(device, first);
    if (!status)
        status = launch_check(device, second);
    if (status)
        return status;
    head(device)->counters.launches += 2;
    return backend_of(device)->launch_then(device, first, second);
}

enum status device_finish(struct device *device)
{
    enum status status = device_enter(device);

    return status ? status : backend_of(device)->finish(device);
}

static bool shape_holds(uint32_t n, uint32_t k)
{
    return n && k && n <= LINES_MAX && k <= K_MAX;
}

enum status device_packed_new(struct device *device, uint32_t n, uint32_t k,
                              struct packed **out)
{
    enum status status = device_enter(device);

    if (status)
        return status;
    if (!shape_holds(n, k))
        return STATUS_NOT_SUPPORTED;
    status = room_check(device, (uint64_t)n * k);
    if (!status)
        status = backend_of(device)->packed_new(device, n, k, out);
    if (status)
        return room_refused(device, status, (uint64_t)n * k);
    packed_head(*out)->device = device;
    packed_head(*out)->n = n;
    packed_head(*out)->k = k;
    head(device)->counters.bytes_held += (uint64_t)n * k;
    return STATUS_OK;
}

void device_packed_free(struct device *device, struct packed *packed)
{
    if (!packed)
        return;
    assert(packed_head(packed)->device == device);
    head(device)->counters.bytes_held -=
        (uint64_t)packed_head(packed)->n * packed_head(packed)->k;
    backend_of(device)->packed_free(device, packed);
}

/* A rank the scheme allows for this k: then every backend has room for it. */
static bool rank_suits(uint64_t rank, uint64_t k)
{
    return rank >= RANK_MIN && rank <= RANK_MAX && !(rank & (rank - 1)) &&
           k % NOISE_K_UNIT == 0 && 16 * rank <= k && k <= 4 * rank * rank;
}

enum status device_pack(struct device *device, struct packed *to, struct view b,
                        const struct noise *noise)
{
    struct packed_head *packed = packed_head(to);
    enum status status = device_enter(device);

    if (status)
        return status;
    assert(packed->device == device);
    if (!view_holds(device, b, (uint64_t)packed->n * packed->k))
        return STATUS_BAD_DATA;
    if (noise && !rank_suits(noise->rank, packed->k))
        return STATUS_NOT_SUPPORTED;
    packed->is_packed = false;
    status = backend_of(device)->pack(device, to, b, noise);
    if (status)
        return status;
    packed->is_packed = true;
    packed->is_noised = noise != NULL;
    packed->noise = noise ? *noise : (struct noise){.rank = 0};
    return STATUS_OK;
}

enum status device_reserve(struct device *device, uint32_t m, uint32_t n, uint32_t k,
                           uint32_t rank)
{
    enum status status = device_enter(device);

    if (status)
        return status;
    if (m > LINES_MAX || n > LINES_MAX || k > K_MAX || rank > RANK_MAX)
        return STATUS_NOT_SUPPORTED;
    return room_refused(device, backend_of(device)->reserve(device, m, n, k, rank),
                        ((uint64_t)m + n) * k); /* its scratch is of that order */
}

static bool noise_equals(const struct noise *a, const struct noise *b)
{
    return a->rank == b->rank && memcmp(a->seed, b->seed, sizeof a->seed) == 0;
}

static enum status mining_check(const struct device *device, const struct mining *mining,
                                const struct packed_head *b)
{
    const uint64_t hits =
        sizeof(struct hits) + (uint64_t)mining->hits_max * sizeof(struct hit);
    const uint32_t h = mining->rows->count, w = mining->columns->count;

    if (!noise_equals(&mining->b, &b->noise) || mining->a.rank != mining->b.rank)
        return STATUS_BAD_DATA;
    if (h % 2 || w % 2 || h * w < TILE_MIN || h * w > TILE_MAX)
        return STATUS_NOT_SUPPORTED;
    return view_holds(device, mining->hits, hits) ? STATUS_OK : STATUS_BAD_DATA;
}

static enum status multiply_check(const struct device *device,
                                  const struct multiply *multiply)
{
    const struct packed_head *b = (const struct packed_head *)multiply->b;
    const uint64_t m = multiply->m;

    assert(b->device == device);
    if (!b->is_packed || b->is_noised != (multiply->mining != NULL))
        return STATUS_BAD_DATA;
    if (m > LINES_MAX || !view_holds(device, multiply->a, m * b->k))
        return STATUS_BAD_DATA;
    if (multiply->c.buffer &&
        (multiply->c.offset % sizeof(int32_t) ||
         !view_holds(device, multiply->c, m * b->n * sizeof(int32_t))))
        return STATUS_BAD_DATA;
    return multiply->mining ? mining_check(device, multiply->mining, b) : STATUS_OK;
}

enum status device_prepare(struct device *device, const struct multiply *multiply)
{
    enum status status = device_enter(device);

    if (!status)
        status = multiply_check(device, multiply);
    return status ? status : backend_of(device)->prepare(device, multiply);
}

enum status device_multiply(struct device *device, const struct multiply *multiply)
{
    const struct packed_head *b = (const struct packed_head *)multiply->b;
    enum status status = device_enter(device);

    if (!status)
        status = multiply_check(device, multiply);
    if (status)
        return status;
    head(device)->counters.multiplies++;
    head(device)->counters.macs += (uint64_t)multiply->m * b->n * b->k;
    return backend_of(device)->multiply(device, multiply);
}

enum status device_plan(struct device *device, uint32_t m, uint32_t n, uint32_t k,
                        uint32_t work_max, struct matmul_plan *out)
{
    enum status status = device_enter(device);

    return status ? status : backend_of(device)->plan(device, m, n, k, work_max, out);
}
