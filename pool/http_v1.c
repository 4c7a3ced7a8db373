/*
 * http_v1.c - for those who want work done: tasks in, states and results out, the pool's
 * status.
 *
 * SPDX-License-Identifier: MIT
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/log.h"
#include "miner/base/memory.h"
#include "pool/http_request.h"
#include "pool/requests.h"

static bool peer_is_loopback(const struct http_request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    static const uint8_t mapped[13] = {[10] = 0xff, [11] = 0xff, [12] = 127};

    if (!info || !info->client_addr)
        return false;
    if (info->client_addr->sa_family == AF_INET) {
        const struct sockaddr_in *four =
            (const struct sockaddr_in *)(const void *)info->client_addr;
        return ntohl(four->sin_addr.s_addr) >> 24 == 127;
    }
    const struct sockaddr_in6 *six =
        (const struct sockaddr_in6 *)(const void *)info->client_addr;
    return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr) ||
           !memcmp(six->sin6_addr.s6_addr, mapped, sizeof mapped);
}

unsigned http_v1_admits(const struct http_request *request, uint64_t size,
                        const char **reason)
{
    const char *token = request->api->pool->token;
    const char *given = http_bearer(request);

    if (*token && (!given || !text_is_secret(token, given))) {
        *reason = "this pool wants its bearer token";
        return MHD_HTTP_UNAUTHORIZED;
    }
    if (!*token && !peer_is_loopback(request)) {
        *reason = "without a token this pool answers its own machine only";
        return MHD_HTTP_FORBIDDEN;
    }
    if (size > HTTP_BODY_SIZE_MAX) {
        *reason = "the request is too large";
        return MHD_HTTP_CONTENT_TOO_LARGE;
    }
    return 0;
}

static unsigned code_of(enum status status)
{
    switch (status) {
    case STATUS_AGAIN:
    case STATUS_FULL:
    case STATUS_NO_MEMORY:
    case STATUS_IO:
        return MHD_HTTP_SERVICE_UNAVAILABLE;
    case STATUS_NOT_FOUND:
        return MHD_HTTP_NOT_FOUND;
    default:
        return MHD_HTTP_BAD_REQUEST;
    }
}

static enum MHD_Result v1_add(struct http_request *request)
{
    struct http_submit submit;
    struct error err = {0};
    struct blob body = blob_empty(4096);
    char id[TASK_ID_SIZE + 1];
    enum status status =
        message_http_submit_decode(blob_bytes(&request->body), &submit, &err);

    blob_free(&request->body);
    if (status)
        return http_error(request, MHD_HTTP_BAD_REQUEST, error_text(&err));
    status = request_add(request->api->pool, &submit, id, &err);
    http_submit_free(&submit);
    if (!status)
        status = message_http_id_encode(id, &body);
    if (status) {
        blob_free(&body);
        /* A model that is not here is the request's mistake, not a place that is not
         * there. */
        return http_error(
            request, status == STATUS_NOT_FOUND ? MHD_HTTP_BAD_REQUEST : code_of(status),
            *err.text ? err.text : status_text(status));
    }
    log_info("pool", "task %s is queued", id);
    return http_json(request, MHD_HTTP_CREATED, &body);
}

static enum MHD_Result v1_state(struct http_request *request, const char *id,
                                unsigned code)
{
    struct http_task task;
    struct error err = {0};
    struct blob body = blob_empty(8192);
    enum status status = request_state(request->api->pool, id, &task, &err);

    if (status == STATUS_NOT_FOUND)
        return http_error(request, MHD_HTTP_NOT_FOUND, "there is no such task");
    if (!status)
        status = message_http_task_encode(&task, &body);
    if (status) {
        blob_free(&body);
        return http_error(request, code_of(status), error_text(&err));
    }
    return http_json(request, code, &body);
}

static enum MHD_Result v1_send(struct http_request *request,
                               const struct request_output *output)
{
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback(
        output->data.size, output->data.data, memory_free);

    if (!response) {
        memory_free(output->data.data);
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", "application/octet-stream");
    MHD_add_response_header(response, "X-Pouw-Hash", output->result_hash);
    MHD_add_response_header(response, "X-Pouw-Worker", output->worker);
    MHD_add_response_header(response, "X-Pouw-Checked", output->checked);
    const enum MHD_Result result =
        MHD_queue_response(request->connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result v1_result(struct http_request *request, const char *id)
{
    struct request_output output;
    struct error err = {0};
    const enum status status = request_output(request->api->pool, id, &output, &err);

    if (!status)
        return v1_send(request, &output);
    blob_free(&output.data);
    if (status == STATUS_NOT_FOUND)
        return http_error(request, MHD_HTTP_NOT_FOUND, "there is no such task");
    if (status == STATUS_CLOSED)
        return http_error(request, MHD_HTTP_GONE, error_text(&err));
    if (status == STATUS_AGAIN && !*err.text)
        return v1_state(request, id, MHD_HTTP_ACCEPTED);
    return http_error(request, code_of(status), error_text(&err));
}

static enum MHD_Result v1_status(struct http_request *request)
{
    struct http_status numbers;
    struct error err = {0};
    struct blob body = blob_empty(65536);
    enum status status = request_status(request->api->pool, &numbers, &err);

    if (!status)
        status = message_http_status_encode(&numbers, &body);
    if (status) {
        blob_free(&body);
        return http_error(request, code_of(status), error_text(&err));
    }
    return http_json(request, MHD_HTTP_OK, &body);
}

enum MHD_Result http_v1_answer(struct http_request *request)
{
    char *id = NULL, place[TASK_ID_SIZE + 1];
    const char *url = request->url + strlen("/v1");
    const bool is_get =
        !strcmp(request->method, "GET") || !strcmp(request->method, "HEAD");
    const bool is_task = !strncmp(url, "/tasks/", 7);
    const char *rest = "";

    if (!strcmp(url, "/tasks") && !strcmp(request->method, "POST"))
        return v1_add(request);
    if (is_task && strlen(url + 7) >= TASK_ID_SIZE) {
        memcpy(place, url + 7, TASK_ID_SIZE);
        place[TASK_ID_SIZE] = 0;
        rest = url + 7 + TASK_ID_SIZE;
        id = hex_is_id(place, TASK_ID_SIZE) ? place : NULL;
    }
    const bool is_known = !strcmp(url, "/tasks") || !strcmp(url, "/status") ||
                          (id && (!*rest || !strcmp(rest, "/result")));
    if (!is_known)
        return http_error(request, MHD_HTTP_NOT_FOUND,
                          is_task ? "there is no such task" : "there is nothing here");
    if (!is_get || !strcmp(url, "/tasks"))
        return http_error(request, MHD_HTTP_METHOD_NOT_ALLOWED, "not with this method");
    if (!id)
        return v1_status(request);
    return *rest ? v1_result(request, id) : v1_state(request, id, MHD_HTTP_OK);
}
