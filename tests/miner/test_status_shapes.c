/*
 * test_status_shapes.c - claim: what the status server shows is what the ledgers hold, in
 * the shapes that programs, panels and Prometheus expect: unknown things are null or left
 * out, rates of 10^15 keep their digits, buses are decimal for HiveOS, the processor
 * stands first for mmpOS, and texts that are no UTF-8 harm nothing.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "miner/status_json.h"
#include "miner/status_metrics.h"
#include "miner/status_page.h"

enum { GPU, CPU, DEVICES };

static struct standing_device device_make(uint32_t number, const char *backend,
                                          const char *bus, const char *name)
{
    struct standing_device device = {.number = number};

    snprintf(device.backend, sizeof device.backend, "%s", backend);
    snprintf(device.bus, sizeof device.bus, "%s", bus);
    snprintf(device.name, sizeof device.name, "%s", name);
    return device;
}

static void rates_set(struct ledger_device *books, double ten, double sixty)
{
    books->is_known[0] = books->is_known[1] = true;
    books->rates[0] = ten;
    books->rates[1] = sixty;
    books->rate_max = sixty;
}

/* A card of 250.4 T and a processor without a rate; two pools, one in use. */
static int make(void **state)
{
    struct standing *standing = standing_new();

    assert_non_null(standing);
    standing->now_ms = 100000;
    standing->uptime_s = 5421;
    standing->tasks_running = 1;
    standing->unknown = 2;
    snprintf(standing->worker, sizeof standing->worker, "rig01");
    standing->device_count = DEVICES;
    standing->devices[GPU] = device_make(0, "cuda", "0a:00.0", "RTX \"4090\"");
    standing->devices[CPU] = device_make(3, "cpu", "-", "AMD EPYC");
    rates_set(&standing->devices[GPU].books, 252.1e12, 1234567890123456.0);
    standing->devices[GPU].books.shares.verdicts[LEDGER_ACCEPTED] = 15;
    standing->devices[GPU].books.shares.verdicts[LEDGER_STALE] = 1;
    standing->devices[GPU].sensors.is_known[SENSOR_POWER_W] = true;
    standing->devices[GPU].sensors.values[SENSOR_POWER_W] = 338;
    standing->devices[GPU].sensors.is_known[SENSOR_FAN_RATIO] = true;
    standing->devices[GPU].sensors.values[SENSOR_FAN_RATIO] = 0.55;
    standing->totals.all = standing->devices[GPU].books;
    standing->totals.all.hashes = 4e15;
    standing->totals.usefulness = 0.25;
    standing->totals.effective = 241.7e12;
    standing->totals.effective_error = 26;
    standing->totals.tasks[LEDGER_TASK_DONE] = 3;
    standing->pool_count = 2;
    standing->pools[0] = (struct pool_account){.name = "main",
                                               .url = "stratum+ssl://eu.example:1200",
                                               .role = "both",
                                               .state = POOL_IN_USE,
                                               .since_ms = 40000,
                                               .job_ms = 79000,
                                               .connect_ms = 34,
                                               .work = 1e12,
                                               .accepted = 15,
                                               .stale = 1,
                                               .lost = 4};
    standing->pools[1] = (struct pool_account){.name = "odd \xff\"name",
                                               .url = "pouw+tcp://a\\b\"c\n:1",
                                               .role = "tasks",
                                               .state = POOL_AWAY};
    *state = standing;
    return 0;
}

static int drop(void **state)
{
    standing_release(*state);
    return 0;
}

typedef enum status render(const struct standing *standing, struct blob *out);

static json_t *json_of(const struct standing *standing, render *function)
{
    struct blob out = blob_empty(1 << 20);
    json_error_t err;

    assert_int_equal(function(standing, &out), STATUS_OK);
    json_t *json = json_loadb((const char *)out.data, out.size, 0, &err);
    if (!json)
        fail_msg("%s in %s", err.text, (const char *)out.data);
    blob_free(&out);
    return json;
}

