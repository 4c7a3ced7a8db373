/*
 * opencl_block_local.cl - the main loop on GPUs: 128 work items hold 128 x 128 sums, 8 x
 * 16 each, and pass 32 columns of k at a time through local memory.
 *
 * Four values of one line are one word.  DOT_KHR: the device multiplies and adds four
 * pairs at once (never its saturating form: sums wrap); DOT_NVIDIA: so do cards of NVIDIA
 * from compute capability 6.1 on, whose compiler has no word for it; DOT_EMULATED: the same in plain
 * steps, for tests; otherwise value by value with 24-bit multiplication.
 *
 * Item i loads line i of a, and of b the line that belongs at place i: columns of one
 * item lie four by four, 32 apart, so that neighbours read neighbouring words.
 *
 * left, right: int8 [slots][k].
 *
 * SPDX-License-Identifier: MIT
 */
#ifdef BLOCK_LOCAL

typedef i8 left_value;
#define LEFT_AT(slot, l, k)  ((u64)(slot) * (k) + (l))
#define RIGHT_AT(slot, l, k) ((u64)(slot) * (k) + (l))
#define CELL_ROWS          128
#define CELL_COLUMNS       128
#define CELL_ITEMS         128
#define BLOCK_ROW(item)    ((item) / 8 * BLOCK_ROWS)
#define BLOCK_COLUMN(item) ((item) % 8 * BLOCK_COLUMNS)
#define LEFT_LINE(item)    (item)
#define RIGHT_LINE(item)   place_column(item)
#define RIGHT_INDIRECT     1
#define STEP_WORDS         (K_UNIT / 4)
#define BLOCK_ROOM         (2 * STEP_WORDS * CELL_ITEMS)

#if defined(DOT_KHR)
#define DOT(a, b, sum) ((sum) + as_uint(dot_4x8packed_ss_int(as_uint(a), as_uint(b))))
#elif defined(DOT_NVIDIA)
DEVICE_FN u32 dot_nvidia(i32 a, i32 b, u32 sum)
{
    u32 out;

    __asm("dp4a.s32.s32 %0, %1, %2, %3;" : "=r"(out) : "r"(a), "r"(b), "r"(sum));
    return out;
}
#define DOT(a, b, sum) dot_nvidia((a), (b), (sum))
#elif defined(DOT_EMULATED)
DEVICE_FN u32 dot_emulated(i32 a, i32 b)
{
    const int4 x = convert_int4(as_char4(a)), y = convert_int4(as_char4(b)), p = x * y;

    return (u32)(p.x + p.y + p.z + p.w);
}
#define DOT(a, b, sum) ((sum) + dot_emulated((a), (b)))
#endif

struct operands {
    GLOBAL const left_value *left;
    GLOBAL ci8 *right;
};

/* The slot in its cell of the column that belongs at this place in local memory. */
DEVICE_FN u32 place_column(u32 place)
{
    return place % 32 / 4 * BLOCK_COLUMNS + place / 32 * 4 + place % 4;
}

DEVICE_FN struct operands operands_from(struct operands all, u32 left, u32 right)
{
    return (struct operands){all.left + left, all.right + right};
}

#ifdef DOT
#define DOT16(sum, a, b)                                                                 \
    (uint16)(DOT(a, b.s0, sum.s0), DOT(a, b.s1, sum.s1), DOT(a, b.s2, sum.s2),           \
             DOT(a, b.s3, sum.s3), DOT(a, b.s4, sum.s4), DOT(a, b.s5, sum.s5),           \
             DOT(a, b.s6, sum.s6), DOT(a, b.s7, sum.s7), DOT(a, b.s8, sum.s8),           \
             DOT(a, b.s9, sum.s9), DOT(a, b.sa, sum.sa), DOT(a, b.sb, sum.sb),           \
             DOT(a, b.sc, sum.sc), DOT(a, b.sd, sum.sd), DOT(a, b.se, sum.se),           \
             DOT(a, b.sf, sum.sf))
INLINE_FN void words_multiply(uint16 *sum, int8 a, int16 b)
{
    sum[0] = DOT16(sum[0], a.s0, b);
    sum[1] = DOT16(sum[1], a.s1, b);
    sum[2] = DOT16(sum[2], a.s2, b);
    sum[3] = DOT16(sum[3], a.s3, b);
    sum[4] = DOT16(sum[4], a.s4, b);
    sum[5] = DOT16(sum[5], a.s5, b);
    sum[6] = DOT16(sum[6], a.s6, b);
    sum[7] = DOT16(sum[7], a.s7, b);
}
#else
#define MAD16(sum, a, b) as_uint16(mad24((int16)(a), b, as_int16(sum)))
INLINE_FN void words_multiply(uint16 *sum, int8 a_words, int16 b_words)
{
    for (i32 shift = 24; shift >= 0; shift -= 8) {
        const int8 a = (a_words << shift) >> 24;
        const int16 b = (b_words << shift) >> 24;

        sum[0] = MAD16(sum[0], a.s0, b);
        sum[1] = MAD16(sum[1], a.s1, b);
        sum[2] = MAD16(sum[2], a.s2, b);
        sum[3] = MAD16(sum[3], a.s3, b);
        sum[4] = MAD16(sum[4], a.s4, b);
        sum[5] = MAD16(sum[5], a.s5, b);
        sum[6] = MAD16(sum[6], a.s6, b);
        sum[7] = MAD16(sum[7], a.s7, b);
    }
}
#endif

/* Eight words of a line, one below the other, 128 apart. */
DEVICE_FN void words_put(__local i32 *to, int8 words)
{
    to[0 * CELL_ITEMS] = words.s0;
    to[1 * CELL_ITEMS] = words.s1;
    to[2 * CELL_ITEMS] = words.s2;
    to[3 * CELL_ITEMS] = words.s3;
    to[4 * CELL_ITEMS] = words.s4;
    to[5 * CELL_ITEMS] = words.s5;
    to[6 * CELL_ITEMS] = words.s6;
    to[7 * CELL_ITEMS] = words.s7;
}

/* All items of the group come along: the range is the same for all. */
INLINE_FN void block_multiply(uint16 *sum, struct operands o, __local i32 *room, u32 from, u32 to)
{
    const u32 item = (u32)get_local_id(0);
    __local i32 *left = room, *right = room + STEP_WORDS * CELL_ITEMS;
    __local const i32 *of_left = left + BLOCK_ROW(item);
    __local const i32 *of_right = right + item % 8 * 4;
    int8 next_left, next_right;

    if (from == to)
        return;
    next_left = vload8(0, (GLOBAL ci32 *)(o.left + from));
    next_right = vload8(0, (GLOBAL ci32 *)(o.right + from));
    for (u32 l = from; l < to; l += K_UNIT) {
        barrier(CLK_LOCAL_MEM_FENCE);
        words_put(left + item, next_left);
        words_put(right + item, next_right);
        barrier(CLK_LOCAL_MEM_FENCE);
        if (l + K_UNIT < to) { /* on its way while this step is multiplied */
            next_left = vload8(0, (GLOBAL ci32 *)(o.left + l + K_UNIT));
            next_right = vload8(0, (GLOBAL ci32 *)(o.right + l + K_UNIT));
        }
        for (u32 i = 0; i < STEP_WORDS; i++) {
            __local const i32 *row = of_right + i * CELL_ITEMS;
            const int16 b = (int16)(vload4(0, row), vload4(0, row + 32),
                                    vload4(0, row + 64), vload4(0, row + 96));

            words_multiply(sum, vload8(0, of_left + i * CELL_ITEMS), b);
        }
    }
}

#endif
