/*
 * peers_main.c - our products beside oneDNN's and beside what the processor can do at
 * all, in one process, taking turns.
 *
 * SPDX-License-Identifier: MIT
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "backends/cpu/cpu_features.h"
#include "bench/peers/peers.h"
#include "bench/peers_ratios.h"
#include "bench/turns.h"
#include "miner/base/memory.h"
#include "miner/commands.h"
#include "miner/pow/scheme.h"
#include "miner/tasks/generated.h"

static const char help[] =
    "usage: minerva_peers [OPTIONS]\n\n"
    "Times this build's int8 products beside oneDNN's, in rounds that alternate, after "
    "both gave\nthe same answer, on one thread and on two.\n\n"
    "  --shape M,N,K       one shape instead of the table\n"
    "  --rounds N          for each shape at least (7)\n"
    "  -t, --threads N     1 or more (1, then 2)\n"
    "  --json FILE         writes the results there\n\n"
    "exit code: 0 all timed, 1 one failed, 2 wrong usage, 5 a wrong answer\n";

enum {
    RANK = 128,
    ROUNDS_MAX = 1000,
    THREADS_MAX = 4096,
    ROWS_MAX = 512,
    JSON_SIZE_MAX = 4 << 20,
};
#define SINGLE_SECONDS 2 /* for what takes no turns */

struct shape {
    uint32_t m, n, k;
    bool has_avx2; /* shown there too: once large, once long */
};

static const struct shape shapes[] = {
    {2048, 2048, 4096, true},   {4096, 4096, 4096, false}, {512, 1536, 384, false},
    {512, 384, 1536, false},    {1024, 5120, 1280, true},  {64, 4096, 4096, false},
    {2048, 4096, 14336, false}, {1024, 5120, 2048, false}, {512, 1536, 2048, false},
};

struct peers_options {
    struct shape one; /* m 0: the table */
    uint32_t rounds, threads;
    const char *json;
    bool wants_help;
};

/* Everything that is reported at the end. */
struct report {
    struct bench_row rows[ROWS_MAX];
    struct bench_ratio ratios[ROWS_MAX];
    size_t count, ratio_count;
};

struct session { /* so many threads */
    const struct peers_options *options;
    struct report *report;
    struct device *best, *avx2; /* avx2 NULL: this processor lacks it */
    uint32_t threads;
};

/* ---- who takes turns ------------------------------------------------------------- */

static const struct {
    const struct bench_kind *kind;
    const char *who; /* NULL: oneDNN */
    bool is_mined, is_avx2;
} places[PEERS_PLACES] = {
    [PEERS_GEMM] = {&onednn_gemm, NULL, false, false},
    [PEERS_MATMUL] = {&onednn_matmul, NULL, false, false},
    [PEERS_PACKED] = {&onednn_packed, NULL, false, false},
    [PEERS_CLEAN] = {&bench_int8_product, "cpu:0", false, false},
    [PEERS_MINING] = {&bench_mining, "cpu:0", true, false},
    [PEERS_USEFUL] = {&bench_useful, "cpu:0", true, false},
    [PEERS_CLEAN_AVX2] = {&bench_int8_product, "cpu:0 avx2", false, true},
    [PEERS_MINING_AVX2] = {&bench_mining, "cpu:0 avx2", true, true},
    [PEERS_LIMIT] = {&limit_vnni, "limit", false, false},
    [PEERS_LIMIT_AVX2] = {&limit_avx2, "limit", false, true},
};

_Static_assert((int)PEERS_PLACES <= (int)CONTENDERS_MAX, "everybody has a place");

static void who_is(uint32_t place, char text[DEVICE_TEXT_MAX])
{
    if (places[place].who)
        snprintf(text, DEVICE_TEXT_MAX, "%s", places[place].who);
    else
        onednn_version(text);
}

/* All that this shape and processor allow. */
static enum status places_take(const struct session *session, const struct shape *shape,
                               struct turns *turns, struct error *err)
{
    struct bench_setup setup = {
        .m = shape->m, .n = shape->n, .k = shape->k, .rank = RANK};
    const bool can_be_mined = pow_rank(shape->k, RANK) == RANK;
    enum status status = STATUS_OK;

    for (uint32_t i = 0; i < PEERS_PLACES && !status; i++) {
        if ((places[i].is_mined && !can_be_mined) ||
            (places[i].is_avx2 && !(shape->has_avx2 && session->avx2)))
            continue;
        setup.device = places[i].is_avx2 ? session->avx2 : session->best;
        status = turns_join(turns, i, places[i].kind, &setup, err);
        if (status == STATUS_ABSENT) {
            fprintf(stderr, "%s: skipped: %s\n", places[i].kind->name, error_text(err));
            status = STATUS_OK;
        } else if (status) {
            error_prefix(err, "%s at %u,%u,%u", places[i].kind->name, shape->m, shape->n,
                         shape->k);
        }
    }
    return status;
}

/* ---- what came out --------------------------------------------------------------- */

