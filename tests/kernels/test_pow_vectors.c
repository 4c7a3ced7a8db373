/*
 * test_pow_vectors.c - claim: commitments, seeds, noise, tickets and the clean product of
 * every worked case of tests/vectors/pow come out of the kernels bit for bit, for 1, 2, 3
 * and 8 threads.
 *
 *
 * SPDX-License-Identifier: MIT
 */
#include "kernels/blake3_host.h"
#include "kernels/pattern.h"
#include "tests/kernels/vector_cases.h"

enum { HEADER_SIZE = 76, CONFIG_SIZE = 52, SIDE_A = 0, SIDE_B = 1 };

static const char *const files[] = {"k-not-multiple-of-rank",
                                    "legacy-seeds",
                                    "mma-fragment",
                                    "pool-default",
                                    "rank-256",
                                    "rank-64",
                                    "smallest-k"};

static uint32_t threads; /* of the running pass */

struct side { /* one operand: A, or B transposed */
    uint32_t label, rows;
    int8_t *clean, *noised, *dense;
    uint16_t *pairs;
    uint8_t root[BLAKE3_SIZE], seed[BLAKE3_SIZE];
    struct pattern pattern;
};

struct work {
    const json_t *json;
    uint32_t k, rank;
    struct side a, b;
    uint8_t job_key[BLAKE3_SIZE];
};

static uint64_t number(const struct work *work, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(work->json, name));
}

static const char *text(const struct work *work, const char *name)
{
    return json_string_value(json_object_get(work->json, name));
}

static bool equal(const struct work *work, const char *name, const uint8_t *bytes)
{
    return hex_equal(name, bytes, text(work, name));
}

static void put_u32(uint8_t *out, uint32_t x)
{
    for (uint32_t i = 0; i < 4; i++)
        out[i] = (uint8_t)(x >> 8 * i);
}

/* ---- commitment ---- */

static bool side_begin(const struct work *work, struct side *side, const char *rows,
                       const char *pattern)
{
    const json_t *list = json_object_get(work->json, pattern);
    uint32_t offsets[PATTERN_COUNT_MAX];
    const size_t count = json_array_size(list);
    const uint64_t seed = number(work, "matrix_seed") + side->label;

    for (size_t i = 0; i < count; i++)
        offsets[i] = (uint32_t)json_integer_value(json_array_get(list, i));
    side->rows = (uint32_t)number(work, rows);
    side->clean = room(side->rows, work->k);
    kernel_split(KERNEL_test_matrix, (uint64_t)side->rows * work->k, threads,
                 VIEWS(side->clean), SCALARS({.u64 = seed}));
    return pattern_from_offsets(offsets, (uint32_t)count, &side->pattern);
}

static bool find_job_key(struct work *work)
{
    size_t size;
    const uint8_t *header = hex_read(text(work, "header"), &size);
    uint8_t bytes[HEADER_SIZE + CONFIG_SIZE] = {0}, *config = bytes + HEADER_SIZE;

    if (size != HEADER_SIZE)
        return false;
    memcpy(bytes, header, HEADER_SIZE);
    put_u32(config, work->k);
    put_u32(config + 4, work->rank);
    pattern_encode(&work->a.pattern, config + 8);
    pattern_encode(&work->b.pattern, config + 14);
    blake3_hash(bytes, sizeof bytes, NULL, work->job_key);
    return equal(work, "config", config) && equal(work, "job_key", work->job_key);
}

