/*
 * connection.c - one worker's end of the wire, as the line threads see it.
 *
 * Held by the sockets' thread while the socket is open, by the ready queue while it waits
 * there, and by whoever will answer later.  The last holder frees.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool/connection.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "miner/base/clock.h"
#include "miner/base/memory.h"

struct connection *connection_keep(struct connection *connection)
{
    struct server *server = connection->server;

    lock_take(server->lock);
    assert(connection->references > 0);
    connection->references++;
    lock_give(server->lock);
    return connection;
}

static void connection_free(struct connection *connection)
{
    for (struct text_line *line = connection->first, *next; line; line = next) {
        next = line->next;
        memory_free(line);
    }
    blob_free(&connection->in);
    blob_free(&connection->out);
    memory_free(connection);
}

void connection_release(struct connection *connection)
{
    if (!connection)
        return;
    struct server *server = connection->server;
    lock_take(server->lock);
    assert(connection->references > 0);
    const bool is_last = --connection->references == 0;
    lock_give(server->lock);
    if (is_last)
        connection_free(connection);
}

static void server_wake(struct server *server)
{
    const uint64_t one = 1;
    /* Full means that it is awake already. */
    const ssize_t written = write(server->wake, &one, sizeof one);
    (void)written;
}

void connection_touch(struct connection *connection)
{
    struct server *server = connection->server;

    if (connection->is_dirty || connection->is_gone)
        return;
    connection->is_dirty = true;
    connection->dirty_next = server->dirty;
    connection->references++;
    server->dirty = connection;
    server_wake(server);
}

void connection_send(struct connection *connection, struct bytes line)
{
    struct server *server = connection->server;

    lock_take(server->lock);
    if (!connection->is_gone && blob_add(&connection->out, line.data, line.size))
        connection->is_closing = true;
    connection_touch(connection);
    lock_give(server->lock);
}

void connection_close_soon(struct connection *connection)
{
    struct server *server = connection->server;

    lock_take(server->lock);
    connection->is_closing = true;
    connection_touch(connection);
    lock_give(server->lock);
}

void connection_schedule(struct connection *connection)
{
    struct server *server = connection->server;
    bool put;

    lock_take(server->lock);
    put = connection->first && !connection->is_paused && !connection->is_queued &&
          !connection->is_gone;
    if (put) {
        connection->is_queued = true;
        connection->references++;
    }
    lock_give(server->lock);
    /* The queue has room for every connection, so only a closed one refuses. */
    if (put && queue_put(server->ready, connection, 0))
        connection_release(connection);
}

void connection_pause(struct connection *connection)
{
    lock_take(connection->server->lock);
    connection->is_paused = true;
    lock_give(connection->server->lock);
}

void connection_resume(struct connection *connection)
{
    lock_take(connection->server->lock);
    connection->is_paused = false;
    if (connection->is_ended)
        connection_touch(connection);
    lock_give(connection->server->lock);
    connection_schedule(connection);
}

void connection_authorised(struct connection *connection)
{
    struct server *server = connection->server;

    lock_take(server->lock);
    if (!connection->is_authorised && !connection->is_gone)
        server->strangers--;
    connection->is_authorised = true;
    lock_give(server->lock);
}

bool connection_is_busy(struct connection *connection)
{
    lock_take(connection->server->lock);
    const bool is_busy =
        connection->first || connection->is_queued || connection->is_paused;
    lock_give(connection->server->lock);
    return is_busy;
}

struct text_line *connection_line(struct connection *connection)
{
    struct server *server = connection->server;

    lock_take(server->lock);
    struct text_line *line = connection->first;
    if (line) {
        connection->first = line->next;
        if (!connection->first)
            connection->last = NULL;
        connection->line_count--;
        connection->line_bytes -= line->size;
        if (!connection->is_reading)
            connection_touch(connection);
    }
    lock_give(server->lock);
    return line;
}

bool server_is_blocked(struct server *server, const char *address, uint64_t now_ms)
{
    for (uint32_t i = 0; i < BLOCKED_MAX; i++) {
        if (server->blocked[i].until_ms > now_ms &&
            !strcmp(server->blocked[i].address, address))
            return true;
    }
    return false;
}

void connection_block(struct connection *connection)
{
    struct server *server = connection->server;

    lock_take(server->lock);
    const uint32_t place = server->blocked_next++ % BLOCKED_MAX;
    snprintf(server->blocked[place].address, SERVER_ADDRESS_MAX, "%s",
             connection->address);
    server->blocked[place].until_ms = clock_ms() + SERVER_BLOCK_MS;
    connection->is_closing = true;
    connection_touch(connection);
    lock_give(server->lock);
}

const char *connection_address(const struct connection *connection)
{
    return connection->address;
}

void *connection_session(const struct connection *connection)
{
    return connection->session;
}

void connection_set_session(struct connection *connection, void *session)
{
    connection->session = session;
}
