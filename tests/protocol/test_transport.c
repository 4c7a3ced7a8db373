/*
 * Claim: lines arrive whole however they were cut, half ones and silent peers end within
 * their time, TLS is checked, and a wait can be ended by another thread.
 *
 * SPDX-License-Identifier: MIT
 */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "miner/base/clock.h"
#include "miner/base/thread.h"
#include "pool-protocol/message_line.h"
#include "pool-protocol/transport.h"
#include "tests/pool_script.h"

static struct transport *begin_pinned(uint16_t port, const char *pin)
{
    const struct transport_options options = {
        .host = "127.0.0.1", .port = port, .has_tls = true, .pin = pin, .wake_fd = -1};
    struct transport *t = NULL;
    struct error err = {0};

    assert_int_equal(transport_open(&options, &t, &err), STATUS_OK);
    return t;
}

static struct transport *begin(uint16_t port, bool has_tls, const char *ca_file)
{
    const struct transport_options options = {.host = "127.0.0.1",
                                              .port = port,
                                              .has_tls = has_tls,
                                              .ca_file = ca_file,
                                              .line_ms = has_tls ? 0 : 200,
                                              .wake_fd = -1};
    struct transport *t = NULL;
    struct error err = {0};

    assert_int_equal(transport_open(&options, &t, &err), STATUS_OK);
    return t;
}

/* Waits until the connection stands. */
static struct transport *connected(struct pool_script *script)
{
    struct transport *t = begin(script->port, false, NULL);
    struct error err = {0};

    while (!transport_is_open(t))
        assert_int_equal(transport_wait(t, 1000, &err), STATUS_OK);
    pool_script_accept(script);
    return t;
}

static void expect_line(struct transport *t, const char *expected)
{
    const uint64_t until = clock_ms() + SCRIPT_WAIT_MS;
    struct error err = {0};
    struct bytes line;

    while (!transport_take(t, &line)) {
        assert_true(clock_ms() < until);
        if (transport_wait(t, 1000, &err))
            fail_msg("instead of %s: %s", expected, err.text);
    }
    assert_int_equal(line.size, strlen(expected));
    assert_memory_equal(line.data, expected, line.size);
}

/* Waits until the connection is over. */
static enum status expect_end(struct transport *t, const char *part)
{
    const uint64_t until = clock_ms() + SCRIPT_WAIT_MS;
    struct error err = {0};
    struct bytes line;
    enum status status = STATUS_OK;

    while (!status) {
        assert_true(clock_ms() < until);
        status = transport_wait(t, 1000, &err);
        while (transport_take(t, &line))
            ;
    }
    if (!strstr(err.text, part))
        fail_msg("expected \"%s\", came \"%s\"", part, err.text);
    return status;
}

static void lines_arrive_whole(void **state)
{
    static const char text[] = "one\ntwo\r\n\n\r\nthree\r\rx\r\n";
    struct pool_script script = pool_script_open();
    struct transport *t = connected(&script);

    (void)state;
    /* Cut at every place: in one piece, and byte by byte. */
    pool_script_send(&script, text, sizeof text - 1);
    for (int round = 0; round < 2; round++) {
        if (round)
            for (size_t i = 0; i < sizeof text - 1; i++)
                pool_script_send(&script, text + i, 1);
        expect_line(t, "one");
        expect_line(t, "two");
        expect_line(t, "three\r\rx");
    }
    pool_script_say(&script, "last");
    pool_script_hang_up(&script);
    struct error err = {0};
    struct bytes line = {0};
    enum status status = STATUS_OK;
    while (!status)
        status = transport_wait(t, 1000, &err);
    assert_int_equal(status, STATUS_CLOSED);
    assert_true(transport_take(t, &line)); /* what came before the end is still there */
    assert_memory_equal(line.data, "last", 4);
    transport_close(t);
    pool_script_close(&script);
}

static void push_all(void *context)
{
    struct transport *t = context;
    struct error err = {0};

    while (transport_unsent(t)) {
        if (transport_wait(t, 1000, &err))
            return; /* the reader sees that something is missing */
    }
}

