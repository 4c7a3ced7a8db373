/*
 * share_desk.c - jobs a share may still go out for, proofs that went out.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/share_desk.h"

#include <assert.h>
#include <string.h>

#include "kernels/blake3_host.h"

enum {
    RANK_BASE = 128,    /* above it a larger rank earns nothing */
    PREVIOUS_OFFSET = 4 /* of the previous block in a header */
};

static void desk_free_job(struct desk_job *place)
{
    job_release(place->job);
    *place = (struct desk_job){0};
}

/* Takes one place out; the ones behind it move up. */
static void desk_remove(struct share_desk *desk, uint32_t index)
{
    job_release(desk->jobs[index].job);
    memmove(&desk->jobs[index], &desk->jobs[index + 1],
            (DESK_JOBS_MAX - 1 - index) * sizeof desk->jobs[0]);
    desk->jobs[DESK_JOBS_MAX - 1] = (struct desk_job){0};
}

void share_desk_clear(struct share_desk *desk)
{
    for (uint32_t i = 0; i < DESK_JOBS_MAX; i++)
        desk_free_job(&desk->jobs[i]);
    desk->is_open = false;
    desk->has_heard = true;
}

void share_desk_close(struct share_desk *desk)
{
    share_desk_clear(desk);
}

void share_desk_begin(struct share_desk *desk)
{
    desk->connection++;
    desk->is_open = desk->has_heard = false;
    desk->takes_any = desk->refuses_old = false;
}

void share_desk_void(struct share_desk *desk)
{
    for (uint32_t i = DESK_JOBS_MAX; i-- > 0;) {
        if (desk->jobs[i].job && desk->jobs[i].connection != desk->connection)
            desk_remove(desk, i);
    }
}

static bool desk_is_same_block(const struct job *a, const struct job *b)
{
    return a->height == b->height &&
           !memcmp(a->header + PREVIOUS_OFFSET, b->header + PREVIOUS_OFFSET, 32);
}

/* Whether a proof made for one holds for the other, but for its target. */
static bool desk_is_same_problem(const struct job *a, const struct job *b)
{
    return !memcmp(a->header, b->header, sizeof a->header) &&
           a->cert_version == b->cert_version && job_shape_is_same(&a->shape, &b->shape);
}

void share_desk_hear(struct share_desk *desk, struct job *job, uint64_t now_ms)
{
    const struct job *last = desk->jobs[0].job;

    if (last && !desk_is_same_block(last, job))
        share_desk_clear(desk);
    if (desk->is_open)
        desk->jobs[0].ended_ms = now_ms;
    /* An id that comes again means the newer job. */
    for (uint32_t i = DESK_JOBS_MAX; i-- > 0;) {
        if (desk->jobs[i].job && !strcmp(desk->jobs[i].job->id, job->id))
            desk_remove(desk, i);
    }
    job_release(desk->jobs[DESK_JOBS_MAX - 1].job);
    memmove(&desk->jobs[1], &desk->jobs[0], (DESK_JOBS_MAX - 1) * sizeof desk->jobs[0]);
    desk->jobs[0] =
        (struct desk_job){.job = job_keep(job), .connection = desk->connection};
    desk->is_open = desk->has_heard = true;
}

/* Whether the share wins under that job; a bound beyond 256 bits is won by nothing. */
static bool desk_is_met(const struct share *share, const struct job *job)
{
    const uint64_t steps = share->rank ? share->k / share->rank : 0;
    struct target bound;

    return target_scale(&job->target,
                        (uint64_t)share->row_count * share->column_count * steps *
                            (share->rank < RANK_BASE ? share->rank : RANK_BASE),
                        &bound) &&
           target_met(share->ticket, &bound);
}

/* A pool with tasks: the share's own job, if it is among those kept. */
static enum desk_word desk_judge_id(const struct share_desk *desk,
                                    const struct share *share, struct desk_pass *out)
{
    for (uint32_t i = 0; i < DESK_JOBS_MAX && desk->jobs[i].job; i++) {
        if (strcmp(desk->jobs[i].job->id, share->job->id))
            continue;
        *out = (struct desk_pass){.job_id = desk->jobs[i].job->id};
        return DESK_GO;
    }
    return DESK_STALE;
}

/* The newest job that the share was made for and meets; a replaced one only for a while.
 */
static enum desk_word desk_judge_header(const struct share_desk *desk,
                                        const struct share *share, uint64_t now_ms,
                                        struct desk_pass *out)
{
    const struct job *newest = desk->jobs[0].job;
    const bool is_old = !desk_is_same_problem(newest, share->job);

    if (!desk_is_same_block(newest, share->job) || (is_old && desk->refuses_old))
        return DESK_STALE;
    for (uint32_t i = 0; i < DESK_JOBS_MAX && desk->jobs[i].job; i++) {
        const struct desk_job *place = &desk->jobs[i];

        if (i && now_ms - place->ended_ms >= DESK_OLD_MS)
            break; /* those behind it ended even earlier */
        if (!desk_is_same_problem(place->job, share->job) ||
            !desk_is_met(share, place->job))
            continue;
        *out = (struct desk_pass){.job_id = place->job->id, .is_old = is_old};
        return DESK_GO;
    }
    return is_old ? DESK_STALE : DESK_BELOW;
}

void share_desk_digest(const struct share *share, uint8_t digest[32])
{
    blake3_hash(share->plain_proof.data, share->plain_proof.size, NULL, digest);
}

bool share_desk_has_sent(const struct share_desk *desk, const uint8_t digest[32])
{
    for (uint32_t i = 0; i < DESK_DIGESTS_MAX; i++) {
        if (!memcmp(desk->digests[i], digest, sizeof desk->digests[i]))
            return true;
    }
    return false;
}

enum desk_word share_desk_judge(const struct share_desk *desk, const struct share *share,
                                uint64_t now_ms, struct desk_pass *out)
{
    if (desk->takes_any)
        return desk_judge_id(desk, share, out);
    if (desk->is_open)
        return desk_judge_header(desk, share, now_ms, out);
    return desk->has_heard ? DESK_STALE : DESK_WAIT;
}

uint32_t share_desk_sent(struct share_desk *desk, const uint8_t digest[32])
{
    const uint32_t place = desk->digest_next;

    memcpy(desk->digests[place], digest, sizeof desk->digests[place]);
    desk->digest_next = (place + 1) % DESK_DIGESTS_MAX;
    return place;
}

void share_desk_unsent(struct share_desk *desk, uint32_t place)
{
    assert(place < DESK_DIGESTS_MAX);
    memset(desk->digests[place], 0, sizeof desk->digests[place]);
}

bool share_desk_answered(struct share_desk *desk, bool is_accepted, enum refusal refusal,
                         bool is_old)
{
    const bool is_wrong =
        refusal == REFUSAL_LOW || refusal == REFUSAL_INVALID || refusal == REFUSAL_FORMAT;

    if (is_accepted) {
        desk->wrong = 0;
        return false;
    }
    if (refusal == REFUSAL_STALE && is_old)
        desk->refuses_old = true;
    /* A stale or doubtful answer between says nothing about the proofs. */
    desk->wrong += is_wrong;
    if (desk->wrong < DESK_WRONG_MAX)
        return false;
    desk->wrong = 0;
    return true;
}
