/*
 * run.c - the ring of threads, from the first object to the last.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/run.h"

#include <assert.h>
#include <string.h>

#include "miner/base/clock.h"
#include "miner/base/log.h"
#include "miner/base/memory.h"
#include "miner/kernel_cache.h"
#include "miner/pool_sides.h"
#include "miner/prover.h"
#include "miner/worker.h"

enum {
    ASSIGNMENTS_MAX = 64,
    FINDINGS_MAX = 64, /* each holds its opened chunks, up to some 100 KB */
    NEWS_MAX = 1024,
    PUMP_MS = 10,
    REST_MS = 10000,    /* of a device that failed, the first time */
    PRODUCT_MS = 30000, /* the longest product that a stop waits for in good order */
    SEND_MS = 3000      /* to prove and to send what was found */
};

struct run {
    char kernel_cache[KERNEL_CACHE_MAX];
    const struct config *config;
    const struct device_list *devices;
    struct ledger *ledger;
    struct report report;
    struct stop stop;
    atomic_uint rounds;
    atomic_bool is_paused;
    atomic_uint_least64_t busy_ms;
    struct mailbox *jobs;
    struct queue *assignments, *findings, *news;
    struct model_shelf *shelf;
    struct prover *prover;
    struct pool_sides sides;
    struct pool_ledger *books;
    struct sensors *sensors;
    size_t worker_count;
    struct worker *workers[DEVICE_LIST_MAX];
    bool is_told[DEVICE_LIST_MAX]; /* that the worker ended */
};

static enum status open_books(struct run *run)
{
    const size_t count = config_pool_count(run->config);
    const enum status status = pool_ledger_new((uint32_t)count, &run->books);

    for (size_t i = 0; !status && i < count; i++) {
        const struct pool_account names = {
            .name = config_pool_name(run->config, i),
            .url = config_pool_text(run->config, i, SETTING_url),
            .user = config_pool_text(run->config, i, SETTING_user),
            .role = config_pool_text(run->config, i, SETTING_role)};

        pool_ledger_name(run->books, (uint32_t)i, &names);
    }
    return status;
}

static enum status make_objects(struct run *run)
{
    enum status status = ledger_new(run->devices->count, clock_ms(), &run->ledger);

    if (!status)
        status = mailbox_new(job_hold, job_drop, &run->jobs);
    if (!status)
        status = queue_new(ASSIGNMENTS_MAX, assignment_free, &run->assignments);
    if (!status)
        status = queue_new(FINDINGS_MAX, outgoing_free, &run->findings);
    if (!status)
        status = pool_sides_open(&run->sides, run->config);
    if (!status)
        status = open_books(run);
    if (!status)
        status = sensors_open(run->devices, NULL, &run->sensors);
    if (!status)
        status = queue_new(NEWS_MAX, news_free, &run->news);
    if (!status) {
        const struct prover_ports ports = {
            .findings = run->findings,
            .outbox = run->sides.shares,
            .answers = run->sides.answers,
            .ledger = run->ledger,
            .keeps_shares = config_flag(run->config, SETTING_no_submit)};
        status = prover_start(&scheme_noisy_gemm, &ports, &run->prover);
    }
    run->report = (struct report){.ledger = run->ledger,
                                  .devices = run->devices,
                                  .pools = run->books,
                                  .sensors = run->sensors};
    return status;
}

static enum status open_shelf(struct run *run, struct error *err)
{
    struct model_shelf_options options = {
        .folder_count = config_count(run->config, SETTING_models),
        .cache = config_text(run->config, SETTING_cache),
        .cache_size = config_number(run->config, SETTING_cache_size) << 20};

    for (size_t i = 0; i < options.folder_count; i++)
        options.folders[i] = config_item(run->config, SETTING_models, i);
    return model_shelf_open(&options, &run->shelf, err);
}

static enum status start_workers(struct run *run)
{
    const char *kernels = kernel_cache_folder(
        config_text(run->config, SETTING_cache),
        config_flag(run->config, SETTING_no_kernel_cache), run->kernel_cache);
    enum status status = STATUS_OK;

