/*
 * bench_embed.c - sentences a second through a model, sorted by length; tokenising is
 * outside the clock.
 *
 * The answer is right when every vector is of unit length, does not depend on which
 * others were in its pack, and has the bits that the plainest row of the CPU gives.
 *
 * SPDX-License-Identifier: MIT
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/sorted_text.h"
#include "miner/base/clock.h"
#include "miner/base/memory.h"
#include "miner/models/model.h"

enum {
    PACK_ROWS = 256, /* activations of a pack stay in the second cache of a CPU */
    COMPARED = 4,    /* sentences that are computed in other ways too */
};

struct bench {
    struct artifact *artifact;
    struct sorted_text text;
    struct model *model;
    struct matmul_port port;
    struct device *device;
    uint32_t width, rows;
    float *vectors; /* [count][width] */
};

static void embed_close(struct bench *bench)
{
    if (!bench)
        return;
    model_close(bench->model);
    sorted_text_free(&bench->text);
    artifact_close(bench->artifact);
    memory_free(bench->vectors);
    memory_free(bench);
}

/* Whole sentences from the i-th on, as many as fit a pack. */
static struct model_pack pack_at(const struct bench *bench, uint32_t first, uint64_t at)
{
    struct model_pack pack = {.lengths = bench->text.lengths + first,
                              .ids = bench->text.ids + at};
    uint64_t rows = 0;

    while (first + pack.items < bench->text.count &&
           rows + pack.lengths[pack.items] <= bench->rows)
        rows += pack.lengths[pack.items++];
    return pack;
}

static enum status embed_all(struct bench *bench)
{
    struct model_fault fault;
    uint64_t at = 0;
    enum status status = STATUS_OK;

    for (uint32_t i = 0; !status && i < bench->text.count;) {
        const struct model_pack pack = pack_at(bench, i, at);

        status = model_embed(bench->model, &pack, &bench->port,
                             bench->vectors + (size_t)i * bench->width, &fault);
        for (uint32_t j = 0; j < pack.items; j++)
            at += pack.lengths[j];
        i += pack.items;
    }
    return status ? status : device_finish(bench->device);
}

static enum status embed_run(struct bench *bench, double *value, struct error *err)
{
    const uint64_t start = clock_ns();
    const enum status status = embed_all(bench);

    *value = bench->text.count * 1e9 / (double)(clock_ns() - start);
    return status ? error_set(err, status, "the model failed: %s", status_text(status))
                  : STATUS_OK;
}

static enum status unit_check(const struct bench *bench, struct error *err)
{
    for (uint32_t i = 0; i < bench->text.count; i++) {
        double sum = 0;

        for (uint32_t j = 0; j < bench->width; j++) {
            const double x = (double)bench->vectors[(size_t)i * bench->width + j];
            sum += x * x;
        }
        if (fabs(sum - 1) > 1e-4)
            return error_set(err, STATUS_MISMATCH,
                             "vector %" PRIu32 " has length %g, expected 1", i,
                             sqrt(sum));
    }
    return STATUS_OK;
}

/* The first sentences, each alone, on another way through the same arithmetic. */
static enum status compare(const struct bench *bench, struct model *model,
                           struct matmul_port *port, struct error *err)
{
    float *vector = memory_array(bench->width, sizeof *vector);
    struct model_pack one = {
        .items = 1, .ids = bench->text.ids, .lengths = bench->text.lengths};
    struct model_fault fault;
    enum status status = vector ? STATUS_OK : STATUS_NO_MEMORY;

    for (uint32_t i = 0; !status && i < COMPARED && i < bench->text.count; i++) {
        status = model_embed(model, &one, port, vector, &fault);
        if (!status && memcmp(vector, bench->vectors + (size_t)i * bench->width,
                              bench->width * sizeof *vector) != 0)
            status = STATUS_MISMATCH;
        one.ids += *one.lengths++;
    }
    memory_free(vector);
    return status ? error_set(err, status, "a sentence computed alone: %s",
                              status_text(status))
                  : STATUS_OK;
}

static enum status portable_check(const struct bench *bench, struct error *err)
{
    const struct device_options options = {.threads = 1, .variant = "portable"};
    struct device *device = NULL;
    struct model *model = NULL;
    struct matmul_port port;
    enum status status = device_open(&backend_cpu, 0, &options, &device, err);

    if (!status)
        status = model_open(device, bench->artifact, bench->rows, &model, err);
    if (!status) {
        matmul_port_plain(&port, device);
        status = compare(bench, model, &port, err);
    }
    model_close(model);
    device_close(device);
    if (status)
        error_prefix(err, "beside plain C");
    return status;
}

static enum status embed_ready(struct bench *bench, const struct bench_setup *setup,
                               struct error *err)
{
    double value;
    enum status status = artifact_open(setup->model, &bench->artifact, err);

    if (!status)
        status = sorted_text_read(setup->text, bench->artifact, &bench->text, err);
    if (status)
        return status;
    const uint32_t longest = bench->text.lengths[bench->text.count - 1];
    bench->rows = longest > PACK_ROWS ? longest : PACK_ROWS;
    bench->width =
        model_kind_find(artifact_architecture(bench->artifact))->width(bench->artifact);
    bench->vectors =
        memory_array(bench->text.count, bench->width * sizeof *bench->vectors);
    if (!bench->vectors)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the vectors");
    bench->device = setup->device;
    matmul_port_plain(&bench->port, setup->device);
    status = model_open(setup->device, bench->artifact, bench->rows, &bench->model, err);
    if (!status)
        status = embed_run(bench, &value, err);
    if (!status)
        status = unit_check(bench, err);
    if (!status)
        status = compare(bench, bench->model, &bench->port, err);
    return status ? status : portable_check(bench, err);
}

static enum status embed_open(const struct bench_setup *setup, struct bench **out,
                              struct error *err)
{
    if (!setup->model || !setup->text)
        return error_set(err, STATUS_ABSENT, "needs --model DIR and --text FILE");
    *out = memory_new(struct bench);
    if (!*out)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a benchmark");
    return embed_ready(*out, setup, err);
}

static void embed_shape(const struct bench *bench, char text[BENCH_SHAPE_MAX])
{
    snprintf(text, BENCH_SHAPE_MAX, "%" PRIu32 "-sentences,%" PRIu64 "-tokens,%s",
             bench->text.count, bench->text.total,
             precision_name(artifact_precision(bench->artifact)));
}

const struct bench_kind bench_embed = {
    .name = "embed",
    .unit = "sentences/s",
    .open = embed_open,
    .close = embed_close,
    .run = embed_run,
    .shape = embed_shape,
};
