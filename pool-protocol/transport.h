/*
 * transport.h - a connection that carries whole lines, plain or through TLS.
 *
 * Lines in, lines out, in order; a line that was begun is finished before the next.
 * Nothing blocks but the waits, and another thread ends them by adding to wake_fd.
 * Certificates and host names are always checked, or else the key that was named; a proxy
 * is used or the connection fails.  One thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_TRANSPORT_H
#define MINERVA_PROTOCOL_TRANSPORT_H

#include "miner/base/bytes.h"

struct transport;

enum {
    TRANSPORT_KEEPALIVE_IDLE_S = 15, /* of silence, then probes */
    TRANSPORT_KEEPALIVE_EVERY_S = 5,
    TRANSPORT_KEEPALIVE_PROBES = 3,
    TRANSPORT_UNHEARD_MS = 30000,  /* for what was sent and not received over there */
    TRANSPORT_NOT_SENT = 64 << 10, /* bytes that the system holds and has not sent */
    TRANSPORT_CONNECT_MS = 10000,
    TRANSPORT_LINE_MS = 30000,      /* for a line that has begun to end, either way */
    TRANSPORT_UNSENT_MAX = 16 << 20 /* bytes waiting to be sent */
};

struct transport_options { /* copied */
    const char *host;
    uint16_t port;
    const char *path; /* of a Unix socket, instead of host and port; or NULL */
    bool has_tls;
    const char *
        proxy; /* "socks5h://user:pass@host:1080" or NULL; the environment is not asked */
    const char *ca_file; /* trusted instead of the system's certificates, or NULL */
    const char *pin; /* "sha256//BASE64" of the only key that is taken, whoever vouches
                        for it; or NULL */
    uint64_t connect_ms, line_ms; /* 0: as above */
    int wake_fd;                  /* an eventfd, lent, emptied here; -1: none */
};

/* Begins to connect; transport_step() goes on with it. */
MUST_CHECK enum status transport_open(const struct transport_options *options,
                                      struct transport **out, struct error *err);
void transport_close(
    struct transport *transport); /* what was not sent is lost; NULL is fine */
bool transport_is_open(
    const struct transport *transport); /* lines can go out and come in */

/* Waits for any of them (count may be 0): at most wait_ms, or until one has something to
 * do, or until wake_fd (-1: none) is added to, which is emptied.  Then each gets a step.
 */
void transport_wait_all(struct transport *const *transports, uint32_t count, int wake_fd,
                        uint64_t wait_ms);
/* Goes on with connecting, sending, receiving, and waits for nothing.  OK whatever there
 * was to do; otherwise the connection is over: NETWORK, TIMEOUT, CLOSED (the other side
 * ended it) or BAD_MESSAGE (a line longer than MESSAGE_LINE_MAX), with a sentence. */
MUST_CHECK enum status transport_step(struct transport *transport, struct error *err);
/* Both for one alone, woken by its own wake_fd. */
MUST_CHECK enum status transport_wait(struct transport *transport, uint64_t wait_ms,
                                      struct error *err);
/* Of one that failed: somebody took the connection there, but did not speak TLS, as far
 * as can be seen.  Never after a certificate or a complaint in TLS. */
bool transport_lacks_tls(const struct transport *transport);
/* The next whole line, without its LF or CR LF; empty lines are skipped.  false: none
 * yet.  It lives until the next call of transport_take() or transport_step(). */
bool transport_take(struct transport *transport, struct bytes *line);
/* Queues whole lines, LF included, and sends what can be sent at once. FULL: too much is
 * waiting; nothing was queued. */
MUST_CHECK enum status transport_send(struct transport *transport, struct bytes lines);
/* Whether a line that is sent now begins to leave now: nothing waits before it, and the
 * connection takes bytes.  Where it is not, the next wait ends when it is. */
bool transport_is_free(struct transport *transport);
size_t transport_unsent(const struct transport *transport);

#endif
