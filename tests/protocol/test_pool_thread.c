/*
 * Claim: the pool thread carries work both ways, comes back after a pool that goes away
 * at any point of the conversation, never sends a share twice, never loses a finished
 * result, and stops within its time. labels: tsan
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "miner/base/clock.h"
#include "pool-protocol/backoff.h"
#include "tests/pool_bench.h"

static void work_goes_both_ways(void **state)
{
    struct bench *bench = *state;
    uint64_t generation = 0;
    struct pool_artifacts where;

    bench_connect(bench, "pouw+tcp");
    bench_welcome(bench);
    pool_artifacts(bench->pool, &where);
    assert_string_equal(where.url, "http://127.0.0.1:3380/artifacts");
    assert_string_equal(where.session, BENCH_SESSION);

    bench_say_job(bench, "j1");
    struct news *news = bench_news(bench, NEWS_JOB);
    struct job *job = mailbox_take(bench->ports.jobs, &generation);
    assert_ptr_equal(job, news->job);
    assert_string_equal(job->id, "j1");
    job_release(job);
    news_free(news);

    bench_say_assign(bench);
    bench_take_assignment(bench);
    bench_put_answer(bench, ANSWER_ACCEPT, 0);
    bench_answer_line(bench, "task.accept", BENCH_ACCEPTED);
    bench_put_share(bench, "j1");
    bench_put_answer(bench, ANSWER_DONE, 100);
    bench_answer_line(bench, "mining.submit", BENCH_ACCEPTED);
    bench_answer_line(bench, "task.result", BENCH_RESULT_ACCEPTED);
    news = bench_news(bench, NEWS_SHARE);
    assert_int_equal(news->verdict, VERDICT_ACCEPTED);
    assert_int_equal(news->device, 3);
    assert_string_equal(news->task_id, BENCH_TASK);
    assert_string_equal(news->job->id, "j1");
    assert_true(news->work > 999999 && news->work < 1000001);
    news_free(news);
    bench_expect_verdict(bench, NEWS_RESULT, VERDICT_ACCEPTED);

    assert_false(pool_is_cancelled(bench->pool, BENCH_TASK));
    pool_script_say(
        &bench->script,
        "{\"id\":null,\"method\":\"task.cancel\",\"params\":{\"task_id\":\"" BENCH_TASK
        "\"}}\r");
    news_free(bench_news(bench, NEWS_CANCELLED));
    assert_true(pool_is_cancelled(bench->pool, BENCH_TASK));
    assert_false(pool_is_cancelled(bench->pool, ""));
    bench_say_assign(bench); /* once more: no longer cancelled */
    bench_take_assignment(bench);
    assert_false(pool_is_cancelled(bench->pool, BENCH_TASK));

    queue_close(bench->ports.outbox);
    assert_int_equal(pool_stop(bench->pool, SCRIPT_WAIT_MS), 0);
    pool_script_expect_end(&bench->script);
}

static void a_task_handed_back_takes_its_waiting_shares_with_it(void **state)
{
    struct bench *bench = *state;

    bench_connect(bench, "pouw+tcp");
    bench_welcome(bench);
    bench_say_job(bench, "j1");
    news_free(bench_news(bench, NEWS_JOB));
    for (int i = 0; i < 6; i++)
        bench_put_share(bench, "j1");
    for (int i = 0; i < 4; i++) /* as many as may be outstanding */
        (void)pool_script_expect(&bench->script, "mining.submit");
    bench_put_answer(bench, ANSWER_DECLINE, 0);
    (void)pool_script_expect(&bench->script, "task.decline");
    bench_expect_verdict(bench, NEWS_SHARE, VERDICT_STALE);
    bench_expect_verdict(bench, NEWS_SHARE, VERDICT_STALE);
}

/* Each step is a point at which the pool can go away. */
enum step {
    STEP_CONNECTED,
    STEP_HELLO,
    STEP_HALF_WELCOME,
    STEP_WELCOME,
    STEP_HALF_JOB,
    STEP_JOB,
    STEP_ASSIGN,
    STEP_ACCEPT,
    STEP_SHARE,
    STEP_RESULT,
    STEP_HALF_VERDICT,
    STEP_COUNT
};

static void say_part(struct bench *bench, const char *part)
{
    pool_script_send(&bench->script, part, strlen(part));
}

