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
#include "miner/base/memory.h"
#include "pool-protocol/backoff.h"
#include "pool-protocol/pool.h"
#include "tests/pool_script.h"

#define SESSION "0123456789abcdef0123456789abcdef"
#define TASK    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define WELCOME                                                                          \
    "\"result\":true,\"error\":null,\"protocol\":\"pouw/1\",\"artifacts\":\"/"           \
    "artifacts\","                                                                       \
    "\"http_port\":3380,\"session\":\"" SESSION "\"}"
#define ACCEPTED             "\"result\":true,\"error\":null}"
#define RESULT_ACCEPTED_TEXT "\"result\":{\"status\":\"accepted\"},\"error\":null}"

struct bench { /* a pool thread, the pool it speaks to, and the two ends of its queues */
    struct pool_script script;
    struct pool_ports ports;
    struct pool *pool;
};

static void *keep(void *job)
{
    return job_keep(job);
}

static void release(void *job)
{
    job_release(job);
}

static void free_assignment(void *work)
{
    assignment_free(work);
}

static void bench_connect(struct bench *bench, const char *scheme)
{
    char url[128];
    struct error err = {0};
    struct pool_options options = {.url = url,
                                   .user = "prl1pexample",
                                   .worker = "rig7",
                                   .pass = "x",
                                   .agent = "test/1",
                                   .hurry = 1000};

    snprintf(url, sizeof url, "%s://127.0.0.1:%u", scheme, bench->script.port);
    options.offer.slots = 1;
    assert_int_equal(pool_start(&options, &bench->ports, &bench->pool, &err), STATUS_OK);
}

static int bench_open(void **state)
{
    struct bench *bench = memory_new(struct bench);

    assert_non_null(bench);
    bench->script = pool_script_open();
    assert_int_equal(mailbox_new(keep, release, &bench->ports.jobs), STATUS_OK);
    assert_int_equal(queue_new(4, free_assignment, &bench->ports.assignments), STATUS_OK);
    assert_int_equal(queue_new(64, outgoing_free, &bench->ports.outbox), STATUS_OK);
    assert_int_equal(queue_new(1024, news_free, &bench->ports.news), STATUS_OK);
    *state = bench;
    return 0;
}

static int bench_close(void **state)
{
    struct bench *bench = *state;

    pool_free(bench->pool);
    pool_script_close(&bench->script);
    queue_free(bench->ports.news);
    queue_free(bench->ports.outbox);
    queue_free(bench->ports.assignments);
    mailbox_free(bench->ports.jobs);
    memory_free(bench);
    return 0;
}

/* The next news of a kind; others are passed over. */
static struct news *bench_news(struct bench *bench, enum news_kind kind)
{
    void *thing = NULL;

    for (;;) {
        struct news *news = NULL;

        assert_int_equal(queue_take(bench->ports.news, SCRIPT_WAIT_MS, &thing),
                         STATUS_OK);
        news = thing;
        if (news->kind == kind)
            return news;
        news_free(news);
    }
}

static void bench_expect_news(struct bench *bench, enum news_kind kind, const char *part)
{
    struct news *news = bench_news(bench, kind);

    if (!strstr(news->text, part))
        fail_msg("expected news with \"%s\", came \"%s\"", part, news->text);
    news_free(news);
}

static void bench_expect_verdict(struct bench *bench, enum news_kind kind,
                                 enum verdict verdict)
{
    struct news *news = bench_news(bench, kind);

    assert_int_equal(news->verdict, verdict);
    assert_true(news->latency_ms < SCRIPT_WAIT_MS);
    news_free(news);
}

static void bench_put_answer(struct bench *bench, enum answer_kind kind, size_t size)
{
    struct answer *answer = memory_new(struct answer);

    assert_non_null(answer);
    answer->kind = kind;
    answer->done = 1;
    answer->total = 2;
    snprintf(answer->task_id, sizeof answer->task_id, "%s", TASK);
    snprintf(answer->result_hash, sizeof answer->result_hash, "%064d", 7);
    answer->output = blob_empty(size + 16);
    assert_int_equal(blob_reserve(&answer->output, size), STATUS_OK);
    while (answer->output.size < size)
        assert_int_equal(blob_add(&answer->output, "x", 1), STATUS_OK);
    assert_int_equal(
        queue_put(bench->ports.outbox, outgoing_answer(answer), SCRIPT_WAIT_MS),
        STATUS_OK);
}

static void bench_put_share(struct bench *bench, const char *job_id)
{
    struct job job = {.cert_version = 3};
    struct share *share = memory_new(struct share);

    assert_non_null(share);
    snprintf(job.id, sizeof job.id, "%s", job_id);
    job.target = target_from_work(1000000);
    share->job = job_new(&job);
    assert_non_null(share->job);
    share->device = 3;
    snprintf(share->task_id, sizeof share->task_id, "%s", TASK);
    share->plain_proof = blob_empty(64);
    assert_int_equal(blob_addf(&share->plain_proof, "proof"), STATUS_OK);
    assert_int_equal(
        queue_put(bench->ports.outbox, outgoing_share(share), SCRIPT_WAIT_MS), STATUS_OK);
}

