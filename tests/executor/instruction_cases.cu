/*
 * instruction_cases.cu - every word of ptx.h in a kernel of its own, for the executor and
 * for cards: both must answer the plain loops of test_executor_instructions.c.
 *
 * A thread's operands are the words x of `in`, its results go to the words y of `out`.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/ptx.h"

#define CASE(name, threads, width)                                                       \
    DEVICE_FN void run_##name(const u32 *in, const u32 *x, u32 *out, u32 *y,             \
                              const struct tensor_map *map);                             \
    KERNEL(case_##name, threads, 1, const u32 *in, u32 *out, TENSOR_MAP(map))            \
    {                                                                                    \
        const u32 row = block_index_z() * block_count_y() + block_index_y();             \
        const u32 i = (row * block_count() + block_index()) * (threads) + thread_index(); \
                                                                                         \
        run_##name(in, in + (width) * thread_index(), out, out + 8 * i, &map);           \
    }                                                                                    \
    DEVICE_FN void run_##name(const u32 *in, const u32 *x, u32 *out, u32 *y,             \
                              const struct tensor_map *map)
#define UNUSED (void)in, (void)x, (void)out, (void)y, (void)map

CASE(indices, 96, 0)
{
    UNUSED;
    y[0] = thread_index(), y[1] = thread_count(), y[2] = block_index();
    y[3] = block_index_y(), y[4] = block_index_z(), y[5] = block_count();
    y[6] = block_count_y() * 16 + block_count_z(), y[7] = warp_index() * 256 + lane_index();
}

CASE(shuffle, 128, 8)
{
    UNUSED;
    y[0] = shuffle(x[0], x[1] & 31);
    y[1] = shuffle(x[0], 5);
}

CASE(shuffle_xor, 128, 8)
{
    UNUSED;
    for (u32 i = 0; i < 5; i++)
        y[i] = shuffle_xor(x[i], 1u << i);
}

CASE(shuffle_up, 128, 8)
{
    UNUSED;
    for (u32 i = 0; i < 5; i++)
        y[i] = shuffle_up(x[i], 1u << i);
}

CASE(shuffle_down, 128, 8)
{
    UNUSED;
    for (u32 i = 0; i < 5; i++)
        y[i] = shuffle_down(x[i], 1u << i);
}

CASE(warp_ballot, 128, 8)
{
    UNUSED;
    y[0] = warp_ballot(x[0] & 0x80);
    y[1] = warp_ballot(x[0] < x[1]);
}

CASE(warp_sync, 128, 8)
{
    const u32 i = thread_index();

    UNUSED;
    *SHARED(u32, 4 * i) = x[0];
    warp_sync();
    y[0] = *SHARED(u32, 4 * (i ^ 31));
}

CASE(block_sync, 128, 8)
{
    const u32 i = thread_index();

    UNUSED;
    *SHARED(u32, 4 * i) = x[0];
    block_sync();
    y[0] = *SHARED(u32, 4 * (127 - i));
    block_sync();
    *SHARED(u32, 4 * i) = x[1];
    block_sync();
    y[1] = *SHARED(u32, 4 * (i ^ 64));
}

/* The first two warps give to the others and do not wait for them until they give back. */
CASE(named_barriers, 128, 8)
{
    const u32 i = thread_index();

    UNUSED;
    if (i < 64) {
        *SHARED(u32, 4 * i) = x[0];
        barrier_arrive(1, 128);
        barrier_sync(2, 128);
        y[0] = *SHARED(u32, 4 * (i + 64));
    } else {
        barrier_sync(1, 128);
        y[0] = *SHARED(u32, 4 * (i - 64));
        *SHARED(u32, 4 * i) = x[1];
        barrier_arrive(2, 128);
    }
}

DEVICE_FN void atomics_all(u32 *y, const u32 *x)
{
    atomic_add(y, x[0]);
    atomic_min(y + 1, x[1]);
    atomic_max(y + 2, x[2]);
    atomic_and(y + 3, x[3]);
    atomic_or(y + 4, x[4]);
    atomic_xor(y + 5, x[5]);
    atomic_add(y + 7, atomic_exchange(y + 6, 1));
    atomic_add_64((u64 *)(y + 8), (u64)x[6] << 20 | x[7]);
    atomic_min_64((u64 *)(y + 10), ~((u64)x[7] << 32 | x[6]));
}

