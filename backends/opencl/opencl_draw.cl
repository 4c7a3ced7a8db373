/*
 * opencl_draw.cl - the tickets of folded tiles, and those that win; unit = tile.
 *
 * A tile's words are the exclusive-or of its blocks' folds, slice by slice (pow.md
 * section 6).  Hits come in any order; the host sorts them.
 *
 * SPDX-License-Identifier: MIT
 */

DEVICE_FN u32 tile_fold(GLOBAL cu32 *folds, const struct opencl_tickets *p, u32 row,
                        u32 column)
{
    const u32 across = BLOCK_COLUMNS / p->group_columns;
    u32 fold = 0;

    for (u32 i = row / BLOCK_ROWS; i * BLOCK_ROWS < row + p->rows_padded; i++)
        for (u32 j = column / BLOCK_COLUMNS; j * BLOCK_COLUMNS < column + p->columns_padded; j++)
            fold ^= folds[((u64)i * p->blocks_across + j) * across +
                          column % BLOCK_COLUMNS / p->group_columns];
    return fold;
}

/* Both little-endian: the last word weighs most. */
DEVICE_FN bool ticket_wins(const u32 *ticket, const u32 *bound)
{
    for (u32 i = 8; i-- > 0;)
        if (ticket[i] != bound[i])
            return ticket[i] < bound[i];
    return true;
}

__kernel void opencl_draw(u64 first, u64 last, GLOBAL cu32 *folds, GLOBAL cu32 *rows,
                          GLOBAL cu32 *columns, GLOBAL u8 *hits_at, u64 hits_offset,
                          struct opencl_tickets p)
{
    const u64 step = (u64)p.blocks_down * p.blocks_across * (BLOCK_COLUMNS / p.group_columns);
    GLOBAL u32 *hits = (GLOBAL u32 *)(hits_at + hits_offset);

    EACH (tile, first, last) {
        const u32 tile_row = (u32)tile / p.tiles_across, tile_column = (u32)tile % p.tiles_across;
        const u32 row = tile_row * p.rows_padded, column = tile_column * p.columns_padded;
        GLOBAL cu32 *at = folds + row % BLOCK_ROWS / p.group_rows * step;
        u32 words[16], ticket[8];

        for (u32 i = 0; i < 16; i++)
            words[i] = 0;
        for (u32 slice = 0; slice < p.slices; slice++) {
            const u32 word = words[slice % 16];

            words[slice % 16] = (word << 13 | word >> 19) ^ tile_fold(at, &p, row, column);
            at += BLOCK_ROWS / p.group_rows * step;
        }
        for (u32 i = 0; i < 8; i++)
            ticket[i] = p.seed[i];
        blake3_compress(ticket, words, 0, 64,
                        BLAKE3_KEYED | BLAKE3_CHUNK_START | BLAKE3_CHUNK_END | BLAKE3_ROOT);
        if (!ticket_wins(ticket, p.bound))
            continue;
        const u32 index = atomic_inc(hits);
        if (index >= p.hits_max)
            continue;
        GLOBAL u32 *hit = hits + 2 + 10 * index;
        hit[0] = rows[(p.tile_first + tile_row) * p.rows_padded];
        hit[1] = columns[(p.tile_column + tile_column) * p.columns_padded];
        for (u32 i = 0; i < 8; i++)
            hit[2 + i] = ticket[i];
    }
}
