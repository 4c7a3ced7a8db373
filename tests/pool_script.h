/*
 * pool_script.h - a pool on loopback whose every word a test says itself.
 *
 * The test plays the pool: it takes the connection, reads what the client says and
 * answers, step by step, in its own thread.  Every step fails the test when it takes
 * longer than ten seconds.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_POOL_SCRIPT_H
#define MINERVA_TESTS_POOL_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "miner/base/bytes.h"

enum { SCRIPT_WAIT_MS = 10000 };

struct pool_script {
    int listener, connection; /* -1: none */
    uint16_t port;
    struct blob in;   /* received, not yet read */
    struct blob line; /* the last one read */
};

struct pool_script pool_script_open(void);
void pool_script_close(struct pool_script *script);
void pool_script_accept(
    struct pool_script *script); /* the next connection; ends the one before */
bool pool_script_is_called(const struct pool_script *script,
                           int wait_ms); /* somebody connects */
void pool_script_hang_up(struct pool_script *script);
/* The next line without its LF, as text that lives until the next call. */
const char *pool_script_read(struct pool_script *script);
/* The next line must hold this part; returns the line. */
const char *pool_script_expect(struct pool_script *script, const char *part);
void pool_script_send(struct pool_script *script, const char *bytes, size_t size);
/* A line, LF added; a reply is {"id":ID,REST. */
void pool_script_say(struct pool_script *script, const char *line);
void pool_script_reply(struct pool_script *script, int64_t id, const char *rest);
/* The client has ended the connection. */
void pool_script_expect_end(struct pool_script *script);
/* The number behind "id": in a line. */
int64_t pool_script_id(const char *line);

#endif
