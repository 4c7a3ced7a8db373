/*
 * executor_launch.c - launches: the list of kernels, the modes, blocks one after the
 * other.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/executor/executor_memory.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static struct executor_kernel *kernels;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local char sentence[700];

static const struct executor_mode modes[EXECUTOR_MODES] = {
    {EXECUTOR_ASCENDING, 0, false}, {EXECUTOR_DESCENDING, 0, true},
    {EXECUTOR_SEEDED, 1, false},    {EXECUTOR_SEEDED, 2, true},
    {EXECUTOR_ASCENDING, 0, true},
};

const struct executor_mode *executor_mode(uint32_t index)
{
    return &modes[index % EXECUTOR_MODES];
}

void executor_register(struct executor_kernel *kernel)
{
    kernel->next = kernels;
    kernels = kernel;
}

static const struct executor_kernel *kernel_find(const char *name)
{
    const struct executor_kernel *kernel = kernels;

    while (kernel && strcmp(kernel->name, name))
        kernel = kernel->next;
    return kernel;
}

uint32_t executor_kernel_threads(const char *name)
{
    const struct executor_kernel *kernel = kernel_find(name);

    return kernel ? kernel->threads_max : 0;
}

const size_t *executor_kernel_arguments(const char *name, uint32_t *count)
{
    const struct executor_kernel *kernel = kernel_find(name);

    *count = kernel ? kernel->arguments : 0;
    return kernel ? kernel->sizes : NULL;
}

static bool launch_is_legal(const struct executor_launch *l, char *text, size_t size)
{
    const struct executor_kernel *k = kernel_find(l->kernel);

    if (!k)
        snprintf(text, size, "%s: no kernel of that name is linked", l->kernel);
    else if (l->threads == 0 || l->threads > k->threads_max || l->threads > THREADS_MAX)
        snprintf(text, size, "%s: %u threads a block, expected 1 to %u", l->kernel,
                 l->threads, k->threads_max);
    else if (l->shared_bytes > SHARED_MAX)
        snprintf(text, size, "%s: %u bytes of shared memory, at most %u", l->kernel,
                 l->shared_bytes, SHARED_MAX);
    else if (l->cluster > 1 &&
             (l->cluster > MEMBERS_MAX || l->grid[0] % l->cluster || l->threads % GROUP ||
              l->threads * l->cluster > THREADS_MAX))
        snprintf(text, size, "%s: clusters of %u blocks of %u threads in a row of %u",
                 l->kernel, l->cluster, l->threads, l->grid[0]);
    else if (!l->grid[0] || !l->grid[1] || !l->grid[2] || l->grid[1] > 65535 ||
             l->grid[2] > 65535 || l->grid[0] > 0x7fffffffu)
        snprintf(text, size, "%s: a grid of %u x %u x %u", l->kernel, l->grid[0],
                 l->grid[1], l->grid[2]);
    else
        return true;
    return false;
}

static const char *launch_run(const struct executor_launch *l,
                              const struct executor_mode *m)
{
    struct block *b = executor_block;
    const u32 members = l->cluster ? l->cluster : 1;
    const u64 count = (u64)l->grid[0] / members * l->grid[1] * l->grid[2];
    u64 step = 1;

    if (!launch_is_legal(l, sentence, sizeof sentence))
        return sentence;
    executor_block_make();
    b->launch = l;
    b->kernel = kernel_find(l->kernel);
    b->mode = m;
    b->width = l->threads;
    b->threads = l->threads * members;
    b->places = b->threads + AGENTS_MAX;
    b->serial_first = b->serial + 1;
    b->random = 0x9e3779b97f4a7c15u * (m->seed + 1u);
    b->failed = false;
    b->caller = NULL;
    if (m->order == EXECUTOR_SEEDED) /* a stride that meets every block once */
        step = count % 7919 ? 7919 : 1;
    for (u64 i = 0; i < count; i++) {
        const u64 at = m->order == EXECUTOR_DESCENDING ? count - 1 - i : i * step % count;

        if (!executor_block_run(at)) {
            snprintf(sentence, sizeof sentence, "%s (order %d, seed %u, copies land %s)",
                     b->fault, (int)m->order, m->seed, m->lands_late ? "late" : "early");
            return sentence;
        }
    }
    return NULL;
}

const char *executor_run(const struct executor_launch *launch,
                         const struct executor_mode *mode)
{
    const char *fault;

    pthread_mutex_lock(&turn);
    fault = launch_run(launch, mode);
    pthread_mutex_unlock(&turn);
    return fault;
}

static const char *launch_run_all(const struct executor_launch *launch,
                                  const struct snapshot *before, struct snapshot **first)
{
    for (u32 i = 0; i < EXECUTOR_MODES; i++) {
        struct snapshot *after;
        const char *fault;
        const void *where;

        if (i)
            executor_snapshot_restore(before);
        fault = launch_run(launch, &modes[i]);
        if (fault)
            return fault;
        after = executor_snapshot_new();
        if (!*first) {
            *first = after;
            continue;
        }
        where = executor_snapshot_differs(*first, after);
        executor_snapshot_free(after);
        if (where) {
            snprintf(sentence, sizeof sentence,
                     "%s: modes 0 and %u left different bytes at %p", launch->kernel, i,
                     where);
            return sentence;
        }
    }
    return NULL;
}

const char *executor_run_all(const struct executor_launch *launch)
{
    struct snapshot *before, *first = NULL;
    const char *fault;

    pthread_mutex_lock(&turn);
    before = executor_snapshot_new();
    fault = launch_run_all(launch, before, &first);
    executor_snapshot_free(first);
    executor_snapshot_free(before);
    pthread_mutex_unlock(&turn);
    return fault;
}
