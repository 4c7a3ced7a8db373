/*
 * message_authorize.c - encodes and decodes the hello and its answer.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/message_authorize.h"

#include <assert.h>
#include <string.h>

#include "pool-protocol/message_fields.h"

static const char type_gzip[] = "v2";

enum { TYPE_MAX = 32 };

static json_t *offer_texts_json(const char *texts, size_t size, uint32_t count)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < count && list; i++) {
        if (json_array_append_new(list, json_string(texts + i * size))) {
            json_decref(list);
            list = NULL;
        }
    }
    return list;
}

static json_t *offer_json(const struct message_offer *offer)
{
    assert(offer->task_count <= OFFER_TASKS_MAX);
    assert(offer->model_count <= OFFER_MODELS_MAX);
    assert(offer->backend_count <= OFFER_BACKENDS_MAX);
    return json_pack(
        "{s:o,s:I,s:I,s:o,s:o}", "tasks",
        offer_texts_json(offer->tasks[0], sizeof offer->tasks[0], offer->task_count),
        "slots", (json_int_t)offer->slots, "memory_bytes",
        (json_int_t)offer->memory_bytes, "models",
        offer_texts_json(offer->models[0], sizeof offer->models[0], offer->model_count),
        "backends",
        offer_texts_json(offer->backends[0], sizeof offer->backends[0],
                         offer->backend_count));
}

enum status message_authorize_encode(int64_t id, const struct message_authorize *from,
                                     struct blob *out)
{
    json_t *params =
        json_pack("{s:s,s:s,s:s,s:s,s:s*}", "wallet", from->wallet, "worker",
                  from->worker, from->is_password ? "password" : "pass", from->pass,
                  "agent", from->agent, "type", from->asks_gzip ? type_gzip : NULL);
    int bad = !params;

    if (params && *from->protocol) {
        bad |= json_object_set_new(params, "protocol", json_string(from->protocol));
        if (*from->session)
            bad |= json_object_set_new(params, "session", json_string(from->session));
        bad |= json_object_set_new(params, "offer", offer_json(&from->offer));
    }
    if (bad) {
        json_decref(params);
        return STATUS_BAD_DATA;
    }
    return fields_request(id, MESSAGE_AUTHORIZE, params, from->has_jsonrpc, out);
}

static void offer_decode(struct fields *params, struct message_offer *out)
{
    struct fields offer = fields_inside(params, "offer", MESSAGE_AUTHORIZE " offer");

    fields_texts(
        &offer, "tasks",
        (struct fields_list){out->tasks[0], sizeof out->tasks[0], OFFER_TASKS_MAX},
        &out->task_count);
    fields_u32(&offer, "slots", 0, OFFER_SLOTS_MAX, &out->slots);
    if (fields_has(&offer, "memory_bytes"))
        fields_u64(&offer, "memory_bytes", 0, INT64_MAX, &out->memory_bytes);
    if (fields_has(&offer, "models"))
        fields_texts(
            &offer, "models",
            (struct fields_list){out->models[0], sizeof out->models[0], OFFER_MODELS_MAX},
            &out->model_count);
    if (fields_has(&offer, "backends"))
        fields_texts(&offer, "backends",
                     (struct fields_list){out->backends[0], sizeof out->backends[0],
                                          OFFER_BACKENDS_MAX},
                     &out->backend_count);
    fields_join(params, &offer);
}

/* ["wallet.worker", "pass"]: who logs in so speaks the rest as everybody. */
static enum status authorize_decode_list(const json_t *params,
                                         struct message_authorize *out, struct error *err)
{
    const char *const texts[] = {json_string_value(json_array_get(params, 0)),
                                 json_string_value(json_array_get(params, 1))};

    if (!texts[0] || strlen(texts[0]) > WALLET_MAX)
        return error_set(
            err, STATUS_BAD_MESSAGE,
            "mining.authorize: the first of the list is not text of at most %d bytes",
            (int)WALLET_MAX);
    if (texts[1] && strlen(texts[1]) > PASS_MAX)
        return error_set(
            err, STATUS_BAD_MESSAGE,
            "mining.authorize: the second of the list is not text of at most %d bytes",
            (int)PASS_MAX);
    memcpy(out->wallet, texts[0], strlen(texts[0]) + 1);
    if (texts[1])
        memcpy(out->pass, texts[1], strlen(texts[1]) + 1);
    return STATUS_OK;
}