static void play_until(struct bench *bench, enum step last)
{
    int64_t id = 0;

    for (enum step step = STEP_CONNECTED; step <= last; step++) {
        switch (step) {
        case STEP_CONNECTED:
            pool_script_accept(&bench->script);
            break;
        case STEP_HELLO:
            id = pool_script_id(pool_script_expect(&bench->script, "mining.authorize"));
            break;
        case STEP_HALF_WELCOME:
            say_part(bench, "{\"id\":");
            break;
        case STEP_WELCOME:
            say_part(bench, "null,\"method\":\"x\"}\n");
            pool_script_reply(&bench->script, id, BENCH_WELCOME);
            break;
        case STEP_HALF_JOB:
            say_part(bench, "{\"id\":null,");
            break;
        case STEP_JOB:
            say_part(bench, "\"method\":\"x\"}\n");
            bench_say_job(bench, "j1");
            news_free(bench_news(bench, NEWS_JOB));
            break;
        case STEP_ASSIGN:
            bench_say_assign(bench);
            bench_take_assignment(bench);
            break;
        case STEP_ACCEPT:
            bench_put_answer(bench, ANSWER_ACCEPT, 0);
            (void)pool_script_expect(&bench->script, "task.accept");
            break;
        case STEP_SHARE:
            bench_put_share(bench, "j1");
            (void)pool_script_expect(&bench->script, "mining.submit");
            break;
        case STEP_RESULT:
            bench_put_answer(bench, ANSWER_DONE, 100);
            (void)pool_script_expect(&bench->script, "task.result");
            break;
        case STEP_HALF_VERDICT:
            say_part(bench, "{\"id\":5,\"result\":{\"sta");
            break;
        case STEP_COUNT:
            break;
        }
    }
}

/* One shot of a pool that leaves after `last`; then a whole conversation must go well. */
static void leave_and_come_back(void **state, enum step last)
{
    struct bench *bench = *state;

    bench_connect(bench, "pouw+tcp");
    play_until(bench, last);
    pool_script_hang_up(&bench->script);
    if (last >= STEP_SHARE)
        bench_expect_verdict(bench, NEWS_SHARE, VERDICT_UNKNOWN);
    bench_expect_news(bench, NEWS_LOST, "again in");

    pool_script_reply(&bench->script,
                      bench_hear_hello(bench, last >= STEP_WELCOME
                                                  ? "\"session\":\"" BENCH_SESSION
                                                  : "rig7"),
                      BENCH_WELCOME);
    bench_expect_news(bench, NEWS_CONNECTED,
                      last >= STEP_WELCOME ? "session kept" : "new session");
    if (last < STEP_RESULT) {
        bench_put_share(bench, "unheard of");
        bench_put_answer(bench, ANSWER_DONE, 100);
        bench_expect_verdict(bench, NEWS_SHARE, VERDICT_STALE);
    }
    /* The first thing to come is the result: no share is sent twice. */
    bench_answer_line(bench, "task.result", BENCH_RESULT_ACCEPTED);
    bench_expect_verdict(bench, NEWS_RESULT, VERDICT_ACCEPTED);
    queue_close(bench->ports.outbox);
    assert_int_equal(pool_stop(bench->pool, SCRIPT_WAIT_MS), 0);
}

static void a_pool_leaves_at_any_point(void **state)
{
    for (enum step last = STEP_CONNECTED; last < STEP_COUNT; last++) {
        leave_and_come_back(state, last);
        bench_close(state);
        bench_open(state);
    }
}

static void a_plain_pools_jobs_end_with_it(void **state)
{
    struct bench *bench = *state;
    uint64_t generation = 0;

    bench_connect(bench, "stratum+tcp");
    pool_script_reply(&bench->script, bench_hear_hello(bench, "prl1pexample"),
                      BENCH_ACCEPTED);
    bench_say_job(bench, "j1");
    news_free(bench_news(bench, NEWS_JOB));
    pool_script_hang_up(&bench->script);
    news_free(bench_news(bench, NEWS_LOST));
    assert_null(mailbox_take(bench->ports.jobs, &generation));
    bench_put_share(bench, "j1"); /* found before the end was known */
    pool_script_reply(&bench->script, bench_hear_hello(bench, "prl1pexample"),
                      BENCH_ACCEPTED);
    bench_say_job(bench, "j2"); /* of another header than the share's */
    bench_expect_verdict(bench, NEWS_SHARE, VERDICT_STALE);
}

