/*
 * cuda_stand_in_streams.c - the driver's streams and events: what is queued happens when
 * it must, and in an order that a card could choose but hardly ever does.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/executor/executor.h"

#include "tests/stand_in/cuda_stand_in_state.h"

enum { INVALID_VALUE = 1, SHARED_PLAIN = 48 << 10 };

static struct cuda_stream *streams;

struct queued *stand_in_queue(struct cuda_stream *stream, enum deed deed)
{
    struct queued *queued = calloc(1, sizeof *queued);

    if (!queued)
        abort();
    queued->deed = deed;
    if (stream->last)
        stream->last->next = queued;
    else
        stream->first = queued;
    stream->last = queued;
    return queued;
}

/* Whether one that was queued earlier still waits on another stream. */
static bool goes_before(const struct queued *launch)
{
    for (const struct cuda_stream *stream = streams; stream; stream = stream->next)
        for (const struct queued *other = stream->first; other; other = other->next)
            if (other->deed == DEED_LAUNCH && other->number < launch->number)
                return true;
    return false;
}

static void launch_run(const struct queued *queued)
{
    void *arguments[ARGUMENTS_MAX];
    const struct cuda_function *function = queued->function;
    size_t at = 0;

    for (uint32_t i = 0; i < function->arguments; i++) {
        arguments[i] = (void *)(uintptr_t)(queued->arguments + at);
        at += (function->sizes[i] + 63) / 64 * 64;
    }
    cuda_stand_in()->launches_before += goes_before(queued);
    const char *fault = function->run(queued, arguments);

    cuda_stand_in()->launches_run++;
    if (fault)
        stand_in_fail(fault);
    if (queued->is_wrong)
        *stand_in_written(function, arguments) ^= 1;
}

static void stream_run_until(struct cuda_stream *stream, const struct cuda_event *event,
                             uint64_t version);

static void deed_run(const struct queued *queued)
{
    switch (queued->deed) {
    case DEED_COPY:
        memcpy(queued->to, queued->from, queued->size);
        break;
    case DEED_SET:
        memset(queued->to, queued->value, queued->size);
        break;
    case DEED_LAUNCH:
        launch_run(queued);
        break;
    case DEED_RECORD:
        queued->event->done = queued->version;
        break;
    case DEED_WAIT:
        if (queued->event->done < queued->version)
            stream_run_until(queued->event->stream, queued->event, queued->version);
        break;
    }
}

static void stream_step(struct cuda_stream *stream)
{
    struct queued *queued = stream->first;

    stream->first = queued->next;
    if (!stream->first)
        stream->last = NULL;
    deed_run(queued);
    free(queued);
}

/* All of it, or (event) until that recording is made. */
static void stream_run_until(struct cuda_stream *stream, const struct cuda_event *event,
                             uint64_t version)
{
    while (stream->first && !(event && event->done >= version))
        stream_step(stream);
}

void stand_in_run_all(void)
{
    for (struct cuda_stream *stream = streams; stream; stream = stream->next)
        stream_run_until(stream, NULL, 0);
}

void stand_in_queued(void)
{
    if (cuda_stand_in()->lag == LAG_NONE)
        stand_in_run_all();
}

static void others_run(const struct cuda_stream *but)
{
    if (cuda_stand_in()->lag != LAG_OTHER)
        return;
    for (struct cuda_stream *stream = streams; stream; stream = stream->next)
        if (stream != but)
            stream_run_until(stream, NULL, 0);
}

int cuStreamCreateWithPriority(struct cuda_stream **stream, unsigned flags, int priority)
{
    (void)flags;
    (void)priority;
    ENTER_CONTEXT(stream_new);
    *stream = calloc(1, sizeof **stream);
    if (!*stream)
        return CUDA_NO_MEMORY;
    (*stream)->next = streams;
    streams = *stream;
    cuda_stand_in()->handles_held++;
    return CUDA_OK;
}

int cuStreamDestroy_v2(struct cuda_stream *stream)
{
    struct cuda_stream **at = &streams;

    const int code = stand_in_enter(CUDA_CALL_stream_free);

    stream_run_until(stream, NULL, 0);
    while (*at != stream)
        at = &(*at)->next;
    *at = stream->next;
    free(stream);
    cuda_stand_in()->handles_held--;
    return code;
}

int cuStreamSynchronize(struct cuda_stream *stream)
{
    ENTER_CONTEXT(stream_finish);
    others_run(stream);
    stream_run_until(stream, NULL, 0);
    return CUDA_OK;
}

int cuStreamWaitEvent(struct cuda_stream *stream, struct cuda_event *event,
                      unsigned flags)
{
    struct queued *queued;

    ENTER_CONTEXT(stream_wait);
    if (flags || !event->recorded)
        return flags ? INVALID_VALUE : CUDA_OK;
    queued = stand_in_queue(stream, DEED_WAIT);
    queued->event = event;
    queued->version = event->recorded;
    stand_in_queued();
    return CUDA_OK;
}

int cuEventCreate(struct cuda_event **event, unsigned flags)
{
    (void)flags;
    ENTER_CONTEXT(event_new);
    *event = calloc(1, sizeof **event);
    cuda_stand_in()->handles_held += *event != NULL;
    return *event ? CUDA_OK : CUDA_NO_MEMORY;
}

/* Queued deeds may still name it. */
int cuEventDestroy_v2(struct cuda_event *event)
{
    const int code = stand_in_enter(CUDA_CALL_event_free);

    stand_in_run_all();
    free(event);
    cuda_stand_in()->handles_held--;
    return code;
}

