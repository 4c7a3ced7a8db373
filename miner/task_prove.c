/*
 * task_prove.c - finds, proves and files proofs while a local task runs.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/task_prove.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "miner/base/file.h"
#include "miner/base/memory.h"
#include "miner/base/thread.h"

enum {
    FOUND_MAX = 64,  /* findings on their way: each holds its opened chunks */
    HITS_MAX = 1024, /* of one product */
    PATH_SIZE = 4096,
    FACTS_SIZE = 8192, /* of the JSON: 256 numbers and a few words */
};

struct task_prove {
    char *folder;
    const struct pow_scheme *scheme;
    struct mailbox *jobs;
    struct queue *found; /* of struct outgoing */
    struct pow_run *run;
    struct thread *thread; /* owns the rest until it is joined */
    uint64_t proofs;
    enum status status;
    struct error err;
};

static enum status add_indices(struct blob *out, const char *name,
                               const uint32_t *indices, uint32_t count)
{
    enum status status = blob_addf(out, ",\"%s\":[", name);
    for (uint32_t i = 0; i < count && !status; i++)
        status = blob_addf(out, "%s%" PRIu32, i ? "," : "", indices[i]);
    return status ? status : blob_addf(out, "]");
}

/* What the proof is of, for those who look at it later. */
static enum status describe(const struct share *share, const char *ticket,
                            struct blob *out)
{
    char header[2 * JOB_HEADER_SIZE + 1];
    enum status status = blob_addf(
        out,
        "{\"site\":{\"pack\":%" PRIu32 ",\"product\":%" PRIu32 "},\"m\":%" PRIu64
        ",\"n\":%" PRIu64 ",\"k\":%" PRIu64 ",\"r\":%" PRIu64,
        share->site.pack, share->site.product, share->m, share->n, share->k, share->rank);
    if (!status)
        status = add_indices(out, "rows", share->rows, share->row_count);
    if (!status)
        status = add_indices(out, "cols", share->columns, share->column_count);
    hex_encode(share->job->header, JOB_HEADER_SIZE, header);
    if (!status)
        status = blob_addf(
            out, ",\"ticket\":\"%s\",\"header\":\"%s\",\"cert_version\":%" PRIu32 "}\n",
            ticket, header, share->job->cert_version);
    return status;
}

static enum status write_named(const struct task_prove *prove, const char *ticket,
                               const char *ending, struct bytes data, struct error *err)
{
    char name[2 * DIGEST_SIZE + 16], path[PATH_SIZE];

    (void)snprintf(name, sizeof name, "%s%s", ticket, ending);
    const enum status status = file_join(prove->folder, name, path, sizeof path, err);
    return status ? status : file_write(path, data, err);
}

static enum status file_share(struct task_prove *prove, const struct share *share,
                              struct error *err)
{
    char ticket[2 * DIGEST_SIZE + 1];
    struct blob facts = blob_empty(FACTS_SIZE);

    hex_encode(share->ticket, DIGEST_SIZE, ticket);
    enum status status = describe(share, ticket, &facts);
    if (!status)
        status =
            write_named(prove, ticket, ".proof", blob_bytes(&share->plain_proof), err);
    if (!status)
        status = write_named(prove, ticket, ".json", blob_bytes(&facts), err);
    blob_free(&facts);
    prove->proofs += status == STATUS_OK;
    return status;
}

static enum status prove_one(struct task_prove *prove, const struct finding *finding,
                             struct error *err)
{
    struct share *share = NULL;
    enum status status = prove->scheme->prove(finding, &share, err);

    if (status) {
        error_prefix(err, "a finding of pack %" PRIu32 ", product %" PRIu32,
                     finding->site.pack, finding->site.product);
        return status;
    }
    status = file_share(prove, share, err);
    share_free(share);
    return status;
}

/* Goes on after a failure, so that the port never waits for a full queue. */
static void prove_main(void *context)
{
    struct task_prove *prove = context;
    void *thing;

    while (!queue_take(prove->found, QUEUE_FOREVER, &thing)) {
        const struct outgoing *outgoing = thing;
        struct error err = {0};
        assert(outgoing->kind == OUTGOING_FINDING);
        const enum status status = prove_one(prove, outgoing->as.finding, &err);
        if (status && !prove->status) {
            prove->status = status;
            prove->err = err;
        }
        outgoing_free(thing);
    }
}

static enum status begin(struct task_prove *prove, const struct job *job,
                         struct matmul_port *below, struct model_shape largest,
                         struct error *err)
{
    enum status status = mailbox_new(job_hold, job_drop, &prove->jobs);
    if (!status)
        status = queue_new(FOUND_MAX, outgoing_free, &prove->found);
    struct job *held = status ? NULL : job_new(job);
    if (!held)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a job");
    mailbox_put(prove->jobs, held);

    const struct pow_limits limits = {
        .m = (uint32_t)largest.m,
        .n = (uint32_t)largest.n,
        .k = (uint32_t)largest.k,
        .hits = HITS_MAX,
    };
    const struct pow_outlet outlet = {.findings = prove->found};
    status = prove->scheme->begin(prove->jobs, below, &limits, &outlet, &prove->run, err);
    if (status)
        return status;
    prove->scheme->assign(prove->run, "");
    status = thread_start("prove", prove_main, prove, &prove->thread);
    return status ? error_set(err, status, "the proving thread does not start")
                  : STATUS_OK;
}

enum status task_prove_begin(const char *folder, const struct job *job,
                             struct matmul_port *below, struct model_shape largest,
                             struct task_prove **out, struct error *err)
{
    *out = NULL;
    enum status status = file_make_folder(folder, err);
    if (status)
        return status;
    struct task_prove *prove = memory_new(struct task_prove);
    if (!prove)
        return error_set(err, STATUS_NO_MEMORY, "no memory for proving");
    prove->scheme = &scheme_noisy_gemm;
    prove->folder = memory_text(folder);
    status = prove->folder ? begin(prove, job, below, largest, err)
                           : error_set(err, STATUS_NO_MEMORY, "no memory for proving");
    if (status) {
        task_prove_end(prove);
        return status;
    }
    *out = prove;
    return STATUS_OK;
}

struct matmul_port *task_prove_port(struct task_prove *prove)
{
    return prove->scheme->port(prove->run);
}

enum status task_prove_prepare(struct task_prove *prove, struct weights *weights,
                               struct error *err)
{
    return prove->scheme->prepare(prove->run, weights, err);
}

enum status task_prove_finish(struct task_prove *prove, uint64_t *proofs,
                              struct error *err)
{
    queue_close(prove->found);
    thread_join(prove->thread);
    prove->thread = NULL;
    *proofs = prove->proofs;
    if (prove->status && err)
        *err = prove->err;
    return prove->status;
}

void task_prove_end(struct task_prove *prove)
{
    if (!prove)
        return;
    if (prove->found)
        queue_close(prove->found);
    thread_join(prove->thread);
    if (prove->run)
        prove->scheme->end(prove->run);
    queue_free(prove->found);
    mailbox_free(prove->jobs);
    memory_free(prove->folder);
    memory_free(prove);
}
