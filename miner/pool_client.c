/*
 * pool_client.c - asks a pool, and believes nothing that a hash can check.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/pool_client.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kernels/blake3_host.h"
#include "miner/work/answer.h"
#include "pool-protocol/http_client.h"

enum {
    URL_SIZE = 1024,
    REPLY_SIZE_MAX = 1 << 20,
    MANIFEST_MAX = 8 << 20,
    TIMEOUT_S = 60,
    CLAIM_TIMEOUT_S = 600, /* results may be large */
};

static enum status url_of(const struct pool_client *client, char out[URL_SIZE],
                          struct error *err, const char *path, const char *name)
{
    size_t size = strlen(client->url);
    while (size && client->url[size - 1] == '/')
        size--;
    const int written =
        snprintf(out, URL_SIZE, "%.*s%s%s", (int)size, client->url, path, name);
    if (size >= URL_SIZE || written < 0 || written >= URL_SIZE)
        return error_set(err, STATUS_USAGE, "--pool: %zu characters, too long for a URL",
                         size);
    return STATUS_OK;
}

/* What a code other than the wanted one means to a person. */
static enum status refuse(const struct http_reply *reply, struct error *err)
{
    char reason[HTTP_REASON_MAX + 1];
    message_http_error_decode(blob_bytes(&reply->body), reason);
    switch (reply->code) {
    case 404:
        return error_set(err, STATUS_NOT_FOUND, "the pool does not have it: %s", reason);
    case 401:
    case 403:
        return error_set(err, STATUS_REFUSED,
                         "the pool lets nobody in without its token (%s); give "
                         "--http-token-file FILE",
                         reason);
    default:
        return error_set(err, STATUS_REFUSED, "the pool answered %" PRIu32 ": %s",
                         reply->code, reason);
    }
}

/* One GET that must give 200. */
static enum status fetch(const struct pool_client *client, const char *path,
                         const char *name, struct http_reply *reply, struct error *err)
{
    char url[URL_SIZE];
    enum status status = url_of(client, url, err, path, name);
    if (status)
        return status;
    const struct http_request request = {
        .url = url, .token = client->token, .timeout_s = TIMEOUT_S};
    status = http_client_call(&request, reply, err);
    if (!status && reply->code != 200)
        status = refuse(reply, err);
    return status;
}

static enum status fetch_tokenizer(const struct pool_client *client, const char *model,
                                   struct tokenizer_info *info, struct error *err)
{
    char id[MODEL_ID_SIZE + 1];
    struct http_reply reply = http_reply_empty(MANIFEST_MAX);
    enum status status = fetch(client, "/artifacts/model/", model, &reply, err);
    if (!status) {
        artifact_hash_manifest(blob_bytes(&reply.body), id);
        if (strcmp(id, model) != 0)
            status = error_set(err, STATUS_MISMATCH,
                               "the manifest that came is that of %s", id);
    }
    if (!status)
        status = artifact_tokenizer_of(blob_bytes(&reply.body), info, err);
    http_reply_free(&reply);
    if (status)
        error_prefix(err, "model %.16s...", model);
    return status;
}

enum status pool_client_tokenizer(const struct pool_client *client, const char *model,
                                  struct tokenizer_info *info, struct blob *vocab,
                                  struct error *err)
{
    uint8_t digest[BLAKE3_SIZE];
    char hash[2 * BLAKE3_SIZE + 1];
    struct http_reply reply = http_reply_empty(vocab->size_max);
    enum status status = fetch_tokenizer(client, model, info, err);
    if (status)
        return status;
    status = fetch(client, "/artifacts/", info->vocab_hash, &reply, err);
    if (!status) {
        blake3_hash(reply.body.data, reply.body.size, NULL, digest);
        hex_encode(digest, sizeof digest, hash);
        if (strcmp(hash, info->vocab_hash) != 0)
            status = error_set(err, STATUS_MISMATCH, "%s came, expected %s", hash,
                               info->vocab_hash);
    }
    blob_clear(vocab);
    if (!status)
        status = blob_add(vocab, reply.body.data, reply.body.size);
    http_reply_free(&reply);
    if (status)
        error_prefix(err, "vocabulary");
    return status;
}

