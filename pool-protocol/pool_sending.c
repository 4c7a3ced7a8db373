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

/* How something ended. */
struct ending {
    enum verdict verdict;
    int code; /* the pool's, or 0 */
    enum refusal refusal;
    const char *text;
};

static bool sending_is_share(const struct sending *sending)
{
    return sending->what->kind == OUTGOING_SHARE;
}

static bool sending_is_result(const struct sending *sending)
{
    return sending->what->kind == OUTGOING_ANSWER &&
           sending->what->as.answer->kind == ANSWER_DONE;
}

static void sending_remove(struct pool_link *link, uint32_t index)
{
    assert(index < link->sending_count);
    outgoing_free(link->sendings[index].what);
    link->sending_count--;
    memmove(&link->sendings[index], &link->sendings[index + 1],
            (link->sending_count - index) * sizeof link->sendings[0]);
}

/* Tells how a share or a result ended, and forgets it. */
static void sending_tell(struct pool_link *link, uint32_t index,
                         const struct ending *ending)
{
    const struct sending *sending = &link->sendings[index];
    const bool is_share = sending_is_share(sending);
    struct news *news = news_new(is_share ? NEWS_SHARE : NEWS_RESULT);

    if (news) {
        news->verdict = ending->verdict;
        news->code = ending->code;
        news->refusal = ending->refusal;
        news->latency_ms = clock_ms() - sending->taken_ms;
        snprintf(news->text, sizeof news->text, "%s", ending->text);
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
    link_tell(link, news);
    sending_remove(link, index);
}

/* The same without a word of the pool's. */
static void sending_end(struct pool_link *link, uint32_t index, enum verdict verdict,
                        const char *text)
{
    const struct ending ending = {.verdict = verdict, .text = text};

    sending_tell(link, index, &ending);
}

/* Takes what. */
static void sending_add(struct pool_link *link, struct outgoing *what)
{
    assert(link->sending_count < SENDING_MAX);
    link->sendings[link->sending_count++] = (struct sending){.what = what,
                                                             .tag = ++link->next_tag,
                                                             .taken_ms = clock_ms(),
                                                             .state = SENDING_WAITS};
}

/* The pool was away for so long that its oldest share goes. */
static void sending_make_room(struct pool_link *link)
{
    uint32_t waiting = 0, oldest = 0;

    for (uint32_t i = link->sending_count; i-- > 0;) {
        if (!sending_is_share(&link->sendings[i]) ||
            link->sendings[i].state != SENDING_WAITS)
            continue;
        waiting++;
        oldest = i;
    }
    if (waiting > SENDING_SHARES_MAX)
        sending_end(link, oldest, VERDICT_LOST, "not sent: too many waited");
}

/* A task that is handed back takes its shares with it: what still waits is not worth
 * sending. */
static void sending_forget_task(struct pool_link *link, const char *task_id)
{
    for (uint32_t i = 0; i < link->sending_count;) {
        const struct sending *sending = &link->sendings[i];

        if (sending_is_share(sending) && sending->state == SENDING_WAITS &&
            !strcmp(sending->what->as.share->task_id, task_id))
            sending_end(link, i, VERDICT_STALE, "not sent: its task is handed back");
        else
            i++;
    }
}

bool sending_has_room(const struct pool_link *link)
{
    return link->sending_count < SENDING_MAX;
}

void sending_put(struct pool_link *link, struct outgoing *what)
{
    const struct answer *answer = what->kind == OUTGOING_ANSWER ? what->as.answer : NULL;

    assert(what->kind != OUTGOING_FINDING);
    /* How far a task is, is only worth saying now. */
    if (answer && answer->kind == ANSWER_PROGRESS && !link->is_ready) {
        outgoing_free(what);
        return;
    }
    if (answer && answer->kind == ANSWER_DECLINE)
        sending_forget_task(link, answer->task_id);
    sending_add(link, what);
    sending_make_room(link);
}

void sending_carried(struct pool_link *link, const struct errand *errand)
{
    for (uint32_t i = 0; i < link->sending_count; i++) {
        struct sending *sending = &link->sendings[i];

        if (sending->tag != errand->tag)
            continue;
        sending->state = SENDING_WAITS;
        sending->is_there = !errand->status;
        if (errand->status == STATUS_REFUSED) {
            sending_end(link, i, VERDICT_REJECTED, errand->text);
        } else if (errand->status) {
            sending->not_before_ms = clock_ms() + PUT_AGAIN_MS / link->pool->hurry;
            link_tell_text(link, NEWS_NOTICE, errand->text);
        }
        return;
    }
}

/* A result too big for a line is brought to the pool first. */
static void send_carry(struct pool_link *link, uint32_t index)
{
    struct sending *sending = &link->sendings[index];
    struct errand *errand = memory_new(struct errand);

    sending->not_before_ms = clock_ms() + PUT_AGAIN_MS / link->pool->hurry;
    if (!errand)
        return;
    errand->kind = ERRAND_PUT;
    errand->link = link->number;
    errand->tag = sending->tag;
    errand->data = blob_bytes(&sending->what->as.answer->output);
    errand->where = link->artifacts;
    if (courier_send(link->pool->courier, errand))
        errand_free(errand);
    else
        sending->state = SENDING_CARRIED;
}

/* One thing to the dialect.  AGAIN: not now. */
static enum status send_one(struct pool_link *link, uint32_t index)
{
    struct sending *sending = &link->sendings[index];

    if (sending_is_share(sending)) {
        /* What begins to leave is never sent again: so it is not given out until it
         * does. */
        if (link->transport && !transport_is_free(link->transport))
            return STATUS_AGAIN;

        struct share share = *sending->what->as.share; /* lent */

        /* It may have come out of another pool's task: that is none of this one's
         * business. */
        if (!link_find_task(link, share.task_id))
            share.task_id[0] = 0;
        return link->target.row->dialect->submit(link->session, &share, sending->tag,
                                                 &link->turn);
    }
    if (sending_is_result(sending) && !sending->is_there &&
        sending->what->as.answer->output.size > TASK_INLINE_MAX) {
        if (clock_ms() >= sending->not_before_ms)
            send_carry(link, index);
        return STATUS_AGAIN;
    }
    return link->target.row->dialect->answer(link->session, sending->what->as.answer,
                                             sending->tag, &link->turn);
}

/* The dialect does not let it out. */
static void send_refuse(struct pool_link *link, uint32_t index, enum status status)
{
    const struct ending twice = {.verdict = VERDICT_REJECTED,
                                 .refusal = REFUSAL_DUPLICATE,
                                 .text = "not sent: it was sent before"};

    if (status == STATUS_STALE)
        sending_end(link, index, VERDICT_STALE, "not sent: its job is void");
    else if (status == STATUS_LOW)
        sending_end(link, index, VERDICT_STALE, "not sent: below new difficulty");
    else if (status == STATUS_DONE)
        sending_tell(link, index, &twice);
    else
        sending_end(link, index, VERDICT_REJECTED, status_text(status));
}

/* What became of it. */
static void send_settle(struct pool_link *link, uint32_t index, enum status status)
{
    struct sending *sending = &link->sendings[index];
    const bool counts = sending_is_share(sending) || sending_is_result(sending);

    if (status == STATUS_AGAIN)
        return;
    if (!status && counts) {
        sending->state = SENDING_SENT;
        sending->sent_ms = link_now_ms(link);
    } else if (!counts) {
        sending_remove(link, index);
    } else {
        send_refuse(link, index, status);
    }
}

/* What found no room at the pool waits by itself. */
static bool sending_is_due(const struct sending *sending)
{
    return sending->state == SENDING_WAITS &&
           (!sending->tries || clock_ms() >= sending->not_before_ms);
}

enum status sending_send(struct pool_link *link, struct error *err)
{
    bool must_wait = false; /* a share before this one still waits */
    uint32_t i = 0;

    while (i < link->sending_count && link->is_ready) {
        const struct sending *sending = &link->sendings[i];
        const bool is_share = sending_is_share(sending);
        const bool counts = is_share || sending_is_result(sending);
        const uint64_t tag = sending->tag;
        enum status status = STATUS_AGAIN;

        if (link->transport && transport_unsent(link->transport) > UNSENT_ENOUGH)
            break;
        if (sending_is_due(sending) && !(counts && must_wait)) {
            status = send_one(link, i);
            must_wait |= is_share && status == STATUS_AGAIN;
            send_settle(link, i, status);
            status = link_settle(link, err); /* may answer at once, and so take it away */
            if (status)
                return status;
        }
        if (i < link->sending_count && link->sendings[i].tag == tag)
            i++;
    }
    return STATUS_OK;
}

void sending_lost(struct pool_link *link)
{
    for (uint32_t i = 0; i < link->sending_count;) {
        struct sending *sending = &link->sendings[i];
        const bool counts = sending_is_share(sending) || sending_is_result(sending);

        if (sending_is_share(sending) && sending->state == SENDING_SENT) {
            sending_end(link, i, VERDICT_UNKNOWN,
                        "the connection was lost before an answer");
            continue;
        }
        if (!counts && sending->what->as.answer->kind == ANSWER_PROGRESS) {
            sending_remove(link, i);
            continue;
        }
        if (sending->state == SENDING_SENT)
            sending->state = SENDING_WAITS;
        sending->is_there = false; /* another pool may answer next time */
        i++;
    }
}

/* There was no room for it: it may leave once more, after a while. */
static void sending_wait_again(const struct pool_link *link, struct sending *sending)
{
    static const uint64_t waits_ms[] = {1000, 2000, 5000};
    enum { WAITS = sizeof waits_ms / sizeof *waits_ms };

    sending->state = SENDING_WAITS;
    if (sending->tries < WAITS)
        sending->tries++;
    sending->not_before_ms =
        clock_ms() + waits_ms[sending->tries - 1] / link->pool->hurry;
}

void sending_answered(struct pool_link *link, const struct dialect_event *event)
{
    const struct ending ending = {.verdict = event->verdict,
                                  .code = event->code,
                                  .refusal = event->refusal,
                                  .text = event->text};

    for (uint32_t i = 0; i < link->sending_count; i++) {
        struct sending *sending = &link->sendings[i];

        if (sending->tag != event->tag)
            continue;
        if (event->is_hopeless && sending_is_share(sending))
            wrong_keep(link, sending->what->as.share, event);
        if (event->verdict == VERDICT_AGAIN)
            sending_wait_again(link, sending);
        else
            sending_tell(link, i, &ending);
        return;
    }
}

void sending_fetch(struct pool_link *link, struct assignment *work)
{
    struct errand *errand = memory_new(struct errand);

    if (errand) {
        errand->kind = ERRAND_FETCH;
        errand->link = link->number;
        errand->work = work;
        errand->where = link->artifacts;
        if (!courier_send(link->pool->courier, errand))
            return;
        errand->work = NULL;
    }
    sending_decline(link, work, "its input could not be fetched: too much is under way");
    assignment_free(work);
    errand_free(errand);
}

void sending_decline(struct pool_link *link, const struct assignment *work,
                     const char *reason)
{
    struct answer *answer = memory_new(struct answer);
    struct outgoing *what = NULL;

    if (answer) {
        answer->kind = ANSWER_DECLINE;
        snprintf(answer->task_id, sizeof answer->task_id, "%s", work->id);
        snprintf(answer->reason, sizeof answer->reason, "%s", reason);
        what = outgoing_answer(answer);
    }
    if (what && link->sending_count < SENDING_MAX)
        sending_add(link, what);
    else
        outgoing_free(what); /* the pool takes back what nobody accepts */
}

uint64_t sending_oldest_ms(const struct pool_link *link)
{
    uint64_t oldest_ms = 0;

    for (uint32_t i = 0; i < link->sending_count; i++) {
        const struct sending *sending = &link->sendings[i];

        if (sending_is_share(sending) && sending->state == SENDING_SENT &&
            (!oldest_ms || sending->sent_ms < oldest_ms))
            oldest_ms = sending->sent_ms;
    }
    return oldest_ms;
}

uint64_t sending_again_ms(const struct pool_link *link)
{
    uint64_t again_ms = 0;

    for (uint32_t i = 0; i < link->sending_count; i++) {
        const struct sending *sending = &link->sendings[i];

        if (sending->tries && sending->state == SENDING_WAITS &&
            (!again_ms || sending->not_before_ms < again_ms))
            again_ms = sending->not_before_ms;
    }
    return again_ms;
}

bool sending_is_empty(const struct pool_link *link)
{
    return !link->sending_count;
}

void sending_forget_shares(struct pool_link *link, const char *why)
{
    for (uint32_t i = 0; i < link->sending_count;) {
        if (sending_is_share(&link->sendings[i]) &&
            link->sendings[i].state == SENDING_WAITS)
            sending_end(link, i, VERDICT_STALE, why);
        else
            i++;
    }
}

uint32_t sending_drop_all(struct pool_link *link)
{
    uint32_t results = 0;

    while (link->sending_count) {
        const uint32_t last = link->sending_count - 1;

        if (sending_is_result(&link->sendings[last])) {
            results++;
            sending_end(link, last, VERDICT_UNKNOWN,
                        "the pool did not answer before the end");
        } else if (sending_is_share(&link->sendings[last])) {
            sending_end(link, last,
                        link->sendings[last].state == SENDING_SENT ? VERDICT_UNKNOWN
                                                                   : VERDICT_STALE,
                        "the pool did not answer before the end");
        } else {
            sending_remove(link, last);
        }
    }
    return results;
}
