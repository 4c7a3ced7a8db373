/*
 * http_api.c - the HTTP socket: routes, bounds, and bodies in full before anything is
 * done.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool/http_api.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/log.h"
#include "miner/base/memory.h"
#include "pool-protocol/message_http.h"
#include "pool/http_request.h"

enum {
    HTTP_TIMEOUT_S = 60,
    HTTP_CONNECTIONS_MAX = 512,
    HTTP_THREADS = 2,
    HTTP_HEADERS_MAX = 16 << 10
};

enum MHD_Result http_json(struct http_request *request, unsigned code, struct blob *body)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body->size, body->data, MHD_RESPMEM_MUST_COPY);

    blob_free(body);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", "application/json");
    if (code == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
    const enum MHD_Result result =
        MHD_queue_response(request->connection, code, response);
    MHD_destroy_response(response);
    return result;
}

enum MHD_Result http_error(struct http_request *request, unsigned code,
                           const char *reason)
{
    struct blob body = blob_empty(4096);

    if (message_http_error_encode(reason, &body)) {
        blob_free(&body);
        return MHD_NO;
    }
    return http_json(request, code, &body);
}

const char *http_bearer(const struct http_request *request)
{
    const char *value = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
                                                    "Authorization");

    return value && !strncmp(value, "Bearer ", 7) ? value + 7 : NULL;
}

static struct MHD_Response *bytes_response(struct bytes data, uint64_t first,
                                           uint64_t count, bool is_owned)
{
    /* What is owned is sent from a copy of the part: the whole is freed by the caller. */
    return MHD_create_response_from_buffer(
        (size_t)count, (void *)(uintptr_t)(data.data + first),
        is_owned ? MHD_RESPMEM_MUST_COPY : MHD_RESPMEM_PERSISTENT);
}

enum MHD_Result http_bytes(struct http_request *request, struct bytes data, bool is_owned)
{
    const char *range =
        MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Range");
    uint64_t first = 0, count = data.size;
    char text[96];
    const enum status status = http_range(range, data.size, &first, &count);
    unsigned code = MHD_HTTP_OK;

    if (status == STATUS_OK)
        code = MHD_HTTP_PARTIAL_CONTENT;
    if (status == STATUS_REFUSED) {
        code = MHD_HTTP_RANGE_NOT_SATISFIABLE;
        count = 0;
    }
    struct MHD_Response *response = bytes_response(data, first, count, is_owned);
    if (!response)
        return MHD_NO;
    if (code == MHD_HTTP_PARTIAL_CONTENT)
        snprintf(text, sizeof text, "bytes %llu-%llu/%zu", (unsigned long long)first,
                 (unsigned long long)(first + count - 1), data.size);
    else
        snprintf(text, sizeof text, "bytes */%zu", data.size);
    if (code != MHD_HTTP_OK)
        MHD_add_response_header(response, "Content-Range", text);
    MHD_add_response_header(response, "Accept-Ranges", "bytes");
    MHD_add_response_header(response, "Content-Type", "application/octet-stream");
    const enum MHD_Result result =
        MHD_queue_response(request->connection, code, response);
    MHD_destroy_response(response);
    return result;
}

static bool url_is_below(const char *url, const char *root)
{
    const size_t size = strlen(root);

    return !strncmp(url, root, size) && (url[size] == '/' || !url[size]);
}

/* The declared size of the body; false when there is none or it is no number. */
static bool request_size(const struct http_request *request, uint64_t *size)
{
    const char *text = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
                                                   "Content-Length");

    *size = 0;
    return text && u64_parse(text, INT64_MAX, size);
}

/* Before the body is read: may it come at all? */
static unsigned request_admits(struct http_request *request, const char **reason)
{
    uint64_t size;
    const bool has_size = request_size(request, &size);
    const bool has_body =
        !strcmp(request->method, "POST") || !strcmp(request->method, "PUT");
    unsigned code;

    if (url_is_below(request->url, "/v1"))
        code = http_v1_admits(request, size, reason);
    else if (url_is_below(request->url, "/artifacts"))
        code = http_artifacts_admits(request, has_size, size, reason);
    else {
        *reason = "there is nothing here";
        return MHD_HTTP_NOT_FOUND;
    }
    if (code || !has_body)
        return code;
    if (!has_size) {
        *reason = "the request says no Content-Length";
        return MHD_HTTP_LENGTH_REQUIRED;
    }
    if (atomic_fetch_add(&request->api->bodies, size) + size > HTTP_BODIES_MAX) {
        atomic_fetch_sub(&request->api->bodies, size);
        *reason = "too much is being uploaded at once, try again";
        return MHD_HTTP_SERVICE_UNAVAILABLE;
    }
    request->promised = size;
    request->body = blob_empty((size_t)size);
    return 0;
}

