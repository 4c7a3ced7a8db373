/*
 * queue.c - a bounded first-in-first-out line between threads.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/base/queue.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#include "miner/base/memory.h"

struct queue {
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    void **things;
    size_t capacity, first, count;
    bool is_closed;
    int watch; /* an eventfd, or -1 */
    queue_release *release;
};

enum status queue_new(size_t capacity, queue_release *release, struct queue **out)
{
    struct queue *queue = memory_new(struct queue);
    void **things = memory_array(capacity, sizeof(void *));
    pthread_condattr_t monotonic;

    assert(capacity);
    if (!queue || !things) {
        memory_free(queue);
        memory_free(things);
        return STATUS_NO_MEMORY;
    }
    pthread_mutex_init(&queue->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&queue->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    queue->things = things;
    queue->capacity = capacity;
    queue->release = release;
    queue->watch = -1;
    *out = queue;
    return STATUS_OK;
}

void queue_free(struct queue *queue)
{
    if (!queue)
        return;
    for (size_t i = 0; i < queue->count; i++)
        queue->release(queue->things[(queue->first + i) % queue->capacity]);
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->lock);
    memory_free(queue->things);
    memory_free(queue);
}

/* With the lock held. A full eventfd already says what this would. */
static void queue_tell(struct queue *queue)
{
    const uint64_t one = 1;

    pthread_cond_broadcast(&queue->changed);
    if (queue->watch >= 0 && write(queue->watch, &one, sizeof one) < 0)
        return;
}

void queue_watch(struct queue *queue, int fd)
{
    pthread_mutex_lock(&queue->lock);
    queue->watch = fd;
    if (queue->count || queue->is_closed)
        queue_tell(queue);
    pthread_mutex_unlock(&queue->lock);
}

void queue_close(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->is_closed = true;
    queue_tell(queue);
    pthread_mutex_unlock(&queue->lock);
}

static struct timespec deadline_in(uint64_t wait_ms)
{
    struct timespec at = {0};

    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += (time_t)(wait_ms / 1000);
    at.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_nsec -= 1000000000;
        at.tv_sec++;
    }
    return at;
}

/* Waits, with the lock held, for another thread's change; false when the time is over. */
static bool queue_wait(struct queue *queue, uint64_t wait_ms,
                       const struct timespec *deadline)
{
    if (wait_ms == 0)
        return false;
    if (wait_ms == QUEUE_FOREVER)
        return !pthread_cond_wait(&queue->changed, &queue->lock);
    return !pthread_cond_timedwait(&queue->changed, &queue->lock, deadline);
}

enum status queue_put(struct queue *queue, void *thing, uint64_t wait_ms)
{
    const struct timespec deadline = deadline_in(wait_ms == QUEUE_FOREVER ? 0 : wait_ms);
    enum status status = STATUS_OK;

    assert(thing);
    pthread_mutex_lock(&queue->lock);
    while (!queue->is_closed && queue->count == queue->capacity && !status) {
        if (!queue_wait(queue, wait_ms, &deadline))
            status = STATUS_TIMEOUT;
    }
    if (queue->is_closed) {
        status = STATUS_CLOSED;
    } else if (queue->count < queue->capacity) {
        queue->things[(queue->first + queue->count++) % queue->capacity] = thing;
        status = STATUS_OK;
        queue_tell(queue);
    }
    pthread_mutex_unlock(&queue->lock);
    return status;
}

enum status queue_take(struct queue *queue, uint64_t wait_ms, void **out)
{
    const struct timespec deadline = deadline_in(wait_ms == QUEUE_FOREVER ? 0 : wait_ms);
    enum status status = STATUS_OK;

    pthread_mutex_lock(&queue->lock);
    while (!queue->is_closed && !queue->count && !status) {
        if (!queue_wait(queue, wait_ms, &deadline))
            status = STATUS_TIMEOUT;
    }
    if (queue->count) {
        *out = queue->things[queue->first];
        queue->first = (queue->first + 1) % queue->capacity;
        queue->count--;
        status = STATUS_OK;
        pthread_cond_broadcast(&queue->changed);
    } else if (queue->is_closed) {
        status = STATUS_CLOSED;
    }
    pthread_mutex_unlock(&queue->lock);
    return status;
}

size_t queue_count(struct queue *queue)
{
    size_t count;

    pthread_mutex_lock(&queue->lock);
    count = queue->count;
    pthread_mutex_unlock(&queue->lock);
    return count;
}
