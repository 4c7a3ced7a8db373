/*
 * commitment.h - what a product is bound to before its noise is known (pow.md sections 2
 * and 4): configuration, job key, roots, salted seeds.
 *
 * No state, any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POW_COMMITMENT_H
#define MINERVA_POW_COMMITMENT_H

#include "kernels/pattern.h"
#include "miner/base/bytes.h"
#include "miner/work/job.h"
#include "miner/work/proof.h"

enum { CONFIGURATION_SIZE = 52, CERT_VERSION_MIN = 1, CERT_VERSION_MAX = 3 };

struct configuration {
    uint32_t k, rank;
    struct pattern rows, columns;
};

void configuration_encode(const struct configuration *configuration,
                          uint8_t out[CONFIGURATION_SIZE]);
/* What a proof's rows and columns say; BAD_PROOF when they are no legal patterns.  The
 * shape is taken as checked: at most PATTERN_COUNT_MAX rows and columns, below 2^24. */
MUST_CHECK enum status configuration_of(const struct proof *proof,
                                        struct configuration *out, struct error *err);

void commitment_job_key(const uint8_t header[JOB_HEADER_SIZE],
                        const struct configuration *configuration,
                        uint8_t out[DIGEST_SIZE]);
/* Root of a whole operand, zero-padded to whole chunks: raw hash_A or hash_B. */
void commitment_root(struct bytes operand, const uint8_t job_key[DIGEST_SIZE],
                     uint8_t out[DIGEST_SIZE]);
/* The seeds of both sides' noise.  n and m are those of the operands; the certificate
 * version (1..3) decides whether they enter. */
void commitment_seed_b(const uint8_t job_key[DIGEST_SIZE],
                       const uint8_t root_b[DIGEST_SIZE], uint32_t n,
                       uint32_t cert_version, uint8_t out[DIGEST_SIZE]);
void commitment_seed_a(const uint8_t seed_b[DIGEST_SIZE],
                       const uint8_t root_a[DIGEST_SIZE], uint32_t m,
                       uint32_t cert_version, uint8_t out[DIGEST_SIZE]);

#endif