/* The keyed tree's root, level by level; the one-shot hash must agree. */
static bool find_root(const struct work *work, struct side *side)
{
    const uint64_t size = (uint64_t)side->rows * work->k;
    uint64_t count = (size + BLAKE3_CHUNK - 1) / BLAKE3_CHUNK;
    uint8_t *level = room(count, BLAKE3_SIZE), *above = room(count, BLAKE3_SIZE), *swap;
    uint8_t *whole = room(count, BLAKE3_CHUNK), hash[BLAKE3_SIZE];
    void *key = (void *)(uintptr_t)work->job_key;

    kernel_split(KERNEL_blake3_chunks, count, threads, VIEWS(side->clean, key, level),
                 SCALARS({.u64 = size}, {.u32 = count == 1}));
    for (; count > 1; count = (count + 1) / 2) {
        kernel_split(KERNEL_blake3_parents, (count + 1) / 2, threads,
                     VIEWS(level, key, above),
                     SCALARS({.u64 = count}, {.u32 = count == 2}));
        swap = level;
        level = above;
        above = swap;
    }
    memcpy(side->root, level, BLAKE3_SIZE);
    memcpy(whole, side->clean, size);
    blake3_hash(whole, (size + BLAKE3_CHUNK - 1) / BLAKE3_CHUNK * BLAKE3_CHUNK,
                work->job_key, hash);
    return memcmp(hash, side->root, BLAKE3_SIZE) == 0;
}

static void salted(const struct side *side, const char *text_of_salt,
                   uint8_t out[BLAKE3_SIZE])
{
    uint8_t salt[BLAKE3_SIZE], message[64] = {0};

    blake3_hash(text_of_salt, strlen(text_of_salt), NULL, salt);
    memcpy(message, side->root, BLAKE3_SIZE);
    put_u32(message + BLAKE3_SIZE, side->rows);
    blake3_hash(message, sizeof message, salt, out);
}

static bool find_seeds(struct work *work)
{
    uint8_t hash_a[BLAKE3_SIZE], hash_b[BLAKE3_SIZE], message[64];

    memcpy(hash_a, work->a.root, BLAKE3_SIZE);
    memcpy(hash_b, work->b.root, BLAKE3_SIZE);
    if (number(work, "cert_version") >= 3) {
        salted(&work->a, "pearl/cert-v3/noise-seed/A", hash_a);
        salted(&work->b, "pearl/cert-v3/noise-seed/B", hash_b);
    }
    memcpy(message, work->job_key, 32);
    memcpy(message + 32, hash_b, 32);
    blake3_hash(message, sizeof message, NULL, work->b.seed);
    memcpy(message, work->b.seed, 32);
    memcpy(message + 32, hash_a, 32);
    blake3_hash(message, sizeof message, NULL, work->a.seed);
    return equal(work, "seed_a", work->a.seed) && equal(work, "seed_b", work->b.seed);
}

/* ---- noise ---- */

static bool first_equal(const struct work *work, const char *name, const int8_t *values)
{
    const json_t *list = json_object_get(work->json, name);

    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_integer_value(json_array_get(list, i)) != values[i])
            return false;
    return json_array_size(list) > 0;
}

/* A single row's dense factor, as a prover makes it, is the whole one's row. */
static bool dense_row_equal(const struct work *work, const struct side *side,
                            uint32_t row)
{
    const uint64_t units = work->rank / 32, first = row * units;
    int8_t *one = room(work->rank, 1);
    void *const views[] = {(void *)(uintptr_t)side->seed, one};

    kernel_table[KERNEL_noise_dense].run(first, first + units, views,
                                         SCALARS({.u32 = side->label}, {.u64 = first}));
    return memcmp(one, side->dense + (size_t)row * work->rank, work->rank) == 0;
}

