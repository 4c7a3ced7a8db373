/*
 * naive_i8.c - runs bench/naive_i8.cl through OpenCL itself, beside the backend.
 *
 * In the clock: the kernel.  Its operands are there; nothing is packed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/naive/naive.h"

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/clock.h"
#include "miner/base/file.h"
#include "miner/base/memory.h"

enum { PLATFORMS_MAX = 16, DEVICES_MAX = 64, TEXT_MAX = 1 << 16, CHECKED_ROWS = 8 };

struct bench {
    cl_context context;
    cl_command_queue queue;
    cl_program program;
    cl_kernel kernel;
    cl_mem a, b, c;
    uint32_t m, n, k;
};

static void naive_close(struct bench *bench)
{
    if (!bench)
        return;
    if (bench->a)
        clReleaseMemObject(bench->a);
    if (bench->b)
        clReleaseMemObject(bench->b);
    if (bench->c)
        clReleaseMemObject(bench->c);
    if (bench->kernel)
        clReleaseKernel(bench->kernel);
    if (bench->program)
        clReleaseProgram(bench->program);
    if (bench->queue)
        clReleaseCommandQueue(bench->queue);
    if (bench->context)
        clReleaseContext(bench->context);
    memory_free(bench);
}

static cl_device_id device_named(const char *name)
{
    cl_platform_id platforms[PLATFORMS_MAX];
    cl_device_id devices[DEVICES_MAX];
    cl_uint platform_count = 0, count = 0;
    char of_device[256];

    if (clGetPlatformIDs(PLATFORMS_MAX, platforms, &platform_count))
        return NULL;
    for (cl_uint p = 0; p < platform_count && p < PLATFORMS_MAX; p++) {
        if (clGetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, DEVICES_MAX, devices,
                           &count))
            continue;
        for (cl_uint i = 0; i < count && i < DEVICES_MAX; i++) {
            memset(of_device, 0, sizeof of_device);
            clGetDeviceInfo(devices[i], CL_DEVICE_NAME, sizeof of_device - 1, of_device,
                            NULL);
            if (strstr(of_device, name))
                return devices[i];
        }
    }
    return NULL;
}

static enum status program_make(struct bench *bench, cl_device_id device,
                                struct error *err)
{
    struct blob text = blob_empty(TEXT_MAX);
    enum status status = file_read(NAIVE_TEXT, &text, err);
    cl_int code = CL_SUCCESS;

    if (!status) {
        const char *source = (const char *)text.data;

        bench->program =
            clCreateProgramWithSource(bench->context, 1, &source, NULL, &code);
    }
    blob_free(&text);
    if (status)
        return status;
    if (!code)
        code = clBuildProgram(bench->program, 1, &device, "-cl-std=CL1.2", NULL, NULL);
    if (!code)
        bench->kernel = clCreateKernel(bench->program, "naive_i8", &code);
    return code ? error_set(err, STATUS_NOT_SUPPORTED, "%s is not compiled (%d)",
                            NAIVE_TEXT, code)
                : STATUS_OK;
}

/* Generated as all benchmarks' operands are. */
static int8_t *operand_make(size_t lines, uint32_t k, uint64_t seed)
{
    int8_t *data = memory_array(lines, k);
    void *const views[] = {data};
    const union scalar scalars[] = {{.u64 = seed}};

    if (data)
        kernel_table[KERNEL_test_matrix].run(0, lines * k, views, scalars);
    return data;
}

static cl_int memories_make(struct bench *bench, int8_t *a, int8_t *b)
{
    const cl_mem_flags copied = CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR;
    cl_int codes[3], code = CL_SUCCESS;

    bench->a =
        clCreateBuffer(bench->context, copied, (size_t)bench->m * bench->k, a, &codes[0]);
    bench->b =
        clCreateBuffer(bench->context, copied, (size_t)bench->n * bench->k, b, &codes[1]);
    bench->c = clCreateBuffer(bench->context, CL_MEM_WRITE_ONLY,
                              (size_t)bench->m * bench->n * 4, NULL, &codes[2]);
    for (int i = 0; i < 3; i++)
        code = code ? code : codes[i];
    if (!code)
        code = clSetKernelArg(bench->kernel, 0, sizeof bench->a, &bench->a);
    if (!code)
        code = clSetKernelArg(bench->kernel, 1, sizeof bench->b, &bench->b);
    if (!code)
        code = clSetKernelArg(bench->kernel, 2, sizeof bench->c, &bench->c);
    if (!code)
        code = clSetKernelArg(bench->kernel, 3, sizeof bench->n, &bench->n);
    if (!code)
        code = clSetKernelArg(bench->kernel, 4, sizeof bench->k, &bench->k);
    return code;
}

