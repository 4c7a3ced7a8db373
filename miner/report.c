/*
 * report.c - what people read while the program works.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/report.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/log.h"

/* --- the pool's news --- */

static const char *device_name(const struct report *report, uint32_t device,
                               char text[48])
{
    const struct device_entry *entry = &report->devices->entries[device];

    assert(device < report->devices->count);
    snprintf(text, 48, "%.32s%u", entry->backend->name, entry->number);
    return text;
}

static const char *reason_of(const struct news *news)
{
    return *news->text ? news->text : "no reason given";
}

static void report_share(struct report *report, const struct news *news)
{
    static const struct {
        enum ledger_verdict verdict;
        enum log_level level;
        const char *word;
    } rows[] = {[VERDICT_ACCEPTED] = {LEDGER_ACCEPTED, LOG_INFO, "accepted"},
                [VERDICT_STALE] = {LEDGER_STALE, LOG_WARN, "stale   "},
                [VERDICT_REJECTED] = {LEDGER_REJECTED, LOG_ERROR, "rejected"}};
    struct ledger_totals totals;
    char name[48], why[ERROR_TEXT_MAX + 32] = "";

    if (news->verdict == VERDICT_UNKNOWN || news->verdict == VERDICT_LOST) {
        const bool is_lost = news->verdict == VERDICT_LOST;
        report->unknown += !is_lost;
        report->lost += is_lost;
        log_warn("share",
                 is_lost ? "lost      too many wait for a pool that is away"
                         : "unknown   the connection ended before the pool answered");
        return;
    }
    assert(news->verdict < sizeof rows / sizeof *rows && rows[news->verdict].word);
    ledger_share(report->ledger, news->device, rows[news->verdict].verdict, news->work,
                 reason_of(news));
    ledger_read(report->ledger, news->at_ms, &totals);
    if (news->verdict != VERDICT_ACCEPTED && news->code)
        snprintf(why, sizeof(why), "  code %d: %s", news->code, reason_of(news));
    else if (news->verdict != VERDICT_ACCEPTED)
        snprintf(why, sizeof(why), "  %s", reason_of(news));
    const uint64_t *of = totals.all.shares.verdicts;
    log_line(rows[news->verdict].level, "share",
             "%s (%" PRIu64 "/%" PRIu64 "/%" PRIu64 ") %s  %s  reply %" PRIu64 " ms%s",
             rows[news->verdict].word, of[LEDGER_ACCEPTED], of[LEDGER_STALE],
             of[LEDGER_REJECTED], device_name(report, news->device, name),
             *news->task_id ? "of a task" : "idle", news->latency_ms, why);
}

static void report_result(struct report *report, const struct news *news)
{
    if (news->verdict == VERDICT_UNKNOWN || news->verdict == VERDICT_STALE) {
        log_warn("task", "%.8s  nobody answered its result: %s", news->task_id,
                 reason_of(news));
        return;
    }
    if (news->verdict == VERDICT_REJECTED) {
        ledger_task(report->ledger, LEDGER_TASK_REJECTED);
        log_error("task", "%.8s  result rejected: %s", news->task_id, reason_of(news));
        return;
    }
    report->results++;
    ledger_task(report->ledger, LEDGER_TASK_DONE);
    log_info("task", "%.8s  done, result %s, reply %" PRIu64 " ms", news->task_id,
             news->verdict == VERDICT_PENDING ? "taken, another worker is asked too"
                                              : "accepted",
             news->latency_ms);
}

static void report_job(struct report *report, const struct news *news)
{
    const double work = target_work(&news->job->target);

    ledger_job(report->ledger, work, news->at_ms);
    log_line(report->jobs++ ? LOG_DEBUG : LOG_INFO, "net",
             "new job %.32s  height %" PRIu64 "  a share costs %.4g MAC  rank %" PRIu32
             " and up%s",
             *news->job->id ? news->job->id : "-", news->job->height, work,
             news->job->min_rank, news->job->unassigned ? "" : "  tasks only");
}

static void report_assigned(const struct news *news)
{
    log_info("task", "%.8s  %s%s%.8s  %.4g MAC", news->task_id, news->task_kind,
             *news->model ? " with " : "", news->model, (double)news->work_units);
}

/* What a connection comes to, and what comes of it. */
static void report_way(struct report *report, const struct news *news)
{
    struct pool_account pool;
    const char *name = NULL;

    pool_ledger_read(report->pools, news->pool, &pool);
    name = pool.name;
    if (news->kind == NEWS_CONNECTED)
        log_info("net", "pool %s  logged in to %s  reply %" PRIu64 " ms", name,
                 news->text, news->latency_ms);
    else if (news->kind == NEWS_CURRENT)
        log_info("net", "use pool %s as %s", name, pool.user);
    else if (news->kind == NEWS_LEFT)
        log_info("net", "pool %s  left: %s", name, news->text);
    else if (news->kind == NEWS_LOST)
        log_warn("net", "pool %s  %s", name, news->text);
    else if (news->kind == NEWS_REFUSED)
        log_error("net", "pool %s  refuses the login (code %d): %s", name, news->code,
                  reason_of(news));
    else
        log_error("net", "pool %s  %s", name, news->text);
}