enum status message_authorize_decode(const struct message_line *line,
                                     struct message_authorize *out, struct error *err)
{
    const json_t *list = json_object_get(line->root, "params");
    char type[TYPE_MAX + 1] = "";

    *out = (struct message_authorize){0};
    if (json_is_array(list) && !strcmp(message_line_method(line), MESSAGE_AUTHORIZE))
        return authorize_decode_list(list, out, err);

    struct fields params = fields_params(line, MESSAGE_AUTHORIZE, err);
    if (fields_has(&params, "wallet"))
        fields_text(&params, "wallet", 0, WALLET_MAX, out->wallet);
    if (fields_has(&params, "worker"))
        fields_text(&params, "worker", 0, WORKER_MAX, out->worker);
    if (fields_has(&params, "pass"))
        fields_text(&params, "pass", 0, PASS_MAX, out->pass);
    out->is_password = !fields_has(&params, "pass") && fields_has(&params, "password");
    if (out->is_password)
        fields_text(&params, "password", 0, PASS_MAX, out->pass);
    if (fields_has(&params, "type"))
        fields_text(&params, "type", 0, TYPE_MAX, type);
    out->asks_gzip = !strcmp(type, type_gzip);
    if (fields_has(&params, "agent"))
        fields_text(&params, "agent", 0, AGENT_MAX, out->agent);
    if (fields_has(&params, "protocol"))
        fields_text(&params, "protocol", 1, PROTOCOL_MAX, out->protocol);
    if (fields_has(&params, "session"))
        fields_id(&params, "session", SESSION_SIZE, out->session);
    if (fields_has(&params, "offer"))
        offer_decode(&params, &out->offer);
    return params.status;
}

enum status message_welcome_encode(const struct message_id *id,
                                   const struct message_welcome *from, struct blob *out)
{
    json_t *reply =
        json_pack("{s:o,s:b,s:n}", "id", fields_id_json(id), "result", 1, "error");
    int bad = !reply;

    if (reply && from->is_gzip)
        bad |= json_object_set_new(reply, "type", json_string(type_gzip));
    if (reply && *from->protocol) {
        bad |= json_object_set_new(reply, "protocol", json_string(from->protocol));
        bad |= json_object_set_new(reply, "artifacts", json_string(from->artifacts));
        bad |= json_object_set_new(reply, "http_port", json_integer(from->http_port));
        bad |= json_object_set_new(reply, "session", json_string(from->session));
    }
    if (bad) {
        json_decref(reply);
        return STATUS_BAD_DATA;
    }
    return fields_write(reply, out);
}

bool message_welcome_is_gzip(const struct message_line *line)
{
    const char *type = json_string_value(json_object_get(line->root, "type"));

    return type && !strcmp(type, type_gzip);
}

enum status message_welcome_decode(const struct message_line *line,
                                   struct message_welcome *out, struct error *err)
{
    struct fields reply = {
        .object = line->root, .what = "the hello's answer", .err = err};

    *out = (struct message_welcome){.is_gzip = message_welcome_is_gzip(line)};
    if (!fields_has(&reply, "protocol"))
        return STATUS_OK;
    fields_text(&reply, "protocol", 1, PROTOCOL_MAX, out->protocol);
    fields_text(&reply, "artifacts", 1, ARTIFACTS_MAX, out->artifacts);
    if (fields_has(&reply, "http_port") || *out->artifacts == '/')
        fields_u32(&reply, "http_port", 1, 65535, &out->http_port);
    fields_id(&reply, "session", SESSION_SIZE, out->session);
    if (!reply.status && *out->artifacts != '/' &&
        strncmp(out->artifacts, "http://", 7) && strncmp(out->artifacts, "https://", 8))
        fields_refuse(&reply, "artifacts", "a path, or an http:// or https:// URL");
    return reply.status;
}
