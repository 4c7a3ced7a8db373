/*
 * opencl_lines.cl - brings lines into the layout of the main loop: with noise or without,
 * in any order, and what takes the noise out again beside them.
 *
 * SPDX-License-Identifier: MIT
 */

/* Value l of a line, its noise on top. */
DEVICE_FN i32 line_value(GLOBAL ci8 *values, GLOBAL ci8 *dense, GLOBAL cu16 *pairs, u32 l,
                         u32 has_noise)
{
    i32 value = values[l];

    if (has_noise)
        value += (i32)dense[pairs[2 * l]] - (i32)dense[pairs[2 * l + 1]];
    return value;
}

/* unit = a slot's next K_UNIT columns */
#define LINES(name, value_type, AT)                                                      \
    __kernel void name(u64 first, u64 last, GLOBAL u8 *from, u64 offset,                 \
                       GLOBAL cu32 *order, GLOBAL ci8 *dense, GLOBAL cu16 *pairs,        \
                       GLOBAL value_type *out, struct opencl_lines p)                    \
    {                                                                                    \
        const u32 chunks = p.k_padded / K_UNIT;                                          \
                                                                                         \
        EACH (unit, first, last) {                                                       \
            const u32 slot = (u32)(unit / chunks);                                       \
            const u32 start = (u32)(unit % chunks) * K_UNIT;                             \
            const u32 line = p.has_order ? order[p.first + slot] : p.first + slot;       \
            GLOBAL ci8 *values = (GLOBAL ci8 *)(from + offset) + (u64)line * p.k;        \
                                                                                         \
            for (u32 l = start; l < start + K_UNIT; l++) {                               \
                i32 value = 0;                                                           \
                                                                                         \
                if (line < p.lines && l < p.k)                                           \
                    value = line_value(values, dense + (u64)line * p.rank, pairs, l,     \
                                       p.has_noise);                                     \
                out[AT(slot, l, p.k_padded)] = (value_type)value;                        \
            }                                                                            \
        }                                                                                \
    }
LINES(opencl_left, left_value, LEFT_AT)
LINES(opencl_right, i8, RIGHT_AT)

/* Lines that are in the layout already, in another order; unit = a slot's K_UNIT columns */
__kernel void opencl_reorder(u64 first, u64 last, GLOBAL ci8 *from, GLOBAL cu32 *order,
                             GLOBAL i8 *out, struct opencl_lines p)
{
    const u32 chunks = p.k_padded / K_UNIT;

    EACH (unit, first, last) {
        const u32 slot = (u32)(unit / chunks);
        const u32 start = (u32)(unit % chunks) * K_UNIT;
        const u32 line = order[p.first + slot];

        for (u32 l = start; l < start + K_UNIT; l++)
            out[RIGHT_AT(slot, l, p.k_padded)] = from[RIGHT_AT(line, l, p.k_padded)];
    }
}

/* The sparse factor as whole lines of one and minus one, over zeros; unit = position */
#define SPARSE(name, value_type, AT)                                                     \
    __kernel void name(u64 first, u64 last, GLOBAL cu16 *pairs, GLOBAL value_type *out,  \
                       u32 k_padded)                                                     \
    {                                                                                    \
        EACH (l, first, last) {                                                          \
            out[AT(pairs[2 * l], (u32)l, k_padded)] = 1;                                 \
            out[AT(pairs[2 * l + 1], (u32)l, k_padded)] = -1;                            \
        }                                                                                \
    }
SPARSE(opencl_sparse_left, left_value, LEFT_AT)
SPARSE(opencl_sparse_right, i8, RIGHT_AT)

/* The dense factor as the first of the extra columns; unit = a slot's K_UNIT columns */
#define EXTRA(name, value_type, AT)                                                      \
    __kernel void name(u64 first, u64 last, GLOBAL ci8 *dense, GLOBAL cu32 *order,       \
                       GLOBAL value_type *out, struct opencl_extra p)                    \
    {                                                                                    \
        const u32 chunks = p.rank / K_UNIT;                                              \
                                                                                         \
        EACH (unit, first, last) {                                                       \
            const u32 slot = (u32)(unit / chunks);                                       \
            const u32 start = (u32)(unit % chunks) * K_UNIT;                             \
            const u32 line = p.has_order ? order[p.first + slot] : p.first + slot;       \
                                                                                         \
            for (u32 j = start; j < start + K_UNIT; j++) {                               \
                const i32 value = line < p.lines ? dense[(u64)line * p.rank + j] : 0;    \
                                                                                         \
                out[AT(slot, j, (1 + p.limbs) * p.rank)] = (value_type)value;            \
            }                                                                            \
        }                                                                                \
    }
EXTRA(opencl_extra_left, left_value, LEFT_AT)
EXTRA(opencl_extra_right, i8, RIGHT_AT)
