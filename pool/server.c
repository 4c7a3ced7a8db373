/*
 * server.c - accepts, reads, frames and writes for a thousand workers with one thread.
 *
 * Epoll, level-triggered.  A connection that is quiet holds no buffers.  Lines go to the
 * line threads; this thread never waits for them, for the database, or for a slow reader.
 *
 * SPDX-License-Identifier: MIT
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "miner/base/clock.h"
#include "miner/base/log.h"
#include "miner/base/memory.h"
#include "pool/connection.h"
#include "pool/sessions.h"

enum { READ_SIZE = 64 << 10, READS_A_TURN = 8, EVENTS_MAX = 128, TICK_MS = 250 };

/* The sockets' thread lets go: the socket is closed, the session told, the list left. */
static void connection_end(struct connection *connection)
{
    struct server *server = connection->server;

    assert(connection->fd >= 0);
    close(connection->fd);
    connection->fd = -1;
    server->partial_bytes -= connection->in.size;
    lock_take(server->lock);
    connection->is_gone = true;
    if (!connection->is_authorised)
        server->strangers--;
    server->count--;
    lock_give(server->lock);
    if (connection->next)
        connection->next->previous = connection->previous;
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        server->all = connection->next;
    session_gone(server->pool, connection);
    connection_release(connection);
}

static void connection_watch(struct connection *connection, bool wants_write)
{
    if (connection->is_ended)
        return;
    const uint32_t events =
        (connection->is_reading ? EPOLLIN : 0u) | (wants_write ? EPOLLOUT : 0u);
    struct epoll_event event = {.events = events, .data.ptr = connection};

    if (events != connection->watched)
        epoll_ctl(connection->server->epoll, EPOLL_CTL_MOD, connection->fd, &event);
    connection->watched = events;
}

/* Sends what there is; false when the connection is over. */
static bool connection_flush(struct connection *connection)
{
    struct server *server = connection->server;
    bool is_over = false, is_full;

    lock_take(server->lock);
    struct blob *out = &connection->out;
    while (!connection->is_ended && connection->out_sent < out->size) {
        const ssize_t sent = send(connection->fd, out->data + connection->out_sent,
                                  out->size - connection->out_sent, MSG_NOSIGNAL);
        if (sent < 0) {
            is_over = errno != EAGAIN && errno != EINTR;
            break;
        }
        connection->out_sent += (size_t)sent;
    }
    is_full = !connection->is_ended && connection->out_sent < out->size;
    if (!is_full) {
        blob_free(out);
        connection->out_sent = 0;
        is_over |= connection->is_closing;
    }
    /* What came before the end is still handled: a task handed back with the last words.
     */
    is_over |= connection->is_ended && !connection->first && !connection->is_queued &&
               !connection->is_paused;
    connection->is_reading = !connection->is_closing && !connection->is_ended &&
                             connection->line_count < LINES_WAITING_MAX &&
                             connection->line_bytes < LINES_BYTES_MAX;
    lock_give(server->lock);
    if (!is_over)
        connection_watch(connection, is_full);
    return !is_over;
}

static void connection_refuse(struct connection *connection, const char *reason)
{
    struct blob line = blob_empty(1024);
    const struct message_id none = {.kind = MESSAGE_ID_NULL};

    log_debug("pool", "%s: %s", connection->address, reason);
    if (!message_line_encode_error(&none, MESSAGE_CODE_OTHER, reason, &line))
        connection_send(connection, blob_bytes(&line));
    blob_free(&line);
    connection_close_soon(connection);
}

/* A whole line: to the queue, or answered at once where it is a ping behind an audit. */
static void connection_take(struct connection *connection, struct bytes text)
{
    struct server *server = connection->server;

    while (text.size &&
           (text.data[text.size - 1] == '\r' || text.data[text.size - 1] == ' '))
        text.size--;
    if (!text.size)
        return;
    lock_take(server->lock);
    const bool is_paused = connection->is_paused;
    const bool is_over =
        connection->is_closing ||
        (!connection->is_authorised && ++connection->lines_taken > STRANGER_LINES_MAX);
    lock_give(server->lock);
    if (is_over) {
        connection_close_soon(connection);
        return;
    }
    if (is_paused && session_ping(connection, text))
        return;
    struct text_line *line = memory_array(1, sizeof *line + text.size + 1);
    if (!line) {
        connection_refuse(connection, "the pool is out of memory");
        return;
    }
    memcpy(line->text, text.data, text.size);
    line->size = text.size;
    lock_take(server->lock);
    if (connection->last)
        connection->last->next = line;
    else
        connection->first = line;
    connection->last = line;
    connection->line_count++;
    connection->line_bytes += text.size;
    lock_give(server->lock);
    connection_schedule(connection);
}

/* Adds bytes without a line end to the unfinished line; false when it is too long. */
static bool connection_keep_partial(struct connection *connection, struct bytes bytes)
{
    struct server *server = connection->server;

    lock_take(server->lock);
    const size_t max = connection->is_authorised ? MESSAGE_LINE_MAX : STRANGER_LINE_MAX;
    lock_give(server->lock);

    if (connection->in.size + bytes.size > max) {
        char reason[96];
        snprintf(reason, sizeof reason, "a line is longer than %zu bytes", max);
        connection_refuse(connection, reason);
        return false;
    }
    if (server->partial_bytes + bytes.size > PARTIAL_BYTES_MAX ||
        blob_add(&connection->in, bytes.data, bytes.size)) {
        connection_refuse(connection, "too many unfinished lines at once");
        return false;
    }
    server->partial_bytes += bytes.size;
    return true;
}

