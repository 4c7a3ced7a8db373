/*
 * message_http.c - writes and reads the JSON bodies of /v1, and refuses what is not one.
 *
 * A number is an integer that JSON can carry exactly; the seed of a matmul may also come
 * as 16 hex digits, since half of all seeds do not fit a signed 64-bit integer.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/message_http.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/memory.h"

static const char *const state_names[HTTP_TASK_STATE_COUNT] = {
    "queued", "leased", "checking", "done", "failed",
};

const char *http_task_state_name(enum http_task_state state)
{
    assert(state < HTTP_TASK_STATE_COUNT);
    return state_names[state];
}

void http_submit_free(struct http_submit *submit)
{
    if (submit)
        blob_free(&submit->input);
}

static int blob_take_text(const char *text, size_t size, void *blob)
{
    return blob_add(blob, text, size) ? -1 : 0;
}

/* Appends root's text to out and drops root; root may be NULL (no memory). */
static enum status give_json(json_t *root, struct blob *out)
{
    if (!root)
        return STATUS_NO_MEMORY;
    const int failed = json_dump_callback(root, blob_take_text, out, JSON_COMPACT);
    json_decref(root);
    return failed ? STATUS_FULL : STATUS_OK;
}

/* A sentence as JSON text: one that was cut inside a UTF-8 sequence loses its foreign
 * letters. */
static json_t *sentence(const char *text)
{
    json_t *whole = json_string(text);
    if (whole)
        return whole;
    char plain[HTTP_REASON_MAX + 1];
    (void)snprintf(plain, sizeof plain, "%s", text);
    for (char *c = plain; *c; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    return json_string(plain);
}

/* The body as an object, held by the caller; NULL with the sentence in err. */
static json_t *take_object(struct bytes body, struct error *err)
{
    json_error_t fault;
    json_t *root =
        json_loadb((const char *)body.data, body.size, JSON_REJECT_DUPLICATES, &fault);
    if (!root) {
        error_set(err, STATUS_BAD_MESSAGE, "not JSON at byte %d: %s", fault.position,
                  fault.text);
        return NULL;
    }
    if (!json_is_object(root)) {
        error_set(err, STATUS_BAD_MESSAGE, "the body is no JSON object");
        json_decref(root);
        return NULL;
    }
    return root;
}

/* The string called name, of at most size_max bytes, into out (size_max + 1). */
static enum status take_text(const json_t *object, const char *name, size_t size_max,
                             char *out, struct error *err)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_string(value))
        return error_set(err, STATUS_BAD_MESSAGE, "%s: no string", name);
    const size_t size = json_string_length(value);
    if (size > size_max || memchr(json_string_value(value), 0, size))
        return error_set(err, STATUS_BAD_MESSAGE,
                         "%s: %zu bytes, expected text of at most %zu", name, size,
                         size_max);
    memcpy(out, json_string_value(value), size);
    out[size] = 0;
    return STATUS_OK;
}

static enum status take_number(const json_t *object, const char *name, uint64_t *out,
                               struct error *err)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return error_set(err, STATUS_BAD_MESSAGE, "%s: no integer from 0", name);
    *out = (uint64_t)json_integer_value(value);
    return STATUS_OK;
}

static enum status take_real(const json_t *object, const char *name, double *out,
                             struct error *err)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_number(value) || !(json_number_value(value) >= 0))
        return error_set(err, STATUS_BAD_MESSAGE, "%s: no number from 0", name);
    *out = json_number_value(value);
    return STATUS_OK;
}

static enum status take_id(const json_t *object, char id[TASK_ID_SIZE + 1],
                           struct error *err)
{
    const enum status status = take_text(object, "id", TASK_ID_SIZE, id, err);
    if (status)
        return status;
    if (!hex_is_id(id, TASK_ID_SIZE))
        return error_set(err, STATUS_BAD_MESSAGE, "id: \"%s\", expected 32 hex digits",
                         id);
    return STATUS_OK;
}

