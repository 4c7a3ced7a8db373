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
#include "pool-protocol/wire_log.h"

/* Where big bytes lie: what the pool said, or the host of this connection. */
static void events_artifacts(struct pool_link *link)
{
    struct dialect_artifacts said;
    struct pool_artifacts where = {0};
    const bool is_number6 = strchr(link->target.host, ':') != NULL;

    link->target.row->dialect->artifacts(link->session, &said);
    snprintf(where.session, sizeof where.session, "%s", said.session);
    if (said.base[0] == '/')
        snprintf(where.url, sizeof where.url, "%s://%s%s%s:%u%s",
                 link->target.row->has_tls ? "https" : "http", is_number6 ? "[" : "",
                 link->target.host, is_number6 ? "]" : "", (unsigned)said.http_port,
                 said.base);
    else
        snprintf(where.url, sizeof where.url, "%s", said.base);
    for (size_t size = strlen(where.url); size && where.url[size - 1] == '/'; size--)
        where.url[size - 1] = 0;
    link->artifacts = where;
}

static void events_ready(struct pool_link *link, const struct dialect_event *event)
{
    struct news *news = news_new(NEWS_CONNECTED);

    link->is_ready = link->was_welcome = true;
    events_artifacts(link);
    failover_ready(link);
    if (news) {
        news->latency_ms = clock_ms() - link->begun_ms;
        snprintf(news->text, sizeof news->text, "%s", event->text);
    }
    link_tell(link, news);
}

static void events_refused(struct pool_link *link, const struct dialect_event *event)
{
    struct news *news = news_new(NEWS_REFUSED);

    if (news) {
        news->code = event->code;
        snprintf(news->text, sizeof news->text, "%s", event->text);
    }
    link_tell(link, news);
}

static void events_job(struct pool_link *link, struct dialect_event *event)
{
    struct job *job = event->job;

    event->job = NULL;
    link_set_job(link, job);
}

static void events_close_task(struct pool_link *link, const char *id)
{
    struct link_task *task = link_find_task(link, id);

    if (task)
        task->is_open = false;
}

static void events_decline(struct pool_link *link, const struct assignment *work,
                           const char *reason)
{
    events_close_task(link, work->id);
    sending_decline(link, work, reason);
}

/* With its input: to the workers. */
static void events_hand_out(struct pool_link *link, struct assignment *work)
{
    struct news *news = news_new(NEWS_ASSIGNED);

    if (news) {
        news->work_units = work->work_units;
        snprintf(news->task_id, sizeof news->task_id, "%s", work->id);
        snprintf(news->task_kind, sizeof news->task_kind, "%s", work->kind);
        snprintf(news->model, sizeof news->model, "%s", work->model);
    }
    link_tell(link, news);
    if (queue_put(link->pool->ports.assignments, work, 0)) {
        events_decline(link, work, "no slot of this worker is free");
        assignment_free(work);
    }
}

static void events_assign(struct pool_link *link, struct dialect_event *event)
{
    struct assignment *work = event->work;

    event->work = NULL;
    work->received_ms = clock_ms();
    link_add_task(link, work->id);
    board_assign(&link->pool->board, work->id);
    if (!link->pool->ports.assignments || link->is_leaving) {
        events_decline(link, work,
                       link->is_leaving ? "this worker is leaving for another pool"
                                        : "this worker takes no tasks from this pool");
        assignment_free(work);
    } else if (*work->input_hash && !work->input.size)
        sending_fetch(link, work);
    else
        events_hand_out(link, work);
}

static void events_cancel(struct pool_link *link, const struct dialect_event *event)
{
    struct news *news = news_new(NEWS_CANCELLED);

    events_close_task(link, event->task_id);
    board_cancel(&link->pool->board, event->task_id);
    if (news) {
        snprintf(news->task_id, sizeof news->task_id, "%s", event->task_id);
        snprintf(news->text, sizeof news->text, "%s", event->text);
    }
    link_tell(link, news);
}

/* A repeat of what is being solved changes nothing. */
static void events_puzzle(struct pool_link *link, const struct dialect_event *event)
{
    struct error err = {0};
    char text[80];

    if (link->puzzle && puzzle_is_same(puzzle_task(link->puzzle), &event->puzzle))
        return;
    puzzle_stop(link->puzzle);
    if (puzzle_start(&event->puzzle, link->pool->wake_fd, &link->puzzle, &err)) {
        link_tell_text(link, NEWS_NOTICE, error_text(&err));
        return;
    }
    snprintf(text, sizeof text, "the pool sets a puzzle of %u bits: solving it",
             event->puzzle.bits);
    link_tell_text(link, NEWS_NOTICE, text);
}

enum status link_solve(struct pool_link *link, struct error *err)
{
    uint64_t nonce = 0;
    enum status status = STATUS_OK;

    if (!link->puzzle || !puzzle_take(link->puzzle, &nonce))
        return STATUS_OK;
    status = link->target.row->dialect->solve(link->session, puzzle_task(link->puzzle),
                                              nonce, &link->turn);
    if (status == STATUS_AGAIN)
        return STATUS_OK;
    puzzle_stop(link->puzzle);
    link->puzzle = NULL;
    return link_settle(link, err); /* STALE: the pool wants another one by now */
}

static void events_handle(struct pool_link *link, struct dialect_event *event)
{
    switch (event->kind) {
    case EVENT_READY:
        events_ready(link, event);
        break;
    case EVENT_REFUSED:
        events_refused(link, event);
        break;
    case EVENT_JOB:
        events_job(link, event);
        break;
    case EVENT_NO_JOB:
        link_set_job(link, NULL); /* nothing is mined for a job that is over */
        break;
    case EVENT_PUZZLE:
        events_puzzle(link, event);
        break;
    case EVENT_ASSIGN:
        events_assign(link, event);
        break;
    case EVENT_CANCEL:
        events_cancel(link, event);
        break;
    case EVENT_SHARE:
        if (event->verdict == VERDICT_ACCEPTED)
            link_praise(link);
        sending_answered(link, event);
        break;
    case EVENT_RESULT:
        events_close_task(link, event->task_id);
        sending_answered(link, event);
        break;
    case EVENT_NOTICE:
        link_tell_some(link, event->text);
        break;
    }
}

enum status link_settle(struct pool_link *link, struct error *err)
{
    enum status status = STATUS_OK;

    for (uint32_t i = 0; i < link->turn.event_count; i++)
        events_handle(link, &link->turn.events[i]);
    if (link->transport && link->turn.lines.size) {
        wire_log_write(link->wire, link->number, WIRE_SAID,
                       blob_bytes(&link->turn.lines));
        status = transport_send(link->transport, blob_bytes(&link->turn.lines));
    }
    dialect_turn_clear(&link->turn);
    if (*link->wrong)
        return error_set(err, STATUS_BAD_PROOF, "%s", link->wrong);
    if (status)
        return error_set(err, STATUS_NETWORK,
                         "the pool takes what is sent too slowly: %s",
                         status_text(status));
    return STATUS_OK;
}

void link_fetched(struct pool_link *link, struct errand *errand)
{
    char reason[200];

    assert(errand->kind == ERRAND_FETCH);
    if (board_is_cancelled(&link->pool->board, errand->work->id))
        return;
    if (errand->status) {
        snprintf(reason, sizeof reason, "its input could not be fetched: %.160s",
                 errand->text);
        events_decline(link, errand->work, reason);
        return;
    }
    events_hand_out(link, errand->work);
    errand->work = NULL;
}
