/*
 * Claim: a share leaves under the newest id of its own header whose target it meets,
 * under a replaced one for 30 s at most, and not at all once its block is over; nothing
 * leaves twice; ten wrong answers in a row are told.
 *
 * The rules are held, for every conversation of four events, against a second telling of
 * them that looks at the history as a whole.
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

#include "pool-protocol/share_desk.h"

enum { EVENTS = 4, STEP_MS = 10000, START_MS = 5 };

/* What may happen to a connection.  Ids are the event's number unless they come again. */
enum event {
    NEW_TIME_EASY, /* header 1 of block 0 */
    SAME_EASY,     /* header 0 of block 0 */
    SAME_HARD,     /* the same with a target that less tickets meet */
    NEW_BLOCK,     /* another previous block */
    NEW_HEIGHT,    /* header 0 of block 0 at another height */
    OTHER_VERSION, /* header 0 of block 0, proofs are seeded otherwise */
    OTHER_SHAPE,   /* header 0 of block 0, another matrix is wanted */
    ID_AGAIN,      /* header 0, hard, under the id of the job before */
    NO_JOB,        /* the job in force is over */
    ANOTHER_CONNECTION,
    EVENT_KINDS
};

static bool is_job(enum event event)
{
    return event < NO_JOB;
}

static struct job job_of(enum event event, uint32_t id)
{
    struct job job = {.height = 7, .cert_version = 3, .min_rank = 128};
    const bool is_hard = event == SAME_HARD || event == ID_AGAIN;

    snprintf(job.id, sizeof job.id, "job %u", id);
    job.header[4] = event == NEW_BLOCK;
    job.header[68] = event == NEW_TIME_EASY;
    job.height += event == NEW_HEIGHT;
    job.cert_version -= event == OTHER_VERSION;
    job.shape.is_dictated = event == OTHER_SHAPE;
    job.target = target_from_work(is_hard ? UINT64_C(1) << 40 : UINT64_C(1) << 30);
    return job;
}

/* quality 0: meets nothing; 1: easy targets; 2: hard ones too. */
static struct share share_for(struct job *job, int quality)
{
    struct share share = {
        .job = job, .k = 2048, .rank = 128, .row_count = 8, .column_count = 16};
    const int byte = quality == 0 ? 31 : quality == 1 ? 30 : 20;

    memset(share.ticket, 0, sizeof share.ticket);
    share.ticket[byte] = 1;
    return share;
}

/* One conversation, and what the second telling knows of it. */
struct history {
    enum event events[EVENTS];
    uint32_t ids[EVENTS];
};

/* Header, version and shape in one number. */
static int problem_of(enum event event)
{
    switch (event) {
    case NEW_TIME_EASY:
    case NEW_BLOCK:
    case OTHER_VERSION:
    case OTHER_SHAPE:
        return (int)event + 1;
    default:
        return 0;
    }
}

static bool same_problem(enum event a, enum event b)
{
    return problem_of(a) == problem_of(b);
}

static bool same_block(enum event a, enum event b)
{
    return (a == NEW_BLOCK) == (b == NEW_BLOCK) && (a == NEW_HEIGHT) == (b == NEW_HEIGHT);
}

static bool meets(enum event event, int quality)
{
    return quality > (event == SAME_HARD || event == ID_AGAIN);
}

/* The first event whose job a share of `made` may go out for, as the rules read. */
static enum desk_word tell(const struct history *history, int made, int quality,
                           uint64_t after_ms, bool refuses_old, int *found)
{
    int first = EVENTS, last = EVENTS - 1;

    for (int i = EVENTS - 1; i >= 0 && history->events[i] != ANOTHER_CONNECTION; i--)
        first = i;
    if (first == EVENTS)
        return DESK_WAIT;
    if (!is_job(history->events[last]))
        return DESK_STALE;
    const enum event newest = history->events[last], own = history->events[made];
    const bool is_old = !same_problem(newest, own);
    if (!same_block(newest, own) || (is_old && refuses_old))
        return DESK_STALE;
    for (int i = last; i >= first; i--) {
        const enum event event = history->events[i];
        bool is_replaced = false;

        if (!is_job(event) || !same_block(event, newest))
            break; /* what came before is void */
        for (int later = i + 1; later <= last; later++)
            is_replaced |= history->ids[later] == history->ids[i];
        if (i < last && (uint64_t)(last - i - 1) * STEP_MS + after_ms >= DESK_OLD_MS)
            break;
        if (is_replaced || !same_problem(event, own) || !meets(event, quality))
            continue;
        *found = i;
        return DESK_GO;
    }
    return is_old ? DESK_STALE : DESK_BELOW;
}

