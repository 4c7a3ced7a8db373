/*
 * opencl_shim.c - a stand-in for libOpenCL that fails on command.
 *
 * It is linked with the real loader: what it does not define itself is found there, and
 * what it defines passes on to there.
 *
 * SPDX-License-Identifier: MIT
 */
#define CL_TARGET_OPENCL_VERSION 120
#include "tests/stand_in/opencl_shim.h"
#include "backends/opencl/opencl_part.h"

#include <CL/cl.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

enum { PCI_BUS_INFO_KHR = 0x410f, LINES_MAX = 20000 };

static struct opencl_shim shim;

struct opencl_shim *opencl_shim(void);
struct opencl_shim *opencl_shim(void)
{
    return &shim;
}

/* Of a program: OPENCL_SHIM="piece_max=1000000 lose_at=20". */
static uint64_t number_of(const char *words, const char *name)
{
    const char *at = words ? strstr(words, name) : NULL;

    return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

__attribute__((constructor)) static void shim_begin(void)
{
    const char *words = getenv("OPENCL_SHIM");

    shim.piece_max = number_of(words, "piece_max=");
    shim.lose_at = number_of(words, "lose_at=");
    shim.items = number_of(words, "items=");
    shim.lanes = number_of(words, "lanes=");
    shim.slow = number_of(words, "slow=");
}

/* real: the function of that name in the real loader. */
#define REAL(name) __typeof__(name) *real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

cl_int clGetPlatformIDs(cl_uint cap, cl_platform_id *list, cl_uint *count)
{
    REAL(clGetPlatformIDs);

    if (!shim.has_no_platform)
        return real(cap, list, count);
    if (count)
        *count = 0;
    return -1001; /* CL_PLATFORM_NOT_FOUND_KHR */
}

cl_int clGetDeviceIDs(cl_platform_id platform, cl_device_type type, cl_uint cap,
                      cl_device_id *list, cl_uint *count)
{
    REAL(clGetDeviceIDs);

    if (!shim.has_no_device)
        return real(platform, type, cap, list, count);
    if (count)
        *count = 0;
    return CL_DEVICE_NOT_FOUND;
}

static cl_int give(const void *data, size_t size, size_t cap, void *out, size_t *needed)
{
    if (needed)
        *needed = size;
    if (out && cap < size)
        return CL_INVALID_VALUE;
    if (out)
        memcpy(out, data, size);
    return CL_SUCCESS;
}

static bool has_pci(void)
{
    return shim.pci[0] || shim.pci[1] || shim.pci[2] || shim.pci[3];
}

cl_int clGetDeviceInfo(cl_device_id device, cl_device_info what, size_t cap, void *out,
                       size_t *size)
{
    static const cl_bool no = CL_FALSE;
    static const char extension[] = "cl_khr_pci_bus_info";
    REAL(clGetDeviceInfo);

    if (what == CL_DEVICE_VERSION && shim.version)
        return give(shim.version, strlen(shim.version) + 1, cap, out, size);
    if (what == CL_DEVICE_PROFILE && shim.profile)
        return give(shim.profile, strlen(shim.profile) + 1, cap, out, size);
    if (what == CL_DEVICE_COMPILER_AVAILABLE && shim.has_no_compiler)
        return give(&no, sizeof no, cap, out, size);
    if (what == CL_DEVICE_AVAILABLE && shim.is_gone)
        return give(&no, sizeof no, cap, out, size);
    if (what == CL_DEVICE_MAX_MEM_ALLOC_SIZE && shim.piece_max)
        return give(&shim.piece_max, sizeof shim.piece_max, cap, out, size);
    if (what == CL_DEVICE_EXTENSIONS && has_pci())
        return give(extension, sizeof extension, cap, out, size);
    if (what == PCI_BUS_INFO_KHR && has_pci())
        return give(shim.pci, sizeof shim.pci, cap, out, size);
    return real(device, what, cap, out, size);
}

cl_program clCreateProgramWithSource(cl_context context, cl_uint count,
                                     const char **lines, const size_t *sizes,
                                     cl_int *code)
{
    static const char *changed[LINES_MAX];
    REAL(clCreateProgramWithSource);

    shim.sources++;
    if (!shim.line || sizes || count > LINES_MAX)
        return real(context, count, lines, sizes, code);
    for (cl_uint i = 0; i < count; i++)
        changed[i] = strcmp(lines[i], shim.line) ? lines[i] : shim.instead;
    return real(context, count, changed, NULL, code);
}

cl_program clCreateProgramWithBinary(cl_context context, cl_uint count,
                                     const cl_device_id *devices, const size_t *sizes,
                                     const unsigned char **binaries, cl_int *each,
                                     cl_int *code)
{
    REAL(clCreateProgramWithBinary);

    shim.binaries++;
    if (!shim.refuses_binaries)
        return real(context, count, devices, sizes, binaries, each, code);
    *code = CL_INVALID_BINARY;
    return NULL;
}

/* Where noise's pairs go: the fifth argument of the text that draws them. */
static cl_mem pairs_memory;

cl_int clSetKernelArg(cl_kernel kernel, cl_uint index, size_t size, const void *value)
{
    REAL(clSetKernelArg);
    struct opencl_part part;

    if (size == sizeof part && value) {
        memcpy(&part, value, sizeof part);
        shim.limbs |= UINT64_C(1) << part.limbs;
    }
    if (shim.one_factor && index == 4 && size == sizeof pairs_memory && value)
        memcpy(&pairs_memory, value, sizeof pairs_memory);
    return real(kernel, index, size, value);
}

/* After the launch that draws them, and only where there are so many. */
static cl_int pairs_change(cl_command_queue queue, cl_kernel kernel)
{
    enum { FACTOR = 7, PAIRS_MAX = 4096 };
    static uint16_t pairs[PAIRS_MAX][2];
    const size_t size = (size_t)shim.one_factor * sizeof pairs[0];
    char name[64] = "";
    cl_int code;

    if (!shim.one_factor || shim.one_factor > PAIRS_MAX ||
        clGetKernelInfo(kernel, CL_KERNEL_FUNCTION_NAME, sizeof name, name, NULL) ||
        strcmp(name, "entry_noise_pairs") != 0)
        return CL_SUCCESS;
    code =
        clEnqueueReadBuffer(queue, pairs_memory, CL_TRUE, 0, size, pairs, 0, NULL, NULL);
    for (size_t i = 0; i < shim.one_factor; i++)
        if (pairs[i][1] != FACTOR) /* the two are never the same */
            pairs[i][0] = FACTOR;
    return code ? code
                : clEnqueueWriteBuffer(queue, pairs_memory, CL_TRUE, 0, size, pairs, 0,
                                       NULL, NULL);
}

/* Work items of a launch, where the kernel shares its range among any of them. */
static void widths_change(cl_kernel kernel, size_t *global, size_t *local)
{
    size_t fixed[3] = {0};

    if (!(shim.items || shim.lanes) ||
        clGetKernelWorkGroupInfo(kernel, NULL, CL_KERNEL_COMPILE_WORK_GROUP_SIZE,
                                 sizeof fixed, fixed, NULL) ||
        fixed[0])
        return;
    *local = shim.items ? (size_t)shim.items : *local;
    if (shim.lanes && shim.lanes < *global)
        *global = (size_t)shim.lanes;
    *global = (*global + *local - 1) / *local * *local;
}

cl_int clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint sides,
                              const size_t *offset, const size_t *global,
                              const size_t *local, cl_uint count, const cl_event *list,
                              cl_event *event)
{
    size_t lanes = *global, items = *local;
    REAL(clEnqueueNDRangeKernel);

    shim.launches++;
    if (shim.lose_at && !--shim.lose_at)
        return CL_INVALID_COMMAND_QUEUE;
    if (shim.raise_at && !--shim.raise_at)
        __atomic_add_fetch(shim.raised, 1, __ATOMIC_RELAXED);
    widths_change(kernel, &lanes, &items);
    const cl_int code =
        real(queue, kernel, sides, offset, &lanes, &items, count, list, event);
    return code ? code : pairs_change(queue, kernel);
}

cl_int clGetEventProfilingInfo(cl_event event, cl_profiling_info what, size_t cap,
                               void *out, size_t *size)
{
    REAL(clGetEventProfilingInfo);
    const cl_int code = real(event, what, cap, out, size);
    cl_ulong start = 0, end;

    if (code || !shim.slow || what != CL_PROFILING_COMMAND_END)
        return code;
    memcpy(&end, out, sizeof end);
    if (!real(event, CL_PROFILING_COMMAND_START, sizeof start, &start, NULL))
        end = start + shim.slow * (end - start);
    memcpy(out, &end, sizeof end);
    return code;
}
