/*
 * ptx_executor.h - what the executor of tests/executor does for ptx.h on a host: the
 * words as C functions.  C and C++.
 *
 * A word means here what ptx_*.h says for nvcc.  Words that involve a warp return when
 * all its lanes have called the same word.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_PTX_EXECUTOR_H
#define MINERVA_BACKENDS_CUDA_PTX_EXECUTOR_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/vocabulary.h"

struct tensor_map;

/* A kernel that can be launched by its name. */
struct executor_kernel {
    const char *name;
    void (*call)(void *const *arguments);
    u32 threads_max;
    u32 arguments;
    const size_t *sizes; /* of each argument */
    struct executor_kernel *next;
};

#ifdef __cplusplus
extern "C" {
#endif

void executor_register(struct executor_kernel *kernel);
u8 *executor_shared(void);

u32 thread_index(void);
u32 thread_count(void);
u32 block_index(void);
u32 block_index_y(void);
u32 block_index_z(void);
u32 block_count(void);
u32 block_count_y(void);
u32 block_count_z(void);

u32 cluster_rank(void);
void cluster_sync(void);

void warp_sync(void);
u32 shuffle(u32 x, u32 lane);
u32 shuffle_xor(u32 x, u32 mask);
u32 shuffle_up(u32 x, u32 by);
u32 shuffle_down(u32 x, u32 by);
u32 warp_ballot(u32 is);

void block_sync(void);
void barrier_sync(u32 id, u32 threads);
void barrier_arrive(u32 id, u32 threads);

u32 atomic_add(u32 *word, u32 x);
u32 atomic_min(u32 *word, u32 x);
u32 atomic_max(u32 *word, u32 x);
u32 atomic_and(u32 *word, u32 x);
u32 atomic_or(u32 *word, u32 x);
u32 atomic_xor(u32 *word, u32 x);
u32 atomic_exchange(u32 *word, u32 x);
u32 atomic_replace(u32 *word, u32 old, u32 x);
u64 atomic_add_64(u64 *word, u64 x);
u64 atomic_min_64(u64 *word, u64 x);
u32 load_relaxed(const u32 *word);
void store_relaxed(u32 *word, u32 x);
void memory_fence(void);

i32 dp4a(u32 a, u32 b, i32 c);
u32 prmt(u32 a, u32 b, u32 selector);
u32 rotate_left(u32 x, u32 by);
u32 rotate_right(u32 x, u32 by);
u32 mul_high(u32 a, u32 b);
u32 population(u32 x);
u32 leading_zeros(u32 x);
u32 xor3(u32 a, u32 b, u32 c);
u32 executor_lop3(u32 a, u32 b, u32 c, u32 table);

void load_8(u32 *to, const void *from);
void load_16(u32 *to, const void *from);
void load_stream_8(u32 *to, const void *from);
void load_stream_16(u32 *to, const void *from);
void store_8(void *to, const u32 *from);
void store_16(void *to, const u32 *from);
void store_stream_8(void *to, const u32 *from);
void store_stream_16(void *to, const u32 *from);
void prefetch_l2(const void *from);
void executor_copy_async(u32 to, const void *from, u32 size, u32 bytes);
void copy_async_commit(void);
void executor_copy_async_wait(u32 pending);

void ldmatrix_x1(u32 *to, u32 at);
void ldmatrix_x2(u32 *to, u32 at);
void ldmatrix_x4(u32 *to, u32 at);
void ldmatrix_x1_trans(u32 *to, u32 at);
void ldmatrix_x2_trans(u32 *to, u32 at);
void ldmatrix_x4_trans(u32 *to, u32 at);
void mma_m8n8k16(i32 *d, u32 a, u32 b);
void mma_m16n8k32(i32 *d, const u32 *a, const u32 *b);

void mbarrier_init(u32 at, u32 arrivals);
void mbarrier_fence(void);
void mbarrier_arrive(u32 at);
void mbarrier_arrive_in(u32 at, u32 rank);
void mbarrier_expect(u32 at, u32 bytes);
u32 mbarrier_try_wait(u32 at, u32 parity);
void mbarrier_wait(u32 at, u32 parity);
void async_fence(void);
void tma_prefetch(const struct tensor_map *map);
void tma_load(u32 to, const struct tensor_map *map, i32 x, i32 y, u32 barrier);
void tma_load_many(u32 to, const struct tensor_map *map, i32 x, i32 y, u32 barrier,
                   u32 blocks);
void executor_registers(u32 count, u32 take);

void wgmma_fence(void);
void wgmma_commit(void);
u64 wgmma_operand(u32 at);
void executor_wgmma(i32 *d, u32 columns, u64 a, u64 b, u32 add);
void executor_wgmma_wait(u32 pending);

#ifdef __cplusplus
}
#endif

#endif
