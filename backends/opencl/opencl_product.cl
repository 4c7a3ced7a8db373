/*
 * opencl_product.cl - products: every sum is made once, its slices are folded on the way,
 * and of a noised product the clean one is left (pow.md sections 6 and 10).
 *
 * unit = a cell, one work group: CELL_ROWS x CELL_COLUMNS sums.  Cells go down eight at a
 * time before they go on, so that their rows stay near.
 *
 * SPDX-License-Identifier: MIT
 */
#define CELLS_DOWN 8
#define INVERSE_OF_255 0xfefefeffu
#define LIMB_MAX 127

struct place { /* of a work item's block, in slots of band and window */
    u32 row, column;
};

DEVICE_FN struct place cell_place(const struct opencl_part *p, u32 cell)
{
    const u32 wide = CELLS_DOWN * p->cells_across, top = cell / wide * CELLS_DOWN;
    const u32 rest = cell % wide, high = min(p->cells_down - top, (u32)CELLS_DOWN);

    return (struct place){(top + rest % high) * CELL_ROWS, rest / high * CELL_COLUMNS};
}

/* The lines that this work item reads of the operands themselves. */
DEVICE_FN struct operands operands_main(GLOBAL const left_value *left, GLOBAL ci8 *right,
                                        GLOBAL cu32 *columns, const struct opencl_part *p,
                                        struct place cell)
{
    const u32 item = (u32)get_local_id(0);
    const u32 line = cell.column + RIGHT_LINE(item);
    const u32 found = RIGHT_INDIRECT && p->has_columns ? columns[p->column_first + line]
                                                       : p->right_first + line;

    return (struct operands){
        left + LEFT_AT(p->left_first + cell.row + LEFT_LINE(item), 0, p->k_padded),
        right + RIGHT_AT(found, 0, p->k_padded)};
}

/* The exclusive-or of so many neighbours of sixteen, for each group of them. */
INLINE_FN void fold_put(uint16 x, u32 group, GLOBAL u32 *to)
{
    const uint8 by_2 = x.even ^ x.odd;
    const uint4 by_4 = by_2.even ^ by_2.odd;
    const uint2 by_8 = by_4.even ^ by_4.odd;

    if (group == 2)
        vstore8(by_2, 0, to);
    else if (group == 4)
        vstore4(by_4, 0, to);
    else if (group == 8)
        vstore2(by_8, 0, to);
    else
        to[0] = by_8.x ^ by_8.y;
}

/* folds[slice][group of rows][block][group of columns] */
INLINE_FN void slice_fold(const uint16 *sum, const struct opencl_part *p, u32 slice,
                          u32 block, GLOBAL u32 *folds)
{
    const u32 down = BLOCK_ROWS / p->group_rows, across = BLOCK_COLUMNS / p->group_columns;
    const u32 blocks = p->cells_down * (CELL_ROWS / BLOCK_ROWS) * p->cells_across *
                       (CELL_COLUMNS / BLOCK_COLUMNS);
    const u64 step = (u64)blocks * across;
    GLOBAL u32 *to = folds + slice * down * step + (u64)block * across;
    const uint16 x01 = sum[0] ^ sum[1], x23 = sum[2] ^ sum[3];
    const uint16 x45 = sum[4] ^ sum[5], x67 = sum[6] ^ sum[7];

    if (p->group_rows == 2) {
        fold_put(x01, p->group_columns, to);
        fold_put(x23, p->group_columns, to + step);
        fold_put(x45, p->group_columns, to + 2 * step);
        fold_put(x67, p->group_columns, to + 3 * step);
    } else if (p->group_rows == 4) {
        fold_put(x01 ^ x23, p->group_columns, to);
        fold_put(x45 ^ x67, p->group_columns, to + step);
    } else {
        fold_put(x01 ^ x23 ^ x45 ^ x67, p->group_columns, to);
    }
}

