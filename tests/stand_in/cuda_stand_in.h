/*
 * cuda_stand_in.h - a libcuda.so.1 without a card: the functions of cuda_driver.def on
 * the host, as slow and as faulty as a test wants them.
 *
 * Its device memory is host memory.  What is queued on a stream waits there: when a
 * stream is waited for, only what must have happened happens, in the order that `lag`
 * says, so that a dependency nobody asked for shows as a wrong result.  A test finds the
 * switches with cuda_stand_in() of the library it has opened itself, a script sets
 * CUDA_STAND_IN to "devices=0 driver=11040 ..." with the names of the fields.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_CUDA_STAND_IN_H
#define MINERVA_TESTS_CUDA_STAND_IN_H

#include <stddef.h>
#include <stdint.h>

enum cuda_lag {
    LAG_NONE, /* everything happens when it is queued */
    LAG_LATE, /* nothing happens before somebody must wait for it */
    LAG_OTHER /* whoever waits for one stream finds the others done first */
};

struct cuda_stand_in {
    /* Switches. */
    uint64_t devices;    /* how many there are */
    uint64_t driver;     /* what it answers as its version */
    uint64_t capability; /* 10 * major + minor, of every card */
    uint64_t memory;     /* bytes of each card */
    uint64_t processors; /* multiprocessors of each: how wide launches are */
    uint64_t integrated; /* 1: the cards live in the host's memory */
    uint64_t cache;      /* bytes of each one's second cache */
    uint64_t lag;        /* enum cuda_lag */
    uint64_t fail_at;    /* the n-th call from now fails; 0: none */
    uint64_t fail_call;  /* number of the only call that is counted; 0: all are */
    uint64_t fail_code;  /* what a failing call answers */
    uint64_t fail_stays; /* 1: and all calls after it, until failed is set to 0 */
    uint64_t failed;
    uint64_t wrong_at; /* the n-th launch leaves one wrong bit; 0: none */
    uint64_t hang_at;  /* the n-th launch never ends; 0: none */
    uint64_t mode;     /* of the executor, for kernels that are no texts */
    /* What happened. */
    uint64_t calls, launches;
    uint64_t launches_run;             /* of those launches, how many have happened */
    uint64_t launches_before;          /* ... before one that was queued before them */
    uint64_t memory_held, memory_news; /* bytes now; how often memory was taken */
    uint64_t pinned_held, handles_held;
    const char *wrong_kernel; /* what the wrong bit came out of */
};

/* The only one; the same in every call. */
struct cuda_stand_in *cuda_stand_in(void);

/* Numbers of calls, for fail_call. */
enum cuda_call {
    CUDA_CALL_NONE,
#define CUDA_CALL(slot, symbol, need, parameters) CUDA_CALL_##slot,
#include "backends/cuda/cuda_driver.def"
#undef CUDA_CALL
    CUDA_CALL_COUNT
};

#endif
