/*
 * Claim: on a real connection a share for an old block never begins to leave after the
 * new one is known, what has begun is finished and never sent again, what has not goes to
 * the next connection if it is still good there, a full queue is tried again, and a pool
 * that finds everything wrong is left with what a person needs to know.
 *
 * labels: tsan
 * SPDX-License-Identifier: MIT
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "miner/base/clock.h"
#include "miner/base/file.h"
#include "miner/base/memory.h"
#include "pool-protocol/pool_sending.h"
#include "tests/pool_bench.h"

enum {
    LATE_MS = 100,          /* after which nothing of the old block may begin */
    LARGE = (29 << 20) / 10 /* of a proof: two lines are more than a socket holds */
};

/* Block and time are what tells headers apart. */
struct place {
    uint8_t block, time;
};

static struct job job_at(struct place place, const char *id)
{
    struct job job = {.cert_version = 3, .height = 1};

    snprintf(job.id, sizeof job.id, "%s", id);
    job.header[4] = place.block;
    job.header[68] = place.time;
    job.target = target_from_work(1 << 20);
    return job;
}

static void say_job(struct bench *bench, struct place place, const char *id)
{
    const struct job job = job_at(place, id);
    char line[1024], header[2 * JOB_HEADER_SIZE + 1], target[65];

    hex_encode(job.header, sizeof job.header, header);
    target_to_hex(&job.target, target);
    snprintf(line, sizeof line,
             "{\"id\":null,\"method\":\"mining.notify\",\"params\":{\"job_id\":\"%s\","
             "\"header\":\"%s\",\"target\":\"%s\",\"height\":1,\"cert_version\":3}}",
             id, header, target);
    pool_script_say(&bench->script, line);
}

/* A share with a proof of its own, of size bytes and more. */
static void put_share(struct bench *bench, struct place place, size_t size)
{
    const struct job job = job_at(place, "its own");
    struct share *share = memory_new(struct share);

    assert_non_null(share);
    share->job = job_new(&job);
    assert_non_null(share->job);
    share->plain_proof = blob_empty(size + 16);
    assert_int_equal(blob_addf(&share->plain_proof, "proof %u", ++bench->shares),
                     STATUS_OK);
    assert_int_equal(blob_reserve(&share->plain_proof, size), STATUS_OK);
    while (share->plain_proof.size < size)
        share->plain_proof.data[share->plain_proof.size++] = 'x';
    assert_int_equal(
        queue_put(bench->ports.outbox, outgoing_share(share), SCRIPT_WAIT_MS), STATUS_OK);
}

static void log_in(struct bench *bench, const char *part)
{
    pool_script_reply(&bench->script, bench_hear_hello(bench, part), BENCH_ACCEPTED);
    news_free(bench_news(bench, NEWS_CONNECTED));
}

static void start(struct bench *bench)
{
    bench_connect(bench, "stratum+tcp");
    log_in(bench, "prl1pexample");
    say_job(bench, (struct place){1, 1}, "a");
    news_free(bench_news(bench, NEWS_JOB));
}

static bool something_came(const struct bench *bench, int wait_ms)
{
    struct pollfd fd = {.fd = bench->script.connection, .events = POLLIN};

    return bench->script.in.size || poll(&fd, 1, wait_ms) == 1;
}

