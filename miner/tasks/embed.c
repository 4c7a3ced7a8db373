/*
 * embed.c - the kind `embed`: token ids in, one unit vector a sequence out.
 *
 * One step runs one pack through the model.  A value that leaves the numeric range ends
 * the task with a fault record, which is an answer like any other: every worker gives the
 * same.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "miner/base/memory.h"
#include "miner/tasks/embeddings.h"
#include "miner/tasks/sequences.h"

struct station {
    struct station_head head;
    const struct model_kind *network;
    struct model *model;
    uint64_t rows_max; /* token rows the model has room for */
};

struct task {
    struct task_head head;
    struct sequences input;
    struct task_layout layout;
    uint32_t pack;  /* the next one */
    uint64_t token; /* where its ids begin */
    uint32_t width;
    float *vectors; /* [items][width] */
    struct fault_record fault;
    bool has_fault;
};

static enum status embed_network(const struct artifact *artifact,
                                 const struct model_kind **out, struct error *err)
{
    *out = model_kind_find(artifact_architecture(artifact));
    if (!*out)
        return error_set(err, STATUS_NOT_SUPPORTED, "no network is called \"%s\"",
                         artifact_architecture(artifact));
    return STATUS_OK;
}

static struct model_shape embed_shape(const struct artifact *artifact,
                                      const struct assignment *work,
                                      const struct task_layout *layout, struct site site)
{
    const struct model_kind *network = model_kind_find(artifact_architecture(artifact));
    (void)work;
    assert(site.pack < layout->packs);
    assert(site.product < layout->products);
    return network->product_shape(artifact, site.product, layout->pack_rows[site.pack]);
}

/* The layout of an input that was read already. */
static enum status embed_lay_out(const struct artifact *artifact,
                                 const struct assignment *work,
                                 const struct sequences *input, struct task_layout *out,
                                 struct error *err)
{
    const struct model_kind *network = NULL;
    enum status status = embed_network(artifact, &network, err);
    if (status)
        return status;
    const struct sequence_limits limits = {
        .length_max = network->sequence_max(artifact),
        .vocabulary = network->vocabulary(artifact),
    };
    status = sequences_check(input, &limits, err);
    if (!status)
        status = sequences_pack(input, work->rows, out, err);
    if (status)
        return status;

    out->products = network->product_count(artifact);
    out->output_size = embeddings_size(input->count, network->width(artifact));
    for (uint32_t pack = 0; pack < out->packs; pack++)
        for (uint32_t product = 0; product < out->products; product++) {
            const struct model_shape s = embed_shape(
                artifact, work, out, (struct site){.pack = pack, .product = product});
            out->work_units += s.m * s.n * s.k;
        }
    return STATUS_OK;
}

static enum status embed_read(const struct assignment *work, struct sequences *out,
                              struct error *err)
{
    if (work->parameters.has_shape)
        return error_set(err, STATUS_BAD_DATA, "embed takes no parameters");
    return sequences_parse(blob_bytes(&work->input), out, err);
}

static enum status embed_layout(const struct artifact *artifact,
                                const struct assignment *work, struct task_layout *out,
                                struct error *err)
{
    struct sequences input;
    enum status status = embed_read(work, &input, err);
    if (status)
        return status;
    status = embed_lay_out(artifact, work, &input, out, err);
    sequences_free(&input);
    return status;
}

static enum status embed_weights(const struct artifact *artifact,
                                 const struct assignment *work, uint32_t product,
                                 struct blob *out)
{
    const struct model_kind *network = model_kind_find(artifact_architecture(artifact));
    (void)work;
    const struct bytes bytes = network->product_weights(artifact, product);
    return blob_add(out, bytes.data, bytes.size);
}

static void embed_teardown(struct station *station)
{
    model_close(station->model);
    memory_free(station);
}

static enum status embed_setup(struct device *device, const struct task_options *options,
                               struct station **out, struct error *err)
{
    const struct model_kind *network = NULL;
    enum status status = embed_network(options->artifact, &network, err);
    if (status)
        return status;
    struct station *station = memory_new(struct station);
    if (!station)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a station");
    /* One item alone may exceed a pack's rows. */
    const uint32_t longest = network->sequence_max(options->artifact);
    const uint32_t rows = options->rows > longest ? options->rows : longest;
    *station = (struct station){
        .head = {&task_embed, device, options->artifact, options->rows},
        .network = network,
        .rows_max = rows,
    };
    status = model_open(device, options->artifact, rows, &station->model, err);
    if (status) {
        embed_teardown(station);
        return status;
    }
    *out = station;
    return STATUS_OK;
}

