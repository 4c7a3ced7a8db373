/*
 * two_lefts.h - a device with two left operands, a right one and a run beside it, under a
 * job that one tile of 128 elements in four wins.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_TWO_LEFTS_H
#define MINERVA_TESTS_TWO_LEFTS_H

#include "kernels/blake3_host.h"
#include "miner/pow/noisy_gemm.h"
#include "tests/easy_mine.h"

/* Left operands are LEFT_M x LEFT_K, the right one is LEFT_N x LEFT_K. */
enum { LEFT_M = 64, LEFT_N = 64, LEFT_K = 1024 };

struct two_lefts {
    struct device *device;
    struct easy_mine mine;
    struct buffer *left[2], *right, *c;
    struct weights *weights;
};

/* What was found: digests of all that is not time or place. */
enum { TWO_LEFTS_FOUND_MAX = 512 };
struct two_lefts_found {
    uint32_t count;
    uint8_t digests[TWO_LEFTS_FOUND_MAX][BLAKE3_SIZE];
};

void two_lefts_open(struct two_lefts *bench, const char *backend, const char *variant);
void two_lefts_close(struct two_lefts *bench);
/* Another job; its id is that letter. */
void two_lefts_job(struct two_lefts *bench, char number);
/* Of products from now on, in tiles of 8 x 16. */
void two_lefts_rank(struct two_lefts *bench, uint32_t rank);
/* A product of one of them, without a result. */
enum status two_lefts_mine(struct two_lefts *bench, uint32_t left,
                           struct matmul_change change);
/* What is in the queue, behind what was there before; each is proved. */
void two_lefts_take(struct two_lefts *bench, struct two_lefts_found *found);

#endif
