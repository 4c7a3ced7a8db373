/*
 * cuda_calls.c - every call to the driver passes here: its answer becomes a status, and
 * its arguments are put together.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/cuda_calls.h"

#include <assert.h>

#include "backends/in_turn.h"
#include "miner/base/log.h"

enum {
    SHARED_PLAIN = 48 << 10, /* a block that wants more must say so first */
    WORDS_MAX = 2 + KERNEL_VIEWS_MAX + KERNEL_SCALARS_MAX
};

enum status cuda_check(struct device *device, int code, const char *what)
{
    char text[CUDA_SENTENCE_MAX];

    if (code == CUDA_OK)
        return STATUS_OK;
    if (code == CUDA_NO_MEMORY)
        return STATUS_NO_MEMORY;
    if (!device->is_lost)
        log_error("cuda", "%s (%s): %s: %s; the device is given up",
                  device->head.info.name, device->head.info.bus, what,
                  cuda_driver_text(&device->driver, code, text, sizeof text));
    device->is_lost = true;
    return STATUS_DEVICE_LOST;
}

enum status cuda_enter(struct device *device)
{
    if (device->is_lost)
        return STATUS_DEVICE_LOST;
    return cuda_check(device, device->driver.context_set(device->context),
                      "entering its context");
}

/* Blocks of clusters need the newer call, which may be absent. */
static int launch_cluster(struct device *device, struct cuda_function *function,
                          const struct cuda_grid *grid, void **arguments,
                          struct cuda_stream *stream)
{
    struct cuda_launch_attribute attribute = {.id = CUDA_LAUNCH_CLUSTER,
                                              .value.cluster = {grid->cluster, 1, 1}};
    const struct cuda_launch_config config = {
        .grid = {(unsigned)grid->parts * grid->cluster, 1, 1},
        .block = {grid->threads, 1, 1},
        .shared = grid->shared,
        .stream = stream,
        .attributes = &attribute,
        .attribute_count = 1,
    };

    if (!device->driver.launch_cluster)
        return CUDA_NOT_FOUND;
    return device->driver.launch_cluster(&config, function, arguments, NULL);
}

enum status cuda_launch(struct device *device, struct cuda_function *function,
                        const struct cuda_grid *grid, void **arguments,
                        struct cuda_stream *stream)
{
    struct cuda_grid whole = *grid;
    int code = CUDA_OK;

    assert(function);
    assert(grid->threads);
    if (grid->blocks_max && whole.parts > grid->blocks_max)
        whole.parts = grid->blocks_max;
    assert(whole.parts && whole.parts <= INT32_MAX);
    if (grid->shared > SHARED_PLAIN)
        code = device->driver.function_set(function, CUDA_FUNCTION_SHARED_MAX,
                                           (int)grid->shared);
    if (code)
        return cuda_check(device, code, "asking for shared memory");
    if (grid->cluster)
        code = launch_cluster(device, function, &whole, arguments, stream);
    else
        code = device->driver.launch(function, (unsigned)whole.parts, 1, 1, grid->threads,
                                     1, 1, grid->shared, stream, arguments, NULL);
    return cuda_check(device, code, "launching a kernel");
}

/* Few heavy units are spread over many blocks, many light ones fill each block. */
static struct cuda_grid text_grid(const struct cuda_traits *traits, uint64_t count)
{
    enum { WARP = 32, THREADS_MAX = 256, BLOCKS_PER_PROCESSOR = 16 };
    struct cuda_grid grid = {.threads = WARP,
                             .blocks_max = traits->processors * BLOCKS_PER_PROCESSOR};

    while (grid.threads < THREADS_MAX &&
           count >= (uint64_t)grid.threads * traits->processors * 4)
        grid.threads *= 2;
    grid.parts = (count + grid.threads - 1) / grid.threads;
    return grid;
}

/* Which tuned kernel takes the text's place for this launch, and how. */
static struct cuda_function *tuned_choose(const struct device *device,
                                          const struct launch *launch,
                                          struct cuda_grid *grid)
{
    for (size_t i = 0; i < cuda_tuned_count; i++)
        if (cuda_tuned_rows[i].kernel == launch->kernel && device->tuned[i] &&
            cuda_tuned_rows[i].grid(&device->traits, launch, grid))
            return device->tuned[i];
    *grid = text_grid(&device->traits, launch->last - launch->first);
    return device->texts[launch->kernel];
}

/* A launch as a kernel takes it. */
struct words {
    struct launch launch;
    uint64_t views[KERNEL_VIEWS_MAX]; /* addresses */
};

/* Pointers to each of its words, which lie in `words`; how many. */
static size_t words_list(struct words *words, void **arguments)
{
    const struct kernel_info *info = &kernel_table[words->launch.kernel];
    size_t count = 0;

    arguments[count++] = &words->launch.first;
    arguments[count++] = &words->launch.last;
    for (uint32_t i = 0; i < info->views; i++)
        arguments[count++] = &words->views[i];
    for (uint32_t i = 0; i < info->scalars; i++)
        arguments[count++] = &words->launch.scalars[i];
    return count;
}

