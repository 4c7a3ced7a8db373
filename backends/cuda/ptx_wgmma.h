/*
 * ptx_wgmma.h - under nvcc for sm_90a: products of a warp group, 64 rows by 64, 128 or
 * 256 columns, out of shared memory.
 *
 * Both operands are rows of k bytes in 128-byte slices, eight rows of a slice 1024 bytes
 * that begin at a multiple of 1024, as TMA's 128-byte swizzle lays them: byte c of row r
 * at r * 128 + (c ^ r % 8 * 16).  With w = warp % 4, g = lane / 4, t = lane % 4: d[4j],
 * d[4j + 1] are row 16w + g, columns 8j + 2t, 8j + 2t + 1; d[4j + 2], d[4j + 3] the same
 * of row 16w + g + 8.  Between wgmma_k32 and wgmma_wait nobody touches d or the operands.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_PTX_WGMMA_H
#define MINERVA_BACKENDS_CUDA_PTX_WGMMA_H

#define PTX_D1(i)   "+r"(d[i])
#define PTX_D2(i)   PTX_D1(i), PTX_D1(i + 1)
#define PTX_D4(i)   PTX_D2(i), PTX_D2(i + 2)
#define PTX_D8(i)   PTX_D4(i), PTX_D4(i + 4)
#define PTX_D16(i)  PTX_D8(i), PTX_D8(i + 8)
#define PTX_D32(i)  PTX_D16(i), PTX_D16(i + 16)
#define PTX_D64(i)  PTX_D32(i), PTX_D32(i + 32)
#define PTX_D128(i) PTX_D64(i), PTX_D64(i + 64)

/* Before the first wgmma_k32, and wherever threads wrote to d in between. */
DEVICE_FN void wgmma_fence(void)
{
    PTX_HOPPER("wgmma.fence.sync.aligned;" ::: "memory");
}

DEVICE_FN void wgmma_commit(void)
{
    PTX_HOPPER("wgmma.commit_group.sync.aligned;" ::: "memory");
}

/* Until at most PENDING groups are under way; d is one accumulator that is then read. */
template <u32 PENDING, u32 COUNT> DEVICE_FN void wgmma_wait(i32 (&d)[COUNT])
{
    PTX_HOPPER("wgmma.wait_group.sync.aligned %0;" ::"n"(PENDING) : "memory");
    for (u32 i = 0; i < COUNT; i++)
        asm volatile("" : "+r"(d[i])::"memory"); /* no read of d moves up here */
}

/* An operand that begins at an offset: a slice's first row, plus 32 for the next 32 k. */
DEVICE_FN u64 wgmma_operand(u32 at)
{
    const u64 swizzle_128 = 1ull << 62, group_bytes = 1024 >> 4;

    return swizzle_128 | group_bytes << 32 | 1ull << 16 |
           (shared_window(at) & 0x3ffff) >> 4;
}

/* d = a * b, or d += a * b with `add`: 32 of k, twice as many columns as d has places. */
DEVICE_FN void wgmma_k32(i32 (&d)[32], u64 a, u64 b, u32 add)
{
    PTX_HOPPER("{\n.reg .pred add;\nsetp.ne.b32 add, %34, 0;\n"
               "wgmma.mma_async.sync.aligned.m64n64k32.s32.s8.s8 {"
               "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
               "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, "
               "%30, %31}, "
               "%32, %33, add;\n}"
               : PTX_D32(0)
               : "l"(a), "l"(b), "r"(add));
}

DEVICE_FN void wgmma_k32(i32 (&d)[64], u64 a, u64 b, u32 add)
{
    PTX_HOPPER("{\n.reg .pred add;\nsetp.ne.b32 add, %66, 0;\n"
               "wgmma.mma_async.sync.aligned.m64n128k32.s32.s8.s8 {"
               "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
               "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, "
               "%30, %31, %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, "
               "%44, %45, %46, %47, %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, "
               "%58, %59, %60, %61, %62, %63}, "
               "%64, %65, add;\n}"
               : PTX_D64(0)
               : "l"(a), "l"(b), "r"(add));
}

DEVICE_FN void wgmma_k32(i32 (&d)[128], u64 a, u64 b, u32 add)
{
    PTX_HOPPER("{\n.reg .pred add;\nsetp.ne.b32 add, %130, 0;\n"
               "wgmma.mma_async.sync.aligned.m64n256k32.s32.s8.s8 {"
               "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
               "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, "
               "%30, %31, %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, "
               "%44, %45, %46, %47, %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, "
               "%58, %59, %60, %61, %62, %63, %64, %65, %66, %67, %68, %69, %70, %71, "
               "%72, %73, %74, %75, %76, %77, %78, %79, %80, %81, %82, %83, %84, %85, "
               "%86, %87, %88, %89, %90, %91, %92, %93, %94, %95, %96, %97, %98, %99, "
               "%100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, "
               "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, "
               "%124, %125, %126, %127}, "
               "%128, %129, add;\n}"
               : PTX_D128(0)
               : "l"(a), "l"(b), "r"(add));
}

#endif