static void judge_one(struct share_desk *desk, const struct history *history, int made)
{
    static const uint64_t waits_ms[] = {0, 9999, 10000, 19999, 20000, 29999, 30000};
    const uint64_t last_ms = START_MS + (EVENTS - 1) * STEP_MS;
    struct job job = job_of(history->events[made], history->ids[made]);

    for (int n = 0; n < 3 * 7 * 2; n++) {
        const uint64_t after_ms = waits_ms[n / 3 % 7];
        const struct share share = share_for(&job, n % 3);
        struct desk_pass pass = {0};
        int found = -1;
        char id[32] = "";

        desk->refuses_old = n / 3 / 7;
        const enum desk_word expected =
            tell(history, made, n % 3, after_ms, desk->refuses_old, &found);
        const enum desk_word word =
            share_desk_judge(desk, &share, last_ms + after_ms, &pass);
        if (found >= 0)
            snprintf(id, sizeof id, "job %u", history->ids[found]);
        if (word != expected || (word == DESK_GO && strcmp(id, pass.job_id)))
            fail_msg("events %d %d %d %d, share of %d, quality %d, %llu ms later%s: "
                     "expected %d %s, came %d %s",
                     history->events[0], history->events[1], history->events[2],
                     history->events[3], made, n % 3, (unsigned long long)after_ms,
                     desk->refuses_old ? ", old ones refused" : "", expected, id, word,
                     pass.job_id ? pass.job_id : "");
        if (word == DESK_GO)
            assert_int_equal(pass.is_old, !same_problem(history->events[made],
                                                        history->events[EVENTS - 1]));
    }
}

static void judge_all(struct share_desk *desk, const struct history *history)
{
    for (int made = 0; made < EVENTS; made++) {
        if (is_job(history->events[made]))
            judge_one(desk, history, made);
    }
}

static void play(const struct history *history)
{
    struct share_desk desk = {0};

    share_desk_begin(&desk);
    for (int i = 0; i < EVENTS; i++) {
        const struct job plain = job_of(history->events[i], history->ids[i]);

        if (history->events[i] == ANOTHER_CONNECTION) {
            share_desk_begin(&desk);
            share_desk_void(&desk);
        } else if (history->events[i] == NO_JOB) {
            share_desk_clear(&desk);
        } else {
            struct job *job = job_new(&plain);

            assert_non_null(job);
            share_desk_hear(&desk, job, START_MS + (uint64_t)i * STEP_MS);
            job_release(job);
        }
    }
    judge_all(&desk, history);
    share_desk_close(&desk);
}

static void every_conversation_follows_the_rules(void **state)
{
    uint32_t count = 1;

    (void)state;
    for (int i = 0; i < EVENTS; i++)
        count *= EVENT_KINDS;
    for (uint32_t n = 0; n < count; n++) {
        struct history history = {{0}, {0}};
        uint32_t rest = n;

        for (uint32_t i = 0; i < EVENTS; i++, rest /= EVENT_KINDS) {
            history.events[i] = (enum event)(rest % EVENT_KINDS);
            history.ids[i] = i;
            if (i && history.events[i] == ID_AGAIN)
                history.ids[i] = history.ids[i - 1];
        }
        play(&history);
    }
}