static void say_job(struct bench *bench, const char *id)
{
    char line[1024];

    snprintf(line, sizeof line,
             "{\"id\":null,\"method\":\"mining.notify\",\"params\":{\"job_id\":\"%s\","
             "\"header\":"
             "\"%0152d\",\"target\":\"ffff\",\"height\":1,\"cert_version\":3}}",
             id, 1);
    pool_script_say(&bench->script, line);
}

static void say_assign(struct bench *bench)
{
    pool_script_say(
        &bench->script,
        "{\"id\":null,\"method\":\"task.assign\",\"params\":{\"task_id\":\"" TASK
        "\",\"kind\":\"matmul\",\"model\":\"\",\"contract\":\"DET-1\",\"input\":"
        "{\"inline\":\"\"},\"params\":{\"m\":1,\"n\":2,\"k\":3,\"seed\":4},\"rows\":8,"
        "\"lease_s\":60,\"work_units\":99}}");
}

/* The client connects and says hello; returns the hello's id. */
static int64_t hear_hello(struct bench *bench, const char *part)
{
    pool_script_accept(&bench->script);
    const char *line = pool_script_expect(&bench->script, "mining.authorize");
    if (!strstr(line, part))
        fail_msg("expected a hello with %s, came %s", part, line);
    return pool_script_id(line);
}

static void welcome(struct bench *bench)
{
    pool_script_reply(&bench->script, hear_hello(bench, "pouw/1"), WELCOME);
    news_free(bench_news(bench, NEWS_CONNECTED));
}

static void answer_line(struct bench *bench, const char *part, const char *rest)
{
    const char *line = pool_script_expect(&bench->script, part);

    pool_script_reply(&bench->script, pool_script_id(line), rest);
}

static void take_assignment(struct bench *bench)
{
    void *work = NULL;

    assert_int_equal(queue_take(bench->ports.assignments, SCRIPT_WAIT_MS, &work),
                     STATUS_OK);
    assert_string_equal(((struct assignment *)work)->id, TASK);
    assert_int_equal(((struct assignment *)work)->parameters.n, 2);
    assignment_free(work);
}

static void work_goes_both_ways(void **state)
{
    struct bench *bench = *state;
    uint64_t generation = 0;
    struct pool_artifacts where;

    bench_connect(bench, "pouw+tcp");
    welcome(bench);
    pool_artifacts(bench->pool, &where);
    assert_string_equal(where.url, "http://127.0.0.1:3380/artifacts");
    assert_string_equal(where.session, SESSION);

    say_job(bench, "j1");
    struct news *news = bench_news(bench, NEWS_JOB);
    struct job *job = mailbox_take(bench->ports.jobs, &generation);
    assert_ptr_equal(job, news->job);
    assert_string_equal(job->id, "j1");
    job_release(job);
    news_free(news);

    say_assign(bench);
    take_assignment(bench);
    bench_put_answer(bench, ANSWER_ACCEPT, 0);
    answer_line(bench, "task.accept", ACCEPTED);
    bench_put_share(bench, "j1");
    bench_put_answer(bench, ANSWER_DONE, 100);
    answer_line(bench, "mining.submit", ACCEPTED);
    answer_line(bench, "task.result", RESULT_ACCEPTED_TEXT);
    news = bench_news(bench, NEWS_SHARE);
    assert_int_equal(news->verdict, VERDICT_ACCEPTED);
    assert_int_equal(news->device, 3);
    assert_string_equal(news->task_id, TASK);
    assert_string_equal(news->job->id, "j1");
    assert_true(news->work > 999999 && news->work < 1000001);
    news_free(news);
    bench_expect_verdict(bench, NEWS_RESULT, VERDICT_ACCEPTED);

    assert_false(pool_is_cancelled(bench->pool, TASK));
    pool_script_say(
        &bench->script,
        "{\"id\":null,\"method\":\"task.cancel\",\"params\":{\"task_id\":\"" TASK
        "\"}}\r");
    news_free(bench_news(bench, NEWS_CANCELLED));
    assert_true(pool_is_cancelled(bench->pool, TASK));
    assert_false(pool_is_cancelled(bench->pool, ""));
    say_assign(bench); /* once more: no longer cancelled */
    take_assignment(bench);
    assert_false(pool_is_cancelled(bench->pool, TASK));

    queue_close(bench->ports.outbox);
    assert_int_equal(pool_stop(bench->pool, SCRIPT_WAIT_MS), 0);
    pool_script_expect_end(&bench->script);
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
            pool_script_reply(&bench->script, id, WELCOME);
            break;
        case STEP_HALF_JOB:
            say_part(bench, "{\"id\":null,");
            break;
        case STEP_JOB:
            say_part(bench, "\"method\":\"x\"}\n");
            say_job(bench, "j1");
            news_free(bench_news(bench, NEWS_JOB));
            break;
        case STEP_ASSIGN:
            say_assign(bench);
            take_assignment(bench);
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

    pool_script_reply(
        &bench->script,
        hear_hello(bench, last >= STEP_WELCOME ? "\"session\":\"" SESSION : "rig7"),
        WELCOME);
    bench_expect_news(bench, NEWS_CONNECTED,
                      last >= STEP_WELCOME ? "session kept" : "new session");
    if (last < STEP_RESULT) {
        bench_put_share(bench, "unheard of");
        bench_put_answer(bench, ANSWER_DONE, 100);
        bench_expect_verdict(bench, NEWS_SHARE, VERDICT_STALE);
    }
    /* The first thing to come is the result: no share is sent twice. */
    answer_line(bench, "task.result", RESULT_ACCEPTED_TEXT);
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
    pool_script_reply(&bench->script, hear_hello(bench, "prl1pexample"), ACCEPTED);
    say_job(bench, "j1");
    news_free(bench_news(bench, NEWS_JOB));
    pool_script_hang_up(&bench->script);
    news_free(bench_news(bench, NEWS_LOST));
    assert_null(mailbox_take(bench->ports.jobs, &generation));
    bench_put_share(bench, "j1"); /* found before the end was known */
    pool_script_reply(&bench->script, hear_hello(bench, "prl1pexample"), ACCEPTED);
    bench_expect_verdict(bench, NEWS_SHARE, VERDICT_STALE);
}

