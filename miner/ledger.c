/*
 * ledger.c - counts under one lock, and the sums that people read.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/ledger.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/memory.h"
#include "miner/base/thread.h"
#include "miner/rate.h"

const uint32_t ledger_windows[LEDGER_WINDOWS] = {10, 60, RATE_SECONDS_MAX};

struct account { /* one device, or all of them */
    struct ledger_shares shares;
    double hashes_assigned;
    double rate_max;
    bool is_lost;
    uint64_t restarts;
    char state[LEDGER_STATE_SIZE];
    struct rate rate;
};

struct ledger {
    struct lock *lock; /* guards all below */
    size_t devices;
    struct account *accounts; /* [devices], then the one for all */
    uint64_t tasks[LEDGER_TASKS];
    bool has_job;
    uint64_t job_ms; /* when the first came */
    double work;     /* a share, now */
    double accepted; /* hashes that accepted shares stand for */
    size_t reason_count;
    struct ledger_reason reasons[LEDGER_REASONS_MAX];
};

enum status ledger_new(size_t devices, uint64_t now_ms, struct ledger **out)
{
    struct ledger *ledger = memory_new(struct ledger);

    assert(devices <= LEDGER_DEVICES_MAX);
    if (!ledger)
        return STATUS_NO_MEMORY;
    ledger->devices = devices;
    ledger->accounts = memory_array(devices + 1, sizeof(struct account));
    if (!ledger->accounts || lock_new(&ledger->lock)) {
        ledger_free(ledger);
        return STATUS_NO_MEMORY;
    }
    for (size_t i = 0; i <= devices; i++)
        rate_begin(&ledger->accounts[i].rate, now_ms);
    *out = ledger;
    return STATUS_OK;
}

void ledger_free(struct ledger *ledger)
{
    if (!ledger)
        return;
    lock_free(ledger->lock);
    memory_free(ledger->accounts);
    memory_free(ledger);
}

static struct account *account_of(struct ledger *ledger, size_t device)
{
    assert(device < ledger->devices);
    return &ledger->accounts[device];
}

static struct account *account_all(struct ledger *ledger)
{
    return &ledger->accounts[ledger->devices];
}

void ledger_job(struct ledger *ledger, double work, uint64_t now_ms)
{
    lock_take(ledger->lock);
    if (!ledger->has_job)
        ledger->job_ms = now_ms;
    ledger->has_job = true;
    ledger->work = work;
    lock_give(ledger->lock);
}

void ledger_hashes(struct ledger *ledger, size_t device, double hashes, bool assigned,
                   uint64_t now_ms)
{
    struct account *both[2] = {account_of(ledger, device), account_all(ledger)};

    lock_take(ledger->lock);
    for (int i = 0; i < 2; i++) {
        rate_add(&both[i]->rate, now_ms, hashes);
        both[i]->hashes_assigned += assigned ? hashes : 0;
    }
    lock_give(ledger->lock);
}

static void reason_count(struct ledger *ledger, const char *text)
{
    size_t i = 0;

    while (i < ledger->reason_count &&
           strncmp(ledger->reasons[i].text, text, LEDGER_REASON_SIZE - 1))
        i++;
    if (i == LEDGER_REASONS_MAX) {
        i--;
        snprintf(ledger->reasons[i].text, LEDGER_REASON_SIZE, "other reasons");
    } else if (i == ledger->reason_count) {
        snprintf(ledger->reasons[i].text, LEDGER_REASON_SIZE, "%s", text);
        ledger->reason_count++;
    }
    ledger->reasons[i].count++;
}

void ledger_share(struct ledger *ledger, size_t device, enum ledger_verdict verdict,
                  double work, const char *reason)
{
    assert(verdict < LEDGER_VERDICTS);
    lock_take(ledger->lock);
    account_of(ledger, device)->shares.verdicts[verdict]++;
    account_all(ledger)->shares.verdicts[verdict]++;
    if (verdict == LEDGER_ACCEPTED)
        ledger->accepted += work;
    else
        reason_count(ledger, reason && *reason ? reason : "no reason given");
    lock_give(ledger->lock);
}

