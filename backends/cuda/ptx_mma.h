/*
 * ptx_mma.h - under nvcc: matrix fragments and their products in a warp.
 *
 * With g = lane / 4 and t = lane % 4, four bytes a register, lowest first:
 * m16n8k32: a[0] row g, a[1] row g + 8, k 4t..4t+3; a[2], a[3] the same at k + 16; b[0]
 * column g, k 4t..4t+3; b[1] at k + 16; d[0], d[1] row g, columns 2t, 2t + 1; d[2], d[3]
 * row g + 8.  m8n8k16: a row g, b column g, k 4t..4t+3; d row g, columns 2t, 2t + 1.
 * Sums are modulo 2^32.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_PTX_MMA_H
#define MINERVA_BACKENDS_CUDA_PTX_MMA_H

/* Lane l names row l % 8 of matrix l / 8: 16 bytes at an offset that 16 divides.  Lane l
 * gets word l % 4 of row l / 4 of every matrix; _trans: halfwords 2t and 2t + 1 of its
 * column g. */
#define PTX_LDMATRIX_1(name, kind)                                                       \
    DEVICE_FN void name(u32 to[1], u32 at)                                               \
    {                                                                                    \
        asm volatile("ldmatrix.sync.aligned.m8n8.x1" kind ".shared.b16 {%0}, [%1];"      \
                     : "=r"(to[0])                                                       \
                     : "r"(shared_window(at))                                            \
                     : "memory");                                                        \
    }
#define PTX_LDMATRIX_2(name, kind)                                                       \
    DEVICE_FN void name(u32 to[2], u32 at)                                               \
    {                                                                                    \
        asm volatile("ldmatrix.sync.aligned.m8n8.x2" kind ".shared.b16 {%0, %1}, [%2];"  \
                     : "=r"(to[0]), "=r"(to[1])                                          \
                     : "r"(shared_window(at))                                            \
                     : "memory");                                                        \
    }
#define PTX_LDMATRIX_4(name, kind)                                                       \
    DEVICE_FN void name(u32 to[4], u32 at)                                               \
    {                                                                                    \
        asm volatile("ldmatrix.sync.aligned.m8n8.x4" kind                                \
                     ".shared.b16 {%0, %1, %2, %3}, [%4];"                               \
                     : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])                \
                     : "r"(shared_window(at))                                            \
                     : "memory");                                                        \
    }
PTX_LDMATRIX_1(ldmatrix_x1, "")
PTX_LDMATRIX_2(ldmatrix_x2, "")
PTX_LDMATRIX_4(ldmatrix_x4, "")
PTX_LDMATRIX_1(ldmatrix_x1_trans, ".trans")
PTX_LDMATRIX_2(ldmatrix_x2_trans, ".trans")
PTX_LDMATRIX_4(ldmatrix_x4_trans, ".trans")

/* d += a * b, signed bytes. */
DEVICE_FN void mma_m8n8k16(i32 d[2], u32 a, u32 b)
{
    asm volatile("mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32 "
                 "{%0, %1}, {%2}, {%3}, {%0, %1};"
                 : "+r"(d[0]), "+r"(d[1])
                 : "r"(a), "r"(b));
}

DEVICE_FN void mma_m16n8k32(i32 d[4], const u32 a[4], const u32 b[2])
{
#if __CUDA_ARCH__ >= 800
    asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 "
                 "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
    mma_m8n8k16(d, a[0], b[0]);
    mma_m8n8k16(d + 2, a[1], b[0]);
    mma_m8n8k16(d, a[2], b[1]);
    mma_m8n8k16(d + 2, a[3], b[1]);
#endif
}

#endif
