/*
 * test_proof.c - claims: proofs of all worked cases are byte for byte those of an
 * independent implementation and verify under exactly their bound; so are their seeds,
 * noise and trees.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/blake3_host.h"
#include "miner/base/memory.h"
#include "miner/pow/commitment.h"
#include "miner/pow/merkle.h"
#include "miner/pow/noisy_gemm_proof.h"
#include "miner/pow/row_noise.h"
#include "miner/work/plain_proof.h"
#include "tests/pow_case.h"

static struct proof decode(struct bytes bytes)
{
    struct proof proof;
    struct error err = {0};

    if (plain_proof_decode(bytes, &proof, &err))
        fail_msg("%s", error_text(&err));
    return proof;
}

static void forge_best(const struct pow_case *c, struct proof *out)
{
    const struct pow_forgery from = {.header = c->header,
                                     .a = c->a,
                                     .b = c->b,
                                     .m = c->m,
                                     .n = c->n,
                                     .k = c->k,
                                     .rank = c->rank,
                                     .rows = &c->rows,
                                     .columns = &c->columns,
                                     .row = c->best_row,
                                     .column = c->best_column};

    pow_forge(&from, out);
}

static void commitments_are_those_of_the_cases(void **state)
{
    (void)state;
    for (unsigned i = 0; i < POW_CASES; i++) {
        struct pow_case c;
        uint8_t bytes[CONFIGURATION_SIZE], digest[32], seed[32];
        pow_case_open(i, &c);
        const struct configuration configuration = {
            .k = c.k, .rank = c.rank, .rows = c.rows, .columns = c.columns};
        configuration_encode(&configuration, bytes);
        assert_memory_equal(bytes, c.config, sizeof bytes);
        commitment_job_key(c.header, &configuration, digest);
        assert_memory_equal(digest, c.job_key, 32);
        commitment_root(bytes_of(c.a, (size_t)c.m * c.k), c.job_key, digest);
        assert_memory_equal(digest, c.hash_a, 32);
        commitment_root(bytes_of(c.b, (size_t)c.n * c.k), c.job_key, digest);
        assert_memory_equal(digest, c.hash_b, 32);
        commitment_seed_b(c.job_key, c.hash_b, c.n, c.cert_version, seed);
        assert_memory_equal(seed, c.seed_b, 32);
        commitment_seed_a(c.seed_b, c.hash_a, c.m, c.cert_version, seed);
        assert_memory_equal(seed, c.seed_a, 32);
        pow_case_close(&c);
    }
}

/* Published seeds of all three versions: job key 11.., hash_A AA.., hash_B BB... */
static void seeds_of_all_versions(void **state)
{
    static const char *const expected[4][2] = {
        {NULL, NULL},
        {"add6f7ea5feebf89c8a77e2ebfa0d82442e7dbb0046dbd48971861d12fcb0177",
         "483b07b6f73105030b9482255f37723f3fed69ae916724ee8291848b8c28794b"},
        {"add6f7ea5feebf89c8a77e2ebfa0d82442e7dbb0046dbd48971861d12fcb0177",
         "483b07b6f73105030b9482255f37723f3fed69ae916724ee8291848b8c28794b"},
        {"60ed9b73c5a9599b", "301784168005ec83"},
    };
    uint8_t key[32], root_a[32], root_b[32], seed_a[32], seed_b[32];
    char text[65];

    (void)state;
    memset(key, 0x11, 32);
    memset(root_a, 0xaa, 32);
    memset(root_b, 0xbb, 32);
    for (uint32_t version = 1; version <= 3; version++) {
        commitment_seed_b(key, root_b, 320, version, seed_b);
        commitment_seed_a(seed_b, root_a, 192, version, seed_a);
        hex_encode(seed_b, 32, text);
        assert_memory_equal(text, expected[version][0], strlen(expected[version][0]));
        hex_encode(seed_a, 32, text);
        assert_memory_equal(text, expected[version][1], strlen(expected[version][1]));
    }
}

/* Hash of a whole noised operand, row by row. */
static void hash_noised(const struct row_noise *noise, const int8_t *operand,
                        uint32_t rows, uint32_t k, uint8_t out[32])
{
    struct noise_pair *pairs = memory_array(k, sizeof *pairs);
    int16_t *values = memory_array(k, sizeof *values);
    int8_t *bytes = memory_array(k, 1);
    struct blake3 hasher;

    assert_true(pairs && values && bytes);
    row_noise_pairs(noise, k, pairs);
    blake3_begin(&hasher);
    for (uint32_t row = 0; row < rows; row++) {
        for (uint32_t l = 0; l < k; l++)
            values[l] = operand[(size_t)row * k + l];
        row_noise_add(noise, row, pairs, k, values);
        for (uint32_t l = 0; l < k; l++) {
            assert_in_range(values[l] + 127, 0, 254);
            bytes[l] = (int8_t)values[l];
        }
        blake3_add(&hasher, bytes, k);
    }
    blake3_end(&hasher, out);
    memory_free(pairs);
    memory_free(values);
    memory_free(bytes);
}

