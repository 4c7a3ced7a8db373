/*
 * pool_sending.c - brings out what the workers have to say, in order, and remembers it
 * until it was answered.
 *
 * A task's shares leave before its result: a share that waits is not overtaken by a later
 * share or result.  Taking, declining and progress may pass, for they are short and have
 * a limit.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/clock.h"
#include "miner/base/memory.h"
#include "pool-protocol/message_task.h"
#include "pool-protocol/pool_thread.h"

enum { UNSENT_ENOUGH = 1 << 20 }; /* more would only grow stale in the socket's queue */

static bool sending_is_share(const struct sending *sending)
{
    return sending->what->kind == OUTGOING_SHARE;
}

static bool sending_is_result(const struct sending *sending)
{
    return sending->what->kind == OUTGOING_ANSWER &&
           sending->what->as.answer->kind == ANSWER_DONE;
}

static void sending_remove(struct pool *pool, uint32_t index)
{
    assert(index < pool->sending_count);
    outgoing_free(pool->sendings[index].what);
    pool->sending_count--;
    memmove(&pool->sendings[index], &pool->sendings[index + 1],
            (pool->sending_count - index) * sizeof pool->sendings[0]);
}

/* Tells how a share or a result ended, and forgets it. */
static void sending_end(struct pool *pool, uint32_t index, enum verdict verdict, int code,
                        const char *text)
{
    const struct sending *sending = &pool->sendings[index];
    const bool is_share = sending_is_share(sending);
    struct news *news = news_new(is_share ? NEWS_SHARE : NEWS_RESULT);

    if (news) {
        news->verdict = verdict;
        news->code = code;
        news->latency_ms = clock_ms() - sending->taken_ms;
        snprintf(news->text, sizeof news->text, "%s", text);
    }
    if (news && is_share) {
        const struct share *share = sending->what->as.share;

        news->job = job_keep(share->job);
        news->work = target_work(&share->job->target);
        news->device = share->device;
        news->site = share->site;
        memcpy(news->ticket, share->ticket, sizeof news->ticket);
        snprintf(news->task_id, sizeof news->task_id, "%s", share->task_id);
    } else if (news) {
        snprintf(news->task_id, sizeof news->task_id, "%s",
                 sending->what->as.answer->task_id);
    }
    pool_tell(pool, news);
    sending_remove(pool, index);
}

/* Takes what. */
static void sending_add(struct pool *pool, struct outgoing *what)
{
    assert(pool->sending_count < SENDING_MAX);
    pool->sendings[pool->sending_count++] = (struct sending){.what = what,
                                                             .tag = ++pool->next_tag,
                                                             .taken_ms = clock_ms(),
                                                             .state = SENDING_WAITS};
}

/* The pool was away for so long that its oldest share goes. */
static void sending_make_room(struct pool *pool)
{
    uint32_t waiting = 0, oldest = 0;

    for (uint32_t i = pool->sending_count; i-- > 0;) {
        if (!sending_is_share(&pool->sendings[i]) ||
            pool->sendings[i].state != SENDING_WAITS)
            continue;
        waiting++;
        oldest = i;
    }
    if (waiting > SENDING_SHARES_MAX)
        sending_end(pool, oldest, VERDICT_STALE, 0,
                    "not sent: the pool was away too long");
}

/* A task that is handed back takes its shares with it: what still waits is not worth
 * sending. */
static void sending_forget_task(struct pool *pool, const char *task_id)
{
    for (uint32_t i = 0; i < pool->sending_count;) {
        const struct sending *sending = &pool->sendings[i];

        if (sending_is_share(sending) && sending->state == SENDING_WAITS &&
            !strcmp(sending->what->as.share->task_id, task_id))
            sending_end(pool, i, VERDICT_STALE, 0, "not sent: its task is handed back");
        else
            i++;
    }
}

