/*
 * pool_script.c - a pool on loopback whose every word a test says itself.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/pool_script.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void wait_readable(int fd, const char *what)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};

    if (poll(&poller, 1, SCRIPT_WAIT_MS) != 1)
        fail_msg("%s did not happen within %d ms", what, SCRIPT_WAIT_MS);
}

struct pool_script pool_script_open(void)
{
    struct pool_script script = {.connection = -1,
                                 .in = blob_empty((size_t)16 << 20),
                                 .line = blob_empty((size_t)16 << 20)};
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;

    script.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(script.listener >= 0);
    assert_int_equal(bind(script.listener, (struct sockaddr *)&address, sizeof address),
                     0);
    assert_int_equal(listen(script.listener, 8), 0);
    assert_int_equal(getsockname(script.listener, (struct sockaddr *)&address, &size), 0);
    script.port = ntohs(address.sin_port);
    return script;
}

void pool_script_hang_up(struct pool_script *script)
{
    if (script->connection >= 0)
        close(script->connection);
    script->connection = -1;
    blob_clear(&script->in);
}

void pool_script_close(struct pool_script *script)
{
    pool_script_hang_up(script);
    close(script->listener);
    blob_free(&script->in);
    blob_free(&script->line);
}

void pool_script_accept(struct pool_script *script)
{
    pool_script_hang_up(script);
    wait_readable(script->listener, "a connection");
    script->connection = accept(script->listener, NULL, NULL);
    assert_true(script->connection >= 0);
}

bool pool_script_is_called(const struct pool_script *script, int wait_ms)
{
    struct pollfd poller = {.fd = script->listener, .events = POLLIN};

    return poll(&poller, 1, wait_ms) == 1;
}

/* Whether something came; false: the client ended the connection. */
static bool receive_more(struct pool_script *script, const char *what)
{
    char data[65536];

    wait_readable(script->connection, what);
    const ssize_t got = recv(script->connection, data, sizeof data, 0);
    if (got <= 0)
        return false;
    assert_int_equal(blob_add(&script->in, data, (size_t)got), STATUS_OK);
    return true;
}

const char *pool_script_read(struct pool_script *script)
{
    const uint8_t *end = NULL;

    while (!script->in.size || !(end = memchr(script->in.data, '\n', script->in.size))) {
        if (!receive_more(script, "a line"))
            fail_msg("the client hung up instead of sending a line");
    }
    const size_t size = (size_t)(end - script->in.data);
    blob_clear(&script->line);
    assert_int_equal(blob_add(&script->line, script->in.data, size), STATUS_OK);
    blob_drop_front(&script->in, size + 1);
    return (const char *)script->line.data;
}

const char *pool_script_expect(struct pool_script *script, const char *part)
{
    const char *line = pool_script_read(script);

    if (!strstr(line, part))
        fail_msg("expected a line with %s, came %.300s", part, line);
    return line;
}

void pool_script_send(struct pool_script *script, const char *bytes, size_t size)
{
    while (size) {
        const ssize_t sent = send(script->connection, bytes, size, MSG_NOSIGNAL);

        if (sent <= 0)
            return; /* the client hung up: the test sees it where it looks for it */
        bytes += sent;
        size -= (size_t)sent;
    }
}

void pool_script_say(struct pool_script *script, const char *line)
{
    pool_script_send(script, line, strlen(line));
    pool_script_send(script, "\n", 1);
}

void pool_script_reply(struct pool_script *script, int64_t id, const char *rest)
{
    char line[4096];

    snprintf(line, sizeof line, "{\"id\":%" PRId64 ",%s", id, rest);
    pool_script_say(script, line);
}

void pool_script_expect_end(struct pool_script *script)
{
    while (receive_more(script, "the end of the connection"))
        ;
}

int64_t pool_script_id(const char *line)
{
    const char *id = strstr(line, "\"id\":");

    assert_non_null(id);
    return strtoll(id + 5, NULL, 10);
}