static void noise_is_that_of_the_cases(void **state)
{
    (void)state;
    for (unsigned i = 0; i < POW_CASES; i++) {
        struct pow_case c;
        uint8_t digest[32];
        pow_case_open(i, &c);
        const struct row_noise a = {NOISE_A, c.seed_a, c.rank};
        const struct row_noise b = {NOISE_B, c.seed_b, c.rank};
        hash_noised(&a, c.a, c.m, c.k, digest);
        assert_memory_equal(digest, c.noised_a_hash, 32);
        hash_noised(&b, c.b, c.n, c.k, digest);
        assert_memory_equal(digest, c.noised_b_hash, 32);
        pow_case_close(&c);
    }
}

static void prove_case(const struct pow_case *c)
{
    const struct job job = {.cert_version = c->cert_version,
                            .min_rank = c->rank,
                            .target = pow_case_target(c)};
    struct finding finding = {
        .job = job_new(&job), .site = {1, 2, 3, 4}, .device = 5, .found_ms = 6};
    struct share *share;
    struct error err = {0};

    assert_non_null(finding.job);
    memcpy(finding.job->header, c->header, sizeof finding.job->header);
    memcpy(finding.ticket, c->best_ticket, sizeof finding.ticket);
    memset(finding.task_id, 'a', TASK_ID_SIZE);
    forge_best(c, &finding.proof);
    if (noisy_gemm_prove(&finding, &share, &err))
        fail_msg("%s: %s", c->name, error_text(&err));
    assert_int_equal(share->plain_proof.size, c->proof.size);
    assert_memory_equal(share->plain_proof.data, c->proof.data, c->proof.size);
    assert_memory_equal(share->ticket, c->best_ticket, 32);
    assert_string_equal(share->task_id, finding.task_id);
    assert_int_equal(share->site.product, 3);
    assert_int_equal(share->row_count, c->rows.count);
    assert_int_equal(share->rows[0], c->best_row);
    assert_int_equal(share->columns[0], c->best_column);
    assert_ptr_equal(share->job, finding.job);
    share_free(share);

    finding.ticket[0] ^= 1; /* a device that miscounts */
    assert_int_equal(noisy_gemm_prove(&finding, &share, &err), STATUS_BAD_PROOF);
    assert_non_null(strstr(err.text, "the device's ticket is"));
    assert_null(share);
    job_release(finding.job);
    proof_free(&finding.proof);
}

static void proofs_are_byte_identical(void **state)
{
    (void)state;
    for (unsigned i = 0; i < POW_CASES; i++) {
        struct pow_case c;
        uint8_t digest[32];
        pow_case_open(i, &c);
        prove_case(&c);
        blake3_hash(c.proof.data, c.proof.size, NULL, digest);
        assert_memory_equal(digest, c.proof_hash, 32);
        pow_case_close(&c);
    }
}

static void encode_decode_round_trip(void **state)
{
    (void)state;
    for (unsigned i = 0; i < POW_CASES; i++) {
        struct pow_case c;
        pow_case_open(i, &c);
        for (size_t oldest = 0; oldest < 2; oldest++) {
            struct proof proof = decode(bytes_of(c.proof.data, c.proof.size - oldest));
            struct blob out = blob_empty(PLAIN_PROOF_SIZE_MAX);
            assert_int_equal(plain_proof_encode(&proof, &out), STATUS_OK);
            assert_int_equal(out.size, c.proof.size);
            assert_memory_equal(out.data, c.proof.data, out.size);
            blob_free(&out);
            proof_free(&proof);
        }
        pow_case_close(&c);
    }
}