void ledger_invalid(struct ledger *ledger, size_t device)
{
    lock_take(ledger->lock);
    account_of(ledger, device)->shares.invalid++;
    account_all(ledger)->shares.invalid++;
    lock_give(ledger->lock);
}

void ledger_kept(struct ledger *ledger, size_t device)
{
    lock_take(ledger->lock);
    account_of(ledger, device)->shares.kept++;
    account_all(ledger)->shares.kept++;
    lock_give(ledger->lock);
}

uint64_t ledger_invalid_count(struct ledger *ledger, size_t device)
{
    lock_take(ledger->lock);
    const uint64_t count = account_of(ledger, device)->shares.invalid;
    lock_give(ledger->lock);
    return count;
}

void ledger_lost(struct ledger *ledger, size_t device, const char *state)
{
    struct account *account = account_of(ledger, device);
    bool all = true;

    lock_take(ledger->lock);
    account->is_lost = true;
    snprintf(account->state, sizeof(account->state), "%s", state);
    for (size_t i = 0; i < ledger->devices; i++)
        all = all && ledger->accounts[i].is_lost;
    account_all(ledger)->is_lost = all;
    lock_give(ledger->lock);
}

void ledger_back(struct ledger *ledger, size_t device)
{
    struct account *account = account_of(ledger, device);

    lock_take(ledger->lock);
    account->is_lost = false;
    account->restarts++;
    account->state[0] = 0;
    account_all(ledger)->is_lost = false;
    account_all(ledger)->restarts++;
    lock_give(ledger->lock);
}

void ledger_task(struct ledger *ledger, enum ledger_task what)
{
    assert(what < LEDGER_TASKS);
    lock_take(ledger->lock);
    ledger->tasks[what]++;
    lock_give(ledger->lock);
}

static struct ledger_device account_read(struct account *account, uint64_t now_ms)
{
    struct ledger_device out = {.shares = account->shares,
                                .hashes = account->rate.total,
                                .hashes_assigned = account->hashes_assigned,
                                .is_lost = account->is_lost,
                                .restarts = account->restarts};

    memcpy(out.state, account->state, sizeof(out.state));
    for (int i = 0; i < LEDGER_WINDOWS; i++)
        out.is_known[i] =
            rate_over(&account->rate, now_ms, ledger_windows[i], &out.rates[i]);
    if (out.is_known[1] && out.rates[1] > account->rate_max)
        account->rate_max = out.rates[1];
    out.rate_max = account->rate_max;
    return out;
}

void ledger_read(struct ledger *ledger, uint64_t now_ms, struct ledger_totals *out)
{
    *out = (struct ledger_totals){0};
    lock_take(ledger->lock);
    out->all = account_read(account_all(ledger), now_ms);
    memcpy(out->tasks, ledger->tasks, sizeof(out->tasks));
    memcpy(out->reasons, ledger->reasons, sizeof(out->reasons));
    out->reason_count = ledger->reason_count;
    out->work = ledger->work;
    if (ledger->has_job && now_ms > ledger->job_ms) {
        out->seconds = (double)(now_ms - ledger->job_ms) / 1000;
        out->effective = ledger->accepted / out->seconds;
    }
    lock_give(ledger->lock);

    const uint64_t accepted = out->all.shares.verdicts[LEDGER_ACCEPTED];
    if (accepted)
        out->effective_error = 100 / sqrt((double)accepted);
    if (out->all.hashes > 0)
        out->usefulness = out->all.hashes_assigned / out->all.hashes;
}

void ledger_read_device(struct ledger *ledger, size_t device, uint64_t now_ms,
                        struct ledger_device *out)
{
    lock_take(ledger->lock);
    *out = account_read(account_of(ledger, device), now_ms);
    lock_give(ledger->lock);
}

void ledger_format_rate(bool is_known, double rate, char text[32])
{
    static const char *const units[] = {"H/s",  "kH/s", "MH/s", "GH/s",
                                        "TH/s", "PH/s", "EH/s"};
    size_t unit = 0;

    if (!is_known) {
        snprintf(text, 32, "n/a");
        return;
    }
    while (rate >= 999.95 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        rate /= 1000;
        unit++;
    }
    snprintf(text, 32, "%.1f %s", rate, units[unit]);
}
