/*
 * cmd_task_run.c - `minerva task run`: one task on this machine, without any pool.
 *
 * The same kinds, models and ports as a worker's; what differs is that the input is a
 * person's text and that the proofs, if wanted, become files.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "miner/base/clock.h"
#include "miner/base/file.h"
#include "miner/cmd_task.h"
#include "miner/device_list.h"
#include "miner/kernel_cache.h"
#include "miner/models/tokenizer.h"
#include "miner/task_options.h"
#include "miner/task_prove.h"
#include "miner/tasks/sequences.h"

enum { TEXT_SIZE_MAX = 256 << 20, INPUT_SIZE_MAX = 1 << 30, OUTPUT_SIZE_MAX = 1 << 30 };

/* Everything one run holds; freed in reverse. */
struct run {
    const struct run_options *options;
    struct blob text;
    struct artifact *artifact; /* NULL for kinds without a model */
    struct assignment work;
    uint64_t truncated; /* lines that were cut */
    struct task_layout layout;
    struct device *device;
    struct station *station;
    struct matmul_port plain;
    struct task_prove *prove; /* NULL: not wanted */
    struct task *task;
    struct blob output;
    uint64_t proofs, took_ms;
};

/* The text's lines as the assignment's input. */
static enum status tokenize(struct run *run, const struct tokenizer *tokenizer,
                            struct error *err)
{
    struct token_lines lines;
    enum status status = tokenizer_lines(tokenizer, blob_bytes(&run->text), &lines, err);
    if (status)
        return status;
    const struct sequences sequences = {lines.count, lines.total, lines.lengths,
                                        lines.ids};
    run->truncated = lines.truncated;
    status = lines.count ? sequences_write(&sequences, &run->work.input, err)
                         : error_set(err, STATUS_BAD_DATA,
                                     "no line of text, expected at least one");
    token_lines_free(&lines);
    return status;
}

static enum status read_text(struct run *run, struct error *err)
{
    struct tokenizer *tokenizer = NULL;
    enum status status = file_read(run->options->text, &run->text, err);
    if (!status)
        status = tokenizer_open(artifact_tokenizer(run->artifact),
                                artifact_vocab(run->artifact), &tokenizer, err);
    if (status)
        return status;
    status = tokenize(run, tokenizer, err);
    tokenizer_close(tokenizer);
    if (status)
        error_prefix(err, "%s", run->options->text);
    return status;
}

static enum status make_assignment(struct run *run, struct error *err)
{
    const struct run_options *options = run->options;
    (void)snprintf(run->work.kind, sizeof run->work.kind, "%s", options->kind);
    run->work.parameters = options->parameters;
    run->work.rows = options->rows;
    enum status status = STATUS_OK;
    if (options->model) {
        status = artifact_open(options->model, &run->artifact, err);
        if (status)
            return status;
        (void)snprintf(run->work.model, sizeof run->work.model, "%s",
                       artifact_id(run->artifact));
        status = read_text(run, err);
    }
    return status ? status
                  : task_layout_make(run->artifact, &run->work, &run->layout, err);
}

static enum status open_device(struct run *run, struct error *err)
{
    const struct run_options *options = run->options;
    struct device_list list;
    enum status status = device_list_probe(&list, err);
    if (!status)
        status = device_list_select(
            &list, options->devices ? options->devices : DEVICE_LIST_DEFAULT, err);
    if (status)
        return status;
    const struct device_entry *entry = &list.entries[0];
    char folder[KERNEL_CACHE_MAX];
    const struct device_options wanted = {
        .threads = options->threads,
        .kernel_cache = kernel_cache_folder(NULL, options->no_kernel_cache, folder)};
    assert(list.count > 0);
    return device_open(entry->backend, entry->index, &wanted, &run->device, err);
}

static enum status make_ready(struct run *run, struct error *err)
{
    const struct task_options options = {.artifact = run->artifact,
                                         .rows = run->options->rows};
    enum status status = open_device(run, err);
    if (!status)
        status = station_setup(task_kind_find(run->work.kind), run->device, &options,
                               &run->station, err);
    if (status)
        return status;
    matmul_port_plain(&run->plain, run->device);
    if (run->options->prove)
        status = task_prove_begin(run->options->prove, &run->options->job, &run->plain,
                                  task_shape_max(run->artifact, &run->work, &run->layout),
                                  &run->prove, err);
    if (!status)
        status = task_open(run->station, &run->work, &run->task, err);
    for (uint32_t i = 0; !status && run->prove && i < run->layout.products; i++)
        status = task_prove_prepare(run->prove, task_operand(run->task, i), err);
    return status;
}

