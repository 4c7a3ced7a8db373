/*
 * ptx_memory.h - under nvcc: wide loads and stores, and copies to shared memory that run
 * beside the threads (cp.async).
 *
 * Addresses are aligned to the size of the access.  A copy's bytes may be read by its
 * thread after copy_async_wait of its group, by others after a barrier behind that.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_PTX_MEMORY_H
#define MINERVA_BACKENDS_CUDA_PTX_MEMORY_H

#define PTX_LOAD_2(name, load)                                                           \
    DEVICE_FN void name(u32 to[2], const void *from)                                     \
    {                                                                                    \
        const uint2 x = load((const uint2 *)from);                                       \
        to[0] = x.x, to[1] = x.y;                                                        \
    }
#define PTX_LOAD_4(name, load)                                                           \
    DEVICE_FN void name(u32 to[4], const void *from)                                     \
    {                                                                                    \
        const uint4 x = load((const uint4 *)from);                                       \
        to[0] = x.x, to[1] = x.y, to[2] = x.z, to[3] = x.w;                              \
    }

/* Global or shared; the _stream forms are for global bytes that are used once. */
PTX_LOAD_2(load_8, *)
PTX_LOAD_4(load_16, *)
PTX_LOAD_2(load_stream_8, __ldcs)
PTX_LOAD_4(load_stream_16, __ldcs)

DEVICE_FN void store_8(void *to, const u32 from[2])
{
    *(uint2 *)to = make_uint2(from[0], from[1]);
}

DEVICE_FN void store_16(void *to, const u32 from[4])
{
    *(uint4 *)to = make_uint4(from[0], from[1], from[2], from[3]);
}

DEVICE_FN void store_stream_8(void *to, const u32 from[2])
{
    __stcs((uint2 *)to, make_uint2(from[0], from[1]));
}

DEVICE_FN void store_stream_16(void *to, const u32 from[4])
{
    __stcs((uint4 *)to, make_uint4(from[0], from[1], from[2], from[3]));
}

DEVICE_FN void prefetch_l2(const void *from)
{
    asm volatile("prefetch.global.L2 [%0];" ::"l"(from));
}

/* The first `bytes` of SIZE (4, 8 or 16) bytes are copied, the rest is zeroed. */
template <u32 SIZE> DEVICE_FN void copy_async_part(u32 to, const void *from, u32 bytes)
{
#if __CUDA_ARCH__ >= 800
    if (SIZE == 16)
        asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(
                         shared_window(to)),
                     "l"(from), "r"(bytes)
                     : "memory");
    else
        asm volatile(
            "cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(shared_window(to)),
            "l"(from), "n"(SIZE), "r"(bytes)
            : "memory");
#else
    if (bytes == SIZE) {
        for (u32 i = 0; i < SIZE; i += 4)
            *SHARED(u32, to + i) = *(const u32 *)((const u8 *)from + i);
    } else {
        for (u32 i = 0; i < SIZE; i++)
            *SHARED(u8, to + i) = i < bytes ? ((const u8 *)from)[i] : (u8)0;
    }
#endif
}

template <u32 SIZE> DEVICE_FN void copy_async(u32 to, const void *from)
{
#if __CUDA_ARCH__ >= 800
    copy_async_part<SIZE>(to, from, SIZE);
#else
    u32 words[SIZE / 4];
    for (u32 i = 0; i < SIZE / 4; i++)
        words[i] = ((const u32 *)from)[i];
    for (u32 i = 0; i < SIZE / 4; i++)
        SHARED(u32, to)[i] = words[i];
#endif
}

DEVICE_FN void copy_async_commit(void)
{
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

/* Until at most PENDING of this thread's newest groups are still under way. */
template <u32 PENDING> DEVICE_FN void copy_async_wait(void)
{
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_group %0;" ::"n"(PENDING) : "memory");
#endif
}

#endif
