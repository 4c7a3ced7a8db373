/*
 * sweep.c - nothing of an earlier run is left in a GPU's second cache.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/sweep.h"

#include "backends/cuda/cuda_calls.h"
#include "miner/base/memory.h"

enum { SWEEP_TIMES = 2 }; /* the cache's size: it need not drop the oldest first */

struct sweep {
    struct device *device;
    struct buffer *room;
};

uint64_t sweep_cache_size(const struct device *device)
{
    int bytes = 0;

    if (device->head.backend != &backend_cuda ||
        device->driver.device_attribute(&bytes, CUDA_ATTRIBUTE_CACHE, device->number))
        return 0;
    return bytes > 0 ? (uint64_t)bytes : 0;
}

enum status sweep_open(const struct bench_setup *setup, struct sweep **out,
                       struct error *err)
{
    const uint64_t cache = sweep_cache_size(setup->device);
    enum status status;

    *out = NULL;
    if (((uint64_t)setup->m + setup->n) * setup->k > cache)
        return STATUS_OK;
    *out = memory_new(struct sweep);
    if (!*out)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a benchmark");
    (*out)->device = setup->device;
    status =
        device_buffer_new(setup->device, (size_t)(SWEEP_TIMES * cache), &(*out)->room);
    return status ? error_set(err, status, "no room to sweep a cache of %llu bytes: %s",
                              (unsigned long long)cache, status_text(status))
                  : STATUS_OK;
}

void sweep_close(struct sweep *sweep)
{
    if (sweep)
        device_buffer_free(sweep->device, sweep->room);
    memory_free(sweep);
}

enum status sweep_run(struct sweep *sweep)
{
    struct device *device = sweep ? sweep->device : NULL;
    enum status status = sweep ? cuda_enter(device) : STATUS_OK;

    if (status || !sweep)
        return status;
    status = cuda_check(device,
                        device->driver.set_bytes(cuda_view((struct view){sweep->room, 0}),
                                                 0, device_buffer_size(sweep->room),
                                                 device->order),
                        "sweeping the cache");
    return status ? status : device_finish(device);
}
