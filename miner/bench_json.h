/*
 * bench_json.h - what `minerva bench --json` prints.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_BENCH_JSON_H
#define MINERVA_MINER_BENCH_JSON_H

#include "bench/bench.h"
#include "miner/base/bytes.h"

struct bench_row {
    char device[DEVICE_TEXT_MAX]; /* "cpu:0" */
    uint32_t threads;
    const struct bench_kind *kind;
    struct bench_result result;
};

/* {"minerva", "cpu", "results": [...]} and a line end, appended to out. */
MUST_CHECK enum status bench_json(const char *cpu, const struct bench_row *rows,
                                  size_t count, struct blob *out);

#endif
