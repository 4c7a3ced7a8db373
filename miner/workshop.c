/*
 * workshop.c - stations and ports, made when first needed and kept while they fit.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/workshop.h"

#include <assert.h>
#include <string.h>

#include "miner/base/log.h"
#include "miner/pow/noisy_gemm.h"
#include "miner/pow/shape.h"

enum {
    HITS_MAX = 64,   /* findings a product; more than a sane target ever gives */
    ROWS_STEP = 512, /* stations grow in such steps, so that similar tasks share one */
    IDLE_RANK = 128, /* the largest that a job asks for; a smaller one opens no more */
    IDLE_K = 4096,
    IDLE_K_SMALL = 2048, /* the smallest that suits it */
    /* 600,000 characters are what pools take. */
    PROOF_SIZE_MAX = 600000 / 4 * 3,
};

void workshop_begin(struct workshop *shop, struct device *device, uint32_t number,
                    const struct workshop_ports *ports)
{
    *shop = (struct workshop){.device = device, .number = number, .ports = *ports};
    matmul_port_plain(&shop->plain, device);
    watch_port_begin(&shop->watch, device);
    shop->watch.ledger = ports->ledger;
    shop->watch.device = number;
    shop->watch.stop = ports->stop;
    shop->watch.pool = ports->pool;
}

static void station_drop(struct workshop *shop)
{
    if (shop->station)
        station_teardown(shop->station);
    artifact_close(shop->artifact);
    shop->station = NULL;
    shop->artifact = NULL;
}

static void idle_drop(struct workshop *shop)
{
    idle_free(shop->idle);
    shop->idle = NULL;
}

static void pow_drop(struct workshop *shop)
{
    if (shop->pow)
        scheme_noisy_gemm.end(shop->pow);
    shop->pow = NULL;
}

void workshop_end(struct workshop *shop)
{
    idle_drop(shop);
    station_drop(shop);
    pow_drop(shop);
    *shop = (struct workshop){0};
}

static uint32_t larger(uint64_t a, uint32_t b)
{
    return a > b ? (uint32_t)a : b;
}

enum status workshop_rest(struct workshop *shop)
{
    return shop->pow ? matmul_drain(&shop->watch.port) : STATUS_OK;
}

/* A proof-of-work run with room for shape; what there was stays where it suffices. */
static enum status pow_fit(struct workshop *shop, struct model_shape shape,
                           struct error *err)
{
    const struct pow_limits old = shop->limits;
    const struct pow_outlet outlet = {.findings = shop->ports.findings,
                                      .device = shop->number};

    if (shape.m > UINT32_MAX || shape.n > UINT32_MAX || shape.k > UINT32_MAX)
        return error_set(err, STATUS_NOT_SUPPORTED,
                         "a product is larger than 2^32 a side");
    if (shop->pow && shape.m <= old.m && shape.n <= old.n && shape.k <= old.k)
        return STATUS_OK;
    pow_drop(shop);
    shop->limits = (struct pow_limits){.m = larger(shape.m, old.m),
                                       .n = larger(shape.n, old.n),
                                       .k = larger(shape.k, old.k),
                                       .hits = HITS_MAX};
    const enum status status = scheme_noisy_gemm.begin(
        shop->ports.jobs, &shop->plain, &shop->limits, &outlet, &shop->pow, err);
    if (status) {
        shop->pow = NULL;
        shop->limits = (struct pow_limits){0};
        return status;
    }
    shop->watch.below = scheme_noisy_gemm.port(shop->pow);
    return STATUS_OK;
}

/* Opens the model of the assignment, from wherever it can be had. */
static enum status model_fetch(struct workshop *shop, const struct assignment *work,
                               struct error *err)
{
    struct pool_artifacts place = {0};
    struct artifact_source source = {.url = place.url,
                                     .proxy = shop->ports.proxy,
                                     .ca_file = shop->ports.ca_file,
                                     .stop = &shop->ports.stop->is_asked};

