/*
 * pow_case.c - the worked cases of the proof of work (tests/vectors/pow), read for tests.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/pow_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "kernels/blake3_host.h"
#include "miner/base/memory.h"
#include "miner/pow/commitment.h"
#include "miner/pow/merkle.h"
#include "miner/work/plain_proof.h"

static const char *const case_names[POW_CASES] = {
    "k-not-multiple-of-rank",
    "legacy-seeds",
    "mma-fragment",
    "pool-default",
    "rank-256",
    "rank-64",
    "smallest-k",
};

static void case_hex(const json_t *json, const char *name, void *out, size_t size)
{
    const char *text = json_string_value(json_object_get(json, name));

    if (!text || !hex_decode(text, out, size))
        fail_msg("%s is not %zu bytes of hex", name, size);
}

static uint32_t case_number(const json_t *json, const char *name)
{
    const json_t *value = json_object_get(json, name);

    assert_true(json_is_integer(value));
    return (uint32_t)json_integer_value(value);
}

static void case_pattern(const json_t *json, const char *name, struct pattern *out)
{
    const json_t *list = json_object_get(json, name);
    uint32_t offsets[PATTERN_COUNT_MAX];
    const size_t count = json_array_size(list);

    assert_in_range(count, 1, PATTERN_COUNT_MAX);
    for (size_t i = 0; i < count; i++)
        offsets[i] = (uint32_t)json_integer_value(json_array_get(list, i));
    assert_true(pattern_from_offsets(offsets, (uint32_t)count, out));
}

int8_t pow_case_element(uint64_t seed, uint64_t i)
{
    uint64_t z = seed + (i + 1) * 0x9E3779B97F4A7C15U;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
    z = (z ^ z >> 27) * 0x94D049BB133111EBU;
    z = z ^ z >> 31;
    return (int8_t)((int)(z % 129) - 64);
}

static int8_t *case_matrix(uint64_t seed, uint64_t elements)
{
    int8_t *matrix = memory_array(merkle_chunks(elements, 1), CHUNK_SIZE);

    assert_non_null(matrix);
    for (uint64_t i = 0; i < elements; i++)
        matrix[i] = pow_case_element(seed, i);
    return matrix;
}

static void case_read(const json_t *json, struct pow_case *out)
{
    const json_t *tile = json_object_get(json, "best_tile");
    const char *proof = json_string_value(json_object_get(json, "proof_base64"));

    case_hex(json, "header", out->header, sizeof out->header);
    case_hex(json, "config", out->config, sizeof out->config);
    case_hex(json, "job_key", out->job_key, 32);
    case_hex(json, "hash_a", out->hash_a, 32);
    case_hex(json, "hash_b", out->hash_b, 32);
    case_hex(json, "seed_a", out->seed_a, 32);
    case_hex(json, "seed_b", out->seed_b, 32);
    case_hex(json, "blake3_of_noised_a", out->noised_a_hash, 32);
    case_hex(json, "blake3_of_noised_bt", out->noised_b_hash, 32);
    case_hex(json, "blake3_of_clean_product_i32le", out->product_hash, 32);
    case_hex(json, "proof_blake3", out->proof_hash, 32);
    case_hex(json, "best_jackpot_le_hex", out->best_ticket, 32);
    out->cert_version = case_number(json, "cert_version");
    out->m = case_number(json, "m");
    out->n = case_number(json, "n");
    out->k = case_number(json, "k");
    out->rank = case_number(json, "rank");
    case_pattern(json, "rows_pattern", &out->rows);
    case_pattern(json, "cols_pattern", &out->columns);
    out->best_row = (uint32_t)json_integer_value(json_array_get(tile, 0));
    out->best_column = (uint32_t)json_integer_value(json_array_get(tile, 1));
    out->proof = blob_empty(PLAIN_PROOF_SIZE_MAX);
    assert_non_null(proof);
    assert_int_equal(base64_decode(proof, strlen(proof), &out->proof), STATUS_OK);
}

void pow_case_open(unsigned index, struct pow_case *out)
{
    char path[512];
    json_error_t error;
    json_t *json;
    uint64_t seed;

    assert_in_range(index, 0, POW_CASES - 1);
    *out = (struct pow_case){.name = case_names[index]};
    snprintf(path, sizeof path, TEST_DATA "/pow/%s.json", case_names[index]);
    json = json_load_file(path, 0, &error);
    if (!json)
        fail_msg("%s: %s", path, error.text);
    case_read(json, out);
    seed = (uint64_t)json_integer_value(json_object_get(json, "matrix_seed"));
    out->a = case_matrix(seed, (uint64_t)out->m * out->k);
    out->b = case_matrix(seed + 1, (uint64_t)out->n * out->k);
    json_decref(json);
}

void pow_case_close(struct pow_case *c)
{
    blob_free(&c->proof);
    memory_free(c->a);
    memory_free(c->b);
    *c = (struct pow_case){0};
}

/* One more than value / factor where that leaves a rest; factor stays below 2^56. */
static struct target divide_up(const uint8_t value[32], uint64_t factor)
{
    struct target out = {{0}};
    uint64_t rest = 0;