/* From here on `order` waits for products that use what the launch does. */
static enum status words_of(struct device *device, const struct launch *launch,
                            struct words *out)
{
    enum status status = STATUS_OK;

    out->launch = *launch;
    for (uint32_t i = 0; !status && i < kernel_table[launch->kernel].views; i++) {
        out->views[i] = cuda_view(launch->views[i]);
        status = cuda_touch(device, launch->views[i].buffer, NULL);
    }
    return status;
}

/* What the launch writes, where its kernel adds to it. */
static enum status sums_clear(struct device *device, const struct words *words,
                              const struct cuda_grid *grid, struct cuda_stream *stream)
{
    const uint64_t sums = words->views[kernel_table[words->launch.kernel].views - 1];

    if (!grid->cleared_bytes)
        return STATUS_OK;
    return cuda_check(
        device,
        device->driver.set_bytes(sums + grid->cleared_at, 0, grid->cleared_bytes, stream),
        "clearing sums");
}

static enum status words_launch(struct device *device, struct words *words,
                                struct cuda_stream *stream)
{
    void *arguments[WORDS_MAX];
    struct cuda_grid grid = {.parts = 0};
    struct cuda_function *function = tuned_choose(device, &words->launch, &grid);
    const enum status status = sums_clear(device, words, &grid, stream);

    words_list(words, arguments);
    return status ? status : cuda_launch(device, function, &grid, arguments, stream);
}

enum status cuda_text(struct device *device, enum kernel kernel, const uint64_t range[2],
                      const uint64_t *views, const union scalar *scalars,
                      struct cuda_stream *stream)
{
    const struct kernel_info *info = &kernel_table[kernel];
    struct words words = {
        .launch = {.kernel = kernel, .first = range[0], .last = range[1]}};

    if (range[0] == range[1])
        return STATUS_OK;
    for (uint32_t i = 0; i < info->views; i++)
        words.views[i] = views[i];
    for (uint32_t i = 0; i < info->scalars; i++)
        words.launch.scalars[i] = scalars[i];
    return words_launch(device, &words, stream);
}

enum status cuda_launch_text(struct device *device, const struct launch *launch)
{
    struct words words;
    enum status status = cuda_enter(device);

    if (!status)
        status = words_of(device, launch, &words);
    return status ? status : words_launch(device, &words, device->order);
}

/* NULL: they are launched one after the other. */
static struct cuda_function *joint_choose(const struct device *device,
                                          const struct launch *first,
                                          const struct launch *second,
                                          struct cuda_grid *grid)
{
    for (size_t i = 0; i < cuda_joint_count; i++) {
        const struct cuda_joint *row = &cuda_joint_rows[i];

        if (row->first == first->kernel && row->second == second->kernel &&
            device->joint[i] && row->grid(&device->traits, first, second, grid))
            return device->joint[i];
    }
    return NULL;
}

enum status cuda_launch_then(struct device *device, const struct launch *first,
                             const struct launch *second)
{
    void *arguments[2 * WORDS_MAX];
    struct words words[2];
    struct cuda_grid grid = {.parts = 0};
    struct cuda_function *function = joint_choose(device, first, second, &grid);
    enum status status;

    if (!function)
        return in_turn_launch(device, first, second);
    status = cuda_enter(device);
    if (!status)
        status = words_of(device, first, &words[0]);
    if (!status)
        status = words_of(device, second, &words[1]);
    if (!status)
        status = sums_clear(device, &words[1], &grid, device->order);
    if (status)
        return status;
    words_list(&words[1], arguments + words_list(&words[0], arguments));
    return cuda_launch(device, function, &grid, arguments, device->order);
}

static bool set_uses(const struct cuda_set *set, const struct buffer *buffer,
                     const struct packed *packed)
{
    if (packed && set->packed == packed)
        return true;
    for (size_t i = 0; buffer && i < sizeof set->buffers / sizeof set->buffers[0]; i++)
        if (set->buffers[i] == buffer)
            return true;
    return false;
}

enum status cuda_touch(struct device *device, const struct buffer *buffer,
                       const struct packed *packed)
{
    enum status status = STATUS_OK;

    cuda_ahead_touch(device, buffer, packed);
    for (uint32_t i = 0; !status && i < device->set_count; i++) {
        struct cuda_set *set = &device->sets[i];

        if (set_uses(set, buffer, packed))
            status = cuda_set_wait(device, set);
    }
    return status;
}

enum status cuda_set_wait(struct device *device, struct cuda_set *set)
{
    enum status status = STATUS_OK;

    if (set->done.is_set)
        status = cuda_check(device,
                            device->driver.stream_wait(device->order, set->done.event, 0),
                            "waiting for a product");
    set->done.is_set = false;
    for (size_t i = 0; i < sizeof set->buffers / sizeof set->buffers[0]; i++)
        set->buffers[i] = NULL;
    set->packed = NULL;
    return status;
}
