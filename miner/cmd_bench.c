/*
 * cmd_bench.c - `minerva bench`: how fast each device does each part of the work.
 *
 * A benchmark whose answer is wrong is not timed: the command says so and fails.
 *
 * SPDX-License-Identifier: MIT
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/choice.h"
#include "miner/base/memory.h"
#include "miner/bench_json.h"
#include "miner/bench_print.h"
#include "miner/commands.h"
#include "miner/device_list.h"
#include "miner/kernel_cache.h"

static const char bench_help[] =
    "usage: minerva bench [OPTIONS]\n\n"
    "Times each part of the work on each device, after its answer was checked; nothing "
    "is sent.\n\n"
    "  --only NAME,...     some of int8_product, cublaslt_int8, mma_peak, tickets, "
    "mining,\n"
    "                      useful, embed, blake3, verify_share, new_header (all that "
    "can be:\n"
    "                      embed needs a model, the second and third CUDA); ladder: "
    "from the\n"
    "                      plain loop to a useful product, step by step; steps: "
    "each by\n"
    "                      itself (only if named)\n"
    "  --shape M,N,K,R     of the product and the rank of its noise "
    "(2048,2048,4096,128;\n"
    "                      a GPU of 8 GB and more: 8192,8192,8192,128)\n"
    "  --tile ROWS/COLUMNS what is one ticket, each as offsets from 0: 0,32/0-63 "
    "(the device's own)\n"
    "  --model DIR         for embed: the model, as `minerva model import` made it\n"
    "  --text FILE         for embed: one sentence a line\n"
    "  --cublaslt PATH     the library to compare with on CUDA (libcublasLt.so.13, .12 "
    "or .11)\n"
    "  --seconds S         for each benchmark, after its check (3)\n"
    "  -d, --devices LIST  as minerva mine has it (auto: the GPUs, or else the cpu)\n"
    "  -t, --threads N     processors to use (all)\n"
    "  --no-kernel-cache   compiles the kernels of OpenCL devices anew\n"
    "  --json              for programs\n\n"
    "exit code: 0 all timed, 1 one failed, 2 wrong usage, 4 no device, 5 a wrong "
    "answer\n";

enum {
    THREADS_MAX = 4096,
    LINES_MAX = 1 << 24,
    JSON_SIZE_MAX = 1 << 22,
    NAME_MAX_SIZE = 32
};
#define SECONDS_MAX 3600
#define LARGE_BYTES 8000000000u

struct bench_options {
    bool is_json, wants_help, no_kernel_cache;
    const char *only, *devices;
    struct bench_setup setup; /* without a device */
    uint32_t threads;
    double seconds;
};

static enum status take_u32(const char *name, const char *text, uint32_t max,
                            uint32_t *out, struct error *err)
{
    uint64_t value;

    if (!u64_parse(text, max, &value) || !value)
        return error_set(err, STATUS_USAGE, "%s is \"%.40s\", expected 1 to %u", name,
                         text, max);
    *out = (uint32_t)value;
    return STATUS_OK;
}

static enum status take_shape(const char *text, struct bench_setup *setup,
                              struct error *err)
{
    uint32_t *const sides[] = {&setup->m, &setup->n, &setup->k, &setup->rank};
    const char *rest = text;

    for (int i = 0; i < 4; i++) {
        const size_t size = strcspn(rest, ",");
        char part[NAME_MAX_SIZE];

        if (size >= sizeof part || (rest[size] == '\0') != (i == 3))
            return error_set(err, STATUS_USAGE, "--shape is \"%.60s\", expected M,N,K,R",
                             text);
        memcpy(part, rest, size);
        part[size] = '\0';
        if (take_u32("--shape", part, LINES_MAX, sides[i], err))
            return STATUS_USAGE;
        rest += size + 1;
    }
    return STATUS_OK;
}

