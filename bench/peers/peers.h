/*
 * peers.h - what others reach on this machine, and what it can reach at all, as
 * benchmarks like our own (bench.h), so that rounds of both can alternate in one process.
 *
 * Every peer's answer is compared with ours, element by element, before it is timed.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BENCH_PEERS_PEERS_H
#define MINERVA_BENCH_PEERS_PEERS_H

#include "bench/bench.h"

/* oneDNN's three ways to a product of int8, with as many threads as the setup's device
 * has: its gemm, its matmul with weights as they lie, and with weights packed beforehand.
 */
extern const struct bench_kind onednn_gemm, onednn_matmul, onednn_packed;
void onednn_version(char text[DEVICE_TEXT_MAX]);

/* Dots on registers alone, no memory: what no product can pass.  vnni: vpdpbusd; avx2:
 * vpmaddwd and vpaddd.  ABSENT where the processor lacks them. */
extern const struct bench_kind limit_vnni, limit_avx2;

/* A share of the setup's shape, verified on one thread: built from one tile, so that the
 * shape may be larger than what can be multiplied here. */
extern const struct bench_kind large_share;

#endif
