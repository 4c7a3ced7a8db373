/*
 * noisy_gemm_findings.c - from a device's hits to findings in the queue.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/pow/noisy_gemm_findings.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "miner/base/clock.h"
#include "miner/base/log.h"
#include "miner/base/memory.h"
#include "miner/pow/merkle.h"

enum { QUEUE_WAIT_MS = 1000 }; /* a prover needs some 10 ms a finding */

enum status findings_outlet_open(struct findings_outlet *outlet,
                                 const struct pow_outlet *to, uint32_t hits_max)
{
    const size_t units = 1 + hits_max; /* the head is smaller than a hit */

    _Static_assert(sizeof(struct hits) <= sizeof(struct hit), "a unit holds the head");
    *outlet = (struct findings_outlet){.to = *to,
                                       .hits = memory_array(units, sizeof(struct hit))};
    return outlet->hits ? STATUS_OK : STATUS_NO_MEMORY;
}

void findings_outlet_close(struct findings_outlet *outlet)
{
    memory_free(outlet->hits);
    outlet->hits = NULL;
}

static enum status view_read(struct device *device, struct view view, uint64_t offset,
                             void *to, uint64_t size)
{
    return device_read(device, view.buffer, (size_t)(view.offset + offset), to,
                       (size_t)size);
}

/* Neighbouring chunks with one read; behind the operand's end the chunks stay zero. */
static enum status opening_read_chunks(struct opening *out, struct device *device,
                                       const struct findings_operand *operand, uint64_t k)
{
    const uint64_t size = operand->rows * k;
    enum status status = STATUS_OK;

    for (uint64_t i = 0, run; i < out->chunk_count && !status; i += run) {
        const uint64_t start = out->chunk_indices[i] * CHUNK_SIZE;
        for (run = 1; i + run < out->chunk_count &&
                      out->chunk_indices[i + run] == out->chunk_indices[i] + run;)
            run++;
        const uint64_t wanted = run * CHUNK_SIZE, there = size - start;
        status = view_read(device, operand->values, start, out->chunks + i * CHUNK_SIZE,
                           wanted < there ? wanted : there);
    }
    return status;
}

static enum status opening_read(struct opening *out, struct device *device,
                                const struct findings_operand *operand,
                                const struct merkle_plan *plan, uint64_t k)
{
    enum status status;

    memcpy(out->root, operand->root, DIGEST_SIZE);
    memcpy(out->chunk_indices, plan->chunks, plan->chunk_count * sizeof *plan->chunks);
    status = opening_read_chunks(out, device, operand, k);
    for (uint64_t i = 0; i < plan->sibling_count && !status; i++)
        status = view_read(device, operand->tree, plan->siblings[i] * DIGEST_SIZE,
                           out->siblings + i * DIGEST_SIZE, DIGEST_SIZE);
    return status;
}

/* The opening of a tile's rows. */
static enum status opening_make(struct opening *out, struct device *device,
                                const struct findings_operand *operand,
                                const struct pattern *pattern, uint32_t start, uint64_t k)
{
    const uint64_t total = merkle_chunks(operand->rows, k);
    uint64_t rows[PATTERN_COUNT_MAX];
    struct merkle_plan plan;
    enum status status;

    for (uint32_t i = 0; i < pattern->count; i++)
        rows[i] = (uint64_t)start + pattern->offsets[i];
    status = merkle_plan_new(rows, pattern->count, k, total, &plan);
    if (status)
        return status;
    out->chunk_count = plan.chunk_count;
    out->chunk_total = total;
    out->sibling_count = plan.sibling_count;
    out->row_count = pattern->count;
    status = opening_reserve(out);
    if (!status) {
        memcpy(out->rows, rows, pattern->count * sizeof *rows);
        status = opening_read(out, device, operand, &plan, k);
    }
    merkle_plan_free(&plan);
    return status;
}

/* A device that claims a tile outside the product is broken: MISMATCH. */
static bool hit_is_inside(const struct findings_source *source, const struct hit *hit)
{
    const struct pattern *rows = &source->configuration->rows;
    const struct pattern *columns = &source->configuration->columns;

    return (uint64_t)hit->row + rows->offsets[rows->count - 1] < source->a.rows &&
           (uint64_t)hit->column + columns->offsets[columns->count - 1] < source->b.rows;
}

