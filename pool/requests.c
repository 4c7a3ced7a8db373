/*
 * requests.c - takes requests in, splits long ones, joins their parts.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool/requests.h"

#include <stdio.h>
#include <string.h>

#include "kernels/blake3_host.h"
#include "miner/base/file.h"
#include "miner/base/log.h"
#include "miner/base/memory.h"
#include "pool-protocol/message_task.h"
#include "pool/tasks.h"
#include "pool/works.h"

enum { OUTPUT_SIZE_MAX = 512 << 20 };
#define MATRICES_MAX                                                                     \
    ((uint64_t)2 << 30) /* of a generated product, to be checked in memory */

static enum status id_new(char id[TASK_ID_SIZE + 1], struct error *err)
{
    uint8_t raw[TASK_ID_SIZE / 2];
    const enum status status = random_bytes(raw, sizeof raw, err);

    if (!status)
        hex_encode(raw, sizeof raw, id);
    return status;
}

static void hash_text(struct bytes data, char out[BLOB_NAME_SIZE + 1])
{
    uint8_t digest[BLAKE3_SIZE];

    blake3_hash(data.data, data.size, NULL, digest);
    hex_encode(digest, sizeof digest, out);
}

/* What a request is, before it is stored. */
struct request {
    const struct http_submit *submit;
    const struct task_kind *kind;
    const struct artifact *artifact;
    struct blob *parts; /* owned; NULL: it is one task */
    uint32_t count;
};

static enum status request_check_size(const struct request *request,
                                      const struct task_layout *layout, struct error *err)
{
    const struct task_parameters *p = &request->submit->parameters;

    if (layout->output_size > OUTPUT_SIZE_MAX)
        return error_set(err, STATUS_BAD_DATA,
                         "the result would have %llu bytes, this pool takes up to %d",
                         (unsigned long long)layout->output_size, OUTPUT_SIZE_MAX);
    if (p->has_shape && p->m * p->k + p->n * p->k + 4 * p->m * p->n > MATRICES_MAX)
        return error_set(
            err, STATUS_BAD_DATA,
            "the matrices have more than the %llu bytes that this pool checks",
            (unsigned long long)MATRICES_MAX);
    return STATUS_OK;
}

/* The stored form of one input; adds its layout's numbers, or says what can never run. */
static enum status request_task(const struct request *request, const struct blob *input,
                                struct stored_task *task, struct error *err)
{
    struct assignment work = {.rows = ASSIGNMENT_ROWS_DEFAULT,
                              .input = *input, /* lent */
                              .parameters = request->submit->parameters};
    struct task_layout layout = {0};
    enum status status;

    snprintf(work.kind, sizeof work.kind, "%s", request->submit->kind);
    snprintf(work.model, sizeof work.model, "%s", request->submit->model);
    status = request->kind->layout(request->artifact, &work, &layout, err);
    if (!status)
        status = request_check_size(request, &layout, err);
    if (!status)
        status = id_new(task->id, err);
    snprintf(task->kind, sizeof task->kind, "%s", work.kind);
    snprintf(task->model, sizeof task->model, "%s", work.model);
    if (input->size)
        hash_text(blob_bytes(input), task->input_hash);
    task->input_size = input->size;
    task->parameters = work.parameters;
    task->rows = work.rows;
    task->items = layout.items;
    task->token_rows = layout.rows;
    task->output_size = layout.output_size;
    task->work_units = layout.work_units;
    task_layout_free(&layout);
    return status;
}

static enum status request_split(struct request *request, const struct stored_task *whole,
                                 struct error *err)
{
    if (whole->token_rows <= REQUEST_ROWS_MAX)
        return STATUS_OK;
    const enum status status =
        request->kind->split(blob_bytes(&request->submit->input), REQUEST_ROWS_MAX,
                             &request->parts, &request->count, err);
    /* A kind that cannot be split is one task, however large. */
    return status == STATUS_NOT_SUPPORTED ? STATUS_OK : status;
}

static enum status request_store_part(struct pool *pool, const struct request *request,
                                      const struct stored_task *whole, uint32_t part,
                                      struct error *err)
{
    struct stored_task task = {.part = part};
    enum status status = request_task(request, &request->parts[part], &task, err);

    snprintf(task.parent, sizeof task.parent, "%s", whole->id);
    if (!status)
        status = store_blob_put(pool->store, task.input_hash,
                                blob_bytes(&request->parts[part]), err);
    return status ? status : store_task_add(pool->store, &task, err);
}

/* Within a transaction. */
static enum status request_store(struct pool *pool, const struct request *request,
                                 struct stored_task *whole, struct error *err)
{
    enum status status = STATUS_OK;

    if (request->count > 1) {
        whole->state = STORED_SPLIT;
        whole->part = request->count;
        whole->input_hash[0] = 0;
    } else if (*whole->input_hash) {
        status = store_blob_put(pool->store, whole->input_hash,
                                blob_bytes(&request->submit->input), err);
    }
    if (!status)
        status = store_task_add(pool->store, whole, err);
    for (uint32_t i = 0; !status && request->count > 1 && i < request->count; i++)
        status = request_store_part(pool, request, whole, i, err);
    return status;
}

static enum status request_save(struct pool *pool, const struct request *request,
                                struct stored_task *whole, struct error *err)
{
    pool_lock(pool);
    enum status status = store_begin(pool->store, STORE_MONEY, err);
    if (!status)
        status = request_store(pool, request, whole, err);
    if (!status)
        status = store_commit(pool->store, err);
    else
        store_rollback(pool->store);
    if (!status)
        tasks_assign_all(pool);
    else
        pool_store_failed(pool, status, err);
    pool_unlock(pool);
    return status;
}