INLINE_FN void sum_scale(uint16 *sum, u32 factor)
{
    sum[0] *= factor;
    sum[1] *= factor;
    sum[2] *= factor;
    sum[3] *= factor;
    sum[4] *= factor;
    sum[5] *= factor;
    sum[6] *= factor;
    sum[7] *= factor;
}

/* What is multiplied together: slice after slice, the rest, then limb after limb in base
 * 255, the lowest first, each once from either side. */
struct step {
    struct operands o;
    u32 from, to;
};

DEVICE_FN u32 steps_count(const struct opencl_part *p)
{
    return p->slices + (p->has_c ? 1 + 2 * p->limbs : 0);
}

DEVICE_FN struct step step_at(u32 step, struct operands o, struct operands extra,
                              const struct opencl_part *p)
{
    const u32 after = step - p->slices - 1, at = (after / 2 + 1) * p->rank;

    if (step < p->slices)
        return (struct step){o, step * p->rank, (step + 1) * p->rank};
    if (step == p->slices)
        return (struct step){o, step * p->rank, p->k_padded};
    if (after % 2)
        return (struct step){operands_from(extra, at, 0), 0, p->rank};
    return (struct step){operands_from(extra, 0, at), 0, p->rank};
}

INLINE_FN void row_put(uint16 sum, GLOBAL i32 *row, GLOBAL cu32 *columns, u32 n)
{
    const u32 start = columns[0];
    u32 values[BLOCK_COLUMNS];

    if (columns[BLOCK_COLUMNS - 1] == start + BLOCK_COLUMNS - 1 &&
        start + BLOCK_COLUMNS <= n) {
        vstore16(as_int16(sum), 0, row + start);
        return;
    }
    vstore16(sum, 0, values);
    for (u32 j = 0; j < BLOCK_COLUMNS; j++)
        if (columns[j] < n)
            row[columns[j]] = (i32)values[j];
}

#define ROW_PUT(i)                                                                       \
    if (rows[i] < p->m)                                                                  \
    row_put(sum[i], c + (u64)rows[i] * p->n, columns, p->n)

INLINE_FN void sum_put(const uint16 *sum, GLOBAL i32 *c, GLOBAL cu32 *rows,
                       GLOBAL cu32 *columns, const struct opencl_part *p)
{
    ROW_PUT(0);
    ROW_PUT(1);
    ROW_PUT(2);
    ROW_PUT(3);
    ROW_PUT(4);
    ROW_PUT(5);
    ROW_PUT(6);
    ROW_PUT(7);
}

__kernel __attribute__((reqd_work_group_size(CELL_ITEMS, 1, 1))) void
opencl_multiply(u64 first, u64 last, GLOBAL const left_value *left, GLOBAL ci8 *right,
                GLOBAL const left_value *left_extra, GLOBAL ci8 *right_extra,
                GLOBAL cu32 *rows, GLOBAL cu32 *columns, GLOBAL u8 *c, u64 c_offset,
                GLOBAL u32 *folds, struct opencl_part p)
{
    __local i32 room[BLOCK_ROOM];
    const struct place cell = cell_place(&p, (u32)first + (u32)get_group_id(0));
    const u32 item = (u32)get_local_id(0), width = (1 + p.limbs) * p.rank;
    const u32 row = cell.row + BLOCK_ROW(item), column = cell.column + BLOCK_COLUMN(item);
    const u32 across = p.cells_across * (CELL_COLUMNS / BLOCK_COLUMNS);
    const struct operands o = operands_main(left, right, columns, &p, cell);
    const struct operands extra = {
        left_extra + LEFT_AT(p.left_first + cell.row + LEFT_LINE(item), 0, width),
        right_extra + RIGHT_AT(cell.column + RIGHT_LINE(item), 0, width)};
    uint16 sum[BLOCK_ROWS] = {0, 0, 0, 0, 0, 0, 0, 0};
    u32 factor = 1;

    for (u32 i = 0; i < steps_count(&p); i++) {
        const struct step step = step_at(i, o, extra, &p);

        if (i > p.slices + 1 && (i - p.slices) % 2) { /* divided out, put back at the end */
            sum_scale(sum, INVERSE_OF_255);
            factor *= 255;
        }
        block_multiply(sum, step.o, room, step.from, step.to);
        if (i < p.slices)
            slice_fold(sum, &p, i, row / BLOCK_ROWS * across + column / BLOCK_COLUMNS, folds);
    }
    if (!p.has_c)
        return;
    sum_scale(sum, factor);
    sum_put(sum, (GLOBAL i32 *)(c + c_offset), rows + p.row_first + row,
            columns + p.column_first + column, &p);
}

