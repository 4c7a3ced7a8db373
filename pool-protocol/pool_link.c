/*
 * pool_link.c - one connection to one pool: open, greet, hear, hang up.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/pool_link.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/clock.h"
#include "miner/base/memory.h"
#include "pool-protocol/pool_thread.h"
#include "pool-protocol/wire_log.h"

enum {
    LINES_MAX = 2 * MESSAGE_LINE_MAX,
    NEWS_WAIT_MS = 1000,
    BAD_SECOND_MS = 1000, /* in which so many messages are told that cannot be used */
    BAD_TOLD_MAX = 4,
    GOOD_MS = 60000 /* with a job: then the pool is good, and waits begin anew */
};

uint64_t link_now_ms(const struct pool_link *link)
{
    return clock_ms() * link->pool->strict;
}

void link_tell(const struct pool_link *link, struct news *news)
{
    /* A verdict is worth a wait; the rest is not worth one, and comes again. */
    const bool counts = news && (news->kind == NEWS_SHARE || news->kind == NEWS_RESULT);

    if (!news)
        return;
    news->pool = link->number;
    if (queue_put(link->pool->ports.news, news, counts ? NEWS_WAIT_MS : 0))
        news_free(news);
}

void link_tell_text(const struct pool_link *link, enum news_kind kind, const char *text)
{
    struct news *news = news_new(kind);

    if (news)
        snprintf(news->text, sizeof news->text, "%s", text);
    link_tell(link, news);
}

enum status link_open(struct pool_link *link, const struct pool_options *options,
                      struct error *err)
{
    const enum status status = pool_target_read(options, &link->target, err);

    if (status)
        return status;
    link->number = options->number;
    link->wire = options->wire;
    link->turn.lines = blob_empty(LINES_MAX);
    if (options->proxy && *options->proxy)
        link->proxy = memory_text(options->proxy);
    if (options->ca_file && *options->ca_file)
        link->ca_file = memory_text(options->ca_file);
    if (options->keep && *options->keep)
        link->keep = memory_text(options->keep);
    return link->target.row->dialect->open(&link->target.login, &link->session, err);
}

void link_close(struct pool_link *link)
{
    assert(!link->sending_count);
    link_hang_up(link);
    if (link->session)
        link->target.row->dialect->close(link->session);
    link->session = NULL;
    dialect_turn_free(&link->turn);
    memory_free(link->proxy);
    memory_free(link->ca_file);
    memory_free(link->keep);
    link->proxy = link->ca_file = link->keep = NULL;
}

enum status link_connect(struct pool_link *link, struct error *err)
{
    const struct pool_target *target = &link->target;
    const struct transport_options options = {
        .host = target->host,
        .port = target->port,
        .path = *target->path ? target->path : NULL,
        .has_tls = target->row->has_tls && !link->is_plain,
        .proxy = link->proxy,
        .ca_file = link->ca_file,
        .pin = *target->pin ? target->pin : NULL,
        .connect_ms = TRANSPORT_CONNECT_MS / link->pool->strict,
        .line_ms = TRANSPORT_LINE_MS / link->pool->strict,
        .wake_fd = -1,
    };

    assert(!link->is_connected);
    link->is_connected = true;
    link->is_greeted = link->is_ready = false;
    link->is_settled = link->is_good = link->is_leaving = link->has_declined = false;
    link->greeted_ms = link->ready_ms = link->job_ms = 0;
    link->refusal = LINK_REFUSED_NOT;
    link->wrong[0] = 0;
    link->begun_ms = clock_ms();
    if (!target->row->dialect->has_socket)
        return STATUS_OK;
    return transport_open(&options, &link->transport, err);
}

void link_hang_up(struct pool_link *link)
{
    if (link->is_greeted && !link->is_ready)
        link->is_plain = false; /* if that was a guess, it was none too good */
    transport_close(link->transport);
    link->transport = NULL;
    puzzle_stop(link->puzzle);
    link->puzzle = NULL;
    link->is_connected = link->is_greeted = link->is_ready = link->is_leaving = false;
    dialect_turn_clear(&link->turn);
    job_release(link->job);
    link->job = NULL;
}

void link_set_job(struct pool_link *link, struct job *job)
{
    job_release(link->job);
    link->job = job;
    if (job) {
        job->received_ms = clock_ms();
        job->pool = link->number;
        link->job_ms = link->job_ms ? link->job_ms : link_now_ms(link);
    }
    failover_job(link);
}

void link_praise(struct pool_link *link)
{
    link->is_good = true;
    backoff_reset(&link->backoff);
}

void link_add_task(struct pool_link *link, const char *id)
{
    struct link_task *task = link_find_task(link, id);

    if (!task) {
        task = &link->tasks[link->task_next];
        link->task_next = (link->task_next + 1) % LINK_TASKS_MAX;
        snprintf(task->id, sizeof task->id, "%s", id);
    }
    task->is_open = true;
}

struct link_task *link_find_task(struct pool_link *link, const char *id)
{
    for (uint32_t i = 0; i < LINK_TASKS_MAX && *id; i++) {
        if (!strcmp(link->tasks[i].id, id))
            return &link->tasks[i];
    }
    return NULL;
}

