/*
 * Claim: of a list of pools the first that can be had is worked for; a better one takes
 * over beside the current one when its first job is there, and the pool that is left
 * still gives its verdicts; whatever is overdue ends a connection; a pool that refuses is
 * set aside, and only when all do from the start there is no hope. labels: tsan
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
#include "tests/pool_bench.h"

enum {
    POOLS = 2,
    HURRY = 1000,
    STRICT = 50 /* 30 s are 600 ms */
};

/* Two scripted pools and the thread that may choose between them. */
struct pair {
    struct bench *first;
    struct bench second; /* its script; the ports are the first one's */
    char urls[POOLS][64];
    struct pool_options options[POOLS];
};

static void pair_open(struct pair *pair, void **state)
{
    *pair = (struct pair){.first = *state};
    pair->second = *pair->first;
    pair->second.script = pool_script_open();
}

static void pair_start(struct pair *pair, const char *scheme, uint32_t strict,
                       uint32_t job_timeout_s)
{
    struct error err = {0};
    const uint16_t ports[POOLS] = {pair->first->script.port, pair->second.script.port};

    for (uint32_t i = 0; i < POOLS; i++) {
        snprintf(pair->urls[i], sizeof pair->urls[i], "%s://127.0.0.1:%u", scheme,
                 ports[i]);
        pair->options[i] = (struct pool_options){.url = pair->urls[i],
                                                 .number = i,
                                                 .user = "prl1pexample",
                                                 .worker = "rig7",
                                                 .pass = "x",
                                                 .agent = "test/1",
                                                 .is_account = true,
                                                 .job_timeout_s = job_timeout_s,
                                                 .hurry = HURRY,
                                                 .strict = strict};
        pair->options[i].offer.slots = 1;
    }
    pair->options[0].next = &pair->options[1];
    assert_int_equal(
        pool_start(pair->options, &pair->first->ports, &pair->first->pool, &err),
        STATUS_OK);
}

static void pair_close(struct pair *pair)
{
    pool_free(pair->first->pool); /* before its pools go */
    pair->first->pool = NULL;
    pool_script_close(&pair->second.script);
}

static void log_in(struct bench *bench, const char *welcome)
{
    pool_script_reply(&bench->script, bench_hear_hello(bench, "rig7"), welcome);
}

static void expect_of(struct bench *bench, enum news_kind kind, uint32_t pool)
{
    struct news *news = bench_news(bench, kind);

    assert_int_equal(news->pool, pool);
    news_free(news);
}

static void expect_job(struct bench *bench, const char *id, uint32_t pool)
{
    uint64_t generation = 0;
    struct job *job = mailbox_take(bench->ports.jobs, &generation);

    assert_non_null(job);
    assert_string_equal(job->id, id);
    assert_int_equal(job->pool, pool);
    job_release(job);
}

/* The job that the workers have, which is kept. */
static struct job *job_in_force(struct bench *bench)
{
    uint64_t generation = 0;
    struct job *job = mailbox_take(bench->ports.jobs, &generation);

    assert_non_null(job);
    return job;
}

/* A share of it that meets every target; no two are the same. */
static void put_share_of(struct bench *bench, struct job *job, int number)
{
    struct share *share = memory_new(struct share);

    assert_non_null(share);
    share->job = job_keep(job);
    share->k = 4096;
    share->rank = 128;
    share->row_count = 8;
    share->column_count = 16;
    share->plain_proof = blob_empty(64);
    assert_int_equal(blob_addf(&share->plain_proof, "proof %d", number), STATUS_OK);
    assert_int_equal(
        queue_put(bench->ports.outbox, outgoing_share(share), SCRIPT_WAIT_MS), STATUS_OK);
}

/* The first pool goes away, and the second one has work. */
static void go_to_second(struct pair *pair)
{
    log_in(pair->first, BENCH_ACCEPTED);
    bench_say_job(pair->first, "a1");
    expect_of(pair->first, NEWS_CURRENT, 0);
    pool_script_hang_up(&pair->first->script);
    log_in(&pair->second, BENCH_ACCEPTED);
    bench_say_job(&pair->second, "b1");
    expect_of(pair->first, NEWS_CURRENT, 1);
    expect_job(pair->first, "b1", 1);
}

