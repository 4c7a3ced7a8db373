/*
 * share_checks.c - the checks of a share, in the order of task-pool.md section 6.
 *
 * Each returns CODE_NONE or the code to refuse with.  The pool's lock is taken for the
 * questions to the store and given back before anything is computed.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>

#include "kernels/blake3_host.h"
#include "miner/base/clock.h"
#include "miner/pow/scheme.h"
#include "miner/work/plain_proof.h"
#include "pool/roots.h"
#include "pool/share_case.h"

/* A store that fails is the pool's fault, not the share's.  Lock held. */
static int code_of_store(struct share_case *c, enum status status, struct error *err)
{
    pool_store_failed(c->pool, status, err);
    return MESSAGE_CODE_OTHER;
}

static int refuse(int code, struct error *err, const char *sentence)
{
    error_set(err, STATUS_REFUSED, "%s", sentence);
    return code;
}

static int check_session(struct share_case *c, struct error *err)
{
    int code = CODE_NONE;

    pool_lock(c->pool);
    struct session *session = connection_session(c->connection);
    if (!session) {
        code = refuse(MESSAGE_CODE_UNAUTHORISED, err, "unauthorized");
    } else if (!session_job_admits(c->pool, session, clock_ms())) {
        code = refuse(MESSAGE_CODE_OTHER, err, "more than 20 shares a second");
    } else {
        snprintf(c->session, sizeof c->session, "%s", session->id);
        c->share.worker = session->worker;
    }
    pool_unlock(c->pool);
    return code;
}

static int check_job(struct share_case *c, struct error *err)
{
    pool_lock(c->pool);
    const struct session *session = connection_session(c->connection);
    const struct session_job *job =
        session ? session_job_find(session, c->submit.job_id) : NULL;
    if (job)
        c->job = *job;
    pool_unlock(c->pool);
    if (!job)
        return refuse(MESSAGE_CODE_STALE, err, "stale job");
    memcpy(c->share.header, c->job.header, JOB_HEADER_SIZE);
    c->share.cost = (double)c->job.macs;
    return CODE_NONE;
}

/* The message, the job, the proof's encoding: an unknown job is said before a broken
 * proof. */
static int check_message(struct share_case *c, const struct message_line *line,
                         struct error *err)
{
    const enum status status = message_submit_decode(line, &c->submit, err);
    struct error other = {0};

    if (status && status != STATUS_BAD_PROOF)
        return MESSAGE_CODE_OTHER;
    if (status && !*c->submit.job_id)
        return MESSAGE_CODE_BAD_PROOF;
    const int code = check_job(c, &other);
    if (code) {
        *err = other;
        return code;
    }
    if (status || plain_proof_decode(blob_bytes(&c->submit.plain_proof), &c->proof, err))
        return MESSAGE_CODE_BAD_PROOF;
    return CODE_NONE;
}

static int check_bytes(struct share_case *c, struct error *err)
{
    blake3_hash(c->submit.plain_proof.data, c->submit.plain_proof.size, NULL,
                c->share.digest);
    pool_lock(c->pool);
    const enum status status = store_share_seen(c->pool->store, c->share.digest, err);
    int code = CODE_NONE;
    if (!status)
        code = refuse(MESSAGE_CODE_DUPLICATE, err, "duplicate share");
    else if (status != STATUS_NOT_FOUND)
        code = code_of_store(c, status, err);
    pool_unlock(c->pool);
    return code;
}

static bool lease_takes_shares(const struct stored_lease *lease)
{
    return lease->state == LEASE_ACTIVE ||
           (lease->state == LEASE_DELIVERED &&
            clock_wall_s() <= lease->until + DELIVERED_GRACE_S);
}

static int check_lease(struct share_case *c, struct error *err)
{
    struct stored_task task;

    pool_lock(c->pool);
    enum status status =
        store_lease_find(c->pool->store, c->submit.task_id, c->session, &c->lease, err);
    if (!status && !lease_takes_shares(&c->lease))
        status = STATUS_NOT_FOUND;
    if (!status)
        status = store_task_get(c->pool->store, c->submit.task_id, &task, err);
    if (!status)
        status = work_take(c->pool, &task, &c->work, err);
    int code = CODE_NONE;
    if (status == STATUS_NOT_FOUND) {
        c->lease.id = 0;
        code =
            refuse(MESSAGE_CODE_NOT_LEASED, err, "the task is not leased to this worker");
    } else if (status) {
        code = code_of_store(c, status, err);
    }
    pool_unlock(c->pool);
    c->share.lease = c->lease.id;
    c->share.site = c->submit.site;
    return code;
}

