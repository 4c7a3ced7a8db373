/*
 * test_pool_book.c - claim: a pool's book follows from its news: state, reason, logins,
 * losses, jobs, and shares and results by verdict.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "miner/pool_book.h"

static void note(struct pool_book *book, enum news_kind kind, uint64_t at_ms,
                 const char *text)
{
    struct news news = {.kind = kind, .at_ms = at_ms, .latency_ms = 30};

    snprintf(news.text, sizeof news.text, "%s", text);
    pool_book_note(book, &news);
}

static void note_verdict(struct pool_book *book, enum news_kind kind,
                         enum verdict verdict, uint64_t at_ms)
{
    const struct news news = {
        .kind = kind, .at_ms = at_ms, .verdict = verdict, .work = 1e9};

    pool_book_note(book, &news);
}

static void test_life(void **state)
{
    struct pool_book book = {.state = POOL_BOOK_AWAY};

    (void)state;
    note(&book, NEWS_LOST, 5, "no answer; again in 1 s");
    assert_int_equal(book.disconnects, 0); /* it never was connected */
    assert_string_equal(book.why, "no answer; again in 1 s");
    note(&book, NEWS_CONNECTED, 10, "");
    note(&book, NEWS_CURRENT, 11, "");
    assert_int_equal(book.state, POOL_BOOK_CONNECTED);
    assert_true(book.is_current);
    assert_int_equal(book.latency_ms, 30);
    assert_int_equal(book.connected_ms, 10);
    assert_string_equal(book.why, "");
    note(&book, NEWS_LOST, 20, "reset");
    assert_int_equal(book.state, POOL_BOOK_AWAY);
    assert_false(book.is_current);
    assert_int_equal(book.connects, 1);
    assert_int_equal(book.disconnects, 1);
    assert_string_equal(pool_book_state_name(book.state), "away");
}

static void test_refusal(void **state)
{
    struct pool_book book = {.state = POOL_BOOK_AWAY};

    (void)state;
    note(&book, NEWS_REFUSED, 10, "invalid wallet");
    note(&book, NEWS_LOST, 11, "invalid wallet; again in 60 s");
    assert_int_equal(book.state, POOL_BOOK_REFUSED);
    assert_string_equal(book.why, "invalid wallet; again in 60 s");
    note(&book, NEWS_CONNECTED, 60000, "");
    assert_int_equal(book.state, POOL_BOOK_CONNECTED);
}

static void test_verdicts(void **state)
{
    struct pool_book book = {.state = POOL_BOOK_CONNECTED};

    (void)state;
    for (int i = 0; i < 3; i++)
        note_verdict(&book, NEWS_SHARE, VERDICT_ACCEPTED, 100 + (uint64_t)i);
    note_verdict(&book, NEWS_SHARE, VERDICT_STALE, 200);
    note_verdict(&book, NEWS_SHARE, VERDICT_UNKNOWN, 201);
    note_verdict(&book, NEWS_SHARE, VERDICT_LOST, 202);
    note_verdict(&book, NEWS_RESULT, VERDICT_REJECTED, 203);
    assert_int_equal(book.shares[VERDICT_ACCEPTED], 3);
    assert_int_equal(book.accepted_ms, 102);
    assert_true(book.accepted_work > 2.99e9 && book.accepted_work < 3.01e9);
    assert_int_equal(book.shares[VERDICT_STALE], 1);
    assert_int_equal(book.shares[VERDICT_REJECTED], 0);
    assert_int_equal(book.shares[VERDICT_UNKNOWN], 1);
    assert_int_equal(book.shares[VERDICT_LOST], 1);
    assert_int_equal(book.results[VERDICT_REJECTED], 1);
}

static void test_job(void **state)
{
    struct pool_book book = {.state = POOL_BOOK_CONNECTED};
    struct job job = {.height = 77, .target = target_from_work((uint64_t)1 << 32)};
    const struct news news = {.kind = NEWS_JOB, .at_ms = 9, .job = &job};

    (void)state;
    pool_book_note(&book, &news);
    assert_int_equal(book.job_ms, 9);
    assert_int_equal(book.height, 77);
    assert_true(book.work > 4.29e9 && book.work < 4.3e9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_refusal),
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_job),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
