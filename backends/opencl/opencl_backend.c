/*
 * opencl_backend.c - OpenCL devices: opened, known answers reproduced, memory, launches.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "backends/in_turn.h"
#include "backends/near_tile.h"
#include "backends/opencl/opencl_device.h"
#include "backends/opencl/opencl_known.h"
#include "backends/opencl/opencl_program.h"
#include "miner/base/log.h"
#include "miner/base/memory.h"

static enum status opencl_probe(struct device_info *list, size_t cap, size_t *count)
{
    struct opencl_entries *entries = memory_new(struct opencl_entries);

    if (!entries)
        return STATUS_NO_MEMORY;
    opencl_probe_all(entries);
    *count = entries->count < cap ? entries->count : cap;
    for (size_t i = 0; i < *count; i++)
        list[i] = entries->list[i].info;
    memory_free(entries);
    return STATUS_OK;
}

static void kernels_free(struct device *device)
{
    for (size_t i = 0; i < KERNEL_COUNT; i++)
        if (device->kernels[i].kernel)
            device->api.clReleaseKernel(device->kernels[i].kernel);
    for (size_t i = 0; i < OWN_COUNT; i++)
        if (device->own[i].kernel)
            device->api.clReleaseKernel(device->own[i].kernel);
    memset(device->kernels, 0, sizeof device->kernels);
    memset(device->own, 0, sizeof device->own);
}

static void opencl_close(struct device *device)
{
    opencl_pending_free(device);
    opencl_scratch_free(device);
    kernels_free(device);
    opencl_program_free(device);
    if (device->queue)
        device->api.clReleaseCommandQueue(device->queue);
    if (device->context)
        device->api.clReleaseContext(device->context);
    memory_free(device);
}

static enum status kernel_take(struct device *device, const char *prefix,
                               const char *name, struct opencl_kernel *out,
                               struct error *err)
{
    char whole[64];
    cl_int code;

    snprintf(whole, sizeof whole, "%s_%s", prefix, name);
    out->kernel = device->api.clCreateKernel(device->program, whole, &code);
    if (!code)
        return STATUS_OK;
    out->kernel = NULL;
    return error_set(err, STATUS_NOT_SUPPORTED, "kernel %s cannot be made (%d)", whole,
                     code);
}

static enum status kernels_take(struct device *device, struct error *err)
{
    static const char *const own[] = {
#define OPENCL_OWN(name) #name,
#include "backends/opencl/opencl_own.def"
#undef OPENCL_OWN
    };
    enum status status = STATUS_OK;

    for (size_t i = 0; !status && i < KERNEL_COUNT; i++)
        status =
            kernel_take(device, "entry", kernel_table[i].name, &device->kernels[i], err);
    for (size_t i = 0; !status && i < OWN_COUNT; i++)
        status = kernel_take(device, "opencl", own[i], &device->own[i], err);
    return status;
}

/* The scalar cores once more with another size of work group (numerics.md 1.9): a
 * processor's compiler makes new code of a kernel for each size, and floats are where
 * that can show.  On PoCL they take 0.2 s when a driver is new and 2 ms from then on. The
 * product's kernels would take a second and a half, and integers have nothing to round;
 * that every kernel gives the same bits at other sizes is test_conformance_opencl's
 * claim.
 */
static enum status other_size_check(struct device *device, struct error *err)
{
    const uint32_t items = device->items, other = items % 2 ? 1 : items / 2;
    struct error why = {.status = STATUS_OK};
    enum status status;

    if (other == items)
        return STATUS_OK;
    device->items = other; /* of which items_max is a multiple, too */
    status = opencl_known_cores_check(device, &why);
    device->items = items;
    return status ? error_set(err, status, "in work groups of %u, %s", other,
                              error_text(&why))
                  : STATUS_OK;
}

/* The program of this row, with the barrier or without; MISMATCH: its answers are wrong.
 */
static enum status row_try(struct device *device, const struct opencl_build *build,
                           struct error *err)
{
    enum status status = opencl_program_make(device, build, err);

