/*
 * status_server.c - routes, who may ask for what, and the socket.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/status_server.h"

#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "miner/base/memory.h"
#include "miner/status_json.h"
#include "miner/status_metrics.h"
#include "miner/status_page.h"
#include "pool/server.h"

enum {
    SERVER_TIMEOUT_S = 10,
    SERVER_CONNECTIONS = 32,
    SERVER_HEADERS_MAX = 16 << 10,
    ANSWER_MAX = 1 << 20,
    AUTHORITY_MAX = 300
};

struct status_server {
    struct MHD_Daemon *daemon;
    struct mailbox *standings;
    struct queue *orders;
    uint16_t port;
    char host[SERVER_ADDRESS_MAX];
    char token[STATUS_TOKEN_MAX + 1];
};

/* --- routes --- */

typedef enum status render(const struct standing *standing, struct blob *out);

struct route {
    const char *method, *path;
    const char *type;               /* of what render writes */
    render *render;                 /* NULL: an order */
    const enum status_order *order; /* or NULL */
};

static const enum status_order orders[] = {STATUS_PAUSE, STATUS_RESUME, STATUS_FINISH,
                                           STATUS_QUIT, STATUS_NEXT_POOL};
static const char json_type[] = "application/json";
static const struct route routes[] = {
    {"GET", "/", "text/html; charset=utf-8", status_page, NULL},
    {"GET", "/summary", json_type, status_json_summary, NULL},
    {"GET", "/pools", json_type, status_json_pools, NULL},
    {"GET", "/devices", json_type, status_json_devices, NULL},
    {"GET", "/tasks", json_type, status_json_tasks, NULL},
    {"GET", "/health", json_type, status_json_health, NULL},
    {"GET", "/metrics", "text/plain; version=0.0.4", status_metrics, NULL},
    {"GET", "/hive", json_type, status_json_hive, NULL},
    {"GET", "/mmpos", json_type, status_json_mmpos, NULL},
    {"POST", "/control/pause", json_type, NULL, &orders[0]},
    {"POST", "/control/resume", json_type, NULL, &orders[1]},
    {"POST", "/control/finish", json_type, NULL, &orders[2]},
    {"POST", "/control/quit", json_type, NULL, &orders[3]},
    {"POST", "/control/next-pool", json_type, NULL, &orders[4]},
};

/* The route; NULL with the code that says why there is none. */
static const struct route *route_find(const char *method, const char *path,
                                      unsigned *code)
{
    *code = MHD_HTTP_NOT_FOUND;
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (strcmp(routes[i].path, path) != 0)
            continue;
        if (!strcmp(routes[i].method, method))
            return &routes[i];
        *code = MHD_HTTP_METHOD_NOT_ALLOWED;
    }
    return NULL;
}

/* --- answers --- */

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned code,
                              const char *type, struct blob *body)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body->size, body->data, MHD_RESPMEM_MUST_COPY);

    blob_free(body);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (code == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
    const enum MHD_Result result = MHD_queue_response(connection, code, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned code,
                              const char *sentence)
{
    struct blob body = blob_empty(ANSWER_MAX);

    if (status_json_error(sentence, &body)) {
        blob_free(&body);
        return MHD_NO;
    }
    return answer(connection, code, json_type, &body);
}

static enum MHD_Result show(struct status_server *server,
                            struct MHD_Connection *connection, const struct route *route)
{
    struct blob body = blob_empty(ANSWER_MAX);
    unsigned code = MHD_HTTP_OK;
    uint64_t generation;
    struct standing *standing = mailbox_take(server->standings, &generation);

    if (!standing)
        return refuse(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                      "nothing is known yet: the devices are being tested");
    const enum status status = route->render(standing, &body);
    if (route->render == status_json_health &&
        strcmp(status_json_condition(standing), "ok") != 0)
        code = MHD_HTTP_SERVICE_UNAVAILABLE;
    standing_release(standing);
    if (!status)
        return answer(connection, code, route->type, &body);
    blob_free(&body);
    return refuse(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, status_text(status));
}

/* --- who may ask --- */

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* Whether a name with or without a port is this machine's own, or the address that a
 * person chose: a page that gave its name our address is neither. */
static bool authority_is_ours(const struct status_server *server, const char *authority)
{
    const char *const names[] = {"localhost", "127.0.0.1", "[::1]", server->host};
    char bracketed[SERVER_ADDRESS_MAX + 2];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const size_t size = strlen(names[i]);
        if (!strncasecmp(authority, names[i], size) &&
            (!authority[size] || authority[size] == ':'))
            return true;
    }
    snprintf(bracketed, sizeof bracketed, "[%s]", server->host);
    return !strncasecmp(authority, bracketed, strlen(bracketed));
}

static bool is_loopback(const struct status_server *server)
{
    return !strncmp(server->host, "127.", 4) || !strcmp(server->host, "::1");
}

/* A browser says whose page asks; programs say nothing. */
static bool origin_is_ours(const struct status_server *server,
                           struct MHD_Connection *connection)
{
    const char *origin = header(connection, "Origin"), *host = header(connection, "Host");

    if (!origin)
        return true;
    if (strncmp(origin, "http://", 7) != 0)
        return false;
    return authority_is_ours(server, origin + 7) ||
           (host && !strcmp(origin + 7, host) && !is_loopback(server));
}

static bool token_is_ours(const struct status_server *server,
                          struct MHD_Connection *connection)
{
    const char *value = header(connection, "Authorization");

    return value && !strncmp(value, "Bearer ", 7) &&
           text_is_secret(server->token, value + 7);
}

