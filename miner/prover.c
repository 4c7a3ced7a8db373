/*
 * prover.c - finding in, share out.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/prover.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/log.h"
#include "miner/base/memory.h"
#include "miner/base/thread.h"

struct prover {
    const struct pow_scheme *scheme;
    struct prover_ports ports;
    struct thread *thread;
    atomic_bool is_done;
    /* The last task of each device in which something did not verify; its thread's. */
    char distrusted[LEDGER_DEVICES_MAX][TASK_ID_SIZE + 1];
};

/* The share of a finding, or NULL: then it was counted and said. */
static struct outgoing *prove(struct prover *prover, const struct finding *finding)
{
    struct share *share = NULL;
    struct error err = {0};
    const enum status status = prover->scheme->prove(finding, &share, &err);

    if (status == STATUS_OK)
        return outgoing_share(share);
    if (status == STATUS_NO_MEMORY) {
        log_warn("share", "a finding is lost: out of memory");
        return NULL;
    }
    ledger_invalid(prover->ports.ledger, finding->device);
    memcpy(prover->distrusted[finding->device], finding->task_id,
           sizeof(finding->task_id));
    log_error("share", "device %u found what does not verify and is not sent: %s",
              finding->device, error_text(&err));
    return NULL;
}

/* The result of a task in which a device computed wrongly is worth nothing: the task goes
 * back. */
static void answer_check(const struct prover *prover, struct answer *answer)
{
    bool is_distrusted = false;

    for (size_t i = 0; i < LEDGER_DEVICES_MAX; i++)
        is_distrusted |= !strcmp(prover->distrusted[i], answer->task_id);
    if (answer->kind != ANSWER_DONE || !is_distrusted)
        return;
    log_warn("task", "%.8s  declined: its device computes wrongly", answer->task_id);
    blob_free(&answer->output);
    answer->kind = ANSWER_DECLINE;
    snprintf(answer->reason, sizeof(answer->reason),
             "a finding of this task did not verify: its device computes wrongly");
    ledger_task(prover->ports.ledger, LEDGER_TASK_DECLINED);
}

/* Takes a share that is not to be sent. */
static void keep(const struct prover *prover, struct outgoing *out)
{
    const struct share *share = out->as.share;

    ledger_kept(prover->ports.ledger, share->device);
    log_info("share", "proved, not sent: device %u  job %.32s  %s", share->device,
             share->job->id, *share->task_id ? "of a task" : "idle");
    outgoing_free(out);
}

/* Takes out; a closed queue is one where nobody is left to send it. */
static void hand_on(const struct prover *prover, struct outgoing *out)
{
    const bool is_answer = out->kind == OUTGOING_ANSWER;

    if (!is_answer && prover->ports.keeps_shares)
        keep(prover, out);
    else if (queue_put(is_answer ? prover->ports.answers : prover->ports.outbox, out,
                       QUEUE_FOREVER))
        outgoing_free(out);
}

static void prover_main(void *context)
{
    struct prover *prover = context;
    void *taken;

    while (queue_take(prover->ports.findings, QUEUE_FOREVER, &taken) == STATUS_OK) {
        struct outgoing *out = taken;
        if (out->kind == OUTGOING_FINDING) {
            out = prove(prover, out->as.finding);
            outgoing_free(taken);
        } else if (out->kind == OUTGOING_ANSWER) {
            answer_check(prover, out->as.answer);
        }
        if (out)
            hand_on(prover, out);
    }
    atomic_store(&prover->is_done, true);
}

enum status prover_start(const struct pow_scheme *scheme,
                         const struct prover_ports *ports, struct prover **out)
{
    struct prover *prover = memory_new(struct prover);

    assert(ports->findings);
    assert(ports->outbox);
    assert(ports->answers);
    if (!prover)
        return STATUS_NO_MEMORY;
    prover->scheme = scheme;
    prover->ports = *ports;
    const enum status status =
        thread_start("prover", prover_main, prover, &prover->thread);
    if (status) {
        memory_free(prover);
        return status;
    }
    *out = prover;
    return STATUS_OK;
}

bool prover_is_done(const struct prover *prover)
{
    return atomic_load(&prover->is_done);
}

void prover_join(struct prover *prover)
{
    if (!prover)
        return;
    thread_join(prover->thread);
    memory_free(prover);
}