static void a_refused_login_is_told_and_tried_later(void **state)
{
    struct bench *bench = *state;

    bench_connect(bench, "pouw+tcp");
    const uint64_t before = clock_ms();
    pool_script_reply(
        &bench->script, bench_hear_hello(bench, "rig7"),
        "\"result\":null,\"error\":{\"code\":25,\"msg\":\"invalid wallet\"}}");
    struct news *news = bench_news(bench, NEWS_REFUSED);
    assert_int_equal(news->code, 25);
    assert_string_equal(news->text, "invalid wallet");
    news_free(news);
    pool_script_expect_end(&bench->script);
    bench_expect_news(bench, NEWS_LOST, "invalid wallet");
    bench_welcome(bench);
    assert_true(clock_ms() - before >= 60); /* 60 s, hurried a thousand times */
}

static void hostile_lines_end_a_message_or_the_connection(void **state)
{
    struct bench *bench = *state;
    static char flood[1 << 16];

    bench_connect(bench, "pouw+tcp");
    bench_welcome(bench);
    pool_script_say(&bench->script, "no json");
    bench_expect_news(bench, NEWS_NOTICE, "no JSON");
    pool_script_say(&bench->script,
                    "{\"id\":null,\"method\":\"mining.notify\",\"params\":7}\r");
    bench_expect_news(bench, NEWS_NOTICE, "params is 7");
    bench_say_job(bench, "still here");
    news_free(bench_news(bench, NEWS_JOB));

    memset(flood, '[', sizeof flood);
    for (int i = 0; i < 70; i++)
        pool_script_send(&bench->script, flood, sizeof flood);
    bench_expect_news(bench, NEWS_LOST, "longer than 4194304 bytes");

    bench_welcome(bench);
}

/* However many lines say nothing: the connection stays, the job stays, the log is short.
 */
static void nonsense_changes_nothing(void **state)
{
    struct bench *bench = *state;
    uint64_t generation = 0;
    uint32_t told = 0, counted = 0, more = 0;

    char url[64];
    struct error err = {0};

    snprintf(url, sizeof url, "stratum+tcp://127.0.0.1:%u", bench->script.port);
    const struct pool_options options = {
        .url = url, .user = "prl1pexample", .is_account = true};
    assert_int_equal(pool_start(&options, &bench->ports, &bench->pool, &err), STATUS_OK);
    pool_script_reply(&bench->script, bench_hear_hello(bench, "prl1pexample"),
                      BENCH_ACCEPTED);
    bench_say_job(bench, "j1");
    news_free(bench_news(bench, NEWS_JOB));
    for (int i = 0; i < 1000; i++)
        pool_script_say(&bench->script, i % 2 ? "no json"
                                              : "{\"id\":null,\"method\":"
                                                "\"mining.notify\",\"params\":{}}");
    for (; told + counted < 1000; told++) {
        struct news *news = bench_news(bench, NEWS_NOTICE);

        if (sscanf(news->text, "%u more messages", &more) == 1) {
            counted += more;
            told--;
        }
        news_free(news);
    }
    assert_true(told <= 40); /* four a second, on however slow a machine */
    struct job *job = mailbox_take(bench->ports.jobs, &generation);
    assert_non_null(job);
    assert_string_equal(job->id, "j1");
    job_release(job);
    assert_false(pool_script_is_called(&bench->script, 0));
    bench_say_job(bench, "j2");
    news_free(bench_news(bench, NEWS_JOB));
}

static void stopping_waits_no_longer_than_told(void **state)
{
    struct bench *bench = *state;

    bench_connect(bench, "pouw+tcp");
    bench_welcome(bench);
    bench_put_answer(bench, ANSWER_DONE, 10);
    (void)pool_script_expect(&bench->script, "task.result");
    queue_close(bench->ports.outbox);
    const uint64_t before = clock_ms();
    assert_int_equal(pool_stop(bench->pool, 150), 1);
    assert_true(clock_ms() - before >= 150);
    assert_true(clock_ms() - before < SCRIPT_WAIT_MS);
    bench_expect_verdict(bench, NEWS_RESULT, VERDICT_UNKNOWN);
}

