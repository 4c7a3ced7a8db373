/*
 * server.h - the mining socket: one thread for all sockets, a few for the lines that
 * came.
 *
 * Lines of one connection are handed to session_line() (sessions.h) one at a time and in
 * order, on any of the line threads.  A handler that must wait for an audit pauses its
 * connection first; lines queue behind it, pings are answered past it.  The server's lock
 * is a leaf: it may be taken under the pool's, never the other way round.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POOL_SERVER_H
#define MINERVA_POOL_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "miner/base/bytes.h"

enum {
    SERVER_CONNECTIONS_MAX = 8192,
    SERVER_UNAUTHORISED_MAX = 256,
    SERVER_AUTHORISE_MS = 10000,
    SERVER_BLOCK_MS = 60000,
    SERVER_ADDRESS_MAX = 64
};

struct pool;
struct server;
struct connection;

/* Binds and listens; port 0 is any.  Nothing is accepted before server_start(). */
MUST_CHECK enum status server_open(struct pool *pool, const char *address,
                                   struct server **out, struct error *err);
MUST_CHECK enum status server_start(struct server *server, uint32_t threads,
                                    struct error *err);
/* Closes every connection and joins the threads; server_close() frees. */
void server_stop(struct server *server);
void server_close(struct server *server); /* NULL is fine */
uint16_t server_port(const struct server *server);
const char *server_host(const struct server *server); /* as bound: "127.0.0.1", "[::1]" */

/* Any thread, as long as the connection is held. */
struct connection *connection_keep(struct connection *connection);
void connection_release(struct connection *connection); /* NULL is fine */
void connection_send(struct connection *connection, struct bytes line);
void connection_close_soon(struct connection *connection); /* after what was sent */
void connection_pause(struct connection *connection);      /* in its own handler only */
void connection_resume(struct connection *connection);
void connection_authorised(struct connection *connection);
bool connection_is_busy(
    struct connection *connection); /* lines wait or are being handled */
/* Nobody of that address is let in for a minute. */
void connection_block(struct connection *connection);
const char *connection_address(const struct connection *connection);
/* What belongs to it: the pool's, under the pool's lock. */
void *connection_session(const struct connection *connection);
void connection_set_session(struct connection *connection, void *session);

/* "HOST:PORT" or "[HOST]:PORT" into its halves. */
MUST_CHECK enum status address_split(const char *address, char host[SERVER_ADDRESS_MAX],
                                     uint16_t *port, struct error *err);
struct addrinfo;
/* Where one can listen there, for the caller to free with freeaddrinfo(). May ask the
 * system's resolver. */
MUST_CHECK enum status address_resolve(const char *address, struct addrinfo **out,
                                       struct error *err);

#endif
