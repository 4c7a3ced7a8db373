/*
 * vocabulary.h - the words kernels are written in: one text, three compilers (C11, CUDA,
 * OpenCL C).
 *
 * This is the only place that asks which compiler reads the text.  ADD, SUB and MUL are
 * one rounded float operation that is never contracted; I2F rounds to nearest even; EACH
 * visits the range [first, last), on a GPU every lane its share.  KERNEL_BARRIER (OpenCL
 * only) hides each product behind an exclusive-or with a zero the compiler cannot see,
 * for drivers that contract anyway.  INDEPENDENT stands before a loop whose turns do not
 * see each other's results, even when input and output are one.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_KERNELS_VOCABULARY_H
#define MINERVA_KERNELS_VOCABULARY_H

#if defined(__OPENCL_C_VERSION__) /* ---- OpenCL C ---- */

#pragma OPENCL FP_CONTRACT OFF
typedef char i8;
typedef uchar u8;
typedef short i16;
typedef ushort u16;
typedef int i32;
typedef uint u32;
typedef long i64;
typedef ulong u64;
typedef float f32;

#define KERNEL_FN __kernel
#define DEVICE_FN static inline
#define GLOBAL    __global
#define INDEPENDENT
#define EACH(index, from, to)                                                            \
    for (u64 index = (from) + get_global_id(0); index < (to); index += get_global_size(0))
#define as_f32(x) as_float((u32)(x))
#define as_u32(x) as_uint((f32)(x))
#define ADD(a, b) ((f32)(a) + (f32)(b))
#define SUB(a, b) ((f32)(a) - (f32)(b))
#ifdef KERNEL_BARRIER
#define MUL(a, b) as_f32(as_uint((f32)(a) * (f32)(b)) ^ (get_work_dim() - 1u))
#else
#define MUL(a, b) ((f32)(a) * (f32)(b))
#endif
#define I2F(x)              convert_float_rte(x)
#define ATOMIC_MIN(word, x) ((void)atomic_min((word), (x)))

#elif defined(__CUDACC__) /* ---- CUDA ---- */

typedef signed char i8;
typedef unsigned char u8;
typedef short i16;
typedef unsigned short u16;
typedef int i32;
typedef unsigned int u32;
typedef long long i64;
typedef unsigned long long u64;
typedef float f32;

#define KERNEL_FN extern "C" __global__
#define DEVICE_FN static __device__ __forceinline__
#define GLOBAL
#define INDEPENDENT
#define EACH(index, from, to)                                                            \
    for (u64 index = (from) + (u64)blockIdx.x * blockDim.x + threadIdx.x; index < (to);  \
         index += (u64)gridDim.x * blockDim.x)
#define as_f32(x)           __uint_as_float(x)
#define as_u32(x)           __float_as_uint(x)
#define ADD(a, b)           __fadd_rn((a), (b))
#define SUB(a, b)           __fsub_rn((a), (b))
#define MUL(a, b)           __fmul_rn((a), (b))
DEVICE_FN f32 I2F(i32 x)
{
    return __int2float_rn(x);
}
DEVICE_FN f32 I2F(i64 x)
{
    return __ll2float_rn(x);
}
#define ATOMIC_MIN(word, x) ((void)atomicMin((word), (x)))

#else /* ---- C11 ---- */
#include <float.h>
#include <stdint.h>

#if defined(__FAST_MATH__) || FLT_EVAL_METHOD != 0
#error "every float operation rounds to float: build without fast-math"
#endif

typedef int8_t i8;
typedef uint8_t u8;
typedef int16_t i16;
typedef uint16_t u16;
typedef int32_t i32;
typedef uint32_t u32;
typedef int64_t i64;
typedef uint64_t u64;
typedef float f32;

#ifndef KERNEL_FN /* static, where a backend compiles the texts for itself */
#define KERNEL_FN
#endif
#define DEVICE_FN static inline __attribute__((always_inline, unused))
#define GLOBAL
#if defined(__clang__)
#define INDEPENDENT
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif
#ifndef EACH /* the executor of tests/ gives every fiber its share */
#define EACH(index, from, to) INDEPENDENT for (u64 index = (from); index < (to); index++)
#endif
#define ADD(a, b) ((a) + (b))
#define SUB(a, b) ((a) - (b))
#define MUL(a, b) ((a) * (b))
#define I2F(x)    ((f32)(x))

union word {
    u32 u;
    f32 f;
};
DEVICE_FN f32 as_f32(u32 x)
{
    return (union word){.u = x}.f;
}
DEVICE_FN u32 as_u32(f32 x)
{
    return (union word){.f = x}.u;
}
DEVICE_FN void ATOMIC_MIN(u32 *word, u32 x)
{
    u32 seen = __atomic_load_n(word, __ATOMIC_RELAXED);

    while (x < seen && !__atomic_compare_exchange_n(word, &seen, x, 0, __ATOMIC_RELAXED,
                                                    __ATOMIC_RELAXED))
        continue;
}

#endif

typedef const i8 ci8;
typedef const u8 cu8;
typedef const i16 ci16;
typedef const u16 cu16;
typedef const i32 ci32;
typedef const u32 cu32;
typedef const u64 cu64;
typedef const f32 cf32;

#endif