/* "0,32" or "0-63" of size characters. */
static enum status take_offsets(const char *text, size_t size, struct pattern *out,
                                struct error *err)
{
    uint32_t offsets[PATTERN_COUNT_MAX], count = 0;
    const char *const end = text + size;
    bool is_good = size > 0;

    while (is_good && text < end) {
        char *next;
        const unsigned long first = strtoul(text, &next, 10);
        unsigned long last = first;

        if (next < end && *next == '-')
            last = strtoul(next + 1, &next, 10);
        is_good = next > text && next <= end && last < LINES_MAX && first <= last &&
                  last - first < PATTERN_COUNT_MAX - count &&
                  (*next == ',' || next == end);
        for (unsigned long i = first; is_good && i <= last; i++)
            offsets[count++] = (uint32_t)i;
        text = next + 1;
    }
    if (is_good && pattern_from_offsets(offsets, count, out))
        return STATUS_OK;
    return error_set(err, STATUS_USAGE,
                     "--tile: \"%.*s\" is no pattern, expected one like 0,32 or 0-63",
                     (int)(size < 60 ? size : 60), end - size);
}

static enum status take_tile(const char *text, struct matmul_plan *out, struct error *err)
{
    const size_t size = strcspn(text, "/");
    enum status status;

    if (!text[size])
        return error_set(err, STATUS_USAGE, "--tile is \"%.60s\", expected ROWS/COLUMNS",
                         text);
    status = take_offsets(text, size, &out->rows, err);
    return status ? status
                  : take_offsets(text + size + 1, strlen(text) - size - 1, &out->columns,
                                 err);
}

static enum status take_seconds(const char *text, double *out, struct error *err)
{
    char *end;

    *out = strtod(text, &end);
    if (*end || end == text || !(*out >= 0 && *out <= SECONDS_MAX))
        return error_set(err, STATUS_USAGE, "--seconds is \"%.40s\", expected 0 to %d",
                         text, SECONDS_MAX);
    return STATUS_OK;
}

static enum status take(int option, const char *word, struct bench_options *out,
                        struct error *err)
{
    switch (option) {
    case 'j':
        out->is_json = true;
        return STATUS_OK;
    case 'c':
        out->no_kernel_cache = true;
        return STATUS_OK;
    case 'h':
        out->wants_help = true;
        return STATUS_OK;
    case 'o':
        out->only = optarg;
        return STATUS_OK;
    case 'd':
        out->devices = optarg;
        return STATUS_OK;
    case 'm':
        out->setup.model = optarg;
        return STATUS_OK;
    case 'x':
        out->setup.text = optarg;
        return STATUS_OK;
    case 'L':
        out->setup.cublaslt = optarg;
        return STATUS_OK;
    case 's':
        return take_shape(optarg, &out->setup, err);
    case 'T':
        return take_tile(optarg, &out->setup.tile, err);
    case 'S':
        return take_seconds(optarg, &out->seconds, err);
    case 't':
        return take_u32("--threads", optarg, THREADS_MAX, &out->threads, err);
    default:
        return error_set(err, STATUS_USAGE, "\"%.40s\" is not known, or lacks its value",
                         word);
    }
}

static enum status parse(int argc, char **argv, struct bench_options *out,
                         struct error *err)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {"no-kernel-cache", no_argument, NULL, 'c'},
        {"only", required_argument, NULL, 'o'},
        {"devices", required_argument, NULL, 'd'},
        {"device", required_argument, NULL, 'd'},
        {"shape", required_argument, NULL, 's'},
        {"tile", required_argument, NULL, 'T'},
        {"model", required_argument, NULL, 'm'},
        {"text", required_argument, NULL, 'x'},
        {"cublaslt", required_argument, NULL, 'L'},
        {"seconds", required_argument, NULL, 'S'},
        {"threads", required_argument, NULL, 't'},
        {NULL, 0, NULL, 0},
    };
    enum status status = STATUS_OK;

    opterr = 0;
    for (int option;
         !status && (option = getopt_long(argc, argv, "hd:t:", options, NULL)) != -1;)
        status = take(option, argv[optind - 1], out, err);
    if (!status && optind < argc)
        status =
            error_set(err, STATUS_USAGE, "\"%.40s\" is one word too many", argv[optind]);
    return status;
}