static bool kind_is_word(const char *kind)
{
    return kind[0] &&
           strspn(kind, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(kind);
}

/* kind and model, which requests and replies have in common. */
static enum status take_kind(const json_t *object, char kind[TASK_KIND_MAX + 1],
                             char model[MODEL_ID_SIZE + 1], struct error *err)
{
    enum status status = take_text(object, "kind", TASK_KIND_MAX, kind, err);
    if (status)
        return status;
    if (!kind_is_word(kind))
        return error_set(err, STATUS_BAD_MESSAGE,
                         "kind: expected small letters, digits and _");
    status = take_text(object, "model", MODEL_ID_SIZE, model, err);
    if (status)
        return status;
    if (model[0] && !hex_is_id(model, MODEL_ID_SIZE))
        return error_set(err, STATUS_BAD_MESSAGE, "model: \"%s\", expected 64 hex digits",
                         model);
    return STATUS_OK;
}

/* JSON integers are signed here: larger numbers, which only totals could reach, stay at
 * the top. */
static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)(value > INT64_MAX ? INT64_MAX : value));
}

static json_t *parameters_give(const struct task_parameters *parameters)
{
    json_t *object = json_object();
    if (!parameters->has_shape)
        return object;
    json_object_set_new(object, "m", number(parameters->m));
    json_object_set_new(object, "n", number(parameters->n));
    json_object_set_new(object, "k", number(parameters->k));
    if (parameters->seed <= INT64_MAX)
        json_object_set_new(object, "seed", number(parameters->seed));
    else
        json_object_set_new(object, "seed",
                            json_sprintf("%016" PRIx64, parameters->seed));
    return object;
}

static enum status seed_take(const json_t *object, uint64_t *out, struct error *err)
{
    const json_t *seed = json_object_get(object, "seed");
    uint8_t bytes[8];
    if (!json_is_string(seed))
        return take_number(object, "seed", out, err);
    if (!hex_decode(json_string_value(seed), bytes, sizeof bytes))
        return error_set(err, STATUS_BAD_MESSAGE, "seed: expected 16 hex digits");
    *out = 0;
    for (size_t i = 0; i < sizeof bytes; i++)
        *out = *out << 8 | bytes[i];
    return STATUS_OK;
}

static enum status parameters_take(const json_t *object, struct task_parameters *out,
                                   struct error *err)
{
    if (!object || json_object_size(object) == 0)
        return json_is_object(object) || !object
                   ? STATUS_OK
                   : error_set(err, STATUS_BAD_MESSAGE, "params: no object");
    static const char *const known[] = {"m", "n", "k", "seed"};
    size_t found = 0;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        found += json_object_get(object, known[i]) != NULL;
    if (found != json_object_size(object))
        return error_set(err, STATUS_BAD_MESSAGE,
                         "params: unknown name, expected m, n, k and seed");
    enum status status = take_number(object, "m", &out->m, err);
    if (!status)
        status = take_number(object, "n", &out->n, err);
    if (!status)
        status = take_number(object, "k", &out->k, err);
    if (!status)
        status = seed_take(object, &out->seed, err);
    out->has_shape = !status;
    if (status)
        error_prefix(err, "params");
    return status;
}

enum status message_http_submit_encode(const struct http_submit *submit, struct blob *out)
{
    struct blob text = blob_empty(HTTP_BODY_SIZE_MAX);
    enum status status = STATUS_OK;
    json_t *root = json_object();
    json_object_set_new(root, "kind", json_string(submit->kind));
    json_object_set_new(root, "model", json_string(submit->model));
    json_object_set_new(root, "params", parameters_give(&submit->parameters));
    if (submit->input.size) {
        status = base64_encode(blob_bytes(&submit->input), &text);
        json_t *input = json_object();
        if (!status)
            json_object_set_new(input, "inline",
                                json_stringn((const char *)text.data, text.size));
        json_object_set_new(root, "input", input);
    }
    blob_free(&text);
    if (status) {
        json_decref(root);
        return status;
    }
    return give_json(root, out);
}

static enum status input_take(const json_t *object, struct blob *out, struct error *err)
{
    if (!object)
        return STATUS_OK;
    const json_t *text = json_object_get(object, "inline");
    if (!json_is_string(text))
        return error_set(err, STATUS_BAD_MESSAGE, "input: no string \"inline\"");
    if (json_object_size(object) != 1)
        return error_set(err, STATUS_BAD_MESSAGE, "input: more than \"inline\"");
    const enum status status =
        base64_decode(json_string_value(text), json_string_length(text), out);
    if (status == STATUS_FULL)
        return error_set(err, STATUS_FULL,
                         "input: %zu characters, expected at most %d bytes",
                         json_string_length(text), HTTP_INPUT_SIZE_MAX);
    if (status)
        return error_set(err, status, "input.inline: no base64");
    return STATUS_OK;
}

