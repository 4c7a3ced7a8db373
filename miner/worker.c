/*
 * worker.c - the life of one device.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/worker.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "backends/device.h"
#include "miner/base/clock.h"
#include "miner/base/log.h"
#include "miner/base/memory.h"
#include "miner/base/thread.h"
#include "miner/selftest.h"
#include "miner/setback.h"
#include "miner/way_untried.h"

enum { WAIT_MS = 200 }; /* between two looks at the wish to stop */

struct worker {
    struct worker_options options;
    struct worker_ports ports; /* the thread's once it came through the gate */
    struct queue *gate;        /* of the one struct worker_ports * */
    struct thread *thread;
    atomic_int state;
    enum status outcome; /* written before the state is ENDED */
    struct error err;
    struct device *device; /* from here on the thread's own */
    struct shift shift;
    uint64_t idle_generation; /* of the job that is mined while idle */
    uint64_t idle_refused;    /* of the last one that could not be */
    struct error idle_refusal;
};

/* --- between assignments --- */

/* The job that generated matrices are worth something for now, or NULL. */
static struct job *idle_job(struct worker *worker)
{
    uint64_t generation;
    struct job *job;

    if (!worker->options.mines_idle)
        return NULL;
    job = mailbox_take(worker->ports.shop.jobs, &generation);
    if (job && job->unassigned && generation != worker->idle_refused) {
        worker->idle_generation = generation;
        return job;
    }
    job_release(job);
    return NULL;
}

/* One idle product.  A job that cannot be mined is left alone, and the next one tried,
 * unless the device is lost. */
static enum status mine_idle(struct worker *worker, const struct job *job,
                             struct error *err)
{
    const enum status status = workshop_idle(&worker->shift.shop, job, err);

    if (!status || status == STATUS_CANCELLED)
        return STATUS_OK;
    if (!err->text[0])
        error_set(err, status, "%s", status_text(status));
    if (round_is_fatal(status))
        return status;
    worker->idle_refused = worker->idle_generation;
    if (strcmp(worker->idle_refusal.text, err->text) != 0)
        log_warn("miner", "device %u does not mine while idle: %s",
                 worker->options.entry.number, error_text(err));
    worker->idle_refusal = *err;
    *err = (struct error){0};
    return STATUS_OK;
}

/* A while without work; false: the program ends. */
static bool nap(struct worker *worker, uint64_t wait_ms)
{
    void *nothing;

    return queue_take(worker->gate, wait_ms, &nothing) != STATUS_CLOSED &&
           !stop_is_asked(worker->ports.shop.stop);
}

/* Nothing is on its way afterwards.  Findings without memory are lost, a device that
 * failed is a reason to end. */
static enum status settle(struct worker *worker)
{
    const enum status status = workshop_rest(&worker->shift.shop);

    if (!status || round_is_fatal(status))
        return status;
    log_warn("miner", "device %u: what its last product found is lost: %s",
             worker->options.entry.number, status_text(status));
    return STATUS_OK;
}

/* An assignment, or a product while there is none, or nothing for a while. */
static enum status work_once(struct worker *worker, struct error *err)
{
    struct job *job = idle_job(worker);
    enum status status = STATUS_OK;
    void *work;

    if (!job)
        status = settle(worker);
    if (status)
        return status;
    status = queue_take(worker->ports.assignments, job ? 0 : WAIT_MS, &work);
    if (status == STATUS_OK)
        status = round_run(&worker->shift, work, err);
    else if (status == STATUS_TIMEOUT)
        status = job ? mine_idle(worker, job, err) : STATUS_OK;
    job_release(job);
    return status;
}

static enum status work_on(struct worker *worker, struct error *err)
{
    enum status status = STATUS_OK;

    while (!status && !stop_is_asked(worker->ports.shop.stop)) {
        if (round_is_distrusted(&worker->shift, err))
            return STATUS_MISMATCH;
        if (atomic_load(worker->ports.is_paused)) {
            status = settle(worker);
            (void)nap(worker, WAIT_MS);
        } else {
            status = work_once(worker, err);
        }
    }
    if (status && status != STATUS_CLOSED)
        return status;
    return settle(worker);
}

/* --- the thread --- */

static enum status open_device(struct worker *worker, struct error *err)
{
    const struct device_entry *entry = &worker->options.entry;
    enum status status = device_open(entry->backend, entry->index,
                                     &worker->options.device, &worker->device, err);

    if (status) {
        error_prefix(err, "it cannot be opened");
        return status == STATUS_NO_MEMORY ? status : STATUS_NO_DEVICE;
    }
    status = selftest_short(worker->device, err);
    if (status)
        error_prefix(err, "it failed its self-test");
    return status;
}

/* From the open device to its end, or that of all work. */
static enum status work_a_shift(struct worker *worker)
{
    struct ledger *ledger = worker->ports.shop.ledger;
    const uint32_t number = worker->options.number;

    worker->shift =
        (struct shift){.ports = &worker->ports,
                       .number = number,
                       .invalid_before = ledger_invalid_count(ledger, number)};
    workshop_begin(&worker->shift.shop, worker->device, number, &worker->ports.shop);
    const enum status status = work_on(worker, &worker->err);
    workshop_end(&worker->shift.shop);
    return status;
}