static void report_hopeless(struct report *report, const struct news *news)
{
    if (++report->hopeless_sides >= report->sides)
        report->hopeless = (enum status)news->code;
}

void report_news(struct report *report, struct news *news)
{
    pool_ledger_add(report->pools, news);
    switch (news->kind) {
    case NEWS_CONNECTED:
    case NEWS_CURRENT:
    case NEWS_LEFT:
    case NEWS_LOST:
    case NEWS_REFUSED:
    case NEWS_TOO_NEW:
        report_way(report, news);
        break;
    case NEWS_JOB:
        report_job(report, news);
        break;
    case NEWS_ASSIGNED:
        report_assigned(news);
        break;
    case NEWS_CANCELLED:
        log_debug("task", "%.8s  cancelled", news->task_id);
        break;
    case NEWS_SHARE:
        report_share(report, news);
        break;
    case NEWS_RESULT:
        report_result(report, news);
        break;
    case NEWS_HOPELESS:
        report_hopeless(report, news);
        break;
    case NEWS_NOTICE:
        log_warn("net", "%s", news->text);
        break;
    }
    news_free(news);
}

/* --- the totals --- */

/* One unit for a whole line, from its largest number. */
static double unit_of(double largest, const char **unit)
{
    static const char *const names[] = {"H/s", "kH/s", "MH/s", "GH/s", "TH/s", "PH/s"};
    double size = 1;
    size_t i = 0;

    while (largest >= 999.95 * size && i + 1 < sizeof(names) / sizeof(names[0])) {
        size *= 1000;
        i++;
    }
    *unit = names[i];
    return size;
}

/* Rates and their maximum: "252.1 250.4 n/a TH/s  max 253.0". */
static void rates_text(const struct ledger_device *device, char *text, size_t cap)
{
    char numbers[LEDGER_WINDOWS][24], max[24] = "n/a";
    double largest = device->rate_max;
    const char *unit;

    for (int i = 0; i < LEDGER_WINDOWS; i++)
        largest = device->is_known[i] && device->rates[i] > largest ? device->rates[i]
                                                                    : largest;
    const double size = unit_of(largest, &unit);
    for (int i = 0; i < LEDGER_WINDOWS; i++)
        snprintf(numbers[i], sizeof(numbers[i]), device->is_known[i] ? "%.1f" : "n/a",
                 device->rates[i] / size);
    if (device->rate_max > 0)
        snprintf(max, sizeof(max), "%.1f", device->rate_max / size);
    snprintf(text, cap, "%s %s %s %s  max %s", numbers[0], numbers[1], numbers[2], unit,
             max);
}

static void effective_text(const struct ledger_totals *totals, char *text, size_t cap)
{
    const uint64_t shares = totals->all.shares.verdicts[LEDGER_ACCEPTED];
    char rate[32];

    ledger_format_rate(shares > 0, totals->effective, rate);
    if (shares)
        snprintf(text, cap, "%s (%" PRIu64 " shares, +-%.0f %%)", rate, shares,
                 totals->effective_error);
    else
        snprintf(text, cap, "%s (no share yet)", rate);
}

/* "  338 W  0.741 GH/J  62 C", as far as it is known. */
static void sensors_text(const struct sensors_reading *reading,
                         const struct ledger_device *device, char *text, size_t cap)
{
    const double watts = reading->values[SENSOR_POWER_W];
    char power[64] = "", heat[32] = "", rate[32];

    if (reading->is_known[SENSOR_POWER_W]) {
        ledger_format_rate(watts > 0 && device->is_known[1],
                           device->rates[1] / (watts > 0 ? watts : 1), rate);
        snprintf(power, sizeof(power), "  %.0f W  %s/W", watts, rate);
    }
    if (reading->is_known[SENSOR_TEMPERATURE_C])
        snprintf(heat, sizeof(heat), "  %.0f C", reading->values[SENSOR_TEMPERATURE_C]);
    snprintf(text, cap, "%s%s", power, heat);
}

static void report_device(const struct report *report, size_t i, uint64_t now_ms)
{
    const struct device_entry *entry = &report->devices->entries[i];
    struct sensors_reading reading = {.is_known = {false}};
    struct ledger_device device;
    char rates[128], sensors[128];

    ledger_read_device(report->ledger, i, now_ms, &device);
    rates_text(&device, rates, sizeof(rates));
    if (report->sensors)
        sensors_read(report->sensors, i, now_ms, &reading);
    sensors_text(&reading, &device, sensors, sizeof(sensors));
    log_info(
        "health", "#%" PRIu32 " %s %s  %s%s  A %" PRIu64 " S %" PRIu64 " R %" PRIu64 "%s",
        entry->number, entry->info.bus, entry->info.name, rates, sensors,
        device.shares.verdicts[LEDGER_ACCEPTED], device.shares.verdicts[LEDGER_STALE],
        device.shares.verdicts[LEDGER_REJECTED], device.is_lost ? "  LOST" : "");
}

