/*
 * audit.c - the auditor's thread: takes questions, has packs run again, compares.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool/audit.h"

#include <string.h>

#include "miner/base/memory.h"
#include "miner/base/queue.h"
#include "miner/tasks/embeddings.h"
#include "pool-protocol/message_task.h"
#include "pool/recording.h"

enum { AUDITS_MAX = SERVER_CONNECTIONS_MAX + 1024, REST_MS = 5000 };

struct auditor {
    atomic_bool is_stopping; /* what is not answered yet never will be */
    struct queue *questions;
    struct thread *thread;
    struct recorder *recorder;
};

static enum status audit_row(struct recorder *recorder, const struct audit *audit,
                             struct error *err)
{
    const struct recording *recording;
    const struct site *site = &audit->row_site;
    const uint64_t k = work_shape(audit->work, site).k;
    struct blob row = blob_empty((size_t)k);
    enum status status = recorder_pack(recorder, audit->work, site, &recording, err);

    if (!status)
        status = recording_read(recording, site->product, audit->row * k, &row, k, err);
    if (!status && memcmp(row.data, audit->row_bytes, (size_t)k))
        status = error_set(err, STATUS_MISMATCH,
                           "row %llu of pack %u, product %u is not that of the task",
                           (unsigned long long)audit->row, site->pack, site->product);
    blob_free(&row);
    return status;
}

static enum status audit_root(struct recorder *recorder, const struct audit *audit,
                              struct error *err)
{
    const struct recording *recording;
    const struct site *site = &audit->root_site;
    uint8_t root[BLAKE3_SIZE];
    enum status status = recorder_pack(recorder, audit->work, site, &recording, err);

    if (!status)
        status = recording_root(recording, site->product, audit->job_key, root, err);
    if (!status && memcmp(root, audit->root, sizeof root))
        status =
            error_set(err, STATUS_MISMATCH,
                      "the left operand of pack %u, product %u is not that of the task",
                      site->pack, site->product);
    return status;
}

/* Outputs of the packs, in order, up to the first fault, which is the whole's answer. */
static enum status audit_packs(struct recorder *recorder, const struct work *work,
                               struct blob *outputs, struct blob *whole,
                               struct error *err)
{
    enum status status = STATUS_OK;

    for (uint32_t pack = 0; !status && pack < work->layout.packs; pack++) {
        const struct site site = {.pack = pack};
        const struct recording *recording;
        struct fault_record fault;

        status = recorder_pack(recorder, work, &site, &recording, err);
        if (status)
            break;
        if (fault_record_parse(blob_bytes(&recording->output), &fault)) {
            fault.pack = (int32_t)pack;
            return fault_record_write(&fault, whole, err);
        }
        if (work->layout.packs == 1)
            return blob_add(whole, recording->output.data, recording->output.size);
        outputs[pack] = blob_empty(recording->output.size);
        status = blob_add(&outputs[pack], recording->output.data, recording->output.size);
    }
    return status;
}

static enum status audit_whole(struct recorder *recorder, const struct work *work,
                               struct blob *whole, struct error *err)
{
    const uint32_t packs = work->layout.packs;
    struct blob *outputs = memory_array(packs, sizeof *outputs);
    struct bytes *parts = memory_array(packs, sizeof *parts);
    enum status status = outputs && parts ? STATUS_OK : STATUS_NO_MEMORY;

    if (!status)
        status = audit_packs(recorder, work, outputs, whole, err);
    for (uint32_t i = 0; !status && i < packs; i++)
        parts[i] = blob_bytes(&outputs[i]);
    if (!status && !whole->size)
        status = work->kind->join(parts, packs, whole, err);
    for (uint32_t i = 0; outputs && i < packs; i++)
        blob_free(&outputs[i]);
    memory_free(outputs);
    memory_free(parts);
    return status;
}

static enum status audit_output(struct recorder *recorder, const struct audit *audit,
                                struct error *err)
{
    struct blob whole = blob_empty(TASK_OUTPUT_MAX);
    enum status status = audit_whole(recorder, audit->work, &whole, err);

    if (!status && (whole.size != audit->output.size ||
                    memcmp(whole.data, audit->output.data, whole.size)))
        status = error_set(err, STATUS_MISMATCH,
                           "the result differs from what this pool computed itself");
    blob_free(&whole);
    return status;
}

static enum status audit_run(struct recorder *recorder, const struct audit *audit,
                             struct error *err)
{
    enum status status = STATUS_OK;

    if (audit->row_bytes)
        status = audit_row(recorder, audit, err);
    if (!status && audit->job_key)
        status = audit_root(recorder, audit, err);
    if (!status && audit->output.data)
        status = audit_output(recorder, audit, err);
    return status;
}

static void audit_cancel(void *question)
{
    struct audit *audit = question;
    const struct error err = {.status = STATUS_CANCELLED};

    audit->done(audit, STATUS_CANCELLED, &err);
}

static void auditor_main(void *context)
{
    struct auditor *auditor = context;
    void *question;

    for (;;) {
        const enum status taken = queue_take(auditor->questions, REST_MS, &question);
        if (taken == STATUS_CLOSED)
            return;
        if (taken) {
            recorder_rest(auditor->recorder);
            continue;
        }
        struct audit *audit = question;
        struct error err = {0};
        enum status status = STATUS_CANCELLED;
        if (!atomic_load(&auditor->is_stopping))
            status = audit_run(auditor->recorder, audit, &err);
        audit->done(audit, status, &err);
    }
}

enum status auditor_open(struct auditor **out, struct error *err)
{
    struct auditor *auditor = memory_new(struct auditor);
    enum status status;

    if (!auditor)
        return error_set(err, STATUS_NO_MEMORY, "no memory for audits");
    atomic_init(&auditor->is_stopping, false);
    status = recorder_open(&auditor->is_stopping, &auditor->recorder, err);
    if (!status && queue_new(AUDITS_MAX, audit_cancel, &auditor->questions))
        status = error_set(err, STATUS_NO_MEMORY, "no memory for audits");
    if (!status)
        status = thread_start("pool audit", auditor_main, auditor, &auditor->thread);
    if (status) {
        auditor_close(auditor);
        return status;
    }
    *out = auditor;
    return STATUS_OK;
}

void auditor_stop(struct auditor *auditor)
{
    atomic_store(&auditor->is_stopping, true);
    if (auditor->questions)
        queue_close(auditor->questions);
    thread_join(auditor->thread);
    auditor->thread = NULL;
}

void auditor_close(struct auditor *auditor)
{
    if (!auditor)
        return;
    auditor_stop(auditor);
    queue_free(auditor->questions);
    recorder_close(auditor->recorder);
    memory_free(auditor);
}

void auditor_ask(struct auditor *auditor, struct audit *audit)
{
    if (queue_put(auditor->questions, audit, QUEUE_FOREVER))
        audit_cancel(audit);
}
