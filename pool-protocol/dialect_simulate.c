/*
 * dialect_simulate.c - a pool inside the process: a random header, a given share target,
 * no socket.
 *
 * simulate://MACS asks for shares that cost MACS multiply-accumulates each (2^32 without
 * a number). A new header comes every minute.  It takes a share that a pool would take:
 * of one of its last jobs, under the bound, not the same twice; the proof itself was
 * checked before it came here.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/file.h"
#include "miner/base/memory.h"
#include "pool-protocol/dialect.h"

enum {
    JOBS_KEPT = 8,
    TICKETS_KEPT = 256,
    JOB_MS = 60000,
    NBITS = 0x1d00ffff,
    MIN_RANK = 64
};

struct dialect_session {
    struct job jobs[JOBS_KEPT]; /* the newest at (counter - 1) % JOBS_KEPT */
    uint64_t counter;
    uint64_t issued_ms;
    uint8_t previous[32];
    struct target target;
    uint8_t tickets[TICKETS_KEPT][DIGEST_SIZE];
    uint64_t ticket_counter;
};

static enum status simulate_open(const struct dialect_login *login,
                                 struct dialect_session **out, struct error *err)
{
    const char *address = login->address;
    uint64_t macs = UINT64_C(1) << 32;

    if (*address && (!u64_parse(address, INT64_MAX, &macs) || macs < 2))
        return error_set(
            err, STATUS_BAD_CONFIG,
            "simulate://%s: expected a number of multiply-accumulates of at least 2",
            address);
    struct dialect_session *session = memory_new(struct dialect_session);
    if (!session)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a simulated pool");
    session->target = target_from_work(macs);
    const enum status status =
        random_bytes(session->previous, sizeof session->previous, err);
    if (status)
        memory_free(session);
    else
        *out = session;
    return status;
}

static void simulate_close(struct dialect_session *session)
{
    memory_free(session);
}

static enum status simulate_job(struct dialect_session *session,
                                struct dialect_turn *turn)
{
    struct job *job = &session->jobs[session->counter % JOBS_KEPT];

    *job = (struct job){.target = session->target,
                        .height = 1,
                        .cert_version = 3,
                        .min_rank = MIN_RANK,
                        .unassigned = true};
    snprintf(job->id, sizeof job->id, "simulated-%" PRIu64, session->counter);
    u32_store(job->header, 0x20000000);
    memcpy(job->header + 4, session->previous, sizeof session->previous);
    if (random_bytes(job->header + 36, 32, NULL))
        return STATUS_IO;
    u32_store(job->header + 72, NBITS);
    session->counter++;

    struct job *copy = job_new(job);
    if (!copy)
        return STATUS_NO_MEMORY;
    struct dialect_event *event = dialect_turn_event(turn, EVENT_JOB);
    if (event)
        event->job = copy;
    return STATUS_OK;
}

static enum status simulate_greet(struct dialect_session *session,
                                  struct dialect_turn *turn)
{
    struct dialect_event *event = dialect_turn_event(turn, EVENT_READY);

    if (event)
        snprintf(event->text, sizeof event->text,
                 "a simulated pool, %.4g multiply-accumulates a share",
                 target_work(&session->target));
    return simulate_job(session, turn);
}

static enum status simulate_receive(struct dialect_session *session, struct bytes line,
                                    struct dialect_turn *turn, struct error *err)
{
    (void)session;
    (void)line;
    (void)turn;
    return error_set(err, STATUS_BAD_MESSAGE, "a simulated pool sends no lines");
}

static const struct job *simulate_find(const struct dialect_session *session,
                                       const char *id)
{
    for (size_t i = 0; i < JOBS_KEPT; i++) {
        if (*id && !strcmp(session->jobs[i].id, id))
            return &session->jobs[i];
    }
    return NULL;
}

static bool simulate_is_known(const struct dialect_session *session,
                              const uint8_t *ticket)
{
    for (uint64_t i = 0; i < TICKETS_KEPT && i < session->ticket_counter; i++) {
        if (!memcmp(session->tickets[i], ticket, DIGEST_SIZE))
            return true;
    }
    return false;
}

/* pow.md section 7, from what the share says of itself. */
static bool simulate_is_met(const struct share *share, const struct job *job)
{
    const uint64_t rank = share->rank < 128 ? share->rank : 128;
    struct target bound;

    if (!share->rank)
        return false;
    const uint64_t work = (uint64_t)share->row_count * share->column_count *
                          (share->k / share->rank) * rank;
    return target_scale(&job->target, work, &bound) && target_met(share->ticket, &bound);
}

static enum status simulate_submit(struct dialect_session *session,
                                   const struct share *share, uint64_t tag,
                                   struct dialect_turn *turn)
{
    const struct job *job = simulate_find(session, share->job->id);
    struct dialect_event *event = NULL;

    if (!job)
        return STATUS_STALE;
    event = dialect_turn_event(turn, EVENT_SHARE);
    if (!event)
        return STATUS_AGAIN;
    event->tag = tag;
    event->verdict = VERDICT_REJECTED;
    if (!simulate_is_met(share, job)) {
        event->code = MESSAGE_CODE_LOW;
        snprintf(event->text, sizeof event->text, "low difficulty share");
    } else if (simulate_is_known(session, share->ticket)) {
        event->code = MESSAGE_CODE_DUPLICATE;
        snprintf(event->text, sizeof event->text, "duplicate share");
    } else {
        event->verdict = VERDICT_ACCEPTED;
        memcpy(session->tickets[session->ticket_counter++ % TICKETS_KEPT], share->ticket,
               DIGEST_SIZE);
    }
    return STATUS_OK;
}

static enum status simulate_tick(struct dialect_session *session, uint64_t now_ms,
                                 struct dialect_turn *turn, struct error *err)
{
    (void)err;
    if (!session->issued_ms)
        session->issued_ms = now_ms;
    if (now_ms - session->issued_ms < JOB_MS)
        return STATUS_OK;
    session->issued_ms = now_ms;
    return simulate_job(session, turn);
}

const struct dialect dialect_simulate = {
    .name = "simulate",
    .has_socket = false,
    .user = DIALECT_USER_NONE,
    .open = simulate_open,
    .close = simulate_close,
    .greet = simulate_greet,
    .receive = simulate_receive,
    .submit = simulate_submit,
    .answer = dialect_no_answer,
    .solve = dialect_no_puzzle,
    .tick = simulate_tick,
    .artifacts = dialect_no_artifacts,
};