/* One thing from the workers. */
static void gather_one(struct pool *pool, struct outgoing *what)
{
    const struct answer *answer = what->kind == OUTGOING_ANSWER ? what->as.answer : NULL;

    assert(what->kind != OUTGOING_FINDING);
    /* How far a task is, is only worth saying now. */
    if (answer && answer->kind == ANSWER_PROGRESS && !pool->is_ready) {
        outgoing_free(what);
        return;
    }
    if (answer && answer->kind == ANSWER_DECLINE)
        sending_forget_task(pool, answer->task_id);
    sending_add(pool, what);
}

static void gather_errand(struct pool *pool, const struct errand *errand)
{
    for (uint32_t i = 0; i < pool->sending_count; i++) {
        struct sending *sending = &pool->sendings[i];

        if (sending->tag != errand->tag)
            continue;
        sending->state = SENDING_WAITS;
        sending->is_there = !errand->status;
        if (errand->status == STATUS_REFUSED) {
            sending_end(pool, i, VERDICT_REJECTED, 0, errand->text);
        } else if (errand->status) {
            sending->not_before_ms = clock_ms() + PUT_AGAIN_MS / pool->hurry;
            pool_tell_text(pool, NEWS_NOTICE, errand->text);
        }
        return;
    }
}

void pool_gather(struct pool *pool)
{
    struct errand *errand = NULL;
    void *taken = NULL;
    enum status status = STATUS_OK;

    while ((errand = courier_take(pool->courier))) {
        if (errand->kind == ERRAND_FETCH)
            pool_fetched(pool, errand);
        else
            gather_errand(pool, errand);
        errand_free(errand);
    }
    while (!status && pool->sending_count < SENDING_MAX) {
        status = queue_take(pool->ports.outbox, 0, &taken);
        if (status)
            break;
        gather_one(pool, taken);
        sending_make_room(pool);
    }
    pool->is_outbox_closed = status == STATUS_CLOSED;
}

/* A result too big for a line is brought to the pool first. */
static void send_carry(struct pool *pool, uint32_t index)
{
    struct sending *sending = &pool->sendings[index];
    struct errand *errand = memory_new(struct errand);

    sending->not_before_ms = clock_ms() + PUT_AGAIN_MS / pool->hurry;
    if (!errand)
        return;
    errand->kind = ERRAND_PUT;
    errand->tag = sending->tag;
    errand->data = blob_bytes(&sending->what->as.answer->output);
    board_artifacts(&pool->board, &errand->where);
    if (courier_send(pool->courier, errand))
        errand_free(errand);
    else
        sending->state = SENDING_CARRIED;
}

/* One thing to the dialect.  AGAIN: not now. */
static enum status send_one(struct pool *pool, uint32_t index)
{
    struct sending *sending = &pool->sendings[index];

    if (sending_is_share(sending))
        return pool->dialect->submit(pool->session, sending->what->as.share, sending->tag,
                                     &pool->turn);
    if (sending_is_result(sending) && !sending->is_there &&
        sending->what->as.answer->output.size > TASK_INLINE_MAX) {
        if (clock_ms() >= sending->not_before_ms)
            send_carry(pool, index);
        return STATUS_AGAIN;
    }
    return pool->dialect->answer(pool->session, sending->what->as.answer, sending->tag,
                                 &pool->turn);
}

/* What became of it. */
static void send_settle(struct pool *pool, uint32_t index, enum status status)
{
    struct sending *sending = &pool->sendings[index];
    const bool counts = sending_is_share(sending) || sending_is_result(sending);

    if (status == STATUS_AGAIN)
        return;
    if (!status && counts)
        sending->state = SENDING_SENT;
    else if (!counts)
        sending_remove(pool, index);
    else if (status == STATUS_STALE)
        sending_end(pool, index, VERDICT_STALE, 0, "not sent: its job is void");
    else
        sending_end(pool, index, VERDICT_REJECTED, 0, status_text(status));
}