    if (shop->ports.pool)
        pool_artifacts(shop->ports.pool, &place);
    return model_shelf_find(shop->ports.shelf, work->model, &source, &shop->artifact,
                            err);
}

static bool station_fits(const struct workshop *shop, const struct assignment *work)
{
    const struct station_head *head = (const struct station_head *)shop->station;

    if (!head || strcmp(head->kind->name, work->kind))
        return false;
    return head->kind->needs_model ? !strcmp(artifact_id(head->artifact), work->model)
                                   : !*work->model;
}

static enum status station_fit(struct workshop *shop, const struct task_kind *kind,
                               uint64_t rows, struct error *err)
{
    const struct station_head *head = (const struct station_head *)shop->station;
    const uint64_t rounded = (rows + ROWS_STEP - 1) / ROWS_STEP * ROWS_STEP;

    if (head && head->rows >= rows)
        return STATUS_OK;
    if (rounded > UINT32_MAX)
        return error_set(err, STATUS_NOT_SUPPORTED, "a pack of %llu rows is too large",
                         (unsigned long long)rows);
    if (shop->station)
        station_teardown(shop->station);
    shop->station = NULL;
    const struct task_options options = {.artifact = shop->artifact,
                                         .rows = (uint32_t)rounded};
    return station_setup(kind, shop->device, &options, &shop->station, err);
}

static enum status assignment_fit(struct workshop *shop, const struct task_kind *kind,
                                  const struct assignment *work, struct error *err)
{
    struct task_layout layout = {0};
    enum status status = task_layout_make(shop->artifact, work, &layout, err);

    if (!status)
        status =
            station_fit(shop, kind, kind->needs_model ? layout.rows_longest : 0, err);
    if (!status)
        status = pow_fit(shop, task_shape_max(shop->artifact, work, &layout), err);
    shop->products = layout.products;
    shop->output_size = layout.output_size;
    task_layout_free(&layout);
    return status;
}

enum status workshop_prepare(struct workshop *shop, const struct assignment *work,
                             struct error *err)
{
    const struct task_kind *kind = task_kind_find(work->kind);
    enum status status = workshop_rest(shop);

    assert(kind); /* asked before the task was accepted */
    if (status)
        return status;
    if (!station_fits(shop, work)) {
        station_drop(shop);
        if (kind->needs_model)
            status = model_fetch(shop, work, err);
    }
    if (!status)
        status = assignment_fit(shop, kind, work, err);
    if (status != STATUS_NO_MEMORY || !shop->idle)
        return status;
    /* Generated matrices are the first to go when memory is short. */
    idle_drop(shop);
    return assignment_fit(shop, kind, work, err);
}

enum status workshop_equip(struct workshop *shop, const struct task *task,
                           struct error *err)
{
    enum status status = STATUS_OK;

    for (uint32_t i = 0; !status && i < shop->products; i++) {
        struct weights *operand = task_operand(task, i);
        if (operand)
            status = scheme_noisy_gemm.prepare(shop->pow, operand, err);
    }
    return status;
}

struct matmul_port *workshop_port(struct workshop *shop, const char *task_id)
{
    assert(shop->pow);
    noisy_gemm_dictate(shop->pow, NULL);
    shop->watch.task_id = *task_id ? task_id : NULL;
    scheme_noisy_gemm.assign(shop->pow, task_id);
    return &shop->watch.port;
}

const struct matmul_port *workshop_counters(const struct workshop *shop)
{
    return shop->watch.below;
}

static bool same_shape(struct model_shape a, struct model_shape b)
{
    return a.m == b.m && a.n == b.n && a.k == b.k;
}