enum status request_add(struct pool *pool, const struct http_submit *submit,
                        char id[TASK_ID_SIZE + 1], struct error *err)
{
    struct request request = {.submit = submit};
    struct stored_task whole = {.part = 0};
    enum status status = work_kind(pool, submit->kind, submit->model, &request.kind,
                                   &request.artifact, err);

    if (!status)
        status = request_task(&request, &submit->input, &whole, err);
    if (!status)
        status = request_split(&request, &whole, err);
    if (!status)
        status = request_save(pool, &request, &whole, err);
    task_parts_free(request.parts, request.count);
    snprintf(id, TASK_ID_SIZE + 1, "%s", whole.id);
    return status;
}

/* OK when all parts are done, CLOSED when one failed, AGAIN otherwise; last says why, or
 * how little was checked. */
static enum status join_ready(struct pool *pool, const struct stored_task *whole,
                              struct stored_task *last, struct error *err)
{
    enum task_checked checked = CHECKED_POOL;
    bool is_done = true;

    for (uint32_t i = 0; i < whole->part; i++) {
        const enum status status = store_task_child(pool->store, whole->id, i, last, err);
        if (status)
            return status;
        if (last->state == STORED_FAILED)
            return STATUS_CLOSED;
        is_done &= last->state == STORED_DONE;
        checked = last->checked < checked ? last->checked : checked;
    }
    last->checked = checked;
    return is_done ? STATUS_OK : STATUS_AGAIN;
}

/* Outputs of all parts, in order. */
static enum status join_outputs(struct pool *pool, const struct stored_task *whole,
                                struct blob *outputs, struct error *err)
{
    struct stored_task part;
    enum status status = STATUS_OK;

    for (uint32_t i = 0; !status && i < whole->part; i++) {
        outputs[i] = blob_empty(OUTPUT_SIZE_MAX);
        status = store_task_child(pool->store, whole->id, i, &part, err);
        if (!status)
            status = store_blob_get(pool->store, part.output_hash, &outputs[i], err);
    }
    return status;
}

static enum status join_run(const struct stored_task *whole, const struct blob *outputs,
                            struct blob *out, struct error *err)
{
    const struct task_kind *kind = task_kind_find(whole->kind);
    struct bytes *parts = memory_array(whole->part, sizeof *parts);

    if (!kind || !parts)
        return error_set(err, STATUS_NO_MEMORY, "no memory to join %u parts",
                         whole->part);
    for (uint32_t i = 0; i < whole->part; i++)
        parts[i] = blob_bytes(&outputs[i]);
    const enum status status = kind->join(parts, whole->part, out, err);
    memory_free(parts);
    return status;
}

/* Lock held. */
static enum status join_save(struct pool *pool, struct stored_task *whole,
                             const struct stored_task *last, struct bytes joined,
                             struct error *err)
{
    enum status status = store_begin(pool->store, STORE_MONEY, err);

    if (joined.data) {
        hash_text(joined, whole->output_hash);
        answer_result_hash(whole->model, whole->id, joined, whole->result_hash);
        whole->state = STORED_DONE;
        whole->checked = last->checked;
        whole->worker = last->worker;
        whole->done = whole->items;
        if (!status)
            status = store_blob_put(pool->store, whole->output_hash, joined, err);
    } else {
        whole->state = STORED_FAILED;
        snprintf(whole->reason, sizeof whole->reason, "%s", last->reason);
    }
    if (!status)
        status = store_task_set(pool->store, whole, err);
    if (!status)
        return store_commit(pool->store, err);
    store_rollback(pool->store);
    return status;
}

void request_join(struct pool *pool, const char *parent)
{
    struct stored_task whole, last = {.part = 0};
    struct blob joined = blob_empty(OUTPUT_SIZE_MAX), *outputs = NULL;
    struct error err = {0};

    pool_lock(pool);
    enum status status = store_task_get(pool->store, parent, &whole, &err);
    if (!status && whole.state != STORED_SPLIT)
        status = STATUS_DONE;
    if (!status)
        status = join_ready(pool, &whole, &last, &err);
    if (!status && !(outputs = memory_array(whole.part, sizeof *outputs)))
        status =
            error_set(&err, STATUS_NO_MEMORY, "no memory to join %u parts", whole.part);
    if (!status)
        status = join_outputs(pool, &whole, outputs, &err);
    pool_unlock(pool);
    if (!status)
        status = join_run(&whole, outputs, &joined, &err);
    if (status == STATUS_BAD_DATA || status == STATUS_NOT_SUPPORTED) {
        /* It never will be joined: the request has failed. */
        snprintf(last.reason, sizeof last.reason, "%.*s", STORE_REASON_MAX,
                 error_text(&err));
        status = STATUS_CLOSED;
    }
    pool_lock(pool);
    if (!status || status == STATUS_CLOSED)
        status = join_save(pool, &whole, &last,
                           status ? bytes_of(NULL, 0) : blob_bytes(&joined), &err);
    if (status && status != STATUS_DONE && status != STATUS_AGAIN)
        log_error("pool", "task %s: its parts could not be joined: %s", parent,
                  error_text(&err));
    pool_unlock(pool);
    for (uint32_t i = 0; outputs && i < whole.part; i++)
        blob_free(&outputs[i]);
    memory_free(outputs);
    blob_free(&joined);
}

void request_join_all(struct pool *pool)
{
    struct stored_task whole = {.id = ""};
    enum status status;

    for (;;) {
        pool_lock(pool);
        status = store_task_walk(pool->store, STORED_SPLIT, whole.id, &whole, NULL);
        pool_unlock(pool);
        if (status)
            return;
        request_join(pool, whole.id);
    }
}
