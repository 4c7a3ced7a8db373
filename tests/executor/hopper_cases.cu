/*
 * hopper_cases.cu - the words that need sm_90a, each in a kernel of its own; the rest is
 * in instruction_cases.cu.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/ptx.h"

#define HOPPER(name, threads)                                                            \
    KERNEL(case_##name, threads, 1, const u32 *in, u32 *out, TENSOR_MAP(map))

/* Four mbarriers, one a warp: each waits for the next one's words, twice. */
HOPPER(mbarrier, 128)
{
    const u32 i = thread_index(), w = warp_index();

    (void)map;
    if (i < 4) {
        mbarrier_init(8 * i, 32);
        mbarrier_fence();
    }
    block_sync();
    for (u32 turn = 0; turn < 2; turn++) {
        *SHARED(u32, 64 + 4 * i) = in[8 * i + turn];
        mbarrier_arrive(8 * w);
        mbarrier_wait(8 * ((w + 1) % 4), turn);
        out[8 * i + turn] = *SHARED(u32, 64 + 4 * ((i + 32) % 128));
        while (!mbarrier_try_wait(8 * w, turn))
            continue;
        block_sync();
    }
}

HOPPER(registers, 384)
{
    const u32 i = thread_index();

    (void)map;
    if (i < 128)
        registers_give<40>();
    else
        registers_take<232>();
    out[i] = in[i] + 1;
}

/* One box of `rows` rows of 128 bytes, waited for by all. */
DEVICE_FN void load_box(const struct tensor_map *map, u32 to, i32 x, i32 y, u32 bytes)
{
    if (thread_index() == 0) {
        mbarrier_init(0, 1);
        mbarrier_fence();
        tma_prefetch(map);
    }
    block_sync();
    if (thread_index() == 0) {
        mbarrier_expect(0, bytes);
        tma_load(to, map, x, y, 0);
    }
    mbarrier_wait(0, 0);
}

DEVICE_FN void show(u32 *out, u32 at, u32 words)
{
    for (u32 i = thread_index(); i < words; i += thread_count())
        out[i] = *SHARED(u32, at + 4 * i);
}

/* The map of this case is not swizzled: 64 bytes by 64 rows. */
HOPPER(tma_load, 128)
{
    (void)in;
    load_box(&map, 1024, 64, 3, 4096);
    show(out, 1024, 1024);
}

/* 128 bytes by 128 rows in the 128-byte pattern. */
HOPPER(tma_swizzled, 128)
{
    (void)in;
    load_box(&map, 1024, 128, 0, 16384);
    show(out, 1024, 4096);
}

/* Half of the box lies beyond the last row and the last column. */
HOPPER(tma_edges, 128)
{
    (void)in;
    load_box(&map, 1024, 448, 64, 16384);
    show(out, 1024, 4096);
}

/* Rows of 128 bytes into the pattern that wgmma reads. */
DEVICE_FN void lay_rows(const u32 *in, u32 at, u32 rows)
{
    for (u32 i = thread_index(); i < rows * 8; i += thread_count()) {
        const u32 row = i / 8, chunk = i % 8;
        u32 w[4];

        load_16(w, in + 4 * i);
        store_16(SHARED(u8, at + row * 128 + (chunk ^ row % 8) * 16), w);
    }
}

template <u32 COUNT> DEVICE_FN void product(i32 (&d)[COUNT], u32 a, u32 b, u32 add)
{
    wgmma_fence();
    for (u32 k = 0; k < 128; k += 32)
        wgmma_k32(d, wgmma_operand(a + k), wgmma_operand(b + k), k || add);
    wgmma_commit();
    wgmma_wait<0>(d);
}

/* 64 rows by 2 * COUNT columns, 128 of k, on top of what d held. */
template <u32 COUNT> DEVICE_FN void product_of_rows(const u32 *in, u32 *out)
{
    i32 d[COUNT];

    for (u32 i = 0; i < COUNT; i++)
        d[i] = (i32)in[10240 + COUNT * thread_index() + i];
    lay_rows(in, 0, 64);
    lay_rows(in + 2048, 8192, 2 * COUNT);
    async_fence();
    block_sync();
    product(d, 0, 8192, 1);
    for (u32 i = 0; i < COUNT; i++)
        out[COUNT * thread_index() + i] = (u32)d[i];
}

HOPPER(wgmma_n64, 128)
{
    (void)map;
    product_of_rows<32>(in, out);
}

HOPPER(wgmma_n128, 128)
{
    (void)map;
    product_of_rows<64>(in, out);
}

HOPPER(wgmma_n256, 128)
{
    (void)map;
    product_of_rows<128>(in, out);
}

/* Rows 0 to 63 of the tensor by rows 64 to 127, its first 128 columns, as TMA brings them;
 * without `add`. */
HOPPER(wgmma_tma, 128)
{
    i32 d[32];

    (void)in;
    load_box(&map, 1024, 0, 0, 16384);
    product(d, 1024, 1024 + 8192, 0);
    for (u32 i = 0; i < 32; i++)
        out[32 * thread_index() + i] = (u32)d[i];
}

/* Two blocks of a cluster: each shows what the other one wrote. */
HOPPER(cluster, 128)
{
    const u32 i = thread_index(), rank = cluster_rank();

    (void)map;
    out[1024 * rank + 2 * i] = in[8 * i + rank] ^ block_index();
    cluster_sync();
    out[1024 * rank + 2 * i + 1] = out[1024 * (1 - rank) + 2 * i];
}

/* Each block's mbarrier waits for the threads of the other one. */
HOPPER(mbarrier_in, 128)
{
    const u32 i = thread_index(), rank = cluster_rank();

    (void)map;
    if (i == 0) {
        mbarrier_init(8, 128);
        mbarrier_fence();
    }
    cluster_sync();
    out[1024 * rank + i] = in[8 * i + rank];
    mbarrier_arrive_in(8, 1 - rank);
    mbarrier_wait(8, 0);
    cluster_sync();
    out[1024 * rank + 128 + i] = out[1024 * (1 - rank) + i];
}

/* Each block sends half of a box to both: 64 rows of 128 bytes. */
HOPPER(tma_many, 128)
{
    const u32 i = thread_index(), rank = cluster_rank();

    (void)in;
    if (i == 0) {
        mbarrier_init(0, 1);
        mbarrier_fence();
    }
    cluster_sync();
    if (i == 0) {
        mbarrier_expect(0, 16384);
        tma_load_many(1024 + 8192 * rank, &map, 256, (i32)(64 * rank), 0, 3);
    }
    mbarrier_wait(0, 0);
    show(out + 4096 * rank, 1024, 4096);
    cluster_sync();
}
