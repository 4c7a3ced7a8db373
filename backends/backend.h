/*
 * backend.h - what a family of devices must be able to do.
 *
 * A device is opened from its backend, belongs to one thread, and runs what it is given
 * in order. Callers go through device.h, the checked face, never through these slots.
 * Every slot is required; a backend that is absent from this build or machine says why
 * instead.
 *
 * Products are not launches: a backend packs right operands its own way and may fuse
 * noise, fold, tickets and the exact clean product into one pass.  Their definition is
 * the plain composition of the shared text (tests/backends compares): noise_add,
 * matmul_i8, ticket_fold, ticket_hash, lowrank_x, lowrank_y, denoise.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_BACKEND_H
#define MINERVA_BACKENDS_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/device_info.h"
#include "kernels/kernels.h"
#include "kernels/pattern.h"
#include "miner/base/error.h"

enum { BACKEND_ABI = 2 };

struct device; /* a backend's own; begins with struct device_head (device.h) */
struct buffer; /* device memory, a backend's own */
struct packed; /* a right operand in the device's own layout */

struct view {              /* a buffer and an offset in it, in bytes */
    struct buffer *buffer; /* NULL: none wanted */
    uint64_t offset;
};

struct launch { /* one kernel over the half-open range [first, last) */
    enum kernel kernel;
    uint64_t first, last;
    struct view views[KERNEL_VIEWS_MAX];
    union scalar scalars[KERNEL_SCALARS_MAX];
};

struct device_options {
    uint32_t threads;    /* 0: all processors (cpu) */
    const char *variant; /* NULL, or the product's row to use ("portable", "avx2", ...),
                            for tests */
    const char *kernel_cache; /* the folder for compiled kernels; NULL: none are kept */
};

struct noise { /* what both noise factors of one operand are drawn from */
    uint8_t seed[32];
    uint32_t rank;
};

/* A product that is also a lottery.  Seeds as pow.md section 4; patterns as section 3. */
struct mining {
    struct noise a; /* the left operand's; the right one's went into pack() */
    struct noise b; /* must be what b was packed with: its factors denoise */
    const struct pattern *rows, *columns;
    uint8_t bound[32]; /* little-endian, already scaled */
    struct view hits;  /* struct hits, written whole */
    uint32_t hits_max;
    /* NULL, or a count that other threads raise (read with __atomic_load_n): once it is
     * no longer `seen`, a device may leave off a product whose c is not wanted.  Then it
     * answers STALE, and hits hold what was found until then. */
    const uint64_t *count;
    uint64_t seen;
};

struct hit {
    uint32_t row, column; /* the tile's start */
    uint8_t ticket[32];
};
struct hits { /* count may pass hits_max: then the rest was dropped */
    uint32_t count;
    uint32_t reserved;
    struct hit hit[];
};

struct multiply { /* c = a * b, or c = a * b with tickets on the way */
    uint32_t m;
    struct view a;          /* m x k int8, row major, values in [-64, 64] */
    const struct packed *b; /* n, k and whether it is noised are its own; every hit of a
                               noised one counts */
    struct view c; /* m x n int32, exact and clean; none wanted: no product is written */
    const struct mining *mining; /* NULL exactly when b was packed without noise */
};

struct matmul_plan { /* which tile one lane of this device holds */
    struct pattern rows, columns;
};

struct backend {
    uint32_t abi;
    const char *name;   /* the word used in miner.conf */
    const char *absent; /* NULL, or why this build lacks it; then no slot is set */
    /* Up to cap devices into list.  A missing driver is OK with no usable one and a
     * reason. */
    enum status (*probe)(struct device_info *list, size_t cap, size_t *count);
    enum status (*open)(uint32_t index, const struct device_options *options,
                        struct device **out, struct error *err);
    void (*close)(struct device *device);
    enum status (*buffer_new)(struct device *device, size_t size, struct buffer **out);
    void (*buffer_free)(struct device *device, struct buffer *buffer);
    /* write() has read `from` and read() has filled `to` when they return. */
    enum status (*write)(struct device *device, struct buffer *to, size_t offset,
                         const void *from, size_t size);
    enum status (*read)(struct device *device, const struct buffer *from, size_t offset,
                        void *to, size_t size);
    enum status (*launch)(struct device *device, const struct launch *launch);
    /* One after the other, the second reads what the first does; may be one kernel. */
    enum status (*launch_then)(struct device *device, const struct launch *first,
                               const struct launch *second);
    enum status (*finish)(struct device *device); /* all that was queued is done */
    /* Room for a right operand of n x k; filled by pack() as often as wanted. */
    enum status (*packed_new)(struct device *device, uint32_t n, uint32_t k,
                              struct packed **out);
    void (*packed_free)(struct device *device, struct packed *packed);
    /* b: n x k int8 row major (B transposed); noise NULL: clean. */
    enum status (*pack)(struct device *device, struct packed *to, struct view b,
                        const struct noise *noise);
    /* Asked once for the largest shape, before any step: reserves the scratch of
     * multiply(). */
    enum status (*reserve)(struct device *device, uint32_t m, uint32_t n, uint32_t k,
                           uint32_t rank);
    /* What the product needs of its left operand may be made now, while products before
     * it still run; its hits may be cleared.  A multiply() of the same ask that comes
     * next finds it made; anything else that uses its operands makes it forgotten. */
    enum status (*prepare)(struct device *device, const struct multiply *multiply);
    enum status (*multiply)(struct device *device, const struct multiply *multiply);
    /* The tile this device likes for a shape (legal by pow.md section 1), NOT_SUPPORTED
     * if none fits (m too small).  work_max: h * w must stay at or below it. */
    enum status (*plan)(struct device *device, uint32_t m, uint32_t n, uint32_t k,
                        uint32_t work_max, struct matmul_plan *out);
};

#define BACKEND(folder) extern const struct backend backend_##folder;
#include "backends/backends.def"
#undef BACKEND

/* All of backends.def, in its order. */
extern const struct backend *const backend_table[];
extern const size_t backend_count;
const struct backend *backend_find(const char *name); /* NULL: no such word */

#endif
