/*
 * status_json.c - how things stand, in our own shapes.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/status_json.h"

#include "miner/status_parts_json.h"

enum { API_VERSION = 1 };

static json_t *number_or_null(bool is_known, double value)
{
    return is_known ? json_real(value) : json_null();
}

/* What people and pools wrote may be no UTF-8. */
static json_t *words(const char *text)
{
    json_t *string = json_string(text);

    return string ? string : json_string("(not UTF-8)");
}

static json_t *count(uint64_t value)
{
    return json_integer((json_int_t)value);
}

/* Seconds since then; null if it never was. */
static json_t *age(const struct standing *standing, uint64_t then_ms)
{
    if (!then_ms || then_ms > standing->now_ms)
        return json_null();
    return json_real((double)(standing->now_ms - then_ms) / 1000);
}

static json_t *rates_object(const struct ledger_device *books)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "10s",
                     number_or_null(books->is_known[0], books->rates[0]), "60s",
                     number_or_null(books->is_known[1], books->rates[1]), "15m",
                     number_or_null(books->is_known[2], books->rates[2]), "max",
                     number_or_null(books->rate_max > 0, books->rate_max));
}

static json_t *device_object(const struct standing_device *device)
{
    const struct ledger_device *books = &device->books;
    const struct sensors_reading *sensors = &device->sensors;
    const uint64_t *of = books->shares.verdicts;

    return json_pack(
        "{s:o, s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:{s:o, s:o, s:o, "
        "s:o}}",
        "index", count(device->number), "backend", device->backend, "pci", device->bus,
        "name", words(device->name), "state", books->is_lost ? "lost" : "running",
        "reason", words(books->state), "restarts", count(books->restarts), "hashrate_hs",
        rates_object(books), "power_w",
        number_or_null(sensors->is_known[SENSOR_POWER_W],
                       sensors->values[SENSOR_POWER_W]),
        "temp_c",
        number_or_null(sensors->is_known[SENSOR_TEMPERATURE_C],
                       sensors->values[SENSOR_TEMPERATURE_C]),
        "mem_temp_c",
        number_or_null(sensors->is_known[SENSOR_MEMORY_TEMPERATURE_C],
                       sensors->values[SENSOR_MEMORY_TEMPERATURE_C]),
        "fan_pct",
        number_or_null(sensors->is_known[SENSOR_FAN_RATIO],
                       100 * sensors->values[SENSOR_FAN_RATIO]),
        "shares", "accepted", count(of[LEDGER_ACCEPTED]), "stale",
        count(of[LEDGER_STALE]), "rejected", count(of[LEDGER_REJECTED]), "invalid_local",
        count(books->shares.invalid));
}

static json_t *devices_array(const struct standing *standing)
{
    json_t *array = json_array();

    for (size_t i = 0; array && i < standing->device_count; i++)
        (void)json_array_append_new(array, device_object(&standing->devices[i]));
    return array;
}

static json_t *pool_object(const struct standing *standing,
                           const struct pool_account *pool)
{
    const bool is_connected = pool->state == POOL_CONNECTED || pool->state == POOL_IN_USE;
    double useful;
    const bool is_known = pool_account_useful(pool, &useful);

    return json_pack(
        "{s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:{s:o, s:o, "
        "s:o, s:o, s:o}}",
        "name", words(pool->name), "url", words(pool->url), "role", pool->role, "state",
        pool_state_names[pool->state], "reason", words(pool->reason), "since_s",
        age(standing, pool->since_ms), "ping_ms",
        is_connected ? count(pool->connect_ms) : json_null(), "reply_ms",
        count(pool->reply_ms), "last_job_s", age(standing, pool->job_ms),
        "last_accepted_s", age(standing, pool->accepted_ms), "work",
        number_or_null(pool->work > 0, pool->work), "usefulness",
        number_or_null(is_known, useful), "disconnects", count(pool->losses), "shares",
        "accepted", count(pool->accepted), "stale", count(pool->stale), "rejected",
        count(pool->rejected), "unknown", count(pool->unknown), "lost",
        count(pool->lost));
}

