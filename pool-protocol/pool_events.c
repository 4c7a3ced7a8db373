/*
 * pool_events.c - hands on what the pool said: jobs, assignments, verdicts, news.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/clock.h"
#include "pool-protocol/pool_thread.h"

enum { NEWS_WAIT_MS = 1000 };

void pool_tell(struct pool *pool, struct news *news)
{
    /* A verdict is worth a wait; the rest is not worth one, and comes again. */
    const bool counts = news && (news->kind == NEWS_SHARE || news->kind == NEWS_RESULT);

    if (news && queue_put(pool->ports.news, news, counts ? NEWS_WAIT_MS : 0))
        news_free(news);
}

void pool_tell_text(struct pool *pool, enum news_kind kind, const char *text)
{
    struct news *news = news_new(kind);

    if (news)
        snprintf(news->text, sizeof news->text, "%s", text);
    pool_tell(pool, news);
}

/* Where big bytes lie: what the pool said, or the host of this connection. */
static void events_artifacts(struct pool *pool)
{
    struct dialect_artifacts said;
    struct pool_artifacts where = {0};
    const bool is_number6 = strchr(pool->host, ':') != NULL;

    pool->dialect->artifacts(pool->session, &said);
    snprintf(where.session, sizeof where.session, "%s", said.session);
    if (said.base[0] == '/')
        snprintf(where.url, sizeof where.url, "%s://%s%s%s:%u%s",
                 pool->has_tls ? "https" : "http", is_number6 ? "[" : "", pool->host,
                 is_number6 ? "]" : "", (unsigned)said.http_port, said.base);
    else
        snprintf(where.url, sizeof where.url, "%s", said.base);
    for (size_t size = strlen(where.url); size && where.url[size - 1] == '/'; size--)
        where.url[size - 1] = 0;
    board_set_artifacts(&pool->board, &where);
}

static void events_ready(struct pool *pool, const struct dialect_event *event)
{
    struct news *news = news_new(NEWS_CONNECTED);

    pool->is_ready = true;
    backoff_reset(&pool->backoff);
    events_artifacts(pool);
    if (news) {
        news->latency_ms = clock_ms() - pool->begun_ms;
        snprintf(news->text, sizeof news->text, "%s", event->text);
    }
    pool_tell(pool, news);
}

static void events_refused(struct pool *pool, const struct dialect_event *event)
{
    struct news *news = news_new(NEWS_REFUSED);

    if (news) {
        news->code = event->code;
        snprintf(news->text, sizeof news->text, "%s", event->text);
    }
    pool_tell(pool, news);
}

static void events_job(struct pool *pool, struct dialect_event *event)
{
    struct news *news = news_new(NEWS_JOB);
    struct job *job = event->job;

    event->job = NULL;
    job->received_ms = clock_ms();
    if (news) {
        news->job = job_keep(job);
        news->work = target_work(&job->target);
    }
    mailbox_put(pool->ports.jobs, job);
    pool_tell(pool, news);
}

/* With its input: to the workers. */
static void events_hand_out(struct pool *pool, struct assignment *work)
{
    struct news *news = news_new(NEWS_ASSIGNED);

    if (news) {
        news->work_units = work->work_units;
        snprintf(news->task_id, sizeof news->task_id, "%s", work->id);
        snprintf(news->task_kind, sizeof news->task_kind, "%s", work->kind);
        snprintf(news->model, sizeof news->model, "%s", work->model);
    }
    pool_tell(pool, news);
    if (queue_put(pool->ports.assignments, work, 0)) {
        pool_decline(pool, work, "no slot of this worker is free");
        assignment_free(work);
    }
}

static void events_assign(struct pool *pool, struct dialect_event *event)
{
    struct assignment *work = event->work;

    event->work = NULL;
    work->received_ms = clock_ms();
    board_assign(&pool->board, work->id);
    if (*work->input_hash && !work->input.size)
        pool_fetch(pool, work);
    else
        events_hand_out(pool, work);
}

