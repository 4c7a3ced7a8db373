/*
 * mailbox.c - hands the newest thing to readers, and forgets the older one.
 *
 * newer() takes no lock: workers ask it between slices, millions of times a day.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/base/mailbox.h"

#include <pthread.h>

#include "miner/base/memory.h"

struct mailbox {
    pthread_mutex_t lock; /* guards thing */
    void *thing;
    uint64_t generation; /* changes with every put; read without the lock */
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
    __atomic_fetch_add(&mailbox->generation, 1, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock(&mailbox->lock);
    if (old)
        mailbox->release(old);
}

void *mailbox_take(struct mailbox *mailbox, uint64_t *generation)
{
    void *thing;

    pthread_mutex_lock(&mailbox->lock);
    thing = mailbox->thing ? mailbox->keep(mailbox->thing) : NULL;
    *generation = __atomic_load_n(&mailbox->generation, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock(&mailbox->lock);
    return thing;
}

bool mailbox_newer(const struct mailbox *mailbox, uint64_t generation)
{
    return __atomic_load_n(&mailbox->generation, __ATOMIC_RELAXED) != generation;
}

const uint64_t *mailbox_count(const struct mailbox *mailbox)
{
    return &mailbox->generation;
}