static enum MHD_Result obey(struct status_server *server,
                            struct MHD_Connection *connection, const struct route *route)
{
    struct blob body = blob_empty(ANSWER_MAX);

    if (!*server->token)
        return refuse(connection, MHD_HTTP_FORBIDDEN,
                      "no api-token is set: this program takes no orders");
    if (!token_is_ours(server, connection))
        return refuse(connection, MHD_HTTP_UNAUTHORIZED,
                      "the bearer token is missing or wrong");
    if (queue_put(server->orders, (void *)(uintptr_t)route->order, 0))
        return refuse(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                      "too many orders wait, try again");
    if (blob_addf(&body, "{\"ok\": true}\n")) {
        blob_free(&body);
        return MHD_NO;
    }
    return answer(connection, MHD_HTTP_OK, json_type, &body);
}

static enum MHD_Result request_answer(struct status_server *server,
                                      struct MHD_Connection *connection, const char *path,
                                      const char *method)
{
    const char *host = header(connection, "Host");
    unsigned code;
    const struct route *route =
        route_find(strcmp(method, "HEAD") != 0 ? method : "GET", path, &code);

    if (is_loopback(server) && host && !authority_is_ours(server, host))
        return refuse(connection, MHD_HTTP_FORBIDDEN,
                      "the request names another host than this one");
    if (!origin_is_ours(server, connection))
        return refuse(connection, MHD_HTTP_FORBIDDEN,
                      "the request comes from another origin");
    if (!route)
        return refuse(connection, code,
                      code == MHD_HTTP_NOT_FOUND
                          ? "there is nothing here: try /summary, /metrics or /"
                          : "another method is wanted here");
    return route->render ? show(server, connection, route)
                         : obey(server, connection, route);
}

/* The library gives its handler eight parameters.  Bodies mean nothing here and are
 * thrown away as they come. */
/* NOLINTNEXTLINE(readability-function-size) */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *url, const char *method,
                                  const char *version, const char *data, size_t *size,
                                  void **place)
{
    static char begun;

    (void)version;
    (void)data;
    if (!*place) {
        *place = &begun;
        return MHD_YES;
    }
    if (*size) {
        *size = 0;
        return MHD_YES;
    }
    return request_answer(context, connection, url, method);
}

/* --- the socket --- */

static enum status listen_at(struct status_server *server, const struct sockaddr *where,
                             struct error *err)
{
    const bool is_six = where->sa_family == AF_INET6;

    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | (is_six ? MHD_USE_IPv6 : 0u), 0, NULL, NULL,
        on_request, server, MHD_OPTION_SOCK_ADDR, where, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)SERVER_TIMEOUT_S, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)SERVER_CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)SERVER_HEADERS_MAX, MHD_OPTION_END);
    if (!server->daemon)
        return error_set(err, STATUS_NETWORK, "it cannot be listened to");
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    server->port = info ? info->port : 0;
    return STATUS_OK;
}

static void port_set(struct sockaddr *address, uint16_t port)
{
    if (address->sa_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)address)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)(void *)address)->sin_port = htons(port);
}

static uint16_t port_of(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)(const void *)address)->sin6_port);
    return ntohs(((const struct sockaddr_in *)(const void *)address)->sin_port);
}

/* The port that was named, or one of the next. */
static enum status listen_near(struct status_server *server, struct addrinfo *where,
                               struct error *err)
{
    const uint32_t first = port_of(where->ai_addr);
    enum status status = STATUS_NETWORK;

    for (uint32_t i = 0; status && i < STATUS_PORTS_TRIED && first + i <= UINT16_MAX;
         i++) {
        port_set(where->ai_addr, (uint16_t)(first + i));
        status = listen_at(server, where->ai_addr, err);
    }
    if (status)
        return error_set(err, status, "%s: neither port %u nor the %d after it are free",
                         server->host, first, STATUS_PORTS_TRIED - 1);
    return STATUS_OK;
}

static enum status server_listen(struct status_server *server, const char *address,
                                 struct error *err)
{
    char whole[AUTHORITY_MAX];
    struct addrinfo *where;

    snprintf(whole, sizeof whole, "%s%s",
             strchr(address, ':') ? "" : "127.0.0.1:", address);
    if (address_resolve(whole, &where, err)) {
        error_prefix(err, "api-port");
        err->status = STATUS_BAD_CONFIG;
        return STATUS_BAD_CONFIG;
    }
    if (getnameinfo(where->ai_addr, where->ai_addrlen, server->host, sizeof server->host,
                    NULL, 0, NI_NUMERICHOST))
        server->host[0] = 0;
    const enum status status = listen_near(server, where, err);
    freeaddrinfo(where);
    return status;
}

enum status status_server_open(const struct status_server_options *options,
                               struct status_server **out, struct error *err)
{
    struct status_server *server = memory_new(struct status_server);

    if (!server)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the status server");
    server->standings = options->standings;
    server->orders = options->orders;
    snprintf(server->token, sizeof server->token, "%s", options->token);
    const enum status status = server_listen(server, options->address, err);
    if (status) {
        status_server_close(server);
        return status;
    }
    *out = server;
    return STATUS_OK;
}

void status_server_close(struct status_server *server)
{
    if (!server)
        return;
    if (server->daemon)
        MHD_stop_daemon(server->daemon);
    memory_free(server);
}

uint16_t status_server_port(const struct status_server *server)
{
    return server->port;
}

const char *status_server_host(const struct status_server *server)
{
    return server->host;
}