static enum status submit_take(const json_t *root, struct http_submit *out,
                               struct error *err)
{
    enum status status = take_kind(root, out->kind, out->model, err);
    if (!status)
        status = parameters_take(json_object_get(root, "params"), &out->parameters, err);
    if (!status)
        status = input_take(json_object_get(root, "input"), &out->input, err);
    return status;
}

enum status message_http_submit_decode(struct bytes body, struct http_submit *out,
                                       struct error *err)
{
    *out = (struct http_submit){.input = blob_empty(HTTP_INPUT_SIZE_MAX)};
    if (body.size > HTTP_BODY_SIZE_MAX)
        return error_set(err, STATUS_FULL, "a body of %zu bytes, expected at most %d",
                         body.size, HTTP_BODY_SIZE_MAX);
    json_t *root = take_object(body, err);
    if (!root)
        return STATUS_BAD_MESSAGE;
    const enum status status = submit_take(root, out, err);
    json_decref(root);
    if (status)
        http_submit_free(out);
    return status;
}

enum status message_http_id_encode(const char *id, struct blob *out)
{
    assert(hex_is_id(id, TASK_ID_SIZE));
    return give_json(json_pack("{s:s}", "id", id), out);
}

enum status message_http_id_decode(struct bytes body, char id[TASK_ID_SIZE + 1],
                                   struct error *err)
{
    json_t *root = take_object(body, err);
    if (!root)
        return STATUS_BAD_MESSAGE;
    const enum status status = take_id(root, id, err);
    json_decref(root);
    return status;
}

enum status message_http_task_encode(const struct http_task *task, struct blob *out)
{
    json_t *root = json_object();
    json_object_set_new(root, "id", json_string(task->id));
    json_object_set_new(root, "kind", json_string(task->kind));
    json_object_set_new(root, "model", json_string(task->model));
    json_object_set_new(root, "state", json_string(http_task_state_name(task->state)));
    json_object_set_new(root, "done", number(task->done));
    json_object_set_new(root, "total", number(task->total));
    json_object_set_new(root, "reason", sentence(task->reason));
    return give_json(root, out);
}

static enum status state_take(const json_t *root, enum http_task_state *out,
                              struct error *err)
{
    char name[16];
    const enum status status = take_text(root, "state", sizeof name - 1, name, err);
    if (status)
        return status;
    for (size_t i = 0; i < HTTP_TASK_STATE_COUNT; i++)
        if (strcmp(name, state_names[i]) == 0) {
            *out = (enum http_task_state)i;
            return STATUS_OK;
        }
    return error_set(err, STATUS_BAD_MESSAGE,
                     "state: expected queued, leased, checking, done or failed");
}

enum status message_http_task_decode(struct bytes body, struct http_task *out,
                                     struct error *err)
{
    *out = (struct http_task){0};
    json_t *root = take_object(body, err);
    if (!root)
        return STATUS_BAD_MESSAGE;
    enum status status = take_id(root, out->id, err);
    if (!status)
        status = take_kind(root, out->kind, out->model, err);
    if (!status)
        status = state_take(root, &out->state, err);
    if (!status)
        status = take_number(root, "done", &out->done, err);
    if (!status)
        status = take_number(root, "total", &out->total, err);
    if (!status)
        status = take_text(root, "reason", HTTP_REASON_MAX, out->reason, err);
    json_decref(root);
    return status;
}

/* One number of the status: where it stands in the JSON and in the struct. */
struct total {
    const char *name;
    size_t offset;
};
static const struct total share_totals[] = {
    {"accepted", offsetof(struct http_status, accepted)},
    {"unassigned", offsetof(struct http_status, unassigned)},
    {"stale", offsetof(struct http_status, stale)},
    {"voided", offsetof(struct http_status, voided)},
    {"surplus", offsetof(struct http_status, surplus)},
    {"credited", offsetof(struct http_status, credited)},
};
enum { SHARE_TOTALS = sizeof share_totals / sizeof share_totals[0] };

static json_t *shares_give(const struct http_status *status)
{
    json_t *shares = json_object(), *rejected = json_object();
    for (size_t i = 0; i < SHARE_TOTALS; i++) {
        uint64_t value;
        memcpy(&value, (const char *)status + share_totals[i].offset, sizeof value);
        json_object_set_new(shares, share_totals[i].name, number(value));
    }
    for (unsigned code = 0; code < HTTP_CODE_COUNT; code++) {
        char name[8];
        (void)snprintf(name, sizeof name, "%u", code);
        if (status->rejected[code])
            json_object_set_new(rejected, name, number(status->rejected[code]));
    }
    json_object_set_new(shares, "rejected", rejected);
    return shares;
}