static void embed_close(struct task *task)
{
    task_layout_free(&task->layout);
    sequences_free(&task->input);
    memory_free(task->vectors);
    memory_free(task);
}

/* Everything a task needs until its answer. */
static enum status embed_fill(struct task *task, const struct station *station,
                              const struct assignment *work, struct error *err)
{
    enum status status = embed_read(work, &task->input, err);
    if (!status)
        status =
            embed_lay_out(station->head.artifact, work, &task->input, &task->layout, err);
    if (status)
        return status;
    if (task->layout.rows_longest > station->rows_max)
        return error_set(err, STATUS_NO_MEMORY,
                         "a pack of %" PRIu64 " token rows, this station holds %" PRIu64,
                         task->layout.rows_longest, station->rows_max);
    task->width = station->network->width(station->head.artifact);
    task->vectors =
        memory_array((size_t)task->layout.items * task->width, sizeof *task->vectors);
    if (!task->vectors)
        return error_set(err, STATUS_NO_MEMORY,
                         "no memory for %" PRIu32 " vectors of %" PRIu32 " numbers",
                         task->layout.items, task->width);
    return STATUS_OK;
}

static enum status embed_open(struct station *station, const struct assignment *work,
                              struct task **out, struct error *err)
{
    struct task *task = memory_new(struct task);
    if (!task)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a task");
    task->head =
        (struct task_head){.kind = &task_embed, .station = station, .work = work};
    const enum status status = embed_fill(task, station, work, err);
    if (status) {
        embed_close(task);
        return status;
    }
    *out = task;
    return STATUS_OK;
}

static struct weights *embed_operand(const struct task *task, uint32_t product)
{
    assert(product < task->layout.products);
    return model_weights(task->head.station->model, product);
}

static enum status embed_step(struct task *task, struct matmul_port *port)
{
    const struct task_layout *plan = &task->layout;
    const uint32_t first = plan->pack_items[task->pack];
    const struct model_pack pack = {
        .index = task->pack,
        .items = plan->pack_items[task->pack + 1] - first,
        .lengths = task->input.lengths + first,
        .ids = task->input.ids + task->token,
    };
    struct model_fault fault = {0};
    assert(task->pack < plan->packs);

    enum status status = model_embed(task->head.station->model, &pack, port,
                                     task->vectors + (size_t)first * task->width, &fault);
    if (status == STATUS_FAULT) {
        assert(fault.is_set);
        task->fault =
            (struct fault_record){(int32_t)task->pack, fault.product, fault.row};
        task->has_fault = true;
    } else if (status) {
        return status;
    }
    task->token += plan->pack_rows[task->pack];
    task->pack++;
    if (!task->has_fault && task->pack < plan->packs)
        return STATUS_OK;
    status = matmul_drain(port);
    return status ? status : STATUS_DONE;
}

static void embed_progress(const struct task *task, uint64_t *done, uint64_t *total)
{
    *done = task->layout.pack_items[task->pack];
    *total = task->layout.items;
}

static enum status embed_answer(const struct task *task, struct blob *output)
{
    const struct embeddings vectors = {task->layout.items, task->width, task->vectors};
    if (task->has_fault)
        return fault_record_write(&task->fault, output, NULL);
    const enum status status = embeddings_write(&vectors, output, NULL);
    assert(status || output->size == task->layout.output_size);
    return status;
}

const struct task_kind task_embed = {
    .name = "embed",
    .needs_model = true,
    .layout = embed_layout,
    .shape = embed_shape,
    .weights = embed_weights,
    .setup = embed_setup,
    .teardown = embed_teardown,
    .open = embed_open,
    .close = embed_close,
    .step = embed_step,
    .operand = embed_operand,
    .progress = embed_progress,
    .answer = embed_answer,
    .split = sequences_split,
    .join = embeddings_join,
};
