/*
 * dry_run.c - one pool thread a pool, until each has said yes or no.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/dry_run.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/clock.h"
#include "miner/base/memory.h"
#include "miner/pool_sides.h"
#include "miner/work/job.h"
#include "miner/work/outgoing.h"

enum {
    NEWS_MAX = 64,
    /* Longer than a pool may take to connect, to answer and to send its first job. */
    LIMIT_MS = 90000
};

struct trial { /* of one pool */
    struct mailbox *jobs;
    struct queue *outbox;
    struct pool *pool;
    bool is_done;
    enum status status;
    uint64_t latency_ms, height;
    double work;
    char how[ERROR_TEXT_MAX]; /* it took the login, or why it did not */
};

struct trials {
    const struct config *config;
    struct queue *news;
    size_t count;
    struct trial *trials; /* [count] */
};

static enum status trial_begin(struct trials *all, size_t index, struct wire_log *wire,
                               struct error *err)
{
    struct trial *trial = &all->trials[index];
    struct pool_options *options = memory_new(struct pool_options);
    enum status status = options ? STATUS_OK : STATUS_NO_MEMORY;

    if (!status)
        status = mailbox_new(job_hold, job_drop, &trial->jobs);
    if (!status)
        status = queue_new(1, outgoing_free, &trial->outbox);
    if (status) {
        memory_free(options);
        return error_set(err, status, "out of memory");
    }
    const struct pool_ports ports = {
        .jobs = trial->jobs, .outbox = trial->outbox, .news = all->news};
    pool_sides_options(all->config, index, options);
    options->wire = wire;
    status = pool_start(options, &ports, &trial->pool, err);
    memory_free(options);
    return status;
}

static void trial_end(struct trial *trial)
{
    if (trial->outbox)
        queue_close(trial->outbox);
    pool_free(trial->pool);
    queue_free(trial->outbox);
    mailbox_free(trial->jobs);
}

static size_t text_size(const char *text)
{
    const char *end = strstr(text, "; again in ");

    return end ? (size_t)(end - text) : strlen(text);
}

static void trial_settle(struct trial *trial, enum status status, const char *text)
{
    if (trial->is_done)
        return;
    trial->is_done = true;
    trial->status = status;
    if (*text) /* when it would be tried again is of no interest here */
        snprintf(trial->how, sizeof trial->how, "%.*s", (int)text_size(text), text);
}

static void trial_hear(struct trial *trial, const struct news *news)
{
    switch (news->kind) {
    case NEWS_CONNECTED:
        trial->latency_ms = news->latency_ms;
        snprintf(trial->how, sizeof trial->how, "%s", news->text);
        break;
    case NEWS_JOB:
        trial->height = news->job->height;
        trial->work = news->work;
        break;
    case NEWS_CURRENT: /* logged in, and there is a job */
        trial_settle(trial, STATUS_OK, "");
        break;
    case NEWS_REFUSED:
        trial_settle(trial, STATUS_REFUSED, news->text);
        break;
    case NEWS_TOO_NEW:
        trial_settle(trial, STATUS_NOT_SUPPORTED, news->text);
        break;
    case NEWS_LOST:
        trial_settle(trial, STATUS_NETWORK, news->text);
        break;
    default:
        break;
    }
}

static bool trials_are_done(const struct trials *all)
{
    bool are_done = true;

    for (size_t i = 0; i < all->count; i++)
        are_done = are_done && all->trials[i].is_done;
    return are_done;
}

static void trials_wait(struct trials *all)
{
    const uint64_t until = clock_ms() + LIMIT_MS;
    void *taken = NULL;

    while (!trials_are_done(all) && clock_ms() < until) {
        if (queue_take(all->news, until - clock_ms(), &taken))
            continue;
        const struct news *news = taken;
        assert(news->pool < all->count);
        trial_hear(&all->trials[news->pool], news);
        news_free(taken);
    }
    for (size_t i = 0; i < all->count; i++)
        trial_settle(&all->trials[i], STATUS_TIMEOUT, "nothing came of it in time");
}

/* --- the table --- */

static void print_devices(const struct device_list *devices)
{
    for (size_t i = 0; i < devices->count; i++) {
        const struct device_entry *entry = &devices->entries[i];

        printf("device  #%" PRIu32 " %s %s  %s  %.1f GiB\n", entry->number,
               entry->backend->name, entry->info.bus, entry->info.name,
               (double)entry->info.memory_bytes / (1 << 30));
    }
}

static void print_pool(const struct trials *all, size_t index)
{
    const struct trial *trial = &all->trials[index];
    const struct config *config = all->config;

    printf("pool    %s as %s, worker %s, for %s: ", config_pool_name(config, index),
           config_pool_text(config, index, SETTING_user),
           config_pool_text(config, index, SETTING_worker),
           config_pool_text(config, index, SETTING_role));
    if (trial->status)
        printf("NO WORK: %s\n", trial->how);
    else
        printf("ok, %s in %" PRIu64 " ms; job of height %" PRIu64
               ", a share costs %.4g MAC\n",
               trial->how, trial->latency_ms, trial->height, trial->work);
}

static enum status trials_judge(const struct trials *all, struct error *err)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct trial *trial = &all->trials[i];

        if (trial->status)
            return error_set(err, trial->status, "pool %s gives no work: %.400s",
                             config_pool_name(all->config, i), trial->how);
    }
    return STATUS_OK;
}

enum status dry_run(const struct config *config, const struct device_list *devices,
                    struct wire_log *wire, struct error *err)
{
    struct trials all = {.config = config, .count = config_pool_count(config)};
    enum status status = STATUS_OK;

    all.trials = memory_array(all.count, sizeof *all.trials);
    if (!all.trials || queue_new(NEWS_MAX, news_free, &all.news))
        status = error_set(err, STATUS_NO_MEMORY, "out of memory");
    for (size_t i = 0; !status && i < all.count; i++)
        status = trial_begin(&all, i, wire, err);
    if (!status) {
        trials_wait(&all);
        print_devices(devices);
        for (size_t i = 0; i < all.count; i++)
            print_pool(&all, i);
        status = trials_judge(&all, err);
    }
    for (size_t i = 0; all.trials && i < all.count; i++)
        trial_end(&all.trials[i]);
    queue_free(all.news);
    memory_free(all.trials);
    return status;
}
