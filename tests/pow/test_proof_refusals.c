/*
 * test_proof_refusals.c - claims: each wrong field of a proof, each flipped bit, each
 * hostile length is refused with a reason of its own, even where every ticket would win.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "miner/base/memory.h"
#include "miner/pow/merkle.h"
#include "miner/pow/noisy_gemm_proof.h"
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

typedef void spoil(struct proof *proof);

#define SPOIL(name, statement)                                                           \
    static void spoil_##name(struct proof *p)                                            \
    {                                                                                    \
        statement;                                                                       \
    }
SPOIL(m_zero, p->m = 0)
SPOIL(m_large, p->m = ((uint64_t)1 << 24) + 1)
SPOIL(m_more, p->m++)
SPOIL(m_less, p->m = p->a.rows[p->a.row_count - 1])
SPOIL(n_large, p->n = UINT64_MAX)
SPOIL(n_more, p->n++)
SPOIL(n_less, p->n = p->b.rows[p->b.row_count - 1])
SPOIL(k_odd, p->k++)
SPOIL(k_small, p->k = 960)
SPOIL(k_large, p->k = UINT64_MAX - 63)
SPOIL(k_below_rank, p->k = 1024)
SPOIL(k_other, p->k += 64)
SPOIL(rank_zero, p->rank = 0)
SPOIL(rank_large, p->rank = 2048)
SPOIL(rank_odd, p->rank++)
SPOIL(rank_small, p->rank = 64)
SPOIL(rows_none, p->a.row_count = 0)
SPOIL(rows_odd, p->a.row_count--)
SPOIL(rows_equal, p->a.rows[1] = p->a.rows[0])
SPOIL(rows_falling, uint64_t row = p->a.rows[0]; p->a.rows[0] = p->a.rows[1];
      p->a.rows[1] = row)
SPOIL(rows_huge, p->a.rows[0] = UINT64_MAX)
SPOIL(rows_shifted, p->a.rows[0]++; p->a.rows[1]++)
SPOIL(columns_few, p->b.row_count = 8)
SPOIL(columns_ragged, p->b.rows[15]++)
SPOIL(columns_shifted, for (int i = 0; i < 16; i++) p->b.rows[i]++)
SPOIL(total_more, p->a.chunk_total++)
SPOIL(total_b, p->b.chunk_total = 0)
SPOIL(chunk_index, p->a.chunk_indices[1]++)
SPOIL(chunk_last, p->b.chunk_indices[p->b.chunk_count - 1] = UINT64_MAX)
SPOIL(chunk_less, p->b.chunk_count--)
SPOIL(chunk_none, p->a.chunk_count = 0)
SPOIL(chunk_byte, p->a.chunks[1500] ^= 1)
SPOIL(chunk_byte_b, p->b.chunks[20] ^= 1)
SPOIL(root, p->a.root[31] ^= 0x80)
SPOIL(root_b, p->b.root[0] ^= 1)
SPOIL(sibling, p->a.siblings[3] ^= 1)
SPOIL(sibling_less, p->a.sibling_count--)
SPOIL(sibling_none, p->b.sibling_count = 0)
SPOIL(sibling_more, p->a.sibling_count++) /* the test made room */

static const struct {
    spoil *spoil;
    const char *reason;
} spoils[] = {
    {spoil_m_zero, "m is 0"},
    {spoil_m_large, "m is 16777217"},
    {spoil_m_more, "A: 128 chunks in all, expected 130"},
    {spoil_m_less, "the last row is"},
    {spoil_n_large, "n is 18446744073709551615"},
    {spoil_n_more, "B: 128 chunks in all, expected 130"},
    {spoil_n_less, "the last column is"},
    {spoil_k_odd, "k is 2049, expected a multiple of 64"},
    {spoil_k_small, "k is 960"},
    {spoil_k_large, "k is 18446744073709551552"},
    {spoil_k_below_rank, "k is 1024, expected 2048 to 65536"},
    {spoil_k_other, "chunks in all, expected"},
    {spoil_rank_zero, "rank is 0"},
    {spoil_rank_large, "rank is 2048"},
    {spoil_rank_odd, "rank is 129"},
    {spoil_rank_small, "rank is 64, expected at least 128"},
    {spoil_rows_none, "the tile is 0 x 16"},
    {spoil_rows_odd, "the tile is 1 x 16"},
    {spoil_rows_equal, "expected an ascending list"},
    {spoil_rows_falling, "expected an ascending list"},
    {spoil_rows_huge, "expected an ascending list"},
    {spoil_rows_shifted, "A: opened chunk"},
    {spoil_columns_few, "the tile is 2 x 8"},
    {spoil_columns_ragged, "are no pattern"},
    {spoil_columns_shifted, "is no legal start"},
    {spoil_total_more, "A: 129 chunks in all, expected 128"},
    {spoil_total_b, "B: 0 chunks in all, expected 128"},
    {spoil_chunk_index, "A: opened chunk 2 is not number"},
    {spoil_chunk_last, "B: opened chunk 32 is not number"},
    {spoil_chunk_less, "B: opened chunk"},
    {spoil_chunk_none, "A: opened chunk"},
    {spoil_chunk_byte, "A: the chunks lead to root"},
    {spoil_chunk_byte_b, "B: the chunks lead to root"},
    {spoil_root, "A: the chunks lead to root"},
    {spoil_root_b, "B: the chunks lead to root"},
    {spoil_sibling, "A: the chunks lead to root"},
    {spoil_sibling_less, "expected more"},
    {spoil_sibling_none, "B: 0 siblings, expected more"},
    {spoil_sibling_more, "siblings, expected"},
};