/* Workers that find one share after the other for a block that has ended. */
static void no_share_of_an_old_block_leaves(void **state)
{
    struct bench *bench = *state;
    uint32_t submits = 0, accepted = 0;
    uint64_t notified_ms = 0, last_ms = 0;

    start(bench);
    for (int i = 0; i < 300; i++) {
        if (i == 30) {
            notified_ms = clock_ms();
            say_job(bench, (struct place){2, 1}, "b");
        }
        put_share(bench, (struct place){1, 1}, 0);
        while (something_came(bench, 1)) {
            const char *line = pool_script_expect(&bench->script, "\"job_id\":\"a\"");

            last_ms = clock_ms();
            submits++;
            pool_script_reply(&bench->script, pool_script_id(line), BENCH_ACCEPTED);
        }
    }
    assert_true(submits >= 30 && submits < 300);
    if (last_ms > notified_ms + LATE_MS)
        fail_msg("a share came %llu ms after the notify",
                 (unsigned long long)(last_ms - notified_ms));
    for (uint32_t i = 0; i < 300; i++) {
        struct news *news = bench_news(bench, NEWS_SHARE);

        assert_true(news->verdict == VERDICT_ACCEPTED || news->verdict == VERDICT_STALE);
        accepted += news->verdict == VERDICT_ACCEPTED;
        if (news->verdict == VERDICT_STALE)
            assert_string_equal(news->text, "not sent: its job is void");
        news_free(news);
    }
    assert_int_equal(accepted, submits);
    put_share(bench, (struct place){2, 1}, 0);
    (void)pool_script_expect(&bench->script, "\"job_id\":\"b\"");
}

/* Shares so large that the socket is full long before they are gone. */
static void put_large(struct bench *bench, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        put_share(bench, (struct place){1, 1}, LARGE);
    while (!something_came(bench, 1000))
        ;
}

struct outcome { /* of large shares */
    uint32_t lines, told[VERDICT_LOST + 1];
};

static void hear_outcome(struct bench *bench, struct outcome *out)
{
    void *thing = NULL;

    if (queue_take(bench->ports.news, 1, &thing))
        return;

    struct news *news = thing;
    if (news->kind == NEWS_SHARE)
        out->told[news->verdict]++;
    news_free(news);
}

/* Takes every submit that comes, of that job and in the order in which shares were put,
 * from the first-th on, until all `count` have been told of. */
static struct outcome take_submits(struct bench *bench, const char *job, uint32_t first,
                                   uint32_t count)
{
    struct outcome out = {0};
    const uint64_t until = clock_ms() + SCRIPT_WAIT_MS;
    uint32_t told = 0;

    for (; told < count; assert_true(clock_ms() < until)) {
        hear_outcome(bench, &out);
        told = 0;
        for (int i = 0; i <= VERDICT_LOST; i++)
            told += out.told[i];
        if (told == count || bench->script.connection < 0 || !something_came(bench, 0))
            continue;

        char start[32];
        struct blob proof = blob_empty(64);
        const char *line = pool_script_expect(&bench->script, job);
        snprintf(start, sizeof start, "proof %ux", first + out.lines++);
        assert_int_equal(base64_encode(bytes_of(start, 6), &proof), STATUS_OK);
        assert_non_null(strstr(line, (const char *)proof.data));
        assert_true(strlen(line) > LARGE / 3 * 4);
        blob_free(&proof);
        pool_script_reply(&bench->script, pool_script_id(line), BENCH_ACCEPTED);
    }
    return out;
}

/* The pool hears whole lines only; those that had not begun are stale. */
static void what_has_begun_is_finished_and_the_rest_is_not_begun(void **state)
{
    struct bench *bench = *state;

    start(bench);
    put_large(bench, 4);
    say_job(bench, (struct place){2, 1}, "b");
    news_free(bench_news(bench, NEWS_JOB));
    const struct outcome out = take_submits(bench, "\"job_id\":\"a\"", 1, 4);
    assert_int_equal(out.lines, out.told[VERDICT_ACCEPTED]);
    assert_int_equal(out.lines + out.told[VERDICT_STALE], 4);
    assert_true(out.lines && out.told[VERDICT_STALE]);
}

/* Under an equal header and another id; what had begun is neither sent again nor known.
 */
