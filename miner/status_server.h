/*
 * status_server.h - how things stand, over HTTP: for people, panels and Prometheus.
 *
 *     GET  /              a page for people
 *     GET  /summary /pools /devices /tasks /health     JSON; /health answers 503 when
 *                         nothing is worked on
 *     GET  /metrics       Prometheus
 *     GET  /hive /mmpos   what the agents of those systems ask for
 *     POST /control/pause /control/resume /control/finish /control/quit
 *
 * Reading is free to whoever reaches the address, which is this machine's own unless a
 * person names another.  A POST needs the bearer token, and without a token in the
 * settings there are none.  A browser's page from elsewhere can do nothing: requests that
 * name another host or origin are refused.
 *
 * The server has its own thread, reads the newest standing out of a mailbox and puts
 * orders into a queue.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_STATUS_SERVER_H
#define MINERVA_MINER_STATUS_SERVER_H

#include <stdint.h>

#include "miner/base/mailbox.h"
#include "miner/base/queue.h"

enum status_order {
    STATUS_PAUSE,
    STATUS_RESUME,
    STATUS_FINISH,
    STATUS_QUIT,
    STATUS_NEXT_POOL
};

enum { STATUS_TOKEN_MAX = 128, STATUS_PORTS_TRIED = 32 };

struct status_server_options {
    const char *address;       /* [HOST:]PORT; no host: 127.0.0.1 */
    const char *token;         /* "": no orders are taken */
    struct mailbox *standings; /* in: struct standing *; lent */
    struct queue *orders;      /* out: const enum status_order *, never freed; lent */
};

struct status_server;
/* Listens there, or on the next port that is free.  BAD_CONFIG for an address that is
 * none, NETWORK when no port can be had. */
MUST_CHECK enum status status_server_open(const struct status_server_options *options,
                                          struct status_server **out, struct error *err);
void status_server_close(struct status_server *server); /* NULL is fine */
uint16_t status_server_port(const struct status_server *server);
const char *status_server_host(const struct status_server *server);

#endif
