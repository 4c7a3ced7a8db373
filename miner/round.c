/*
 * round.c - one assignment on its way through a worker, and what the pool hears of it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/round.h"

#include <stdio.h>
#include <string.h>

#include "miner/base/clock.h"
#include "miner/base/log.h"
#include "miner/base/memory.h"

enum {
    PROGRESS_EVERY_MS = 2000,
    FAULT_SIZE_MAX = 4096 /* a numeric fault is told instead of the output */
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
static enum status answer_put(struct shift *shift, struct answer *answer)
{
    struct outgoing *out = answer ? outgoing_answer(answer) : NULL;

    if (!out)
        return STATUS_NO_MEMORY;
    const enum status status = queue_put(shift->ports->shop.findings, out, QUEUE_FOREVER);
    if (status)
        outgoing_free(out);
    return status;
}

static void say_decline(struct shift *shift, const struct assignment *work,
                        const char *reason)
{
    struct answer *answer = answer_new(work, ANSWER_DECLINE);

    if (answer)
        snprintf(answer->reason, sizeof(answer->reason), "%s", reason);
    if (answer_put(shift, answer))
        log_warn("task", "%.8s could not be handed back, its lease will run out",
                 work->id);
    ledger_task(shift->ports->shop.ledger, LEDGER_TASK_DECLINED);
}

static enum status say_progress(struct shift *shift, struct round *round, uint64_t now_ms)
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
    return answer_put(shift, answer);
}

static enum status say_done(struct shift *shift, const struct round *round)
{
    const struct matmul_port *now = workshop_counters(&shift->shop);
    struct answer *answer = answer_new(round->work, ANSWER_DONE);
    enum status status = STATUS_NO_MEMORY;

    if (!answer)
        return status;
    answer->output = blob_empty((size_t)shift->shop.output_size + FAULT_SIZE_MAX);
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
    return answer_put(shift, answer);
}

/* --- one assignment --- */

bool round_is_distrusted(const struct shift *shift, struct error *err)
{
    if (ledger_invalid_count(shift->ports->shop.ledger, shift->number) <=
        shift->invalid_before)
        return false;
    error_set(err, STATUS_MISMATCH, "what it found did not verify: it computes wrongly");
    return true;
}

/* How long the rest will take, from what is done. */
static uint64_t left_ms(const struct round *round, uint64_t now_ms)
{
    if (!round->done || round->done >= round->total)
        return 0;
    return (now_ms - round->begin_ms) * (round->total - round->done) / round->done;
}

static enum status step_until_done(struct shift *shift, struct round *round,
                                   struct matmul_port *port, struct error *err)
{
    enum status status;

    do {
        const uint64_t now_ms = clock_ms();
        if (watch_port_is_cancelled(&shift->shop.watch) ||
            stop_is_due(shift->ports->shop.stop, now_ms, left_ms(round, now_ms)))
            return STATUS_CANCELLED;
        if (round_is_distrusted(shift, err))
            return STATUS_MISMATCH;
        status = task_step(round->task, port);
        if (!status)
            status = say_progress(shift, round, clock_ms());
    } while (status == STATUS_OK);
    return status;
}

/* Until it is done, or something ends it; then none of its products runs any more. */
static enum status work_through(struct shift *shift, struct round *round,
                                struct error *err)
{
    struct matmul_port *port = workshop_port(&shift->shop, round->work->id);
    const enum status status = step_until_done(shift, round, port, err);

    if (round_is_fatal(status))
        return status;
    const enum status drained = matmul_drain(port);
    return status == STATUS_DONE || drained ? drained : status;
}

/* What a device without room for the task says about its memory. */
static void add_figures(const struct shift *shift, uint64_t refused_before,
                        struct error *err)
{
    const struct device_refusal *refused = &device_counters(shift->shop.device)->refused;
    const struct device_info *info = device_info(shift->shop.device);
    const double mb = 1e6;