/* A path of names and indices, as "devices/0/name". */
static const json_t *at(const json_t *json, const char *path)
{
    char name[32];

    while (json && *path) {
        const size_t size = strcspn(path, "/");
        snprintf(name, sizeof name, "%.*s", (int)size, path);
        path += size + (path[size] == '/');
        json = json_is_array(json) ? json_array_get(json, (size_t)(name[0] - '0'))
                                   : json_object_get(json, name);
    }
    assert_non_null(json);
    return json;
}

static void is_number(const json_t *json, const char *path, double wanted)
{
    const double value = json_number_value(at(json, path));

    assert_true(json_is_number(at(json, path)));
    if (!(value > wanted - 1e-9 * wanted - 1e-12 &&
          value < wanted + 1e-9 * wanted + 1e-12))
        fail_msg("%s is %.17g, not %.17g", path, value, wanted);
}

static void is_text(const json_t *json, const char *path, const char *wanted)
{
    assert_string_equal(json_string_value(at(json, path)), wanted);
}

static void test_summary(void **state)
{
    json_t *json = json_of(*state, status_json_summary);

    is_text(json, "name", "minerva");
    is_text(json, "worker", "rig01");
    is_text(json, "status", "ok");
    is_number(json, "api", 1);
    is_number(json, "uptime_s", 5421);
    is_number(json, "hashrate_hs/60s", 1234567890123456.0);
    assert_true(json_is_null(at(json, "hashrate_hs/15m")));
    is_number(json, "hashrate_hs/effective", 241.7e12);
    is_number(json, "hashrate_hs/effective_error_pct", 26);
    is_number(json, "usefulness", 0.25);
    is_number(json, "shares/accepted", 15);
    is_number(json, "shares/unknown", 2);
    assert_true(json_is_null(at(json, "shares/last_accepted_s")));
    is_number(json, "tasks/done", 3);
    is_number(json, "tasks/running", 1);
    is_text(json, "pool/name", "main");
    is_number(json, "pool/ping_ms", 34);
    is_number(json, "pool/last_job_s", 21);
    is_number(json, "pool/shares/lost", 4);
    is_number(json, "devices/0/power_w", 338);
    is_number(json, "devices/0/fan_pct", 55);
    is_text(json, "devices/0/name", "RTX \"4090\"");
    assert_true(json_is_null(at(json, "devices/1/power_w")));
    assert_true(json_is_null(at(json, "devices/1/hashrate_hs/10s")));
    json_decref(json);
}

static void test_pools(void **state)
{
    json_t *json = json_of(*state, status_json_pools);

    is_text(json, "pools/0/state", "in use");
    is_text(json, "pools/1/state", "away");
    is_text(json, "pools/1/name", "(not UTF-8)");
    assert_true(json_is_null(at(json, "pools/1/ping_ms")));
    assert_true(json_is_null(at(json, "pools/1/work")));
    json_decref(json);
}

static void test_conditions(void **state)
{
    struct standing *standing = *state;

    assert_string_equal(status_json_condition(standing), "ok");
    standing->pools[0].state = POOL_CONNECTED;
    assert_string_equal(status_json_condition(standing), "no pool");
    standing->totals.all.is_lost = true;
    assert_string_equal(status_json_condition(standing), "no device");
    standing->is_paused = true;
    assert_string_equal(status_json_condition(standing), "paused");
}

static void test_hive(void **state)
{
    json_t *json = json_of(*state, status_json_hive);

    is_number(json, "khs", 1234567890123.456);
    is_number(json, "stats/hs/0", 1234567890123.456);
    is_number(json, "stats/hs/1", 0);
    is_text(json, "stats/hs_units", "khs");
    is_number(json, "stats/temp/0", 0); /* the contract has no null */
    is_number(json, "stats/fan/0", 55);
    is_number(json, "stats/bus_numbers/0", 10);
    assert_true(json_is_null(at(json, "stats/bus_numbers/1")));
    is_number(json, "stats/ar/0", 15);
    is_number(json, "stats/ar/1", 1);
    is_number(json, "stats/uptime", 5421);
    json_decref(json);
}

