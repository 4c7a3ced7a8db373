/*
 * task_options.c - reads the command line of `minerva task run`.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/task_options.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "miner/tasks/task.h"

const char run_options_help[] =
    "usage: minerva task run --kind embed --model DIR --text FILE [OPTIONS]\n"
    "       minerva task run --kind matmul --shape M,N,K [--seed S] [OPTIONS]\n"
    "\n"
    "Runs one task on this machine, without any pool.\n"
    "\n"
    "  --kind KIND         embed: a vector for each line; matmul: a generated product\n"
    "  --model DIR         the model, as `minerva model import` made it\n"
    "  --text FILE         one sequence a line; - is standard input\n"
    "  --rows N            token rows a pack, 1 to 1048576 (4096)\n"
    "  --shape M,N,K       of the product\n"
    "  --seed S            of its matrices (0)\n"
    "  -o, --output FILE   the result as safetensors; without it a table is shown\n"
    "  -d, --devices WORD  as minerva mine has it; the first is taken (auto)\n"
    "  -t, --threads N     processors to use (all)\n"
    "  --no-kernel-cache   compiles the kernels of OpenCL devices anew\n"
    "\n"
    "Proof of work while it runs:\n"
    "  --prove DIR         leaves each proof in this folder, and what it is of\n"
    "  --header HEX        76 bytes\n"
    "  --target HEX        the target, big-endian; or --nbits HEX\n"
    "  --cert-version N    1, 2 or 3\n"
    "  --min-rank N        32, 64 or 128 (128)\n";

enum {
    OPTION_KIND = 256,
    OPTION_NO_KERNEL_CACHE,
    OPTION_MODEL,
    OPTION_TEXT,
    OPTION_ROWS,
    OPTION_SHAPE,
    OPTION_SEED,
    OPTION_PROVE,
    OPTION_HEADER,
    OPTION_TARGET,
    OPTION_NBITS,
    OPTION_CERT_VERSION,
    OPTION_MIN_RANK,
};
enum { ROWS_MAX = 1 << 20, THREADS_MAX = 4096 };

static const struct option options[] = {
    {"kind", required_argument, NULL, OPTION_KIND},
    {"model", required_argument, NULL, OPTION_MODEL},
    {"text", required_argument, NULL, OPTION_TEXT},
    {"rows", required_argument, NULL, OPTION_ROWS},
    {"shape", required_argument, NULL, OPTION_SHAPE},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"output", required_argument, NULL, 'o'},
    {"devices", required_argument, NULL, 'd'},
    {"device", required_argument, NULL, 'd'},
    {"threads", required_argument, NULL, 't'},
    {"prove", required_argument, NULL, OPTION_PROVE},
    {"header", required_argument, NULL, OPTION_HEADER},
    {"target", required_argument, NULL, OPTION_TARGET},
    {"nbits", required_argument, NULL, OPTION_NBITS},
    {"cert-version", required_argument, NULL, OPTION_CERT_VERSION},
    {"min-rank", required_argument, NULL, OPTION_MIN_RANK},
    {"no-kernel-cache", no_argument, NULL, OPTION_NO_KERNEL_CACHE},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* A number from min to max, or USAGE. */
static enum status take_u32(const char *name, const char *text, uint32_t min,
                            uint32_t max, uint32_t *out, struct error *err)
{
    uint64_t value;
    if (!u64_parse(text, max, &value) || value < min)
        return error_set(err, STATUS_USAGE, "--%s is \"%s\", expected %u to %u", name,
                         text, min, max);
    *out = (uint32_t)value;
    return STATUS_OK;
}

enum status shape_parse(const char *text, struct task_parameters *out, struct error *err)
{
    uint64_t *const sides[] = {&out->m, &out->n, &out->k};
    const char *rest = text;
    char part[24];
    for (int i = 0; i < 3; i++) {
        const size_t size = strcspn(rest, ",");
        const bool is_last = i == 2;
        if (size == 0 || size >= sizeof part || (rest[size] == 0) != is_last)
            goto refused;
        memcpy(part, rest, size);
        part[size] = 0;
        if (!u64_parse(part, UINT64_MAX, sides[i]))
            goto refused;
        rest += size + !is_last;
    }
    out->has_shape = true;
    return STATUS_OK;
refused:
    return error_set(err, STATUS_USAGE, "--shape is \"%s\", expected M,N,K", text);
}

static enum status take_header(const char *text, struct job *job, struct error *err)
{
    if (!hex_decode(text, job->header, JOB_HEADER_SIZE))
        return error_set(err, STATUS_USAGE,
                         "--header: %zu characters, expected %d hex digits", strlen(text),
                         2 * JOB_HEADER_SIZE);
    return STATUS_OK;
}

