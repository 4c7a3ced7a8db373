/*
 * cuda_device.h - what a device of this backend is made of, for its own files.
 *
 * Two streams: `order` carries everything in the order in which it was asked for, but
 * products, which run on `work` beside it.  A product's operands are prepared on `order`
 * into one of two sets of scratch, at the latest when it is asked for; what it still
 * reads or writes is remembered until it is waited for (cuda_touch), so that the next
 * operand may be prepared while it runs and nobody sees the difference.  Scratch grows in
 * reserve() and never shrinks: pack(), launch() and multiply() allocate nothing.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_DEVICE_H
#define MINERVA_BACKENDS_CUDA_DEVICE_H

#include "backends/cuda/cuda_driver.h"
#include "backends/cuda/cuda_matmul.h"
#include "backends/device.h"

enum {
    CUDA_SENTENCE_MAX = 128,
    CUDA_MODULES_MAX = 64,
    CUDA_ROWS_MAX = 16,
    CUDA_TUNED_MAX = 64,
    CUDA_JOINT_MAX = 16,
    CUDA_STAGING_SIZE = 4 << 20, /* each half */
    CUDA_CAPABILITY_MIN = 75,
    RANK_PART = 16, /* a rank is at most k / 16 (pow.md section 1) */
};

enum cuda_support { /* entry points of cuda_support.cu */
                    CUDA_ROWS_PAD,
                    CUDA_HITS_TAKE,
                    CUDA_HITS_ORDER,
                    CUDA_SUPPORT_COUNT
};

struct cuda_room { /* device memory that grows */
    uint64_t address;
    size_t size;
};

struct cuda_event_pair {
    struct cuda_event *event;
    bool is_set; /* recorded, and not waited for by the host */
};

/* Tile indices of one side, kept while pattern and size stay. */
struct cuda_indices {
    struct cuda_room room;
    uint8_t pattern[PATTERN_BYTES];
    uint32_t size, tiles;
    bool is_set;
};

/* What one product works in. */
struct cuda_set {
    struct cuda_room left;  /* int8 [m][stride]: noised, or with longer rows */
    struct cuda_room dense; /* int8 [m][rank] of a's noise */
    struct cuda_room pairs; /* u16 [k][2] */
    struct cuda_room x, y;  /* int32 [m][rank], [n][rank] */
    struct cuda_room extra; /* whatever a way to multiply asks for */
    struct cuda_indices rows, columns;
    uint64_t seed;                   /* 32 bytes */
    struct cuda_event *prepared;     /* on `order` */
    struct cuda_event_pair done;     /* on `work`, when the product is */
    const struct buffer *buffers[3]; /* it reads or writes */
    const struct packed *packed;
};

/* What was prepared, in the next set, for a product that has not been asked for yet. */
struct cuda_ahead {
    bool is_set;
    struct multiply ask; /* what it points to: here */
    struct mining mining;
    struct pattern rows, columns;
    struct cuda_run run;
};

struct cuda_sizes {
    uint32_t m, n, k, rank;
};

struct cuda_half { /* of the pinned memory that data passes through */
    uint8_t *data;
    struct cuda_event_pair used;
};

struct device {
    struct device_head head;
    struct cuda_driver driver;
    struct cuda_traits traits;
    int number;       /* the driver's */
    bool is_retained; /* context is ours to release */
    bool is_lost;     /* said once; every call answers so from then on */
    struct cuda_context *context;
    struct cuda_module *modules[CUDA_MODULES_MAX];
    struct cuda_function *texts[KERNEL_COUNT];
    struct cuda_function *tuned[CUDA_TUNED_MAX];
    struct cuda_function *joint[CUDA_JOINT_MAX];
    struct cuda_function *products[CUDA_ROWS_MAX][CUDA_MODES];
    struct cuda_function *prepares[CUDA_ROWS_MAX];
    struct cuda_function *support[CUDA_SUPPORT_COUNT];
    struct cuda_stream *order, *work;
    struct cuda_half halves[2];
    uint32_t half; /* used next */
    struct cuda_set sets[2];
    uint32_t set_count, set; /* used next */
    struct cuda_ahead ahead;
    struct cuda_event_pair slices[2];
    double part_ns[CUDA_ROWS_MAX][CUDA_MODES]; /* by column of k, as last measured */
    struct cuda_sizes sizes;                   /* largest asked for */
    bool is_proven[CUDA_ROWS_MAX];  /* on trial, and seen to be right and fast here */
    const struct cuda_matmul *only; /* NULL, or the one row to try before the plain one */
};

struct buffer {
    struct buffer_head head;
    uint64_t address;
};

struct packed {
    struct packed_head head;
    uint32_t stride;
    uint64_t values; /* int8 [n padded][stride]; zeros beyond n and k */
    uint64_t dense;  /* int8 [n][rank] of the noise */
    uint64_t pairs;  /* u16 [k][2] */
    uint64_t seed;
};

/* Without a buffer the offset is the address: of scratch, and packed operands. */
static inline uint64_t cuda_view(struct view view)
{
    return (view.buffer ? view.buffer->address : 0) + view.offset;
}

static inline void *cuda_pointer(uint64_t address)
{
    return (void *)(uintptr_t)address;
}

static inline uint64_t cuda_pad(uint64_t value, uint32_t unit)
{
    return (value + unit - 1) / unit * unit;
}

#endif
