/*
 * fiber.c - switches between stacks: a few instructions where it is known how, ucontext
 * elsewhere (which asks the kernel each time).
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/executor/fiber.h"

#include <stdint.h>

#ifdef __x86_64__

void fiber_swap(void **from, void *to);

__asm__(".text\n"
        ".hidden fiber_swap\n"
        ".globl fiber_swap\n"
        ".type fiber_swap, @function\n"
        "fiber_swap:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size fiber_swap, .-fiber_swap\n");

void fiber_new(struct fiber *fiber, void *stack, size_t size, void (*entry)(void))
{
    uintptr_t *top = (uintptr_t *)(void *)((uint8_t *)stack + size);

    /* At its entry a function finds the stack 8 beyond a multiple of 16. */
    *--top = 0;
    *--top = (uintptr_t)entry;
    for (int i = 0; i < 6; i++)
        *--top = 0;
    fiber->stack = top;
}

void fiber_switch(struct fiber *from, struct fiber *to)
{
    fiber_swap(&from->stack, to->stack);
}

#else

void fiber_new(struct fiber *fiber, void *stack, size_t size, void (*entry)(void))
{
    getcontext(&fiber->context);
    fiber->context.uc_stack.ss_sp = stack;
    fiber->context.uc_stack.ss_size = size;
    fiber->context.uc_link = NULL;
    makecontext(&fiber->context, entry, 0);
}

void fiber_switch(struct fiber *from, struct fiber *to)
{
    swapcontext(&from->context, &to->context);
}

#endif
