/*
 * task.c - the table of kinds and their checked face: what holds for all kinds is
 * asserted, counted and refused here once.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/tasks/task.h"

#include <assert.h>
#include <string.h>

#include "miner/base/memory.h"

const struct task_kind *const task_table[] = {
#define TASK(file) &task_##file,
#include "miner/tasks/tasks.def"
#undef TASK
};
const size_t task_count = sizeof task_table / sizeof task_table[0];

const struct task_kind *task_kind_find(const char *name)
{
    for (size_t i = 0; i < task_count; i++)
        if (strcmp(task_table[i]->name, name) == 0)
            return task_table[i];
    return NULL;
}

void task_layout_free(struct task_layout *layout)
{
    if (!layout)
        return;
    memory_free(layout->pack_items);
    memory_free(layout->pack_rows);
    *layout = (struct task_layout){0};
}

void task_parts_free(struct blob *parts, uint32_t count)
{
    if (!parts)
        return;
    for (uint32_t i = 0; i < count; i++)
        blob_free(&parts[i]);
    memory_free(parts);
}

/* Whether there is a model exactly where the kind needs one. */
static enum status check_model(const struct task_kind *kind,
                               const struct artifact *artifact, struct error *err)
{
    if (kind->needs_model && !artifact)
        return error_set(err, STATUS_BAD_DATA, "%s needs a model, none is given",
                         kind->name);
    if (!kind->needs_model && artifact)
        return error_set(err, STATUS_BAD_DATA, "%s takes no model, %s is given",
                         kind->name, artifact_id(artifact));
    return STATUS_OK;
}

/* Whether the model is the one the assignment names. */
static enum status check_named(const struct artifact *artifact,
                               const struct assignment *work, struct error *err)
{
    const char *held = artifact ? artifact_id(artifact) : "";
    if (strcmp(work->model, held) != 0)
        return error_set(err, STATUS_BAD_DATA,
                         "the task is for the model \"%s\", here is \"%s\"", work->model,
                         held);
    return STATUS_OK;
}

enum status task_layout_make(const struct artifact *artifact,
                             const struct assignment *work, struct task_layout *out,
                             struct error *err)
{
    *out = (struct task_layout){0};
    const struct task_kind *kind = task_kind_find(work->kind);
    if (!kind)
        return error_set(err, STATUS_NOT_SUPPORTED, "no kind of task is called \"%s\"",
                         work->kind);
    enum status status = check_model(kind, artifact, err);
    if (!status)
        status = check_named(artifact, work, err);
    if (!status)
        status = kind->layout(artifact, work, out, err);
    if (status) {
        task_layout_free(out);
        return status;
    }
    assert(out->packs > 0);
    assert(out->products > 0);
    assert(out->pack_items[out->packs] == out->items);
    return STATUS_OK;
}

struct model_shape task_shape_max(const struct artifact *artifact,
                                  const struct assignment *work,
                                  const struct task_layout *layout)
{
    const struct task_kind *kind = task_kind_find(work->kind);
    struct model_shape most = {0};
    uint32_t longest = 0;
    assert(kind);
    for (uint32_t pack = 0; pack < layout->packs; pack++)
        if (layout->pack_rows[pack] > layout->pack_rows[longest])
            longest = pack;
    for (uint32_t product = 0; product < layout->products; product++) {
        const struct site site = {.pack = longest, .product = product};
        const struct model_shape shape = kind->shape(artifact, work, layout, site);
        most.m = shape.m > most.m ? shape.m : most.m;
        most.n = shape.n > most.n ? shape.n : most.n;
        most.k = shape.k > most.k ? shape.k : most.k;
    }
    return most;
}

static struct station_head *station_of(struct station *station)
{
    return (struct station_head *)(void *)station;
}

static const struct task_head *task_of(const struct task *task)
{
    return (const struct task_head *)(const void *)task;
}

enum status station_setup(const struct task_kind *kind, struct device *device,
                          const struct task_options *options, struct station **out,
                          struct error *err)
{
    assert(kind);
    assert(device);
    *out = NULL;
    enum status status = check_model(kind, options->artifact, err);
    if (status)
        return status;
    if (kind->needs_model && options->rows == 0)
        return error_set(err, STATUS_BAD_DATA, "rows is 0, expected at least 1");
    status = kind->setup(device, options, out, err);
    assert((status == STATUS_OK) == (*out != NULL));
    assert(!*out || station_of(*out)->kind == kind);
    return status;
}

void station_teardown(struct station *station)
{
    if (station)
        station_of(station)->kind->teardown(station);
}

enum status task_open(struct station *station, const struct assignment *work,
                      struct task **out, struct error *err)
{
    const struct station_head *head = station_of(station);
    *out = NULL;
    if (strcmp(work->kind, head->kind->name) != 0)
        return error_set(err, STATUS_BAD_DATA,
                         "a task of kind \"%s\" on a station for \"%s\"", work->kind,
                         head->kind->name);
    enum status status = check_named(head->artifact, work, err);
    if (!status)
        status = head->kind->open(station, work, out, err);
    assert((status == STATUS_OK) == (*out != NULL));
    assert(!*out || task_of(*out)->work == work);
    return status;
}

void task_close(struct task *task)
{
    if (task)
        task_of(task)->kind->close(task);
}

struct weights *task_operand(const struct task *task, uint32_t product)
{
    struct weights *operand = task_of(task)->kind->operand(task, product);
    assert(operand);
    return operand;
}

enum status task_step(struct task *task, struct matmul_port *port)
{
    struct task_head *head = (struct task_head *)(void *)task;
    assert(!head->is_done);
    assert(port->device == station_of(head->station)->device);

    const uint64_t macs = port->macs;
    const enum status status = head->kind->step(task, port);
    assert(port->macs >= macs);
    head->macs += port->macs - macs;
    head->is_done = status == STATUS_DONE;
    return status;
}

void task_progress(const struct task *task, uint64_t *done, uint64_t *total)
{
    task_of(task)->kind->progress(task, done, total);
    assert(*done <= *total);
}

enum status task_answer(const struct task *task, struct blob *output)
{
    assert(task_of(task)->is_done);
    return task_of(task)->kind->answer(task, output);
}
