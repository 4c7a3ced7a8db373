/*
 * Claim: a pool named by HOST:PORT alone is tried with TLS first; one that hangs up on
 * it, answers in plain or stays silent is spoken to in plain, and one that is no pool in
 * plain either is tried with TLS again. labels: tsan
 *
 * SPDX-License-Identifier: MIT
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "tests/pool_bench.h"

enum { PATIENT = 1, STRICT = 15 /* TLS has 667 ms */ };

static void start(struct bench *bench, const char *pin, uint32_t strict)
{
    char url[64];
    struct error err = {0};
    const struct pool_options options = {.url = url,
                                         .user = "prl1pexample",
                                         .worker = "rig7",
                                         .pass = "x",
                                         .agent = "test/1",
                                         .pin = pin,
                                         .is_account = true,
                                         .hurry = 1000,
                                         .strict = strict};

    snprintf(url, sizeof url, "127.0.0.1:%u", bench->script.port);
    assert_int_equal(pool_start(&options, &bench->ports, &bench->pool, &err), STATUS_OK);
}

/* The client connects; returns whether it begins TLS, of which every word begins so. */
static bool begins_tls(struct bench *bench)
{
    struct pollfd poller = {.events = POLLIN};
    uint8_t first = 0;

    pool_script_accept(&bench->script);
    poller.fd = bench->script.connection;
    assert_int_equal(poll(&poller, 1, SCRIPT_WAIT_MS), 1);
    assert_int_equal(recv(bench->script.connection, &first, 1, MSG_PEEK), 1);
    return first == 0x16;
}

static void joins_in_plain(struct bench *bench)
{
    assert_false(begins_tls(bench));
    const char *line = pool_script_expect(&bench->script, "mining.authorize");
    pool_script_reply(&bench->script, pool_script_id(line), BENCH_ACCEPTED);
    bench_expect_news(bench, NEWS_NOTICE, "without TLS");
    news_free(bench_news(bench, NEWS_CONNECTED));
}

static void who_hangs_up_is_spoken_to_in_plain(void **state)
{
    struct bench *bench = *state;

    start(bench, NULL, PATIENT);
    assert_true(begins_tls(bench));
    pool_script_hang_up(&bench->script);
    bench_expect_news(bench, NEWS_NOTICE, "does not speak TLS");
    joins_in_plain(bench);
    pool_script_hang_up(&bench->script); /* it was a pool: it stays as it is */
    joins_in_plain(bench);
}

static void who_answers_in_plain_is_heard(void **state)
{
    struct bench *bench = *state;

    start(bench, NULL, PATIENT);
    assert_true(begins_tls(bench));
    pool_script_say(&bench->script, "{\"id\":null,\"result\":null,\"error\":\"what?\"}");
    bench_expect_news(bench, NEWS_NOTICE, "does not speak TLS");
    joins_in_plain(bench);
}

static void who_is_silent_is_asked_in_plain(void **state)
{
    struct bench *bench = *state;

    start(bench, NULL, STRICT);
    assert_true(begins_tls(bench));
    bench_expect_news(bench, NEWS_NOTICE, "does not speak TLS");
    joins_in_plain(bench);
}

static void no_pool_either_way_is_tried_with_tls_again(void **state)
{
    struct bench *bench = *state;

    start(bench, NULL, PATIENT);
    assert_true(begins_tls(bench));
    pool_script_hang_up(&bench->script);
    assert_false(begins_tls(bench));
    pool_script_hang_up(&bench->script);
    assert_true(begins_tls(bench));
}

static void who_named_a_key_means_tls(void **state)
{
    struct bench *bench = *state;

    start(bench, "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", PATIENT);
    for (int i = 0; i < 3; i++) {
        assert_true(begins_tls(bench));
        pool_script_hang_up(&bench->script);
    }
}

#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, bench_open, bench_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BENCH(who_hangs_up_is_spoken_to_in_plain),
        WITH_BENCH(who_answers_in_plain_is_heard),
        WITH_BENCH(who_is_silent_is_asked_in_plain),
        WITH_BENCH(no_pool_either_way_is_tried_with_tls_again),
        WITH_BENCH(who_named_a_key_means_tls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