static void the_first_takes_over_with_its_first_job(void **state)
{
    struct pair pair;

    pair_open(&pair, state);
    pair_start(&pair, "stratum+tcp", 1, 0);
    go_to_second(&pair);
    struct job *old = job_in_force(pair.first);
    put_share_of(pair.first, old, 1);
    const int64_t id =
        pool_script_id(pool_script_expect(&pair.second.script, "mining.submit"));

    log_in(pair.first, BENCH_ACCEPTED); /* after 600 s, hurried */
    expect_of(pair.first, NEWS_CONNECTED, 0);
    expect_job(pair.first, "b1", 1); /* logged in is not enough */
    bench_say_job(&pair.second, "b2");
    expect_of(pair.first, NEWS_JOB, 1);
    bench_say_job(pair.first, "a2");
    expect_of(pair.first, NEWS_CURRENT, 0);
    expect_job(pair.first, "a2", 0);

    /* The one that is left: its job is nobody's, its shares and verdicts still count. */
    bench_say_job(&pair.second, "b3");
    put_share_of(pair.first, old, 2);
    const int64_t late =
        pool_script_id(pool_script_expect(&pair.second.script, "mining.submit"));
    struct job *job = job_in_force(pair.first);
    put_share_of(pair.first, job, 3);
    job_release(job);
    bench_answer_line(pair.first, "mining.submit", BENCH_ACCEPTED);
    bench_expect_verdict(pair.first, NEWS_SHARE, VERDICT_ACCEPTED);
    expect_job(pair.first, "a2", 0);
    pool_script_reply(&pair.second.script, id, BENCH_ACCEPTED);
    pool_script_reply(&pair.second.script, late, BENCH_ACCEPTED);
    for (int i = 0; i < 2; i++) {
        struct news *news = bench_news(pair.first, NEWS_SHARE);

        assert_int_equal(news->verdict, VERDICT_ACCEPTED);
        assert_int_equal(news->pool, 1);
        news_free(news);
    }
    expect_of(pair.first, NEWS_LEFT, 1);
    pool_script_expect_end(&pair.second.script);
    put_share_of(pair.first, old, 4); /* nobody is there to take it */
    job_release(old);
    bench_expect_verdict(pair.first, NEWS_SHARE, VERDICT_STALE);
    pair_close(&pair);
}

static void a_better_pool_that_fails_changes_nothing(void **state)
{
    struct pair pair;

    pair_open(&pair, state);
    pair_start(&pair, "stratum+tcp", 1, 0);
    go_to_second(&pair);
    for (int i = 0; i < 2; i++) {
        log_in(pair.first, BENCH_ACCEPTED);
        pool_script_hang_up(&pair.first->script);
        expect_of(pair.first, NEWS_LOST, 0);
    }
    bench_say_job(&pair.second, "b2");
    expect_of(pair.first, NEWS_JOB, 1);
    expect_job(pair.first, "b2", 1);

    /* The current one goes while a better one is tried: that one is it now. */
    const int64_t id = bench_hear_hello(pair.first, "rig7");
    pool_script_hang_up(&pair.second.script);
    expect_of(pair.first, NEWS_LOST, 1);
    pool_script_reply(&pair.first->script, id, BENCH_ACCEPTED);
    bench_say_job(pair.first, "a2");
    expect_of(pair.first, NEWS_CURRENT, 0);
    expect_job(pair.first, "a2", 0);
    pair_close(&pair);
}

static void a_pool_that_is_left_gets_its_tasks_back(void **state)
{
    struct pair pair;

    pair_open(&pair, state);
    pair_start(&pair, "pouw+tcp", STRICT, 0);
    pool_script_accept(&pair.first->script);
    pool_script_hang_up(&pair.first->script);
    log_in(&pair.second, BENCH_WELCOME);
    bench_say_job(&pair.second, "b1");
    expect_of(pair.first, NEWS_CURRENT, 1);
    bench_say_assign(&pair.second);
    bench_take_assignment(pair.first);
    bench_put_answer(pair.first, ANSWER_ACCEPT, 0);
    (void)pool_script_expect(&pair.second.script, "task.accept");

    log_in(pair.first, BENCH_WELCOME);
    bench_say_job(pair.first, "a1");
    expect_of(pair.first, NEWS_CURRENT, 0);
    bench_put_answer(pair.first, ANSWER_PROGRESS, 0); /* it is told to the right one */
    (void)pool_script_expect(&pair.second.script, "task.progress");
    (void)pool_script_expect(&pair.second.script, "task.decline");
    assert_true(pool_is_cancelled(pair.first->pool, BENCH_TASK));
    expect_of(pair.first, NEWS_LEFT, 1);
    pair_close(&pair);
}

