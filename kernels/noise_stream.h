/*
 * noise_stream.h - the stream that noise is drawn from (pow.md section 5).
 *
 * N(slot, i) = H(message; seed): eight words of which number `slot` is i + 1, then the
 * label "A_tensor" or "B_tensor" padded with zeros.  One compression gives 32 bytes.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_KERNELS_NOISE_STREAM_H
#define MINERVA_KERNELS_NOISE_STREAM_H

#include "kernels/blake3_compress.h"

/* words: eight, the hash as little-endian words.  side: 0 A, 1 B. */
DEVICE_FN void noise_stream(GLOBAL cu8 *seed, u32 side, u32 slot, u32 index, u32 *words)
{
    u32 m[16];

    for (u32 i = 0; i < 16; i++)
        m[i] = 0;
    m[slot] = index + 1;
    m[8] = 0x65745f41u + side; /* "A_te" */
    m[9] = 0x726f736eu;        /* "nsor" */
    blake3_load(seed, 8, words);
    blake3_compress(words, m, 0, 64,
                    BLAKE3_KEYED | BLAKE3_CHUNK_START | BLAKE3_CHUNK_END | BLAKE3_ROOT);
}

#endif
