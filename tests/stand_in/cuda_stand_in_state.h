/*
 * cuda_stand_in_state.h - what the files of the stand-in know of each other.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_CUDA_STAND_IN_STATE_H
#define MINERVA_TESTS_CUDA_STAND_IN_STATE_H

#include <stdbool.h>

#include "backends/cuda/cuda_driver.h"
#include "tests/stand_in/cuda_stand_in.h"

#define CUDA_CALL(slot, symbol, need, parameters) int symbol parameters;
#include "backends/cuda/cuda_driver.def"
#undef CUDA_CALL

enum { ARGUMENTS_MAX = 20, ARGUMENT_SIZE_MAX = 2048 };

enum deed { DEED_COPY, DEED_SET, DEED_LAUNCH, DEED_RECORD, DEED_WAIT };

/* Something queued on a stream. */
struct queued {
    enum deed deed;
    void *to;
    const void *from;
    size_t size;
    uint8_t value;
    struct cuda_event *event;
    uint64_t version; /* of the event's recording that is made or waited for */
    const struct cuda_function *function;
    uint64_t number; /* of a launch: how many there were with it */
    unsigned blocks, threads, shared, cluster;
    uint8_t arguments[ARGUMENT_SIZE_MAX];
    bool is_wrong; /* one bit of what it writes comes out wrong */
    struct queued *next;
};

struct cuda_stream {
    struct queued *first, *last;
    struct cuda_stream *next;
};

struct cuda_event {
    struct cuda_stream *stream; /* it was recorded on last */
    uint64_t recorded, done;    /* how often */
};

/* A kernel: what it takes, and how it is run. */
struct cuda_function {
    const char *name;
    uint32_t arguments;
    const size_t *sizes; /* of each */
    /* NULL, or what went wrong. */
    const char *(*run)(const struct queued *launch, void *const *arguments);
    uint32_t output;     /* the argument that points to what it writes; 0: see below */
    uint32_t shared_max; /* bytes of shared memory a launch may ask for; 0: 48 KiB */
};

/* The first byte of what a launch writes; NULL: nobody knows. */
uint8_t *stand_in_written(const struct cuda_function *function, void *const *arguments);

/* NULL: no kernel of that name. */
struct cuda_function *stand_in_function(const char *name);

enum { STAND_IN_NO_CONTEXT = 201 };
bool stand_in_has_context(void);

/* What a call answers before it does anything. */
int stand_in_enter(enum cuda_call call);
void stand_in_fail(const char *why); /* says so; every call answers so from now on */

struct queued *stand_in_queue(struct cuda_stream *stream, enum deed deed);
void stand_in_queued(void); /* behind each: happens at once without a lag */
void stand_in_run_all(void);

/* Begins a function: the fault that is due. */
#define ENTER(slot)                                                                      \
    do {                                                                                 \
        const int code_ = stand_in_enter(CUDA_CALL_##slot);                              \
        if (code_)                                                                       \
            return code_;                                                                \
    } while (0)
/* The same of one that needs a context, which is the calling thread's own. */
#define ENTER_CONTEXT(slot)                                                              \
    do {                                                                                 \
        ENTER(slot);                                                                     \
        if (!stand_in_has_context())                                                     \
            return STAND_IN_NO_CONTEXT;                                                  \
    } while (0)

#endif