CASE(atomics, 128, 8)
{
    UNUSED;
    atomics_all(out, x);
}

CASE(atomics_shared, 128, 8)
{
    const u32 i = thread_index();

    UNUSED;
    if (i < 16)
        *SHARED(u32, 4 * i) = out[i];
    block_sync();
    atomics_all(SHARED(u32, 0), x);
    block_sync();
    if (i < 16)
        out[i] = *SHARED(u32, 4 * i);
}

/* A sum of bytes, by whoever finds the word unchanged. */
CASE(atomic_replace, 128, 8)
{
    u32 seen = 0, old;

    UNUSED;
    do {
        old = seen;
        seen = atomic_replace(out, old, old + (x[0] & 255));
    } while (seen != old);
}

CASE(relaxed, 128, 8)
{
    UNUSED;
    store_relaxed(y, load_relaxed(x));
    memory_fence();
    store_relaxed(y + 1, load_relaxed(x + 1));
}

CASE(dp4a, 128, 8)
{
    UNUSED;
    y[0] = (u32)dp4a(x[0], x[1], (i32)x[2]);
    y[1] = (u32)dp4a(x[3], x[4], (i32)x[5]);
}

CASE(prmt, 128, 8)
{
    UNUSED;
    y[0] = prmt(x[0], x[1], x[2]);
    y[1] = prmt(x[3], x[4], 0x5140);
    y[2] = prmt(x[3], x[4], 0x0123);
}

CASE(rotate, 128, 8)
{
    UNUSED;
    y[0] = rotate_left(x[0], x[1] & 31);
    y[1] = rotate_right(x[0], x[1] & 31);
    y[2] = rotate_right(x[2], 7);
    y[3] = rotate_right(x[2], 16);
}

CASE(bits, 128, 8)
{
    UNUSED;
    y[0] = mul_high(x[0], x[1]);
    y[1] = population(x[2]);
    y[2] = leading_zeros(x[3]);
    y[3] = leading_zeros(x[4] >> (x[5] & 31));
}

CASE(lop3, 128, 8)
{
    UNUSED;
    y[0] = xor3(x[0], x[1], x[2]);
    y[1] = lop3<0xe8>(x[0], x[1], x[2]);
    y[2] = lop3<0xca>(x[3], x[4], x[5]);
    y[3] = lop3<0x1b>(x[5], x[6], x[7]);
}

/* A result's bits; whatever is no number as one of them. */
DEVICE_FN u32 number(f32 x)
{
    const u32 bits = as_u32(x);

    return (bits & 0x7fffffffu) > 0x7f800000u ? 0x7fc00000u : bits;
}

CASE(floats, 128, 8)
{
    UNUSED;
    for (u32 i = 0; i < 4; i++) {
        const f32 a = as_f32(x[i]), b = as_f32(x[i + 4]);

        y[2 * i] = number(ADD(a, b)) ^ rotate_left(number(SUB(a, b)), 1);
        y[2 * i + 1] = number(MUL(a, b));
    }
}

CASE(conversions, 128, 8)
{
    UNUSED;
    y[0] = as_u32(I2F((i32)x[0]));
    y[1] = as_u32(I2F((i64)((u64)x[1] << 32 | x[2])));
    y[2] = as_u32(I2F((i64)((u64)x[3] << 9 | x[4])));
}

CASE(load_8, 128, 8)
{
    const u32 i = thread_index();
    u32 w[2];

    UNUSED;
    load_8(w, x);
    store_8(SHARED(u8, 8 * i), w);
    block_sync();
    load_8(w, SHARED(u8, 8 * (i ^ 32)));
    store_8(y, w);
}

CASE(load_16, 128, 8)
{
    const u32 i = thread_index();
    u32 w[4];

    UNUSED;
    load_16(w, x + 4);
    store_16(SHARED(u8, 16 * i), w);
    block_sync();
    load_16(w, SHARED(u8, 16 * (i ^ 32)));
    store_16(y, w);
}