static enum status finding_fill(struct finding *finding,
                                const struct findings_outlet *outlet,
                                const struct findings_source *source,
                                const struct hit *hit)
{
    const struct configuration *c = source->configuration;
    enum status status;

    finding->job = job_keep(source->job);
    memcpy(finding->task_id, source->task_id, strlen(source->task_id) + 1);
    finding->site = source->site;
    memcpy(finding->ticket, hit->ticket, sizeof finding->ticket);
    finding->device = outlet->to.device;
    finding->found_ms = clock_ms();
    finding->proof.m = source->a.rows;
    finding->proof.n = source->b.rows;
    finding->proof.k = c->k;
    finding->proof.rank = c->rank;
    status = opening_make(&finding->proof.a, source->device, &source->a, &c->rows,
                          hit->row, c->k);
    return status ? status
                  : opening_make(&finding->proof.b, source->device, &source->b,
                                 &c->columns, hit->column, c->k);
}

/* TIMEOUT: the queue stayed full; CLOSED: nobody wants findings any more. */
static enum status finding_send(const struct findings_outlet *outlet,
                                const struct findings_source *source,
                                const struct hit *hit, uint64_t wait_ms)
{
    struct finding *finding = memory_new(struct finding);
    struct outgoing *outgoing;
    enum status status = STATUS_NO_MEMORY;

    if (finding)
        status = finding_fill(finding, outlet, source, hit);
    if (status) {
        finding_free(finding);
        return status;
    }
    outgoing = outgoing_finding(finding);
    if (!outgoing)
        return STATUS_NO_MEMORY;
    status = queue_put(outlet->to.findings, outgoing, wait_ms);
    if (status)
        outgoing_free(outgoing);
    return status;
}

static int hit_order(const void *a, const void *b)
{
    const struct hit *x = a, *y = b;

    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return x->column < y->column ? -1 : x->column > y->column;
}

/* The hits that the device kept, sorted; the rest is counted. */
static enum status hits_read(struct findings_outlet *outlet, struct device *device,
                             const struct buffer *buffer, uint32_t hits_max)
{
    struct hits *hits = outlet->hits;
    enum status status = device_read(device, buffer, 0, hits, sizeof *hits);

    if (status || !hits->count)
        return status;
    if (hits->count > hits_max) {
        outlet->dropped += hits->count - hits_max;
        log_warn("pow",
                 "device %u: %u hits in one product, %u kept; the target is too easy",
                 outlet->to.device, hits->count, hits_max);
        hits->count = hits_max;
    }
    status = device_read(device, buffer, sizeof *hits, hits->hit,
                         hits->count * sizeof *hits->hit);
    if (!status)
        qsort(hits->hit, hits->count, sizeof *hits->hit, hit_order);
    return status;
}

enum status findings_send(struct findings_outlet *outlet,
                          const struct findings_source *source,
                          const struct buffer *buffer, uint32_t hits_max)
{
    const struct hits *hits = outlet->hits;
    uint32_t dropped = 0;
    enum status status = hits_read(outlet, source->device, buffer, hits_max);

    for (uint32_t i = 0; !status && i < hits->count; i++) {
        if (!hit_is_inside(source, &hits->hit[i]))
            return STATUS_MISMATCH;
        /* A queue that stayed full once is not waited for again. */
        status = finding_send(outlet, source, &hits->hit[i], dropped ? 0 : QUEUE_WAIT_MS);
        if (status == STATUS_CLOSED)
            return STATUS_OK; /* the program is stopping */
        if (status == STATUS_TIMEOUT) {
            dropped++;
            status = STATUS_OK;
        }
    }
    if (dropped) {
        outlet->dropped += dropped;
        log_warn("pow",
                 "device %u: %u findings dropped, the prover is behind (%" PRIu64
                 " so far)",
                 outlet->to.device, dropped, outlet->dropped);
    }
    return status;
}