static void what_has_not_begun_goes_to_the_next_connection(void **state)
{
    struct bench *bench = *state;
    struct outcome out = {0};

    start(bench);
    put_large(bench, 4);
    pool_script_hang_up(&bench->script);
    pool_script_accept(&bench->script);
    while (!out.told[VERDICT_UNKNOWN])
        hear_outcome(bench, &out);
    pool_script_reply(&bench->script,
                      pool_script_id(pool_script_expect(&bench->script, "authorize")),
                      BENCH_ACCEPTED);
    say_job(bench, (struct place){1, 1}, "again");
    while (!something_came(bench, 0)) /* all that had begun is told of by now */
        hear_outcome(bench, &out);
    const uint32_t begun = out.told[VERDICT_UNKNOWN];
    assert_in_range(begun, 1, 3);
    out = take_submits(bench, "\"job_id\":\"again\"", begun + 1, 4 - begun);
    assert_int_equal(out.lines, 4 - begun);
    assert_int_equal(out.told[VERDICT_ACCEPTED], 4 - begun);
}

static void the_oldest_of_too_many_is_lost(void **state)
{
    struct bench *bench = *state;

    bench_connect(bench, "stratum+tcp"); /* nobody answers */
    for (uint32_t i = 0; i < SENDING_SHARES_MAX + 3; i++)
        put_share(bench, (struct place){1, 1}, 0);
    for (int i = 0; i < 3; i++) {
        struct news *news = bench_news(bench, NEWS_SHARE);

        assert_int_equal(news->verdict, VERDICT_LOST);
        assert_string_equal(news->text, "not sent: too many waited");
        news_free(news);
    }
    log_in(bench, "prl1pexample");
    say_job(bench, (struct place){1, 1}, "a");
    /* base64 of "proof 4", the first that is left */
    (void)pool_script_expect(&bench->script, "cHJvb2YgNA==");
}

#define GATEWAY_TARGET                                                                   \
    "26959535291011309493156476344723991336010898738574164086137773096960"

/* Hears what comes next at the gateway.  A question is answered with a template, and 0;
 * of a proof it is the id. */
static int64_t gateway_hear(struct bench *bench, uint8_t time)
{
    struct job job = job_at((struct place){1, time}, "");
    struct blob header = blob_empty(128);
    const char *line = pool_script_read(&bench->script);
    const int64_t id = strtoll(strstr(line, "\"id\":") + 5, NULL, 10);
    char text[512];

    if (strstr(line, "submitPlainProof"))
        return id;
    memcpy(job.header + 72, "\xff\xff\x00\x1d", 4);
    assert_int_equal(base64_encode(bytes_of(job.header, sizeof job.header), &header),
                     STATUS_OK);
    snprintf(text, sizeof text,
             "\"jsonrpc\":\"2.0\",\"result\":{\"incomplete_header_bytes\":\"%s\","
             "\"target\":" GATEWAY_TARGET ",\"cert_version\":3}}",
             (const char *)header.data);
    blob_free(&header);
    pool_script_reply(&bench->script, id, text);
    return 0;
}

/* A proof comes, and is answered so. */
static void gateway_answer_proof(struct bench *bench, const char *rest)
{
    int64_t id = 0;

    while (!id)
        id = gateway_hear(bench, 1);
    pool_script_reply(&bench->script, id, rest);
}

static void put_block(struct bench *bench)
{
    struct job job = job_at((struct place){1, 1}, "");
    struct share *share = memory_new(struct share);

    assert_non_null(share);
    job.height = 0; /* a template has none */
    memcpy(job.header + 72, "\xff\xff\x00\x1d", 4);
    share->job = job_new(&job);
    share->plain_proof = blob_empty(16);
    assert_int_equal(blob_addf(&share->plain_proof, "block %u", ++bench->shares),
                     STATUS_OK);
    assert_int_equal(
        queue_put(bench->ports.outbox, outgoing_share(share), SCRIPT_WAIT_MS), STATUS_OK);
}

#define GATEWAY_FULL                                                                     \
    "\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32000,\"message\":\"proof submission "     \
    "queue full\"}}"