CASE(load_stream, 128, 8)
{
    u32 w[4];

    UNUSED;
    prefetch_l2(in);
    load_stream_16(w, x);
    store_stream_16(y + 4, w);
    load_stream_8(w, x + 4);
    store_stream_8(y, w);
}

template <u32 SIZE> DEVICE_FN void copy_whole(const u32 *x, u32 *y)
{
    const u32 i = thread_index();

    copy_async<SIZE>(SIZE * i, x);
    copy_async_commit();
    copy_async_wait<0>();
    block_sync();
    for (u32 j = 0; j < SIZE / 4; j++)
        y[j] = *SHARED(u32, SIZE * (i ^ 32) + 4 * j);
}

CASE(copy_async_4, 128, 8)
{
    UNUSED;
    copy_whole<4>(x, y);
}

CASE(copy_async_8, 128, 8)
{
    UNUSED;
    copy_whole<8>(x, y);
}

CASE(copy_async_16, 128, 8)
{
    UNUSED;
    copy_whole<16>(x, y);
}

/* The first 0 to 16 bytes of 16, the first 0 to 8 of 8, the first 0 to 4 of 4. */
CASE(copy_async_part, 128, 8)
{
    const u32 i = thread_index(), at = 32 * i;

    UNUSED;
    copy_async_part<16>(at, x, i % 17);
    copy_async_part<8>(at + 16, x + 4, i % 9);
    copy_async_part<4>(at + 24, x + 6, i % 5);
    copy_async<4>(at + 28, x + 7);
    copy_async_commit();
    copy_async_wait<0>();
    for (u32 j = 0; j < 8; j++)
        y[j] = *SHARED(u32, at + 4 * j);
}

/* Three groups, the second of them empty. */
CASE(copy_async_groups, 128, 8)
{
    const u32 at = 32 * thread_index();

    UNUSED;
    copy_async<16>(at, x);
    copy_async_commit();
    copy_async_commit();
    copy_async<16>(at + 16, x + 4);
    copy_async_commit();
    copy_async_wait<1>();
    for (u32 j = 0; j < 4; j++)
        y[j] = *SHARED(u32, at + 4 * j);
    copy_async_wait<0>();
    for (u32 j = 4; j < 8; j++)
        y[j] = *SHARED(u32, at + 4 * j);
}

/* Every warp its own kilobyte; lane l names row l, rows in an order that is not theirs. */
DEVICE_FN u32 matrix_rows(const u32 *in)
{
    const u32 base = 1024 * warp_index(), lane = lane_index();

    for (u32 i = 0; i < 8; i++)
        *SHARED(u32, base + 4 * (lane + 32 * i)) = in[256 * warp_index() + lane + 32 * i];
    warp_sync();
    return base + 16 * (lane * 5 % 32) + 512 * (warp_index() % 2);
}

#define CASE_LDMATRIX(name)                                                              \
    CASE(name, 128, 8)                                                                   \
    {                                                                                    \
        u32 w[4] = {0, 0, 0, 0};                                                         \
                                                                                         \
        UNUSED;                                                                          \
        name(w, matrix_rows(in));                                                        \
        for (u32 i = 0; i < 4; i++)                                                      \
            y[i] = w[i];                                                                 \
    }
CASE_LDMATRIX(ldmatrix_x1)
CASE_LDMATRIX(ldmatrix_x2)
CASE_LDMATRIX(ldmatrix_x4)
CASE_LDMATRIX(ldmatrix_x1_trans)
CASE_LDMATRIX(ldmatrix_x2_trans)
CASE_LDMATRIX(ldmatrix_x4_trans)

CASE(mma_m8n8k16, 128, 16)
{
    i32 d[2] = {(i32)x[2], (i32)x[3]};

    UNUSED;
    mma_m8n8k16(d, x[0], x[1]);
    mma_m8n8k16(d, x[4], x[5]);
    y[0] = (u32)d[0], y[1] = (u32)d[1];
}

CASE(mma_m16n8k32, 128, 16)
{
    i32 d[4] = {(i32)x[6], (i32)x[7], (i32)x[8], (i32)x[9]};

    UNUSED;
    mma_m16n8k32(d, x, x + 4);
    for (u32 i = 0; i < 4; i++)
        y[i] = (u32)d[i];
}
