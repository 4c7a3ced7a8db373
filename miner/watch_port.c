/*
 * watch_port.c - looks up between two products, and counts what the last one was worth.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/watch_port.h"

#include <assert.h>

#include "miner/base/clock.h"

bool watch_port_is_cancelled(const struct watch_port *watch)
{
    return watch->pool && watch->task_id &&
           pool_is_cancelled(watch->pool, watch->task_id);
}

static enum status watch_port_run(struct matmul_port *port, const struct matmul *product)
{
    struct watch_port *watch = (struct watch_port *)port;
    const double before = watch->below->hashes;

    if (watch_port_is_cancelled(watch) || stop_is_due(watch->stop, clock_ms(), 0))
        return STATUS_CANCELLED;
    const enum status status = matmul_run(watch->below, product);
    if (watch->below->hashes > before)
        ledger_hashes(watch->ledger, watch->device, watch->below->hashes - before,
                      watch->task_id != NULL, clock_ms());
    return status;
}

static enum status watch_port_drain(struct matmul_port *port)
{
    return matmul_drain(((struct watch_port *)port)->below);
}

void watch_port_begin(struct watch_port *watch, struct device *device)
{
    assert(device);
    watch->port = (struct matmul_port){
        .run = watch_port_run, .drain = watch_port_drain, .device = device};
}
