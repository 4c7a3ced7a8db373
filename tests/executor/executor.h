/*
 * executor.h - runs CUDA kernels without a GPU, as badly as the rules allow.
 *
 * The threads of a block are fibers of one host thread; shared memory is one array.  Only
 * barriers, warp_sync and mbarriers order memory: every access is compared with the last
 * ones to the same byte, and two that nothing orders are a fault, as are addresses
 * outside of every allocation, misaligned ones, bytes read before their copy was waited
 * for, shared bytes never written, lanes that part, and threads that wait for ever.  A
 * mode says in which order fibers and blocks run and when asynchronous copies land; a
 * kernel is right when all modes end alike.
 *
 * Any thread may call; launches take turns.  One program may hold it several times (it
 * is linked into every library of kernels): each has its own memory and kernels.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_EXECUTOR_EXECUTOR_H
#define MINERVA_TESTS_EXECUTOR_EXECUTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXECUTOR_API __attribute__((visibility("default")))

enum executor_order { EXECUTOR_ASCENDING, EXECUTOR_DESCENDING, EXECUTOR_SEEDED };

struct executor_mode {
    enum executor_order order;
    uint32_t seed;   /* of the seeded order */
    bool lands_late; /* copies land at their wait, else at their issue */
};

struct executor_launch {
    const char *kernel;
    uint32_t grid[3];
    uint32_t threads; /* a block */
    uint32_t shared_bytes;
    void *const *arguments; /* as cuLaunchKernel takes them: a pointer to each */
    uint32_t cluster;       /* blocks in a cluster, along a row; 0: none */
};

#define EXECUTOR_MODES 5

#ifdef __cplusplus
extern "C" {
#endif

/* Whether a kernel of that name was linked; its most threads a block, or 0. */
EXECUTOR_API uint32_t executor_kernel_threads(const char *kernel);
/* The bytes of each of its arguments, *count of them; NULL: no such kernel. */
EXECUTOR_API const size_t *executor_kernel_arguments(const char *kernel, uint32_t *count);

/* NULL, or what went wrong in a sentence that lasts until the calling thread's next call.
 */
EXECUTOR_API const char *executor_run(const struct executor_launch *launch,
                                      const struct executor_mode *mode);

/* The same in all modes, each on the memory as it was before; all must leave the same
 * bytes, apart from allocations over 256 MiB, which are neither restored nor compared. */
EXECUTOR_API const char *executor_run_all(const struct executor_launch *launch);
EXECUTOR_API const struct executor_mode *executor_mode(uint32_t index);

/* Device memory: host pointers at multiples of 4096, apart from each other; pages that
 * are never touched cost nothing.  New memory holds 0xa5, or zeros above 64 MiB. */
EXECUTOR_API void *executor_memory_new(size_t size);
EXECUTOR_API void executor_memory_free(void *memory);
/* Whether [at, at + size) lies in one allocation. */
EXECUTOR_API bool executor_memory_has(const void *at, size_t size);

/* What tma_load reads: `map` is 128 bytes; rows lie `stride` bytes apart.  Elements are
 * bytes; swizzled: in the 128-byte pattern. */
EXECUTOR_API void executor_tensor_map(void *map, const void *base, const uint64_t size[2],
                                      uint64_t stride, const uint32_t box[2],
                                      bool swizzled);

#ifdef __cplusplus
}
#endif

#endif
