/*
 * pool_bench.c - a pool thread under test, the scripted pool it speaks to, and its
 * queues.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/pool_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "miner/base/memory.h"

void bench_connect(struct bench *bench, const char *scheme)
{
    char url[128];
    struct error err = {0};
    struct pool_options options = {.url = url,
                                   .user = "prl1pexample",
                                   .worker = "rig7",
                                   .pass = "x",
                                   .agent = "test/1",
                                   .is_account = true, /* the address is invented */
                                   .hurry = 1000};
    if (!strncmp(scheme, "stratum", 7))
        options.dialect = DIALECT_OBJECT;

    snprintf(url, sizeof url, "%s://127.0.0.1:%u", scheme, bench->script.port);
    options.offer.slots = 1;
    assert_int_equal(pool_start(&options, &bench->ports, &bench->pool, &err), STATUS_OK);
}

int bench_open(void **state)
{
    struct bench *bench = memory_new(struct bench);

    assert_non_null(bench);
    bench->script = pool_script_open();
    assert_int_equal(mailbox_new(job_hold, job_drop, &bench->ports.jobs), STATUS_OK);
    assert_int_equal(queue_new(4, assignment_free, &bench->ports.assignments), STATUS_OK);
    assert_int_equal(queue_new(64, outgoing_free, &bench->ports.outbox), STATUS_OK);
    assert_int_equal(queue_new(1024, news_free, &bench->ports.news), STATUS_OK);
    *state = bench;
    return 0;
}

int bench_close(void **state)
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
struct news *bench_news(struct bench *bench, enum news_kind kind)
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

void bench_expect_news(struct bench *bench, enum news_kind kind, const char *part)
{
    struct news *news = bench_news(bench, kind);

    if (!strstr(news->text, part))
        fail_msg("expected news with \"%s\", came \"%s\"", part, news->text);
    news_free(news);
}

void bench_expect_verdict(struct bench *bench, enum news_kind kind, enum verdict verdict)
{
    struct news *news = bench_news(bench, kind);

    assert_int_equal(news->verdict, verdict);
    assert_true(news->latency_ms < SCRIPT_WAIT_MS);
    news_free(news);
}

void bench_put_answer(struct bench *bench, enum answer_kind kind, size_t size)
{
    struct answer *answer = memory_new(struct answer);

    assert_non_null(answer);
    answer->kind = kind;
    answer->done = 1;
    answer->total = 2;
    snprintf(answer->task_id, sizeof answer->task_id, "%s", BENCH_TASK);
    snprintf(answer->result_hash, sizeof answer->result_hash, "%064d", 7);
    answer->output = blob_empty(size + 16);
    assert_int_equal(blob_reserve(&answer->output, size), STATUS_OK);
    while (answer->output.size < size)
        assert_int_equal(blob_add(&answer->output, "x", 1), STATUS_OK);
    assert_int_equal(
        queue_put(bench->ports.outbox, outgoing_answer(answer), SCRIPT_WAIT_MS),
        STATUS_OK);
}

void bench_put_share(struct bench *bench, const char *job_id)
{
    struct job job = {.cert_version = 3};
    struct share *share = memory_new(struct share);

    assert_non_null(share);
    snprintf(job.id, sizeof job.id, "%s", job_id);
    job.target = target_from_work(1000000);
    share->job = job_new(&job);
    assert_non_null(share->job);
    share->device = 3;
    snprintf(share->task_id, sizeof share->task_id, "%s", BENCH_TASK);
    share->plain_proof = blob_empty(64);
    assert_int_equal(blob_addf(&share->plain_proof, "proof %u", ++bench->shares),
                     STATUS_OK);
    assert_int_equal(
        queue_put(bench->ports.outbox, outgoing_share(share), SCRIPT_WAIT_MS), STATUS_OK);
}

void bench_say_job(struct bench *bench, const char *id)
{
    char line[1024];

    snprintf(line, sizeof line,
             "{\"id\":null,\"method\":\"mining.notify\",\"params\":{\"job_id\":\"%s\","
             "\"header\":"
             "\"%0152d\",\"target\":\"ffff\",\"height\":1,\"cert_version\":3}}",
             id, 1);
    pool_script_say(&bench->script, line);
}

void bench_say_assign(struct bench *bench)
{
    pool_script_say(
        &bench->script,
        "{\"id\":null,\"method\":\"task.assign\",\"params\":{\"task_id\":\"" BENCH_TASK
        "\",\"kind\":\"matmul\",\"model\":\"\",\"contract\":\"DET-1\",\"input\":"
        "{\"inline\":\"\"},\"params\":{\"m\":1,\"n\":2,\"k\":3,\"seed\":4},\"rows\":8,"
        "\"lease_s\":60,\"work_units\":99}}");
}

/* The client connects and says hello; returns the hello's id. */
int64_t bench_hear_hello(struct bench *bench, const char *part)
{
    pool_script_accept(&bench->script);
    const char *line = pool_script_expect(&bench->script, "mining.authorize");
    if (!strstr(line, part))
        fail_msg("expected a hello with %s, came %s", part, line);
    return pool_script_id(line);
}

void bench_welcome(struct bench *bench)
{
    pool_script_reply(&bench->script, bench_hear_hello(bench, "pouw/1"), BENCH_WELCOME);
    news_free(bench_news(bench, NEWS_CONNECTED));
}

void bench_answer_line(struct bench *bench, const char *part, const char *rest)
{
    const char *line = pool_script_expect(&bench->script, part);

    pool_script_reply(&bench->script, pool_script_id(line), rest);
}

void bench_take_assignment(struct bench *bench)
{
    void *work = NULL;

    assert_int_equal(queue_take(bench->ports.assignments, SCRIPT_WAIT_MS, &work),
                     STATUS_OK);
    assert_string_equal(((struct assignment *)work)->id, BENCH_TASK);
    assert_int_equal(((struct assignment *)work)->parameters.n, 2);
    assignment_free(work);
}
