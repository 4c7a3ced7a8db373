/*
 * Claim: inputs and results too big for a line travel beside the connection while it is
 * listened to, and a result that the pool's store will not take for now is brought again.
 * labels: tsan
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

#include "kernels/blake3_host.h"
#include "tests/http_script.h"
#include "tests/pool_bench.h"

enum { INPUT_SIZE = 400000, OUTPUT_SIZE = 300000 };

struct place {
    struct bench *bench;
    struct http_script *http;
    uint8_t input[INPUT_SIZE];
    char hash[65];
};

static struct place place_open(void)
{
    struct place place = {.http = http_script_open()};
    void *bench = NULL;
    uint8_t digest[BLAKE3_SIZE];

    bench_open(&bench);
    place.bench = bench;
    for (size_t i = 0; i < INPUT_SIZE; i++)
        place.input[i] = (uint8_t)(i * 31 >> 4);
    blake3_hash(place.input, INPUT_SIZE, NULL, digest);
    hex_encode(digest, sizeof digest, place.hash);
    return place;
}

static void place_serve(struct place *place)
{
    char path[160];

    snprintf(path, sizeof path, "/store/%s", place->hash);
    http_script_add(place->http, path, bytes_of(place->input, INPUT_SIZE));
}

static void place_close(struct place *place)
{
    void *bench = place->bench;

    bench_close(&bench);
    http_script_close(place->http);
}

/* A pool whose store is the HTTP server. */
static void place_welcome(struct place *place)
{
    char reply[512];

    snprintf(reply, sizeof reply,
             "\"result\":true,\"error\":null,\"protocol\":\"pouw/1\",\"artifacts\":"
             "\"http://127.0.0.1:%u/store/\",\"session\":\"" BENCH_SESSION "\"}",
             place->http->port);
    pool_script_reply(&place->bench->script, bench_hear_hello(place->bench, "pouw/1"),
                      reply);
    news_free(bench_news(place->bench, NEWS_CONNECTED));
}

static void place_assign(struct place *place)
{
    char line[1024];

    snprintf(
        line, sizeof line,
        "{\"id\":null,\"method\":\"task.assign\",\"params\":{\"task_id\":\"" BENCH_TASK
        "\",\"kind\":\"embed\",\"model\":\"\",\"contract\":\"DET-1\",\"input\":"
        "{\"hash\":\"%s\",\"size\":%d},\"params\":{},\"rows\":8,\"lease_s\":60}}",
        place->hash, INPUT_SIZE);
    pool_script_say(&place->bench->script, line);
}

static void an_input_is_fetched_before_it_is_handed_out(void **state)
{
    struct place place = place_open();
    struct bench *bench = place.bench;
    void *thing = NULL;

    (void)state;
    place_serve(&place);
    bench_connect(bench, "pouw+tcp");
    place_welcome(&place);
    place_assign(&place);
    assert_int_equal(queue_take(bench->ports.assignments, SCRIPT_WAIT_MS, &thing),
                     STATUS_OK);
    const struct assignment *work = thing;
    assert_int_equal(work->input.size, INPUT_SIZE);
    assert_memory_equal(work->input.data, place.input, INPUT_SIZE);
    assignment_free(thing);
    place_close(&place);
}

static void an_input_that_cannot_be_had_is_declined(void **state)
{
    struct place place = place_open();

    (void)state;
    bench_connect(place.bench, "pouw+tcp");
    place_welcome(&place);
    place_assign(&place);
    const char *line = pool_script_expect(&place.bench->script, "task.decline");
    assert_non_null(strstr(line, "its input could not be fetched"));
    assert_non_null(strstr(line, "404 no such blob"));
    assert_int_equal(queue_count(place.bench->ports.assignments), 0);
    place_close(&place);
}

static void a_big_result_is_brought_first(void **state)
{
    struct place place = place_open();
    struct bench *bench = place.bench;

    (void)state;
    atomic_store(&place.http->refuse, 1000000); /* busy: it comes again */
    bench_connect(bench, "pouw+tcp");
    place_welcome(&place);
    bench_say_job(bench, "j1");
    news_free(bench_news(bench, NEWS_JOB));
    bench_put_answer(bench, ANSWER_DONE, OUTPUT_SIZE);
    bench_put_answer(bench, ANSWER_PROGRESS, 0);
    bench_put_share(bench, "j1");
    /* The connection does not wait for the store. */
    bench_answer_line(bench, "task.progress", BENCH_ACCEPTED);
    bench_answer_line(bench, "mining.submit", BENCH_ACCEPTED);
    bench_expect_verdict(bench, NEWS_SHARE, VERDICT_ACCEPTED);
    bench_expect_news(bench, NEWS_NOTICE, "503 try again");
    atomic_store(&place.http->refuse, 0);
    const char *line = pool_script_expect(&bench->script, "task.result");
    char hash[65], path[160];
    uint8_t digest[BLAKE3_SIZE];
    assert_int_equal(atomic_load(&place.http->puts), 1);
    assert_int_equal(place.http->put.size, OUTPUT_SIZE);
    blake3_hash(place.http->put.data, OUTPUT_SIZE, NULL, digest);
    hex_encode(digest, sizeof digest, hash);
    snprintf(path, sizeof path, "/store/%s", hash);
    assert_string_equal(place.http->put_path, path);
    assert_string_equal(place.http->put_token, "Bearer " BENCH_SESSION);
    assert_non_null(strstr(line, hash));
    pool_script_reply(&bench->script, pool_script_id(line), BENCH_RESULT_ACCEPTED);
    bench_expect_verdict(bench, NEWS_RESULT, VERDICT_ACCEPTED);
    queue_close(bench->ports.outbox);
    assert_int_equal(pool_stop(bench->pool, SCRIPT_WAIT_MS), 0);
    place_close(&place);
}

static void a_stop_breaks_off_what_is_carried(void **state)
{
    struct place place = place_open();
    struct bench *bench = place.bench;

    (void)state;
    atomic_store(&place.http->refuse, 1000000);
    bench_connect(bench, "pouw+tcp");
    place_welcome(&place);
    place_assign(&place);
    bench_put_answer(bench, ANSWER_DONE, OUTPUT_SIZE);
    queue_close(bench->ports.outbox);
    assert_int_equal(pool_stop(bench->pool, 100), 1);
    place_close(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_input_is_fetched_before_it_is_handed_out),
        cmocka_unit_test(an_input_that_cannot_be_had_is_declined),
        cmocka_unit_test(a_big_result_is_brought_first),
        cmocka_unit_test(a_stop_breaks_off_what_is_carried),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