    if (!status)
        status = kernels_take(device, err);
    if (!status)
        status = opencl_known_cores_check(device, err);
    if (!status)
        status = other_size_check(device, err);
    if (!status)
        status = opencl_known_product_check(device, err);
    if (!status)
        return STATUS_OK;
    opencl_pending_free(device);
    opencl_scratch_free(device);
    kernels_free(device);
    opencl_program_free(device);
    return status;
}

/* Barrier or not is the driver's business with floats, so both are tried for a row. */
static enum status row_choose(struct device *device, const struct opencl_build *build,
                              struct error *err)
{
    enum status status;

    device->has_barrier = false;
    status = row_try(device, build, err);
    if (status != STATUS_MISMATCH)
        return status;
    log_warn("opencl", "%s: %s; its kernels are compiled with barriers",
             device->head.info.name, error_text(err));
    device->has_barrier = true;
    return row_try(device, build, err);
}

static bool is_candidate(const struct device *device, const struct opencl_matmul *row,
                         const char *variant)
{
    if (variant)
        return strcmp(row->name, variant) == 0;
    if (strcmp(row->name, "emulated") == 0)
        return false;
    return row->cell_items == 1 || device->head.info.is_gpu;
}

static enum status variant_choose(struct device *device, const struct opencl_build *build,
                                  const char *variant, struct error *err)
{
    enum status status = error_set(err, STATUS_ABSENT, "%s cannot run here",
                                   variant ? variant : "nothing");

    for (size_t i = 0; status && i < opencl_matmul_count; i++) {
        const struct opencl_matmul *row = &opencl_matmul_table[i];

        if (!is_candidate(device, row, variant) ||
            !opencl_matmul_suits(row, &device->api, device->id))
            continue;
        device->row = row;
        status = row_choose(device, build, err);
        if (status && row->cell_items > 1)
            log_warn("opencl", "%s: its %s kernels are left out: %s",
                     device->head.info.name, row->name, error_text(err));
    }
    return status;
}

/* How launches of kernels that take any range are shaped: one size of group for all. */
static void lanes_choose(struct device *device)
{
    enum { ITEMS_GPU = 64, ITEMS_CPU = 16, GROUPS_CPU = 64, GROUPS_GPU = 64 };
    const struct device_info *info = &device->head.info;
    const uint64_t most =
        opencl_device_number(&device->api, device->id, CL_DEVICE_MAX_WORK_GROUP_SIZE);
    const uint32_t wanted = info->is_gpu ? ITEMS_GPU : ITEMS_CPU;
    const uint32_t groups = info->is_gpu ? GROUPS_GPU : GROUPS_CPU;
    const uint32_t units = info->threads ? info->threads : 1;

    device->items = most && most < wanted ? (uint32_t)most : wanted;
    device->items_max = units > 4096 ? 4096 * groups : units * groups;
    device->items_max *= device->items;
}

static enum status queue_make(struct device *device, struct error *err)
{
    cl_int code;

    device->context =
        device->api.clCreateContext(NULL, 1, &device->id, NULL, NULL, &code);
    if (!code)
        device->queue = device->api.clCreateCommandQueue(
            device->context, device->id, CL_QUEUE_PROFILING_ENABLE, &code);
    return code ? error_set(err, opencl_status(code), "no queue can be made (%d)", code)
                : STATUS_OK;
}

static enum status device_make(struct device *device, const struct opencl_entries *all,
                               uint32_t index, const struct device_options *options,
                               struct error *err)
{
    const struct opencl_entry *entry = &all->list[index];
    const struct opencl_build build = {
        .platform = entry->platform,
        .folder = options ? options->kernel_cache : NULL,
    };
    struct device_info *info = &device->head.info;
    enum status status;

    device->head.backend = &backend_opencl;
    device->api = all->api;
    device->id = entry->device;
    *info = entry->info;
    lanes_choose(device);
    status = queue_make(device, err);
    if (!status)
        status = variant_choose(device, &build, options ? options->variant : NULL, err);
    if (status)
        return status;
    snprintf(info->variant, sizeof info->variant, "%s%s", device->row->name,
             device->has_barrier ? " barrier" : "");
    return STATUS_OK;
}

