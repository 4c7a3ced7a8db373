/*
 * mailbox.h - hands the newest thing to readers, and forgets the older one.
 *
 * put() is for one thread, take() for any.  newer() takes no lock: workers ask it between
 * slices. The things are reference counted by their owner: the two functions given at
 * birth.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BASE_MAILBOX_H
#define MINERVA_BASE_MAILBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "miner/base/error.h"

struct mailbox;
typedef void *mailbox_keep(void *thing);   /* one more holder; returns thing */
typedef void mailbox_release(void *thing); /* one holder less */

MUST_CHECK enum status mailbox_new(mailbox_keep *keep, mailbox_release *release,
                                   struct mailbox **out);
void mailbox_free(struct mailbox *mailbox);
void mailbox_put(struct mailbox *mailbox, void *thing); /* takes thing; NULL empties */
void *mailbox_take(struct mailbox *mailbox,
                   uint64_t *generation); /* kept for the caller, or NULL */
bool mailbox_newer(const struct mailbox *mailbox, uint64_t generation);
/* The newest generation itself, for who must not know mailboxes: to be read with
 * __atomic_load_n. */
const uint64_t *mailbox_count(const struct mailbox *mailbox);

#endif