static struct bench_row *row_add(struct bench_report *report,
                                 const struct device_entry *entry,
                                 const struct bench_setup *setup,
                                 const struct bench_kind *kind)
{
    struct bench_row *row = &report->rows[report->count++];

    snprintf(row->device, sizeof row->device, "%s:%u", entry->backend->name,
             entry->number);
    snprintf(row->name, sizeof row->name, "%s", device_info(setup->device)->name);
    row->threads = device_info(setup->device)->threads;
    row->kind = kind;
    return row;
}

/* Products, that take turns, then the other kinds one by one. */
static enum status kinds_run(const struct device_entry *entry,
                             const struct bench_setup *setup, struct contest *contest,
                             struct bench_report *report, struct error *err)
{
    enum status status = contest_run(setup, contest, err);

    for (size_t i = 0; !status && i < bench_count; i++) {
        const struct bench_kind *kind = bench_table[i];
        struct bench_result result = contest->results[i];

        if (contest->wants[i] == BENCH_OUT)
            continue;
        if (!contest_takes(kind))
            status = bench_measure(kind, setup, contest->seconds, contest->show_progress,
                                   &result, err);
        if (status == STATUS_ABSENT && contest->wants[i] == BENCH_MAY) {
            *err = (struct error){.status = STATUS_OK};
            status = STATUS_OK;
            continue;
        }
        if (status)
            return error_prefix(err, "%s", kind->name), status;
        struct bench_row *row = row_add(report, entry, setup, kind);
        row->result = result;
    }
    return status;
}

/* Where no shape was given: one that keeps the device busy for a while. */
static void shape_choose(struct bench_setup *setup)
{
    const struct device_info *info = device_info(setup->device);
    const bool is_large = info->is_gpu && info->memory_bytes >= LARGE_BYTES;

    if (setup->m)
        return;
    setup->m = setup->n = is_large ? 8192 : 2048;
    setup->k = is_large ? 8192 : 4096;
    setup->rank = 128;
}

/* How the products stand to each other. */
static void ladder_add(const struct bench_setup *setup, const struct contest *contest,
                       const struct device_entry *entry, struct bench_report *report)
{
    const struct device_info *info = device_info(setup->device);
    struct rungs *rungs = &report->ladders[report->ladder_count];

    report->ratio_count +=
        contest_ratios(setup, contest->results, report->ratios + report->ratio_count);
    rungs_make(setup, contest->results, rungs);
    if (!rungs->count)
        return;
    snprintf(rungs->device, sizeof rungs->device, "%s:%u", entry->backend->name,
             entry->number);
    snprintf(rungs->name, sizeof rungs->name, "%s", info->name);
    snprintf(rungs->variant, sizeof rungs->variant, "%s", info->variant);
    report->ladder_count++;
}

/* All wanted kinds on one device; the first failure ends it. */
static enum status device_bench(const struct device_entry *entry,
                                const struct bench_options *options,
                                const enum bench_want *wants, struct bench_report *report,
                                struct error *err)
{
    char folder[KERNEL_CACHE_MAX];
    const struct device_options wanted = {
        .threads = options->threads,
        .kernel_cache = kernel_cache_folder(NULL, options->no_kernel_cache, folder)};
    const struct bench_report before = *report;
    struct bench_setup setup = options->setup;
    struct contest contest = {.wants = memory_array(bench_count, sizeof *wants),
                              .show_progress = isatty(STDERR_FILENO),
                              .seconds = options->seconds,
                              .results =
                                  memory_array(bench_count, sizeof(struct bench_result))};
    enum status status = contest.wants && contest.results ? STATUS_OK : STATUS_NO_MEMORY;