static void what_is_sent_arrives_in_order(void **state)
{
    struct pool_script script = pool_script_open();
    struct transport *t = connected(&script);
    struct blob lines = blob_empty(8 << 20);
    struct thread *thread = NULL;

    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(blob_addf(&lines, "%065536d\n", i), STATUS_OK);
    assert_int_equal(transport_send(t, blob_bytes(&lines)), STATUS_OK);
    assert_int_equal(transport_send(t, blob_bytes(&lines)), STATUS_OK);
    assert_true(transport_unsent(t) > lines.size && !transport_is_free(t));
    struct blob more = blob_empty(16 << 20);
    while (more.size < TRANSPORT_UNSENT_MAX - transport_unsent(t))
        assert_int_equal(blob_add(&more, "x\n", 2), STATUS_OK);
    assert_int_equal(blob_add(&more, "x\n", 2), STATUS_OK);
    assert_int_equal(transport_send(t, blob_bytes(&more)), STATUS_FULL);
    blob_free(&more);
    assert_int_equal(thread_start("pusher", push_all, t, &thread), STATUS_OK);
    for (int i = 0; i < 200; i++)
        assert_int_equal(strtol(pool_script_read(&script), NULL, 10), i % 100);
    thread_join(thread);
    assert_int_equal(transport_unsent(t), 0);
    assert_true(transport_is_free(t));
    blob_free(&lines);
    transport_close(t);
    pool_script_close(&script);
}

