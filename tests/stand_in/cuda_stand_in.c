/*
 * cuda_stand_in.c - the driver's functions but for its streams: cards, memory, modules,
 * and the faults that a test asks for.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/executor/executor.h"
#include "tests/stand_in/cuda_stand_in_state.h"

enum { INVALID_VALUE = 1, INVALID_DEVICE = 101, CODE_LOST = 719 };

struct cuda_context {
    int device;
};
struct cuda_module {
    int unused;
};
struct block { /* a piece of memory */
    void *data;
    size_t size;
    struct block *next;
};

static struct cuda_stand_in state = {
    .devices = 1,
    .driver = 13000,
    .capability = 90,
    .memory = (size_t)1 << 30,
    .processors = 2,
    .fail_code = CODE_LOST,
};
static struct cuda_context contexts[16];
static _Thread_local const struct cuda_context *current;
static struct block *blocks;

struct cuda_stand_in *cuda_stand_in(void)
{
    return &state;
}

/* "devices=0 driver=11040": numbers for the fields of that name. */
__attribute__((constructor)) static void switches_read(void)
{
    static const struct {
        const char *name;
        uint64_t *field;
    } fields[] = {
        {"devices=%llu", &state.devices},
        {"driver=%llu", &state.driver},
        {"capability=%llu", &state.capability},
        {"memory=%llu", &state.memory},
        {"processors=%llu", &state.processors},
        {"fail_at=%llu", &state.fail_at},
        {"fail_call=%llu", &state.fail_call},
        {"fail_code=%llu", &state.fail_code},
        {"fail_stays=%llu", &state.fail_stays},
        {"wrong_at=%llu", &state.wrong_at},
        {"hang_at=%llu", &state.hang_at},
        {"lag=%llu", &state.lag},
        {"mode=%llu", &state.mode},
        {"integrated=%llu", &state.integrated},
        {"cache=%llu", &state.cache},
    };
    const char *text = getenv("CUDA_STAND_IN");

    for (; text && *text; text += strcspn(text, " "), text += *text == ' ')
        for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
            unsigned long long value;

            if (sscanf(text, fields[i].name, &value) == 1)
                *fields[i].field = value;
        }
}

int stand_in_enter(enum cuda_call call)
{
    state.calls++;
    if (state.failed)
        return (int)state.fail_code;
    if (!state.fail_at || (state.fail_call && state.fail_call != call))
        return CUDA_OK;
    if (--state.fail_at)
        return CUDA_OK;
    state.failed = state.fail_stays;
    return (int)state.fail_code;
}

void stand_in_fail(const char *why)
{
    fprintf(stderr, "stand-in: %s\n", why);
    state.fail_code = CODE_LOST;
    state.failed = 1;
}

#define ENTER_DEVICE(slot, device)                                                       \
    do {                                                                                 \
        ENTER(slot);                                                                     \
        if ((device) < 0 || (uint64_t)(device) >= state.devices)                         \
            return INVALID_DEVICE;                                                       \
    } while (0)
bool stand_in_has_context(void)
{
    return current != NULL;
}

int cuInit(unsigned flags)
{
    (void)flags;
    ENTER(init);
    return state.devices ? CUDA_OK : CUDA_NO_DEVICE;
}

int cuDriverGetVersion(int *version)
{
    ENTER(driver_version);
    *version = (int)state.driver;
    return CUDA_OK;
}

int cuGetErrorName(int code, const char **name)
{
    *name = code == CUDA_NO_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY" : "CUDA_ERROR_OF_A_TEST";
    return CUDA_OK;
}

int cuGetErrorString(int code, const char **text)
{
    (void)code;
    *text = "an error of a test";
    return CUDA_OK;
}

int cuDeviceGetCount(int *count)
{
    ENTER(device_count);
    *count = (int)state.devices;
    return CUDA_OK;
}

int cuDeviceGet(int *device, int index)
{
    ENTER_DEVICE(device_get, index);
    *device = index;
    return CUDA_OK;
}

int cuDeviceGetName(char *name, int size, int device)
{
    ENTER_DEVICE(device_name, device);
    snprintf(name, (size_t)size, "NVIDIA Stand-in %d", device);
    return CUDA_OK;
}

int cuDeviceGetPCIBusId(char *bus, int size, int device)
{
    ENTER_DEVICE(device_bus, device);
    snprintf(bus, (size_t)size, "0000:%02X:00.0", 0x1a + device);
    return CUDA_OK;
}

int cuDeviceTotalMem_v2(size_t *size, int device)
{
    ENTER_DEVICE(device_memory, device);
    *size = state.memory;
    return CUDA_OK;
}

/* Of a block that asks for it. */
static uint32_t shared_max(void)
{
    const uint32_t kilobytes = state.capability < 80                              ? 64
                               : state.capability == 80                           ? 163
                               : state.capability >= 90 && state.capability < 120 ? 227
                                                                                  : 99;

    return kilobytes << 10;
}

