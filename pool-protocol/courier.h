/*
 * courier.h - carries what is too big for a line, one errand after the other.
 *
 * A thread of its own, so that jobs are heard while megabytes travel.  The pool thread
 * gives errands and takes them back done; its eventfd is told when one is.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_COURIER_H
#define MINERVA_PROTOCOL_COURIER_H

#include "pool-protocol/pool.h"

enum errand_kind {
    ERRAND_FETCH, /* the input of work */
    ERRAND_PUT    /* data, of the answer with this tag */
};

struct errand {
    enum errand_kind kind;
    uint32_t link; /* whose errand it is: its number */
    struct pool_artifacts where;
    struct assignment *work; /* FETCH: owned */
    struct bytes data;       /* PUT: lent until the errand is back */
    uint64_t tag;
    enum status status; /* how it ended */
    char text[ERROR_TEXT_MAX];
};
void errand_free(void *errand); /* fits queue_release; NULL is fine */

struct courier;

struct courier_options { /* lent for the courier's life */
    const char *proxy, *ca_file;
    int wake_fd;
};

MUST_CHECK enum status courier_start(const struct courier_options *options,
                                     struct courier **out, struct error *err);
/* Takes the errand; when that fails (too many) it is the caller's still. */
MUST_CHECK enum status courier_send(struct courier *courier, struct errand *errand);
struct errand *courier_take(struct courier *courier); /* one that is back, or NULL */
void courier_stop(struct courier *courier); /* breaks off; frees; NULL is fine */

#endif
