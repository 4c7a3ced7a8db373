/*
 * pow_case.h - the worked cases of the proof of work (tests/vectors/pow), read for tests.
 *
 * Their origin is an independent implementation in NumPy.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_POW_CASE_H
#define MINERVA_TESTS_POW_CASE_H

#include "kernels/pattern.h"
#include "miner/base/bytes.h"
#include "miner/pow/scheme.h"

enum { POW_CASES = 7 };

struct pow_case {
    const char *name;
    uint8_t header[JOB_HEADER_SIZE];
    uint32_t cert_version;
    uint32_t m, n, k, rank;
    struct pattern rows, columns;
    uint8_t config[52];
    uint8_t job_key[32], hash_a[32], hash_b[32], seed_a[32], seed_b[32];
    uint8_t noised_a_hash[32], noised_b_hash[32], product_hash[32], proof_hash[32];
    uint32_t best_row, best_column;
    uint8_t best_ticket[32];
    struct blob proof; /* PlainProof bytes */
    int8_t *a, *b;     /* m x k and n x k (B transposed), with zeros up to whole chunks */
};

/* The index-th case; fails the test when it cannot be read. */
void pow_case_open(unsigned index, struct pow_case *out);
void pow_case_close(struct pow_case *c);
/* The smallest target under which the best tile wins: ceil(ticket / work factor). */
struct target pow_case_target(const struct pow_case *c);
/* What a verifier is told: the case's header and version, its own rank, that target. */
struct pow_check pow_case_check(const struct pow_case *c);
/* The same with a target under which every ticket of such a tile wins. */
struct pow_check pow_case_generous(const struct pow_case *c);
/* Such a target for tiles of that work factor. */
struct target pow_case_generous_target(uint64_t factor);
/* The proof of one tile of two operands, built from their bytes as they are: padding and
 * values may be wrong.  a and b hold whole chunks. */
struct pow_forgery {
    const uint8_t *header;
    const int8_t *a, *b;
    uint32_t m, n, k, rank;
    const struct pattern *rows, *columns;
    uint32_t row, column;
};
void pow_forge(const struct pow_forgery *from, struct proof *out);
/* Element i of the test matrix of pow.md section 11. */
int8_t pow_case_element(uint64_t seed, uint64_t i);

#endif
