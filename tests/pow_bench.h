/*
 * pow_bench.h - a CPU device with a proof-of-work run on it, for tests.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_POW_BENCH_H
#define MINERVA_TESTS_POW_BENCH_H

#include "miner/pow/noisy_gemm.h"
#include "tests/pow_case.h"

enum { POW_BENCH_HITS = 64, POW_BENCH_QUEUE = 256 };

/* A device with one right operand, a run on it, and the queue that its findings fall in.
 */
struct pow_bench {
    struct device *device;
    struct matmul_port plain;
    struct mailbox *jobs;
    struct queue *findings;
    struct pow_run *run;
    struct matmul_port *port;
    uint32_t m, n, k;
    struct buffer *a, *b, *c;
    struct weights *weights;
    const struct launch *made_by; /* of the next products' left operand */
    struct launch maker;          /* what pow_bench_make() gave */
    struct buffer *rooms[3];      /* it reads and writes beside that operand */
    int32_t *expected, *product;
};

/* For the shape of a case and with its operands; limits are the shape. */
void pow_bench_open(struct pow_bench *bench, const struct pow_case *c, size_t queue_size);
/* The same on one way to multiply ("portable", "avx2", "avx512"); false: not on this
 * processor. */
bool pow_bench_open_variant(struct pow_bench *bench, const struct pow_case *c,
                            size_t queue_size, const char *variant);
/* The same on a device, which is the bench's from then on. */
void pow_bench_open_on(struct pow_bench *bench, const struct pow_case *c,
                       size_t queue_size, struct device *device);
void pow_bench_close(struct pow_bench *bench);
/* The naive product is that of these operands from now on. */
void pow_bench_multiply_naively(struct pow_bench *bench, const int8_t *a,
                                const int8_t *b);
/* The left operand is made of rows of numbers from now on, the case's too; bench->maker
 * is the launch that does it. */
void pow_bench_make(struct pow_bench *bench, struct pow_case *c);
/* The case's job with that target, its id "job LAST"; LAST also replaces the header's
 * last byte where it is not 0. */
void pow_bench_job(struct pow_bench *bench, const struct pow_case *c,
                   struct target target, uint8_t last);
enum status pow_bench_multiply(struct pow_bench *bench, struct matmul_site site);
/* Multiplies and compares every element with the naive product. */
void pow_bench_expect_product(struct pow_bench *bench, struct matmul_site site);
struct outgoing *pow_bench_take(struct pow_bench *bench); /* NULL: the queue is empty */
/* One product: launches of the device's own count, and what was found. */
struct pow_bench_round {
    uint64_t launches;
    uint32_t count;
    uint8_t tickets[POW_BENCH_HITS][32];
};
struct pow_bench_round pow_bench_round(struct pow_bench *bench);
/* Proves everything in the queue; how many there were.  Their job must bear that id. */
uint32_t pow_bench_prove_all(struct pow_bench *bench, const char *job_id);
/* A target under which one tile of 128 elements in that many wins. */
struct target pow_bench_one_in(uint64_t tiles, uint32_t k);

#endif