static void show_progress(const struct run *run, bool is_last)
{
    uint64_t done, total;
    if (!isatty(STDERR_FILENO))
        return;
    task_progress(run->task, &done, &total);
    fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 "%s", done, total,
            is_last ? "\r\033[K" : "");
}

static enum status step_through(struct run *run, struct error *err)
{
    struct matmul_port *port = run->prove ? task_prove_port(run->prove) : &run->plain;
    const uint64_t start_ms = clock_ms();
    enum status status;
    do {
        status = task_step(run->task, port);
        show_progress(run, status != STATUS_OK);
    } while (status == STATUS_OK);
    run->took_ms = clock_ms() - start_ms;
    if (status != STATUS_DONE)
        return error_set(err, status, "the task stopped: %s", status_text(status));
    status = task_answer(run->task, &run->output);
    return status ? error_set(err, status, "no answer: %s", status_text(status))
                  : STATUS_OK;
}

/* Why nothing could be proved. */
static const char *unproved(const struct run *run)
{
    const struct task_kind *kind = task_kind_find(run->work.kind);
    for (uint32_t i = 0; i < run->layout.products; i++) {
        const struct model_shape shape = kind->shape(
            run->artifact, &run->work, &run->layout, (struct site){.product = i});
        if (pow_rank(shape.k, run->options->job.min_rank))
            return "nothing was proved: the packs are too small for a tile, or the "
                   "target "
                   "is so easy that no bound holds it";
    }
    return "nothing was proved: no product is long enough for such a rank";
}

/* What was done, for people: on standard error, the result alone is on standard output.
 */
static void report(const struct run *run)
{
    const double seconds = (double)(run->took_ms ? run->took_ms : 1) / 1000;
    if (run->truncated)
        fprintf(stderr, "%" PRIu64 " lines were cut to %" PRIu32 " tokens\n",
                run->truncated, artifact_tokenizer(run->artifact)->max_sequence);
    fprintf(stderr,
            "%" PRIu32 " items, %" PRIu64 " rows, %" PRIu32 " packs in %.2f s"
            " (%.1f items/s, %.1f GMAC/s)\n",
            run->layout.items, run->layout.rows, run->layout.packs, seconds,
            run->layout.items / seconds, (double)run->layout.work_units / seconds / 1e9);
    if (!run->prove)
        return;
    const struct matmul_port *port = task_prove_port(run->prove);
    fprintf(stderr, "%" PRIu64 " proofs in %s, out of %.1f G hashes\n", run->proofs,
            run->options->prove, port->hashes / 1e9);
    if (!port->proved_macs)
        fprintf(stderr, "%s\n", unproved(run));
}

static enum status run_all(struct run *run, struct error *err)
{
    enum status status = make_assignment(run, err);
    if (!status)
        status = make_ready(run, err);
    if (!status)
        status = step_through(run, err);
    if (!status && run->prove)
        status = task_prove_finish(run->prove, &run->proofs, err);
    if (status)
        return status;
    report(run);
    return cmd_task_show(blob_bytes(&run->output), blob_bytes(&run->text),
                         run->options->output, err);
}

static void run_free(struct run *run)
{
    task_close(run->task);
    task_prove_end(run->prove);
    station_teardown(run->station);
    device_close(run->device);
    task_layout_free(&run->layout);
    artifact_close(run->artifact);
    blob_free(&run->work.input);
    blob_free(&run->text);
    blob_free(&run->output);
}

int cmd_task_run(int argc, char **argv)
{
    struct run_options options;
    struct error err = {0};
    struct run run = {
        .options = &options,
        .text = blob_empty(TEXT_SIZE_MAX),
        .work.input = blob_empty(INPUT_SIZE_MAX),
        .output = blob_empty(OUTPUT_SIZE_MAX),
    };
    if (run_options_parse(argc, argv, &options, &err))
        return cmd_task_fail("run", &err);
    if (options.wants_help) {
        fputs(run_options_help, stdout);
        return EXIT_CODE_OK;
    }
    const enum status status = run_all(&run, &err);
    run_free(&run);
    return status ? cmd_task_fail("run", &err) : EXIT_CODE_OK;
}