static enum MHD_Result request_begin(struct http_api *api,
                                     struct MHD_Connection *connection, const char *url,
                                     const char *method, void **context)
{
    struct http_request *request = memory_new(struct http_request);
    const char *reason = "";

    if (!request)
        return MHD_NO;
    request->api = api;
    request->connection = connection;
    request->url = url;
    request->method = method;
    *context = request;
    const unsigned code = request_admits(request, &reason);
    return code ? http_error(request, code, reason) : MHD_YES;
}

/* The library gives its handler eight parameters. */
/* NOLINTNEXTLINE(readability-function-size) */
static enum MHD_Result http_access(void *context, struct MHD_Connection *connection,
                                   const char *url, const char *method,
                                   const char *version, const char *data, size_t *size,
                                   void **place)
{
    struct http_request *request = *place;

    (void)version;
    if (!request)
        return request_begin(context, connection, url, method, place);
    if (*size) {
        if (blob_add(&request->body, data, *size))
            return MHD_NO;
        *size = 0;
        return MHD_YES;
    }
    request->url = url;
    request->method = method;
    return url_is_below(url, "/v1") ? http_v1_answer(request)
                                    : http_artifacts_answer(request);
}

static void http_completed(void *context, struct MHD_Connection *connection, void **place,
                           enum MHD_RequestTerminationCode why)
{
    struct http_request *request = *place;

    (void)context;
    (void)connection;
    (void)why;
    if (!request)
        return;
    atomic_fetch_sub(&request->api->bodies, request->promised);
    blob_free(&request->body);
    memory_free(request);
    *place = NULL;
}

static enum status http_start(struct http_api *api, const struct addrinfo *where,
                              struct error *err)
{
    const bool is_six = where->ai_family == AF_INET6;

    api->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | (is_six ? MHD_USE_IPv6 : 0u), 0, NULL, NULL,
        http_access, api, MHD_OPTION_SOCK_ADDR, where->ai_addr,
        MHD_OPTION_NOTIFY_COMPLETED, http_completed, NULL, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)HTTP_TIMEOUT_S, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)HTTP_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HTTP_HEADERS_MAX, MHD_OPTION_THREAD_POOL_SIZE, (unsigned)HTTP_THREADS,
        MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_END);
    if (!api->daemon)
        return error_set(err, STATUS_NETWORK, "cannot listen for HTTP");
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(api->daemon, MHD_DAEMON_INFO_BIND_PORT);
    if (!info)
        return error_set(err, STATUS_NETWORK, "the HTTP socket has no port");
    api->port = info->port;
    return STATUS_OK;
}

static enum status http_listen(struct http_api *api, const char *address,
                               struct error *err)
{
    struct addrinfo *list;
    char numeric[SERVER_ADDRESS_MAX];
    enum status status = address_resolve(address, &list, err);

    if (status)
        return status;
    status = http_start(api, list, err);
    if (status)
        error_prefix(err, "%s", address);
    if (!getnameinfo(list->ai_addr, list->ai_addrlen, numeric, sizeof numeric, NULL, 0,
                     NI_NUMERICHOST))
        snprintf(api->host, sizeof api->host, list->ai_family == AF_INET6 ? "[%s]" : "%s",
                 numeric);
    freeaddrinfo(list);
    return status;
}

enum status http_api_open(struct pool *pool, const char *address, struct http_api **out,
                          struct error *err)
{
    struct http_api *api = memory_new(struct http_api);

    if (!api)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the HTTP interface");
    api->pool = pool;
    const enum status status = http_listen(api, address, err);
    if (status) {
        http_api_close(api);
        return status;
    }
    *out = api;
    return STATUS_OK;
}

void http_api_close(struct http_api *api)
{
    if (!api)
        return;
    if (api->daemon)
        MHD_stop_daemon(api->daemon);
    memory_free(api);
}

uint16_t http_api_port(const struct http_api *api)
{
    return api->port;
}

const char *http_api_host(const struct http_api *api)
{
    return api->host;
}