/* Lines go out until none can begin; then a wait ends as soon as one can again. */
static void a_line_is_sent_when_it_can_begin_at_once(void **state)
{
    struct pool_script script = pool_script_open();
    const int size = 4096;
    struct blob line = blob_empty(1 << 20);
    uint32_t sent = 0;

    (void)state;
    assert_int_equal(
        setsockopt(script.listener, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
    struct transport *t = begin(script.port, false, NULL);
    struct error err = {0};
    assert_false(transport_is_free(t)); /* not even connected */
    while (!transport_is_open(t))
        assert_int_equal(transport_wait(t, 1000, &err), STATUS_OK);
    pool_script_accept(&script);
    assert_int_equal(blob_addf(&line, "%010000d\n", 7), STATUS_OK);
    for (; transport_is_free(t); sent++)
        assert_int_equal(transport_send(t, blob_bytes(&line)), STATUS_OK);
    assert_true(sent > 0 && transport_unsent(t) < line.size); /* the last one has begun */
    for (uint32_t i = 0; i < sent; i++) {
        assert_int_equal(strlen(pool_script_read(&script)), 10000);
        assert_int_equal(transport_wait(t, 0, &err), STATUS_OK);
    }
    const uint64_t before = clock_ms();
    while (!transport_is_free(t))
        assert_int_equal(transport_wait(t, SCRIPT_WAIT_MS, &err), STATUS_OK);
    assert_true(clock_ms() - before < SCRIPT_WAIT_MS / 2);
    blob_free(&line);
    transport_close(t);
    pool_script_close(&script);
}

static void a_half_line_has_a_time(void **state)
{
    struct pool_script script = pool_script_open();
    struct transport *t = connected(&script);

    (void)state;
    pool_script_say(&script, "whole");
    pool_script_send(&script, "half", 4);
    expect_line(t, "whole");
    assert_int_equal(expect_end(t, "did not finish a line within 200 ms"),
                     STATUS_TIMEOUT);
    transport_close(t);
    pool_script_close(&script);
}

static void a_peer_that_takes_nothing_has_a_time(void **state)
{
    struct pool_script script = pool_script_open();
    struct transport *t = connected(&script);
    struct blob lines = blob_empty(16 << 20);

    (void)state;
    assert_int_equal(blob_reserve(&lines, (16 << 20) - 1), STATUS_OK);
    for (int i = 0; i < 250; i++)
        assert_int_equal(blob_addf(&lines, "%065536d\n", i), STATUS_OK);
    assert_int_equal(transport_send(t, blob_bytes(&lines)), STATUS_OK);
    assert_int_equal(expect_end(t, "takes nothing for 200 ms"), STATUS_TIMEOUT);
    blob_free(&lines);
    transport_close(t);
    pool_script_close(&script);
}

/* The largest line, then one that never ends, until the client hangs up. */
static void send_too_much(void *context)
{
    struct pool_script *script = context;
    char x[4096];

    memset(x, 'x', sizeof x);
    for (int i = 0; i < MESSAGE_LINE_MAX / 4096 - 1; i++)
        pool_script_send(script, x, sizeof x);
    pool_script_send(script, x, sizeof x - 1);
    pool_script_send(script, "\n", 1);
    for (int i = 0; i < 2 * MESSAGE_LINE_MAX / 4096; i++)
        pool_script_send(script, x, sizeof x);
}

static void a_line_has_a_size(void **state)
{
    struct pool_script script = pool_script_open();
    struct transport *t = connected(&script);
    struct thread *sender = NULL;
    struct error err = {0};
    struct bytes line;

    (void)state;
    assert_int_equal(thread_start("sender", send_too_much, &script, &sender), STATUS_OK);
    while (!transport_take(t, &line))
        assert_int_equal(transport_wait(t, 1000, &err), STATUS_OK);
    assert_int_equal(line.size, MESSAGE_LINE_MAX - 1);
    assert_int_equal(expect_end(t, "a line longer than 4194304 bytes"),
                     STATUS_BAD_MESSAGE);
    transport_close(t);
    thread_join(sender);
    pool_script_close(&script);
}

static void waker(void *context)
{
    const uint64_t one = 1;

    assert_int_equal(write(*(const int *)context, &one, sizeof one), sizeof one);
}

static void a_wait_can_be_ended(void **state)
{
    struct pool_script script = pool_script_open();
    const int wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    const struct transport_options options = {
        .host = "127.0.0.1", .port = script.port, .wake_fd = wake_fd};
    struct transport *t = NULL;
    struct thread *thread = NULL;
    struct error err = {0};
    const uint64_t before = clock_ms();

    (void)state;
    assert_int_equal(transport_open(&options, &t, &err), STATUS_OK);
    while (!transport_is_open(t))
        assert_int_equal(transport_wait(t, 1000, &err), STATUS_OK);
    assert_int_equal(thread_start("waker", waker, (void *)(uintptr_t)&wake_fd, &thread),
                     STATUS_OK);
    assert_int_equal(transport_wait(t, 60000, &err), STATUS_OK);
    assert_true(clock_ms() - before < 30000);
    thread_join(thread);
    transport_close(t);
    close(wake_fd);
    pool_script_close(&script);
}

static void nobody_there_is_said(void **state)
{
    struct pool_script script = pool_script_open();
    const uint16_t port = script.port;

    (void)state;
    pool_script_close(&script);
    struct transport *t = begin(port, false, NULL);
    assert_int_equal(expect_end(t, "onnect"), STATUS_NETWORK);
    transport_close(t);
}

/* openssl's own server, with a certificate for 127.0.0.1 that signs itself. */
struct tls_server {
    char folder[64], cert[128], key[128];
    uint16_t port;
    pid_t pid;
};

static bool tls_open(struct tls_server *server)
{
    struct pool_script free_port = pool_script_open();
    char command[600], port[8];

    server->port = free_port.port;
    pool_script_close(&free_port);
    snprintf(server->folder, sizeof server->folder, "/tmp/minerva-tls-XXXXXX");
    assert_non_null(mkdtemp(server->folder));
    snprintf(server->cert, sizeof server->cert, "%s/cert.pem", server->folder);
    snprintf(server->key, sizeof server->key, "%s/key.pem", server->folder);
    snprintf(command, sizeof command,
             "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "
             "-days 2 "
             "-subj /CN=test -addext subjectAltName=IP:127.0.0.1 -keyout %s -out %s "
             ">%s/log 2>&1",
             server->key, server->cert, server->folder);
    if (system(command))
        return false;
    snprintf(port, sizeof port, "%u", server->port);
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (!server->pid) { /* echoes what it reads, in reverse, line by line */
        if (freopen("/dev/null", "w", stdout) && freopen("/dev/null", "w", stderr))
            execlp("openssl", "openssl", "s_server", "-rev", "-accept", port, "-cert",
                   server->cert, "-key", server->key, (char *)NULL);
        _exit(127);
    }
    return true;
}

static void tls_close(const struct tls_server *server)
{
    char command[128];

    kill(server->pid, SIGTERM);
    waitpid(server->pid, NULL, 0);
    snprintf(command, sizeof command, "rm -rf '%s'", server->folder);
    assert_int_equal(system(command), 0);
}

/* The server takes a moment to listen: connect until somebody is there. */
static struct transport *tls_connect(const struct tls_server *server, const char *ca_file,
                                     struct error *err)
{
    const uint64_t until = clock_ms() + SCRIPT_WAIT_MS;

    for (;;) {
        struct transport *t = begin(server->port, true, ca_file);
        enum status status = STATUS_OK;

        *err = (struct error){0};
        while (!status && !transport_is_open(t))
            status = transport_wait(t, 1000, err);
        if (!status)
            return t;
        transport_close(t);
        assert_true(clock_ms() < until);
        if (!strstr(err->text, "onnection refused") && !strstr(err->text, "onnect to"))
            return NULL;
        poll(NULL, 0, 20);
    }
}

static void tls_is_spoken_and_checked(void **state)
{
    struct tls_server server;
    struct error err = {0};

    (void)state;
    if (!tls_open(&server))
        skip();
    struct transport *t = tls_connect(&server, server.cert, &err);
    if (!t)
        fail_msg("%s", err.text);
    assert_int_equal(transport_send(t, bytes_of("abc\n", 4)), STATUS_OK);
    expect_line(t, "cba");
    transport_close(t);
    /* The same server, but nobody said that it may be trusted. */
    assert_null(tls_connect(&server, NULL, &err));
    assert_non_null(strstr(err.text, "certificate"));
    tls_close(&server);
}

/* A server that takes nothing for a while: lines queue up behind one that TLS has begun,
 * and all arrive. */
static void tls_lines_queue_behind_one_that_began(void **state)
{
    enum { COUNT = 12000 };
    struct tls_server server;
    struct error err = {0};
    char line[1001];

    (void)state;
    if (!tls_open(&server))
        skip();
    struct transport *t = tls_connect(&server, server.cert, &err);
    assert_non_null(t);
    assert_int_equal(kill(server.pid, SIGSTOP), 0);
    for (int i = 0; i < COUNT; i++) {
        memset(line, 'a' + i % 26, 1000);
        line[1000] = '\n';
        assert_int_equal(transport_send(t, bytes_of(line, 1001)), STATUS_OK);
        if (i % 1000 == 0)
            assert_int_equal(transport_step(t, &err), STATUS_OK);
    }
    assert_true(transport_unsent(t) > 0 && !transport_is_free(t));
    assert_int_equal(kill(server.pid, SIGCONT), 0);
    line[1000] = 0;
    for (int i = 0; i < COUNT; i++) {
        memset(line, 'a' + i % 26, 1000); /* the same in reverse */
        expect_line(t, line);
    }
    transport_close(t);
    tls_close(&server);
}

/* What the server's key hashes to, as openssl works it out. */
static void tls_pin(const struct tls_server *server, char pin[80])
{
    char command[600], digest[64] = "";

    snprintf(command, sizeof command,
             "openssl x509 -in %s -pubkey -noout | openssl pkey -pubin -outform der | "
             "openssl dgst -sha256 -binary | openssl base64",
             server->cert);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_int_equal(fscanf(pipe, "%63s", digest), 1);
    pclose(pipe);
    snprintf(pin, 80, "sha256//%s", digest);
}

/* Under its right key a server needs no one's word; under a wrong one no word helps. */
static void a_pinned_key_is_the_only_one(void **state)
{
    struct tls_server server;
    struct error err = {0};
    char pin[80];

    (void)state;
    if (!tls_open(&server))
        skip();
    tls_pin(&server, pin);
    transport_close(tls_connect(&server, server.cert, &err)); /* it listens */
    struct transport *t = begin_pinned(server.port, pin);
    while (!transport_is_open(t))
        assert_int_equal(transport_wait(t, 1000, &err), STATUS_OK);
    assert_int_equal(transport_send(t, bytes_of("abc\n", 4)), STATUS_OK);
    expect_line(t, "cba");
    transport_close(t);
    pin[10] = pin[10] == 'A' ? 'B' : 'A';
    t = begin_pinned(server.port, pin);
    assert_int_equal(expect_end(t, "pinned"), STATUS_NETWORK);
    transport_close(t);
    tls_close(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_arrive_whole),
        cmocka_unit_test(what_is_sent_arrives_in_order),
        cmocka_unit_test(a_line_is_sent_when_it_can_begin_at_once),
        cmocka_unit_test(a_half_line_has_a_time),
        cmocka_unit_test(a_peer_that_takes_nothing_has_a_time),
        cmocka_unit_test(a_line_has_a_size),
        cmocka_unit_test(a_wait_can_be_ended),
        cmocka_unit_test(nobody_there_is_said),
        cmocka_unit_test(tls_is_spoken_and_checked),
        cmocka_unit_test(tls_lines_queue_behind_one_that_began),
        cmocka_unit_test(a_pinned_key_is_the_only_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