int cuDeviceGetAttribute(int *value, int attribute, int device)
{
    ENTER_DEVICE(device_attribute, device);
    switch (attribute) {
    case CUDA_ATTRIBUTE_PROCESSORS:
        *value = (int)state.processors;
        return CUDA_OK;
    case CUDA_ATTRIBUTE_INTEGRATED:
        *value = (int)state.integrated;
        return CUDA_OK;
    case CUDA_ATTRIBUTE_CACHE:
        *value = (int)state.cache;
        return CUDA_OK;
    case CUDA_ATTRIBUTE_MAJOR:
        *value = (int)state.capability / 10;
        return CUDA_OK;
    case CUDA_ATTRIBUTE_MINOR:
        *value = (int)state.capability % 10;
        return CUDA_OK;
    case CUDA_ATTRIBUTE_SHARED_MAX:
        *value = (int)shared_max();
        return CUDA_OK;
    default:
        return INVALID_VALUE;
    }
}

int cuDevicePrimaryCtxRetain(struct cuda_context **context, int device)
{
    ENTER_DEVICE(primary_retain, device);
    contexts[device].device = device;
    *context = &contexts[device];
    state.handles_held++;
    return CUDA_OK;
}

int cuDevicePrimaryCtxRelease_v2(int device)
{
    (void)device;
    state.handles_held--;
    return stand_in_enter(CUDA_CALL_primary_release);
}

int cuDevicePrimaryCtxSetFlags_v2(int device, unsigned flags)
{
    (void)flags;
    ENTER_DEVICE(primary_set_flags, device);
    return CUDA_OK;
}

int cuCtxSetCurrent(struct cuda_context *context)
{
    ENTER(context_set);
    current = context;
    return CUDA_OK;
}

int cuCtxGetStreamPriorityRange(int *least, int *greatest)
{
    ENTER_CONTEXT(stream_priorities);
    *least = 0;
    *greatest = -5;
    return CUDA_OK;
}

int cuMemGetInfo_v2(size_t *free_size, size_t *total)
{
    ENTER_CONTEXT(memory_info);
    *free_size = state.memory - state.memory_held;
    *total = state.memory;
    return CUDA_OK;
}

static void *block_note(void *data, size_t size)
{
    struct block *block = data ? calloc(1, sizeof *block) : NULL;

    if (!block)
        return NULL;
    *block = (struct block){data, size, blocks};
    blocks = block;
    return data;
}

/* Its size; 0: it is none. */
static size_t block_forget(const void *data)
{
    struct block **at = &blocks;

    while (*at && (*at)->data != data)
        at = &(*at)->next;
    struct block *block = *at;
    const size_t size = block ? block->size : 0;

    if (block) {
        *at = block->next;
        free(block);
    }
    return size;
}

int cuMemAlloc_v2(uint64_t *address, size_t size)
{
    void *data;

    ENTER_CONTEXT(memory_new);
    if (!size)
        return INVALID_VALUE;
    data = size > state.memory - state.memory_held
               ? NULL
               : block_note(executor_memory_new(size), size);
    if (!data)
        return CUDA_NO_MEMORY;
    state.memory_held += size;
    state.memory_news++;
    *address = (uint64_t)(uintptr_t)data;
    return CUDA_OK;
}

/* What gives back does so whatever it answers.  What is still queued is not waited for:
 * a driver may do so, but promises it to nobody. */
int cuMemFree_v2(uint64_t address)
{
    void *data = (void *)(uintptr_t)address;
    const int code = stand_in_enter(CUDA_CALL_memory_free);
    const size_t size = block_forget(data);

    if (!size)
        return INVALID_VALUE;
    state.memory_held -= size;
    executor_memory_free(data);
    return code;
}

int cuMemHostAlloc(void **data, size_t size, unsigned flags)
{
    (void)flags;
    ENTER_CONTEXT(pinned_new);
    *data = block_note(malloc(size), size);
    if (!*data)
        return CUDA_NO_MEMORY;
    memset(*data, 0xa5, size < 4096 ? size : 4096);
    state.pinned_held += size;
    state.memory_news++;
    return CUDA_OK;
}

int cuMemFreeHost(void *data)
{
    const int code = stand_in_enter(CUDA_CALL_pinned_free);

    state.pinned_held -= block_forget(data);
    free(data);
    return code;
}

/* What an image holds is nobody's concern here: kernels are found by their names. */
int cuModuleLoadData(struct cuda_module **module, const void *image)
{
    ENTER_CONTEXT(module_load);
    if (!image)
        return INVALID_VALUE;
    *module = calloc(1, sizeof **module);
    state.handles_held += *module != NULL;
    return *module ? CUDA_OK : CUDA_NO_MEMORY;
}

int cuModuleUnload(struct cuda_module *module)
{
    const int code = stand_in_enter(CUDA_CALL_module_unload);

    stand_in_run_all();
    free(module);
    state.handles_held--;
    return code;
}

int cuModuleGetFunction(struct cuda_function **function, struct cuda_module *module,
                        const char *name)
{
    (void)module;
    ENTER_CONTEXT(module_function);
    *function = stand_in_function(name);
    return *function ? CUDA_OK : CUDA_NOT_FOUND;
}

int cuFuncSetAttribute(struct cuda_function *function, int attribute, int value)
{
    ENTER_CONTEXT(function_set);
    if (attribute == CUDA_FUNCTION_SHARED_SHARE)
        return value >= 0 && value <= 100 ? CUDA_OK : INVALID_VALUE;
    if (attribute != CUDA_FUNCTION_SHARED_MAX || value < 0 ||
        (uint32_t)value > shared_max())
        return INVALID_VALUE;
    function->shared_max = (uint32_t)value;
    return CUDA_OK;
}