static enum status take_nbits(const char *text, struct job *job, struct error *err)
{
    uint8_t bytes[4];
    if (!hex_decode(text, bytes, sizeof bytes))
        return error_set(err, STATUS_USAGE, "--nbits is \"%s\", expected 8 hex digits",
                         text);
    job->target = target_from_nbits((uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
                                    (uint32_t)bytes[2] << 8 | bytes[3]);
    return STATUS_OK;
}

static enum status take_min_rank(const char *text, struct job *job, struct error *err)
{
    const enum status status = take_u32("min-rank", text, 32, 128, &job->min_rank, err);
    if (!status && (job->min_rank & (job->min_rank - 1)))
        return error_set(err, STATUS_USAGE, "--min-rank is %s, expected 32, 64 or 128",
                         text);
    return status;
}

/* The options that belong to --prove. */
static enum status take_proving(int option, const char *text, struct run_options *out,
                                struct error *err)
{
    enum status status = STATUS_OK;
    switch (option) {
    case OPTION_PROVE:
        out->prove = text;
        return STATUS_OK;
    case OPTION_HEADER:
        return take_header(text, &out->job, err);
    case OPTION_TARGET:
        status = target_from_hex(text, &out->job.target, err);
        if (status) {
            error_prefix(err, "--target");
            err->status = STATUS_USAGE;
        }
        return status;
    case OPTION_NBITS:
        return take_nbits(text, &out->job, err);
    case OPTION_CERT_VERSION:
        return take_u32("cert-version", text, 1, 3, &out->job.cert_version, err);
    case OPTION_MIN_RANK:
        return take_min_rank(text, &out->job, err);
    default:
        return error_set(err, STATUS_USAGE,
                         "`minerva task run --help` lists the options");
    }
}

static enum status take(int option, const char *text, struct run_options *out,
                        struct error *err)
{
    switch (option) {
    case OPTION_KIND:
        out->kind = text;
        return STATUS_OK;
    case OPTION_MODEL:
        out->model = text;
        return STATUS_OK;
    case OPTION_TEXT:
        out->text = text;
        return STATUS_OK;
    case OPTION_ROWS:
        return take_u32("rows", text, 1, ROWS_MAX, &out->rows, err);
    case OPTION_SHAPE:
        return shape_parse(text, &out->parameters, err);
    case OPTION_SEED:
        if (!u64_parse(text, UINT64_MAX, &out->parameters.seed))
            return error_set(err, STATUS_USAGE, "--seed is \"%s\", expected a number",
                             text);
        return STATUS_OK;
    case 'o':
        out->output = text;
        return STATUS_OK;
    case 'd':
        out->devices = text;
        return STATUS_OK;
    case 't':
        return take_u32("threads", text, 1, THREADS_MAX, &out->threads, err);
    case OPTION_NO_KERNEL_CACHE:
        out->no_kernel_cache = true;
        return STATUS_OK;
    case 'h':
        out->wants_help = true;
        return STATUS_OK;
    default:
        return take_proving(option, text, out, err);
    }
}

static enum status check_proving(const struct run_options *o, bool has_header,
                                 bool has_target, struct error *err)
{
    if (!o->prove)
        return has_header || has_target || o->job.cert_version
                   ? error_set(err, STATUS_USAGE,
                               "--header, --target and --cert-version need --prove DIR")
                   : STATUS_OK;
    if (!has_header)
        return error_set(err, STATUS_USAGE, "--prove needs --header HEX");
    if (!has_target)
        return error_set(err, STATUS_USAGE, "--prove needs --target HEX or --nbits HEX");
    if (!o->job.cert_version)
        return error_set(err, STATUS_USAGE, "--prove needs --cert-version N");
    if (target_is_zero(&o->job.target))
        return error_set(err, STATUS_USAGE, "--target is zero: no ticket can meet it");
    return STATUS_OK;
}

/* Whether the kind has what it needs, as far as the command line shows. */
static enum status check_kind(const struct run_options *o, struct error *err)
{
    if (!o->kind)
        return error_set(err, STATUS_USAGE,
                         "--kind is missing, expected embed or matmul");
    if (!task_kind_find(o->kind))
        return error_set(err, STATUS_USAGE, "no kind of task is called \"%s\"", o->kind);
    if (!strcmp(o->kind, "matmul"))
        return o->model || o->text ? error_set(err, STATUS_USAGE,
                                               "matmul takes neither --model nor --text")
               : o->parameters.has_shape
                   ? STATUS_OK
                   : error_set(err, STATUS_USAGE, "matmul needs --shape M,N,K");
    if (!o->model)
        return error_set(err, STATUS_USAGE, "%s needs --model DIR", o->kind);
    if (!o->text)
        return error_set(err, STATUS_USAGE, "%s needs --text FILE", o->kind);
    if (o->parameters.has_shape)
        return error_set(err, STATUS_USAGE, "%s takes no --shape", o->kind);
    return STATUS_OK;
}

enum status run_options_parse(int argc, char **argv, struct run_options *out,
                              struct error *err)
{
    bool has_header = false, has_target = false;
    *out = (struct run_options){.rows = ASSIGNMENT_ROWS_DEFAULT, .job.min_rank = 128};
    optind = 0; /* a fresh start, also in tests */
    opterr = 0;
    for (;;) {
        const int at = optind ? optind : 1;
        const int option = getopt_long(argc, argv, ":o:d:t:h", options, NULL);
        if (option == -1)
            break;
        if (option == '?' || option == ':')
            return error_set(err, STATUS_USAGE, "%s: %s", at < argc ? argv[at] : "",
                             option == ':'
                                 ? "needs a value"
                                 : "unknown option, see `minerva task run --help`");
        const enum status status = take(option, optarg, out, err);
        if (status)
            return status;
        has_header |= option == OPTION_HEADER;
        has_target |= option == OPTION_TARGET || option == OPTION_NBITS;
    }
    if (out->wants_help)
        return STATUS_OK;
    if (optind < argc)
        return error_set(err, STATUS_USAGE,
                         "\"%s\": unexpected, every value has an option", argv[optind]);
    const enum status status = check_kind(out, err);
    return status ? status : check_proving(out, has_header, has_target, err);
}