static void test_mmpos(void **state)
{
    json_t *json = json_of(*state, status_json_mmpos);

    is_text(json, "busid/0", "cpu");
    is_number(json, "busid/1", 10);
    is_number(json, "hash/0", 0);
    is_number(json, "hash/1", 1234567890123456.0);
    is_number(json, "air/0", 15);
    is_number(json, "air/1", 0);
    is_number(json, "air/2", 1);
    is_number(json, "shares/accepted/1", 15);
    assert_int_equal(json_array_size(at(json, "busid")), 2);
    json_decref(json);
}

static void has_line(const char *text, const char *line)
{
    const char *found = strstr(text, line);

    if (!found || (found != text && found[-1] != '\n') || found[strlen(line)] != '\n')
        fail_msg("no line %s in\n%s", line, text);
}

static void test_metrics(void **state)
{
    struct blob out = blob_empty(1 << 20);

    assert_int_equal(status_metrics(*state, &out), STATUS_OK);
    const char *text = (const char *)out.data;
    has_line(text, "minerva_build_info{version=\"" MINERVA_VERSION "\"} 1");
    has_line(text, "minerva_hashrate_hs{device=\"cuda0\",pci=\"0a:00.0\",window=\"60s\"} "
                   "1234567890123456");
    assert_null(strstr(text, "device=\"cpu3\",pci=\"-\",window"));
    has_line(text,
             "minerva_shares_total{device=\"cuda0\",pci=\"0a:00.0\",result=\"stale\"} 1");
    has_line(text, "minerva_device_power_watts{device=\"cuda0\",pci=\"0a:00.0\"} 338");
    assert_null(strstr(text, "minerva_device_power_watts{device=\"cpu3\""));
    has_line(
        text,
        "minerva_pool_connected{pool=\"0\",url=\"stratum+ssl://eu.example:1200\"} 1");
    has_line(text,
             "minerva_pool_connected{pool=\"1\",url=\"pouw+tcp://a\\\\b\\\"c\\n:1\"} 0");
    has_line(text, "minerva_pool_last_job_seconds{pool=\"0\",url=\"stratum+ssl://"
                   "eu.example:1200\"} 21");
    assert_null(strstr(text, "minerva_pool_last_job_seconds{pool=\"1\""));
    has_line(text, "minerva_tasks_total{result=\"done\"} 3");
    has_line(text, "minerva_usefulness_ratio 0.25");
    /* Every sample follows its own TYPE. */
    has_line(text, "# TYPE minerva_shares_total counter");
    has_line(text, "# TYPE minerva_hashrate_hs gauge");
    blob_free(&out);
}

static void test_page(void **state)
{
    struct blob out = blob_empty(1 << 20);

    assert_int_equal(status_page(*state, &out), STATUS_OK);
    const char *text = (const char *)out.data;
    assert_non_null(strstr(text, "textContent"));
    assert_null(strstr(text, "innerHTML")); /* what pools say is never markup */
    assert_null(strstr(text, "https://"));  /* nothing is fetched from elsewhere */
    blob_free(&out);
}

static void test_no_room(void **state)
{
    static render *const renders[] = {status_json_summary, status_json_hive,
                                      status_json_mmpos, status_metrics, status_page};

    for (size_t i = 0; i < sizeof renders / sizeof *renders; i++) {
        struct blob out = blob_empty(40);
        assert_int_not_equal(renders[i](*state, &out), STATUS_OK);
        blob_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_summary, make, drop),
        cmocka_unit_test_setup_teardown(test_pools, make, drop),
        cmocka_unit_test_setup_teardown(test_conditions, make, drop),
        cmocka_unit_test_setup_teardown(test_hive, make, drop),
        cmocka_unit_test_setup_teardown(test_mmpos, make, drop),
        cmocka_unit_test_setup_teardown(test_metrics, make, drop),
        cmocka_unit_test_setup_teardown(test_page, make, drop),
        cmocka_unit_test_setup_teardown(test_no_room, make, drop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