    for (size_t i = 0; !status && i < run->devices->count; i++) {
        const struct worker_options options = {
            .entry = run->devices->entries[i],
            .number = (uint32_t)i,
            .device = {.threads = (uint32_t)config_number(run->config, SETTING_threads),
                       .kernel_cache = kernels},
            .mines_idle = config_choice(run->config, SETTING_idle) == 0,
            .rest_ms = REST_MS};
        status = worker_start(&options, &run->workers[i]);
        if (!status)
            run->worker_count++;
    }
    return status;
}

/* Says of each worker that ended, once, why; returns the last one's outcome. */
static enum status tell_ends(struct run *run, size_t *alive)
{
    enum status outcome = STATUS_OK;

    *alive = 0;
    for (size_t i = 0; i < run->worker_count; i++) {
        const char *sentence;
        if (worker_state(run->workers[i]) != WORKER_ENDED) {
            ++*alive;
            continue;
        }
        const enum status status = worker_outcome(run->workers[i], &sentence);
        outcome = status ? status : outcome;
        if (status && !run->is_told[i]) {
            log_error("miner", "%s", sentence);
            ledger_lost(run->ledger, i, sentence);
        }
        run->is_told[i] = true;
    }
    return outcome;
}

static bool any_starting(const struct run *run)
{
    for (size_t i = 0; i < run->worker_count; i++) {
        if (worker_state(run->workers[i]) == WORKER_STARTING)
            return true;
    }
    return false;
}

static enum status wait_for_selftests(struct run *run, struct error *err)
{
    size_t alive;

    while (any_starting(run))
        run_pump(run, PUMP_MS);
    const enum status outcome = tell_ends(run, &alive);
    if (alive)
        return STATUS_OK;
    return error_set(err, outcome, "no device is fit to work");
}

enum status run_open(const struct config *config, const struct device_list *devices,
                     struct run **out, struct error *err)
{
    struct run *run = memory_new(struct run);
    enum status status;

    if (!run)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    run->config = config;
    run->devices = devices;
    status = make_objects(run);
    if (status)
        error_set(err, status, "the program cannot start: %s", status_text(status));
    if (!status)
        status = open_shelf(run, err);
    if (!status) {
        status = start_workers(run);
        if (status)
            error_set(err, status, "a worker cannot start: %s", status_text(status));
    }
    if (!status)
        status = wait_for_selftests(run, err);
    if (status) {
        run_close(run);
        return status;
    }
    *out = run;
    return STATUS_OK;
}

static void make_offer(struct run *run, size_t slots, struct message_offer *offer)
{
    /* A task that is taken must be answered. */
    offer->slots = config_flag(run->config, SETTING_no_submit) ? 0 : (uint32_t)slots;
    for (size_t i = 0; i < task_count && offer->task_count < OFFER_TASKS_MAX; i++)
        memcpy(offer->tasks[offer->task_count++], task_table[i]->name,
               strlen(task_table[i]->name) + 1);
    for (size_t i = 0; i < run->devices->count; i++) {
        const struct device_entry *entry = &run->devices->entries[i];
        uint32_t known = 0;
        offer->memory_bytes += entry->info.memory_bytes;
        while (known < offer->backend_count &&
               strcmp(offer->backends[known], entry->backend->name))
            known++;
        if (known == offer->backend_count && known < OFFER_BACKENDS_MAX)
            memcpy(offer->backends[offer->backend_count++], entry->backend->name,
                   strlen(entry->backend->name) + 1);
    }
    model_shelf_offer(run->shelf, offer);
}

static const char *text_or_null(const struct config *config, enum setting setting)
{
    const char *text = config_text(config, setting);

    return *text ? text : NULL;
}

static void open_gates(struct run *run)
{
    const struct worker_ports ports = {
        .shop = {.jobs = run->jobs,
                 .findings = run->findings,
                 .ledger = run->ledger,
                 .stop = &run->stop,
                 .pool = run->sides.tasks,
                 .shelf = run->shelf,
                 .proxy = text_or_null(run->config, SETTING_proxy),
                 .ca_file = text_or_null(run->config, SETTING_ca_file)},
        .assignments = run->assignments,
        .rounds = &run->rounds,
        .is_paused = &run->is_paused,
        .busy_ms = &run->busy_ms};

    for (size_t i = 0; i < run->worker_count; i++) {
        if (worker_state(run->workers[i]) == WORKER_READY)
            worker_begin(run->workers[i], &ports);
    }
}