static void events_cancel(struct pool *pool, const struct dialect_event *event)
{
    struct news *news = news_new(NEWS_CANCELLED);

    board_cancel(&pool->board, event->task_id);
    if (news) {
        snprintf(news->task_id, sizeof news->task_id, "%s", event->task_id);
        snprintf(news->text, sizeof news->text, "%s", event->text);
    }
    pool_tell(pool, news);
}

/* Nothing is mined for a job that is over. */
static void events_no_job(struct pool *pool)
{
    mailbox_put(pool->ports.jobs, NULL);
}

/* A repeat of what is being solved changes nothing. */
static void events_puzzle(struct pool *pool, const struct dialect_event *event)
{
    struct error err = {0};
    char text[80];

    if (pool->puzzle && puzzle_is_same(puzzle_task(pool->puzzle), &event->puzzle))
        return;
    puzzle_stop(pool->puzzle);
    if (puzzle_start(&event->puzzle, pool->wake_fd, &pool->puzzle, &err)) {
        pool_tell_text(pool, NEWS_NOTICE, error_text(&err));
        return;
    }
    snprintf(text, sizeof text, "the pool sets a puzzle of %u bits: solving it",
             event->puzzle.bits);
    pool_tell_text(pool, NEWS_NOTICE, text);
}

enum status pool_solve(struct pool *pool, struct error *err)
{
    uint64_t nonce = 0;
    enum status status = STATUS_OK;

    if (!pool->puzzle || !puzzle_take(pool->puzzle, &nonce))
        return STATUS_OK;
    status = pool->dialect->solve(pool->session, puzzle_task(pool->puzzle), nonce,
                                  &pool->turn);
    if (status == STATUS_AGAIN)
        return STATUS_OK;
    puzzle_stop(pool->puzzle);
    pool->puzzle = NULL;
    return pool_settle(pool, err); /* STALE: the pool wants another one by now */
}

static void events_handle(struct pool *pool, struct dialect_event *event)
{
    switch (event->kind) {
    case EVENT_READY:
        events_ready(pool, event);
        break;
    case EVENT_REFUSED:
        events_refused(pool, event);
        break;
    case EVENT_JOB:
        events_job(pool, event);
        break;
    case EVENT_NO_JOB:
        events_no_job(pool);
        break;
    case EVENT_PUZZLE:
        events_puzzle(pool, event);
        break;
    case EVENT_ASSIGN:
        events_assign(pool, event);
        break;
    case EVENT_CANCEL:
        events_cancel(pool, event);
        break;
    case EVENT_SHARE:
    case EVENT_RESULT:
        pool_answered(pool, event);
        break;
    case EVENT_NOTICE:
        pool_tell_text(pool, NEWS_NOTICE, event->text);
        break;
    }
}

enum status pool_settle(struct pool *pool, struct error *err)
{
    enum status status = STATUS_OK;

    for (uint32_t i = 0; i < pool->turn.event_count; i++)
        events_handle(pool, &pool->turn.events[i]);
    if (pool->transport && pool->turn.lines.size)
        status = transport_send(pool->transport, blob_bytes(&pool->turn.lines));
    dialect_turn_clear(&pool->turn);
    if (status)
        return error_set(err, STATUS_NETWORK,
                         "the pool takes what is sent too slowly: %s",
                         status_text(status));
    return STATUS_OK;
}

void pool_fetched(struct pool *pool, struct errand *errand)
{
    char reason[200];

    assert(errand->kind == ERRAND_FETCH);
    if (board_is_cancelled(&pool->board, errand->work->id))
        return;
    if (errand->status) {
        snprintf(reason, sizeof reason, "its input could not be fetched: %.160s",
                 errand->text);
        pool_decline(pool, errand->work, reason);
        return;
    }
    events_hand_out(pool, errand->work);
    errand->work = NULL;
}