static json_t *pools_array(const struct standing *standing)
{
    json_t *array = json_array();

    for (size_t i = 0; array && i < standing->pool_count; i++)
        (void)json_array_append_new(array, pool_object(standing, &standing->pools[i]));
    return array;
}

static json_t *current_object(const struct standing *standing)
{
    const struct pool_account *current = standing_current(standing);

    return current ? pool_object(standing, current) : json_null();
}

static json_t *shares_object(const struct standing *standing)
{
    const struct ledger_totals *totals = &standing->totals;
    const uint64_t *of = totals->all.shares.verdicts;
    uint64_t accepted_ms = 0;

    for (size_t i = 0; i < standing->pool_count; i++)
        if (standing->pools[i].accepted_ms > accepted_ms)
            accepted_ms = standing->pools[i].accepted_ms;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "accepted",
                     count(of[LEDGER_ACCEPTED]), "stale", count(of[LEDGER_STALE]),
                     "rejected", count(of[LEDGER_REJECTED]), "invalid_local",
                     count(totals->all.shares.invalid), "unknown",
                     count(standing->unknown), "lost", count(standing->lost),
                     "last_accepted_s", age(standing, accepted_ms));
}

static json_t *tasks_object(const struct standing *standing)
{
    const uint64_t *tasks = standing->totals.tasks;

    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "done", count(tasks[LEDGER_TASK_DONE]),
                     "failed", count(tasks[LEDGER_TASK_REJECTED]), "declined",
                     count(tasks[LEDGER_TASK_DECLINED]), "cancelled",
                     count(tasks[LEDGER_TASK_CANCELLED]), "running",
                     count(standing->tasks_running));
}

/* All devices' rates, and the one that accepted shares stand for. */
static json_t *total_rates_object(const struct standing *standing)
{
    const struct ledger_totals *totals = &standing->totals;
    const bool has_shares = totals->all.shares.verdicts[LEDGER_ACCEPTED] > 0;
    json_t *object = rates_object(&totals->all);

    if (object) {
        (void)json_object_set_new(object, "effective",
                                  number_or_null(has_shares, totals->effective));
        (void)json_object_set_new(object, "effective_error_pct",
                                  number_or_null(has_shares, totals->effective_error));
    }
    return object;
}

enum status status_json_summary(const struct standing *standing, struct blob *out)
{
    return status_json_write(
        json_pack(
            "{s:s, s:s, s:i, s:o, s:o, s:b, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
            "minerva", "version", MINERVA_VERSION, "api", API_VERSION, "worker",
            words(standing->worker), "uptime_s", count(standing->uptime_s), "paused",
            (int)standing->is_paused, "status", status_json_condition(standing), "pool",
            current_object(standing), "hashrate_hs", total_rates_object(standing),
            "usefulness",
            number_or_null(standing->totals.all.hashes > 0, standing->totals.usefulness),
            "shares", shares_object(standing), "tasks", tasks_object(standing), "devices",
            devices_array(standing)),
        out);
}

enum status status_json_pools(const struct standing *standing, struct blob *out)
{
    return status_json_write(json_pack("{s:o}", "pools", pools_array(standing)), out);
}

enum status status_json_devices(const struct standing *standing, struct blob *out)
{
    return status_json_write(json_pack("{s:o}", "devices", devices_array(standing)), out);
}

enum status status_json_tasks(const struct standing *standing, struct blob *out)
{
    return status_json_write(json_pack("{s:o, s:o}", "tasks", tasks_object(standing),
                                       "usefulness",
                                       number_or_null(standing->totals.all.hashes > 0,
                                                      standing->totals.usefulness)),
                             out);
}

const char *status_json_condition(const struct standing *standing)
{
    if (standing->is_paused)
        return "paused";
    if (standing->totals.all.is_lost)
        return "no device";
    return standing_current(standing) ? "ok" : "no pool";
}

enum status status_json_health(const struct standing *standing, struct blob *out)
{
    return status_json_write(
        json_pack("{s:s}", "status", status_json_condition(standing)), out);
}

enum status status_json_error(const char *sentence, struct blob *out)
{
    return status_json_write(json_pack("{s:o}", "error", words(sentence)), out);
}
