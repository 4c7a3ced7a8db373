/*
 * session_jobs.c - every session's own headers, and how hard a share is.
 *
 * No two jobs of a pool share a header: the merkle root is the hash of the session and a
 * counter, and the previous block is random for the life of the process.  So two honest
 * workers with the same task never make the same ticket.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "kernels/blake3_host.h"
#include "miner/base/clock.h"
#include "miner/base/log.h"
#include "pool-protocol/message_notify.h"
#include "pool/sessions.h"

enum {
    JOB_VERSION = 0x20000000,
    JOB_NBITS = 0x1d00ffff,
    JOB_CERTIFICATE = 3,
    VARDIFF_MS = 30000,      /* a look at the pace */
    VARDIFF_PACE_MS = 10000, /* wanted between two shares */
    VARDIFF_BURST = 10,      /* that many sooner than wanted: do not wait for the look */
    VARDIFF_STEP = 16        /* at most, up or down, at once */
};
static const uint64_t job_macs_max = (uint64_t)1 << 60;

static void job_header(const struct pool *pool, const struct session *session,
                       uint8_t header[JOB_HEADER_SIZE])
{
    uint8_t seed[sizeof session->raw + 8];

    memcpy(seed, session->raw, sizeof session->raw);
    u64_store(seed + sizeof session->raw, session->job_count);
    u32_store(header, JOB_VERSION);
    memcpy(header + 4, pool->previous, 32);
    blake3_hash(seed, sizeof seed, NULL, header + 36);
    u32_store(header + 68, (uint32_t)clock_wall_s());
    u32_store(header + 72, JOB_NBITS);
}

static void job_announce(const struct pool *pool, const struct session *session,
                         const struct session_job *job)
{
    struct message_notify notify = {.has_cert_version = true, .difficulty = 0};
    struct blob line = blob_empty(4096);

    snprintf(notify.job.id, sizeof notify.job.id, "%s", job->id);
    memcpy(notify.job.header, job->header, JOB_HEADER_SIZE);
    notify.job.target = job->target;
    notify.job.height = 1;
    notify.job.cert_version = JOB_CERTIFICATE;
    notify.job.min_rank = pool->options.min_rank;
    notify.job.unassigned = pool->options.is_unassigned;
    if (message_notify_encode(&notify, &line))
        log_error("pool", "a job could not be written: out of memory");
    else
        connection_send(session->connection, blob_bytes(&line));
    blob_free(&line);
}

void session_job_new(struct pool *pool, struct session *session)
{
    struct session_job *job = &session->jobs[session->job_count % SESSION_JOBS];

    snprintf(job->id, sizeof job->id, "%08x-%016llx", u32_load(pool->previous),
             (unsigned long long)++pool->job_count);
    job_header(pool, session, job->header);
    job->macs = session->macs;
    job->target = target_from_work(session->macs);
    session->job_count++;
    session->job_ms = clock_ms();
    if (session->connection)
        job_announce(pool, session, job);
}

const struct session_job *session_job_find(const struct session *session, const char *id)
{
    for (size_t i = 0; i < SESSION_JOBS; i++) {
        if (*session->jobs[i].id && !strcmp(session->jobs[i].id, id))
            return &session->jobs[i];
    }
    return NULL;
}

/* Shares came so many in so long: what should one cost, to come every ten seconds? */
static uint64_t job_macs_wanted(const struct pool *pool, const struct session *session,
                                uint64_t elapsed_ms)
{
    const double low = (double)pool->options.share_macs;
    const double now = (double)session->macs;
    double wanted = now * session->window_shares * VARDIFF_PACE_MS /
                    (double)(elapsed_ms ? elapsed_ms : 1);

    wanted = wanted > now * VARDIFF_STEP ? now * VARDIFF_STEP : wanted;
    wanted = wanted < now / VARDIFF_STEP ? now / VARDIFF_STEP : wanted;
    wanted = wanted < low ? low : wanted;
    return wanted > (double)job_macs_max ? job_macs_max : (uint64_t)wanted;
}

static void job_retarget(struct pool *pool, struct session *session, uint64_t now_ms)
{
    const uint64_t wanted = job_macs_wanted(pool, session, now_ms - session->window_ms);
    const uint64_t now = session->macs;

    session->window_ms = now_ms;
    session->window_shares = 0;
    /* A quarter more or less is luck. */
    if (wanted <= now + now / 4 && wanted + wanted / 4 >= now)
        return;
    session->macs = wanted;
    session_job_new(pool, session);
    log_debug("pool", "%s: a share costs %llu now", session->name,
              (unsigned long long)wanted);
}

void session_job_shared(struct pool *pool, struct session *session)
{
    const uint64_t now_ms = clock_ms();

    session->window_shares++;
    if (pool->options.is_vardiff && session->window_shares >= VARDIFF_BURST &&
        now_ms - session->window_ms < session->window_shares * VARDIFF_PACE_MS / 4)
        job_retarget(pool, session, now_ms);
}

bool session_job_admits(struct pool *pool, struct session *session, uint64_t now_ms)
{
    uint64_t *oldest = &session->submits_ms[session->submits % SESSION_SUBMITS];

    if (session->submits >= SESSION_SUBMITS && now_ms - *oldest < 1000) {
        if (pool->options.is_vardiff && now_ms - session->window_ms >= 1000) {
            session->window_shares += SESSION_SUBMITS;
            job_retarget(pool, session, now_ms);
        }
        return false;
    }
    *oldest = now_ms;
    session->submits++;
    return true;
}

bool session_job_bad(struct session *session, uint64_t now_ms)
{
    session->bad_ms[session->bads++ % SESSION_BAD_PROOFS] = now_ms;
    return session->bads >= SESSION_BAD_PROOFS &&
           now_ms - session->bad_ms[session->bads % SESSION_BAD_PROOFS] < 60000;
}

void session_job_tick(struct pool *pool, struct session *session, uint64_t now_ms)
{
    assert(session->connection);
    if (pool->options.is_vardiff && now_ms - session->window_ms >= VARDIFF_MS)
        job_retarget(pool, session, now_ms);
    if (now_ms - session->job_ms >= SESSION_JOB_MS)
        session_job_new(pool, session);
}
