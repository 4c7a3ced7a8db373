/*
 * ptx_hopper.h - under nvcc for sm_90a: mbarriers, tensor copies (TMA), register budgets.
 *
 * An mbarrier is eight bytes of shared memory.  Its phase ends when as many threads have
 * arrived as it was made for and all expected bytes have come; mbarrier_wait(at, parity)
 * returns when the phase of that parity is over, the first one's being 0.  Whoever makes
 * one calls mbarrier_fence before the barrier that shows it to others.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_PTX_HOPPER_H
#define MINERVA_BACKENDS_CUDA_PTX_HOPPER_H

#if defined(__CUDA_ARCH__) && defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define PTX_HOPPER(...) asm volatile(__VA_ARGS__)
#else
#define PTX_HOPPER(...) __trap() /* chosen at run time for such cards only */
#endif

DEVICE_FN void mbarrier_init(u32 at, u32 arrivals)
{
    PTX_HOPPER("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_window(at)),
               "r"(arrivals)
               : "memory");
}

DEVICE_FN void mbarrier_fence(void)
{
    PTX_HOPPER("fence.mbarrier_init.release.cluster;" ::: "memory");
}

DEVICE_FN void mbarrier_arrive(u32 at)
{
    PTX_HOPPER("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_window(at))
               : "memory");
}

/* The same in another block of the cluster, which learns that a place is free again, but
 * does not see what was written: a release for all of a cluster fences all of the device,
 * stage after stage. */
DEVICE_FN void mbarrier_arrive_in(u32 at, u32 rank)
{
    PTX_HOPPER(
        "{\n.reg .b32 there;\n"
        "mapa.shared::cluster.u32 there, %0, %1;\n"
        "mbarrier.arrive.shared::cluster.b64 _, [there];\n}" ::"r"(shared_window(at)),
        "r"(rank)
        : "memory");
}

/* One arrival, and so many bytes more to come in this phase. */
DEVICE_FN void mbarrier_expect(u32 at, u32 bytes)
{
    PTX_HOPPER(
        "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_window(at)),
        "r"(bytes)
        : "memory");
}

/* 1: the phase is over.  It may take its time to say 0. */
DEVICE_FN u32 mbarrier_try_wait(u32 at, u32 parity)
{
    u32 over = 0;

    PTX_HOPPER("{\n.reg .pred over;\n"
               "mbarrier.try_wait.parity.shared::cta.b64 over, [%1], %2;\n"
               "selp.u32 %0, 1, 0, over;\n}"
               : "=r"(over)
               : "r"(shared_window(at)), "r"(parity)
               : "memory");
    return over;
}

DEVICE_FN void mbarrier_wait(u32 at, u32 parity)
{
    while (!mbarrier_try_wait(at, parity))
        continue;
}

/* What this thread wrote to shared memory becomes visible to wgmma and to TMA. */
DEVICE_FN void async_fence(void)
{
    PTX_HOPPER("fence.proxy.async.shared::cta;" ::: "memory");
}

DEVICE_FN void tma_prefetch(const struct tensor_map *map)
{
    PTX_HOPPER("prefetch.tensormap [%0];" ::"l"(map) : "memory");
}

/* The box at element x of row y comes to `to`; its bytes count for the mbarrier.  What
 * lies outside the tensor comes as zeros and counts too. */
DEVICE_FN void tma_load(u32 to, const struct tensor_map *map, i32 x, i32 y, u32 barrier)
{
    PTX_HOPPER("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx"
               "::bytes [%0], [%1, {%2, %3}], [%4];" ::"r"(shared_window(to)),
               "l"(map), "r"(x), "r"(y), "r"(shared_window(barrier))
               : "memory");
}

/* The same to every block of the cluster whose bit is set, at the same offsets there. */
DEVICE_FN void tma_load_many(u32 to, const struct tensor_map *map, i32 x, i32 y,
                             u32 barrier, u32 blocks)
{
    PTX_HOPPER("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx"
               "::bytes.multicast::cluster [%0], [%1, {%2, %3}], [%4], %5;" ::"r"(
                   shared_window(to)),
               "l"(map), "r"(x), "r"(y), "r"(shared_window(barrier)), "h"((u16)blocks)
               : "memory");
}

/* Blocks of one cluster, by their number in it; all their threads meet, and see what was
 * written before.  A block must not end while others still send to it. */
DEVICE_FN u32 cluster_rank(void)
{
    u32 rank = 0;

    PTX_HOPPER("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
    return rank;
}

DEVICE_FN void cluster_sync(void)
{
    PTX_HOPPER("barrier.cluster.arrive.release;\n"
               "barrier.cluster.wait.acquire;" ::
                   : "memory");
}

/* Registers a thread: all warps of a warp group call it, with a multiple of 8. */
template <u32 COUNT> DEVICE_FN void registers_take(void)
{
    PTX_HOPPER("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(COUNT));
}

template <u32 COUNT> DEVICE_FN void registers_give(void)
{
    PTX_HOPPER("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(COUNT));
}

#endif