static bool make_noise(const struct work *work, struct side *side)
{
    const bool is_a = side->label == SIDE_A;
    const size_t size = (size_t)side->rows * work->k;
    uint8_t hash[BLAKE3_SIZE];

    side->dense = room(side->rows, work->rank);
    side->pairs = room(work->k, 2 * sizeof *side->pairs);
    side->noised = room(side->rows, work->k);
    kernel_split(KERNEL_noise_dense, (uint64_t)side->rows * work->rank / 32, threads,
                 VIEWS(side->seed, side->dense),
                 SCALARS({.u32 = side->label}, {.u64 = 0}));
    kernel_split(KERNEL_noise_pairs, (work->k + 7) / 8, threads,
                 VIEWS(side->seed, side->pairs),
                 SCALARS({.u32 = side->label}, {.u32 = work->rank}, {.u32 = work->k}));
    kernel_split(KERNEL_noise_add, side->rows, threads,
                 VIEWS(side->clean, side->dense, side->pairs, side->noised),
                 SCALARS({.u32 = work->k}, {.u32 = work->rank}));
    blake3_hash(side->noised, size, NULL, hash);
    return dense_row_equal(work, side, side->rows - 1) &&
           first_equal(work, is_a ? "first_noised_a" : "first_noised_bt", side->noised) &&
           equal(work, is_a ? "blake3_of_noised_a" : "blake3_of_noised_bt", hash);
}

/* ---- tickets ---- */

/* Every tile side's absolute indices: [starts][count]. */
static uint32_t *tile_sides(const struct side *side, uint64_t starts)
{
    uint32_t *out = room(starts, side->pattern.count * sizeof *out);

    for (uint64_t i = 0; i < starts; i++)
        for (uint32_t j = 0; j < side->pattern.count; j++)
            out[i * side->pattern.count + j] =
                (uint32_t)pattern_start(&side->pattern, i) + side->pattern.offsets[j];
    return out;
}

static bool is_below(const uint8_t *a, const uint8_t *b)
{
    for (size_t i = BLAKE3_SIZE; i-- > 0;)
        if (a[i] != b[i])
            return a[i] < b[i];
    return false;
}

struct tickets {
    uint64_t row_tiles, column_tiles;
    uint32_t *rows, *columns;
    uint8_t *digests;
};

static bool some_equal(const struct work *work, const struct tickets *tickets)
{
    const json_t *some = json_object_get(work->json, "some_jackpots_le_hex"), *value;
    const uint32_t h = work->a.pattern.count, w = work->b.pattern.count;
    size_t seen = 0;

    for (uint64_t tile = 0; tile < tickets->row_tiles * tickets->column_tiles; tile++) {
        char key[32];

        snprintf(key, sizeof key, "%u,%u",
                 tickets->rows[tile / tickets->column_tiles * h],
                 tickets->columns[tile % tickets->column_tiles * w]);
        value = json_object_get(some, key);
        if (!value)
            continue;
        seen++;
        if (!hex_equal(key, tickets->digests + 32 * tile, json_string_value(value)))
            return false;
    }
    return seen > 0 && seen == json_object_size(some);
}

static bool best_equal(const struct work *work, const struct tickets *tickets)
{
    const json_t *want = json_object_get(work->json, "best_tile");
    const uint32_t h = work->a.pattern.count, w = work->b.pattern.count;
    uint64_t best = 0;

    for (uint64_t tile = 1; tile < tickets->row_tiles * tickets->column_tiles; tile++)
        if (is_below(tickets->digests + 32 * tile, tickets->digests + 32 * best))
            best = tile;
    return tickets->rows[best / tickets->column_tiles * h] ==
               json_integer_value(json_array_get(want, 0)) &&
           tickets->columns[best % tickets->column_tiles * w] ==
               json_integer_value(json_array_get(want, 1)) &&
           equal(work, "best_jackpot_le_hex", tickets->digests + 32 * best);
}