/* Cuts what came into lines. */
static void connection_frame(struct connection *connection, struct bytes bytes)
{
    while (bytes.size) {
        const uint8_t *end = memchr(bytes.data, '\n', bytes.size);
        if (!end) {
            connection_keep_partial(connection, bytes);
            return;
        }
        const struct bytes head = bytes_of(bytes.data, (size_t)(end - bytes.data));
        bytes = bytes_of(end + 1, bytes.size - head.size - 1);
        if (!connection->in.size) {
            connection_take(connection, head);
            continue;
        }
        if (!connection_keep_partial(connection, head))
            return;
        connection_take(connection, blob_bytes(&connection->in));
        connection->server->partial_bytes -= connection->in.size;
        blob_free(&connection->in);
    }
}

/* Reads a turn; false when the other end is done. */
static bool connection_read(struct connection *connection, uint8_t *buffer)
{
    for (int i = 0; i < READS_A_TURN && connection->is_reading; i++) {
        const ssize_t size = recv(connection->fd, buffer, READ_SIZE, 0);
        if (!size)
            return false;
        if (size < 0)
            return errno == EAGAIN || errno == EINTR;
        connection_frame(connection, bytes_of(buffer, (size_t)size));
        if (size < READ_SIZE)
            break;
    }
    return true;
}

static bool server_admits(struct server *server, const char *address)
{
    lock_take(server->lock);
    const bool admits = server->strangers < SERVER_UNAUTHORISED_MAX &&
                        server->count < SERVER_CONNECTIONS_MAX &&
                        !server_is_blocked(server, address, clock_ms());
    if (admits) {
        server->strangers++;
        server->count++;
    }
    lock_give(server->lock);
    return admits;
}

static void server_address(const struct sockaddr_storage *from, char *out)
{
    const void *where =
        from->ss_family == AF_INET6
            ? (const void *)&((const struct sockaddr_in6 *)from)->sin6_addr
            : (const void *)&((const struct sockaddr_in *)from)->sin_addr;

    if (!inet_ntop(from->ss_family, where, out, SERVER_ADDRESS_MAX))
        snprintf(out, SERVER_ADDRESS_MAX, "?");
}

static void server_accept(struct server *server)
{
    struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof from;
    const int yes = 1;
    const int fd = accept4(server->listener, (struct sockaddr *)&from, &size,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
    char address[SERVER_ADDRESS_MAX];

    if (fd < 0)
        return;
    server_address(&from, address);
    struct connection *connection = memory_new(struct connection);
    if (!connection || !server_admits(server, address)) {
        memory_free(connection);
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
    connection->server = server;
    connection->fd = fd;
    connection->references = 1;
    connection->is_reading = true;
    connection->watched = EPOLLIN;
    connection->in = blob_empty(MESSAGE_LINE_MAX);
    connection->out = blob_empty(OUT_BYTES_MAX);
    connection->opened_ms = clock_ms();
    snprintf(connection->address, sizeof connection->address, "%s", address);
    connection->next = server->all;
    if (server->all)
        server->all->previous = connection;
    server->all = connection;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event))
        connection_end(connection);
}

/* What other threads asked for since the last turn. */
static void server_look(struct server *server)
{
    for (;;) {
        lock_take(server->lock);
        struct connection *connection = server->dirty;
        if (connection) {
            server->dirty = connection->dirty_next;
            connection->is_dirty = false;
        }
        lock_give(server->lock);
        if (!connection)
            return;
        if (connection->fd >= 0 && !connection_flush(connection))
            connection_end(connection);
        connection_release(connection);
    }
}

/* Who has not said who it is in time goes. */
static void server_expire(struct server *server, uint64_t now_ms)
{
    for (struct connection *c = server->all, *next; c; c = next) {
        next = c->next;
        lock_take(server->lock);
        const bool is_late =
            !c->is_authorised && now_ms - c->opened_ms >= SERVER_AUTHORISE_MS;
        lock_give(server->lock);
        if (is_late)
            connection_end(c);
    }
}

/* The other end is done; its socket is not looked at again. */
static void connection_hang_up(struct connection *connection)
{
    struct server *server = connection->server;

    if (connection->is_ended)
        return;
    epoll_ctl(server->epoll, EPOLL_CTL_DEL, connection->fd, NULL);
    lock_take(server->lock);
    connection->is_ended = true;
    lock_give(server->lock);
}

static void server_event(struct server *server, const struct epoll_event *event,
                         uint8_t *buffer)
{
    struct connection *connection = event->data.ptr;

    if (!connection) {
        server_accept(server);
        return;
    }
    if (event->data.ptr == server) {
        uint64_t count;
        const ssize_t size = read(server->wake, &count, sizeof count);
        (void)size;
        return;
    }
    if (connection->fd < 0)
        return;
    bool is_ended = false;
    if (event->events & EPOLLIN)
        is_ended = !connection_read(connection, buffer);
    if (is_ended || event->events & (EPOLLERR | EPOLLHUP))
        connection_hang_up(connection);
    if (!connection_flush(connection))
        connection_end(connection);
}

void server_sockets(void *context)
{
    struct server *server = context;
    struct epoll_event events[EVENTS_MAX];
    uint8_t *buffer = memory_array(READ_SIZE, 1);
    uint64_t last_ms = clock_ms();

    if (!buffer) {
        log_error("pool", "no memory for the sockets' buffer");
        return;
    }
    for (;;) {
        const int count = epoll_wait(server->epoll, events, EVENTS_MAX, TICK_MS);
        for (int i = 0; i < count; i++)
            server_event(server, &events[i], buffer);
        server_look(server);
        lock_take(server->lock);
        const bool is_stopping = server->is_stopping;
        lock_give(server->lock);
        if (is_stopping)
            break;
        if (clock_ms() - last_ms >= TICK_MS)
            server_expire(server, last_ms = clock_ms());
    }
    while (server->all)
        connection_end(server->all);
    memory_free(buffer);
}