static void print_row(const struct bench_row *row)
{
    printf("%2u  %-14s  %-14s  %-24s  %8.4g  %8.4g  %-7s %6u\n", row->threads,
           row->device, row->kind->name, row->result.shape, row->result.max,
           row->result.median, row->kind->unit, row->result.runs);
    fflush(stdout);
}

static void print_ratio(const struct bench_ratio *ratio)
{
    printf("%2u  %-30s  %-24s  %8.3f  %8.3f", ratio->threads, ratio->name, ratio->shape,
           ratio->best, ratio->median);
    if (ratio->at_least > 0)
        printf("  %s %.3g, aim %.3g: %s", ratio->is_time ? "at most" : "at least",
               ratio->at_least, ratio->aim,
               peers_ratio_holds(ratio) ? "holds" : "MISSED");
    putchar('\n');
    fflush(stdout);
}

static void report_row(struct session *session, const struct bench_kind *kind,
                       const char *who, const struct bench_result *result)
{
    struct report *report = session->report;
    struct bench_row *row = &report->rows[report->count];

    if (report->count == ROWS_MAX)
        return;
    *row =
        (struct bench_row){.threads = session->threads, .kind = kind, .result = *result};
    snprintf(row->device, sizeof row->device, "%s", who);
    report->count++;
    print_row(row);
}

static void report_ratio(struct session *session, const struct bench_ratio *ratio)
{
    struct report *report = session->report;

    if (report->ratio_count == ROWS_MAX)
        return;
    report->ratios[report->ratio_count++] = *ratio;
    print_ratio(ratio);
}

static void report_turns(struct session *session, const struct shape *shape,
                         struct turns *turns)
{
    struct peers_turns all = {.m = shape->m,
                              .n = shape->n,
                              .k = shape->k,
                              .rank = RANK,
                              .threads = session->threads};
    struct bench_ratio ratios[PEERS_RATIOS_MAX];

    for (uint32_t i = 0; i < PEERS_PLACES; i++) {
        char who[DEVICE_TEXT_MAX];
        who_is(i, who);
        if (turns_result(turns, i, &all.results[i]))
            report_row(session, places[i].kind, who, &all.results[i]);
    }
    const size_t count = peers_ratios(&all, ratios);
    for (size_t i = 0; i < count; i++)
        report_ratio(session, &ratios[i]);
}

/* ---- sessions -------------------------------------------------------------------- */

static enum status shape_bench(struct session *session, const struct shape *shape,
                               struct error *err)
{
    struct turns turns = {.contenders = {{.kind = NULL}}};
    enum status status = places_take(session, shape, &turns, err);

    if (!status)
        status = turns_take(&turns, session->options->rounds, err);
    if (!status)
        report_turns(session, shape, &turns);
    turns_close(&turns);
    return status;
}

/* What takes no turns, and what is promised of it.  What a new header costs before the
 * first product of 2048 x 2048 x 4096 is hash, noise and packing of both operands: seen
 * here as those of one right operand as large as both, and a product of few rows. */
static const struct single {
    const struct bench_kind *kind;
    const char *what;
    uint32_t m, n, k, threads;
    double at_least, aim;
    bool is_time;
} singles[] = {
    {&bench_new_header, "new header, 16 MiB of operands, ms", 16, 4096, 4096, 1, 20, 10,
     true},
    {&bench_new_header, "new header, 16 MiB of operands, ms", 16, 4096, 4096, 2, 20, 10,
     true},
    {&bench_blake3, "BLAKE3, keyed, GB/s a core", 2048, 2048, 4096, 1, 5, 6.3, false},
    {&bench_blake3, "BLAKE3, keyed, GB/s", 2048, 2048, 4096, 2, 0, 0, false},
    {&large_share, "a share verified, ms", 131072, 131072, 4096, 1, 3, 1.5, true},
};

static enum status single_bench(struct session *session, const struct single *single,
                                struct error *err)
{
    const struct bench_setup setup = {.device = session->best,
                                      .m = single->m,
                                      .n = single->n,
                                      .k = single->k,
                                      .rank = RANK};
    struct bench_result result;
    struct bench_ratio ratio = {.threads = session->threads,
                                .at_least = single->at_least,
                                .aim = single->aim,
                                .is_time = single->is_time};
    enum status status =
        bench_measure(single->kind, &setup, SINGLE_SECONDS, false, &result, err);

    if (status == STATUS_NO_MEMORY) { /* 1 GiB and more for the largest */
        fprintf(stderr, "%s: skipped: %s\n", single->kind->name, error_text(err));
        return STATUS_OK;
    }
    if (status)
        return status;
    report_row(session, single->kind, "cpu:0", &result);
    ratio.best = single->is_time ? result.min : result.max;
    ratio.median = result.median;
    snprintf(ratio.name, sizeof ratio.name, "%s", single->what);
    snprintf(ratio.shape, sizeof ratio.shape, "%s", result.shape);
    report_ratio(session, &ratio);
    return STATUS_OK;
}

static enum status singles_bench(struct session *session, struct error *err)
{
    enum status status = STATUS_OK;

    for (size_t i = 0; i < sizeof singles / sizeof singles[0] && !status; i++)
        if (singles[i].threads == session->threads)
            status = single_bench(session, &singles[i], err);
    return status;
}