/* False when the program ends meanwhile. */
static bool rest(struct worker *worker, uint64_t rest_ms)
{
    const uint64_t until = clock_ms() + rest_ms;

    atomic_store(&worker->state, WORKER_RESTING);
    for (uint64_t now = clock_ms(); now < until; now = clock_ms())
        if (!nap(worker, until - now < WAIT_MS ? until - now : WAIT_MS))
            return false;
    return !stop_is_asked(worker->ports.shop.stop);
}

static void tell_lost(struct worker *worker, enum status why, uint64_t rest_ms)
{
    const struct device_entry *entry = &worker->options.entry;
    char state[LEDGER_STATE_SIZE];

    if (!worker->err.text[0])
        error_set(&worker->err, why, "%s", status_text(why));
    if (!rest_ms) {
        ledger_lost(worker->ports.shop.ledger, worker->options.number,
                    error_text(&worker->err));
        return; /* the worker's end is said by whoever started it */
    }
    snprintf(state, sizeof(state), "device %u (%s): %.120s; tried again in %.0f s",
             entry->number, entry->backend->name, error_text(&worker->err),
             (double)rest_ms / 1000);
    log_error("miner", "%s", state);
    ledger_lost(worker->ports.shop.ledger, worker->options.number, state);
}

/* After a failure: rests and opens the device again.  OK with an open device; else the
 * worker ends: CLOSED because all of them do, or with the device's own fault. */
static enum status come_back(struct worker *worker, struct setback *setback,
                             uint64_t worked_ms, enum status why)
{
    do {
        const uint64_t rest_ms = setback_rest_ms(setback, worked_ms);
        tell_lost(worker, why, rest_ms);
        device_close(worker->device);
        worker->device = NULL;
        if (!rest_ms)
            return why;
        if (!rest(worker, rest_ms))
            return STATUS_CLOSED;
        worker->err = (struct error){0};
        why = open_device(worker, &worker->err);
        worked_ms = 0;
    } while (why);
    ledger_back(worker->ports.shop.ledger, worker->options.number);
    log_info("miner", "device %u (%s) passed its self-test and works again",
             worker->options.entry.number, worker->options.entry.backend->name);
    atomic_store(&worker->state, WORKER_READY);
    return STATUS_OK;
}

static enum status work_in_shifts(struct worker *worker)
{
    struct setback setback = {.first_ms = worker->options.rest_ms};
    enum status status;

    device_fail_at(worker->device, worker->options.fail_at);
    device_bytes_max(worker->device, worker->options.bytes_max);
    do {
        const uint64_t begin_ms = clock_ms();
        status = work_a_shift(worker);
        if (!round_is_fatal(status))
            return status;
        status = come_back(worker, &setback, clock_ms() - begin_ms, status);
    } while (!status);
    return status == STATUS_CLOSED ? STATUS_OK : status;
}

/* Where nothing is kept, nothing that was tried is known. */
static void tell_untried(const struct worker *worker)
{
    const struct device_entry *entry = &worker->options.entry;
    char text[WAY_UNTRIED_SIZE];

    if (worker->options.device.kernel_cache &&
        way_untried_text(device_info(worker->device), text))
        log_info("miner", "device %u (%s): %s", entry->number, entry->backend->name,
                 text);
}

static void worker_main(void *context)
{
    struct worker *worker = context;
    enum status status = open_device(worker, &worker->err);
    void *ports;

    if (!status) {
        tell_untried(worker);
        atomic_store(&worker->state, WORKER_READY);
        if (queue_take(worker->gate, QUEUE_FOREVER, &ports) == STATUS_OK)
            status = work_in_shifts(worker);
    }
    device_close(worker->device);
    if (status)
        error_prefix(&worker->err, "device %u (%s)", worker->options.entry.number,
                     worker->options.entry.backend->name);
    worker->outcome = status;
    atomic_store(&worker->state, WORKER_ENDED);
}

static void nothing_to_release(void *ports)
{
    (void)ports; /* they lie in the worker */
}

enum status worker_start(const struct worker_options *options, struct worker **out)
{
    struct worker *worker = memory_new(struct worker);
    enum status status;

    if (!worker)
        return STATUS_NO_MEMORY;
    worker->options = *options;
    worker->idle_refused = UINT64_MAX; /* none */
    atomic_init(&worker->state, WORKER_STARTING);
    status = queue_new(1, nothing_to_release, &worker->gate);
    if (!status)
        status = thread_start("worker", worker_main, worker, &worker->thread);
    if (status) {
        queue_free(worker->gate);
        memory_free(worker);
        return status;
    }
    *out = worker;
    return STATUS_OK;
}

enum worker_state worker_state(const struct worker *worker)
{
    return (enum worker_state)atomic_load(&worker->state);
}

enum status worker_outcome(const struct worker *worker, const char **sentence)
{
    assert(worker_state(worker) == WORKER_ENDED);
    *sentence = error_text(&worker->err);
    return worker->outcome;
}

void worker_begin(struct worker *worker, const struct worker_ports *ports)
{
    worker->ports = *ports;
    const enum status status = queue_put(worker->gate, &worker->ports, 0);
    assert(status == STATUS_OK);
    (void)status;
}

void worker_join(struct worker *worker)
{
    if (!worker)
        return;
    queue_close(worker->gate);
    thread_join(worker->thread);
    queue_free(worker->gate);
    memory_free(worker);
}
