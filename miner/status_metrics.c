/*
 * status_metrics.c - metrics in Prometheus' text format.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/status_metrics.h"

#include <inttypes.h>
#include <stdio.h>

struct page {
    struct blob *out;
    enum status status; /* the first that was not OK: nothing is added after it */
};

/* HELP and TYPE of a metric, before its samples. */
static void family(struct page *page, const char *name, const char *type,
                   const char *help)
{
    if (!page->status)
        page->status =
            blob_addf(page->out, "# HELP minerva_%s %s\n# TYPE minerva_%s %s\n", name,
                      help, name, type);
}

/* labels: as they stand between braces, or "". */
static void sample(struct page *page, const char *name, const char *labels, double value)
{
    if (!page->status)
        page->status =
            *labels ? blob_addf(page->out, "minerva_%s{%s} %.17g\n", name, labels, value)
                    : blob_addf(page->out, "minerva_%s %.17g\n", name, value);
}

/* As a label's value wants it; what does not fit is cut. */
static void escape(const char *text, char *out, size_t size)
{
    size_t used = 0;

    for (; *text && used + 3 < size; text++) {
        if (*text == '"' || *text == '\\' || *text == '\n')
            out[used++] = '\\';
        out[used++] = *text == '\n' ? 'n' : *text;
    }
    out[used] = 0;
}

enum { LABELS_MAX = 2 * STANDING_TEXT_MAX + 64 };

static void device_labels(const struct standing_device *device, const char *more,
                          char labels[LABELS_MAX])
{
    snprintf(labels, LABELS_MAX, "device=\"%s%" PRIu32 "\",pci=\"%s\"%s", device->backend,
             device->number, device->bus, more);
}

static void hashrates(struct page *page, const struct standing *standing)
{
    static const char *const windows[LEDGER_WINDOWS] = {
        ",window=\"10s\"", ",window=\"60s\"", ",window=\"15m\""};
    char labels[LABELS_MAX];

    family(page, "hashrate_hs", "gauge", "Multiply-accumulates a second.");
    for (size_t i = 0; i < standing->device_count; i++) {
        const struct standing_device *device = &standing->devices[i];
        for (int w = 0; w < LEDGER_WINDOWS; w++) {
            device_labels(device, windows[w], labels);
            if (device->books.is_known[w])
                sample(page, "hashrate_hs", labels, device->books.rates[w]);
        }
    }
    family(page, "effective_hashrate_hs", "gauge", "What accepted shares stand for.");
    if (standing->totals.all.shares.verdicts[LEDGER_ACCEPTED])
        sample(page, "effective_hashrate_hs", "", standing->totals.effective);
    family(page, "hashes_total", "counter", "Multiply-accumulates under a job.");
    sample(page, "hashes_total", "", standing->totals.all.hashes);
    family(page, "useful_hashes_total", "counter", "Those of them that tasks asked for.");
    sample(page, "useful_hashes_total", "", standing->totals.all.hashes_assigned);
}

static void device_shares(struct page *page, const struct standing *standing)
{
    static const char *const results[LEDGER_VERDICTS] = {
        [LEDGER_ACCEPTED] = ",result=\"accepted\"",
        [LEDGER_STALE] = ",result=\"stale\"",
        [LEDGER_REJECTED] = ",result=\"rejected\""};
    char labels[LABELS_MAX];

    family(page, "shares_total", "counter", "Shares by verdict; invalid: never sent.");
    for (size_t i = 0; i < standing->device_count; i++) {
        const struct standing_device *device = &standing->devices[i];
        for (int v = 0; v < LEDGER_VERDICTS; v++) {
            device_labels(device, results[v], labels);
            sample(page, "shares_total", labels,
                   (double)device->books.shares.verdicts[v]);
        }
        device_labels(device, ",result=\"invalid\"", labels);
        sample(page, "shares_total", labels, (double)device->books.shares.invalid);
    }
}

static double is_working(const struct standing_device *device)
{
    return device->books.is_lost ? 0 : 1;
}

static double restarts(const struct standing_device *device)
{
    return (double)device->books.restarts;
}

static void of_devices(struct page *page, const struct standing *standing,
                       const char *name, double (*value)(const struct standing_device *))
{
    char labels[LABELS_MAX];

    for (size_t i = 0; i < standing->device_count; i++) {
        device_labels(&standing->devices[i], "", labels);
        sample(page, name, labels, value(&standing->devices[i]));
    }
}

static void of_sensor(struct page *page, const struct standing *standing,
                      const char *name, enum sensor sensor, const char *more)
{
    char labels[LABELS_MAX];

    for (size_t i = 0; i < standing->device_count; i++) {
        const struct sensors_reading *reading = &standing->devices[i].sensors;
        device_labels(&standing->devices[i], more, labels);
        if (reading->is_known[sensor])
            sample(page, name, labels, reading->values[sensor]);
    }
}

static void devices(struct page *page, const struct standing *standing)
{
    family(page, "device_up", "gauge", "1 while the device works.");
    of_devices(page, standing, "device_up", is_working);
    family(page, "device_restarts_total", "counter", "It was lost and works again.");
    of_devices(page, standing, "device_restarts_total", restarts);
    family(page, "device_power_watts", "gauge", "Power drawn.");
    of_sensor(page, standing, "device_power_watts", SENSOR_POWER_W, "");
    family(page, "device_temperature_celsius", "gauge", "Temperatures by sensor.");
    of_sensor(page, standing, "device_temperature_celsius", SENSOR_TEMPERATURE_C,
              ",sensor=\"core\"");
    of_sensor(page, standing, "device_temperature_celsius", SENSOR_MEMORY_TEMPERATURE_C,
              ",sensor=\"memory\"");
    family(page, "device_fan_ratio", "gauge", "Fan speed, 0 to 1.");
    of_sensor(page, standing, "device_fan_ratio", SENSOR_FAN_RATIO, "");
}

