/*
 * hopper_fault_cases.cu - products out of a ring of stages that TMA fills, right with
 * `wrong` 0; each other number is one mistake that a card would forgive or not.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cuda/ptx.h"

enum mistake {
    NO_MISTAKE,
    NO_FULL_WAIT,       /* multiplies before the stage has come */
    EARLY_RELEASE,      /* gives the stage back while wgmma may read it */
    NO_EMPTY_WAIT,      /* fills a stage that may still be read */
    NO_MBARRIER_FENCE,  /* TMA may not see the mbarrier */
    FEW_BYTES,          /* expects less than comes */
    EARLY_SUMS,         /* reads the sums before wgmma_wait */
    NO_WGMMA_FENCE,     /* the sums' registers may still be written */
    WRONG_PARITY,       /* waits for the phase before */
    ARRIVES_TWICE,      /* one arrival too many */
    WAITS_FOR_TOO_LITTLE /* a group is still under way */
};

enum { STAGES = 2, SLICES = 4, STAGE = 16384, FULL = 0, EMPTY = 64, FIRST = 1024 };

DEVICE_FN void fill(const struct tensor_map *map, u32 wrong)
{
    for (u32 slice = 0; slice < SLICES; slice++) {
        const u32 stage = slice % STAGES, turn = slice / STAGES;

        if (turn && wrong != NO_EMPTY_WAIT)
            mbarrier_wait(EMPTY + 8 * stage, turn - 1);
        mbarrier_expect(FULL + 8 * stage, wrong == FEW_BYTES ? STAGE / 2 : STAGE);
        tma_load(FIRST + STAGE * stage, map, (i32)(128 * slice), 0, FULL + 8 * stage);
    }
}

DEVICE_FN void multiply(i32 (&d)[32], u32 wrong)
{
    for (u32 slice = 0; slice < SLICES; slice++) {
        const u32 stage = slice % STAGES, turn = slice / STAGES, a = FIRST + STAGE * stage;

        if (wrong != NO_FULL_WAIT)
            mbarrier_wait(FULL + 8 * stage, wrong == WRONG_PARITY ? !turn : turn);
        if (wrong != NO_WGMMA_FENCE)
            wgmma_fence();
        for (u32 k = 0; k < 128; k += 32)
            wgmma_k32(d, wgmma_operand(a + k), wgmma_operand(a + 8192 + k), slice || k);
        wgmma_commit();
        if (wrong == EARLY_RELEASE)
            mbarrier_arrive(EMPTY + 8 * stage);
        if (wrong == EARLY_SUMS)
            d[0]++;
        if (wrong == WAITS_FOR_TOO_LITTLE)
            wgmma_wait<1>(d);
        else
            wgmma_wait<0>(d);
        if (wrong != EARLY_RELEASE)
            mbarrier_arrive(EMPTY + 8 * stage);
        if (wrong == ARRIVES_TWICE)
            mbarrier_arrive(EMPTY + 8 * stage);
    }
}

KERNEL(fault_pipeline, 160, 1, u32 *out, u32 wrong, TENSOR_MAP(map))
{
    const u32 i = thread_index();

    if (i == 0) {
        for (u32 stage = 0; stage < STAGES; stage++) {
            mbarrier_init(FULL + 8 * stage, 1);
            mbarrier_init(EMPTY + 8 * stage, 128);
        }
        if (wrong != NO_MBARRIER_FENCE)
            mbarrier_fence();
    }
    block_sync();
    if (i == 128)
        fill(&map, wrong);
    if (i < 128) {
        i32 d[32];

        multiply(d, wrong);
        for (u32 e = 0; e < 32; e++)
            out[32 * i + e] = (u32)d[e];
    }
}

/* Operands that threads wrote need a fence before wgmma sees them. */
KERNEL(fault_async_fence, 128, 1, u32 *out, u32 wrong, TENSOR_MAP(map))
{
    i32 d[32];

    (void)map;
    for (u32 at = 4 * thread_index(); at < 16384; at += 512)
        *SHARED(u32, at) = at * 0x9e3779b9u;
    if (!wrong)
        async_fence();
    block_sync();
    wgmma_fence();
    wgmma_k32(d, wgmma_operand(0), wgmma_operand(8192), 0);
    wgmma_commit();
    wgmma_wait<0>(d);
    for (u32 e = 0; e < 32; e++)
        out[32 * thread_index() + e] = (u32)d[e];
}
