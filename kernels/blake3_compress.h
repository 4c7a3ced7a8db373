/*
 * blake3_compress.h - the compression function of BLAKE3, for every text that hashes.
 *
 * Words of a block are little-endian u32 whatever the machine.  All loops over the
 * sixteen words have constant bounds, so that a compiler keeps state and message in
 * registers.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_KERNELS_BLAKE3_COMPRESS_H
#define MINERVA_KERNELS_BLAKE3_COMPRESS_H

#include "kernels/vocabulary.h"

#define BLAKE3_CHUNK_START 1u
#define BLAKE3_CHUNK_END   2u
#define BLAKE3_PARENT      4u
#define BLAKE3_ROOT        8u
#define BLAKE3_KEYED       16u
#define BLAKE3_CONTEXT     32u /* the two passes of derive-key mode */
#define BLAKE3_MATERIAL    64u

#define BLAKE3_IV0 0x6a09e667u
#define BLAKE3_IV1 0xbb67ae85u
#define BLAKE3_IV2 0x3c6ef372u
#define BLAKE3_IV3 0xa54ff53au
#define BLAKE3_IV4 0x510e527fu
#define BLAKE3_IV5 0x9b05688cu
#define BLAKE3_IV6 0x1f83d9abu
#define BLAKE3_IV7 0x5be0cd19u

DEVICE_FN u32 blake3_rotr(u32 x, u32 n)
{
    return x >> n | x << (32u - n);
}

DEVICE_FN void blake3_mix(u32 *a, u32 *b, u32 *c, u32 *d, u32 x, u32 y)
{
    *a += *b + x;
    *d = blake3_rotr(*d ^ *a, 16);
    *c += *d;
    *b = blake3_rotr(*b ^ *c, 12);
    *a += *b + y;
    *d = blake3_rotr(*d ^ *a, 8);
    *c += *d;
    *b = blake3_rotr(*b ^ *c, 7);
}

DEVICE_FN void blake3_round(u32 *v, const u32 *m)
{
    blake3_mix(&v[0], &v[4], &v[8], &v[12], m[0], m[1]);
    blake3_mix(&v[1], &v[5], &v[9], &v[13], m[2], m[3]);
    blake3_mix(&v[2], &v[6], &v[10], &v[14], m[4], m[5]);
    blake3_mix(&v[3], &v[7], &v[11], &v[15], m[6], m[7]);
    blake3_mix(&v[0], &v[5], &v[10], &v[15], m[8], m[9]);
    blake3_mix(&v[1], &v[6], &v[11], &v[12], m[10], m[11]);
    blake3_mix(&v[2], &v[7], &v[8], &v[13], m[12], m[13]);
    blake3_mix(&v[3], &v[4], &v[9], &v[14], m[14], m[15]);
}

/* The message in the order of the next round: two cycles, spelt out so that no word
 * moves. */
DEVICE_FN void blake3_permute(u32 *m)
{
    const u32 m0 = m[0], m1 = m[1];

    m[0] = m[2];
    m[2] = m[3];
    m[3] = m[10];
    m[10] = m[12];
    m[12] = m[9];
    m[9] = m[11];
    m[11] = m[5];
    m[5] = m0;
    m[1] = m[6];
    m[6] = m[4];
    m[4] = m[7];
    m[7] = m[13];
    m[13] = m[14];
    m[14] = m[15];
    m[15] = m[8];
    m[8] = m1;
}

/* cv becomes the chaining value after the block; m is used up. */
DEVICE_FN void blake3_compress(u32 *cv, u32 *m, u64 counter, u32 size, u32 flags)
{
    u32 v[16] = {cv[0],        cv[1],
                 cv[2],        cv[3],
                 cv[4],        cv[5],
                 cv[6],        cv[7],
                 BLAKE3_IV0,   BLAKE3_IV1,
                 BLAKE3_IV2,   BLAKE3_IV3,
                 (u32)counter, (u32)(counter >> 32),
                 size,         flags};

    blake3_round(v, m);
    blake3_permute(m);
    blake3_round(v, m);
    blake3_permute(m);
    blake3_round(v, m);
    blake3_permute(m);
    blake3_round(v, m);
    blake3_permute(m);
    blake3_round(v, m);
    blake3_permute(m);
    blake3_round(v, m);
    blake3_permute(m);
    blake3_round(v, m);
    for (u32 i = 0; i < 8; i++)
        cv[i] = v[i] ^ v[i + 8];
}

DEVICE_FN u32 blake3_word(GLOBAL cu8 *bytes)
{
    return (u32)bytes[0] | (u32)bytes[1] << 8 | (u32)bytes[2] << 16 | (u32)bytes[3] << 24;
}

DEVICE_FN void blake3_load(GLOBAL cu8 *bytes, u32 count, u32 *words)
{
    for (u32 i = 0; i < count; i++)
        words[i] = blake3_word(bytes + 4 * i);
}

DEVICE_FN void blake3_store(const u32 *cv, GLOBAL u8 *bytes)
{
    for (u32 i = 0; i < 32; i++)
        bytes[i] = (u8)(cv[i / 4] >> 8 * (i % 4));
}

/* The first `size` bytes of a block, zeros after them. */
DEVICE_FN void blake3_load_part(GLOBAL cu8 *bytes, u32 size, u32 *words)
{
    for (u32 i = 0; i < 16; i++)
        words[i] = 0;
    for (u32 i = 0; i < size; i++)
        words[i / 4] |= (u32)bytes[i] << 8 * (i % 4);
}

#endif