static enum status rejected_take(const json_t *object, struct http_status *out,
                                 struct error *err)
{
    if (!json_is_object(object))
        return error_set(err, STATUS_BAD_MESSAGE, "rejected: no object");
    size_t found = 0;
    for (unsigned code = 0; code < HTTP_CODE_COUNT; code++) {
        char name[8];
        (void)snprintf(name, sizeof name, "%u", code);
        if (!json_object_get(object, name))
            continue;
        const enum status status = take_number(object, name, &out->rejected[code], err);
        if (status)
            return status;
        found++;
    }
    if (found != json_object_size(object))
        return error_set(err, STATUS_BAD_MESSAGE,
                         "rejected: a name that is no code below %d", HTTP_CODE_COUNT);
    return STATUS_OK;
}

static enum status shares_take(const json_t *shares, struct http_status *out,
                               struct error *err)
{
    for (size_t i = 0; i < SHARE_TOTALS; i++) {
        uint64_t value = 0;
        const enum status status = take_number(shares, share_totals[i].name, &value, err);
        if (status)
            return status;
        memcpy((char *)out + share_totals[i].offset, &value, sizeof value);
    }
    return rejected_take(json_object_get(shares, "rejected"), out, err);
}

enum status message_http_status_encode(const struct http_status *status, struct blob *out)
{
    json_t *root = json_object(), *tasks = json_object(), *rates = json_object();
    for (size_t i = 0; i < HTTP_TASK_STATE_COUNT; i++)
        json_object_set_new(tasks, state_names[i], number(status->tasks[i]));
    json_object_set_new(rates, "hashes_per_s_10s", json_real(status->hashes_per_s_10s));
    json_object_set_new(rates, "hashes_per_s_60s", json_real(status->hashes_per_s_60s));
    json_object_set_new(rates, "hashes_per_s_15m", json_real(status->hashes_per_s_15m));
    json_object_set_new(root, "workers", number(status->workers));
    json_object_set_new(root, "tasks", tasks);
    json_object_set_new(root, "usefulness", json_real(status->usefulness));
    json_object_set_new(root, "rates", rates);
    json_object_set_new(root, "shares", shares_give(status));
    return give_json(root, out);
}

static enum status status_take(const json_t *root, struct http_status *out,
                               struct error *err)
{
    const json_t *rates = json_object_get(root, "rates");
    const json_t *tasks = json_object_get(root, "tasks");
    enum status status = take_number(root, "workers", &out->workers, err);
    for (size_t i = 0; i < HTTP_TASK_STATE_COUNT && !status; i++)
        status = take_number(tasks, state_names[i], &out->tasks[i], err);
    if (!status)
        status = take_real(root, "usefulness", &out->usefulness, err);
    if (!status)
        status = take_real(rates, "hashes_per_s_10s", &out->hashes_per_s_10s, err);
    if (!status)
        status = take_real(rates, "hashes_per_s_60s", &out->hashes_per_s_60s, err);
    if (!status)
        status = take_real(rates, "hashes_per_s_15m", &out->hashes_per_s_15m, err);
    return status ? status : shares_take(json_object_get(root, "shares"), out, err);
}

enum status message_http_status_decode(struct bytes body, struct http_status *out,
                                       struct error *err)
{
    *out = (struct http_status){0};
    json_t *root = take_object(body, err);
    if (!root)
        return STATUS_BAD_MESSAGE;
    const enum status status = status_take(root, out, err);
    json_decref(root);
    return status;
}

enum status message_http_error_encode(const char *reason, struct blob *out)
{
    json_t *root = json_object();
    json_object_set_new(root, "error", sentence(reason));
    return give_json(root, out);
}

void message_http_error_decode(struct bytes body, char reason[HTTP_REASON_MAX + 1])
{
    json_t *root = take_object(body, NULL);
    const json_t *text = root ? json_object_get(root, "error") : NULL;
    (void)snprintf(reason, HTTP_REASON_MAX + 1, "%s",
                   json_is_string(text) ? json_string_value(text)
                                        : "no reason was given");
    for (char *c = reason; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' '; /* a stranger's text goes to a terminal */
    json_decref(root);
}