static void every_wrong_field_has_its_reason(void **state)
{
    struct pow_case c;

    (void)state;
    pow_case_open(6, &c); /* smallest-k: 64 x 64 x 2048, tile 2 x 16 */
    const struct pow_check check = pow_case_generous(&c);
    for (size_t i = 0; i < sizeof spoils / sizeof *spoils; i++) {
        struct proof proof = decode(blob_bytes(&c.proof));
        struct error err = {0};
        uint8_t ticket[32];
        uint8_t *siblings = memory_array(proof.a.sibling_count + 1, 32);
        assert_non_null(siblings);
        memcpy(siblings, proof.a.siblings, proof.a.sibling_count * 32);
        memory_free(proof.a.siblings);
        proof.a.siblings = siblings;
        assert_int_equal(noisy_gemm_verify(&proof, &check, ticket, &err), STATUS_OK);
        spoils[i].spoil(&proof);
        assert_int_equal(noisy_gemm_verify(&proof, &check, ticket, &err),
                         STATUS_BAD_PROOF);
        if (!strstr(err.text, spoils[i].reason))
            fail_msg("expected \"%s\", got \"%s\"", spoils[i].reason, err.text);
        proof_free(&proof);
    }
    pow_case_close(&c);
}

/* Refused by the decoder or by the verifier, though every ticket would win. */
static void assert_refused(struct bytes bytes, const struct pow_check *check,
                           size_t where)
{
    struct proof proof;
    struct error err = {0};
    uint8_t ticket[32];

    if (plain_proof_decode(bytes, &proof, &err) == STATUS_OK) {
        if (noisy_gemm_verify(&proof, check, ticket, &err) == STATUS_OK)
            fail_msg("accepted with a change at %zu", where);
        proof_free(&proof);
    }
    assert_true(err.text[0]);
}