static void a_good_pool_is_waited_for_once(void **state)
{
    struct pair pair;

    pair_open(&pair, state);
    pair_start(&pair, "stratum+tcp", 1, 0);
    log_in(pair.first, BENCH_ACCEPTED);
    bench_say_job(pair.first, "a1");
    expect_of(pair.first, NEWS_CURRENT, 0);
    struct job *job = job_in_force(pair.first);
    put_share_of(pair.first, job, 1);
    job_release(job);
    bench_answer_line(pair.first, "mining.submit", BENCH_ACCEPTED);
    bench_expect_verdict(pair.first, NEWS_SHARE, VERDICT_ACCEPTED);
    pool_script_hang_up(&pair.first->script);
    (void)bench_hear_hello(pair.first, "rig7");
    assert_false(pool_script_is_called(&pair.second.script, 0));
    pool_script_hang_up(&pair.first->script);
    (void)bench_hear_hello(&pair.second, "rig7");
    pair_close(&pair);
}

static void another_pool_can_be_asked_for(void **state)
{
    struct pair pair;

    pair_open(&pair, state);
    pair_start(&pair, "stratum+tcp", 1, 0);
    log_in(pair.first, BENCH_ACCEPTED);
    bench_say_job(pair.first, "a1");
    expect_of(pair.first, NEWS_CURRENT, 0);
    pool_next(pair.first->pool);
    log_in(&pair.second, BENCH_ACCEPTED);
    bench_say_job(&pair.second, "b1");
    expect_of(pair.first, NEWS_CURRENT, 1);
    expect_job(pair.first, "b1", 1);
    expect_of(pair.first, NEWS_LEFT, 0);
    pool_script_expect_end(&pair.first->script);
    pair_close(&pair);
}

/* Nothing but jobs that take shares without a task is wanted of it. */
static void a_list_for_proofs_takes_no_tasks(void **state)
{
    struct bench *bench = *state;
    struct queue *assignments = bench->ports.assignments;
    uint64_t generation = 0;
    char line[512];

    bench->ports.assignments = NULL;
    bench_connect(bench, "pouw+tcp");
    bench_welcome(bench);
    snprintf(line, sizeof line,
             "{\"id\":null,\"method\":\"mining.notify\",\"params\":{\"job_id\":\"j1\","
             "\"header\":\"%0152d\",\"target\":\"ffff\",\"height\":1,\"cert_version\":3,"
             "\"unassigned\":false}}",
             1);
    pool_script_say(&bench->script, line);
    expect_of(bench, NEWS_JOB, 0);
    assert_null(mailbox_take(bench->ports.jobs, &generation));
    bench_say_job(bench, "j2");
    expect_of(bench, NEWS_JOB, 0);
    job_release(job_in_force(bench));
    bench_say_assign(bench);
    (void)pool_script_expect(&bench->script, "task.decline");
    bench->ports.assignments = assignments;
}

static void refused(struct bench *bench)
{
    log_in(bench, "\"result\":null,\"error\":{\"code\":25,\"msg\":\"invalid wallet\"}}");
}

static void there_is_hope_while_one_takes_the_login(void **state)
{
    struct pair pair;

    pair_open(&pair, state);
    pair_start(&pair, "stratum+tcp", 1, 0);
    refused(pair.first);
    expect_of(pair.first, NEWS_REFUSED, 0);
    log_in(&pair.second, BENCH_ACCEPTED);
    bench_say_job(&pair.second, "b1");
    expect_of(pair.first, NEWS_CURRENT, 1);
    pool_script_hang_up(&pair.second.script);
    expect_of(pair.first, NEWS_LOST, 1);
    for (;;) { /* both refuse now, but one did not at first */
        const bool is_first = pool_script_is_called(&pair.first->script, 1);

        if (!is_first && !pool_script_is_called(&pair.second.script, 1))
            continue;
        refused(is_first ? pair.first : &pair.second);
        struct news *news = bench_news(pair.first, NEWS_REFUSED);
        const uint32_t pool = news->pool;
        news_free(news);
        if (pool == 1)
            break;
    }
    bench_expect_news(pair.first, NEWS_LOST, "invalid wallet");
    for (void *news; !queue_take(pair.first->ports.news, 20, &news); news_free(news))
        assert_int_not_equal(((struct news *)news)->kind, NEWS_HOPELESS);
    pair_close(&pair);
}

static void no_hope_where_all_refuse(void **state)
{
    struct pair pair;

    pair_open(&pair, state);
    pair_start(&pair, "stratum+tcp", 1, 0);
    refused(pair.first);
    refused(&pair.second);
    struct news *news = bench_news(pair.first, NEWS_HOPELESS);
    assert_int_equal(news->code, STATUS_REFUSED);
    news_free(news);
    pair_close(&pair);
}

