/*
 * selftest_trial.h - one worked case on a device: its buffers, its launches, its verdict.
 *
 * The first thing that goes wrong is kept and everything after it does nothing, so that a
 * case reads as straight arithmetic.  Belongs to the device's thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_SELFTEST_TRIAL_H
#define MINERVA_MINER_SELFTEST_TRIAL_H

#include "backends/device.h"
#include "miner/vectors_json.h"

enum { TRIAL_BUFFERS_MAX = 48 };

struct trial {
    struct device *device;
    const struct vector_case *given;
    enum status status; /* MISMATCH: not the known answer */
    struct error err;
    size_t buffer_count, block_count;
    struct buffer *buffers[TRIAL_BUFFERS_MAX];
    void *blocks[TRIAL_BUFFERS_MAX]; /* host memory */
};

void trial_end(struct trial *trial); /* frees buffers and blocks */
/* Keeps the first failure. */
void trial_fail(struct trial *trial, enum status status, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Members of the case; a missing one fails the trial and gives an empty one. */
struct vector_member trial_tensor(struct trial *trial, const char *name);
const struct vector_member *trial_maybe(struct trial *trial,
                                        const char *name); /* or NULL */
uint64_t trial_number(struct trial *trial, const char *name, uint64_t max);
/* count bytes of hex text into out. */
void trial_hex(struct trial *trial, const char *name, uint8_t *out, size_t count);

void *trial_block(struct trial *trial, size_t size);      /* zeroed host memory */
struct view trial_room(struct trial *trial, size_t size); /* device memory */
struct view trial_put(struct trial *trial, const void *data, size_t size);
void trial_get(struct trial *trial, struct view from, void *out, size_t size);
/* One kernel over [0, count); views end with a zeroed one where there are fewer than all.
 */
void trial_launch(struct trial *trial, enum kernel kernel, uint64_t count,
                  const struct view *views, const union scalar *scalars);
/* Two of them, the second of which reads what the first writes. */
void trial_launch_then(struct trial *trial, const struct launch *first,
                       const struct launch *second);
/* What lies at `from` must be these bytes. */
void trial_expect(struct trial *trial, const char *what, struct view from,
                  const void *want, size_t size);
void trial_expect_host(struct trial *trial, const char *what, const void *got,
                       const void *want, size_t size);

#define VIEWS(...)   ((const struct view[KERNEL_VIEWS_MAX]){__VA_ARGS__})
#define SCALARS(...) ((const union scalar[KERNEL_SCALARS_MAX]){__VA_ARGS__})

#endif