static void one_flipped_bit_is_refused(void **state)
{
    (void)state;
    for (unsigned i = 5; i < POW_CASES; i++) {
        struct pow_case c;
        pow_case_open(i, &c);
        const struct pow_check check = pow_case_generous(&c);
        for (size_t bit = 0; bit < 8 * c.proof.size; bit += bit < 8 * 40 ? 1 : 397) {
            c.proof.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
            assert_refused(blob_bytes(&c.proof), &check, bit);
            c.proof.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
        for (size_t back = 1; back < 600; back++) { /* B's root, siblings, columns, tag */
            c.proof.data[c.proof.size - back] ^= 2;
            assert_refused(blob_bytes(&c.proof), &check, c.proof.size - back);
            c.proof.data[c.proof.size - back] ^= 2;
        }
        pow_case_close(&c);
    }
}

/* Operands of k 2112 (64 columns beyond the folds), m 50: the last chunk is padded. */
struct small {
    uint8_t header[JOB_HEADER_SIZE];
    struct pattern rows, columns;
    int8_t *a, *b;
    struct pow_check check;
};

static void small_open(struct small *s)
{
    const uint32_t k = 2112;
    const size_t a_size = merkle_chunks(50, k) * CHUNK_SIZE;
    const size_t b_size = merkle_chunks(32, k) * CHUNK_SIZE;

    *s = (struct small){.rows = pattern_range(2), .columns = pattern_range(16)};
    memset(s->header, 7, sizeof s->header);
    s->a = memory_array(a_size, 1);
    s->b = memory_array(b_size, 1);
    assert_true(s->a && s->b);
    for (size_t i = 0; i < 50 * k; i++)
        s->a[i] = pow_case_element(1, i);
    for (size_t i = 0; i < 32 * k; i++)
        s->b[i] = pow_case_element(2, i);
    s->check = (struct pow_check){.cert_version = 3, .min_rank = 32};
    memcpy(s->check.header, s->header, sizeof s->header);
    s->check.target = pow_case_generous_target(pow_work_factor(2, 16, k, 128));
}

static enum status small_verify(const struct small *s, struct error *err)
{
    const struct pow_forgery from = {.header = s->header,
                                     .a = s->a,
                                     .b = s->b,
                                     .m = 50,
                                     .n = 32,
                                     .k = 2112,
                                     .rank = 128,
                                     .rows = &s->rows,
                                     .columns = &s->columns,
                                     .row = 48,
                                     .column = 16};
    struct proof proof;
    uint8_t ticket[32];
    enum status status;

    pow_forge(&from, &proof);
    status = noisy_gemm_verify(&proof, &s->check, ticket, err);
    proof_free(&proof);
    return status;
}

static void values_and_padding_of_an_honest_tree(void **state)
{
    struct small s;
    struct error err = {0};

    (void)state;
    small_open(&s);
    assert_int_equal(small_verify(&s, &err), STATUS_OK);

    s.a[49 * 2112 + 2047] = 65;
    assert_int_equal(small_verify(&s, &err), STATUS_BAD_PROOF);
    assert_string_equal(err.text, "A: value 2047 of row 49 is 65, expected -64 to 64");
    s.a[49 * 2112 + 2047] = -64;
    s.b[20 * 2112] = -65;
    assert_int_equal(small_verify(&s, &err), STATUS_BAD_PROOF);
    assert_string_equal(err.text, "B: value 0 of row 20 is -65, expected -64 to 64");
    s.b[20 * 2112] = 64;
    s.b[20 * 2112 + 2048] = -128; /* never enters a ticket */
    assert_int_equal(small_verify(&s, &err), STATUS_OK);

    s.a[50 * 2112] = 1; /* the first byte behind the end */
    assert_int_equal(small_verify(&s, &err), STATUS_BAD_PROOF);
    assert_non_null(strstr(err.text, "A: the padding holds 1"));
    memory_free(s.a);
    memory_free(s.b);
}

static void hostile_lengths_are_refused_unallocated(void **state)
{
    static const uint64_t lengths[] = {0,
                                       1,
                                       7,
                                       1 << 20,
                                       (uint64_t)1 << 32,
                                       (uint64_t)1 << 55,
                                       (uint64_t)1 << 61,
                                       UINT64_MAX / 1032 + 1,
                                       UINT64_MAX};
    struct pow_case c;

    (void)state;
    pow_case_open(5, &c);
    const struct pow_check check = pow_case_generous(&c);
    for (size_t at = 32; at + 8 <= c.proof.size; at += 8) {
        uint8_t saved[8];
        if (at > 64 && at < c.proof.size - 400 && at % 1032 > 40)
            continue; /* inside chunks */
        memcpy(saved, c.proof.data + at, 8);
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            if (u64_load(saved) == lengths[i])
                continue;
            u64_store(c.proof.data + at, lengths[i]);
            assert_refused(blob_bytes(&c.proof), &check, at);
        }
        memcpy(c.proof.data + at, saved, 8);
    }
    pow_case_close(&c);
}

static void truncated_and_trailing(void **state)
{
    struct pow_case c;
    struct proof proof;
    struct error err = {0};
    struct blob long_proof;

    (void)state;
    pow_case_open(5, &c);
    for (size_t size = 0; size + 1 < c.proof.size; size += size < 64 ? 1 : 37)
        assert_int_equal(plain_proof_decode(bytes_of(c.proof.data, size), &proof, &err),
                         STATUS_BAD_PROOF);
    c.proof.data[c.proof.size - 1] = 1;
    assert_int_equal(plain_proof_decode(blob_bytes(&c.proof), &proof, &err),
                     STATUS_BAD_PROOF);
    assert_non_null(strstr(err.text, "mixture of experts"));
    c.proof.data[c.proof.size - 1] = 2;
    assert_int_equal(plain_proof_decode(blob_bytes(&c.proof), &proof, &err),
                     STATUS_BAD_PROOF);
    assert_non_null(strstr(err.text, "tag is 2"));
    c.proof.data[c.proof.size - 1] = 0;
    assert_int_equal(blob_add(&c.proof, "x", 1), STATUS_OK);
    assert_int_equal(plain_proof_decode(blob_bytes(&c.proof), &proof, &err),
                     STATUS_BAD_PROOF);
    assert_non_null(strstr(err.text, "1 bytes follow"));
    pow_case_close(&c);

    long_proof = blob_empty(PLAIN_PROOF_SIZE_MAX + 1);
    assert_int_equal(blob_reserve(&long_proof, PLAIN_PROOF_SIZE_MAX + 1), STATUS_OK);
    assert_int_equal(
        plain_proof_decode(bytes_of(long_proof.data, PLAIN_PROOF_SIZE_MAX + 1), &proof,
                           &err),
        STATUS_BAD_PROOF);
    assert_non_null(strstr(err.text, "expected at most 8388608"));
    blob_free(&long_proof);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_wrong_field_has_its_reason),
        cmocka_unit_test(one_flipped_bit_is_refused),
        cmocka_unit_test(values_and_padding_of_an_honest_tree),
        cmocka_unit_test(hostile_lengths_are_refused_unallocated),
        cmocka_unit_test(truncated_and_trailing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