static void no_hope_where_all_want_a_newer_program(void **state)
{
    struct bench *bench = *state;
    char line[512];

    bench_connect(bench, "stratum+tcp");
    log_in(bench, BENCH_ACCEPTED);
    snprintf(
        line, sizeof line,
        "{\"id\":null,\"method\":\"mining.notify\",\"params\":{\"job_id\":\"j\","
        "\"header\":\"%0152d\",\"target\":\"ffff\",\"height\":1,\"cert_version\":4}}",
        1);
    pool_script_say(&bench->script, line);
    bench_expect_news(bench, NEWS_TOO_NEW, "certificate version 4");
    struct news *news = bench_news(bench, NEWS_HOPELESS);
    assert_int_equal(news->code, STATUS_NOT_SUPPORTED);
    news_free(news);
    log_in(bench, BENCH_ACCEPTED); /* it is tried again all the same */
    bench_say_job(bench, "j2");
    expect_of(bench, NEWS_CURRENT, 0);
}

/* --- limits --- */

enum fault {
    FAULT_TLS,
    FAULT_LOGIN,
    FAULT_FIRST_JOB,
    FAULT_SHARE,
    FAULT_HALF_LINE,
    FAULT_SILENCE,
    FAULT_COUNT
};

static void play_fault(struct pair *pair, enum fault fault)
{
    struct bench *bench = pair->first;

    if (fault == FAULT_TLS) {
        pool_script_accept(&bench->script); /* and never a word */
        return;
    }
    const int64_t id = bench_hear_hello(bench, "rig7");
    if (fault == FAULT_LOGIN)
        return;
    pool_script_reply(&bench->script, id, BENCH_ACCEPTED);
    if (fault == FAULT_FIRST_JOB)
        return;
    bench_say_job(bench, "a1");
    expect_of(bench, NEWS_JOB, 0);
    if (fault == FAULT_SHARE) {
        struct job *job = job_in_force(bench);

        put_share_of(bench, job, 1);
        job_release(job);
    }
    if (fault == FAULT_HALF_LINE)
        pool_script_send(&bench->script, "{\"id\"", 5);
}

/* Not sooner than it may and not much later, and the next pool is tried at once. */
static void what_is_overdue_ends_a_connection(void **state)
{
    static const struct {
        const char *scheme, *says;
        uint32_t limit_s;
    } rows[] = {
        [FAULT_TLS] = {"stratum+ssl", "", 10},
        [FAULT_LOGIN] = {"stratum+tcp", "did not answer the", 30},
        [FAULT_FIRST_JOB] = {"stratum+tcp", "no job after the login within 30 s", 30},
        [FAULT_SHARE] = {"stratum+tcp", "did not answer a share within 30 s", 30},
        [FAULT_HALF_LINE] = {"stratum+tcp", "did not finish a line", 30},
        /* --job-timeout */
        [FAULT_SILENCE] = {"stratum+tcp", "no job for 40 s", 40},
    };

    for (enum fault fault = 0; fault < FAULT_COUNT; fault++) {
        struct pair pair;
        struct bench *bench = NULL;

        if (fault) {
            bench_close(state);
            bench_open(state);
        }
        pair_open(&pair, state);
        bench = pair.first;
        const uint64_t before = clock_ms();
        pair_start(&pair, rows[fault].scheme, STRICT,
                   fault == FAULT_SILENCE ? rows[fault].limit_s : 0);
        play_fault(&pair, fault);
        if (fault == FAULT_SHARE)
            bench_expect_verdict(bench, NEWS_SHARE, VERDICT_UNKNOWN);
        bench_expect_news(bench, NEWS_LOST, rows[fault].says);
        assert_true(clock_ms() - before >= rows[fault].limit_s * 1000 / STRICT - 20);
        pool_script_accept(&pair.second.script);
        pair_close(&pair);
    }
}

#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, bench_open, bench_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BENCH(the_first_takes_over_with_its_first_job),
        WITH_BENCH(a_better_pool_that_fails_changes_nothing),
        WITH_BENCH(a_pool_that_is_left_gets_its_tasks_back),
        WITH_BENCH(a_good_pool_is_waited_for_once),
        WITH_BENCH(another_pool_can_be_asked_for),
        WITH_BENCH(a_list_for_proofs_takes_no_tasks),
        WITH_BENCH(there_is_hope_while_one_takes_the_login),
        WITH_BENCH(no_hope_where_all_refuse),
        WITH_BENCH(no_hope_where_all_want_a_newer_program),
        WITH_BENCH(what_is_overdue_ends_a_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