static bool check_tickets(const struct work *work)
{
    const uint32_t h = work->a.pattern.count, w = work->b.pattern.count;
    struct tickets tickets = {.row_tiles = pattern_starts(&work->a.pattern, work->a.rows),
                              .column_tiles =
                                  pattern_starts(&work->b.pattern, work->b.rows)};
    const uint64_t tiles = tickets.row_tiles * tickets.column_tiles;
    uint32_t *words = room(tiles, 16 * sizeof *words);

    tickets.rows = tile_sides(&work->a, tickets.row_tiles);
    tickets.columns = tile_sides(&work->b, tickets.column_tiles);
    tickets.digests = room(tiles, BLAKE3_SIZE);
    kernel_split(
        KERNEL_ticket_fold, tiles, threads,
        VIEWS(work->a.noised, work->b.noised, tickets.rows, tickets.columns, words),
        SCALARS({.u32 = h}, {.u32 = w}, {.u32 = work->k}, {.u32 = work->rank},
                {.u32 = (uint32_t)tickets.column_tiles}));
    kernel_split(KERNEL_ticket_hash, tiles, threads,
                 VIEWS(words, (void *)(uintptr_t)work->a.seed, tickets.digests), NULL);
    return tiles == number(work, "tiles") && some_equal(work, &tickets) &&
           best_equal(work, &tickets);
}

/* ---- the product ---- */

/* The noised product less the noise is the product of the clean operands. */
static bool check_product(const struct work *work)
{
    const uint32_t m = work->a.rows, n = work->b.rows, k = work->k, rank = work->rank;
    int32_t *c = room(m, 4 * n), *clean = room(m, 4 * n);
    int32_t *x = room(m, 4 * rank), *y = room(n, 4 * rank);
    uint8_t hash[BLAKE3_SIZE];

    kernel_split(KERNEL_matmul_i8, m, threads, VIEWS(work->a.noised, work->b.noised, c),
                 SCALARS({.u32 = n}, {.u32 = k}));
    kernel_split(KERNEL_lowrank_x, m, threads, VIEWS(work->a.clean, work->b.pairs, x),
                 SCALARS({.u32 = k}, {.u32 = rank}));
    kernel_split(KERNEL_lowrank_y, n, threads, VIEWS(work->b.noised, work->a.pairs, y),
                 SCALARS({.u32 = k}, {.u32 = rank}));
    kernel_split(KERNEL_denoise, m, threads, VIEWS(work->a.dense, work->b.dense, x, y, c),
                 SCALARS({.u32 = n}, {.u32 = rank}));
    kernel_split(KERNEL_matmul_i8, m, threads, VIEWS(work->a.clean, work->b.clean, clean),
                 SCALARS({.u32 = n}, {.u32 = k}));
    blake3_hash(c, (size_t)4 * m * n, NULL, hash);
    return memcmp(c, clean, (size_t)4 * m * n) == 0 &&
           equal(work, "blake3_of_clean_product_i32le", hash);
}

static bool run_work(struct work *work)
{
    work->k = (uint32_t)number(work, "k");
    work->rank = (uint32_t)number(work, "rank");
    return side_begin(work, &work->a, "m", "rows_pattern") &&
           side_begin(work, &work->b, "n", "cols_pattern") && find_job_key(work) &&
           find_root(work, &work->a) && find_root(work, &work->b) &&
           equal(work, "hash_a", work->a.root) && equal(work, "hash_b", work->b.root) &&
           find_seeds(work) && make_noise(work, &work->a) && make_noise(work, &work->b) &&
           check_tickets(work) && check_product(work);
}

static bool run_file(const char *name)
{
    char path[64];
    struct work work = {.a.label = SIDE_A, .b.label = SIDE_B};
    json_t *root;
    bool ok;

    snprintf(path, sizeof path, "pow/%s.json", name);
    root = cases_read(path);
    work.json = root;
    ok = run_work(&work);
    if (!ok)
        printf("FAILED %s, %u threads\n", path, threads);
    json_decref(root);
    room_clear();
    return ok;
}

int main(void)
{
    size_t count = 0, failed = 0;

    for (size_t i = 0; i < THREAD_COUNTS; i++) {
        threads = thread_counts[i];
        for (size_t file = 0; file < sizeof files / sizeof files[0]; file++, count++)
            failed += !run_file(files[file]);
    }
    printf("%zu cases, %zu failed\n", count, failed);
    return failed != 0;
}
