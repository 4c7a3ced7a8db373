/*
 * fiber.h - threads of control that take turns by hand, on one host thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_EXECUTOR_FIBER_H
#define MINERVA_TESTS_EXECUTOR_FIBER_H

#include <stddef.h>

#ifndef __x86_64__
#include <ucontext.h>
#endif

struct fiber {
#ifdef __x86_64__
    void *stack; /* where its registers lie while it does not run */
#else
    ucontext_t context;
#endif
};

/* `entry` runs at the first switch to it and never returns. */
void fiber_new(struct fiber *fiber, void *stack, size_t size, void (*entry)(void));
void fiber_switch(struct fiber *from, struct fiber *to);

#endif