static enum status entry_check(const struct opencl_entries *all, uint32_t index,
                               struct error *err)
{
    if (index >= all->count)
        return error_set(err, STATUS_NO_DEVICE,
                         "opencl: no device %u, expected a number below %zu", index,
                         all->count);
    if (all->list[index].info.reason[0])
        return error_set(err, STATUS_NO_DEVICE, "opencl: %s",
                         all->list[index].info.reason);
    return STATUS_OK;
}

static enum status opencl_open(uint32_t index, const struct device_options *options,
                               struct device **out, struct error *err)
{
    struct opencl_entries *all = memory_new(struct opencl_entries);
    struct device *device = memory_new(struct device);
    enum status status = all && device ? STATUS_OK
                                       : error_set(err, STATUS_NO_MEMORY,
                                                   "opencl: no memory for a device");
    struct error why = {.status = STATUS_OK};

    if (!status) {
        opencl_probe_all(all);
        status = entry_check(all, index, err);
    }
    if (!status) {
        status = device_make(device, all, index, options, &why);
        if (status)
            error_fill(err, status, "opencl: %s: %s", all->list[index].info.name,
                       error_text(&why));
    }
    memory_free(all);
    if (status) {
        if (device)
            opencl_close(device);
        return status;
    }
    *out = device;
    return STATUS_OK;
}

enum status opencl_memory_new(struct device *device, uint64_t size, cl_mem *out)
{
    enum { ROUND = 64 }; /* whole vectors may be read at an end */
    static const cl_uint zero = 0;
    const uint64_t all = (size / ROUND + 1) * ROUND;
    cl_int code;

    *out = NULL;
    if (all > device->head.info.piece_bytes)
        return STATUS_NO_MEMORY;
    *out = device->api.clCreateBuffer(device->context, CL_MEM_READ_WRITE, (size_t)all,
                                      NULL, &code);
    if (code) {
        *out = NULL;
        return opencl_status(code);
    }
    /* Many drivers take the memory when it is first used: that is now, not in a step. */
    code = device->api.clEnqueueFillBuffer(device->queue, *out, &zero, sizeof zero, 0,
                                           sizeof zero, 0, NULL, NULL);
    if (code) {
        device->api.clReleaseMemObject(*out);
        *out = NULL;
    }
    return opencl_status(code);
}

void opencl_memory_free(struct device *device, cl_mem memory)
{
    if (memory)
        device->api.clReleaseMemObject(memory);
}

static enum status opencl_buffer_new(struct device *device, size_t size,
                                     struct buffer **out)
{
    struct buffer *buffer = memory_new(struct buffer);
    enum status status = STATUS_NO_MEMORY;

    if (buffer)
        status = opencl_memory_new(device, size, &buffer->memory);
    if (status) {
        memory_free(buffer);
        return status;
    }
    *out = buffer;
    return STATUS_OK;
}

static void opencl_buffer_free(struct device *device, struct buffer *buffer)
{
    opencl_memory_free(device, buffer->memory);
    memory_free(buffer);
}

static enum status opencl_write(struct device *device, struct buffer *to, size_t offset,
                                const void *from, size_t size)
{
    return opencl_status(device->api.clEnqueueWriteBuffer(
        device->queue, to->memory, CL_TRUE, offset, size, from, 0, NULL, NULL));
}

static enum status opencl_read(struct device *device, const struct buffer *from,
                               size_t offset, void *to, size_t size)
{
    const enum status status = opencl_status(device->api.clEnqueueReadBuffer(
        device->queue, from->memory, CL_TRUE, offset, size, to, 0, NULL, NULL));

    return status ? status : opencl_call_settle(device);
}

