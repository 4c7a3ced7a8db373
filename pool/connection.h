/*
 * connection.h - what server.c and connection.c share; nobody else includes it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POOL_CONNECTION_H
#define MINERVA_POOL_CONNECTION_H

#include "miner/base/queue.h"
#include "miner/base/thread.h"
#include "pool/server.h"

enum {
    LINES_WAITING_MAX = 32, /* then its socket is not read until they are done */
    LINES_BYTES_MAX = 1 << 20,
    OUT_BYTES_MAX = 8 << 20,      /* who does not read what it is sent is closed */
    STRANGER_LINE_MAX = 64 << 10, /* before authorize */
    STRANGER_LINES_MAX = 16,
    PARTIAL_BYTES_MAX = 256 << 20, /* unfinished lines of all connections together */
    BLOCKED_MAX = 256
};

struct text_line {
    struct text_line *next;
    size_t size;
    char text[];
};

struct connection {
    struct server *server;
    int fd;              /* -1: closed; the sockets' thread only */
    uint32_t watched;    /* what epoll looks for; the sockets' thread only */
    uint32_t references; /* under the server's lock, as all below */
    bool is_gone, is_ended, is_closing, is_authorised, is_paused, is_queued, is_dirty,
        is_reading;
    uint32_t line_count; /* waiting */
    size_t line_bytes;
    struct text_line *first, *last;
    struct blob out;
    size_t out_sent;
    struct connection *dirty_next;
    struct connection *next, *previous; /* the sockets' thread's list of all */
    struct blob in;                     /* an unfinished line; the sockets' thread only */
    uint32_t lines_taken;               /* before authorize */
    uint64_t opened_ms;
    char address[SERVER_ADDRESS_MAX];
    void *session; /* under the pool's lock */
};

struct server {
    struct pool *pool;
    struct lock *lock;
    int epoll, listener, wake;
    uint16_t port;
    char host[SERVER_ADDRESS_MAX + 2];
    struct queue *ready; /* connections with lines */
    struct thread *sockets, *threads[16];
    uint32_t thread_count;
    bool is_stopping;
    struct connection *dirty; /* something to send, to read again or to close */
    struct connection *all;
    uint32_t count, strangers;
    size_t partial_bytes; /* the sockets' thread only */
    struct {
        char address[SERVER_ADDRESS_MAX];
        uint64_t until_ms;
    } blocked[BLOCKED_MAX];
    uint32_t blocked_next;
};

void server_sockets(void *server); /* the sockets' thread */
/* Tells the sockets' thread to look at it; the lock is held. */
void connection_touch(struct connection *connection);
/* Hands it to a line thread if it has lines and nobody works on it; call without the
 * lock. */
void connection_schedule(struct connection *connection);
/* The first waiting line, or NULL; the caller frees it with memory_free(). */
struct text_line *connection_line(struct connection *connection);
bool server_is_blocked(struct server *server, const char *address,
                       uint64_t now_ms); /* lock held */

#endif
