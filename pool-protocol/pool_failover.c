/*
 * pool_failover.c - which pool of the list is connected when, and which is worked for.
 *
 * The first that can be had is worked for; while it is not the first of all, the better
 * ones are tried beside it from time to time, one after the other.  One of them takes
 * over when its first job is there.  The one that is left may still hear verdicts and
 * finish its tasks for a while; then it is told what is not done, and hung up.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/clock.h"
#include "pool-protocol/pool_thread.h"

enum {
    BACK_MS = 600000, /* until better pools are tried again */
    LEAVE_MS = 30000, /* for verdicts and tasks of the pool that is left */
    LEAVE_LEAST_MS =
        5000,         /* for what was found before the change and is not yet proved */
    LOGIN_MS = 100,   /* between two looks at a login that is not answered */
    DECLINE_MS = 1000 /* to say what is not done */
};

/* --- what the workers see of it --- */

/* Without tasks from this list of pools, a job that takes nothing else is worth nothing.
 */
static bool is_worth(const struct pool *pool, const struct job *job)
{
    return pool->ports.assignments || (job && job->unassigned);
}

static void show_job(struct pool *pool, struct pool_link *link)
{
    struct news *news = NULL;

    if (!pool->ports.jobs)
        return;
    mailbox_put(pool->ports.jobs, is_worth(pool, link->job) ? job_keep(link->job) : NULL);
    news = link->job ? news_new(NEWS_JOB) : NULL;
    if (news) {
        news->job = job_keep(link->job);
        news->work = target_work(&link->job->target);
    }
    link_tell(link, news);
}

void failover_job(struct pool_link *link)
{
    if (link->pool->current == link)
        show_job(link->pool, link);
}

void failover_ready(struct pool_link *link)
{
    if (link->pool->current == link)
        board_set_artifacts(&link->pool->board, &link->artifacts);
}

/* --- changing over --- */

static uint64_t hurried(const struct pool *pool, uint64_t wait_ms)
{
    return wait_ms / pool->hurry;
}

/* Better ones are tried after a while, from the first on. */
static void failover_rest(struct pool *pool)
{
    pool->back_ms = clock_ms() + hurried(pool, BACK_MS);
    pool->back_next = 0;
}

static void failover_leave(struct pool_link *link)
{
    link->is_leaving = true;
    link->has_declined = false;
    link->left_ms = clock_ms();
}

static void failover_take_over(struct pool *pool, struct pool_link *link)
{
    assert(pool->current != link);
    if (pool->current)
        failover_leave(pool->current);
    if (pool->candidate == link)
        pool->candidate = NULL;
    pool->current = link;
    link->is_leaving = link->is_settled = false;
    failover_ready(link);
    if (link->job)
        failover_job(link);
}

/* The first job of another pool than before: from now on it is worked for. */
static void failover_settle(struct pool *pool)
{
    struct pool_link *link = pool->current;

    if (link->is_settled || !link->is_ready || !link->job)
        return;
    link->is_settled = true;
    if (pool->settled != link)
        failover_rest(pool);
    pool->settled = link;
    link_tell_text(link, NEWS_CURRENT, "");
}

/* --- connections that end --- */

/* Shares of a plain pool's old jobs are worth nothing; a task pool keeps its session. */
static void failover_lost(struct pool *pool, struct pool_link *link)
{
    const bool is_kept = *link->artifacts.session != 0;

    link_hang_up(link);
    sending_lost(link);
    if (pool->candidate == link)
        pool->candidate = NULL;
    if (pool->current != link)
        return;
    pool->current = NULL;
    if (!is_kept && pool->ports.jobs)
        mailbox_put(pool->ports.jobs, NULL);
}

/* Whether all have refused and none was ever good. */
static bool failover_is_hopeless(const struct pool *pool)
{
    for (uint32_t i = 0; i < pool->link_count; i++) {
        const struct pool_link *link = &pool->links[i];

        if (link->refusal == LINK_REFUSED_NOT || link->had_job ||
            (link->refusal == LINK_REFUSED_LOGIN && link->was_welcome))
            return false;
    }
    return true;
}

