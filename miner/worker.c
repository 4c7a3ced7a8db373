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

enum {
    WAIT_MS = 200, /* between two looks at the wish to stop */
    PROGRESS_EVERY_MS = 2000,
    FAULT_SIZE_MAX = 4096 /* a numeric fault is told instead of the output */
};

struct worker {
    struct worker_options options;
    struct worker_ports ports; /* the thread's once it came through the gate */
    struct queue *gate;        /* of the one struct worker_ports * */
    struct thread *thread;
    atomic_int state;
    enum status outcome; /* written before the state is ENDED */
    struct error err;
    struct device *device; /* from here on the thread's own */
    struct workshop shop;
    uint64_t idle_generation; /* of the job that is mined while idle */
    uint64_t idle_refused;    /* of the last one that could not be */
    struct error idle_refusal;
};

/* One assignment on its way through the worker. */
struct round {
    const struct assignment *work;
    struct task *task;
    struct matmul_port before; /* the counters at the begin */
    uint64_t begin_ms, told_ms;
    uint64_t done, total;
};

/* --- what is said to the pool --- */

static struct answer *answer_new(const struct assignment *work, enum answer_kind kind)
{
    struct answer *answer = memory_new(struct answer);

    if (!answer)
        return NULL;
    answer->kind = kind;
    memcpy(answer->task_id, work->id, sizeof(answer->task_id));
    return answer;
}

/* Takes answer, which may be NULL for want of memory. */
static enum status answer_put(struct worker *worker, struct answer *answer)
{
    struct outgoing *out = answer ? outgoing_answer(answer) : NULL;

    if (!out)
        return STATUS_NO_MEMORY;
    const enum status status = queue_put(worker->ports.shop.findings, out, QUEUE_FOREVER);
    if (status)
        outgoing_free(out);
    return status;
}

static void say_decline(struct worker *worker, const struct assignment *work,
                        const char *reason)
{
    struct answer *answer = answer_new(work, ANSWER_DECLINE);

    if (answer)
        snprintf(answer->reason, sizeof(answer->reason), "%s", reason);
    if (answer_put(worker, answer))
        log_warn("task", "%.8s could not be handed back, its lease will run out",
                 work->id);
    ledger_task(worker->ports.shop.ledger, LEDGER_TASK_DECLINED);
}

static enum status say_progress(struct worker *worker, struct round *round,
                                uint64_t now_ms)
{
    uint64_t done, total;

    task_progress(round->task, &done, &total);
    round->total = total;
    if (done <= round->done)
        return STATUS_OK;
    round->done = done;
    if (now_ms - round->told_ms < PROGRESS_EVERY_MS)
        return STATUS_OK;
    round->told_ms = now_ms;
    struct answer *answer = answer_new(round->work, ANSWER_PROGRESS);
    if (answer) {
        answer->done = done;
        answer->total = total;
    }
    log_debug("task", "%.8s  %llu of %llu", round->work->id, (unsigned long long)done,
              (unsigned long long)total);
    return answer_put(worker, answer);
}

static enum status say_done(struct worker *worker, const struct round *round)
{
    const struct matmul_port *now = workshop_counters(&worker->shop);
    struct answer *answer = answer_new(round->work, ANSWER_DONE);
    enum status status = STATUS_NO_MEMORY;

    if (!answer)
        return status;
    answer->output = blob_empty((size_t)worker->shop.output_size + FAULT_SIZE_MAX);
    status = task_answer(round->task, &answer->output);
    if (status) {
        answer_free(answer);
        return status;
    }
    answer_result_hash(round->work->model, round->work->id, blob_bytes(&answer->output),
                       answer->result_hash);
    answer->seconds = (double)(clock_ms() - round->begin_ms) / 1000;
    answer->macs = now->macs - round->before.macs;
    answer->proved_macs = now->proved_macs - round->before.proved_macs;
    return answer_put(worker, answer);
}

/* --- one assignment --- */

/* How long the rest will take, from what is done. */
static uint64_t left_ms(const struct round *round, uint64_t now_ms)
{
    if (!round->done || round->done >= round->total)
        return 0;
    return (now_ms - round->begin_ms) * (round->total - round->done) / round->done;
}

static enum status step_until_done(struct worker *worker, struct round *round,
                                   struct matmul_port *port)
{
    enum status status;

    do {
        const uint64_t now_ms = clock_ms();
        if (watch_port_is_cancelled(&worker->shop.watch) ||
            stop_is_due(worker->ports.shop.stop, now_ms, left_ms(round, now_ms)))
            return STATUS_CANCELLED;
        status = task_step(round->task, port);
        if (!status)
            status = say_progress(worker, round, clock_ms());
    } while (status == STATUS_OK);
    return status == STATUS_DONE ? matmul_drain(port) : status;
}

static enum status carry(struct worker *worker, struct round *round, struct error *err)
{
    enum status status;

