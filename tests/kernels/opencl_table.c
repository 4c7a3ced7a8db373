/*
 * opencl_table.c - kernel_table for a build of the runners that launches the texts
 * through OpenCL.
 *
 * Linked in place of kernels/kernel_table.c by test_kernels_opencl.sh, which also writes
 * kernels/opencl_texts.h.  The device must see the host's memory, as PoCL on the
 * processor does: views go in as they are.  KERNEL_SOURCE is the folder that holds
 * kernels/, OPENCL_OPTIONS more options of the compiler, OPENCL_LANES how many work items
 * share a range.
 *
 * SPDX-License-Identifier: MIT
 */
#define CL_TARGET_OPENCL_VERSION 200
#include <CL/cl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"

static const char text[] =
#define TEXT(folder, file) "#include \"kernels/" #folder "/" #file ".cl\"\n"
#include "kernels/opencl_texts.h"
    ;

static struct {
    cl_context context;
    cl_command_queue queue;
    cl_program program;
    size_t lanes;
} opencl;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void must(cl_int code, const char *what)
{
    if (code == CL_SUCCESS)
        return;
    fprintf(stderr, "%s: OpenCL error %d\n", what, code);
    exit(2);
}

/* 77: there is no device that these tests can use. */
static cl_device_id find_device(void)
{
    cl_platform_id platform;
    cl_device_id device;
    char name[128] = "";
    cl_device_svm_capabilities svm = 0;

    if (clGetPlatformIDs(1, &platform, NULL) ||
        clGetDeviceIDs(platform, CL_DEVICE_TYPE_CPU, 1, &device, NULL) ||
        clGetDeviceInfo(device, CL_DEVICE_SVM_CAPABILITIES, sizeof svm, &svm, NULL) ||
        !(svm & CL_DEVICE_SVM_FINE_GRAIN_BUFFER)) {
        puts("no OpenCL device that shares the host's memory");
        exit(77);
    }
    clGetDeviceInfo(device, CL_DEVICE_NAME, sizeof name - 1, name, NULL);
    printf("%s\n", name);
    return device;
}

static void opencl_open(void)
{
    const char *source = text, *lanes = getenv("OPENCL_LANES"),
               *more = getenv("OPENCL_OPTIONS");
    cl_device_id device = find_device();
    char options[1024], log[4096] = "";
    cl_int code;

    opencl.lanes = lanes ? strtoul(lanes, NULL, 10) : 256;
    opencl.context = clCreateContext(NULL, 1, &device, NULL, NULL, &code);
    must(code, "context");
    opencl.queue =
        clCreateCommandQueueWithProperties(opencl.context, device, NULL, &code);
    must(code, "queue");
    opencl.program = clCreateProgramWithSource(opencl.context, 1, &source, NULL, &code);
    must(code, "program");
    snprintf(options, sizeof options, "-cl-std=CL1.2 -I%s %s", getenv("KERNEL_SOURCE"),
             more ? more : "");
    code = clBuildProgram(opencl.program, 1, &device, options, NULL, NULL);
    clGetProgramBuildInfo(opencl.program, device, CL_PROGRAM_BUILD_LOG, sizeof log, log,
                          NULL);
    must(code, log);
}

static void launch(const char *name, uint64_t first, uint64_t last, void *const *views,
                   const union scalar *scalars, const size_t *sizes)
{
    const uint32_t view_count = (uint32_t)sizes[0], scalar_count = (uint32_t)sizes[1];
    cl_kernel kernel;
    cl_int code;

    pthread_once(&once, opencl_open);
    pthread_mutex_lock(&lock);
    kernel = clCreateKernel(opencl.program, name, &code);
    must(code, name);
    must(clSetKernelArg(kernel, 0, sizeof first, &first), "first");
    must(clSetKernelArg(kernel, 1, sizeof last, &last), "last");
    for (uint32_t i = 0; i < view_count; i++)
        must(views[i] ? clSetKernelArgSVMPointer(kernel, 2 + i, views[i])
                      : clSetKernelArg(kernel, 2 + i, sizeof(cl_mem), NULL),
             "view");
    for (uint32_t i = 0; i < scalar_count; i++)
        must(clSetKernelArg(kernel, 2 + view_count + i, sizes[2 + i], &scalars[i]),
             "scalar");
    must(clEnqueueNDRangeKernel(opencl.queue, kernel, 1, NULL, &opencl.lanes, NULL, 0,
                                NULL, NULL),
         name);
    must(clFinish(opencl.queue), name);
    clReleaseKernel(kernel);
    pthread_mutex_unlock(&lock);
}

typedef uint32_t u32;
typedef uint64_t u64;
typedef float f32;
#define VIEWS1(...)             1
#define VIEWS2(...)             2
#define VIEWS3(...)             3
#define VIEWS4(...)             4
#define VIEWS5(...)             5
#define VIEWS6(...)             6
#define VIEWS9(...)             9
#define SCALARS0()              0
#define SCALARS1(a)             1, sizeof(a)
#define SCALARS2(a, b)          2, sizeof(a), sizeof(b)
#define SCALARS3(a, b, c)       3, sizeof(a), sizeof(b), sizeof(c)
#define SCALARS4(a, b, c, d)    4, sizeof(a), sizeof(b), sizeof(c), sizeof(d)
#define SCALARS5(a, b, c, d, e) 5, sizeof(a), sizeof(b), sizeof(c), sizeof(d), sizeof(e)
#define SCALARS6(a, b, c, d, e, f)                                                       \
    6, sizeof(a), sizeof(b), sizeof(c), sizeof(d), sizeof(e), sizeof(f)
#define KERNEL(name, folder, file, view_list, scalar_list)                               \
    static void run_##name(uint64_t first, uint64_t last, void *const *views,            \
                           const union scalar *scalars)                                  \
    {                                                                                    \
        static const size_t sizes[] = {view_list, scalar_list};                          \
                                                                                         \
        launch("kernel_" #name, first, last, views, scalars, sizes);                     \
    }
#include "kernels/kernels.def"
#undef KERNEL

#define KERNEL(name, folder, file, views, scalars)                                       \
    [KERNEL_##name] = {#name, 0, 0, run_##name},
const struct kernel_info kernel_table[KERNEL_COUNT] = {
#include "kernels/kernels.def"
};