    if (refused->count == refused_before)
        return; /* it was the machine's own memory */
    if (info->piece_bytes && refused->size > info->piece_bytes) {
        error_set(err, STATUS_NO_MEMORY,
                  "the task wants %.1f MB in one piece, the device gives at most %.1f MB",
                  (double)refused->size / mb, (double)info->piece_bytes / mb);
        return;
    }
    error_set(err, STATUS_NO_MEMORY,
              "the device has no room for another %.1f MB: the task holds %.1f of its "
              "%.0f MB (%.0f were free before)",
              (double)refused->size / mb, (double)refused->held / mb,
              (double)info->memory_bytes / mb, (double)info->memory_free_bytes / mb);
}

/* All that a task needs is made here, before its first step. */
static enum status equip(struct shift *shift, struct round *round, struct error *err)
{
    const uint64_t refused = device_counters(shift->shop.device)->refused.count;
    enum status status = workshop_prepare(&shift->shop, round->work, err);

    if (!status)
        status = task_open(shift->shop.station, round->work, &round->task, err);
    if (!status)
        status = workshop_equip(&shift->shop, round->task, err);
    if (status == STATUS_NO_MEMORY)
        add_figures(shift, refused, err);
    return status;
}

static enum status carry(struct shift *shift, struct round *round, struct error *err)
{
    enum status status;

    if (!task_kind_find(round->work->kind))
        return error_set(err, STATUS_NOT_SUPPORTED,
                         "this worker knows no tasks of the kind \"%s\"",
                         round->work->kind);
    status = answer_put(shift, answer_new(round->work, ANSWER_ACCEPT));
    if (status)
        return error_set(err, status, "the task could not be accepted: %s",
                         status_text(status));
    status = equip(shift, round, err);
    if (status)
        return status;
    task_progress(round->task, &round->done, &round->total);
    round->before = *workshop_counters(&shift->shop);
    round->begin_ms = round->told_ms = clock_ms();
    status = work_through(shift, round, err);
    return status ? status : say_done(shift, round);
}

bool round_is_fatal(enum status status)
{
    return status == STATUS_DEVICE_LOST || status == STATUS_MISMATCH;
}

static void close_round(struct shift *shift, struct round *round, enum status status,
                        struct error *err)
{
    const bool taken_back = status == STATUS_CANCELLED && shift->ports->shop.pool &&
                            pool_is_cancelled(shift->ports->shop.pool, round->work->id);

    task_close(round->task);
    if (taken_back) {
        log_info("task", "%.8s  the pool took it back", round->work->id);
        ledger_task(shift->ports->shop.ledger, LEDGER_TASK_CANCELLED);
    } else if (stop_is_asked(shift->ports->shop.stop)) {
        log_info("task", "%.8s  handed back, %llu of %llu done", round->work->id,
                 (unsigned long long)round->done, (unsigned long long)round->total);
        say_decline(shift, round->work, "the worker is stopping");
    } else {
        if (!err->text[0])
            error_set(err, status, "%s", status_text(status));
        log_warn("task", "%.8s  declined: %s", round->work->id, error_text(err));
        say_decline(shift, round->work, error_text(err));
    }
}

enum status round_run(struct shift *shift, struct assignment *work, struct error *err)
{
    struct round round = {.work = work};
    enum status status = STATUS_OK;

    atomic_fetch_add(shift->ports->rounds, 1);
    shift->shop.watch.task_id = work->id;
    if (!watch_port_is_cancelled(&shift->shop.watch)) {
        status = carry(shift, &round, err);
        if (status)
            close_round(shift, &round, status, err);
        else
            task_close(round.task);
    }
    shift->shop.watch.task_id = NULL;
    atomic_store(shift->ports->busy_ms, clock_ms());
    atomic_fetch_sub(shift->ports->rounds, 1);
    assignment_free(work);
    if (round_is_fatal(status))
        return status;
    *err = (struct error){0};
    return STATUS_OK;
}
