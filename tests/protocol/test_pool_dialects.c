/*
 * Claim: the pool thread does what a dialect cannot do alone: it solves puzzles beside
 * the conversation, reaches a gateway through a file, and takes a job from the workers
 * that is over.
 *
 * labels: tsan
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "miner/base/clock.h"
#include "miner/base/mailbox.h"
#include "tests/pool_bench.h"

static const char challenge[] =
    "{\"id\":null,\"method\":\"pearl.challenge\",\"params\":{\"seed\":"
    "\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\","
    "\"difficulty\":%u}}";

/* Solved beside the conversation; a repeat is answered once; a lost pool ends the search.
 */
static void a_puzzle_is_solved_while_the_pool_talks(void **state)
{
    struct bench *bench = *state;
    char text[256];

    bench_connect(bench, "pearl-v1+tcp");
    pool_script_accept(&bench->script);
    snprintf(text, sizeof text, challenge, PUZZLE_BITS_MAX);
    pool_script_say(&bench->script, text);
    bench_expect_news(bench, NEWS_NOTICE, "a puzzle of 40 bits");
    pool_script_hang_up(&bench->script);
    news_free(bench_news(bench, NEWS_LOST));

    pool_script_accept(&bench->script);
    snprintf(text, sizeof text, challenge, 12U);
    pool_script_say(&bench->script, text);
    pool_script_say(&bench->script, text);
    const char *line = pool_script_expect(&bench->script, "pearl.challenge_response");
    struct puzzle_task task = {.bits = 12};
    uint8_t be[8];
    uint64_t nonce = 0;
    for (uint8_t i = 0; i < PUZZLE_SEED_SIZE; i++)
        task.seed[i] = i;
    assert_true(hex_decode(strndupa(strstr(line, "nonce") + 8, 16), be, sizeof be));
    for (int i = 0; i < 8; i++)
        nonce = nonce << 8 | be[i];
    assert_true(puzzle_is_solved_by(&task, nonce));
    pool_script_reply(&bench->script, pool_script_id(line), BENCH_ACCEPTED);
    bench_answer_line(bench, "mining.configure", "\"result\":{\"pearl/v1\":true}}");
    bench_answer_line(bench, "mining.subscribe", "\"result\":[]}");
    bench_answer_line(bench, "\"mining.authorize\",\"params\":[\"prl1pexample.rig7\"",
                      "\"result\":true}");
    bench_expect_news(bench, NEWS_CONNECTED, "a pearl/v1 pool");
}

/* Nobody said how the pool speaks: the first thing it hears is what it understands. */
static void what_a_pool_speaks_is_found_out(void **state)
{
    struct bench *bench = *state;
    char url[64], text[256];
    struct error err = {0};

    snprintf(url, sizeof url, "stratum+tcp://127.0.0.1:%u", bench->script.port);
    const struct pool_options options = {
        .url = url, .user = "prl1pexample.rig7", .is_account = true, .hurry = 1000};
    assert_int_equal(pool_start(&options, &bench->ports, &bench->pool, &err), STATUS_OK);
    pool_script_accept(&bench->script);
    snprintf(text, sizeof text, challenge, 8U);
    pool_script_say(&bench->script, text);
    bench_answer_line(bench, "pearl.challenge_response", BENCH_ACCEPTED);
    bench_answer_line(bench, "mining.configure", "\"result\":{\"pearl/v1\":true}}");
    pool_script_hang_up(&bench->script); /* before it took the login: nothing is known */

    pool_script_accept(&bench->script);
    const uint64_t before = clock_ms();
    const char *line = pool_script_expect(
        &bench->script, "\"mining.authorize\",\"params\":{\"wallet\":\"prl1pexample\"");
    assert_true(clock_ms() - before >= 200); /* it listened first */
    pool_script_reply(&bench->script, pool_script_id(line), BENCH_ACCEPTED);
    bench_expect_news(bench, NEWS_CONNECTED, "a plain Pearl pool");
    bench_say_job(bench, "j1");
    news_free(bench_news(bench, NEWS_JOB));
    pool_script_hang_up(&bench->script);

    pool_script_accept(&bench->script);
    const uint64_t again = clock_ms();
    (void)pool_script_expect(&bench->script, "\"params\":{\"wallet\"");
    assert_true(clock_ms() - again < 200); /* that is settled */
}

/* The gateway's own socket is a file; whoever mines alone needs no name. */
static void a_gateway_is_reached_through_its_file(void **state)
{
    struct bench *bench = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char url[160];
    struct error err = {0};

    snprintf(address.sun_path, sizeof address.sun_path, "/tmp/minerva-gateway-%ld.sock",
             (long)getpid());
    snprintf(url, sizeof url, "gateway+unix://%s", address.sun_path);
    close(bench->script.listener);
    bench->script.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(bench->script.listener >= 0);
    unlink(address.sun_path);
    assert_int_equal(
        bind(bench->script.listener, (const struct sockaddr *)&address, sizeof address),
        0);
    assert_int_equal(listen(bench->script.listener, 1), 0);
    const struct pool_options options = {.url = url, .hurry = 1000};
    assert_int_equal(pool_start(&options, &bench->ports, &bench->pool, &err), STATUS_OK);
    pool_script_accept(&bench->script);
    unlink(address.sun_path);
    bench_answer_line(bench, "getMiningInfo",
                      "\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32001}}");
    bench_expect_news(bench, NEWS_CONNECTED, "a solo gateway");
    pool_script_expect(&bench->script, "getMiningInfo"); /* a second later */
}

/* Nothing is mined any more for a job that another one ended. */
static void a_job_that_nobody_can_make_ends_the_last(void **state)
{
    struct bench *bench = *state;
    uint64_t generation = 0;
    char header[2 * JOB_HEADER_SIZE + 1] = "", text[512];

    bench_connect(bench, "stratum+tcp");
    pool_script_reply(&bench->script, bench_hear_hello(bench, "prl1pexample"),
                      BENCH_ACCEPTED);
    bench_say_job(bench, "j1");
    news_free(bench_news(bench, NEWS_JOB));
    pool_script_say(&bench->script, "no JSON");
    pool_script_say(&bench->script, "{\"id\":null,\"method\":\"mining.notify\","
                                    "\"params\":{\"job_id\":\"j2\"}}");
    news_free(bench_news(bench, NEWS_NOTICE));
    news_free(bench_news(bench, NEWS_NOTICE));
    struct job *job = mailbox_take(bench->ports.jobs, &generation);
    assert_non_null(job);
    assert_string_equal(job->id, "j1");
    job_release(job);
    memset(header, '1', sizeof header - 1);
    snprintf(text, sizeof text,
             "{\"id\":null,\"method\":\"mining.notify\",\"params\":{\"job_id\":\"j3\","
             "\"header\":\"%s\",\"target\":\"%064d\",\"cert_version\":3}}",
             header, 0);
    memset(strstr(text, "target") + 9, 'f', 64);
    pool_script_say(&bench->script, text);
    bench_expect_news(bench, NEWS_NOTICE, "job j3 has the target ffff");
    assert_null(mailbox_take(bench->ports.jobs, &generation));
    bench_put_share(bench, "j1");
    bench_expect_verdict(bench, NEWS_SHARE, VERDICT_STALE);
}

#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, bench_open, bench_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BENCH(a_puzzle_is_solved_while_the_pool_talks),
        WITH_BENCH(what_a_pool_speaks_is_found_out),
        WITH_BENCH(a_gateway_is_reached_through_its_file),
        WITH_BENCH(a_job_that_nobody_can_make_ends_the_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
