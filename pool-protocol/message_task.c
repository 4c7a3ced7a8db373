/*
 * message_task.c - encodes and decodes assignments, answers, verdicts and cancellations.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/message_task.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "kernels/blake3_host.h"
#include "miner/base/memory.h"
#include "pool-protocol/message_fields.h"

static json_t *input_json(const struct assignment *from)
{
    if (!from->input.size && *from->input_hash)
        return json_pack("{s:s,s:I}", "hash", from->input_hash, "size",
                         (json_int_t)from->input_size);
    return json_pack("{s:o}", "inline", fields_base64_json(blob_bytes(&from->input)));
}

/* Half of all seeds do not fit JSON's integers: those are 16 hex digits. */
static json_t *seed_json(uint64_t seed)
{
    if (seed <= INT64_MAX)
        return json_integer((json_int_t)seed);
    return json_sprintf("%016llx", (unsigned long long)seed);
}

static json_t *parameters_json(const struct task_parameters *from)
{
    if (!from->has_shape)
        return json_object();
    return json_pack("{s:I,s:I,s:I,s:o}", "m", (json_int_t)from->m, "n",
                     (json_int_t)from->n, "k", (json_int_t)from->k, "seed",
                     seed_json(from->seed));
}

enum status message_assign_encode(const struct assignment *from, struct blob *out)
{
    json_t *params = json_pack(
        "{s:s,s:s,s:s,s:s,s:o,s:o,s:I,s:I,s:I}", "task_id", from->id, "kind", from->kind,
        "model", from->model, "contract", MESSAGE_CONTRACT, "input", input_json(from),
        "params", parameters_json(&from->parameters), "rows", (json_int_t)from->rows,
        "lease_s", (json_int_t)from->lease_s, "work_units", (json_int_t)from->work_units);

    assert(from->input.size <= TASK_INLINE_MAX);
    if (!params)
        return STATUS_BAD_DATA;
    return fields_write(
        json_pack("{s:n,s:s,s:o}", "id", "method", MESSAGE_TASK_ASSIGN, "params", params),
        out);
}

/* Inline bytes of at most TASK_INLINE_MAX into out. */
static void fields_inline(struct fields *fields, struct blob *out)
{
    size_t size = 0;
    const char *text = fields_long_text(fields, "inline", &size);

    if (fields->status || !size)
        return;
    blob_free(out);
    *out = blob_empty(TASK_INLINE_MAX);
    const enum status status = base64_decode(text, size, out);
    if (status == STATUS_NO_MEMORY)
        fields->status =
            error_set(fields->err, status, "no memory for %zu characters", size);
    else if (status)
        fields_refuse(fields, "inline", "base64 of at most 262144 bytes");
}

static void input_decode(struct fields *params, struct assignment *out)
{
    if (!fields_has(params, "input"))
        return; /* a kind that needs one says so */

    struct fields input = fields_inside(params, "input", MESSAGE_TASK_ASSIGN " input");
    if (fields_has(&input, "inline")) {
        fields_inline(&input, &out->input);
        out->input_size = out->input.size;
    } else {
        fields_id(&input, "hash", 64, out->input_hash);
        fields_u64(&input, "size", 1, TASK_INPUT_MAX, &out->input_size);
    }
    fields_join(params, &input);
}

static void seed_decode(struct fields *fields, uint64_t *out)
{
    uint8_t bytes[8];

    if (!json_is_string(json_object_get(fields->object, "seed"))) {
        fields_u64(fields, "seed", 0, INT64_MAX, out);
        return;
    }
    fields_hex(fields, "seed", sizeof bytes, bytes);
    for (size_t i = 0; i < sizeof bytes && !fields->status; i++)
        *out = *out << 8 | bytes[i];
}

static void parameters_decode(struct fields *params, struct task_parameters *out)
{
    if (!fields_has(params, "params"))
        return;

    struct fields inside = fields_inside(params, "params", MESSAGE_TASK_ASSIGN " params");
    const size_t count = json_object_size(inside.object);
    out->has_shape = fields_has(&inside, "m");
    if (out->has_shape) {
        fields_u64(&inside, "m", 0, INT64_MAX, &out->m);
        fields_u64(&inside, "n", 0, INT64_MAX, &out->n);
        fields_u64(&inside, "k", 0, INT64_MAX, &out->k);
        seed_decode(&inside, &out->seed);
    }
    if (!inside.status && count != (out->has_shape ? 4 : 0))
        inside.status =
            error_set(params->err, STATUS_NOT_SUPPORTED,
                      MESSAGE_TASK_ASSIGN ": params are others than m, n, k and seed");
    fields_join(params, &inside);
}