static void a_refused_login_is_told_and_tried_later(void **state)
{
    struct bench *bench = *state;

    bench_connect(bench, "pouw+tcp");
    const uint64_t before = clock_ms();
    pool_script_reply(
        &bench->script, hear_hello(bench, "rig7"),
        "\"result\":null,\"error\":{\"code\":25,\"msg\":\"invalid wallet\"}}");
    struct news *news = bench_news(bench, NEWS_REFUSED);
    assert_int_equal(news->code, 25);
    assert_string_equal(news->text, "invalid wallet");
    news_free(news);
    pool_script_expect_end(&bench->script);
    bench_expect_news(bench, NEWS_LOST, "invalid wallet");
    welcome(bench);
    assert_true(clock_ms() - before >= 60); /* 60 s, hurried a thousand times */
}

static void hostile_lines_end_a_message_or_the_connection(void **state)
{
    struct bench *bench = *state;
    static char flood[1 << 16];

    bench_connect(bench, "pouw+tcp");
    welcome(bench);
    pool_script_say(&bench->script, "no json");
    bench_expect_news(bench, NEWS_NOTICE, "no JSON");
    pool_script_say(&bench->script,
                    "{\"id\":null,\"method\":\"mining.notify\",\"params\":7}\r");
    bench_expect_news(bench, NEWS_NOTICE, "params is 7");
    say_job(bench, "still here");
    news_free(bench_news(bench, NEWS_JOB));

    memset(flood, '[', sizeof flood);
    for (int i = 0; i < 70; i++)
        pool_script_send(&bench->script, flood, sizeof flood);
    bench_expect_news(bench, NEWS_LOST, "longer than 4194304 bytes");

    welcome(bench);
    for (int i = 0; i < 100; i++)
        pool_script_say(&bench->script, "{}");
    bench_expect_news(bench, NEWS_LOST, "100 messages");
    welcome(bench);
}

static void stopping_waits_no_longer_than_told(void **state)
{
    struct bench *bench = *state;

    bench_connect(bench, "pouw+tcp");
    welcome(bench);
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
    bench_expect_verdict(bench, NEWS_SHARE, VERDICT_STALE);
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
    assert_non_null(strstr(err.text, "pool.user"));
}

static void waits_grow_to_a_minute(void **state)
{
    static const uint64_t waits[] = {1000, 2000, 5000, 10000, 30000, 60000, 60000, 60000};
    struct backoff backoff = {0};

    (void)state;
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++)
        assert_int_equal(backoff_failed(&backoff, false), waits[i]);
    backoff_reset(&backoff);
    assert_int_equal(backoff_failed(&backoff, false), 1000);
    assert_int_equal(backoff_failed(&backoff, true), 60000);
    assert_int_equal(backoff_failed(&backoff, false), 5000);
}

#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, bench_open, bench_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BENCH(work_goes_both_ways),
        WITH_BENCH(a_pool_leaves_at_any_point),
        WITH_BENCH(a_plain_pools_jobs_end_with_it),
        WITH_BENCH(a_refused_login_is_told_and_tried_later),
        WITH_BENCH(hostile_lines_end_a_message_or_the_connection),
        WITH_BENCH(stopping_waits_no_longer_than_told),
        WITH_BENCH(nobody_listens),
        WITH_BENCH(a_simulated_pool_gives_work),
        WITH_BENCH(wrong_configuration_is_refused),
        cmocka_unit_test(waits_grow_to_a_minute),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