enum status run_begin(struct run *run, struct wire_log *wire, struct error *err)
{
    const struct pool_sides_ports ports = {.jobs = run->jobs,
                                           .assignments = run->assignments,
                                           .news = run->news,
                                           .wire = wire};
    struct message_offer *offer = memory_new(struct message_offer);
    size_t alive;

    if (!offer)
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    (void)tell_ends(run, &alive);
    make_offer(run, alive, offer);
    const enum status status = pool_sides_begin(&run->sides, offer, &ports, err);
    memory_free(offer);
    if (status)
        return status;
    run->report.sides = pool_sides_count(&run->sides);
    atomic_store(&run->busy_ms, clock_ms());
    open_gates(run);
    return STATUS_OK;
}

void run_pump(struct run *run, uint64_t wait_ms)
{
    void *news;

    if (queue_take(run->news, wait_ms, &news) == STATUS_OK)
        report_news(&run->report, news);
}

enum status run_check(struct run *run)
{
    size_t alive;
    const enum status outcome = tell_ends(run, &alive);

    if (alive)
        return STATUS_OK;
    return outcome ? outcome : STATUS_CLOSED;
}

uint64_t run_busy_ms(const struct run *run)
{
    return atomic_load(&run->rounds) ? clock_ms() : atomic_load(&run->busy_ms);
}

struct report *run_report(struct run *run)
{
    return &run->report;
}

void run_pause(struct run *run, bool is_paused)
{
    atomic_store(&run->is_paused, is_paused);
}

void run_next_pool(struct run *run)
{
    pool_sides_next(&run->sides);
}

bool run_is_paused(const struct run *run)
{
    return atomic_load(&run->is_paused);
}

uint32_t run_tasks(const struct run *run)
{
    return atomic_load(&run->rounds);
}

/* Waits for the workers, at most so long; then what they wait for is taken from them. */
static void end_workers(struct run *run, uint64_t wait_ms)
{
    const uint64_t until = clock_ms() + wait_ms;
    size_t alive = 1;

    while (alive && clock_ms() < until) {
        run_pump(run, PUMP_MS);
        (void)tell_ends(run, &alive);
    }
    queue_close(run->assignments);
    if (alive)
        queue_close(run->findings);
    for (size_t i = 0; i < run->worker_count; i++)
        worker_join(run->workers[i]);
    run->worker_count = 0;
}

/* What was found goes out while the outbox takes it. */
static void end_prover(struct run *run, uint64_t wait_ms)
{
    const uint64_t until = clock_ms() + wait_ms;

    queue_close(run->findings);
    while (!prover_is_done(run->prover) && clock_ms() < until)
        run_pump(run, PUMP_MS);
    pool_sides_hush(&run->sides);
    prover_join(run->prover);
    run->prover = NULL;
}

void run_stop(struct run *run, uint64_t wait_ms)
{
    uint32_t left = 0;

    stop_ask(&run->stop, clock_ms() + wait_ms);
    end_workers(run, wait_ms + PRODUCT_MS);
    end_prover(run, SEND_MS);
    left = pool_sides_stop(&run->sides, SEND_MS);
    while (queue_count(run->news))
        run_pump(run, 0);
    if (left)
        log_warn("task", "%u finished results were not answered by the pool", left);
}

void run_close(struct run *run)
{
    if (!run)
        return;
    stop_ask(&run->stop, 0);
    if (run->assignments)
        queue_close(run->assignments);
    for (size_t i = 0; i < run->worker_count; i++)
        worker_join(run->workers[i]);
    if (run->findings)
        queue_close(run->findings);
    pool_sides_hush(&run->sides);
    prover_join(run->prover);
    pool_sides_close(&run->sides);
    model_shelf_close(run->shelf);
    queue_free(run->news);
    queue_free(run->findings);
    queue_free(run->assignments);
    mailbox_free(run->jobs);
    pool_ledger_free(run->books);
    sensors_close(run->sensors);
    ledger_free(run->ledger);
    memory_free(run);
}
