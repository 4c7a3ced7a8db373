/*
 * Claim: the system watches a connection for a dead way as the protocol asks; a line that
 * trickles in has a time; a proxy is given the pool's name and is never passed by.
 *
 * SPDX-License-Identifier: MIT
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "miner/base/clock.h"
#include "pool-protocol/transport.h"
#include "tests/pool_script.h"

enum { LINE_MS = 150 };

static struct transport *begin(const char *host, uint16_t port,
                               const struct pool_script *proxy)
{
    char url[64];
    struct transport *t = NULL;
    struct error err = {0};
    const struct transport_options options = {.host = host,
                                              .port = port,
                                              .proxy = proxy ? url : NULL,
                                              .line_ms = LINE_MS,
                                              .wake_fd = -1};

    snprintf(url, sizeof url, "socks5://127.0.0.1:%u", proxy ? proxy->port : 0);
    assert_int_equal(transport_open(&options, &t, &err), STATUS_OK);
    assert_int_equal(transport_wait(t, 20, &err), STATUS_OK);
    return t;
}

static void until_open(struct transport *t)
{
    struct error err = {0};

    while (!transport_is_open(t))
        assert_int_equal(transport_wait(t, 1000, &err), STATUS_OK);
}

/* The client's end of the connection to that port. */
static int socket_to(uint16_t port)
{
    for (int fd = 3; fd < 256; fd++) {
        struct sockaddr_in peer = {0};
        socklen_t size = sizeof peer;

        if (!getpeername(fd, (struct sockaddr *)&peer, &size) &&
            peer.sin_family == AF_INET && ntohs(peer.sin_port) == port)
            return fd;
    }
    fail_msg("no socket is connected to port %u", port);
    return -1;
}

static void a_dead_way_is_watched_for(void **state)
{
    static const struct {
        int level, name, value;
    } rows[] = {{SOL_SOCKET, SO_KEEPALIVE, 1},   {IPPROTO_TCP, TCP_NODELAY, 1},
                {IPPROTO_TCP, TCP_KEEPIDLE, 15}, {IPPROTO_TCP, TCP_KEEPINTVL, 5},
                {IPPROTO_TCP, TCP_KEEPCNT, 3},   {IPPROTO_TCP, TCP_USER_TIMEOUT, 30000}};
    struct pool_script script = pool_script_open();
    struct transport *t = begin("127.0.0.1", script.port, NULL);

    pool_script_accept(&script);
    until_open(t);
    const int fd = socket_to(script.port);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int value = -1;
        socklen_t size = sizeof value;

        assert_int_equal(getsockopt(fd, rows[i].level, rows[i].name, &value, &size), 0);
        assert_int_equal(value, rows[i].value);
    }
    transport_close(t);
    pool_script_close(&script);
}

/* However much comes: what counts is when the line began. */
static void a_line_that_trickles_in_has_a_time(void **state)
{
    struct pool_script script = pool_script_open();
    struct transport *t = begin("127.0.0.1", script.port, NULL);
    struct error err = {0};
    enum status status = STATUS_OK;
    const uint64_t before = clock_ms();
    struct bytes line;

    (void)state;
    pool_script_accept(&script);
    until_open(t);
    while (!status && clock_ms() < before + 20 * LINE_MS) {
        pool_script_send(&script, "x", 1);
        status = transport_wait(t, 10, &err);
        assert_false(transport_take(t, &line));
    }
    assert_int_equal(status, STATUS_TIMEOUT);
    assert_non_null(strstr(err.text, "did not finish a line"));
    assert_true(clock_ms() - before >= LINE_MS);
    transport_close(t);
    pool_script_close(&script);
}

/* What the client says to a proxy until it waits for an answer. */
static void expect_bytes(struct transport *t, struct pool_script *proxy,
                         const void *bytes, size_t size)
{
    uint8_t got[64];
    struct error err = {0};
    size_t have = 0;

    assert_true(size <= sizeof got);
    while (have < size) {
        struct pollfd poller = {.fd = proxy->connection, .events = POLLIN};

        assert_int_equal(transport_wait(t, 20, &err), STATUS_OK);
        if (poll(&poller, 1, 0) == 1) {
            const ssize_t more = recv(proxy->connection, got + have, size - have, 0);

            assert_true(more > 0);
            have += (size_t)more;
        }
    }
    assert_memory_equal(got, bytes, size);
}

static void a_proxy_finds_the_name(void **state)
{
    static const uint8_t wanted[] = "\5\1\0\3\14pool.example\15\5"; /* port 3333 */
    struct pool_script proxy = pool_script_open();
    struct transport *t = begin("pool.example", 3333, &proxy);
    struct error err = {0};
    uint8_t greeting[2];
    struct bytes line;

    (void)state;
    pool_script_accept(&proxy);
    while (recv(proxy.connection, greeting, sizeof greeting, MSG_DONTWAIT | MSG_PEEK) < 2)
        assert_int_equal(transport_wait(t, 20, &err), STATUS_OK);
    assert_int_equal(greeting[0], 5);
    uint8_t methods[64];
    assert_true(recv(proxy.connection, methods, 2u + greeting[1], 0) > 2);
    pool_script_send(&proxy, "\5\0", 2);
    expect_bytes(t, &proxy, wanted, sizeof wanted - 1);
    pool_script_send(&proxy, "\5\0\0\1\0\0\0\0\0\0", 10);
    until_open(t);
    pool_script_say(&proxy, "from the pool");
    while (!transport_take(t, &line))
        assert_int_equal(transport_wait(t, 1000, &err), STATUS_OK);
    assert_int_equal(line.size, 13);
    assert_memory_equal(line.data, "from the pool", 13);
    transport_close(t);
    pool_script_close(&proxy);
}

static void a_proxy_that_refuses_is_not_passed_by(void **state)
{
    struct pool_script proxy = pool_script_open(), pool = pool_script_open();
    struct transport *t = begin("127.0.0.1", pool.port, &proxy);
    struct error err = {0};
    enum status status = STATUS_OK;

    (void)state;
    pool_script_accept(&proxy);
    pool_script_send(&proxy, "\5\377", 2); /* no way to log in is good enough */
    while (!status)
        status = transport_wait(t, 1000, &err);
    assert_int_equal(status, STATUS_NETWORK);
    assert_true(strlen(err.text) > 10);
    assert_false(pool_script_is_called(&pool, 0));
    transport_close(t);

    pool_script_hang_up(&proxy);
    close(proxy.listener); /* nobody is there at all */
    t = begin("127.0.0.1", pool.port, &proxy);
    for (status = STATUS_OK; !status;)
        status = transport_wait(t, 1000, &err);
    assert_int_equal(status, STATUS_NETWORK);
    assert_false(pool_script_is_called(&pool, 0));
    transport_close(t);
    proxy.listener = dup(pool.listener);
    pool_script_close(&proxy);
    pool_script_close(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dead_way_is_watched_for),
        cmocka_unit_test(a_line_that_trickles_in_has_a_time),
        cmocka_unit_test(a_proxy_finds_the_name),
        cmocka_unit_test(a_proxy_that_refuses_is_not_passed_by),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