/* What the scalars of each row of kernels.def take, in bytes. */
typedef uint32_t u32;
typedef uint64_t u64;
typedef float f32;
static const uint8_t scalar_sizes[KERNEL_COUNT][KERNEL_SCALARS_MAX] = {
#define SCALARS0()                                                                       \
    {                                                                                    \
        0                                                                                \
    }
#define SCALARS1(a)                                                                      \
    {                                                                                    \
        sizeof(a)                                                                        \
    }
#define SCALARS2(a, b)                                                                   \
    {                                                                                    \
        sizeof(a), sizeof(b)                                                             \
    }
#define SCALARS3(a, b, c)                                                                \
    {                                                                                    \
        sizeof(a), sizeof(b), sizeof(c)                                                  \
    }
#define SCALARS4(a, b, c, d)                                                             \
    {                                                                                    \
        sizeof(a), sizeof(b), sizeof(c), sizeof(d)                                       \
    }
#define SCALARS5(a, b, c, d, e)                                                          \
    {                                                                                    \
        sizeof(a), sizeof(b), sizeof(c), sizeof(d), sizeof(e)                            \
    }
#define SCALARS6(a, b, c, d, e, f)                                                       \
    {                                                                                    \
        sizeof(a), sizeof(b), sizeof(c), sizeof(d), sizeof(e), sizeof(f)                 \
    }
#define KERNEL(name, folder, file, views, scalars) [KERNEL_##name] = scalars,
#include "kernels/kernels.def"
#undef KERNEL
};

/* What a unit takes, as far as the scalars say: calls of one kernel are compared by it.
 */
static uint64_t unit_work(const struct launch *launch)
{
    const union scalar *s = launch->scalars;

    switch (launch->kernel) {
    case KERNEL_matmul_i8: /* n k */
    case KERNEL_denoise:   /* n rank */
    case KERNEL_bfp12:     /* heads head_dim */
        return (uint64_t)s[0].u32 * s[1].u32;
    case KERNEL_ticket_fold: /* h w k */
        return (uint64_t)s[0].u32 * s[1].u32 * s[2].u32;
    case KERNEL_quantise7:  /* k_padded */
    case KERNEL_quantise14: /* k_padded */
    case KERNEL_dequantise: /* n */
        return s[1].u32;
    case KERNEL_attention: /* head_dim; how many keys it has, only the spans know */
        return s[2].u32;
    case KERNEL_layer_norm:
    case KERNEL_rms_norm:
    case KERNEL_mean_pool:
    case KERNEL_embed:
    case KERNEL_noise_add:
    case KERNEL_lowrank_x:
    case KERNEL_lowrank_y:
        return s[0].u32;
    default:
        return 1;
    }
}

static enum status opencl_launch(struct device *device, const struct launch *launch)
{
    struct opencl_call call = opencl_call_begin(device, &device->kernels[launch->kernel]);
    const struct kernel_info *info = &kernel_table[launch->kernel];

    for (uint32_t i = 0; i < info->views; i++)
        opencl_call_view(&call, launch->views[i]);
    for (uint32_t i = 0; i < info->scalars; i++)
        opencl_call_value(&call, &launch->scalars[i], scalar_sizes[launch->kernel][i]);
    call.work = unit_work(launch);
    return opencl_call_run(&call, launch->first, launch->last);
}

/* Slice after slice is waited for: nothing is prepared beside a product. */
static enum status opencl_prepare(struct device *device, const struct multiply *multiply)
{
    (void)device;
    (void)multiply;
    return STATUS_OK;
}

static enum status opencl_finish(struct device *device)
{
    return opencl_call_finish(device);
}

/* Any tile's folds are combined the same way. */
static enum status opencl_plan(struct device *device, uint32_t m, uint32_t n, uint32_t k,
                               uint32_t work_max, struct matmul_plan *out)
{
    (void)device;
    (void)k;
    return near_tile_plan(m, n, work_max, out);
}

const struct backend backend_opencl = {
    .abi = BACKEND_ABI,
    .name = "opencl",
    .absent = NULL,
    .probe = opencl_probe,
    .open = opencl_open,
    .close = opencl_close,
    .buffer_new = opencl_buffer_new,
    .buffer_free = opencl_buffer_free,
    .write = opencl_write,
    .read = opencl_read,
    .launch = opencl_launch,
    .launch_then = in_turn_launch,
    .finish = opencl_finish,
    .packed_new = opencl_packed_new,
    .packed_free = opencl_packed_free,
    .pack = opencl_pack,
    .reserve = opencl_reserve,
    .prepare = opencl_prepare,
    .multiply = opencl_multiply,
    .plan = opencl_plan,
};
