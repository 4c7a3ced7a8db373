/*
 * fault_cases.cu - kernels that break one rule each, where `wrong` says so, and are right
 * otherwise: what the executor must refuse and what it must let pass.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/ptx.h"

/* A neighbour's word of shared memory, with or without a barrier before it. */
KERNEL(fault_barrier, 256, 1, u32 *out, u32 wrong)
{
    const u32 i = thread_index(), n = thread_count();

    *SHARED(u32, 4 * i) = i;
    if (!wrong)
        block_sync();
    out[i] = *SHARED(u32, 4 * ((i + 1) % n));
}

/* The next round overwrites what others may still read. */
KERNEL(fault_second_barrier, 256, 1, u32 *out, u32 wrong)
{
    const u32 i = thread_index(), n = thread_count();
    u32 sum = 0;

    for (u32 round = 0; round < 4; round++) {
        *SHARED(u32, 4 * i) = i + round;
        block_sync();
        sum += *SHARED(u32, 4 * ((i + 33) % n));
        if (!wrong)
            block_sync();
    }
    out[i] = sum;
}

/* Within a warp: a shuffle orders no memory, warp_sync does. */
KERNEL(fault_warp, 256, 1, u32 *out, u32 wrong)
{
    const u32 i = thread_index();
    u32 x = 0;

    *SHARED(u32, 4 * i) = i;
    if (wrong)
        x = shuffle_xor(i, 1) * 0;
    else
        warp_sync();
    out[i] = *SHARED(u32, 4 * (i ^ 1)) + x;
}

KERNEL(fault_bounds_shared, 256, 1, u32 *out, u32 wrong)
{
    const u32 i = thread_index();

    *SHARED(u32, 4 * (i + (wrong ? 1 : 0))) = i;
    block_sync();
    out[i] = i;
}

KERNEL(fault_bounds_global, 256, 1, u32 *out, u32 wrong)
{
    out[thread_index() + (wrong ? 1 : 0)] = 1;
}

KERNEL(fault_aligned, 256, 1, u32 *out, u32 wrong)
{
    const u32 i = thread_index();
    const u32 x[4] = {i, i, i, i};

    store_16(SHARED(u8, 16 * i + (wrong ? 4 : 0)), x);
    block_sync();
    out[i] = i;
}

KERNEL(fault_ldmatrix_aligned, 256, 1, u32 *out, u32 wrong)
{
    const u32 i = thread_index();
    u32 x[1];

    for (u32 at = 4 * i; at < 1024; at += 4 * thread_count())
        *SHARED(u32, at) = at;
    block_sync();
    ldmatrix_x1(x, 16 * (i % 8) + (wrong ? 8 : 0));
    out[i] = x[0];
}

/* Its own copy's bytes, before or after the wait. */
KERNEL(fault_copy, 256, 1, const u32 *in, u32 *out, u32 wrong)
{
    const u32 i = thread_index();

    copy_async<16>(16 * i, in + 4 * i);
    copy_async_commit();
    if (wrong)
        copy_async_wait<1>();
    else
        copy_async_wait<0>();
    out[i] = *SHARED(u32, 16 * i);
}

/* Another thread's copy, waited for by it, with or without a barrier behind. */
KERNEL(fault_copy_barrier, 256, 1, const u32 *in, u32 *out, u32 wrong)
{
    const u32 i = thread_index(), n = thread_count();

    copy_async<16>(16 * i, in + 4 * i);
    copy_async_commit();
    if (wrong)
        block_sync();
    copy_async_wait<0>();
    if (!wrong)
        block_sync();
    out[i] = *SHARED(u32, 16 * ((i + 1) % n));
}

/* A copy into bytes that others still read. */
KERNEL(fault_copy_over, 256, 1, const u32 *in, u32 *out, u32 wrong)
{
    const u32 i = thread_index(), n = thread_count();
    u32 x;

    *SHARED(u32, 16 * i) = i;
    block_sync();
    x = *SHARED(u32, 16 * ((i + 1) % n));
    if (!wrong)
        block_sync();
    copy_async<16>(16 * i, in + 4 * i);
    copy_async_commit();
    copy_async_wait<0>();
    out[i] = x;
}

KERNEL(fault_divergence, 256, 1, u32 *out, u32 wrong)
{
    const u32 i = thread_index();

    if (!wrong || i != 5)
        block_sync();
    out[i] = i;
}

KERNEL(fault_lanes, 256, 1, u32 *out, u32 wrong)
{
    const u32 i = thread_index();

    if (wrong && i % 32 == 7)
        out[i] = warp_ballot(1);
    else
        out[i] = shuffle_down(i, 1);
}

/* Two halves of a block pass words on through a named barrier. */
KERNEL(fault_named, 256, 1, u32 *out, u32 wrong)
{
    const u32 i = thread_index(), half = thread_count() / 2;

    if (i < half) {
        *SHARED(u32, 4 * i) = i;
        barrier_arrive(1 + wrong, thread_count());
    } else {
        barrier_sync(1, thread_count());
        out[i] = *SHARED(u32, 4 * (i - half));
    }
}

KERNEL(fault_unwritten, 256, 1, u32 *out, u32 wrong)
{
    const u32 i = thread_index();

    if (!wrong || i)
        *SHARED(u32, 4 * i) = i;
    block_sync();
    out[i] = *SHARED(u32, 4 * i);
}

/* Blocks that write the same word. */
KERNEL(fault_blocks, 256, 1, u32 *out, u32 wrong)
{
    if (thread_index() == 0)
        out[wrong ? 0 : block_index()] = 7;
}

/* A sum by atomics, or by hope. */
KERNEL(fault_atomics, 256, 1, u32 *out, u32 wrong)
{
    if (wrong)
        out[0] = out[0] + 1;
    else
        atomic_add(out, 1);
}

/* Each thread's own answer, or one that depends on who came last. */
KERNEL(fault_order, 256, 1, u32 *out, u32 wrong)
{
    const u32 last = atomic_exchange(out, thread_index());

    out[1 + thread_index()] = wrong ? last : 0;
    atomic_max(out, 1000);
}