/* Whether a proof of the device's own tile is small enough for every pool. */
static bool proof_fits(struct workshop *shop, struct model_shape shape)
{
    struct matmul_plan plan;

    if (device_plan(shop->device, (uint32_t)shape.m, (uint32_t)shape.n, (uint32_t)shape.k,
                    TILE_WORK_MAX, &plan))
        return false;
    const struct pow_shape proof = {.m = shape.m,
                                    .n = shape.n,
                                    .k = shape.k,
                                    .rank = IDLE_RANK,
                                    .h = plan.rows.count,
                                    .w = plan.columns.count};
    return pow_proof_size_max(&proof) <= PROOF_SIZE_MAX;
}

static enum status idle_choose(struct workshop *shop, const struct job_shape *dictated,
                               struct model_shape *out, struct error *err)
{
    enum status status;

    if (dictated->is_dictated) {
        *out = (struct model_shape){dictated->m, dictated->n, dictated->k};
        return idle_fits(shop->device, *out, err);
    }
    if (!shop->idle_side)
        shop->idle_side = IDLE_SIDE_FIRST;
    status = idle_shape(shop->device, shop->idle_side, IDLE_K, out, err);
    if (!status && !proof_fits(shop, *out))
        status = idle_shape(shop->device, shop->idle_side, IDLE_K_SMALL, out, err);
    return status;
}

static enum status idle_make(struct workshop *shop, const struct job_shape *dictated,
                             struct error *err)
{
    struct model_shape shape;
    enum status status = workshop_rest(shop);

    idle_drop(shop);
    if (!status)
        status = idle_choose(shop, dictated, &shape, err);
    if (!status)
        status = pow_fit(shop, shape, err);
    if (!status)
        status = idle_new(shop->device, shape, dictated->is_dictated, &shop->idle, err);
    if (!status)
        status = scheme_noisy_gemm.prepare(shop->pow, idle_operand(shop->idle), err);
    if (status) {
        idle_drop(shop);
        return status;
    }
    shop->idle_is_fixed = dictated->is_dictated;
    log_debug("miner", "device %u mines %llu x %llu x %llu", shop->number,
              (unsigned long long)shape.m, (unsigned long long)shape.n,
              (unsigned long long)shape.k);
    return STATUS_OK;
}

/* Whether what is there is what the job wants. */
static bool idle_suits(const struct workshop *shop, const struct job_shape *dictated)
{
    if (!shop->idle || shop->idle_is_fixed != dictated->is_dictated)
        return false;
    return !dictated->is_dictated ||
           same_shape(idle_shape_of(shop->idle),
                      (struct model_shape){dictated->m, dictated->n, dictated->k});
}

/* A fast device gets a larger shape, as long as it has the memory. */
static enum status idle_grow(struct workshop *shop, const struct job_shape *dictated,
                             struct error *err)
{
    struct model_shape larger_one;
    const uint64_t side = shop->idle_side * 2;

    if (!idle_is_quick(shop->idle) || shop->idle_is_fixed || side > IDLE_SIDE_MAX)
        return STATUS_OK;
    shop->idle_side = side;
    const enum status status =
        idle_shape(shop->device, side, idle_shape_of(shop->idle).k, &larger_one, err);
    if (status || larger_one.m < side)
        return STATUS_OK; /* what there is will do */
    return idle_make(shop, dictated, err);
}

enum status workshop_idle(struct workshop *shop, const struct job *job, struct error *err)
{
    enum status status = STATUS_OK;

    if (!idle_suits(shop, &job->shape))
        status = idle_make(shop, &job->shape, err);
    else
        status = idle_grow(shop, &job->shape, err);
    if (status)
        return status;
    struct matmul_port *port = workshop_port(shop, "");
    const uint64_t before = shop->watch.below->proved_macs;
    status = idle_run(shop->idle, port);
    if (status == STATUS_STALE)
        return STATUS_OK; /* the next attempt is under the new job */
    if (!status && shop->watch.below->proved_macs == before)
        return error_set(err, STATUS_NOT_SUPPORTED,
                         "the job's target leaves no ticket in a product of this shape");
    return status;
}
