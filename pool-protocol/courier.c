/*
 * courier.c - carries what is too big for a line.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/courier.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>

#include "miner/base/memory.h"
#include "miner/base/thread.h"
#include "pool-protocol/artifact_http.h"

enum { ERRANDS_MAX = 256 };

struct courier {
    const struct courier_options *options;
    struct queue *errands, *back;
    struct thread *thread;
    atomic_bool stop;
};

void errand_free(void *thing)
{
    struct errand *errand = thing;

    if (errand)
        assignment_free(errand->work);
    memory_free(errand);
}

static void courier_run(const struct courier *courier, struct errand *errand)
{
    const struct artifact_source source = {.url = errand->where.url,
                                           .token = errand->where.session,
                                           .proxy = courier->options->proxy,
                                           .ca_file = courier->options->ca_file,
                                           .stop = &courier->stop};
    struct error err = {0};

    if (errand->kind == ERRAND_FETCH)
        errand->status =
            artifact_http_get(&source, errand->work->input_hash, errand->work->input_size,
                              &errand->work->input, &err);
    else
        errand->status = artifact_http_put(&source, errand->data, &err);
    if (errand->status)
        snprintf(errand->text, sizeof errand->text, "%s", error_text(&err));
}

static void courier_main(void *context)
{
    struct courier *courier = context;
    void *errand = NULL;

    while (!queue_take(courier->errands, QUEUE_FOREVER, &errand)) {
        courier_run(courier, errand);
        if (queue_put(courier->back, errand, 0))
            errand_free(errand); /* only when it is stopping: nobody waits for it */
    }
}

enum status courier_start(const struct courier_options *options, struct courier **out,
                          struct error *err)
{
    struct courier *courier = memory_new(struct courier);

    *out = NULL;
    if (!courier)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a courier");
    courier->options = options;
    atomic_init(&courier->stop, false);
    if (queue_new(ERRANDS_MAX, errand_free, &courier->errands) ||
        queue_new(2 * ERRANDS_MAX, errand_free, &courier->back)) {
        courier_stop(courier);
        return error_set(err, STATUS_NO_MEMORY, "no memory for a courier");
    }
    queue_watch(courier->back, options->wake_fd);
    const enum status status =
        thread_start("courier", courier_main, courier, &courier->thread);
    if (status) {
        courier_stop(courier);
        return error_set(err, status, "no thread for a courier");
    }
    *out = courier;
    return STATUS_OK;
}

enum status courier_send(struct courier *courier, struct errand *errand)
{
    /* What is under way fits into back, so that the courier never waits for the pool
     * thread. */
    if (queue_count(courier->errands) + queue_count(courier->back) >= ERRANDS_MAX)
        return STATUS_FULL;
    return queue_put(courier->errands, errand, 0);
}

struct errand *courier_take(struct courier *courier)
{
    void *errand = NULL;

    return queue_take(courier->back, 0, &errand) ? NULL : errand;
}

void courier_stop(struct courier *courier)
{
    if (!courier)
        return;
    atomic_store(&courier->stop, true);
    if (courier->errands)
        queue_close(courier->errands);
    if (courier->back)
        queue_close(courier->back);
    thread_join(courier->thread);
    queue_free(courier->errands);
    queue_free(courier->back);
    memory_free(courier);
}
