/*
 * pool_ledger.c - one account a pool, under one lock.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/pool_ledger.h"

#include <assert.h>
#include <stdio.h>

#include "miner/base/memory.h"
#include "miner/base/thread.h"

const char *const pool_state_names[POOL_STATES] = {[POOL_AWAY] = "away",
                                                   [POOL_CONNECTED] = "connected",
                                                   [POOL_IN_USE] = "in use",
                                                   [POOL_REFUSED] = "refuses"};

struct pool_ledger {
    struct lock *lock; /* guards the accounts */
    uint32_t count;
    struct pool_account *accounts;
};

enum status pool_ledger_new(uint32_t count, struct pool_ledger **out)
{
    struct pool_ledger *ledger = memory_new(struct pool_ledger);

    *out = NULL;
    if (!ledger)
        return STATUS_NO_MEMORY;
    ledger->count = count;
    ledger->accounts = memory_array(count ? count : 1, sizeof(struct pool_account));
    if (!ledger->accounts || lock_new(&ledger->lock)) {
        pool_ledger_free(ledger);
        return STATUS_NO_MEMORY;
    }
    *out = ledger;
    return STATUS_OK;
}

void pool_ledger_free(struct pool_ledger *ledger)
{
    if (!ledger)
        return;
    lock_free(ledger->lock);
    memory_free(ledger->accounts);
    memory_free(ledger);
}

void pool_ledger_name(struct pool_ledger *ledger, uint32_t pool,
                      const struct pool_account *names)
{
    assert(pool < ledger->count);
    ledger->accounts[pool] = (struct pool_account){
        .name = names->name, .url = names->url, .user = names->user, .role = names->role};
}

uint32_t pool_ledger_count(const struct pool_ledger *ledger)
{
    return ledger->count;
}

static void account_state(struct pool_account *account, enum pool_state state,
                          const struct news *news)
{
    account->state = state;
    account->since_ms = news->at_ms;
    if (*news->text)
        snprintf(account->reason, sizeof account->reason, "%s", news->text);
}

static void account_share(struct pool_account *account, const struct news *news)
{
    account->unknown += news->verdict == VERDICT_UNKNOWN;
    account->lost += news->verdict == VERDICT_LOST;
    if (news->verdict == VERDICT_UNKNOWN || news->verdict == VERDICT_LOST)
        return;
    account->reply_ms = news->latency_ms;
    if (news->latency_ms > account->reply_ms_max)
        account->reply_ms_max = news->latency_ms;
    if (news->verdict == VERDICT_STALE) {
        account->stale++;
    } else if (news->verdict != VERDICT_ACCEPTED) {
        account->rejected++;
    } else {
        account->accepted++;
        account->accepted_ms = news->at_ms;
        account->accepted_work += news->work;
        account->accepted_work_assigned += *news->task_id ? news->work : 0;
    }
}

static void account_result(struct pool_account *account, const struct news *news)
{
    account->tasks_done +=
        news->verdict == VERDICT_ACCEPTED || news->verdict == VERDICT_PENDING;
    account->tasks_rejected += news->verdict == VERDICT_REJECTED;
}

static void account_add(struct pool_account *account, const struct news *news)
{
    switch (news->kind) {
    case NEWS_CONNECTED:
        account->connections++;
        account->connect_ms = news->latency_ms;
        account_state(account, POOL_CONNECTED, news);
        break;
    case NEWS_CURRENT:
        account_state(account, POOL_IN_USE, news);
        break;
    case NEWS_LOST:
        account->losses++;
        account_state(account, account->state == POOL_REFUSED ? POOL_REFUSED : POOL_AWAY,
                      news);
        break;
    case NEWS_LEFT:
        account_state(account, POOL_AWAY, news);
        break;
    case NEWS_REFUSED:
    case NEWS_TOO_NEW:
        account_state(account, POOL_REFUSED, news);
        break;
    case NEWS_JOB:
        account->jobs++;
        account->job_ms = news->at_ms;
        account->work = news->work;
        break;
    case NEWS_ASSIGNED:
        account->tasks_assigned++;
        break;
    case NEWS_CANCELLED:
        account->tasks_cancelled++;
        break;
    case NEWS_SHARE:
        account_share(account, news);
        break;
    case NEWS_RESULT:
        account_result(account, news);
        break;
    case NEWS_HOPELESS:
    case NEWS_NOTICE:
        break;
    }
}

void pool_ledger_add(struct pool_ledger *ledger, const struct news *news)
{
    assert(news->pool < ledger->count);
    lock_take(ledger->lock);
    account_add(&ledger->accounts[news->pool], news);
    lock_give(ledger->lock);
}

void pool_ledger_read(struct pool_ledger *ledger, uint32_t pool, struct pool_account *out)
{
    assert(pool < ledger->count);
    lock_take(ledger->lock);
    *out = ledger->accounts[pool];
    lock_give(ledger->lock);
}

bool pool_account_useful(const struct pool_account *account, double *out)
{
    if (account->accepted_work <= 0)
        return false;
    *out = account->accepted_work_assigned / account->accepted_work;
    return true;
}
