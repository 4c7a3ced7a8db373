/*
 * thread.c - a named thread that is started once and joined once, and a lock.
 *
 * Signals stay with the main thread, which alone decides when to stop.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/base/thread.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "miner/base/memory.h"

struct thread {
    pthread_t id;
    char name[16];
    thread_main *main;
    void *context;
};

static void *thread_enter(void *argument)
{
    const struct thread *thread = argument;

    pthread_setname_np(pthread_self(), thread->name);
    thread->main(thread->context);
    return NULL;
}

enum status thread_start(const char *name, thread_main *main, void *context,
                         struct thread **out)
{
    struct thread *thread = memory_new(struct thread);
    sigset_t all, before;
    int failed;

    if (!thread)
        return STATUS_NO_MEMORY;
    snprintf(thread->name, sizeof thread->name, "%s", name);
    thread->main = main;
    thread->context = context;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&thread->id, NULL, thread_enter, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        memory_free(thread);
        return STATUS_NO_MEMORY;
    }
    *out = thread;
    return STATUS_OK;
}

void thread_join(struct thread *thread)
{
    if (!thread)
        return;
    pthread_join(thread->id, NULL);
    memory_free(thread);
}

uint32_t thread_processors(void)
{
    cpu_set_t set;
    int count = 0;

    CPU_ZERO(&set);
    if (!sched_getaffinity(0, sizeof set, &set))
        count = CPU_COUNT(&set);
    return count > 0 ? (uint32_t)count : 1;
}

void thread_pin(struct thread *thread, uint32_t processor)
{
    cpu_set_t all, one;

    CPU_ZERO(&all);
    CPU_ZERO(&one);
    if (sched_getaffinity(0, sizeof all, &all))
        return;
    for (uint32_t cpu = 0, seen = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &all) && seen++ == processor)
            CPU_SET(cpu, &one);
    if (CPU_COUNT(&one))
        (void)pthread_setaffinity_np(thread->id, sizeof one, &one);
}

struct lock {
    pthread_mutex_t mutex;
};

enum status lock_new(struct lock **out)
{
    struct lock *lock = memory_new(struct lock);

    if (!lock)
        return STATUS_NO_MEMORY;
    if (pthread_mutex_init(&lock->mutex, NULL)) {
        memory_free(lock);
        return STATUS_NO_MEMORY;
    }
    *out = lock;
    return STATUS_OK;
}

void lock_free(struct lock *lock)
{
    if (!lock)
        return;
    pthread_mutex_destroy(&lock->mutex);
    memory_free(lock);
}

void lock_take(struct lock *lock)
{
    pthread_mutex_lock(&lock->mutex);
}

void lock_give(struct lock *lock)
{
    pthread_mutex_unlock(&lock->mutex);
}
