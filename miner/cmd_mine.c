/*
 * cmd_mine.c - `minerva mine`: works for a pool until it is told to stop.
 *
 * The first SIGINT or SIGTERM finishes or hands back the tasks within seconds; the second
 * ends the program at once.
 *
 * SPDX-License-Identifier: MIT
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "miner/base/clock.h"
#include "miner/base/file.h"
#include "miner/base/log.h"
#include "miner/base/memory.h"
#include "miner/commands.h"
#include "miner/dry_run.h"
#include "miner/pool_sides.h"
#include "miner/run.h"
#include "miner/status_desk.h"

enum { PUMP_MS = 20, TEXT_MAX = 65536 };

static int exit_code_of(enum status status)
{
    switch (status) {
    case STATUS_OK:
        return EXIT_CODE_OK;
    case STATUS_USAGE:
    case STATUS_BAD_CONFIG:
        return EXIT_CODE_USAGE;
    case STATUS_NO_DEVICE:
    case STATUS_ABSENT:
        return EXIT_CODE_NO_DEVICE;
    case STATUS_MISMATCH:
        return EXIT_CODE_SELFTEST;
    case STATUS_REFUSED:
        return EXIT_CODE_LOGIN;
    case STATUS_NOT_SUPPORTED:
        return EXIT_CODE_PROTOCOL;
    default:
        return EXIT_CODE_FAILED;
    }
}

/* --- signals --- */

