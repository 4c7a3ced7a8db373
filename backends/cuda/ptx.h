/*
 * ptx.h - the words tuned CUDA kernels are written in: one inline function an
 * instruction.
 *
 * Under nvcc a word is its instruction; under a host C++ compiler it is a call into the
 * executor of tests/executor, which runs a block's threads as fibers and reports races,
 * early reads, stray addresses and divergence.  Kernels use CUDA only through this file
 * and kernels/vocabulary.h (of it: the types, GLOBAL, DEVICE_FN and the float words).
 *
 *     KERNEL(name, threads, blocks, parameters...)   opens a kernel's definition:
 * `threads` a block at most, `blocks` of them meant to fit a multiprocessor SHARED_BYTES
 * the one shared array of a block, sized by the launch, 1024-aligned; SHARED(type, at) as
 * a pointer.  Words name shared memory by 32-bit offsets into it TENSOR_MAP(name)   a
 * parameter: a tensor map in constant memory; UNROLL before a loop whose counter must
 * become constants, so that arrays stay in registers
 *
 * A kernel copies no struct and calls no memcpy: load_16 and its family move 16 bytes.
 * What only a newer card has (cp.async before sm_80, m16n8k32 before sm_80) is composed
 * of older instructions with the same result; wgmma, TMA and mbarriers need sm_90a.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_PTX_H
#define MINERVA_BACKENDS_CUDA_PTX_H

#ifdef __CUDACC__

#include "kernels/vocabulary.h"

#define UNROLL                         _Pragma("unroll")
#define LAUNCH_BOUNDS(threads, blocks) __launch_bounds__(threads, blocks)
#define KERNEL(name, threads, blocks, ...)                                               \
    extern "C" __global__ void LAUNCH_BOUNDS(threads, blocks) name(__VA_ARGS__)

extern __shared__ __align__(1024) u8 shared_bytes[];
#define SHARED_BYTES     shared_bytes
#define SHARED(type, at) ((type *)(shared_bytes + (at)))

struct __align__(128) tensor_map
{
    u64 words[16];
};
#define TENSOR_MAP(name) const __grid_constant__ struct tensor_map name

/* Where an offset lies in the window that the instructions address. */
DEVICE_FN u32 shared_window(u32 at)
{
    return (u32)__cvta_generic_to_shared(shared_bytes) + at;
}

#include "backends/cuda/ptx_hopper.h"
#include "backends/cuda/ptx_memory.h"
#include "backends/cuda/ptx_mma.h"
#include "backends/cuda/ptx_thread.h"
#include "backends/cuda/ptx_wgmma.h"

#else

#include "backends/cuda/ptx_host.h"

#endif

/* The value pairs of one word: what every kernel would otherwise write for itself. */
DEVICE_FN u32 warp_index(void)
{
    return thread_index() / 32u;
}

DEVICE_FN u32 lane_index(void)
{
    return thread_index() % 32u;
}

#endif
