/*
 * fuzz_proof.c - claims: no bytes make the decoder or the verifier of proofs misbehave,
 * and what decodes encodes to the same bytes.
 *
 * Random bytes never meet a root, so each proof is verified twice: as it came, and with
 * sizes and roots repaired, which lets values, noise and ticket see hostile numbers too.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <string.h>

#include "miner/pow/commitment.h"
#include "miner/pow/merkle.h"
#include "miner/pow/noisy_gemm_proof.h"
#include "miner/pow/shape.h"
#include "miner/work/plain_proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect_same_bytes(const struct proof *proof, struct bytes bytes)
{
    struct blob out = blob_empty(PLAIN_PROOF_SIZE_MAX + 1);
    enum status status = plain_proof_encode(proof, &out);

    assert(!status);
    assert(out.size == bytes.size || out.size == bytes.size + 1);
    assert(!memcmp(out.data, bytes.data, bytes.size));
    assert(!out.data[out.size - 1]);
    blob_free(&out);
}

/* Whatever it says, it says it with a sentence. */
static void verify(const struct proof *proof, const struct pow_check *check)
{
    struct error err = {0};
    uint8_t ticket[DIGEST_SIZE];
    const enum status status = noisy_gemm_verify(proof, check, ticket, &err);

    assert(!status == !err.text[0]);
}

static void repair(struct proof *proof, const struct pow_check *check)
{
    const struct pow_shape shape = {.m = proof->m,
                                    .n = proof->n,
                                    .k = proof->k,
                                    .rank = proof->rank,
                                    .h = proof->a.row_count,
                                    .w = proof->b.row_count};
    struct configuration configuration;
    uint8_t key[DIGEST_SIZE];

    if (pow_shape_check(&shape, RANK_MIN, NULL) ||
        configuration_of(proof, &configuration, NULL))
        return;
    commitment_job_key(check->header, &configuration, key);
    proof->a.chunk_total = merkle_chunks(proof->m, proof->k);
    proof->b.chunk_total = merkle_chunks(proof->n, proof->k);
    (void)!merkle_root(&proof->a, key, proof->a.root, NULL);
    (void)!merkle_root(&proof->b, key, proof->b.root, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pow_check check = {.min_rank = RANK_MIN, .target = target_from_work(1 << 20)};
    struct proof proof;
    struct error err = {0};

    check.cert_version = 1 + (uint32_t)(size % 3);
    if (plain_proof_decode(bytes_of(data, size), &proof, &err)) {
        assert(err.text[0]);
        return 0;
    }
    expect_same_bytes(&proof, bytes_of(data, size));
    verify(&proof, &check);
    repair(&proof, &check);
    verify(&proof, &check);
    proof_free(&proof);
    return 0;
}