static void failover_despair(struct pool *pool)
{
    const struct pool_link *first = &pool->links[0];
    struct news *news = NULL;

    if (pool->is_hopeless || !failover_is_hopeless(pool))
        return;
    pool->is_hopeless = true;
    news = news_new(NEWS_HOPELESS);
    if (news)
        news->code = first->refusal == LINK_REFUSED_VERSION ? STATUS_NOT_SUPPORTED
                                                            : STATUS_REFUSED;
    link_tell(first, news);
}

/* A good pool that ends a connection is probably there again in a second: its jobs and
 * tasks are worth that wait.  One that falls silent is not waited for. */
static bool is_worth_waiting(const struct pool_link *link, enum status status)
{
    return link->pool->current == link && link->is_good &&
           (status == STATUS_CLOSED || status == STATUS_NETWORK);
}

static void failover_failed(struct pool_link *link, enum status status,
                            const struct error *why)
{
    struct pool *pool = link->pool;
    const bool has_refused = status == STATUS_REFUSED || status == STATUS_NOT_SUPPORTED;
    /* AGAIN: in another way, at once. */
    uint64_t wait_ms =
        status == STATUS_AGAIN ? 0 : backoff_failed(&link->backoff, has_refused);
    char text[ERROR_TEXT_MAX];

    if (status == STATUS_BAD_PROOF)
        wait_ms = WRONG_ASIDE_MS;
    wait_ms = hurried(pool, wait_ms);
    if (is_worth_waiting(link, status))
        pool->awaited = link;
    failover_lost(pool, link);
    link->due_ms = clock_ms() + wait_ms;
    if (has_refused)
        link->refusal =
            status == STATUS_REFUSED ? LINK_REFUSED_LOGIN : LINK_REFUSED_VERSION;
    if (status == STATUS_AGAIN) {
        link_tell_text(link, NEWS_NOTICE, error_text(why));
        return;
    }
    snprintf(text, sizeof text, "%.400s; again in %" PRIu64 " s", error_text(why),
             (wait_ms + 999) / 1000);
    link_tell_text(link, NEWS_LOST, text);
    failover_despair(pool);
}

static void failover_connect(struct pool_link *link)
{
    struct error err = {0};
    const enum status status = link_connect(link, &err);

    if (status)
        failover_failed(link, status, &err);
}

void failover_step(struct pool *pool)
{
    pool->round_ms = clock_ms();
    for (uint32_t i = 0; i < pool->link_count; i++) {
        struct pool_link *link = &pool->links[i];
        struct error err = {0};

        if (!link->is_connected)
            continue;
        const enum status status = link_step(link, &err);
        if (status)
            failover_failed(link, status, &err);
    }
}

void failover_end(struct pool *pool)
{
    for (uint32_t i = 0; i < pool->link_count; i++)
        failover_lost(pool, &pool->links[i]);
}

/* --- what is due --- */

static bool failover_may_use(const struct pool *pool, const struct pool_link *link)
{
    if (link->is_connected)
        return true;
    /* By the time before what was lost was lost: another one comes first. */
    return pool->round_ms >= link->due_ms && (!pool->awaited || pool->awaited == link);
}

/* The first that is connected still, or may be. */
static void failover_choose(struct pool *pool)
{
    struct pool_link *link = NULL;

    if (pool->candidate) {
        failover_take_over(pool, pool->candidate);
        return;
    }
    for (uint32_t i = 0; i < pool->link_count && !link; i++) {
        if (failover_may_use(pool, &pool->links[i]))
            link = &pool->links[i];
    }
    if (!link)
        return;
    pool->awaited = NULL;
    if (link->is_connected) {
        failover_take_over(pool, link);
        return;
    }
    pool->current = link;
    failover_rest(pool);
    failover_connect(link);
}

static bool failover_looks_back(const struct pool *pool)
{
    return pool->current && pool->current != pool->links && !pool->candidate;
}

/* One better pool after the other, until one has a job or all have failed. */
static void failover_look_back(struct pool *pool)
{
    const uint32_t rank = (uint32_t)(pool->current - pool->links);

    while (failover_looks_back(pool) && clock_ms() >= pool->back_ms) {
        struct pool_link *link = &pool->links[pool->back_next];

        if (pool->back_next++ >= rank) {
            failover_rest(pool);
        } else if (!link->is_connected && clock_ms() >= link->due_ms) {
            pool->candidate = link;
            failover_connect(link); /* may end it at once */
        }
    }
}

