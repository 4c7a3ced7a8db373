/*
 * bench.h - what is timed, and how: a benchmark first shows that its answer is right,
 * then runs again and again until its time is up.
 *
 * One thread, the device's.  Nothing here is sent anywhere.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BENCH_BENCH_H
#define MINERVA_BENCH_BENCH_H

#include "backends/device.h"
#include "bench/gauge.h"

struct bench; /* a kind's own */
struct ladder;

struct bench_setup {
    struct device *device;
    uint32_t m, n, k, rank;
    /* Of the tile that is mined; 0 offsets: the device's own one. */
    struct matmul_plan tile;
    const char *model, *text; /* a folder and a file, or NULL */
    const char *cublaslt;     /* the library's file; NULL: as it is found */
    /* Where the steps of the ladder that take turns find what they share; NULL: each has
     * its own. */
    struct ladder **ladder;
    struct gauge *gauge; /* of the device; NULL: it has none */
};

enum { BENCH_SHAPE_MAX = 64 };

struct bench_kind {
    const char *name;
    const char *unit; /* of a value */
    /* Everything made ready and its answer checked: MISMATCH with a sentence when it is
     * wrong, ABSENT when something that it needs was not given. */
    enum status (*open)(const struct bench_setup *setup, struct bench **out,
                        struct error *err);
    void (*close)(struct bench *bench);
    /* Once; what must be made anew is made before the kind's own clock starts. */
    enum status (*run)(struct bench *bench, double *value, struct error *err);
    /* What was worked on, in a few words without blanks. */
    void (*shape)(const struct bench *bench, char text[BENCH_SHAPE_MAX]);
};

struct bench_figure { /* what may be unknown */
    bool is_known;
    double value;
};

struct bench_result {
    char shape[BENCH_SHAPE_MAX];
    double min, median, max; /* in the kind's unit */
    /* The hundredth run of the slowest hundred, or the slowest where there were fewer. */
    double slow;
    bool is_p99;
    uint32_t runs;
    struct bench_figure clock_mhz, power_w; /* meanwhile */
    /* Of rates of products: by their median; and of the register-only peak, were its
     * clock this one's. */
    struct bench_figure j_per_tmac, of_peak;
};

#define BENCH(name) extern const struct bench_kind bench_##name;
#include "bench/bench.def"
#undef BENCH
extern const struct bench_kind *const bench_table[];
extern const size_t bench_count;
const struct bench_kind *bench_find(const char *name); /* NULL: none */

/* Whether less is better. */
bool bench_is_time(const struct bench_kind *kind);
/* Whether the value is a rate of products. */
bool bench_is_product(const struct bench_kind *kind);
/* Sorts the values of one or more runs and says what they were, and what was gauged
 * meanwhile; shape and the share of the peak stay as they are. */
void bench_summarise(const struct bench_kind *kind, double *values, uint32_t runs,
                     const struct gauge_sum *gauged, struct bench_result *out);

/* Three runs that only warm up, at least 5 that count, then as many as begin within so
 * many seconds.  show_progress: a line on standard error that is taken away at the end.
 */
MUST_CHECK enum status bench_measure(const struct bench_kind *kind,
                                     const struct bench_setup *setup, double seconds,
                                     bool show_progress, struct bench_result *out,
                                     struct error *err);

#endif
