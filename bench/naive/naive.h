/*
 * naive.h - a product as one would write it down in OpenCL (bench/naive_i8.cl), as a
 * benchmark like our own (bench.h), so that rounds of both can alternate.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BENCH_NAIVE_NAIVE_H
#define MINERVA_BENCH_NAIVE_NAIVE_H

#include "bench/bench.h"

/* On the OpenCL device that bears the name of the setup's; sides that are multiples of 8.
 */
extern const struct bench_kind naive_i8;

#endif