    if (!status)
        status = device_open(entry->backend, entry->index, &wanted, &setup.device, err);
    if (!status && gauge_open(entry, NULL, &setup.gauge))
        status = error_set(err, STATUS_NO_MEMORY, "no memory for its sensors");
    if (!status) {
        memcpy(contest.wants, wants, bench_count * sizeof *wants);
        shape_choose(&setup);
        status = kinds_run(entry, &setup, &contest, report, err);
    }
    if (status)
        error_prefix(err, "%s:%u", entry->backend->name, entry->number);
    else
        ladder_add(&setup, &contest, entry, report);
    if (!options->is_json)
        bench_print(report, &before);
    memory_free(contest.results);
    memory_free(contest.wants);
    gauge_close(setup.gauge);
    device_close(setup.device);
    return status;
}

static enum status print_json(const struct bench_report *report, struct error *err)
{
    struct blob text = blob_empty(JSON_SIZE_MAX);
    struct device_info cpu = {.name = "unknown"};
    size_t count = 0;
    enum status status = backend_cpu.probe(&cpu, 1, &count);

    if (!status)
        status = bench_json(cpu.name, report, &text);
    if (!status &&
        (fwrite(text.data, 1, text.size, stdout) != text.size || fflush(stdout)))
        status = STATUS_IO;
    blob_free(&text);
    return status ? error_set(err, status, "the results cannot be printed: %s",
                              status_text(status))
                  : STATUS_OK;
}

static enum status bench_all(const struct bench_options *options, struct error *err)
{
    struct device_list list;
    struct bench_report report = {.count = 0};
    enum bench_want *wants = memory_array(bench_count, sizeof *wants);
    enum status status = wants ? choice_take(options->only, &options->setup, wants, err)
                               : STATUS_NO_MEMORY;

    if (!status)
        status = device_list_probe(&list, err);
    if (!status)
        status = device_list_select(
            &list, options->devices ? options->devices : DEVICE_LIST_DEFAULT, err);
    if (!status) {
        report.rows = memory_array(list.count * bench_count, sizeof *report.rows);
        report.ratios =
            memory_array(list.count * CONTEST_RATIOS_MAX, sizeof *report.ratios);
        report.ladders = memory_array(list.count, sizeof *report.ladders);
        status =
            report.rows && report.ratios && report.ladders ? STATUS_OK : STATUS_NO_MEMORY;
    }
    if (!status && !options->is_json)
        bench_print_head();
    for (size_t i = 0; !status && i < list.count; i++)
        status = device_bench(&list.entries[i], options, wants, &report, err);
    if (!status && options->is_json)
        status = print_json(&report, err);
    memory_free(report.ladders);
    memory_free(report.ratios);
    memory_free(report.rows);
    memory_free(wants);
    return status;
}

static int exit_code(enum status status)
{
    switch (status) {
    case STATUS_OK:
        return EXIT_CODE_OK;
    case STATUS_USAGE:
        return EXIT_CODE_USAGE;
    case STATUS_ABSENT:
    case STATUS_NO_DEVICE:
        return EXIT_CODE_NO_DEVICE;
    case STATUS_MISMATCH:
        return EXIT_CODE_SELFTEST;
    default:
        return EXIT_CODE_FAILED;
    }
}

int cmd_bench(int argc, char **argv)
{
    struct bench_options options = {
        .seconds = 3,
    };
    struct error err = {.status = STATUS_OK};
    enum status status = parse(argc, argv, &options, &err);

    if (!status && options.wants_help) {
        fputs(bench_help, stdout);
        return EXIT_CODE_OK;
    }
    if (!status)
        status = bench_all(&options, &err);
    if (status)
        fprintf(stderr, "minerva bench: %s\n",
                err.text[0] ? error_text(&err) : status_text(status));
    return exit_code(status);
}
