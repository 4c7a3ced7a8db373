/*
 * http_script.h - an HTTP server on loopback that serves named blobs, with the faults a
 * test wants.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_HTTP_SCRIPT_H
#define MINERVA_TESTS_HTTP_SCRIPT_H

#include <stdatomic.h>

#include "miner/base/bytes.h"

enum { HTTP_BLOBS_MAX = 16 };

struct http_blob {
    char path[160];
    struct bytes data; /* lent */
};

struct http_script {
    struct MHD_Daemon *daemon;
    uint16_t port;
    struct http_blob blobs[HTTP_BLOBS_MAX]; /* set before the first request */
    size_t count;
    atomic_uint gets, ranges, puts; /* requests so far */
    atomic_uint_least64_t sent;     /* bytes of bodies promised */
    atomic_uint_least64_t
        cut_after;      /* the next reply that is longer ends here; once; 0: none */
    atomic_uint refuse; /* the next requests get 503 */
    atomic_bool ignores_ranges;
    struct blob put; /* body of the last PUT */
    char put_path[160], put_token[160];
};

struct http_script *http_script_open(void);
void http_script_close(struct http_script *script);
void http_script_add(struct http_script *script, const char *path, struct bytes data);

#endif