static void cases_verify_under_their_bound_only(void **state)
{
    (void)state;
    for (unsigned i = 0; i < POW_CASES; i++) {
        struct pow_case c;
        struct error err = {0};
        uint8_t ticket[32] = {0};
        pow_case_open(i, &c);
        struct proof proof = decode(blob_bytes(&c.proof));
        struct pow_check check = pow_case_check(&c);
        if (noisy_gemm_verify(&proof, &check, ticket, &err))
            fail_msg("%s: %s", c.name, error_text(&err));
        assert_memory_equal(ticket, c.best_ticket, 32);
        for (int byte = 0; byte < 32 && check.target.le[byte]-- == 0; byte++)
            ; /* one less */
        memset(ticket, 0, sizeof ticket);
        assert_int_equal(noisy_gemm_verify(&proof, &check, ticket, &err), STATUS_LOW);
        assert_non_null(strstr(err.text, "above the bound"));
        assert_memory_equal(ticket, c.best_ticket, 32);
        proof_free(&proof);
        pow_case_close(&c);
    }
}

static void versions(void **state)
{
    struct pow_case c;
    struct error err = {0};
    uint8_t ticket[32];

    (void)state;
    pow_case_open(1, &c); /* legacy-seeds, version 2 */
    struct proof proof = decode(blob_bytes(&c.proof));
    struct pow_check check = pow_case_check(&c);
    check.cert_version = 1;
    assert_int_equal(noisy_gemm_verify(&proof, &check, ticket, &err), STATUS_OK);
    check.cert_version = 3; /* other seeds, another ticket */
    assert_int_equal(noisy_gemm_verify(&proof, &check, ticket, &err), STATUS_LOW);
    for (uint32_t version = 0; version <= 4; version += 4) {
        check.cert_version = version;
        assert_int_equal(noisy_gemm_verify(&proof, &check, ticket, &err),
                         STATUS_NOT_SUPPORTED);
        assert_non_null(strstr(err.text, version ? "version is 4" : "version is 0"));
    }
    check = pow_case_generous(&c);
    check.header[75] ^= 1; /* another job: the trees do not fit its key */
    assert_int_equal(noisy_gemm_verify(&proof, &check, ticket, &err), STATUS_BAD_PROOF);
    assert_non_null(strstr(err.text, "lead to root"));
    check = pow_case_generous(&c);
    memset(check.target.le, 0xff, 32);
    assert_int_equal(noisy_gemm_verify(&proof, &check, ticket, &err), STATUS_BAD_PROOF);
    assert_non_null(strstr(err.text, "passes 256 bits"));
    check = pow_case_generous(&c);
    check.min_rank = 256;
    assert_int_equal(noisy_gemm_verify(&proof, &check, ticket, &err), STATUS_BAD_PROOF);
    assert_non_null(strstr(err.text, "rank is 128, expected at least 256"));
    proof_free(&proof);
    pow_case_close(&c);
}

/* Leaves alone where they lie, one chunk only, odd layers: all lead to BLAKE3's root. */
static void openings_lead_to_the_root(void **state)
{
    static const uint32_t heights[] = {1, 2, 3, 5, 7, 8, 13};
    int8_t *operand = memory_array(13, 1024);
    const uint8_t header[JOB_HEADER_SIZE] = {9};

    (void)state;
    assert_non_null(operand);
    for (size_t i = 0; i < 13 * 1024; i++)
        operand[i] = pow_case_element(5, i);
    for (size_t i = 0; i < sizeof heights / sizeof *heights; i++) {
        const struct pattern rows = pattern_range(1);
        for (uint32_t row = 0; row < heights[i]; row++) {
            const struct pow_forgery from = {.header = header,
                                             .a = operand,
                                             .b = operand,
                                             .m = heights[i],
                                             .n = 1,
                                             .k = 1024,
                                             .rank = 32,
                                             .rows = &rows,
                                             .columns = &rows,
                                             .row = row};
            const struct configuration configuration = {1024, 32, rows, rows};
            uint8_t job_key[32], whole[32], root[32];
            struct proof proof;
            pow_forge(&from, &proof);
            commitment_job_key(header, &configuration, job_key);
            commitment_root(bytes_of(operand, heights[i] * 1024), job_key, whole);
            assert_int_equal(merkle_root(&proof.a, job_key, root, NULL), STATUS_OK);
            assert_memory_equal(root, whole, 32);
            assert_memory_equal(proof.a.root, whole, 32);
            proof_free(&proof);
        }
    }
    memory_free(operand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commitments_are_those_of_the_cases),
        cmocka_unit_test(seeds_of_all_versions),
        cmocka_unit_test(noise_is_that_of_the_cases),
        cmocka_unit_test(proofs_are_byte_identical),
        cmocka_unit_test(encode_decode_round_trip),
        cmocka_unit_test(cases_verify_under_their_bound_only),
        cmocka_unit_test(versions),
        cmocka_unit_test(openings_lead_to_the_root),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
