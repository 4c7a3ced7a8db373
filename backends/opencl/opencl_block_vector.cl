/*
 * opencl_block_vector.cl - the main loop on processors: sixteen columns are one vector,
 * and a work item goes alone.
 *
 * Sums are made in floats, which a processor multiplies and adds at once: of at most 1024
 * products of int8 each partial sum is a whole number below 2^24, so nothing is rounded,
 * fused or not.
 *
 * left:  float [slots / 8][k][8], right: int8 [slots / 16][k][16].
 *
 * SPDX-License-Identifier: MIT
 */
#ifdef BLOCK_VECTOR

typedef f32 left_value;
#define LEFT_AT(slot, l, k)  (((u64)((slot) / BLOCK_ROWS) * (k) + (l)) * BLOCK_ROWS + (slot) % BLOCK_ROWS)
#define RIGHT_AT(slot, l, k) (((u64)((slot) / BLOCK_COLUMNS) * (k) + (l)) * BLOCK_COLUMNS + (slot) % BLOCK_COLUMNS)
#define CELL_ROWS         BLOCK_ROWS
#define CELL_COLUMNS      BLOCK_COLUMNS
#define CELL_ITEMS        1
#define BLOCK_ROW(item)    (0 * (item))
#define BLOCK_COLUMN(item) (0 * (item))
#define LEFT_LINE(item)    (0 * (item))
#define RIGHT_LINE(item)   (0 * (item))
#define RIGHT_INDIRECT     0
#define BLOCK_ROOM        1
#define EXACT_MAX         1024
#ifdef FP_FAST_FMAF
#define TIMES_PLUS(a, b, c) fma((float16)(a), (b), (c))
#else
#define TIMES_PLUS(a, b, c) ((float16)(a) * (b) + (c))
#endif

struct operands {
    GLOBAL const left_value *left;
    GLOBAL ci8 *right;
};

/* Columns of k from these on. */
DEVICE_FN struct operands operands_from(struct operands all, u32 left, u32 right)
{
    return (struct operands){all.left + left * BLOCK_ROWS, all.right + right * BLOCK_COLUMNS};
}

INLINE_FN void block_multiply(uint16 *sum, struct operands o, __local i32 *room, u32 from, u32 to)
{
    for (u32 first = from; first < to; first += EXACT_MAX) {
        const u32 end = min(to, first + EXACT_MAX);
        float16 s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0;

        for (u32 l = first; l < end; l++) {
            const float16 right = convert_float16(vload16(l, o.right));
            GLOBAL const f32 *left = o.left + l * BLOCK_ROWS;

            s0 = TIMES_PLUS(left[0], right, s0);
            s1 = TIMES_PLUS(left[1], right, s1);
            s2 = TIMES_PLUS(left[2], right, s2);
            s3 = TIMES_PLUS(left[3], right, s3);
            s4 = TIMES_PLUS(left[4], right, s4);
            s5 = TIMES_PLUS(left[5], right, s5);
            s6 = TIMES_PLUS(left[6], right, s6);
            s7 = TIMES_PLUS(left[7], right, s7);
        }
        sum[0] += as_uint16(convert_int16(s0));
        sum[1] += as_uint16(convert_int16(s1));
        sum[2] += as_uint16(convert_int16(s2));
        sum[3] += as_uint16(convert_int16(s3));
        sum[4] += as_uint16(convert_int16(s4));
        sum[5] += as_uint16(convert_int16(s5));
        sum[6] += as_uint16(convert_int16(s6));
        sum[7] += as_uint16(convert_int16(s7));
    }
}

#endif