    for (int i = 31; i >= 0; i--) {
        rest = rest << 8 | value[i];
        out.le[i] = (uint8_t)(rest / factor);
        rest %= factor;
    }
    for (int i = 0; rest && i < 32; i++) {
        if (++out.le[i])
            break;
    }
    return out;
}

struct target pow_case_target(const struct pow_case *c)
{
    return divide_up(c->best_ticket,
                     pow_work_factor(c->rows.count, c->columns.count, c->k, c->rank));
}

/* Times the factor it just fits: the bound misses 2^256 by less than one part in it. */
struct target pow_case_generous_target(uint64_t factor)
{
    return target_from_work(factor + 1);
}

struct pow_check pow_case_check(const struct pow_case *c)
{
    struct pow_check check = {.cert_version = c->cert_version,
                              .min_rank = c->rank,
                              .target = pow_case_target(c)};

    memcpy(check.header, c->header, sizeof check.header);
    return check;
}

struct pow_check pow_case_generous(const struct pow_case *c)
{
    struct pow_check check = pow_case_check(c);

    check.target = pow_case_generous_target(
        pow_work_factor(c->rows.count, c->columns.count, c->k, c->rank));
    return check;
}

/* All layers of an operand's tree. */
static uint8_t (*tree_of(const int8_t *operand, uint64_t chunks,
                         const uint8_t key[32]))[32]
{
    uint8_t(*values)[32] = memory_array(merkle_values(chunks), 32);
    uint64_t first = 0;

    assert_non_null(values);
    for (uint64_t i = 0; i < chunks; i++)
        blake3_chunk_value((const uint8_t *)operand + i * CHUNK_SIZE, i, key, chunks == 1,
                           values[i]);
    for (uint64_t width = chunks; width > 1; width = (width + 1) / 2) {
        for (uint64_t i = 0; i < width; i += 2) {
            uint8_t *parent = values[first + width + i / 2];
            if (i + 1 < width)
                blake3_parent_value(values[first + i], values[first + i + 1], key,
                                    width == 2, parent);
            else
                memcpy(parent, values[first + i], 32);
        }
        first += width;
    }
    return values;
}

static void forge_opening(const int8_t *operand, uint64_t total, uint32_t k,
                          const uint8_t key[32], struct opening *out)
{
    uint8_t(*values)[32] = tree_of(operand, total, key);
    uint64_t rows[PATTERN_COUNT_MAX];
    const uint64_t row_count = out->row_count;
    struct merkle_plan plan;

    memcpy(rows, out->rows, row_count * sizeof *rows);
    opening_free(out);
    assert_int_equal(merkle_plan_new(rows, row_count, k, total, &plan), STATUS_OK);
    *out = (struct opening){.chunk_count = plan.chunk_count,
                            .chunk_total = total,
                            .sibling_count = plan.sibling_count,
                            .row_count = row_count};
    assert_int_equal(opening_reserve(out), STATUS_OK);
    for (uint64_t i = 0; i < plan.chunk_count; i++) {
        memcpy(out->chunks + i * CHUNK_SIZE, operand + plan.chunks[i] * CHUNK_SIZE,
               CHUNK_SIZE);
        out->chunk_indices[i] = plan.chunks[i];
    }
    for (uint64_t i = 0; i < plan.sibling_count; i++)
        memcpy(out->siblings + i * 32, values[plan.siblings[i]], 32);
    memcpy(out->root, values[merkle_values(total) - 1], 32);
    memcpy(out->rows, rows, row_count * sizeof *rows);
    merkle_plan_free(&plan);
    memory_free(values);
}

static void forge_rows(const struct pattern *pattern, uint32_t start, struct opening *out)
{
    *out = (struct opening){.row_count = pattern->count};
    assert_int_equal(opening_reserve(out), STATUS_OK);
    for (uint32_t i = 0; i < pattern->count; i++)
        out->rows[i] = start + pattern->offsets[i];
}

void pow_forge(const struct pow_forgery *from, struct proof *out)
{
    const struct configuration configuration = {
        .k = from->k, .rank = from->rank, .rows = *from->rows, .columns = *from->columns};
    uint8_t key[32];

    *out = (struct proof){.m = from->m, .n = from->n, .k = from->k, .rank = from->rank};
    commitment_job_key(from->header, &configuration, key);
    forge_rows(from->rows, from->row, &out->a);
    forge_rows(from->columns, from->column, &out->b);
    forge_opening(from->a, merkle_chunks(from->m, from->k), from->k, key, &out->a);
    forge_opening(from->b, merkle_chunks(from->n, from->k), from->k, key, &out->b);
}
