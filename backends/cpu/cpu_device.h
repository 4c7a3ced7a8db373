/*
 * cpu_device.h - what a device of this backend is made of, for its own files.
 *
 * Scratch grows in reserve() and packed_new() and never shrinks, so that multiply(),
 * pack() and launch() allocate nothing.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CPU_DEVICE_H
#define MINERVA_BACKENDS_CPU_DEVICE_H

#include "backends/cpu/cpu_matmul.h"
#include "backends/cpu/cpu_threads.h"
#include "backends/device.h"

/* Memory that grows when it is asked for and is used as whatever it holds. */
struct cpu_room {
    void *data;
    size_t size; /* bytes */
};

/* What one thread works in. */
struct cpu_desk {
    struct cpu_room
        lines; /* int8 [33][k_padded]: noised or made whole; the last one stays zero */
    struct cpu_room clean; /* the same before the noise, where both are needed */
    struct cpu_room panel; /* one right panel: clean rows packed for the gather */
    struct cpu_room sums;  /* int32 [rank][32] */
    struct cpu_room folds; /* u32 [slices][4][32] */
    struct cpu_room
        strips;        /* u32: folds of many blocks, for patterns that cross blocks */
    struct cpu_room c; /* int32 [9][32]: a ragged block, and a row nobody reads */
};

struct cpu_scratch {
    uint32_t m, n, k, rank;      /* largest asked for */
    struct cpu_desk *desks;      /* [threads] */
    struct cpu_room order;       /* u32 [panels][8]: rows of a as they lie in panels */
    struct cpu_room left;        /* packed panels of one wave of rows */
    struct cpu_room left_extra;  /* int16, the correction's columns of that wave */
    struct cpu_room right_extra; /* int16, and of all right panels */
    struct cpu_room dense;       /* int8 [m][rank] of a's noise */
    struct cpu_room pairs;       /* u16 [k][2] of a's noise */
};

struct device {
    struct device_head head;
    const struct cpu_matmul *row;
    struct cpu_threads *threads;
    kernel_function *kernels[KERNEL_COUNT];
    struct cpu_scratch scratch;
};

struct buffer {
    struct buffer_head head;
    uint8_t *data;
};

struct packed {
    struct packed_head head;
    uint32_t k_padded, panels;
    uint32_t slice, slices, tail; /* of the last pack() */
    uint8_t *values;              /* [panels], each 32 * k_padded * unit bytes */
    int32_t *corrections;         /* [panels][slices + 1][32] */
    int8_t *dense;                /* [n][rank] of the noise */
    uint16_t *pairs;              /* [k][2] of the noise */
};

static inline void *cpu_view(struct view view)
{
    return view.buffer ? view.buffer->data + view.offset : NULL;
}

static inline uint32_t cpu_pad(uint32_t value, uint32_t unit)
{
    return (value + unit - 1) / unit * unit;
}

/* Both factors of one side's noise; on all threads. */
struct cpu_factors {
    uint32_t side;  /* 0: a, 1: b */
    uint32_t lines; /* rows of a, columns of b */
    uint32_t k;
    int8_t *dense;   /* [lines][rank] */
    uint16_t *pairs; /* [k][2] */
};
void cpu_factors_make(struct device *device, const struct noise *noise,
                      const struct cpu_factors *factors);

/* cpu_packed.c */
MUST_CHECK enum status cpu_packed_new(struct device *device, uint32_t n, uint32_t k,
                                      struct packed **out);
void cpu_packed_free(struct device *device, struct packed *packed);
MUST_CHECK enum status cpu_pack(struct device *device, struct packed *to, struct view b,
                                const struct noise *noise);

/* cpu_scratch.c: room for products up to these sizes, and all asked for before; rank 0:
 * without tickets. */
MUST_CHECK enum status cpu_reserve(struct device *device, uint32_t m, uint32_t n,
                                   uint32_t k, uint32_t rank);
void cpu_scratch_free(struct cpu_scratch *scratch, uint32_t threads);
/* Panels of rows that are packed at a time. */
uint32_t cpu_wave_panels(const struct cpu_matmul *row, uint32_t m, uint32_t k);
/* Slices at most for this k and smaller ones, by the smallest ranks allowed (k <= 4 r r).
 */
uint32_t cpu_slices_max(uint32_t k);

/* cpu_product.c */
MUST_CHECK enum status cpu_multiply(struct device *device,
                                    const struct multiply *multiply);

#endif
