/*
 * test_threads.c - claims: a queue loses and doubles nothing between threads and ends in
 * order; a mailbox gives the newest thing and frees every other exactly once.
 *
 * labels: tsan
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "miner/base/mailbox.h"
#include "miner/base/memory.h"
#include "miner/base/queue.h"
#include "miner/base/thread.h"
#include "miner/work/job.h"

enum { THINGS = 5000, WRITERS = 3 };

struct ring {
    struct queue *queue;
    uint32_t seen[THINGS * WRITERS];
};

struct writer {
    struct ring *ring;
    uint32_t first;
};

static void write_things(void *context)
{
    const struct writer *writer = context;

    for (uint32_t i = 0; i < THINGS; i++) {
        uint32_t *thing = memory_new(uint32_t);
        *thing = writer->first + i;
        if (queue_put(writer->ring->queue, thing, QUEUE_FOREVER))
            memory_free(thing);
    }
}

static void queue_carries_everything_once(void **state)
{
    static struct ring ring;
    struct thread *threads[WRITERS];
    struct writer writers[WRITERS];
    void *thing;

    (void)state;
    assert_int_equal(queue_new(7, memory_free, &ring.queue), STATUS_OK);
    for (uint32_t i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.ring = &ring, .first = i * THINGS};
        assert_int_equal(thread_start("writer", write_things, &writers[i], &threads[i]),
                         0);
    }
    for (int i = 0; i < THINGS * WRITERS; i++) {
        assert_int_equal(queue_take(ring.queue, QUEUE_FOREVER, &thing), STATUS_OK);
        ring.seen[*(uint32_t *)thing]++;
        memory_free(thing);
    }
    for (int i = 0; i < WRITERS; i++)
        thread_join(threads[i]);
    for (int i = 0; i < THINGS * WRITERS; i++)
        assert_int_equal(ring.seen[i], 1);
    assert_int_equal(queue_take(ring.queue, 0, &thing), STATUS_TIMEOUT);
    queue_free(ring.queue);
}

static void queue_ends_in_order(void **state)
{
    struct queue *queue;
    uint32_t *things[3];
    void *thing;

    (void)state;
    assert_int_equal(queue_new(2, memory_free, &queue), STATUS_OK);
    for (int i = 0; i < 3; i++)
        things[i] = memory_new(uint32_t);
    assert_int_equal(queue_put(queue, things[0], 0), STATUS_OK);
    assert_int_equal(queue_put(queue, things[1], 0), STATUS_OK);
    assert_int_equal(queue_put(queue, things[2], 5), STATUS_TIMEOUT);
    queue_close(queue);
    assert_int_equal(queue_put(queue, things[2], QUEUE_FOREVER), STATUS_CLOSED);
    memory_free(things[2]);
    assert_int_equal(queue_take(queue, QUEUE_FOREVER, &thing), STATUS_OK);
    assert_ptr_equal(thing, things[0]);
    memory_free(thing);
    assert_int_equal(queue_count(queue), 1);
    queue_free(queue); /* frees the one that is left */
}

static void read_newest(void *context)
{
    struct mailbox *mailbox = context;
    uint64_t generation = 0, height = 0;

    while (height < THINGS) {
        struct job *job;
        if (!mailbox_newer(mailbox, generation))
            continue;
        job = mailbox_take(mailbox, &generation);
        if (!job)
            continue;
        assert_true(job->height >= height);
        height = job->height;
        job_release(job);
    }
}

static void mailbox_gives_the_newest(void **state)
{
    struct mailbox *mailbox;
    struct thread *readers[2];

    (void)state;
    assert_int_equal(mailbox_new(job_hold, job_drop, &mailbox), STATUS_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(thread_start("reader", read_newest, mailbox, &readers[i]), 0);
    for (uint64_t i = 1; i <= THINGS; i++) {
        const struct job job = {.height = i};
        mailbox_put(mailbox, job_new(&job));
    }
    for (int i = 0; i < 2; i++)
        thread_join(readers[i]);
    mailbox_free(mailbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queue_carries_everything_once),
        cmocka_unit_test(queue_ends_in_order),
        cmocka_unit_test(mailbox_gives_the_newest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