/* The next limb of a value in base 255; what is left is the value of the others. */
DEVICE_FN i32 limb_take(i32 *value)
{
    const i32 rest = (*value + (*value < 0 ? -LIMB_MAX : LIMB_MAX)) / 255;
    const i32 limb = *value - 255 * rest;

    *value = rest;
    return limb;
}

/* A product with a sparse factor, negated and cut into limbs, as extra columns of its
 * slots; flag: it was too large for them.  FACTOR and SLOT say which of row and column is
 * which. */
#define LIMBS(name, value_type, AT, FACTOR, SLOT)                                        \
    DEVICE_FN void name##_row(uint16 sum, u32 row, u32 column, GLOBAL value_type *out,   \
                              GLOBAL u32 *flag, const struct opencl_part *p)             \
    {                                                                                    \
        i32 values[BLOCK_COLUMNS];                                                       \
                                                                                         \
        vstore16(as_int16(sum), 0, values);                                              \
        for (u32 j = 0; j < BLOCK_COLUMNS; j++) {                                        \
            i32 value = -values[j];                                                      \
                                                                                         \
            if (FACTOR >= p->rank)                                                       \
                continue;                                                                \
            for (u32 limb = 1; limb <= p->limbs; limb++)                                 \
                out[AT(SLOT, limb * p->rank + FACTOR, (1 + p->limbs) * p->rank)] =       \
                    (value_type)limb_take(&value);                                       \
            if (value)                                                                   \
                *flag = 1;                                                               \
        }                                                                                \
    }                                                                                    \
                                                                                         \
    __kernel __attribute__((reqd_work_group_size(CELL_ITEMS, 1, 1))) void name(          \
        u64 first, u64 last, GLOBAL const left_value *left, GLOBAL ci8 *right,           \
        GLOBAL cu32 *columns, GLOBAL value_type *out, GLOBAL u32 *flag,                  \
        struct opencl_part p)                                                            \
    {                                                                                    \
        __local i32 room[BLOCK_ROOM];                                                    \
        const struct place cell = cell_place(&p, (u32)first + (u32)get_group_id(0));     \
        const u32 item = (u32)get_local_id(0);                                           \
        const u32 row = cell.row + BLOCK_ROW(item);                                      \
        const u32 column = cell.column + BLOCK_COLUMN(item);                             \
        const struct operands o = operands_main(left, right, columns, &p, cell);         \
        uint16 sum[BLOCK_ROWS] = {0, 0, 0, 0, 0, 0, 0, 0};                               \
                                                                                         \
        block_multiply(sum, o, room, 0, p.k_padded);                                     \
        name##_row(sum[0], row, column, out, flag, &p);                                  \
        name##_row(sum[1], row + 1, column, out, flag, &p);                              \
        name##_row(sum[2], row + 2, column, out, flag, &p);                              \
        name##_row(sum[3], row + 3, column, out, flag, &p);                              \
        name##_row(sum[4], row + 4, column, out, flag, &p);                              \
        name##_row(sum[5], row + 5, column, out, flag, &p);                              \
        name##_row(sum[6], row + 6, column, out, flag, &p);                              \
        name##_row(sum[7], row + 7, column, out, flag, &p);                              \
    }
LIMBS(opencl_limbs_left, left_value, LEFT_AT, (column + j), row)
LIMBS(opencl_limbs_right, i8, RIGHT_AT, row, (column + j))