/* Hears a job of that kind and lets go of it. */
static void hear(struct share_desk *desk, enum event event, uint32_t id, uint64_t now_ms)
{
    const struct job plain = job_of(event, id);
    struct job *job = job_new(&plain);

    assert_non_null(job);
    share_desk_hear(desk, job, now_ms);
    job_release(job);
}

static enum desk_word judge(const struct share_desk *desk, enum event event, uint32_t id)
{
    struct job job = job_of(event, id);
    const struct share share = share_for(&job, 2);
    struct desk_pass pass;

    return share_desk_judge(desk, &share, START_MS, &pass);
}

/* Eight are kept, newest first; more push the oldest out. */
static void the_oldest_job_goes(void **state)
{
    struct share_desk desk = {0};

    (void)state;
    share_desk_begin(&desk);
    hear(&desk, NEW_TIME_EASY, 0, START_MS);
    for (uint32_t i = 1; i < DESK_JOBS_MAX; i++)
        hear(&desk, SAME_EASY, i, START_MS);
    assert_int_equal(judge(&desk, NEW_TIME_EASY, 0), DESK_GO);
    hear(&desk, SAME_EASY, DESK_JOBS_MAX, START_MS);
    assert_int_equal(judge(&desk, NEW_TIME_EASY, 0), DESK_STALE);
    share_desk_close(&desk);
}

/* Its jobs are known by their ids, for as long as they are kept, over connections too. */
static void a_pool_with_tasks_takes_any_job_that_is_kept(void **state)
{
    struct share_desk desk = {0};

    (void)state;
    share_desk_begin(&desk);
    desk.takes_any = true;
    assert_int_equal(judge(&desk, SAME_EASY, 1), DESK_STALE);
    hear(&desk, SAME_EASY, 1, START_MS);
    hear(&desk, NEW_TIME_EASY, 2, START_MS);
    share_desk_begin(&desk);
    desk.takes_any = true;
    assert_int_equal(judge(&desk, SAME_EASY, 1), DESK_GO);
    assert_int_equal(judge(&desk, SAME_EASY, 3), DESK_STALE);
    hear(&desk, NEW_TIME_EASY, 4, START_MS);
    assert_int_equal(judge(&desk, SAME_EASY, 1), DESK_GO);
    share_desk_void(&desk);
    assert_int_equal(judge(&desk, SAME_EASY, 1), DESK_STALE);
    assert_int_equal(judge(&desk, NEW_TIME_EASY, 4), DESK_GO);
    hear(&desk, NEW_BLOCK, 5, START_MS);
    assert_int_equal(judge(&desk, NEW_TIME_EASY, 4), DESK_STALE);
    share_desk_close(&desk);
}

/* One answer is enough, and it counts for the rest of the connection alone. */
static void old_shares_stop_after_one_stale_answer(void **state)
{
    struct share_desk desk = {0};

    (void)state;
    for (int i = 0; i < 2; i++) {
        share_desk_begin(&desk);
        share_desk_void(&desk);
        hear(&desk, SAME_EASY, 1, START_MS);
        hear(&desk, NEW_TIME_EASY, 2, START_MS);
        assert_false(share_desk_answered(&desk, false, REFUSAL_STALE, false));
        assert_false(share_desk_answered(&desk, false, REFUSAL_LOW, true));
        assert_false(share_desk_answered(&desk, true, REFUSAL_OTHER, true));
        assert_int_equal(judge(&desk, SAME_EASY, 1), DESK_GO);
        assert_false(share_desk_answered(&desk, false, REFUSAL_STALE, true));
        assert_int_equal(judge(&desk, SAME_EASY, 1), DESK_STALE);
        assert_int_equal(judge(&desk, NEW_TIME_EASY, 2), DESK_GO);
    }
    share_desk_close(&desk);
}

/* A proof is known by its bytes, whatever job it names. */
struct digest {
    uint8_t bytes[32];
};

static struct digest digest_of(const struct share *share)
{
    struct digest digest;

    share_desk_digest(share, digest.bytes);
    return digest;
}

static bool has_sent(const struct share_desk *desk, const struct share *share)
{
    return share_desk_has_sent(desk, digest_of(share).bytes);
}

