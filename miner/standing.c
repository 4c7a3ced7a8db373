/*
 * standing.c - how things stand now.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/standing.h"

#include <assert.h>
#include <stdio.h>

#include "miner/base/memory.h"

struct standing *standing_new(void)
{
    struct standing *standing = memory_new(struct standing);

    if (standing)
        atomic_init(&standing->holders, 1);
    return standing;
}

void *standing_keep(void *standing)
{
    struct standing *kept = standing;

    if (kept)
        atomic_fetch_add(&kept->holders, 1);
    return kept;
}

void standing_release(void *standing)
{
    struct standing *released = standing;

    if (released && atomic_fetch_sub(&released->holders, 1) == 1)
        memory_free(released);
}

static void fill_device(struct standing_device *out, const struct device_entry *entry)
{
    out->number = entry->number;
    snprintf(out->backend, sizeof out->backend, "%s", entry->backend->name);
    snprintf(out->bus, sizeof out->bus, "%s", entry->info.bus);
    snprintf(out->name, sizeof out->name, "%s", entry->info.name);
}

void standing_fill(struct standing *out, const struct report *report, uint64_t now_ms)
{
    out->now_ms = now_ms;
    out->unknown = report->unknown;
    out->lost = report->lost;
    ledger_read(report->ledger, now_ms, &out->totals);
    out->pool_count = pool_ledger_count(report->pools);
    assert(out->pool_count <= POOL_LINKS_MAX);
    for (size_t i = 0; i < out->pool_count; i++)
        pool_ledger_read(report->pools, (uint32_t)i, &out->pools[i]);
    out->device_count = report->devices->count;
    for (size_t i = 0; i < out->device_count; i++) {
        struct standing_device *device = &out->devices[i];
        fill_device(device, &report->devices->entries[i]);
        ledger_read_device(report->ledger, i, now_ms, &device->books);
        if (report->sensors)
            sensors_read(report->sensors, i, now_ms, &device->sensors);
    }
}

const struct pool_account *standing_current(const struct standing *standing)
{
    for (size_t i = 0; i < standing->pool_count; i++)
        if (standing->pools[i].state == POOL_IN_USE)
            return &standing->pools[i];
    return NULL;
}

double standing_rate(const struct ledger_device *books)
{
    for (int i = 1; i >= 0; i--)
        if (books->is_known[i])
            return books->rates[i];
    return 0;
}