static void nobody_listens(void **state)
{
    struct bench *bench = *state;

    pool_script_close(&bench->script);
    bench_connect(bench, "pouw+tcp");
    for (int i = 0; i < 6; i++)
        bench_expect_news(bench, NEWS_LOST, "again in 1 s");
    /* Workers are not held up: what has no sense later is let go, the rest is kept. */
    for (int i = 0; i < 200; i++)
        bench_put_answer(bench, ANSWER_PROGRESS, 0);
    for (int i = 0; i < 100; i++)
        bench_put_share(bench, "j1");
    bench_expect_verdict(bench, NEWS_SHARE, VERDICT_LOST);
    bench->script = pool_script_open();
}

static void a_simulated_pool_gives_work(void **state)
{
    struct bench *bench = *state;
    struct error err = {0};
    uint64_t generation = 0;
    const struct pool_options options = {.url = "simulate://1000000"};

    assert_int_equal(pool_start(&options, &bench->ports, &bench->pool, &err), STATUS_OK);
    bench_expect_news(bench, NEWS_CONNECTED, "simulated");
    news_free(bench_news(bench, NEWS_JOB));
    struct job *job = mailbox_take(bench->ports.jobs, &generation);
    assert_non_null(job);
    bench_put_share(bench,
                    job->id); /* its ticket is 0, its tile empty: not under the bound */
    job_release(job);
    struct news *news = bench_news(bench, NEWS_SHARE);
    assert_int_equal(news->verdict, VERDICT_REJECTED);
    assert_int_equal(news->code, MESSAGE_CODE_LOW);
    news_free(news);
}

static void wrong_configuration_is_refused(void **state)
{
    struct bench *bench = *state;
    static const char *const urls[] = {
        "stratum+tcp://host",
        "stratum+tcp://",
        "pouw+tcp://:3370",
        "pouw+tcp://host:0",
        "pouw+tcp://host:65536",
        "pouw+tcp://host:x",
        "pouw+tcp://user@host:3370",
        "pouw+tcp://host:3370/path",
        "pouw+tcp://ho st:3370",
        "pouw+tcp://[::1:3370",
        "simulate://1",
        "simulate://many",
        "http://host:3370",
    };

    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct error err = {0};
        const struct pool_options options = {.url = urls[i], .user = "u"};

        if (pool_start(&options, &bench->ports, &bench->pool, &err) != STATUS_BAD_CONFIG)
            fail_msg("%s was taken", urls[i]);
        assert_null(bench->pool);
        assert_true(strlen(err.text) > 20);
    }
    struct error err = {0};
    const struct pool_options nobody = {.url = "pouw+tcp://host:3370"};
    assert_int_equal(pool_start(&nobody, &bench->ports, &bench->pool, &err),
                     STATUS_BAD_CONFIG);
    assert_non_null(strstr(err.text, "no user"));
}

static void waits_grow_to_a_minute_and_ten(void **state)
{
    static const uint64_t waits[] = {1000, 2000, 5000, 10000, 30000, 60000, 60000, 60000};
    static const uint64_t asides[] = {60000, 120000, 240000, 480000, 600000, 600000};
    struct backoff backoff = {0};

    (void)state;
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++)
        assert_int_equal(backoff_failed(&backoff, false), waits[i]);
    backoff_reset(&backoff);
    assert_int_equal(backoff_failed(&backoff, false), 1000);
    for (size_t i = 0; i < sizeof asides / sizeof *asides; i++)
        assert_int_equal(backoff_failed(&backoff, true), asides[i]);
    assert_int_equal(backoff_failed(&backoff, false), 2000);
}

#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, bench_open, bench_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BENCH(work_goes_both_ways),
        WITH_BENCH(a_task_handed_back_takes_its_waiting_shares_with_it),
        WITH_BENCH(a_pool_leaves_at_any_point),
        WITH_BENCH(a_plain_pools_jobs_end_with_it),
        WITH_BENCH(a_refused_login_is_told_and_tried_later),
        WITH_BENCH(hostile_lines_end_a_message_or_the_connection),
        WITH_BENCH(nonsense_changes_nothing),
        WITH_BENCH(stopping_waits_no_longer_than_told),
        WITH_BENCH(nobody_listens),
        WITH_BENCH(a_simulated_pool_gives_work),
        WITH_BENCH(wrong_configuration_is_refused),
        cmocka_unit_test(waits_grow_to_a_minute_and_ten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