/* Somebody wants another pool: the next one that may be tried. */
static void failover_ask_next(struct pool *pool)
{
    const uint32_t rank = (uint32_t)(pool->current - pool->links);

    if (!atomic_exchange(&pool->wants_next, false))
        return;
    for (uint32_t i = 1; i < pool->link_count && !pool->candidate; i++) {
        struct pool_link *link = &pool->links[(rank + i) % pool->link_count];

        if (link->is_connected || clock_ms() < link->due_ms)
            continue;
        pool->candidate = link;
        failover_connect(link); /* may end it at once */
    }
}

static bool link_has_open_task(const struct pool_link *link)
{
    for (uint32_t i = 0; i < LINK_TASKS_MAX; i++) {
        if (*link->tasks[i].id && link->tasks[i].is_open)
            return true;
    }
    return false;
}

/* What is not done is handed back, so that another worker gets it at once. */
static void link_decline_tasks(struct pool_link *link)
{
    for (uint32_t i = 0; i < LINK_TASKS_MAX; i++) {
        struct link_task *task = &link->tasks[i];
        struct assignment work = {0};

        if (!*task->id || !task->is_open)
            continue;
        task->is_open = false;
        memcpy(work.id, task->id, sizeof work.id);
        board_cancel(&link->pool->board, task->id);
        sending_decline(link, &work, "this worker has left for another pool");
    }
    link->has_declined = true;
}

/* When the wait for verdicts and tasks ends. */
static uint64_t link_leave_ms(const struct pool_link *link)
{
    return link->left_ms + LEAVE_MS / link->pool->strict +
           (link->has_declined ? DECLINE_MS : 0);
}

static bool link_is_quiet(const struct pool_link *link)
{
    const bool is_sent = !link->transport || !transport_unsent(link->transport);

    return is_sent && sending_is_empty(link) && !link_has_open_task(link);
}

static void failover_leaving(struct pool *pool, struct pool_link *link)
{
    const uint64_t now = clock_ms();
    const bool may_go =
        link->has_declined || now >= link->left_ms + hurried(pool, LEAVE_LEAST_MS);

    if (now >= link_leave_ms(link) && !link->has_declined && link_has_open_task(link))
        link_decline_tasks(link);
    if (now < link_leave_ms(link) && !(may_go && link_is_quiet(link)))
        return;
    failover_lost(pool, link);
    link->due_ms = now;
    link_tell_text(link, NEWS_LEFT, "another pool is in use");
}

void failover_turn(struct pool *pool)
{
    if (!pool->current)
        failover_choose(pool);
    if (pool->current) {
        failover_ask_next(pool);
        failover_look_back(pool);
    }
    if (pool->candidate && pool->candidate->is_ready && pool->candidate->job)
        failover_take_over(pool, pool->candidate);
    if (pool->current)
        failover_settle(pool);
    for (uint32_t i = 0; i < pool->link_count; i++) {
        struct pool_link *link = &pool->links[i];

        if (link->is_leaving)
            failover_leaving(pool, link);
        /* Shares of a pool that is away and not the one that is worked for. */
        if (!link->is_connected && pool->settled && pool->settled != link)
            sending_forget_shares(link, "not sent: its pool is left");
    }
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* When something is due on a connection, or `until`. */
static uint64_t link_until(const struct pool_link *link, uint64_t now, uint64_t until)
{
    const uint64_t again_ms = link->is_ready ? sending_again_ms(link) : 0;

    if (!link->transport && !link->is_greeted)
        return now;
    if (!link->is_ready)
        until = sooner(until, now + LOGIN_MS);
    if (again_ms > now)
        until = sooner(until, again_ms);
    return link->is_leaving ? sooner(until, link_leave_ms(link)) : until;
}

uint64_t failover_wait_ms(const struct pool *pool, uint64_t wait_ms)
{
    const uint64_t now = clock_ms();
    uint64_t until = now + wait_ms;

    for (uint32_t i = 0; i < pool->link_count; i++) {
        const struct pool_link *link = &pool->links[i];

        if (link->is_connected)
            until = link_until(link, now, until);
        else if (!pool->current && (!pool->awaited || pool->awaited == link))
            until = sooner(until, link->due_ms);
    }
    if (failover_looks_back(pool))
        until = sooner(until, pool->back_ms);
    return until > now ? until - now : 0;
}