/* A second has gone by: what was not told is told in one line. */
static void link_tell_rest(struct pool_link *link)
{
    char text[80];

    if (clock_ms() - link->bad_since_ms < BAD_SECOND_MS / link->pool->hurry)
        return;
    link->bad_since_ms = clock_ms();
    link->bad_told = 0;
    if (!link->bad_untold)
        return;
    snprintf(text, sizeof text, "%" PRIu32 " more messages that cannot be used or shown",
             link->bad_untold);
    link->bad_untold = 0;
    link_tell_text(link, NEWS_NOTICE, text);
}

void link_tell_some(struct pool_link *link, const char *text)
{
    link_tell_rest(link);
    if (link->bad_told++ < BAD_TOLD_MAX)
        link_tell_text(link, NEWS_NOTICE, text);
    else
        link->bad_untold++;
}

/* A message that cannot be used is dropped, and nothing changes; a pool is left that
 * wants what only a newer program can do. */
static enum status link_hear_line(struct pool_link *link, struct bytes line,
                                  struct error *err)
{
    struct error heard = {0};

    wire_log_write(link->wire, link->number, WIRE_HEARD, line);
    const enum status status =
        link->target.row->dialect->receive(link->session, line, &link->turn, &heard);
    const enum status settled = link_settle(link, err);

    if (!status || status == STATUS_NO_MEMORY)
        return settled;
    if (status != STATUS_BAD_MESSAGE && status != STATUS_NOT_SUPPORTED)
        return error_set(err, status, "%s", error_text(&heard));
    if (status == STATUS_BAD_MESSAGE) {
        link_tell_some(link, error_text(&heard));
        return settled;
    }
    link_tell_text(link, NEWS_TOO_NEW, error_text(&heard));
    return error_set(err, status, "%s", error_text(&heard));
}

static enum status link_hear(struct pool_link *link, struct error *err)
{
    enum status status = STATUS_OK;
    struct bytes line;

    while (!status && link->transport && transport_take(link->transport, &line))
        status = link_hear_line(link, line, err);
    return status;
}

static enum status link_greet(struct pool_link *link, struct error *err)
{
    const enum status status =
        link->target.row->dialect->greet(link->session, &link->turn);

    link->is_greeted = true;
    link->greeted_ms = link_now_ms(link);
    if (status)
        return error_set(err, status, "the hello could not be written: %s",
                         status_text(status));
    return link_settle(link, err);
}

static enum status link_overdue(const char *what, struct error *err)
{
    return error_set(err, STATUS_TIMEOUT, "the pool %s within %d s", what,
                     LINK_ANSWER_MS / 1000);
}

/* Whether something is overdue. */
static enum status link_judge(struct pool_link *link, struct error *err)
{
    const uint64_t now = link_now_ms(link), oldest_ms = sending_oldest_ms(link);

    link_tell_rest(link);
    if (link->puzzle) /* the login waits for us */
        link->greeted_ms = now;
    if (link->is_ready && !link->ready_ms)
        link->ready_ms = now;
    link->had_job |= link->is_ready && link->job_ms;
    if (link->job_ms && now - link->job_ms >= GOOD_MS)
        link_praise(link);
    if (!link->is_ready && now - link->greeted_ms >= LINK_ANSWER_MS)
        return link_overdue("did not answer the login", err);
    if (link->is_ready && !link->job_ms && now - link->ready_ms >= LINK_ANSWER_MS)
        return link_overdue("sent no job after the login", err);
    if (oldest_ms && now - oldest_ms >= LINK_ANSWER_MS)
        return link_overdue("did not answer a share", err);
    return STATUS_OK;
}

/* Time passes for the dialect, too. */
static enum status link_tick(struct pool_link *link, struct error *err)
{
    enum status status = link->target.row->dialect->tick(link->session, link_now_ms(link),
                                                         &link->turn, err);

    if (!status)
        status = link_settle(link, err);
    if (!status)
        status = link_solve(link, err);
    return status ? status : link_judge(link, err);
}

/* Finds out whether the pool speaks TLS, where nobody said so.  AGAIN: not as it was
 * tried.  Once it has spoken it, it must. */
static enum status link_guess(struct pool_link *link, enum status status,
                              struct error *err)
{
    const bool is_open = transport_is_open(link->transport);

    if (link->has_tls || link->is_greeted || (!status && !is_open))
        return status;
    if (!status) {
        link->has_tls = !link->is_plain;
        link_tell_text(link, NEWS_NOTICE,
                       link->is_plain
                           ? "the pool is spoken to without TLS: stratum+ssl:// "
                             "in its URL would forbid that"
                           : "the pool speaks TLS");
        return STATUS_OK;
    }
    if (link->is_plain) {
        link->is_plain = false; /* the next attempt is with TLS again */
        return status;
    }
    if (!transport_lacks_tls(link->transport))
        return status;
    link->is_plain = true;
    return error_set(err, STATUS_AGAIN, "the pool does not speak TLS");
}

enum status link_step(struct pool_link *link, struct error *err)
{
    enum status status = STATUS_OK;
    struct error said = {0};

    if (link->transport) {
        status = transport_step(link->transport, err);
        if (link->target.may_be_plain)
            status = link_guess(link, status, err);
    }
    if (!status && (!link->transport || transport_is_open(link->transport)) &&
        !link->is_greeted)
        status = link_greet(link, err);
    /* What came before the end of a connection still counts, and says more about it. */
    const enum status heard = link_hear(link, &said);
    if (heard)
        return error_set(err, heard, "%s", error_text(&said));
    if (status || !link->is_greeted)
        return status;
    status = link_tick(link, err);
    return status ? status : sending_send(link, err);
}
