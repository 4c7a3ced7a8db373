/*
 * pool_state.h - what the pool's files share: the options, the store, the sessions, one
 * lock.
 *
 * The lock guards everything below it and every call of the store.  It is held for a
 * transaction, never while a proof is checked, a root is hashed or a task is run again.
 * Lock order: pool, then server.  Messages may be sent under it: sending only queues.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POOL_POOL_STATE_H
#define MINERVA_POOL_POOL_STATE_H

#include "miner/base/thread.h"
#include "pool/pool_run.h"
#include "pool/server.h"
#include "pool/store.h"

enum { RATE_SECONDS = 900 };

struct session;
struct result_case;
struct auditor;
struct shelf;
struct work_cache;
struct root_cache;
struct http_api;

struct pool {
    struct pool_options options;
    struct store *store;
    struct shelf *shelf; /* the models; never changed after the start */
    struct server *server;
    struct http_api *http;
    struct auditor *auditor;
    struct work_cache *works;
    struct root_cache *roots;
    char token[257];      /* of the requesters' interface, "" for loopback only */
    uint8_t previous[32]; /* of this process's headers */

    struct lock *lock;
    struct result_case *results; /* being checked */
    bool has_rechecks;           /* a verdict could not be stored */
    uint64_t join_ms;            /* the tick's thread only */
    struct session *sessions;
    uint32_t session_count, detached_count;
    uint64_t job_count; /* ever, for names */
    bool is_stopping, has_orphans;
    enum status fatal;    /* set: the pool cannot go on */
    uint64_t rate_second; /* Unix seconds of the newest bucket */
    double rates[RATE_SECONDS];
};

uint16_t pool_http_port(const struct pool *pool);
void pool_lock(struct pool *pool);
void pool_unlock(struct pool *pool);
/* Says what happened to the store; one that is broken ends the pool.  Lock held. */
void pool_store_failed(struct pool *pool, enum status status, const struct error *err);
/* Hashes accepted now, for the rates of the status.  Lock held. */
void pool_rate_add(struct pool *pool, double hashes);
double pool_rate(struct pool *pool, uint32_t seconds);
/* 0 <= x < 1, from the system's randomness. */
double pool_chance(void);
uint64_t pool_draw(uint64_t count); /* below count */

#endif
