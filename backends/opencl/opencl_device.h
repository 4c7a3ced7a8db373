/*
 * opencl_device.h - what a device of this backend is made of, for its own files.
 *
 * Scratch is made in reserve(), so that multiply(), pack() and launch() allocate nothing.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_OPENCL_DEVICE_H
#define MINERVA_BACKENDS_OPENCL_DEVICE_H

#include "backends/device.h"
#include "backends/opencl/opencl_call.h"
#include "backends/opencl/opencl_matmul.h"
#include "backends/opencl/opencl_probe.h"

/* The kernels beside those of kernels.def, by their names without "opencl_". */
enum opencl_own {
#define OPENCL_OWN(name) OWN_##name,
#include "backends/opencl/opencl_own.def"
#undef OPENCL_OWN
    OWN_COUNT
};

/* Memory that grows when it is asked for. */
struct opencl_room {
    cl_mem memory;
    uint64_t size; /* bytes */
};

/* The order in which a product takes its lines, kept until another one is wanted. */
struct opencl_order {
    struct opencl_room room; /* u32 [slots] */
    bool is_set, is_plain;   /* plain: slot i is line i */
    bool has_pattern;
    struct pattern pattern;
    uint32_t lines;  /* for so many */
    uint32_t slots;  /* a multiple of the cell's */
    uint32_t tiles;  /* whole tickets, from slot 0 on */
    uint32_t padded; /* slots of one */
    uint32_t group;  /* lines of one ticket in a block */
    uint32_t *host;  /* [host_max] */
    uint32_t host_max;
};

struct opencl_scratch {
    uint32_t m, n, k, rank; /* largest asked for */
    struct opencl_order rows, columns;
    struct opencl_room left;  /* a band of rows in the main loop's layout */
    struct opencl_room right; /* a window of columns in another order */
    struct opencl_room folds;
    struct opencl_room dense, pairs, seed; /* noise of a, and what it is drawn from */
    struct opencl_room sparse_left,
        sparse_right; /* sparse factors of a and of b, whole */
    struct opencl_room left_extra, right_extra;
    struct opencl_room flag; /* u32: a limb did not fit */
};

struct device {
    struct device_head head;
    struct opencl_api api;
    cl_device_id id;
    cl_context context;
    cl_command_queue queue;
    cl_program program;
    const struct opencl_matmul *row;
    bool has_barrier;
    struct opencl_kernel kernels[KERNEL_COUNT];
    struct opencl_kernel own[OWN_COUNT];
    struct opencl_pending pending;
    uint32_t items;     /* of a work group, for kernels that take any range */
    uint32_t items_max; /* of one launch of those */
    struct opencl_scratch scratch;
};

struct buffer {
    struct buffer_head head;
    cl_mem memory;
};

struct packed {
    struct packed_head head;
    uint32_t k_padded;
    cl_mem values;       /* lines n + 1 at least, the last ones zero */
    cl_mem dense, pairs; /* of the noise; made for the first noised pack() */
    uint32_t rank_max;   /* dense has room for */
};

static inline uint32_t opencl_pad(uint32_t value, uint32_t unit)
{
    return (value + unit - 1) / unit * unit;
}

/* size bytes of the device's memory. */
MUST_CHECK enum status opencl_memory_new(struct device *device, uint64_t size,
                                         cl_mem *out);
void opencl_memory_free(struct device *device, cl_mem memory); /* NULL is fine */
/* At least size bytes; what was in it is lost when it has to grow. */
MUST_CHECK enum status opencl_room_grow(struct device *device, struct opencl_room *room,
                                        uint64_t size);

/* opencl_packed.c */
MUST_CHECK enum status opencl_packed_new(struct device *device, uint32_t n, uint32_t k,
                                         struct packed **out);
void opencl_packed_free(struct device *device, struct packed *packed);
MUST_CHECK enum status opencl_pack(struct device *device, struct packed *to,
                                   struct view b, const struct noise *noise);
/* Both factors of one side's noise: dense [lines][rank], pairs [k][2]. */
struct opencl_factors {
    uint32_t side, lines, k;
    cl_mem dense, pairs;
};
MUST_CHECK enum status opencl_factors_make(struct device *device,
                                           const struct noise *noise,
                                           const struct opencl_factors *factors);

/* opencl_scratch.c */
MUST_CHECK enum status opencl_reserve(struct device *device, uint32_t m, uint32_t n,
                                      uint32_t k, uint32_t rank);
void opencl_scratch_free(struct device *device);
/* Slots of a that are packed at a time. */
uint32_t opencl_band_slots(const struct device *device, uint32_t k_padded);

/* opencl_product.c */
MUST_CHECK enum status opencl_multiply(struct device *device,
                                       const struct multiply *multiply);

#endif
