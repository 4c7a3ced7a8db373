/*
 * status_panels_json.c - the statistics of two rigs' systems, each to its own contract.
 *
 * HiveOS: h-stats.sh hands them on; rates in kH/s, buses in decimal, 0 where a sensor is
 * missing.  mmpOS: the agent asks for them; the processor stands first and its bus is
 * "cpu".
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "miner/status_json.h"
#include "miner/status_parts_json.h"

static bool is_processor(const struct standing_device *device)
{
    return !strchr(device->bus, ':');
}

/* "0a:00.0", or "0000:0a:00.0": 10. */
static json_t *bus_number(const struct standing_device *device)
{
    const char *colon = strrchr(device->bus, ':');

    if (!colon || colon - device->bus < 2)
        return json_null();
    return json_integer(strtol(colon - 2, NULL, 16));
}

/* A row of a panel, one value a device. */
typedef json_t *device_value(const struct standing_device *device);

/* Processors first where a panel wants that. */
static json_t *row(const struct standing *standing, bool processors_first,
                   device_value *value)
{
    json_t *array = json_array();

    for (int pass = 0; array && pass < 2; pass++)
        for (size_t i = 0; i < standing->device_count; i++) {
            const struct standing_device *device = &standing->devices[i];
            const int wanted = processors_first && !is_processor(device);
            if (wanted == pass)
                (void)json_array_append_new(array, value(device));
        }
    return array;
}

static json_t *rate_khs(const struct standing_device *device)
{
    return json_real(standing_rate(&device->books) / 1e3);
}

static json_t *rate_hs(const struct standing_device *device)
{
    return json_real(standing_rate(&device->books));
}

static json_t *temperature(const struct standing_device *device)
{
    return json_integer((json_int_t)device->sensors.values[SENSOR_TEMPERATURE_C]);
}

static json_t *fan(const struct standing_device *device)
{
    return json_integer((json_int_t)(100 * device->sensors.values[SENSOR_FAN_RATIO]));
}

static json_t *bus_or_cpu(const struct standing_device *device)
{
    return is_processor(device) ? json_string("cpu") : bus_number(device);
}

static json_t *verdicts(const struct standing_device *device, enum ledger_verdict verdict)
{
    return json_integer((json_int_t)device->books.shares.verdicts[verdict]);
}

static json_t *accepted(const struct standing_device *device)
{
    return verdicts(device, LEDGER_ACCEPTED);
}

/* Panels know no stale ones: what the pool did not take is rejected. */
static json_t *rejected(const struct standing_device *device)
{
    const uint64_t *of = device->books.shares.verdicts;
    const uint64_t sum = of[LEDGER_REJECTED] + of[LEDGER_STALE];

    return json_integer((json_int_t)sum);
}

static json_t *invalid(const struct standing_device *device)
{
    return json_integer((json_int_t)device->books.shares.invalid);
}

static json_int_t total_rejected(const struct standing *standing)
{
    const uint64_t *of = standing->totals.all.shares.verdicts;
    const uint64_t sum = of[LEDGER_REJECTED] + of[LEDGER_STALE];

    return (json_int_t)sum;
}

enum status status_json_hive(const struct standing *standing, struct blob *out)
{
    const json_int_t taken =
        (json_int_t)standing->totals.all.shares.verdicts[LEDGER_ACCEPTED];

    return status_json_write(
        json_pack("{s:f, s:{s:o, s:s, s:o, s:o, s:I, s:s, s:[I,I], s:s, s:o}}", "khs",
                  standing_rate(&standing->totals.all) / 1e3, "stats", "hs",
                  row(standing, false, rate_khs), "hs_units", "khs", "temp",
                  row(standing, false, temperature), "fan", row(standing, false, fan),
                  "uptime", (json_int_t)standing->uptime_s, "ver", MINERVA_VERSION, "ar",
                  taken, total_rejected(standing), "algo", "pearlhash", "bus_numbers",
                  row(standing, false, bus_number)),
        out);
}

enum status status_json_mmpos(const struct standing *standing, struct blob *out)
{
    const struct ledger_shares *shares = &standing->totals.all.shares;

    return status_json_write(
        json_pack("{s:o, s:o, s:s, s:[I,I,I], s:{s:o, s:o, s:o}, s:s, s:s}", "busid",
                  row(standing, true, bus_or_cpu), "hash", row(standing, true, rate_hs),
                  "units", "hs", "air", (json_int_t)shares->verdicts[LEDGER_ACCEPTED],
                  (json_int_t)shares->invalid, total_rejected(standing), "shares",
                  "accepted", row(standing, true, accepted), "rejected",
                  row(standing, true, rejected), "invalid", row(standing, true, invalid),
                  "miner_name", "minerva", "miner_version", MINERVA_VERSION),
        out);
}
