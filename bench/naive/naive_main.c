/*
 * naive_main.c - the OpenCL backend's products beside a naive kernel on the same device,
 * in one process, taking turns; PoCL on one core.
 *
 * usage: minerva_naive [JSON-FILE]
 *
 * exit code: 0 timed, 1 failed, 5 a wrong answer, 77 there is no OpenCL device
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench/naive/naive.h"
#include "bench/turns.h"
#include "miner/base/file.h"
#include "miner/bench_json.h"
#include "miner/commands.h"

enum {
    M = 1024,
    N = 1024,
    K = 2048,
    RANK = 128,
    ROUNDS = 7,
    AT_LEAST = 5,
    AIM = 15,
    JSON_SIZE_MAX = 1 << 20,
    LIST_MAX = 64,
    EXIT_SKIPPED = 77,
};

enum place { NAIVE, CLEAN, MINING, USEFUL, PLACES };
static const struct bench_kind *const kinds[PLACES] = {&naive_i8, &bench_int8_product,
                                                       &bench_mining, &bench_useful};

struct report {
    struct bench_row rows[PLACES];
    struct bench_ratio ratios[PLACES];
};

static enum status open_first(struct device **out, struct error *err)
{
    struct device_info list[LIST_MAX];
    size_t count = 0;

    if (backend_opencl.absent || backend_opencl.probe(list, LIST_MAX, &count))
        count = 0;
    for (uint32_t i = 0; i < count; i++)
        if (!list[i].reason[0])
            return device_open(&backend_opencl, i, NULL, out, err);
    return error_set(err, STATUS_NO_DEVICE, "%s",
                     count ? list[0].reason : "no OpenCL in this build");
}

static enum status take_turns(struct device *device, struct turns *turns,
                              struct error *err)
{
    const struct bench_setup setup = {
        .device = device, .m = M, .n = N, .k = K, .rank = RANK};
    enum status status = STATUS_OK;

    for (uint32_t i = 0; i < PLACES && !status; i++)
        status = turns_join(turns, i, kinds[i], &setup, err);
    return status ? status : turns_take(turns, ROUNDS, err);
}

static void report_fill(struct turns *turns, uint32_t threads, struct report *out)
{
    for (uint32_t i = 0; i < PLACES; i++) {
        struct bench_row *row = &out->rows[i];
        struct bench_ratio *ratio = &out->ratios[i];

        row->kind = kinds[i];
        row->threads = threads;
        snprintf(row->device, sizeof row->device, "%s",
                 i == NAIVE ? "naive" : "opencl:0");
        if (!turns_result(turns, i, &row->result))
            continue;
        *ratio = (struct bench_ratio){
            .threads = threads,
            .best = row->result.max / out->rows[NAIVE].result.max,
            .median = row->result.median / out->rows[NAIVE].result.median,
            .at_least = i == CLEAN ? AT_LEAST : 0,
            .aim = i == CLEAN ? AIM : 0,
        };
        snprintf(ratio->name, sizeof ratio->name, "OpenCL %s / naive kernel",
                 kinds[i]->name);
        snprintf(ratio->shape, sizeof ratio->shape, "%s", row->result.shape);
    }
}

static enum status report_write(const char *cpu, const struct report *report,
                                const char *path, struct error *err)
{
    struct blob text = blob_empty(JSON_SIZE_MAX);
    enum status status = bench_json_beside(cpu, report->rows, PLACES, report->ratios + 1,
                                           PLACES - 1, &text);

    if (status)
        (void)error_set(err, status, "no report: %s", status_text(status));
    else
        status = file_write(path, blob_bytes(&text), err);
    blob_free(&text);
    return status;
}

static void report_print(const struct report *report)
{
    for (uint32_t i = 0; i < PLACES; i++)
        printf("%-13s  %-20s  best %6.2f  median %6.2f  %s  %5.1fx naive\n",
               report->rows[i].kind->name, report->rows[i].result.shape,
               report->rows[i].result.max, report->rows[i].result.median,
               report->rows[i].kind->unit, report->ratios[i].best);
}

int main(int argc, char **argv)
{
    struct turns turns = {.contenders = {{.kind = NULL}}};
    struct report report = {.rows = {{.threads = 0}}};
    struct device *device = NULL;
    struct error err = {.status = STATUS_OK};
    enum status status;

    setenv("POCL_MAX_PTHREAD_COUNT", "1", 0);
    status = open_first(&device, &err);
    if (!status)
        status = take_turns(device, &turns, &err);
    if (!status) {
        report_fill(&turns, device_info(device)->threads, &report);
        report_print(&report);
        if (argc > 1)
            status = report_write(device_info(device)->name, &report, argv[1], &err);
    }
    turns_close(&turns);
    device_close(device);
    if (!status)
        return EXIT_CODE_OK;
    fprintf(stderr, "minerva_naive: %s\n", error_text(&err));
    if (status == STATUS_NO_DEVICE)
        return EXIT_SKIPPED;
    return status == STATUS_MISMATCH ? EXIT_CODE_SELFTEST : EXIT_CODE_FAILED;
}
