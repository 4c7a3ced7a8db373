/*
 * cuda_stand_in_kernels.c - the kernels a stand-in can launch: the texts compiled as C,
 * and the backend's own on the executor.
 *
 * The texts are compiled anew, as a shared library needs them.  The lanes of a launch of
 * a text share its range without order, so one loop is as good.
 *
 * SPDX-License-Identifier: MIT
 */
#define KERNEL_FN static
#include "kernels/kernel_texts.h"

#include "kernels/kernel_thunks.h"

#include <stdlib.h>
#include <string.h>

#include "backends/cuda/cuda_geometry.h"
#include "backends/cuda/cuda_product.h"
#include "tests/executor/executor.h"
#include "tests/stand_in/cuda_stand_in_state.h"

/* Sizes of arguments, as kernels.def gives their types. */
#define VIEWS1(a)                     sizeof(a *)
#define VIEWS2(a, b)                  VIEWS1(a), VIEWS1(b)
#define VIEWS3(a, b, c)               VIEWS2(a, b), VIEWS1(c)
#define VIEWS4(a, b, c, d)            VIEWS3(a, b, c), VIEWS1(d)
#define VIEWS5(a, b, c, d, e)         VIEWS4(a, b, c, d), VIEWS1(e)
#define VIEWS6(a, b, c, d, e, f)      VIEWS5(a, b, c, d, e), VIEWS1(f)
#define VIEWS9(a, b, c, d, e, f, ...) VIEWS6(a, b, c, d, e, f), VIEWS3(__VA_ARGS__)
#define SCALARS0()
#define SCALARS1(a)                , sizeof(a)
#define SCALARS2(a, b)             , sizeof(a), sizeof(b)
#define SCALARS3(a, b, c)          , sizeof(a), sizeof(b), sizeof(c)
#define SCALARS4(a, b, c, d)       SCALARS2(a, b) SCALARS2(c, d)
#define SCALARS5(a, b, c, d, e)    SCALARS2(a, b) SCALARS3(c, d, e)
#define SCALARS6(a, b, c, d, e, f) SCALARS3(a, b, c) SCALARS3(d, e, f)
#define KERNEL(name, folder, file, views, scalars)                                       \
    static const size_t sizes_##name[] = {sizeof(u64), sizeof(u64), views scalars};
#include "kernels/kernels.def"
#undef KERNEL

/* How many of them are views. */
#undef VIEWS1
#undef VIEWS2
#undef VIEWS3
#undef VIEWS4
#undef VIEWS5
#undef VIEWS6
#undef VIEWS9
#define VIEWS1(...) 1
#define VIEWS2(...) 2
#define VIEWS3(...) 3
#define VIEWS4(...) 4
#define VIEWS5(...) 5
#define VIEWS6(...) 6
#define VIEWS9(...) 9

static const char *text_run(kernel_function *run, uint32_t views, const size_t *sizes,
                            uint32_t count, void *const *arguments)
{
    void *pointers[KERNEL_VIEWS_MAX] = {NULL};
    union scalar scalars[KERNEL_SCALARS_MAX] = {{.u64 = 0}};
    uint64_t first, last;

    memcpy(&first, arguments[0], sizeof first);
    memcpy(&last, arguments[1], sizeof last);
    for (uint32_t i = 0; i < views; i++)
        memcpy(&pointers[i], arguments[2 + i], sizeof pointers[i]);
    for (uint32_t i = 2 + views; i < count; i++)
        memcpy(&scalars[i - 2 - views], arguments[i], sizes[i]);
    run(first, last, pointers, scalars);
    return NULL;
}

#define KERNEL(name, folder, file, views, scalars)                                       \
    static const char *launch_##name(const struct queued *launch,                        \
                                     void *const *arguments)                             \
    {                                                                                    \
        (void)launch;                                                                    \
        return text_run(run_##name, views, sizes_##name,                                 \
                        sizeof sizes_##name / sizeof(size_t), arguments);                \
    }
#include "kernels/kernels.def"
#undef KERNEL

static struct cuda_function functions[] = {
#define KERNEL(title, folder, file, views, scalars)                                      \
    {"kernel_" #title, sizeof sizes_##title / sizeof(size_t),                            \
     sizes_##title,    launch_##title,                                                   \
     1 + (views),      0},
#include "kernels/kernels.def"
#undef KERNEL
};

/* Kernels of the executor that were asked for. */
static struct cuda_function tuned[128];
static size_t tuned_count;

static const char *tuned_run(const struct queued *launch, void *const *arguments)
{
    const struct executor_launch run = {.kernel = launch->function->name,
                                        .grid = {launch->blocks, 1, 1},
                                        .threads = launch->threads,
                                        .shared_bytes = launch->shared,
                                        .cluster = launch->cluster,
                                        .arguments = arguments};

    return executor_run(&run, executor_mode((uint32_t)cuda_stand_in()->mode));
}

/* A kernel in place of a text has the text's arguments, one in place of two has both's.
 */
static uint32_t tuned_output(const char *name)
{
    static const struct {
        const char *name;
        enum kernel text;
    } places[] = {
#define CUDA_TUNED(text, entry, capability) {#entry, KERNEL_##text},
#include "backends/cuda/cuda_tuned.def"
#undef CUDA_TUNED
    };

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (strcmp(places[i].name, name) == 0)
            return functions[places[i].text].output;
#define CUDA_JOINT(first, second, entry, capability)                                     \
    if (strcmp(name, #entry) == 0)                                                       \
        return functions[KERNEL_##first].arguments + functions[KERNEL_##second].output;
#include "backends/cuda/cuda_joint.def"
#undef CUDA_JOINT
    return 0;
}

uint8_t *stand_in_written(const struct cuda_function *function, void *const *arguments)
{
    uint8_t *written = NULL;
    uint64_t first;

    if (function->output) { /* of a later part of a range only the kernel knows where */
        memcpy(&first, arguments[0], sizeof first);
        if (!first)
            memcpy(&written, arguments[function->output], sizeof written);
    } else if (function->sizes[0] == sizeof(struct cuda_product)) {
        const struct cuda_product *product = arguments[0];

        if (!strcmp(function->name, "correction_make"))
            written = (uint8_t *)product->scratch + 4 * CORRECTION_SLOTS;
        else if (product->c)
            written = (uint8_t *)product->c;
        else /* a ticket; whoever had no winner has room for one */
            written = product->ring->hit[0].ticket;
    }
    return written;
}

static struct cuda_function *tuned_find(const char *name)
{
    struct cuda_function *function = &tuned[tuned_count];
    uint32_t count = 0;
    const size_t *sizes = executor_kernel_arguments(name, &count);

    for (size_t i = 0; i < tuned_count; i++)
        if (strcmp(tuned[i].name, name) == 0)
            return &tuned[i];
    if (!sizes || tuned_count == sizeof tuned / sizeof tuned[0])
        return NULL;
    *function = (struct cuda_function){strdup(name),       count, sizes, tuned_run,
                                       tuned_output(name), 0};
    tuned_count++;
    return function;
}

struct cuda_function *stand_in_function(const char *name)
{
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (strcmp(functions[i].name, name) == 0)
            return &functions[i];
    return tuned_find(name);
}

__attribute__((destructor)) static void names_free(void)
{
    while (tuned_count)
        free((char *)(uintptr_t)tuned[--tuned_count].name);
}