static enum status naive_run(struct bench *bench, double *value, struct error *err)
{
    const size_t global[] = {bench->m / 8, bench->n / 8};
    const uint64_t start = clock_ns();
    cl_int code = clEnqueueNDRangeKernel(bench->queue, bench->kernel, 2, NULL, global,
                                         NULL, 0, NULL, NULL);

    if (!code)
        code = clFinish(bench->queue);
    *value = (double)bench->m * bench->n * bench->k / (double)(clock_ns() - start);
    return code ? error_set(err, STATUS_DEVICE_LOST, "naive_i8 fails (%d)", code)
                : STATUS_OK;
}

/* The first rows, by the text of matmul_i8. */
static enum status answer_check(struct bench *bench, int8_t *a, int8_t *b,
                                struct error *err)
{
    const size_t count = (size_t)CHECKED_ROWS * bench->n;
    int32_t *want = memory_array(count, sizeof *want), *got = memory_array(count, 4);
    void *const views[] = {a, b, want};
    const union scalar scalars[] = {{.u32 = bench->n}, {.u32 = bench->k}};
    enum status status =
        want && got ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "no memory");
    double value;

    if (!status)
        status = naive_run(bench, &value, err);
    if (!status && clEnqueueReadBuffer(bench->queue, bench->c, CL_TRUE, 0, count * 4, got,
                                       0, NULL, NULL))
        status = error_set(err, STATUS_DEVICE_LOST, "naive_i8's product cannot be read");
    if (!status) {
        kernel_table[KERNEL_matmul_i8].run(0, CHECKED_ROWS, views, scalars);
        if (memcmp(want, got, count * sizeof *want) != 0)
            status = error_set(err, STATUS_MISMATCH, "naive_i8's product is wrong");
    }
    memory_free(want);
    memory_free(got);
    return status;
}

static enum status operands_make(struct bench *bench, struct error *err)
{
    int8_t *a = operand_make(bench->m, bench->k, 1);
    int8_t *b = operand_make(bench->n, bench->k, 2);
    enum status status = STATUS_OK;

    if (!a || !b || memories_make(bench, a, b))
        status = error_set(err, STATUS_NO_MEMORY, "no memory for naive_i8's operands");
    if (!status)
        status = answer_check(bench, a, b, err);
    memory_free(a);
    memory_free(b);
    return status;
}

static enum status naive_open(const struct bench_setup *setup, struct bench **out,
                              struct error *err)
{
    cl_device_id device = device_named(device_info(setup->device)->name);
    struct bench *bench = *out = memory_new(struct bench);
    cl_int code = CL_SUCCESS;
    enum status status;

    if (!bench)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a benchmark");
    bench->m = setup->m;
    bench->n = setup->n;
    bench->k = setup->k;
    if (!device || setup->m % 8 || setup->n % 8 || setup->k % 4)
        return error_set(err, STATUS_NOT_SUPPORTED,
                         "naive_i8: a shape of %u,%u,%u, expected multiples of 8, 8, 4",
                         setup->m, setup->n, setup->k);
    bench->context = clCreateContext(NULL, 1, &device, NULL, NULL, &code);
    if (!code)
        bench->queue = clCreateCommandQueue(bench->context, device, 0, &code);
    if (code)
        return error_set(err, STATUS_NO_DEVICE, "naive_i8: no queue (%d)", code);
    status = program_make(bench, device, err);
    return status ? status : operands_make(bench, err);
}

static void naive_shape(const struct bench *bench, char text[BENCH_SHAPE_MAX])
{
    snprintf(text, BENCH_SHAPE_MAX, "%u,%u,%u", bench->m, bench->n, bench->k);
}

const struct bench_kind naive_i8 = {
    .name = "naive_i8",
    .unit = "GMAC/s",
    .open = naive_open,
    .close = naive_close,
    .run = naive_run,
    .shape = naive_shape,
};
