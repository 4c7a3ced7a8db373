/*
 * device.h - the checked face of a device: asserts, bounds, counters and injected faults
 * live here once for all backends.
 *
 * A device belongs to one thread.  All functions of that thread only.  Sizes in bytes.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_DEVICE_H
#define MINERVA_BACKENDS_DEVICE_H

#include "backends/backend.h"

struct device_counters {
    uint64_t launches, multiplies, macs; /* m * n * k of all products */
    uint64_t bytes_held;                 /* buffers and packed operands */
    struct device_refusal {              /* the last time there was no room */
        uint64_t count;                  /* how often so far */
        uint64_t size;                   /* what it was wanted for */
        uint64_t held;                   /* bytes_held then */
    } refused;
};

/* Every backend's struct device begins with this; every struct buffer with buffer_head.
 */
struct device_head {
    const struct backend *backend;
    uint32_t index;
    struct device_info info;
    struct device_counters counters;
    uint64_t fail_at;   /* tests: the n-th call from now answers DEVICE_LOST; 0 never */
    uint64_t bytes_max; /* tests: more than that is refused; 0: no such limit */
};
struct buffer_head {
    struct device *device;
    size_t size;
};
struct packed_head {
    struct device *device;
    uint32_t n, k;
    bool is_packed, is_noised;
    struct noise noise; /* valid when noised */
};

static inline bool view_is_same(struct view a, struct view b)
{
    return a.buffer == b.buffer && a.offset == b.offset;
}

MUST_CHECK enum status device_open(const struct backend *backend, uint32_t index,
                                   const struct device_options *options,
                                   struct device **out, struct error *err);
void device_close(struct device *device); /* everything made from it must be freed before;
                                             NULL is fine */
const struct device_info *device_info(const struct device *device);
const struct device_counters *device_counters(const struct device *device);
void device_fail_at(struct device *device, uint64_t n);
void device_bytes_max(struct device *device, uint64_t bytes);

MUST_CHECK enum status device_buffer_new(struct device *device, size_t size,
                                         struct buffer **out);
void device_buffer_free(struct device *device, struct buffer *buffer);
size_t device_buffer_size(const struct buffer *buffer);
/* BAD_DATA outside the buffer's bounds. */
MUST_CHECK enum status device_write(struct device *device, struct buffer *to,
                                    size_t offset, const void *from, size_t size);
MUST_CHECK enum status device_read(struct device *device, const struct buffer *from,
                                   size_t offset, void *to, size_t size);
MUST_CHECK enum status device_launch(struct device *device, const struct launch *launch);
/* One after the other, which a device may do in one: the second reads what the first
 * writes, or reads too.  Counts as two launches. */
MUST_CHECK enum status device_launch_then(struct device *device,
                                          const struct launch *first,
                                          const struct launch *second);
MUST_CHECK enum status device_finish(struct device *device);
MUST_CHECK enum status device_packed_new(struct device *device, uint32_t n, uint32_t k,
                                         struct packed **out);
void device_packed_free(struct device *device, struct packed *packed);
MUST_CHECK enum status device_pack(struct device *device, struct packed *to,
                                   struct view b, const struct noise *noise);
MUST_CHECK enum status device_reserve(struct device *device, uint32_t m, uint32_t n,
                                      uint32_t k, uint32_t rank);
MUST_CHECK enum status device_prepare(struct device *device,
                                      const struct multiply *multiply);
MUST_CHECK enum status device_multiply(struct device *device,
                                       const struct multiply *multiply);
MUST_CHECK enum status device_plan(struct device *device, uint32_t m, uint32_t n,
                                   uint32_t k, uint32_t work_max,
                                   struct matmul_plan *out);

#endif
