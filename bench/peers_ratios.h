/*
 * peers_ratios.h - who takes turns, how they stand to each other, and what was promised.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BENCH_PEERS_RATIOS_H
#define MINERVA_BENCH_PEERS_RATIOS_H

#include "miner/bench_json.h"

enum peers_place {
    PEERS_GEMM,
    PEERS_MATMUL,
    PEERS_PACKED,
    PEERS_CLEAN,
    PEERS_MINING,
    PEERS_USEFUL,
    PEERS_CLEAN_AVX2,
    PEERS_MINING_AVX2,
    PEERS_LIMIT,
    PEERS_LIMIT_AVX2,
    PEERS_PLACES
};

enum { PEERS_RATIOS_MAX = 16 };

/* What one shape's turns gave on so many threads; runs 0: that place was empty. */
struct peers_turns {
    uint32_t m, n, k, rank, threads;
    struct bench_result results[PEERS_PLACES];
};

/* As many ratios as both sides of are there, to out[PEERS_RATIOS_MAX]. */
size_t peers_ratios(const struct peers_turns *turns, struct bench_ratio *out);
/* Whether what was promised holds (of the best runs); true where nothing was. */
bool peers_ratio_holds(const struct bench_ratio *ratio);

#endif