    if (!task_kind_find(round->work->kind))
        return error_set(err, STATUS_NOT_SUPPORTED,
                         "this worker knows no tasks of the kind \"%s\"",
                         round->work->kind);
    status = answer_put(worker, answer_new(round->work, ANSWER_ACCEPT));
    if (status)
        return error_set(err, status, "the task could not be accepted: %s",
                         status_text(status));
    status = workshop_prepare(&worker->shop, round->work, err);
    if (!status)
        status = task_open(worker->shop.station, round->work, &round->task, err);
    if (!status)
        status = workshop_equip(&worker->shop, round->task, err);
    if (status)
        return status;
    task_progress(round->task, &round->done, &round->total);
    round->before = *workshop_counters(&worker->shop);
    round->begin_ms = round->told_ms = clock_ms();
    status =
        step_until_done(worker, round, workshop_port(&worker->shop, round->work->id));
    return status ? status : say_done(worker, round);
}

/* Whether the device can go on after a task ended so. */
static bool is_fatal(enum status status)
{
    return status == STATUS_DEVICE_LOST || status == STATUS_MISMATCH;
}

static void close_round(struct worker *worker, struct round *round, enum status status,
                        struct error *err)
{
    const bool taken_back = status == STATUS_CANCELLED && worker->ports.shop.pool &&
                            pool_is_cancelled(worker->ports.shop.pool, round->work->id);

    task_close(round->task);
    if (taken_back) {
        log_info("task", "%.8s  the pool took it back", round->work->id);
        ledger_task(worker->ports.shop.ledger, LEDGER_TASK_CANCELLED);
    } else if (stop_is_asked(worker->ports.shop.stop)) {
        log_info("task", "%.8s  handed back, %llu of %llu done", round->work->id,
                 (unsigned long long)round->done, (unsigned long long)round->total);
        say_decline(worker, round->work, "the worker is stopping");
    } else {
        if (!err->text[0])
            error_set(err, status, "%s", status_text(status));
        log_warn("task", "%.8s  declined: %s", round->work->id, error_text(err));
        say_decline(worker, round->work, error_text(err));
    }
}

/* Takes work.  OK unless the worker must end. */
static enum status run_assignment(struct worker *worker, struct assignment *work,
                                  struct error *err)
{
    struct round round = {.work = work};
    enum status status = STATUS_OK;

    atomic_fetch_add(worker->ports.rounds, 1);
    worker->shop.watch.task_id = work->id;
    if (!watch_port_is_cancelled(&worker->shop.watch)) {
        status = carry(worker, &round, err);
        if (status)
            close_round(worker, &round, status, err);
        else
            task_close(round.task);
    }
    worker->shop.watch.task_id = NULL;
    atomic_store(worker->ports.busy_ms, clock_ms());
    atomic_fetch_sub(worker->ports.rounds, 1);
    assignment_free(work);
    if (is_fatal(status))
        return status;
    *err = (struct error){0};
    return STATUS_OK;
}

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
    const enum status status = workshop_idle(&worker->shop, job, err);

    if (!status || status == STATUS_CANCELLED)
        return STATUS_OK;
    if (!err->text[0])
        error_set(err, status, "%s", status_text(status));
    if (is_fatal(status))
        return status;
    worker->idle_refused = worker->idle_generation;
    if (strcmp(worker->idle_refusal.text, err->text) != 0)
        log_warn("miner", "device %u does not mine while idle: %s",
                 worker->options.number, error_text(err));
    worker->idle_refusal = *err;
    *err = (struct error){0};
    return STATUS_OK;
}

static enum status work_on(struct worker *worker, struct error *err)
{
    enum status status = STATUS_OK;
    void *work;

    while (!status && !stop_is_asked(worker->ports.shop.stop)) {
        struct job *job = idle_job(worker);
        status = queue_take(worker->ports.assignments, job ? 0 : WAIT_MS, &work);
        if (status == STATUS_OK)
            status = run_assignment(worker, work, err);
        else if (status == STATUS_TIMEOUT)
            status = job ? mine_idle(worker, job, err) : STATUS_OK;
        job_release(job);
    }
    return status == STATUS_CLOSED ? STATUS_OK : status;
}

/* --- the thread --- */

static enum status open_device(struct worker *worker, struct error *err)
{
    const struct device_entry *entry = &worker->options.entry;
    enum status status = device_open(entry->backend, entry->index,
                                     &worker->options.device, &worker->device, err);

    if (status) {
        error_prefix(err, "device %u (%s) cannot be opened", entry->number,
                     entry->backend->name);
        return status == STATUS_NO_MEMORY ? status : STATUS_NO_DEVICE;
    }
    status = selftest_short(worker->device, err);
    if (status)
        error_prefix(err, "device %u (%s) failed its self-test", entry->number,
                     entry->backend->name);
    return status;
}

static void worker_main(void *context)
{
    struct worker *worker = context;
    enum status status = open_device(worker, &worker->err);
    void *ports;

    if (!status) {
        atomic_store(&worker->state, WORKER_READY);
        if (queue_take(worker->gate, QUEUE_FOREVER, &ports) == STATUS_OK) {
            device_fail_at(worker->device, worker->options.fail_at);
            workshop_begin(&worker->shop, worker->device, worker->options.number,
                           &worker->ports.shop);
            status = work_on(worker, &worker->err);
            workshop_end(&worker->shop);
            if (is_fatal(status))
                ledger_lost(worker->ports.shop.ledger, worker->options.number);
        }
    }
    device_close(worker->device);
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
