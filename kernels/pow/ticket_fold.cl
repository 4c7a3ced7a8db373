/*
 * ticket_fold.cl - the sixteen words of a tile: after each `rank` columns of k the
 * exclusive-or of its cumulative accumulators is turned into word (step mod 16); unit =
 * tile.
 *
 * pow.md section 6.
 *
 * SPDX-License-Identifier: MIT
 */
#include "kernels/vocabulary.h"

#define TILE_MAX 256

/* The next slice of one dot product. */
DEVICE_FN i32 ticket_slice(GLOBAL ci8 *a, GLOBAL ci8 *b, u32 rank)
{
    i32 sum = 0;

    for (u32 l = 0; l < rank; l++)
        sum += (i32)a[l] * (i32)b[l];
    return sum;
}

KERNEL_FN void kernel_ticket_fold(u64 first, u64 last, GLOBAL ci8 *a, GLOBAL ci8 *bt,
                                  GLOBAL cu32 *rows, GLOBAL cu32 *columns,
                                  GLOBAL u32 *words, u32 h, u32 w, u32 k, u32 rank,
                                  u32 column_tiles)
{
    EACH (tile, first, last) {
        GLOBAL cu32 *of_rows = rows + tile / column_tiles * h;
        GLOBAL cu32 *of_columns = columns + tile % column_tiles * w;
        GLOBAL u32 *to = words + 16 * tile;
        i32 sums[TILE_MAX];

        for (u32 i = 0; i < h * w; i++)
            sums[i] = 0;
        for (u32 i = 0; i < 16; i++)
            to[i] = 0;
        for (u32 step = 0; step < k / rank; step++) {
            u32 fold = 0, word = to[step % 16];

            for (u32 i = 0; i < h * w; i++) {
                sums[i] +=
                    ticket_slice(a + (u64)of_rows[i / w] * k + step * rank,
                                 bt + (u64)of_columns[i % w] * k + step * rank, rank);
                fold ^= (u32)sums[i];
            }
            to[step % 16] = (word << 13 | word >> 19) ^ fold;
        }
    }
}