static void assign_decode_rest(struct fields *params, struct assignment *out)
{
    char contract[32] = "";

    fields_text(params, "kind", 1, TASK_KIND_MAX, out->kind);
    if (fields_has(params, "model") && !params->status &&
        json_string_length(json_object_get(params->object, "model")) == 0)
        fields_text(params, "model", 0, MODEL_ID_SIZE, out->model);
    else if (fields_has(params, "model"))
        fields_id(params, "model", MODEL_ID_SIZE, out->model);
    fields_text(params, "contract", 1, sizeof contract - 1, contract);
    fields_u32(params, "rows", 1, TASK_ROWS_MAX, &out->rows);
    fields_u32(params, "lease_s", 1, TASK_LEASE_S_MAX, &out->lease_s);
    if (fields_has(params, "work_units"))
        fields_u64(params, "work_units", 0, INT64_MAX, &out->work_units);
    input_decode(params, out);
    if (!params->status && strcmp(contract, MESSAGE_CONTRACT)) {
        message_text_clean(contract);
        params->status = error_set(params->err, STATUS_NOT_SUPPORTED,
                                   MESSAGE_TASK_ASSIGN
                                   ": contract is \"%s\", expected " MESSAGE_CONTRACT,
                                   contract);
    }
    parameters_decode(params, &out->parameters);
}

enum status message_assign_decode(const struct message_line *line,
                                  struct assignment **out, struct error *err)
{
    struct fields params = fields_params(line, MESSAGE_TASK_ASSIGN, err);

    *out = NULL;
    if (params.status)
        return params.status;
    struct assignment *work = memory_new(struct assignment);
    if (!work)
        return error_set(err, STATUS_NO_MEMORY, "no memory for an assignment");
    work->rows = ASSIGNMENT_ROWS_DEFAULT;
    fields_id(&params, "task_id", TASK_ID_SIZE, work->id);
    if (params.status) {
        assignment_free(work);
        return params.status;
    }
    assign_decode_rest(&params, work);
    *out = work;
    return params.status;
}

void message_answer_free(struct message_answer *answer)
{
    if (answer)
        blob_free(&answer->answer.output);
}

static json_t *result_json(const struct answer *from)
{
    const struct bytes output = blob_bytes(&from->output);
    json_t *json = NULL;

    if (output.size <= TASK_INLINE_MAX) {
        json = json_pack("{s:o}", "inline", fields_base64_json(output));
    } else {
        uint8_t digest[BLAKE3_SIZE];
        char hash[2 * BLAKE3_SIZE + 1];

        blake3_hash(output.data, output.size, NULL, digest);
        hex_encode(digest, sizeof digest, hash);
        json = json_pack("{s:s}", "hash", hash);
    }
    return json_pack("{s:s,s:s,s:I,s:o,s:{s:f,s:I,s:I}}", "task_id", from->task_id,
                     "result", from->result_hash, "size", (json_int_t)output.size,
                     "output", json, "stats", "seconds", from->seconds, "macs",
                     (json_int_t)from->macs, "proved_macs",
                     (json_int_t)from->proved_macs);
}

enum status message_answer_encode(int64_t id, const struct answer *from, struct blob *out)
{
    const char *method = NULL;
    json_t *params = NULL;

    switch (from->kind) {
    case ANSWER_ACCEPT:
        method = MESSAGE_TASK_ACCEPT;
        params = json_pack("{s:s}", "task_id", from->task_id);
        break;
    case ANSWER_DECLINE:
        method = MESSAGE_TASK_DECLINE;
        params = json_pack("{s:s,s:s}", "task_id", from->task_id, "reason", from->reason);
        break;
    case ANSWER_PROGRESS:
        method = MESSAGE_TASK_PROGRESS;
        params = json_pack("{s:s,s:I,s:I}", "task_id", from->task_id, "done",
                           (json_int_t)from->done, "total", (json_int_t)from->total);
        break;
    case ANSWER_DONE:
        method = MESSAGE_TASK_RESULT;
        params = result_json(from);
        break;
    }
    assert(method);
    if (!params)
        return STATUS_BAD_DATA;
    return fields_write(json_pack("{s:I,s:s,s:o}", "id", (json_int_t)id, "method", method,
                                  "params", params),
                        out);
}

static void stats_decode(struct fields *params, struct answer *out)
{
    struct fields stats = fields_inside(params, "stats", MESSAGE_TASK_RESULT " stats");

    if (fields_has(&stats, "seconds"))
        fields_real(&stats, "seconds", &out->seconds);
    if (fields_has(&stats, "macs"))
        fields_u64(&stats, "macs", 0, INT64_MAX, &out->macs);
    if (fields_has(&stats, "proved_macs"))
        fields_u64(&stats, "proved_macs", 0, INT64_MAX, &out->proved_macs);
    fields_join(params, &stats);
}