/* The part of all hashes that came out of tasks; n/a before the first one. */
static void useful_text(const struct ledger_totals *totals, char *text, size_t cap)
{
    if (totals->all.hashes > 0)
        snprintf(text, cap, "%.1f %%", 100 * totals->usefulness);
    else
        snprintf(text, cap, "n/a");
}

/* What each pool said; of its own shares, which part came out of tasks. */
static void report_pools(const struct report *report)
{
    for (uint32_t i = 0; i < pool_ledger_count(report->pools); i++) {
        struct pool_account pool;
        char useful[32] = "n/a";
        double part = 0;

        pool_ledger_read(report->pools, i, &pool);
        if (pool_account_useful(&pool, &part))
            snprintf(useful, sizeof(useful), "%.1f %%", 100 * part);
        log_info("net",
                 "pool %s  %s  A %" PRIu64 " S %" PRIu64 " R %" PRIu64
                 "  unknown %" PRIu64 " lost %" PRIu64 "  tasks %" PRIu64
                 "  useful %s  reply %" PRIu64 " ms",
                 pool.name, pool_state_names[pool.state], pool.accepted, pool.stale,
                 pool.rejected, pool.unknown, pool.lost, pool.tasks_done, useful,
                 pool.reply_ms);
    }
}

void report_speed(struct report *report, uint64_t now_ms)
{
    struct ledger_totals totals;
    char rates[128], effective[96], useful[32];

    ledger_read(report->ledger, now_ms, &totals);
    rates_text(&totals.all, rates, sizeof(rates));
    effective_text(&totals, effective, sizeof(effective));
    useful_text(&totals, useful, sizeof(useful));
    log_info("miner", "speed 10s/60s/15m %s  effective %s  useful %s  tasks %" PRIu64,
             rates, effective, useful, totals.tasks[LEDGER_TASK_DONE]);
    for (size_t i = 0; i < report->devices->count; i++)
        report_device(report, i, now_ms);
    if (pool_ledger_count(report->pools) > 1)
        report_pools(report);
}

void report_expect(struct report *report, uint64_t now_ms)
{
    struct ledger_totals totals;

    if (report->has_expected)
        return;
    ledger_read(report->ledger, now_ms, &totals);
    if (!totals.all.is_known[0] || totals.all.rates[0] <= 0 || totals.work <= 0)
        return;
    report->has_expected = true;
    log_info("miner",
             "expect a share about every %.3g s at this difficulty; pool statistics need "
             "10-30 minutes",
             totals.work / totals.all.rates[0]);
}

static void report_reasons(const struct report *report,
                           const struct ledger_totals *totals)
{
    for (size_t i = 0; i < totals->reason_count; i++)
        log_info("miner", "            %" PRIu64 " x %s", totals->reasons[i].count,
                 totals->reasons[i].text);
    if (totals->all.shares.kept)
        log_info("miner",
                 "            %" PRIu64 " were proved and not sent (--no-submit)",
                 totals->all.shares.kept);
    if (totals->all.shares.invalid)
        log_error("miner",
                  "            %" PRIu64 " findings did not verify and were not sent",
                  totals->all.shares.invalid);
    if (report->unknown)
        log_info("miner", "            %" PRIu64 " answers were lost with the connection",
                 report->unknown);
    if (report->lost)
        log_info("miner", "            %" PRIu64 " were never sent: too many waited",
                 report->lost);
}

void report_end(struct report *report, uint64_t now_ms)
{
    struct ledger_totals totals;
    char effective[96], average[32], useful[32];

    ledger_read(report->ledger, now_ms, &totals);
    effective_text(&totals, effective, sizeof(effective));
    ledger_format_rate(totals.seconds > 0, totals.all.hashes / totals.seconds, average);
    const uint64_t *of = totals.all.shares.verdicts;
    log_info("miner", "summary of %.0f s", totals.seconds);
    log_info("miner",
             "  tasks     %" PRIu64 " done, %" PRIu64 " handed back, %" PRIu64
             " rejected",
             totals.tasks[LEDGER_TASK_DONE], totals.tasks[LEDGER_TASK_DECLINED],
             totals.tasks[LEDGER_TASK_REJECTED]);
    log_info("miner",
             "  shares    %" PRIu64 " accepted, %" PRIu64 " stale, %" PRIu64 " rejected",
             of[LEDGER_ACCEPTED], of[LEDGER_STALE], of[LEDGER_REJECTED]);
    report_reasons(report, &totals);
    useful_text(&totals, useful, sizeof(useful));
    log_info("miner", "  useful    %s of all hashes came out of tasks", useful);
    log_info("miner", "  hashrate  %s on average; by its shares %s", average, effective);
    report_pools(report);
}