static enum status session_open(struct session *session, struct error *err)
{
    struct device_options wanted = {.threads = session->threads};
    enum status status = device_open(&backend_cpu, 0, &wanted, &session->best, err);

    if (status)
        return status;
    wanted.variant = "avx2";
    status = device_open(&backend_cpu, 0, &wanted, &session->avx2, err);
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

static enum status session_run(const struct peers_options *options, uint32_t threads,
                               struct report *report, struct error *err)
{
    struct session session = {.options = options, .report = report, .threads = threads};
    enum status status = session_open(&session, err);

    if (!status && options->one.m)
        status = shape_bench(&session, &options->one, err);
    for (size_t i = 0; !status && !options->one.m && i < sizeof shapes / sizeof shapes[0];
         i++)
        status = shape_bench(&session, &shapes[i], err);
    if (!status && !options->one.m)
        status = singles_bench(&session, err);
    device_close(session.avx2);
    device_close(session.best);
    return status;
}

static enum status report_write(const struct report *report, const char *path,
                                struct error *err)
{
    struct blob text = blob_empty(JSON_SIZE_MAX);
    char cpu[DEVICE_TEXT_MAX];
    FILE *file = fopen(path, "w");
    enum status status = file ? STATUS_OK : STATUS_IO;

    cpu_name(cpu, sizeof cpu);
    if (!status)
        status = bench_json_beside(cpu, report->rows, report->count, report->ratios,
                                   report->ratio_count, &text);
    if (!status && fwrite(text.data, 1, text.size, file) != text.size)
        status = STATUS_IO;
    if (file && fclose(file))
        status = STATUS_IO;
    blob_free(&text);
    return status ? error_set(err, status, "%s cannot be written: %s", path,
                              status_text(status))
                  : STATUS_OK;
}

/* ---- command line ---------------------------------------------------------------- */

static enum status take_number(const char *name, const char *text, uint32_t max,
                               uint32_t *out, struct error *err)
{
    uint64_t value;

    if (!u64_parse(text, max, &value) || !value)
        return error_set(err, STATUS_USAGE, "%s is \"%.40s\", expected 1 to %u", name,
                         text, max);
    *out = (uint32_t)value;
    return STATUS_OK;
}

static enum status take_shape(const char *text, struct shape *out, struct error *err)
{
    char rest;

    out->has_avx2 = true;
    if (sscanf(text, "%8u,%8u,%8u%c", &out->m, &out->n, &out->k, &rest) != 3)
        return error_set(err, STATUS_USAGE, "--shape is \"%.60s\", expected M,N,K", text);
    return generated_check((struct model_shape){out->m, out->n, out->k}, err)
               ? STATUS_USAGE
               : STATUS_OK;
}

static enum status parse(int argc, char **argv, struct peers_options *out,
                         struct error *err)
{
    static const struct option options[] = {
        {"shape", required_argument, NULL, 's'},
        {"rounds", required_argument, NULL, 'r'},
        {"threads", required_argument, NULL, 't'},
        {"json", required_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    enum status status = STATUS_OK;

    opterr = 0;
    for (int option;
         !status && (option = getopt_long(argc, argv, "ht:", options, NULL)) != -1;) {
        if (option == 's')
            status = take_shape(optarg, &out->one, err);
        else if (option == 'r')
            status = take_number("--rounds", optarg, ROUNDS_MAX, &out->rounds, err);
        else if (option == 't')
            status = take_number("--threads", optarg, THREADS_MAX, &out->threads, err);
        else if (option == 'j')
            out->json = optarg;
        else if (option == 'h')
            out->wants_help = true;
        else
            status =
                error_set(err, STATUS_USAGE, "\"%.40s\" is not known, or lacks its value",
                          argv[optind - 1]);
    }
    if (!status && optind < argc)
        status =
            error_set(err, STATUS_USAGE, "\"%.40s\" is one word too many", argv[optind]);
    return status;
}

static enum status bench_all(const struct peers_options *options, struct error *err)
{
    struct report *report = memory_new(struct report);
    enum status status = report ? STATUS_OK : STATUS_NO_MEMORY;

    for (uint32_t threads = 1; threads <= 2 && !status; threads++)
        if (!options->threads)
            status = session_run(options, threads, report, err);
    if (!status && options->threads)
        status = session_run(options, options->threads, report, err);
    if (!status && options->json)
        status = report_write(report, options->json, err);
    memory_free(report);
    return status;
}

int main(int argc, char **argv)
{
    struct peers_options options = {.rounds = 7};
    struct error err = {.status = STATUS_OK};
    enum status status = parse(argc, argv, &options, &err);

    if (!status && options.wants_help) {
        fputs(help, stdout);
        return EXIT_CODE_OK;
    }
    if (!status)
        status = bench_all(&options, &err);
    if (status)
        fprintf(stderr, "minerva_peers: %s\n",
                err.text[0] ? error_text(&err) : status_text(status));
    if (status == STATUS_USAGE)
        return EXIT_CODE_USAGE;
    if (status == STATUS_MISMATCH)
        return EXIT_CODE_SELFTEST;
    return status ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}