enum status pool_client_submit(const struct pool_client *client,
                               const struct http_submit *submit,
                               char id[TASK_ID_SIZE + 1], struct error *err)
{
    char url[URL_SIZE];
    struct blob body = blob_empty(HTTP_BODY_SIZE_MAX);
    struct http_reply reply = http_reply_empty(REPLY_SIZE_MAX);
    enum status status = url_of(client, url, err, "/v1/tasks", "");
    if (!status && message_http_submit_encode(submit, &body))
        status = error_set(err, STATUS_FULL,
                           "an input of %zu bytes, a request holds at most %d",
                           submit->input.size, HTTP_INPUT_SIZE_MAX);
    const struct http_request request = {
        .url = url,
        .token = client->token,
        .type = "application/json",
        .body = blob_bytes(&body),
        .timeout_s = TIMEOUT_S,
    };
    if (!status)
        status = http_client_call(&request, &reply, err);
    if (!status)
        status = reply.code == 201
                     ? message_http_id_decode(blob_bytes(&reply.body), id, err)
                     : refuse(&reply, err);
    http_reply_free(&reply);
    blob_free(&body);
    return status;
}

enum status pool_client_status(const struct pool_client *client, const char *id,
                               struct http_task *out, struct error *err)
{
    struct http_reply reply = http_reply_empty(REPLY_SIZE_MAX);
    enum status status = fetch(client, "/v1/tasks/", id, &reply, err);
    if (!status)
        status = message_http_task_decode(blob_bytes(&reply.body), out, err);
    if (!status && strcmp(out->id, id) != 0)
        status = error_set(err, STATUS_BAD_MESSAGE, "the pool told of task %s", out->id);
    http_reply_free(&reply);
    return status;
}

/* Whether the bytes are those that the pool's header names. */
static enum status check_hash(const struct http_reply *reply,
                              const struct http_task *task, struct error *err)
{
    char named[65 + 1], found[65];
    http_reply_header(reply, "X-Pouw-Hash", named, sizeof named);
    answer_result_hash(task->model, task->id, blob_bytes(&reply->body), found);
    if (strcmp(named, found) != 0)
        return error_set(err, STATUS_MISMATCH,
                         "the result's hash is %s, the pool names \"%s\"", found, named);
    return STATUS_OK;
}

/* A task that is not there to be claimed: how far it is, or why it failed. */
static enum status explain(const struct http_task *task, struct error *err)
{
    if (task->state == HTTP_TASK_FAILED)
        return error_set(err, STATUS_REFUSED, "the task failed: %s",
                         task->reason[0] ? task->reason : "no reason was given");
    return error_set(err, STATUS_AGAIN,
                     "not done yet: %s, %" PRIu64 " of %" PRIu64 " items",
                     http_task_state_name(task->state), task->done, task->total);
}

static enum status take_result(const struct http_reply *reply,
                               const struct http_task *task, struct blob *out,
                               char checked[16], struct error *err)
{
    if (reply->code == 202 || reply->code == 410)
        return explain(task, err);
    if (reply->code != 200)
        return refuse(reply, err);
    const enum status status = check_hash(reply, task, err);
    if (status)
        return status;
    http_reply_header(reply, "X-Pouw-Checked", checked, 16);
    blob_clear(out);
    return blob_add(out, reply->body.data, reply->body.size);
}

enum status pool_client_claim(const struct pool_client *client, const char *id,
                              struct blob *out, char checked[16], struct error *err)
{
    char url[URL_SIZE], path[TASK_ID_SIZE + 16];
    struct http_task task;
    struct http_reply reply = http_reply_empty(out->size_max);
    assert(hex_is_id(id, TASK_ID_SIZE));
    (void)snprintf(path, sizeof path, "%s/result", id);
    enum status status = pool_client_status(client, id, &task, err);
    if (!status)
        status = url_of(client, url, err, "/v1/tasks/", path);
    const struct http_request request = {
        .url = url, .token = client->token, .timeout_s = CLAIM_TIMEOUT_S};
    if (!status)
        status = http_client_call(&request, &reply, err);
    if (!status)
        status = take_result(&reply, &task, out, checked, err);
    http_reply_free(&reply);
    return status;
}