/* Of one pool; NULL: that sample is left out. */
struct pool_metric {
    const char *name, *type, *help;
    bool (*value)(const struct standing *standing, const struct pool_account *pool,
                  double *out);
};

static bool pool_connected(const struct standing *standing,
                           const struct pool_account *pool, double *out)
{
    (void)standing;
    *out = pool->state == POOL_CONNECTED || pool->state == POOL_IN_USE;
    return true;
}

static bool pool_current(const struct standing *standing, const struct pool_account *pool,
                         double *out)
{
    (void)standing;
    *out = pool->state == POOL_IN_USE;
    return true;
}

static bool pool_latency(const struct standing *standing, const struct pool_account *pool,
                         double *out)
{
    (void)standing;
    *out = (double)pool->connect_ms / 1000;
    return pool->connections > 0;
}

static bool pool_job_age(const struct standing *standing, const struct pool_account *pool,
                         double *out)
{
    *out = (double)(standing->now_ms - pool->job_ms) / 1000;
    return pool->job_ms && pool->job_ms <= standing->now_ms;
}

static bool pool_losses(const struct standing *standing, const struct pool_account *pool,
                        double *out)
{
    (void)standing;
    *out = (double)pool->losses;
    return true;
}

static const struct pool_metric pool_metrics[] = {
    {"pool_connected", "gauge", "1 while logged in.", pool_connected},
    {"pool_current", "gauge", "1 for the pool that is worked for.", pool_current},
    {"pool_latency_seconds", "gauge", "Of the last login.", pool_latency},
    {"pool_last_job_seconds", "gauge", "Since the last job.", pool_job_age},
    {"pool_disconnects_total", "counter", "Connections lost.", pool_losses},
};

static void pool_labels(const struct standing *standing, size_t pool, const char *more,
                        char labels[LABELS_MAX])
{
    char url[2 * STANDING_TEXT_MAX];

    escape(standing->pools[pool].url, url, sizeof url);
    snprintf(labels, LABELS_MAX, "pool=\"%zu\",url=\"%.380s\"%s", pool, url, more);
}

static void pool_shares(struct page *page, const struct standing *standing, size_t i)
{
    const struct pool_account *pool = &standing->pools[i];
    const struct {
        const char *label;
        uint64_t count;
    } rows[] = {{",result=\"accepted\"", pool->accepted},
                {",result=\"stale\"", pool->stale},
                {",result=\"rejected\"", pool->rejected},
                {",result=\"unknown\"", pool->unknown},
                {",result=\"lost\"", pool->lost}};
    char labels[LABELS_MAX];

    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        pool_labels(standing, i, rows[r].label, labels);
        sample(page, "pool_shares_total", labels, (double)rows[r].count);
    }
}

static void pools(struct page *page, const struct standing *standing)
{
    char labels[LABELS_MAX];
    double value;

    for (size_t m = 0; m < sizeof pool_metrics / sizeof *pool_metrics; m++) {
        const struct pool_metric *metric = &pool_metrics[m];
        family(page, metric->name, metric->type, metric->help);
        for (size_t i = 0; i < standing->pool_count; i++) {
            pool_labels(standing, i, "", labels);
            if (metric->value(standing, &standing->pools[i], &value))
                sample(page, metric->name, labels, value);
        }
    }
    family(page, "pool_shares_total", "counter", "Shares of each pool by verdict.");
    for (size_t i = 0; i < standing->pool_count; i++)
        pool_shares(page, standing, i);
}

static void tasks(struct page *page, const struct standing *standing)
{
    static const char *const results[LEDGER_TASKS] = {
        [LEDGER_TASK_DONE] = "result=\"done\"",
        [LEDGER_TASK_REJECTED] = "result=\"rejected\"",
        [LEDGER_TASK_DECLINED] = "result=\"declined\"",
        [LEDGER_TASK_CANCELLED] = "result=\"cancelled\""};

    family(page, "tasks_total", "counter", "Tasks by how they ended.");
    for (int i = 0; i < LEDGER_TASKS; i++)
        sample(page, "tasks_total", results[i], (double)standing->totals.tasks[i]);
    family(page, "tasks_running", "gauge", "Tasks on devices now.");
    sample(page, "tasks_running", "", standing->tasks_running);
    family(page, "usefulness_ratio", "gauge", "The part of all hashes out of tasks.");
    if (standing->totals.all.hashes > 0)
        sample(page, "usefulness_ratio", "", standing->totals.usefulness);
}

enum status status_metrics(const struct standing *standing, struct blob *out)
{
    struct page page = {.out = out};

    family(&page, "build_info", "gauge", "Which program this is.");
    sample(&page, "build_info", "version=\"" MINERVA_VERSION "\"", 1);
    family(&page, "uptime_seconds", "gauge", "Since the program began to work.");
    sample(&page, "uptime_seconds", "", (double)standing->uptime_s);
    family(&page, "paused", "gauge", "1 while no new work is begun.");
    sample(&page, "paused", "", standing->is_paused);
    hashrates(&page, standing);
    device_shares(&page, standing);
    devices(&page, standing);
    pools(&page, standing);
    tasks(&page, standing);
    return page.status;
}
