/*
 * opencl_call.c - slices by measurement.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/opencl/opencl_call.h"

#include <assert.h>

#include "backends/opencl/opencl_device.h"

/* A slice aims at 8 ms; growing at most fourfold from what was measured, it stays below
 * 50 even where later units take longer. */
#define SLICE_NS 8e6
#define SHORT_NS 1e6
enum { GROWTH_MAX = 4, GROUPS_MAX = 32768 };

struct opencl_call opencl_call_begin(struct device *device, struct opencl_kernel *kernel)
{
    return (struct opencl_call){.device = device, .kernel = kernel, .next = 2};
}

void opencl_call_value(struct opencl_call *call, const void *value, size_t size)
{
    const cl_int code =
        call->device->api.clSetKernelArg(call->kernel->kernel, call->next++, size, value);

    call->code = call->code ? call->code : code;
}

void opencl_call_memory(struct opencl_call *call, cl_mem memory)
{
    opencl_call_value(call, memory ? &memory : NULL, sizeof memory);
}

void opencl_call_view(struct opencl_call *call, struct view view)
{
    const cl_ulong offset = view.buffer ? view.offset : 0;

    opencl_call_memory(call, view.buffer ? view.buffer->memory : NULL);
    opencl_call_value(call, &offset, sizeof offset);
}

bool opencl_is_over(const struct mining *mining)
{
    return mining && mining->count &&
           __atomic_load_n(mining->count, __ATOMIC_RELAXED) != mining->seen;
}

/* What an event that is over says of its kernel. */
static void learn(struct device *device, const struct opencl_launched *launched)
{
    struct opencl_kernel *kernel = launched->kernel;
    cl_ulong start = 0, end = 0;

    if (device->api.clGetEventProfilingInfo(launched->event, CL_PROFILING_COMMAND_START,
                                            sizeof start, &start, NULL) ||
        device->api.clGetEventProfilingInfo(launched->event, CL_PROFILING_COMMAND_END,
                                            sizeof end, &end, NULL) ||
        end <= start)
        return;
    const double ns = (double)(end - start) / (double)(launched->units * launched->work);
    /* Of a short one most is the launch itself. */
    if (kernel->ns == 0 || ns < kernel->ns || (double)(end - start) > SHORT_NS)
        kernel->ns = ns;
    if (launched->units > kernel->units_most)
        kernel->units_most = launched->units;
}

static enum status await(struct device *device, const struct opencl_launched *launched)
{
    const cl_int code = device->api.clWaitForEvents(1, &launched->event);

    if (!code)
        learn(device, launched);
    device->api.clReleaseEvent(launched->event);
    return code ? STATUS_DEVICE_LOST : STATUS_OK;
}

/* Takes the oldest out. */
static enum status pending_take(struct device *device)
{
    struct opencl_pending *pending = &device->pending;
    const struct opencl_launched oldest = pending->list[0];

    pending->count--;
    for (size_t i = 0; i < pending->count; i++)
        pending->list[i] = pending->list[i + 1];
    return await(device, &oldest);
}

static bool is_done(struct device *device, cl_event event)
{
    cl_int state = CL_QUEUED;

    return device->api.clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS,
                                      sizeof state, &state, NULL) ||
           state <= CL_COMPLETE;
}

/* Those that are over, and at least one where there is no room. */
static enum status pending_tidy(struct device *device)
{
    struct opencl_pending *pending = &device->pending;
    enum status status = STATUS_OK;

    while (
        !status && pending->count &&
        (pending->count == OPENCL_PENDING_MAX || is_done(device, pending->list[0].event)))
        status = pending_take(device);
    return status;
}

/* Units of the next slice out of so many. */
static uint64_t slice_units(const struct opencl_call *call, uint64_t left)
{
    const struct opencl_kernel *kernel = call->kernel;
    const uint64_t least =
        call->items ? call->device->head.info.threads : call->device->items;
    const uint64_t most = call->items ? GROUPS_MAX : UINT64_MAX;
    double units = (double)least;

    if (kernel->ns > 0) {
        const double grown = GROWTH_MAX * (double)kernel->units_most;

        units = SLICE_NS / (kernel->ns * (double)call->work);
        units = units < grown ? units : grown;
        units = units < 1 ? 1 : units;
    }
    const uint64_t wanted = units < (double)most ? (uint64_t)units : most;
    return wanted < left ? wanted : left;
}

static enum status slice_queue(struct opencl_call *call, uint64_t first, uint64_t last,
                               struct opencl_launched *out)
{
    struct device *device = call->device;
    const struct opencl_api *api = &device->api;
    const cl_ulong range[2] = {first, last};
    const uint64_t units = last - first;
    size_t local = call->items ? call->items : device->items, global;
    cl_int code = call->code;

    if (call->items)
        global = (size_t)units * local;
    else
        global = units < device->items_max ? (units + local - 1) / local * local
                                           : device->items_max;
    *out = (struct opencl_launched){
        .kernel = call->kernel, .units = units, .work = call->work};
    for (cl_uint i = 0; i < 2 && !code; i++)
        code = api->clSetKernelArg(call->kernel->kernel, i, sizeof range[i], &range[i]);
    if (!code)
        code = api->clEnqueueNDRangeKernel(device->queue, call->kernel->kernel, 1, NULL,
                                           &global, &local, 0, NULL, &out->event);
    if (!code)
        code = api->clFlush(device->queue);
    return opencl_status(code);
}

enum status opencl_call_run(struct opencl_call *call, uint64_t first, uint64_t last)
{
    struct device *device = call->device;
    enum status status = pending_tidy(device);

    call->work = call->work ? call->work : 1;
    while (!status && first < last) {
        const uint64_t units = slice_units(call, last - first);
        const bool is_last = units == last - first;
        const bool is_known = call->kernel->ns > 0;
        struct opencl_launched launched;

        status = slice_queue(call, first, first + units, &launched);
        first += units;
        if (status)
            return status;
        if (is_last && is_known)
            device->pending.list[device->pending.count++] = launched;
        else
            status = await(device, &launched);
        if (!status && !is_last && opencl_is_over(call->mining))
            return STATUS_STALE;
    }
    return status;
}

enum status opencl_call_settle(struct device *device)
{
    enum status status = STATUS_OK;

    while (!status && device->pending.count)
        status = pending_take(device);
    return status;
}

enum status opencl_call_finish(struct device *device)
{
    const enum status status = opencl_status(device->api.clFinish(device->queue));

    return status ? status : opencl_call_settle(device);
}

void opencl_pending_free(struct device *device)
{
    for (size_t i = 0; i < device->pending.count; i++)
        device->api.clReleaseEvent(device->pending.list[i].event);
    device->pending.count = 0;
}