static int check_site(const struct share_case *c, struct error *err)
{
    const struct site *site = &c->submit.site;

    if (!work_has_site(c->work, site)) {
        error_set(err, STATUS_REFUSED, "the task has no site pack %u, product %u",
                  site->pack, site->product);
        return MESSAGE_CODE_NOT_LEASED;
    }
    const struct model_shape shape = work_shape(c->work, site);
    if (shape.m != c->proof.m || shape.n != c->proof.n || shape.k != c->proof.k) {
        error_set(err, STATUS_REFUSED,
                  "the product is %llu x %llu x %llu, expected %llu x %llu x %llu",
                  (unsigned long long)c->proof.m, (unsigned long long)c->proof.n,
                  (unsigned long long)c->proof.k, (unsigned long long)shape.m,
                  (unsigned long long)shape.n, (unsigned long long)shape.k);
        return MESSAGE_CODE_NOT_LEASED;
    }
    return CODE_NONE;
}

static int check_place(struct share_case *c, struct error *err)
{
    const uint32_t min_rank = c->pool->options.min_rank;
    int code = CODE_NONE;

    if (*c->submit.task_id) {
        code = check_lease(c, err);
        if (!code)
            code = check_site(c, err);
    } else if (!c->pool->options.is_unassigned) {
        code = refuse(MESSAGE_CODE_NOT_LEASED, err,
                      "this job takes no shares without a task");
    }
    if (!code && c->proof.rank != pow_rank(c->proof.k, min_rank)) {
        error_set(err, STATUS_REFUSED, "rank is %llu, expected %u for k = %llu",
                  (unsigned long long)c->proof.rank, pow_rank(c->proof.k, min_rank),
                  (unsigned long long)c->proof.k);
        code = MESSAGE_CODE_NOT_LEASED;
    }
    return code;
}

/* The proof and the bound; what both commit to is kept. */
static int check_proof(struct share_case *c, struct error *err)
{
    struct pow_check check = {.cert_version = 3,
                              .min_rank = c->pool->options.min_rank,
                              .target = c->job.target};
    struct configuration configuration;

    memcpy(check.header, c->job.header, JOB_HEADER_SIZE);
    enum status status =
        scheme_noisy_gemm.verify(&c->proof, &check, c->share.ticket, err);
    if (status == STATUS_LOW)
        return MESSAGE_CODE_LOW;
    if (!status)
        status = configuration_of(&c->proof, &configuration, err);
    if (status == STATUS_NO_MEMORY)
        return MESSAGE_CODE_OTHER;
    if (status)
        return MESSAGE_CODE_BAD_PROOF;
    configuration_encode(&configuration, c->share.configuration);
    commitment_job_key(c->job.header, &configuration, c->job_key);
    memcpy(c->share.hash_a, c->proof.a.root, DIGEST_SIZE);
    return CODE_NONE;
}

static int check_ticket(struct share_case *c, struct error *err)
{
    pool_lock(c->pool);
    const enum status status =
        store_share_ticket_seen(c->pool->store, c->share.header, c->share.ticket, err);
    int code = CODE_NONE;
    if (!status)
        code = refuse(MESSAGE_CODE_DUPLICATE, err,
                      "duplicate share: this ticket was accepted");
    else if (status != STATUS_NOT_FOUND)
        code = code_of_store(c, status, err);
    pool_unlock(c->pool);
    return code;
}

static int check_weights(struct share_case *c, struct error *err)
{
    uint8_t root[DIGEST_SIZE];

    if (root_of_weights(c->pool->roots, c->work, c->submit.site.product, c->job_key, root,
                        err))
        return MESSAGE_CODE_OTHER;
    if (memcmp(root, c->proof.b.root, DIGEST_SIZE))
        return refuse(MESSAGE_CODE_WRONG_WEIGHTS, err,
                      "the right operand is not the registered weights");
    return CODE_NONE;
}

/* One lease mines a site once: the first share fixes how. */
static int check_first(struct share_case *c, struct error *err)
{
    struct stored_share first;
    int code = CODE_NONE;

    pool_lock(c->pool);
    const enum status status =
        store_share_first(c->pool->store, c->lease.id, &c->submit.site, &first, err);
    if (status && status != STATUS_NOT_FOUND)
        code = code_of_store(c, status, err);
    pool_unlock(c->pool);
    if (status)
        return code;
    if (memcmp(first.header, c->share.header, JOB_HEADER_SIZE))
        return refuse(MESSAGE_CODE_NOT_LEASED, err,
                      "this site is mined under another header already");
    if (memcmp(first.configuration, c->share.configuration, CONFIGURATION_SIZE))
        return refuse(MESSAGE_CODE_NOT_LEASED, err,
                      "this site is mined under another configuration already");
    if (memcmp(first.hash_a, c->share.hash_a, DIGEST_SIZE))
        return refuse(MESSAGE_CODE_WRONG_INPUT, err,
                      "this site was mined with another left operand before");
    return CODE_NONE;
}

int share_check(struct share_case *c, const struct message_line *line, struct error *err)
{
    int code = check_session(c, err);

    if (!code)
        code = check_message(c, line, err);
    if (!code)
        code = check_bytes(c, err);
    if (!code)
        code = check_place(c, err);
    if (!code)
        code = check_proof(c, err);
    if (!code)
        code = check_ticket(c, err);
    if (!code && c->work)
        code = check_weights(c, err);
    if (!code && c->work)
        code = check_first(c, err);
    return code;
}
