/*
 * ptx_thread.h - under nvcc: who am I, warps, barriers, atomics and integer instructions.
 *
 * Every word that involves a warp involves all of it.  Blocks are one row of threads;
 * grids have up to three dimensions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_PTX_THREAD_H
#define MINERVA_BACKENDS_CUDA_PTX_THREAD_H

#define PTX_WORD(type, name, parameters, value)                                          \
    DEVICE_FN type name parameters                                                       \
    {                                                                                    \
        return value;                                                                    \
    }
#define PTX_DEED(name, parameters, ...)                                                  \
    DEVICE_FN void name parameters                                                       \
    {                                                                                    \
        __VA_ARGS__;                                                                     \
    }
#define WARP 0xffffffffu

PTX_WORD(u32, thread_index, (void), threadIdx.x)
PTX_WORD(u32, thread_count, (void), blockDim.x)
PTX_WORD(u32, block_index, (void), blockIdx.x)
PTX_WORD(u32, block_index_y, (void), blockIdx.y)
PTX_WORD(u32, block_index_z, (void), blockIdx.z)
PTX_WORD(u32, block_count, (void), gridDim.x)
PTX_WORD(u32, block_count_y, (void), gridDim.y)
PTX_WORD(u32, block_count_z, (void), gridDim.z)

/* Only the first orders memory. */
PTX_DEED(warp_sync, (void), __syncwarp(WARP))
PTX_WORD(u32, shuffle, (u32 x, u32 lane), __shfl_sync(WARP, x, (int)lane))
PTX_WORD(u32, shuffle_xor, (u32 x, u32 mask), __shfl_xor_sync(WARP, x, (int)mask))
PTX_WORD(u32, shuffle_up, (u32 x, u32 by), __shfl_up_sync(WARP, x, by))
PTX_WORD(u32, shuffle_down, (u32 x, u32 by), __shfl_down_sync(WARP, x, by))
PTX_WORD(u32, warp_ballot, (u32 is), __ballot_sync(WARP, (int)is))

/* Named barriers: 1 to 15; block_sync is number 0.  `threads` counts those who arrive
 * and those who wait, a multiple of 32. */
PTX_DEED(block_sync, (void), __syncthreads())
PTX_DEED(barrier_sync, (u32 id, u32 threads),
         asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads)
                      : "memory"))
PTX_DEED(barrier_arrive, (u32 id, u32 threads),
         asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(threads)
                      : "memory"))

/* Relaxed, on global or shared words; they return what was there. */
PTX_WORD(u32, atomic_add, (u32 * word, u32 x), atomicAdd(word, x))
PTX_WORD(u32, atomic_min, (u32 * word, u32 x), atomicMin(word, x))
PTX_WORD(u32, atomic_max, (u32 * word, u32 x), atomicMax(word, x))
PTX_WORD(u32, atomic_and, (u32 * word, u32 x), atomicAnd(word, x))
PTX_WORD(u32, atomic_or, (u32 * word, u32 x), atomicOr(word, x))
PTX_WORD(u32, atomic_xor, (u32 * word, u32 x), atomicXor(word, x))
PTX_WORD(u32, atomic_exchange, (u32 * word, u32 x), atomicExch(word, x))
PTX_WORD(u32, atomic_replace, (u32 * word, u32 old, u32 x), atomicCAS(word, old, x))
PTX_WORD(u64, atomic_add_64, (u64 * word, u64 x), atomicAdd(word, x))
PTX_WORD(u64, atomic_min_64, (u64 * word, u64 x), atomicMin(word, x))

/* Words that the host or other blocks change meanwhile: one access each, no order.
 * memory_fence orders what is before it and what is after it, for all of the device. */
PTX_WORD(u32, load_relaxed, (const u32 *word), *(const volatile u32 *)word)
PTX_DEED(store_relaxed, (u32 * word, u32 x), *(volatile u32 *)word = x)
PTX_DEED(memory_fence, (void), __threadfence())

PTX_WORD(i32, dp4a, (u32 a, u32 b, i32 c), __dp4a((i32)a, (i32)b, c))
PTX_WORD(u32, rotate_left, (u32 x, u32 by), __funnelshift_l(x, x, by))
PTX_WORD(u32, rotate_right, (u32 x, u32 by), __funnelshift_r(x, x, by))
PTX_WORD(u32, mul_high, (u32 a, u32 b), __umulhi(a, b))
PTX_WORD(u32, population, (u32 x), (u32)__popc(x))
PTX_WORD(u32, leading_zeros, (u32 x), (u32)__clz((int)x))

/* Digit i of the selector names byte i's source in b:a; with 8 its sign alone. */
DEVICE_FN u32 prmt(u32 a, u32 b, u32 selector)
{
    u32 d;

    asm("prmt.b32 %0, %1, %2, %3;" : "=r"(d) : "r"(a), "r"(b), "r"(selector));
    return d;
}

/* TABLE: bit (4a + 2b + c) is the result for those three bits. */
template <u32 TABLE> DEVICE_FN u32 lop3(u32 a, u32 b, u32 c)
{
    u32 d;

    asm("lop3.b32 %0, %1, %2, %3, %4;" : "=r"(d) : "r"(a), "r"(b), "r"(c), "n"(TABLE));
    return d;
}
PTX_WORD(u32, xor3, (u32 a, u32 b, u32 c), lop3<0x96>(a, b, c))

#endif