/* From here on they wait until they are asked for; threads never see them. */
static void signals_hold(sigset_t *held)
{
    sigemptyset(held);
    sigaddset(held, SIGINT);
    sigaddset(held, SIGTERM);
    sigprocmask(SIG_BLOCK, held, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static bool signals_came(const sigset_t *held)
{
    const struct timespec now = {0};

    return sigtimedwait(held, NULL, &now) > 0;
}

/* The next one ends the program at once, as the system does by itself. */
static void signals_release(const sigset_t *held)
{
    sigprocmask(SIG_UNBLOCK, held, NULL);
}

/* --- what is said at the begin --- */

static void say_devices(const struct device_list *devices)
{
    for (size_t i = 0; i < devices->count; i++) {
        const struct device_entry *entry = &devices->entries[i];
        log_info("miner", "#%" PRIu32 " %s %s  %s  %.1f GiB  %s", entry->number,
                 entry->backend->name, entry->info.bus, entry->info.name,
                 (double)entry->info.memory_bytes / (1 << 30), entry->info.detail);
    }
}

static void say_banner(const struct config *config, const struct device_list *devices)
{
    log_info("miner", "minerva " MINERVA_VERSION "  worker %s  no fee, no telemetry",
             config_text(config, SETTING_worker));
    if (*config_path(config))
        log_info("miner", "settings from %s", config_path(config));
    say_devices(devices);
    for (size_t i = 0; i < config_pool_count(config); i++)
        log_info("miner", "pool %s as %s  for %s", config_pool_name(config, i),
                 config_pool_text(config, i, SETTING_user),
                 config_pool_text(config, i, SETTING_role));
    for (size_t i = 0; i < config_pool_count(config); i++) {
        if (config_pool_is_exposed(config, i))
            log_warn("miner",
                     "the user in the URL of %s can be read by every process of "
                     "this machine: MINERVA_USER or a file would hide it",
                     config_pool_name(config, i));
    }
    log_info("miner", "shares are counted (accepted/stale/rejected); 1 hash is 1 "
                      "multiply-accumulate; n/a: not long enough yet");
}

/* What would otherwise fail at every attempt to connect. */
static enum status check_ways(const struct config *config, struct error *err)
{
    static const char *const schemes[] = {"socks4://",  "socks4a://", "socks5://",
                                          "socks5h://", "http://",    "https://"};
    const char *proxy = config_text(config, SETTING_proxy),
               *ca_file = config_text(config, SETTING_ca_file);
    bool is_known = !*proxy || !strstr(proxy, "://");

    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        is_known |= !strncmp(proxy, schemes[i], strlen(schemes[i]));
    if (!is_known)
        return error_set(err, STATUS_BAD_CONFIG,
                         "the proxy is \"%s\", expected socks5h://HOST:PORT", proxy);
    if (*ca_file && !file_exists(ca_file))
        return error_set(err, STATUS_BAD_CONFIG, "ca-file: %s is no file", ca_file);
    return STATUS_OK;
}

static enum status check_config(const struct config *config, struct error *err)
{
    const enum status status = pool_sides_check(config, err);

    return status ? status : check_ways(config, err);
}

/* --- the loop --- */

/* Whether the work that was wanted is done. */
static bool is_finished(const struct config *config, struct run *run)
{
    const uint64_t tasks = config_number(config, SETTING_tasks),
                   idle_ms = 1000 * config_number(config, SETTING_exit_when_idle);

    if (tasks && run_report(run)->results >= tasks) {
        log_info("miner", "%" PRIu64 " tasks are finished: leaving", tasks);
        return true;
    }
    if (idle_ms && clock_ms() > run_busy_ms(run) + idle_ms) {
        log_info("miner", "no task for %" PRIu64 " s: leaving", idle_ms / 1000);
        return true;
    }
    return false;
}

struct loop {
    const struct config *config;
    struct run *run;
    struct status_desk *desk;
    const sigset_t *held;
    bool is_finishing; /* leave when the devices have no task any more */
};

/* What came over HTTP since the last look; true: leave. */
static bool obey_orders(struct loop *loop)
{
    enum status_order order;

    while (status_desk_order(loop->desk, &order)) {
        switch (order) {
        case STATUS_PAUSE:
            log_info("miner", "paused: tasks that run are finished, nothing is begun");
            run_pause(loop->run, true);
            break;
        case STATUS_RESUME:
            log_info("miner", "resumed");
            run_pause(loop->run, false);
            loop->is_finishing = false;
            break;
        case STATUS_FINISH:
            log_info("miner", "finishing: leaving when the tasks that run are done");
            run_pause(loop->run, true);
            loop->is_finishing = true;
            break;
        case STATUS_NEXT_POOL:
            log_info("miner", "the next pool is tried, as ordered");
            run_next_pool(loop->run);
            break;
        case STATUS_QUIT:
            log_info("miner", "stopping, as ordered");
            return true;
        }
    }
    return loop->is_finishing && !run_tasks(loop->run);
}

static enum status work(struct loop *loop)
{
    struct report *report = run_report(loop->run);
    const uint64_t every_ms = 1000 * config_number(loop->config, SETTING_print_time);
    uint64_t next_ms = clock_ms() + every_ms;

    for (;;) {
        run_pump(loop->run, PUMP_MS);
        if (signals_came(loop->held)) {
            log_info("miner",
                     "stopping: tasks are finished or handed back; again to leave "
                     "at once");
            return STATUS_OK;
        }
        const enum status status = run_check(loop->run);
        if (status)
            return status;
        if (report->hopeless)
            return report->hopeless;
        if (is_finished(loop->config, loop->run) || obey_orders(loop))
            return STATUS_OK;
        status_desk_update(loop->desk, loop->run, clock_ms());
        report_expect(report, clock_ms());
        if (clock_ms() >= next_ms) {
            report_speed(report, clock_ms());
            next_ms += every_ms;
        }
    }
}

/* Names the GPUs that cannot be used, when no other one is. */
static void say_unusable(const struct device_list *all, const struct device_list *chosen)
{
    for (size_t i = 0; i < chosen->count; i++) {
        if (chosen->entries[i].info.is_gpu)
            return;
    }
    for (size_t i = 0; i < all->count; i++) {
        const struct device_entry *entry = &all->entries[i];
        if (entry->info.is_gpu && entry->info.reason[0])
            log_warn("miner", "#%" PRIu32 " %s %s does not work: %s", entry->number,
                     entry->backend->name, entry->info.name, entry->info.reason);
    }
}

struct choice { /* of devices */
    struct device_list all, chosen;
};

/* Where nobody named a device and no GPU passed its self-test, the processor works. */
static enum status open_run(const struct config *config, struct choice *choice,
                            struct run **run, struct error *err)
{
    const bool is_named =
        strcmp(config_text(config, SETTING_devices), DEVICE_LIST_DEFAULT);
    const enum status status = run_open(config, &choice->chosen, run, err);

    if (is_named || (status != STATUS_NO_DEVICE && status != STATUS_MISMATCH) ||
        !choice->chosen.entries[0].info.is_gpu)
        return status;
    log_warn("miner", "%s: the processor works instead", error_text(err));
    choice->chosen = choice->all;
    const enum status again = device_list_select(&choice->chosen, "cpu", err);
    if (again)
        return again;
    say_devices(&choice->chosen);
    return run_open(config, &choice->chosen, run, err);
}

static enum status mine(const struct config *config, struct choice *choice,
                        const sigset_t *held, struct error *err)
{
    struct loop loop = {.config = config, .held = held};
    struct wire_log *wire = NULL;

    say_banner(config, &choice->chosen);
    say_unusable(&choice->all, &choice->chosen);
    enum status status = pool_sides_wire(config, &wire, err);
    if (!status)
        status = open_run(config, choice, &loop.run, err);
    if (!status)
        status = status_desk_open(config, &loop.desk, err);
    if (!status)
        status = run_begin(loop.run, wire, err);
    if (!status) {
        status = work(&loop);
        signals_release(held);
        run_stop(loop.run, 1000 * config_number(config, SETTING_stop_time));
        report_end(run_report(loop.run), clock_ms());
    }
    status_desk_close(loop.desk);
    run_close(loop.run);
    wire_log_close(wire);
    return status;
}

/* Signals end it as the system does by itself: nothing is at stake. */
static enum status try_out(const struct config *config, const struct choice *choice,
                           const sigset_t *held, struct error *err)
{
    struct wire_log *wire = NULL;
    enum status status = pool_sides_wire(config, &wire, err);

    signals_release(held);
    if (!status)
        status = dry_run(config, &choice->chosen, wire, err);
    wire_log_close(wire);
    return status;
}

static enum status choose_devices(const struct config *config, struct choice *choice,
                                  struct error *err)
{
    enum status status = device_list_probe(&choice->all, err);

    choice->chosen = choice->all;
    if (!status)
        status = device_list_select(&choice->chosen, config_text(config, SETTING_devices),
                                    err);
    return status;
}

static enum status prepare_and_mine(const struct config *config, struct error *err)
{
    struct choice *choice = memory_new(struct choice);
    enum status status = check_config(config, err);
    sigset_t held;

    signals_hold(&held); /* before a driver starts threads of its own */
    if (!status && !choice)
        status = error_set(err, STATUS_NO_MEMORY, "out of memory");
    if (!status)
        status = choose_devices(config, choice, err);
    if (!status) {
        const char *file = config_text(config, SETTING_log_file);
        status =
            log_open((enum log_level)config_choice(config, SETTING_log_level),
                     *file ? file : NULL, !config_flag(config, SETTING_no_color), err);
        if (status == STATUS_IO)
            status = STATUS_BAD_CONFIG;
    }
    if (!status) {
        status = config_flag(config, SETTING_dry_run)
                     ? try_out(config, choice, &held, err)
                     : mine(config, choice, &held, err);
        log_close();
    }
    memory_free(choice);
    return status;
}

static int print(enum status (*fill)(struct blob *out))
{
    struct blob text = blob_empty(TEXT_MAX);
    const bool printed = !fill(&text) && fputs((const char *)text.data, stdout) >= 0;

    blob_free(&text);
    return printed && !fflush(stdout) ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}

int cmd_mine(int argc, char **argv)
{
    struct config *config = NULL;
    struct error err = {0};
    enum status status = config_load(argc, argv, &config, &err);

    if (!status) {
        switch (config_action(config)) {
        case CONFIG_HELP:
            config_free(config);
            return print(config_help);
        case CONFIG_PRINT:
            config_free(config);
            return print(config_print);
        case CONFIG_VERSION:
            config_free(config);
            return puts("minerva " MINERVA_VERSION) < 0;
        case CONFIG_RUN:
            status = prepare_and_mine(config, &err);
        }
    }
    config_free(config);
    if (status && err.text[0])
        fprintf(stderr, "minerva mine: %s\n", error_text(&err));
    return exit_code_of(status);
}