#define GATEWAY_TAKEN "\"jsonrpc\":\"2.0\",\"result\":\"submitted\"}"

/* As long as the template stands; any other refusal is the last word. */
static void a_full_queue_is_tried_again(void **state)
{
    struct bench *bench = *state;

    bench_connect(bench, "gateway+tcp");
    pool_script_accept(&bench->script);
    put_block(bench);
    for (int i = 0; i < 5; i++)
        gateway_answer_proof(bench, GATEWAY_FULL);
    gateway_answer_proof(bench, GATEWAY_TAKEN);
    bench_expect_verdict(bench, NEWS_SHARE, VERDICT_ACCEPTED);

    put_block(bench);
    gateway_answer_proof(bench,
                         "\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32000,\"message\":"
                         "\"cannot decode\"}}");
    struct news *news = bench_news(bench, NEWS_SHARE);
    assert_int_equal(news->verdict, VERDICT_REJECTED);
    assert_int_equal(news->refusal, REFUSAL_FORMAT);
    news_free(news);

    put_block(bench); /* which waits while another template comes */
    gateway_answer_proof(bench, GATEWAY_FULL);
    for (bool is_told = false; !is_told;) {
        void *thing = NULL;
        const int64_t id = something_came(bench, 1) ? gateway_hear(bench, 2) : 0;

        if (id) /* the old template's still */
            pool_script_reply(&bench->script, id, GATEWAY_FULL);
        if (queue_take(bench->ports.news, 0, &thing))
            continue;
        news = thing;
        is_told = news->kind == NEWS_SHARE;
        if (is_told)
            assert_int_equal(news->verdict, VERDICT_STALE);
        news_free(news);
    }
}

static void a_pool_that_finds_everything_wrong_is_left(void **state)
{
    struct bench *bench = *state;
    char folder[] = "/tmp/minerva-keep-XXXXXX", url[64], path[128];
    struct blob kept = blob_empty(1024);
    struct error err = {0};

    assert_non_null(mkdtemp(folder));
    snprintf(url, sizeof url, "stratum+tcp://127.0.0.1:%u", bench->script.port);
    const struct pool_options options = {.url = url,
                                         .user = "prl1pexample",
                                         .is_account = true,
                                         .keep = folder,
                                         .hurry = 1000};
    assert_int_equal(pool_start(&options, &bench->ports, &bench->pool, &err), STATUS_OK);
    log_in(bench, "prl1pexample");
    say_job(bench, (struct place){1, 1}, "a");
    for (int i = 0; i < 10; i++) {
        put_share(bench, (struct place){1, 1}, 0);
        bench_answer_line(
            bench, "mining.submit",
            "\"result\":null,\"error\":{\"code\":26,\"msg\":\"invalid proof\"}}");
    }
    const uint64_t before = clock_ms();
    bench_expect_news(bench, NEWS_NOTICE, "minerva verify --header 00000000010000");
    bench_expect_news(bench, NEWS_LOST,
                      "10 proofs in a row wrong (code 26: invalid proof)");
    snprintf(path, sizeof path, "%s/refused-proof-0.bin", folder);
    assert_int_equal(file_read(path, &kept, &err), STATUS_OK);
    assert_string_equal((const char *)kept.data, "proof 10");
    blob_free(&kept);
    pool_script_expect_end(&bench->script);
    log_in(bench, "prl1pexample");
    assert_true(clock_ms() - before >= 550); /* 600 s, hurried a thousand times */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, bench_open, bench_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BENCH(no_share_of_an_old_block_leaves),
        WITH_BENCH(what_has_begun_is_finished_and_the_rest_is_not_begun),
        WITH_BENCH(what_has_not_begun_goes_to_the_next_connection),
        WITH_BENCH(the_oldest_of_too_many_is_lost),
        WITH_BENCH(a_full_queue_is_tried_again),
        WITH_BENCH(a_pool_that_finds_everything_wrong_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
