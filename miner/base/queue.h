/*
 * queue.h - a bounded first-in-first-out line between threads.
 *
 * Any thread may put and take.  A closed queue takes nothing more and gives what is left,
 * then CLOSED.  Things are pointers whose ownership moves through the queue.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BASE_QUEUE_H
#define MINERVA_BASE_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "miner/base/error.h"

struct queue;
typedef void queue_release(void *thing);

/* release frees what is left when the queue is freed. */
MUST_CHECK enum status queue_new(size_t capacity, queue_release *release,
                                 struct queue **out);
void queue_free(struct queue *queue);
void queue_close(struct queue *queue);

#define QUEUE_FOREVER UINT64_MAX
/* OK (thing was taken over), TIMEOUT (full that long; thing stays the caller's) or
 * CLOSED. */
MUST_CHECK enum status queue_put(struct queue *queue, void *thing, uint64_t wait_ms);
/* OK, TIMEOUT (empty that long) or CLOSED (closed and empty). */
MUST_CHECK enum status queue_take(struct queue *queue, uint64_t wait_ms, void **out);
size_t queue_count(struct queue *queue);
/* From now on every put and the close add 1 to fd, an eventfd, so that a reader may wait
 * for the queue and for sockets at once; -1 ends that. */
void queue_watch(struct queue *queue, int fd);

#endif
