/*
 * server_life.c - the mining socket from bind to close, and the threads that handle
 * lines.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "miner/base/memory.h"
#include "pool/connection.h"
#include "pool/sessions.h"

enum { LISTEN_BACKLOG = 1024 };

/* One line after the other, until there is none or the handler waits for an audit. */
static void connection_work(struct connection *connection)
{
    struct server *server = connection->server;

    for (int i = 0; i < LINES_WAITING_MAX; i++) {
        struct text_line *line = connection_line(connection);
        if (!line)
            break;
        session_line(server->pool, connection, bytes_of(line->text, line->size));
        memory_free(line);
        lock_take(server->lock);
        const bool is_paused = connection->is_paused;
        lock_give(server->lock);
        if (is_paused)
            break;
    }
    lock_take(server->lock);
    connection->is_queued = false;
    if (connection->is_ended)
        connection_touch(connection);
    lock_give(server->lock);
    connection_schedule(connection);
}

static void server_lines(void *context)
{
    struct server *server = context;
    void *connection;

    while (!queue_take(server->ready, QUEUE_FOREVER, &connection)) {
        connection_work(connection);
        connection_release(connection);
    }
}

static void connection_drop(void *connection)
{
    connection_release(connection);
}

static enum status server_bind(struct server *server, const struct addrinfo *where,
                               struct error *err)
{
    struct sockaddr_storage bound = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof bound;
    const int yes = 1;
    char host[SERVER_ADDRESS_MAX], port[8];
    uint64_t number;

    server->listener =
        socket(where->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (server->listener < 0)
        return error_set(err, STATUS_NETWORK, "no socket: %s", strerror(errno));
    setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(server->listener, where->ai_addr, where->ai_addrlen) ||
        listen(server->listener, LISTEN_BACKLOG) ||
        getsockname(server->listener, (struct sockaddr *)&bound, &size))
        return error_set(err, STATUS_NETWORK, "cannot listen: %s", strerror(errno));
    if (getnameinfo((struct sockaddr *)&bound, size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) ||
        !u64_parse(port, 65535, &number))
        return error_set(err, STATUS_NETWORK, "the bound address has no name");
    snprintf(server->host, sizeof server->host, strchr(host, ':') ? "[%s]" : "%s", host);
    server->port = (uint16_t)number;
    return STATUS_OK;
}

static enum status server_listen(struct server *server, const char *address,
                                 struct error *err)
{
    struct addrinfo *list;
    enum status status = address_resolve(address, &list, err);

    if (status)
        return status;
    status = server_bind(server, list, err);
    if (status)
        error_prefix(err, "%s", address);
    freeaddrinfo(list);
    return status;
}

static enum status server_watch(struct server *server, int fd, void *what,
                                struct error *err)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};

    if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event))
        return error_set(err, STATUS_NETWORK, "epoll: %s", strerror(errno));
    return STATUS_OK;
}

/* A thousand workers need a thousand descriptors; what the system allows is taken. */
static void server_raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit))
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

enum status server_open(struct pool *pool, const char *address, struct server **out,
                        struct error *err)
{
    struct server *server = memory_new(struct server);

    if (!server)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the server");
    server_raise_limit();
    server->pool = pool;
    server->listener = -1;
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    server->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    enum status status = server_listen(server, address, err);
    if (!status && (server->epoll < 0 || server->wake < 0))
        status = error_set(err, STATUS_NETWORK, "no epoll: %s", strerror(errno));
    if (!status && lock_new(&server->lock))
        status = error_set(err, STATUS_NO_MEMORY, "no memory for the server");
    if (!status && queue_new(SERVER_CONNECTIONS_MAX, connection_drop, &server->ready))
        status = error_set(err, STATUS_NO_MEMORY, "no memory for the server");
    if (!status)
        status = server_watch(server, server->wake, server, err);
    if (status) {
        server_close(server);
        return status;
    }
    *out = server;
    return STATUS_OK;
}

enum status server_start(struct server *server, uint32_t threads, struct error *err)
{
    enum status status = server_watch(server, server->listener, NULL, err);

    for (uint32_t i = 0; !status && i < threads && i < 16; i++) {
        status = thread_start("pool lines", server_lines, server, &server->threads[i]);
        server->thread_count += !status;
    }
    if (!status)
        status = thread_start("pool sockets", server_sockets, server, &server->sockets);
    return status;
}

void server_stop(struct server *server)
{
    const uint64_t one = 1;

    lock_take(server->lock);
    server->is_stopping = true;
    lock_give(server->lock);
    const ssize_t written = write(server->wake, &one, sizeof one);
    (void)written;
    thread_join(server->sockets);
    server->sockets = NULL;
    queue_close(server->ready);
    for (uint32_t i = 0; i < server->thread_count; i++)
        thread_join(server->threads[i]);
    server->thread_count = 0;
    while (server->dirty) {
        struct connection *connection = server->dirty;
        server->dirty = connection->dirty_next;
        connection_release(connection);
    }
}

void server_close(struct server *server)
{
    if (!server)
        return;
    queue_free(server->ready);
    if (server->listener >= 0)
        close(server->listener);
    if (server->epoll >= 0)
        close(server->epoll);
    if (server->wake >= 0)
        close(server->wake);
    lock_free(server->lock);
    memory_free(server);
}

uint16_t server_port(const struct server *server)
{
    return server->port;
}

const char *server_host(const struct server *server)
{
    return server->host;
}
