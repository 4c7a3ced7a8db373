/*
 * bench_json.h - what `minerva bench --json` prints, and what it is beside peers.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_BENCH_JSON_H
#define MINERVA_MINER_BENCH_JSON_H

#include "bench/rungs.h"
#include "miner/base/bytes.h"

struct bench_row {
    char device[DEVICE_TEXT_MAX]; /* "cpu:0" */
    char name[DEVICE_TEXT_MAX];   /* "NVIDIA H100"; "": not said */
    uint32_t threads;
    const struct bench_kind *kind;
    struct bench_result result;
};

/* How one row stands to another, or a figure by itself, and what was promised of it. */
struct bench_ratio {
    char name[64], shape[BENCH_SHAPE_MAX];
    uint32_t threads;
    double best, median;  /* of the best runs, and of the medians */
    double at_least, aim; /* 0: nothing was promised */
    bool is_time;         /* less is better: at_least is an at_most */
};

struct bench_report { /* of one command */
    struct bench_row *rows;
    struct bench_ratio *ratios;
    struct rungs *ladders;
    size_t count, ratio_count, ladder_count;
};

/* {"minerva", "cpu", "results": [...], "ladder": [...], "ablation": [...]} and a line
 * end, appended to out; the ladder's fields are those of bench_json_beside's ratios, the
 * ablation's those of struct rungs.  What is not known is null. */
MUST_CHECK enum status bench_json(const char *cpu, const struct bench_report *report,
                                  struct blob *out);
/* Beside peers: {"minerva", "cpu", "results"} and "ratios": [{"name", "shape", "threads",
 * "best", "median", "at_least" or "at_most", "aim"}]. */
MUST_CHECK enum status bench_json_beside(const char *cpu, const struct bench_row *rows,
                                         size_t count, const struct bench_ratio *ratios,
                                         size_t ratio_count, struct blob *out);

#endif
