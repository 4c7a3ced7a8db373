/*
 * thread.h - a named thread that is started once and joined once, a lock, and the
 * processors at hand.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BASE_THREAD_H
#define MINERVA_BASE_THREAD_H

#include <stdint.h>

#include "miner/base/error.h"

struct thread;
typedef void thread_main(void *context);

/* name: at most 15 characters, shown by the system.  context must outlive the thread. */
MUST_CHECK enum status thread_start(const char *name, thread_main *main, void *context,
                                    struct thread **out);
void thread_join(struct thread *thread); /* waits, frees; NULL is fine */
uint32_t thread_processors(void);        /* processors this process may use, at least 1 */
/* Keeps a thread on one of them, counted from 0; where the system refuses, it stays free.
 */
void thread_pin(struct thread *thread, uint32_t processor);

/* Guards the few fields of one shared object; none is held while another is taken. */
struct lock;
MUST_CHECK enum status lock_new(struct lock **out);
void lock_free(struct lock *lock); /* NULL is fine */
void lock_take(struct lock *lock);
void lock_give(struct lock *lock);

#endif