static void nothing_leaves_twice(void **state)
{
    struct share_desk desk = {0};
    struct job job = job_of(SAME_EASY, 1);
    struct share share = share_for(&job, 2);
    uint8_t bytes[3] = {0};

    (void)state;
    share.plain_proof = (struct blob){.data = bytes, .size = sizeof bytes};
    share_desk_begin(&desk);
    for (int i = 0; i <= DESK_DIGESTS_MAX; i++) {
        bytes[0] = (uint8_t)i;
        bytes[1] = (uint8_t)(i >> 8);
        assert_false(has_sent(&desk, &share));
        assert_int_equal(share_desk_sent(&desk, digest_of(&share).bytes),
                         i % DESK_DIGESTS_MAX);
        assert_true(has_sent(&desk, &share));
    }
    bytes[0] = bytes[1] = 0; /* so long ago that it is forgotten */
    assert_false(has_sent(&desk, &share));
    bytes[0] = 1; /* not yet; and not over the end of a connection */
    share_desk_begin(&desk);
    assert_true(has_sent(&desk, &share));
    share_desk_unsent(&desk, 1);
    assert_false(has_sent(&desk, &share));
}

static void ten_wrong_answers_in_a_row_are_told(void **state)
{
    static const enum refusal wrong[] = {REFUSAL_LOW, REFUSAL_INVALID, REFUSAL_FORMAT};
    static const enum refusal other[] = {REFUSAL_OTHER,     REFUSAL_BANNED, REFUSAL_STALE,
                                         REFUSAL_DUPLICATE, REFUSAL_LOGIN,  REFUSAL_BUSY};
    struct share_desk desk = {0};

    (void)state;
    for (int round = 0; round < 2; round++) { /* told once, then counted anew */
        for (int i = 0; i < DESK_WRONG_MAX - 1; i++) {
            assert_false(share_desk_answered(&desk, false, wrong[i % 3], false));
            assert_false(share_desk_answered(&desk, false, other[i % 6], false));
        }
        share_desk_begin(&desk); /* a new connection excuses nothing */
        assert_true(share_desk_answered(&desk, false, REFUSAL_LOW, false));
    }
    for (int i = 0; i < 3 * DESK_WRONG_MAX; i++) {
        assert_false(share_desk_answered(&desk, false, wrong[i % 3], false));
        if (i % (DESK_WRONG_MAX - 1) == DESK_WRONG_MAX - 2)
            assert_false(share_desk_answered(&desk, true, REFUSAL_OTHER, false));
    }
}

/* A tile without a size wins nothing but the ticket zero; a bound beyond 256 bits is met
 * by none. */
static void odd_shares_are_judged_too(void **state)
{
    struct share_desk desk = {0};
    struct job job = job_of(SAME_EASY, 1);
    struct share share = share_for(&job, 2);
    struct desk_pass pass;

    (void)state;
    share_desk_begin(&desk);
    hear(&desk, SAME_EASY, 1, START_MS);
    share.rank = 0;
    assert_int_equal(share_desk_judge(&desk, &share, START_MS, &pass), DESK_BELOW);
    share.rank = 2;
    share.k = UINT64_C(1) << 32;
    memset(share.ticket, 0, sizeof share.ticket);
    assert_int_equal(share_desk_judge(&desk, &share, START_MS, &pass), DESK_BELOW);
    share.rank = 0;
    assert_int_equal(share_desk_judge(&desk, &share, START_MS, &pass), DESK_GO);
    share_desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_conversation_follows_the_rules),
        cmocka_unit_test(the_oldest_job_goes),
        cmocka_unit_test(a_pool_with_tasks_takes_any_job_that_is_kept),
        cmocka_unit_test(old_shares_stop_after_one_stale_answer),
        cmocka_unit_test(nothing_leaves_twice),
        cmocka_unit_test(ten_wrong_answers_in_a_row_are_told),
        cmocka_unit_test(odd_shares_are_judged_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