static void result_decode(struct fields *params, struct message_answer *out)
{
    fields_id(params, "result", 64, out->answer.result_hash);
    fields_u64(params, "size", 1, TASK_OUTPUT_MAX, &out->output_size);

    struct fields output = fields_inside(params, "output", MESSAGE_TASK_RESULT " output");
    if (fields_has(&output, "inline")) {
        fields_inline(&output, &out->answer.output);
        if (!output.status && out->answer.output.size != out->output_size)
            fields_refuse(params, "size", "the size of the inline output");
    } else {
        fields_id(&output, "hash", 64, out->output_hash);
    }
    fields_join(params, &output);
    if (fields_has(params, "stats"))
        stats_decode(params, &out->answer);
}

static void answer_decode_rest(struct fields *params, struct message_answer *out)
{
    struct answer *answer = &out->answer;

    switch (answer->kind) {
    case ANSWER_ACCEPT:
        break;
    case ANSWER_DECLINE:
        if (fields_has(params, "reason"))
            fields_text(params, "reason", 0, sizeof answer->reason - 1, answer->reason);
        break;
    case ANSWER_PROGRESS:
        fields_u64(params, "done", 0, INT64_MAX, &answer->done);
        fields_u64(params, "total", 0, INT64_MAX, &answer->total);
        if (!params->status && answer->done > answer->total)
            fields_refuse(params, "done", "at most total");
        break;
    case ANSWER_DONE:
        result_decode(params, out);
        break;
    }
}

enum status message_answer_decode(const struct message_line *line,
                                  struct message_answer *out, struct error *err)
{
    static const char *const methods[] = {
        [ANSWER_ACCEPT] = MESSAGE_TASK_ACCEPT,
        [ANSWER_DECLINE] = MESSAGE_TASK_DECLINE,
        [ANSWER_PROGRESS] = MESSAGE_TASK_PROGRESS,
        [ANSWER_DONE] = MESSAGE_TASK_RESULT,
    };
    const char *method = message_line_method(line);
    size_t kind = 0;

    *out = (struct message_answer){0};
    while (kind < sizeof methods / sizeof *methods && strcmp(method, methods[kind]))
        kind++;
    if (kind == sizeof methods / sizeof *methods)
        return error_set(err, STATUS_BAD_MESSAGE, "not a task.* request of a worker");
    out->answer.kind = (enum answer_kind)kind;

    struct fields params = fields_params(line, methods[kind], err);
    fields_id(&params, "task_id", TASK_ID_SIZE, out->answer.task_id);
    answer_decode_rest(&params, out);
    if (params.status)
        message_answer_free(out);
    return params.status;
}

static const char *const result_names[] = {
    [RESULT_ACCEPTED] = "accepted",
    [RESULT_PENDING] = "pending",
    [RESULT_REJECTED] = "rejected",
};

enum status message_result_encode(const struct message_id *id,
                                  const struct message_result *from, struct blob *out)
{
    json_t *result = json_pack("{s:s}", "status", result_names[from->status]);

    if (result && *from->reason &&
        json_object_set_new(result, "reason", json_string(from->reason))) {
        json_decref(result);
        result = NULL;
    }
    return fields_write(
        json_pack("{s:o,s:o,s:n}", "id", fields_id_json(id), "result", result, "error"),
        out);
}

enum status message_result_decode(const struct message_line *line,
                                  struct message_result *out, struct error *err)
{
    struct fields reply = {
        .object = line->root, .what = MESSAGE_TASK_RESULT "'s answer", .err = err};
    struct fields result =
        fields_inside(&reply, "result", MESSAGE_TASK_RESULT "'s answer");
    char text[16] = "";
    size_t status = 0;

    *out = (struct message_result){0};
    fields_text(&result, "status", 1, sizeof text - 1, text);
    while (status < RESULT_REJECTED && strcmp(text, result_names[status]))
        status++;
    if (!result.status && strcmp(text, result_names[status]))
        fields_refuse(&result, "status", "accepted, pending or rejected");
    out->status = (enum result_status)status;
    if (fields_has(&result, "reason"))
        fields_text(&result, "reason", 0, MESSAGE_TEXT_MAX, out->reason);
    message_text_clean(out->reason);
    return result.status;
}

enum status message_cancel_encode(const char *task_id, struct blob *out)
{
    return fields_write(json_pack("{s:n,s:s,s:{s:s}}", "id", "method",
                                  MESSAGE_TASK_CANCEL, "params", "task_id", task_id),
                        out);
}

enum status message_cancel_decode(const struct message_line *line,
                                  char task_id[TASK_ID_SIZE + 1], struct error *err)
{
    struct fields params = fields_params(line, MESSAGE_TASK_CANCEL, err);

    task_id[0] = 0;
    fields_id(&params, "task_id", TASK_ID_SIZE, task_id);
    return params.status;
}