int cuEventRecord(struct cuda_event *event, struct cuda_stream *stream)
{
    struct queued *queued;

    ENTER_CONTEXT(event_record);
    queued = stand_in_queue(stream, DEED_RECORD);
    event->stream = stream;
    queued->event = event;
    queued->version = ++event->recorded;
    stand_in_queued();
    return CUDA_OK;
}

int cuEventSynchronize(struct cuda_event *event)
{
    ENTER_CONTEXT(event_finish);
    if (!event->recorded)
        return CUDA_OK;
    others_run(event->stream);
    stream_run_until(event->stream, event, event->recorded);
    return CUDA_OK;
}

static int copy_queue(void *to, const void *from, size_t size, struct cuda_stream *stream)
{
    struct queued *queued = stand_in_queue(stream, DEED_COPY);

    queued->to = to;
    queued->from = from;
    queued->size = size;
    stand_in_queued();
    return CUDA_OK;
}

int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t size,
                         struct cuda_stream *stream)
{
    ENTER_CONTEXT(copy_to_device);
    return copy_queue((void *)(uintptr_t)to, from, size, stream);
}

int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t size, struct cuda_stream *stream)
{
    ENTER_CONTEXT(copy_to_host);
    return copy_queue(to, (const void *)(uintptr_t)from, size, stream);
}

int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t size,
                         struct cuda_stream *stream)
{
    ENTER_CONTEXT(copy_on_device);
    return copy_queue((void *)(uintptr_t)to, (const void *)(uintptr_t)from, size, stream);
}

int cuMemsetD8Async(uint64_t to, unsigned char value, size_t count,
                    struct cuda_stream *stream)
{
    struct queued *queued;

    ENTER_CONTEXT(set_bytes);
    queued = stand_in_queue(stream, DEED_SET);
    queued->to = (void *)(uintptr_t)to;
    queued->value = value;
    queued->size = count;
    stand_in_queued();
    return CUDA_OK;
}

static bool grid_holds(const unsigned grid[3], const unsigned block[3])
{
    return grid[0] && grid[0] <= INT32_MAX && grid[1] == 1 && grid[2] == 1 && block[0] &&
           block[0] <= 1024 && block[1] == 1 && block[2] == 1;
}

/* Arguments are read now, as the driver reads them. */
static int kernel_queue(const struct cuda_launch_config *config,
                        struct cuda_function *function, void **arguments)
{
    struct cuda_stand_in *state = cuda_stand_in();
    const unsigned cluster =
        config->attribute_count ? config->attributes[0].value.cluster[0] : 0;
    const unsigned shared_max =
        function->shared_max > SHARED_PLAIN ? function->shared_max : SHARED_PLAIN;
    struct queued *queued;
    size_t at = 0;

    if (!grid_holds(config->grid, config->block) || config->shared > shared_max ||
        (cluster && config->grid[0] % cluster))
        return INVALID_VALUE;
    queued = stand_in_queue(config->stream, DEED_LAUNCH);
    queued->number = ++state->launches;
    queued->function = function;
    queued->blocks = config->grid[0];
    queued->threads = config->block[0];
    queued->shared = config->shared;
    queued->cluster = cluster;
    for (uint32_t i = 0; i < function->arguments; i++) {
        if (at + function->sizes[i] > sizeof queued->arguments)
            abort();
        memcpy(queued->arguments + at, arguments[i], function->sizes[i]);
        at += (function->sizes[i] + 63) / 64 * 64;
    }
    if (state->hang_at && !--state->hang_at)
        for (;;)
            (void)pause();
    queued->is_wrong =
        stand_in_written(function, arguments) && state->wrong_at && !--state->wrong_at;
    if (queued->is_wrong)
        state->wrong_kernel = function->name;
    stand_in_queued();
    return CUDA_OK;
}

int cuLaunchKernel(struct cuda_function *function, unsigned grid_x, unsigned grid_y,
                   unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z,
                   unsigned shared, struct cuda_stream *stream, void **arguments,
                   void **extra)
{
    const struct cuda_launch_config config = {.grid = {grid_x, grid_y, grid_z},
                                              .block = {block_x, block_y, block_z},
                                              .shared = shared,
                                              .stream = stream};

    ENTER_CONTEXT(launch);
    return extra ? INVALID_VALUE : kernel_queue(&config, function, arguments);
}

int cuLaunchKernelEx(const struct cuda_launch_config *config,
                     struct cuda_function *function, void **arguments, void **extra)
{
    ENTER_CONTEXT(launch_cluster);
    return extra ? INVALID_VALUE : kernel_queue(config, function, arguments);
}

int cuTensorMapEncodeTiled(struct cuda_tensor_map *map, int type, unsigned rank,
                           uint64_t address, const uint64_t *sizes,
                           const uint64_t *strides, const uint32_t *box,
                           const uint32_t *steps, int interleave, int swizzle,
                           int promotion, int fill)
{
    (void)promotion;
    ENTER(tensor_map);
    if (type != CUDA_TENSOR_U8 || rank != 2 || interleave || fill || steps[0] != 1 ||
        steps[1] != 1 || (uintptr_t)map % 128 || address % 16)
        return INVALID_VALUE;
    if (strides[0] % 16 || strides[0] >> 40 || strides[0] < sizes[0] || !sizes[0] ||
        !sizes[1] || sizes[0] >> 32 || sizes[1] >> 32)
        return INVALID_VALUE;
    if (!box[0] || !box[1] || box[0] > 256 || box[1] > 256 || box[0] % 16 ||
        (swizzle == CUDA_TENSOR_SWIZZLE_128 && box[0] > 128))
        return INVALID_VALUE;
    executor_tensor_map(map, (const void *)(uintptr_t)address, sizes, strides[0], box,
                        swizzle == CUDA_TENSOR_SWIZZLE_128);
    return CUDA_OK;
}
