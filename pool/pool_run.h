/*
 * pool_run.h - the reference pool as one object: open, run, close.
 *
 * One process, one database.  Database and models first, then the HTTP socket, then the
 * mining socket, then the line that says it is ready.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POOL_POOL_RUN_H
#define MINERVA_POOL_POOL_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "miner/base/error.h"

struct pool_options {
    const char *listen, *http, *database;
    const char *models;     /* NULL: none */
    const char *token_file; /* NULL: /v1 answers loopback peers only */
    double audit;           /* 0 to 1 */
    uint64_t share_macs;
    bool is_vardiff, is_unassigned;
    uint32_t min_rank; /* 32, 64 or 128 */
    uint32_t lease_s;
};

struct pool;
MUST_CHECK enum status pool_open(const struct pool_options *options, struct pool **out,
                                 struct error *err);
/* To be called a few times a second: new jobs, leases that ran out.  Not OK: it cannot go
 * on. */
MUST_CHECK enum status pool_tick(struct pool *pool);
void pool_close(struct pool *pool); /* stops cleanly; NULL is fine */

#endif
