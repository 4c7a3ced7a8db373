/*
 * cuda_matmul.h - the ways this backend multiplies, one row of cuda_matmul.def each, and
 * the tuned kernels that replace texts, one row of cuda_tuned.def each, or of
 * cuda_joint.def where one replaces two.
 *
 * The first row that this card can run, that was built and that suits the product is
 * taken; the last one is the plain composition of the texts and suits everything.  All
 * rows give the same bits.  No state.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_MATMUL_H
#define MINERVA_BACKENDS_CUDA_MATMUL_H

#include <stdbool.h>

#include "backends/backend.h"
#include "backends/cuda/cuda_product.h"

struct cuda_function;

enum cuda_mode {
    CUDA_CLEAN,  /* c of operands without noise */
    CUDA_MINED,  /* tickets alone */
    CUDA_USEFUL, /* tickets, and c */
    CUDA_MODES
};

/* What rows are chosen and kernels are shaped by. */
struct cuda_traits {
    uint32_t capability; /* 10 * major + minor */
    uint32_t processors; /* streaming multiprocessors */
    uint32_t shared_max; /* bytes of shared memory a block may ask for */
};

/* How a kernel is launched. */
struct cuda_grid {
    uint64_t parts;      /* of all the work */
    uint32_t blocks_max; /* 0: a block a part; otherwise a block takes part after part */
    uint32_t threads;    /* of a block */
    uint32_t shared;     /* bytes of shared memory */
    uint32_t cluster;    /* blocks in a cluster, which then takes the part; 0: none */
    /* Where map_bytes is set, two tensor maps follow the struct as arguments: of a, then
     * b, int8, boxes of so many rows by map_bytes columns in the 128-byte swizzle. */
    uint32_t map_rows_a, map_rows_b, map_bytes;
    /* Where set, two more: of lines of so many bytes at scratch + extra_at, m of a's and
     * behind them those of b's, in the same boxes. */
    uint32_t extra_bytes, extra_at;
    /* Of a text's last view, of the second one's where there are two: zeros before. */
    uint64_t cleared_at, cleared_bytes;
};

/* A product before its operands exist; patterns NULL without tickets. */
struct cuda_ask {
    enum cuda_mode mode;
    uint32_t m, n, k, rank;
    const struct pattern *rows, *columns;
};

/* One range of one product on its way to the card. */
struct cuda_run {
    size_t row; /* of cuda_matmul.def */
    enum cuda_mode mode;
    const struct cuda_grid *grid;
    struct cuda_product product; /* with its range of parts */
};

struct cuda_matmul {
    const char *name; /* also the variant that device_options may name */
    /* Compute capabilities it runs on, as 80 for 8.0; max 0: every later one. */
    uint32_t capability_min, capability_max;
    uint32_t capability_gap[2]; /* but for these, first and last; {0}: none */
    /* Entry points `extern "C" __global__ void entry(struct cuda_product)` by mode; NULL:
     * this row does not do that.  One that is in none of the embedded files (this build's
     * nvcc could not compile it) leaves the row out for that mode. */
    const char *entries[CUDA_MODES];
    bool is_trial; /* only when it is named, or was seen to be right on the card (ways.h)
                    */
    bool (*suits)(const struct cuda_traits *traits, const struct cuda_ask *ask);
    void (*grid)(const struct cuda_traits *traits, enum cuda_mode mode,
                 const struct cuda_product *product, struct cuda_grid *out);
    /* Launched once over all its parts before the first range of a useful product, with
     * the same struct: it may fill scratch.  NULL: none. */
    const char *prepare;
    void (*prepare_grid)(const struct cuda_traits *traits,
                         const struct cuda_product *product, struct cuda_grid *out);
    /* Bytes of scratch for products up to these sizes; rank 0: without tickets. */
    uint64_t (*scratch)(uint32_t m, uint32_t n, uint32_t k, uint32_t rank);
    /* Queues a range: cuda_matmul_launch, unless it takes more than one kernel. */
    enum status (*run)(struct device *device, const struct cuda_run *run);
    /* The tile that one lane holds (see backend.h); false: none fits. */
    bool (*plan)(uint32_t m, uint32_t n, uint32_t k, uint32_t work_max,
                 struct matmul_plan *out);
};

/* Launches the entry of the run's mode with the product as its only argument, maps
 * behind it where the grid asks for them. */
enum status cuda_matmul_launch(struct device *device, const struct cuda_run *run);
/* The same with another entry point that takes what the row's own does. */
enum status cuda_matmul_launch_entry(struct device *device, const struct cuda_run *run,
                                     struct cuda_function *entry);

#define CUDA_MATMUL(row) extern const struct cuda_matmul cuda_matmul_##row;
#include "backends/cuda/cuda_matmul.def"
#undef CUDA_MATMUL

/* A tuned kernel in place of a text: the same arguments, `first, last, views, scalars`.
 * Its part is a block's share of the range; grid() says how, false: does not suit. */
struct cuda_tuned {
    enum kernel kernel;
    const char *entry;
    uint32_t capability_min;
    bool (*grid)(const struct cuda_traits *traits, const struct launch *launch,
                 struct cuda_grid *out);
};

#define CUDA_TUNED(text, entry, capability)                                              \
    bool entry##_grid(const struct cuda_traits *traits, const struct launch *launch,     \
                      struct cuda_grid *out);
#include "backends/cuda/cuda_tuned.def"
#undef CUDA_TUNED

/* One kernel in place of two texts, the second of which reads what the first writes or
 * reads: `first, last, views, scalars` of both.  grid() says how; false: they do not
 * suit. */
struct cuda_joint {
    enum kernel first, second;
    const char *entry;
    uint32_t capability_min;
    bool (*grid)(const struct cuda_traits *traits, const struct launch *first,
                 const struct launch *second, struct cuda_grid *out);
};

#define CUDA_JOINT(one, other, entry, capability)                                        \
    bool entry##_grid(const struct cuda_traits *traits, const struct launch *first,      \
                      const struct launch *second, struct cuda_grid *out);
#include "backends/cuda/cuda_joint.def"
#undef CUDA_JOINT

#endif
