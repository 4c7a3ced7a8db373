/*
 * mailbox.c - hands the newest thing to readers, and forgets the older one.
 *
 * newer() takes no lock: workers ask it between slices, millions of times a day.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/base/mailbox.h"

#include <pthread.h>
#include <stdatomic.h>

#include "miner/base/memory.h"

struct mailbox {
    pthread_mutex_t lock; /* guards thing */
    void *thing;
    atomic_uint_fast64_t generation; /* changes with every put */
    mailbox_keep *keep;
    mailbox_release *release;
};

enum status mailbox_new(mailbox_keep *keep, mailbox_release *release,
                        struct mailbox **out)
{
    struct mailbox *mailbox = memory_new(struct mailbox);

    if (!mailbox)
        return STATUS_NO_MEMORY;
    pthread_mutex_init(&mailbox->lock, NULL);
    mailbox->keep = keep;
    mailbox->release = release;
    *out = mailbox;
    return STATUS_OK;
}

void mailbox_free(struct mailbox *mailbox)
{
    if (!mailbox)
        return;
    if (mailbox->thing)
        mailbox->release(mailbox->thing);
    pthread_mutex_destroy(&mailbox->lock);
    memory_free(mailbox);
}

void mailbox_put(struct mailbox *mailbox, void *thing)
{
    void *old;

    pthread_mutex_lock(&mailbox->lock);
    old = mailbox->thing;
    mailbox->thing = thing;
    atomic_fetch_add(&mailbox->generation, 1);
    pthread_mutex_unlock(&mailbox->lock);
    if (old)
        mailbox->release(old);
}

void *mailbox_take(struct mailbox *mailbox, uint64_t *generation)
{
    void *thing;

    pthread_mutex_lock(&mailbox->lock);
    thing = mailbox->thing ? mailbox->keep(mailbox->thing) : NULL;
    *generation = atomic_load(&mailbox->generation);
    pthread_mutex_unlock(&mailbox->lock);
    return thing;
}

bool mailbox_newer(const struct mailbox *mailbox, uint64_t generation)
{
    return atomic_load_explicit(&mailbox->generation, memory_order_relaxed) != generation;
}