enum status pool_send(struct pool *pool, struct error *err)
{
    bool must_wait = false; /* a share before this one still waits */
    uint32_t i = 0;

    while (i < pool->sending_count && pool->is_ready) {
        const struct sending *sending = &pool->sendings[i];
        const bool is_share = sending_is_share(sending);
        const bool counts = is_share || sending_is_result(sending);
        const uint64_t tag = sending->tag;
        enum status status = STATUS_AGAIN;

        if (pool->transport && transport_unsent(pool->transport) > UNSENT_ENOUGH)
            break;
        if (sending->state == SENDING_WAITS && !(counts && must_wait)) {
            status = send_one(pool, i);
            must_wait |= is_share && status == STATUS_AGAIN;
            send_settle(pool, i, status);
            status = pool_settle(pool, err); /* may answer at once, and so take it away */
            if (status)
                return status;
        }
        if (i < pool->sending_count && pool->sendings[i].tag == tag)
            i++;
    }
    return STATUS_OK;
}

void pool_send_again(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->sending_count;) {
        struct sending *sending = &pool->sendings[i];
        const bool counts = sending_is_share(sending) || sending_is_result(sending);

        if (sending_is_share(sending) && sending->state == SENDING_SENT) {
            sending_end(pool, i, VERDICT_UNKNOWN, 0,
                        "the connection was lost before an answer");
            continue;
        }
        if (!counts && sending->what->as.answer->kind == ANSWER_PROGRESS) {
            sending_remove(pool, i);
            continue;
        }
        if (sending->state == SENDING_SENT)
            sending->state = SENDING_WAITS;
        sending->is_there = false; /* another pool may answer next time */
        i++;
    }
}

bool pool_is_done(const struct pool *pool)
{
    return pool->is_outbox_closed && !pool->sending_count;
}

void pool_answered(struct pool *pool, const struct dialect_event *event)
{
    for (uint32_t i = 0; i < pool->sending_count; i++) {
        if (pool->sendings[i].tag != event->tag)
            continue;
        sending_end(pool, i, event->verdict, event->code, event->text);
        return;
    }
}

void pool_fetch(struct pool *pool, struct assignment *work)
{
    struct errand *errand = memory_new(struct errand);

    if (errand) {
        errand->kind = ERRAND_FETCH;
        errand->work = work;
        board_artifacts(&pool->board, &errand->where);
        if (!courier_send(pool->courier, errand))
            return;
        errand->work = NULL;
    }
    pool_decline(pool, work, "its input could not be fetched: too much is under way");
    assignment_free(work);
    errand_free(errand);
}

void pool_decline(struct pool *pool, const struct assignment *work, const char *reason)
{
    struct answer *answer = memory_new(struct answer);
    struct outgoing *what = NULL;

    if (answer) {
        answer->kind = ANSWER_DECLINE;
        snprintf(answer->task_id, sizeof answer->task_id, "%s", work->id);
        snprintf(answer->reason, sizeof answer->reason, "%s", reason);
        what = outgoing_answer(answer);
    }
    if (what && pool->sending_count < SENDING_MAX)
        sending_add(pool, what);
    else
        outgoing_free(what); /* the pool takes back what nobody accepts */
}

uint32_t pool_drop_all(struct pool *pool)
{
    uint32_t results = 0;

    while (pool->sending_count) {
        const uint32_t last = pool->sending_count - 1;

        if (sending_is_result(&pool->sendings[last])) {
            results++;
            sending_end(pool, last, VERDICT_UNKNOWN, 0,
                        "the pool did not answer before the end");
        } else if (sending_is_share(&pool->sendings[last])) {
            sending_end(pool, last,
                        pool->sendings[last].state == SENDING_SENT ? VERDICT_UNKNOWN
                                                                   : VERDICT_STALE,
                        0, "the pool did not answer before the end");
        } else {
            sending_remove(pool, last);
        }
    }
    return results;
}
