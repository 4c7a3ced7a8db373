/*
 * selftest_pow.c - a worked case of the proof of work on a device: roots, noise, tickets,
 * products.
 *
 * The plain composition of kernels is checked against the case, then the device's own
 * mining product, which may fuse all of it, against the composition.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "kernels/blake3_host.h"
#include "miner/selftest_cases.h"
#include "miner/work/target.h"

enum {
    SIDE_MAX = 1 << 20, /* rows or columns of a case */
    TILES_MAX = 1 << 20
};
#define ELEMENTS_MAX ((uint64_t)256 << 20)

struct side { /* one operand: A, or B transposed */
    uint32_t label, rows;
    struct view clean, noised, dense, pairs, seed;
    uint8_t seed_bytes[32];
    struct pattern pattern;
};

struct work {
    struct trial *t;
    uint32_t k, rank;
    struct side a, b;
    uint64_t row_tiles, column_tiles;
    uint8_t *tickets; /* [tiles][32], as the composition makes them */
};

static uint64_t tiles_all(const struct work *w)
{
    return w->row_tiles * w->column_tiles;
}

static size_t elements(const struct work *w, const struct side *side)
{
    return (size_t)side->rows * w->k;
}

/* --- what the case says --- */

static void pattern_read(struct trial *t, const char *name, struct pattern *out)
{
    const struct vector_member *list = vector_case_find(t->given, name, VECTOR_LIST);
    const uint64_t count = list ? list->data.size / sizeof(uint64_t) : 0;
    uint32_t offsets[PATTERN_COUNT_MAX];

    *out = pattern_range(1);
    for (uint64_t i = 0; i < count && i < PATTERN_COUNT_MAX; i++) {
        const uint64_t offset = u64_load(list->data.data + 8 * i);
        offsets[i] = offset < SIDE_MAX ? (uint32_t)offset : SIDE_MAX;
    }
    if (!count || count > PATTERN_COUNT_MAX ||
        !pattern_from_offsets(offsets, (uint32_t)count, out))
        trial_fail(t, STATUS_BAD_DATA, "\"%s\" is no pattern", name);
}

static void side_read(struct work *w, struct side *side, const char *rows,
                      const char *pattern, const char *seed)
{
    const uint64_t matrix = trial_number(w->t, "matrix_seed", UINT64_MAX);

    side->rows = (uint32_t)trial_number(w->t, rows, SIDE_MAX);
    pattern_read(w->t, pattern, &side->pattern);
    trial_hex(w->t, seed, side->seed_bytes, sizeof(side->seed_bytes));
    if (!side->rows || (uint64_t)side->rows * w->k > ELEMENTS_MAX)
        trial_fail(w->t, STATUS_BAD_DATA, "%u rows of %u do not fit a test", side->rows,
                   w->k);
    side->seed = trial_put(w->t, side->seed_bytes, sizeof(side->seed_bytes));
    side->clean = trial_room(w->t, elements(w, side));
    trial_launch(w->t, KERNEL_test_matrix, elements(w, side), VIEWS(side->clean),
                 SCALARS({.u64 = matrix + side->label}));
}

static void case_read(struct work *w)
{
    w->k = (uint32_t)trial_number(w->t, "k", 65536);
    w->rank = (uint32_t)trial_number(w->t, "rank", 1024);
    if (w->k < 64 || w->k % 64 || w->rank < 32 || (w->rank & (w->rank - 1)) ||
        w->rank > w->k)
        trial_fail(w->t, STATUS_BAD_DATA, "k = %u with rank %u is not possible", w->k,
                   w->rank);
    side_read(w, &w->a, "m", "rows_pattern", "seed_a");
    side_read(w, &w->b, "n", "cols_pattern", "seed_b");
    w->row_tiles = pattern_starts(&w->a.pattern, w->a.rows);
    w->column_tiles = pattern_starts(&w->b.pattern, w->b.rows);
    if (!w->row_tiles || !w->column_tiles || tiles_all(w) > TILES_MAX)
        trial_fail(w->t, STATUS_BAD_DATA, "%llu x %llu tiles do not fit a test",
                   (unsigned long long)w->row_tiles, (unsigned long long)w->column_tiles);
    if (w->a.pattern.count * w->b.pattern.count > 256)
        trial_fail(w->t, STATUS_BAD_DATA, "a tile of more than 256 elements");
}

static void expect_hex(struct trial *t, const char *name, const uint8_t *got)
{
    uint8_t want[32];

    trial_hex(t, name, want, sizeof(want));
    trial_expect_host(t, name, got, want, sizeof(want));
}

/* The plain hash of what lies on the device is the case's. */
static void expect_hash(struct trial *t, const char *name, struct view from, size_t size)
{
    uint8_t *bytes = trial_block(t, size), got[BLAKE3_SIZE];

    trial_get(t, from, bytes, size);
    if (t->status)
        return;
    blake3_hash(bytes, size, NULL, got);
    expect_hex(t, name, got);
}

/* --- the plain composition --- */

static void check_root(struct work *w, const struct side *side, const char *name)
{
    uint64_t count = (elements(w, side) + BLAKE3_CHUNK - 1) / BLAKE3_CHUNK;
    struct view level = trial_room(w->t, count * BLAKE3_SIZE),
                above = trial_room(w->t, count * BLAKE3_SIZE);
    uint8_t key[BLAKE3_SIZE], root[BLAKE3_SIZE];

    trial_hex(w->t, "job_key", key, sizeof(key));
    const struct view key_view = trial_put(w->t, key, sizeof(key));
    trial_launch(w->t, KERNEL_blake3_chunks, count, VIEWS(side->clean, key_view, level),
                 SCALARS({.u64 = elements(w, side)}, {.u32 = count == 1}));
    for (; count > 1; count = (count + 1) / 2) {
        trial_launch(w->t, KERNEL_blake3_parents, (count + 1) / 2,
                     VIEWS(level, key_view, above),
                     SCALARS({.u64 = count}, {.u32 = count == 2}));
        const struct view swap = level;
        level = above;
        above = swap;
    }
    trial_get(w->t, level, root, sizeof(root));
    expect_hex(w->t, name, root);
}

static void make_noise(struct work *w, struct side *side, const char *name)
{
    const union scalar *of_noise = SCALARS({.u32 = w->k}, {.u32 = w->rank});

    side->dense = trial_room(w->t, (size_t)side->rows * w->rank);
    side->pairs = trial_room(w->t, (size_t)4 * w->k);
    side->noised = trial_room(w->t, elements(w, side));
    trial_launch(w->t, KERNEL_noise_dense, (uint64_t)side->rows * w->rank / 32,
                 VIEWS(side->seed, side->dense),
                 SCALARS({.u32 = side->label}, {.u64 = 0}));
    trial_launch(w->t, KERNEL_noise_pairs, w->k / 8, VIEWS(side->seed, side->pairs),
                 SCALARS({.u32 = side->label}, {.u32 = w->rank}, {.u32 = w->k}));
    trial_launch(w->t, KERNEL_noise_add, side->rows,
                 VIEWS(side->clean, side->dense, side->pairs, side->noised), of_noise);
    expect_hash(w->t, name, side->noised, elements(w, side));
}

static struct view tile_sides(struct work *w, const struct side *side, uint64_t starts)
{
    const uint32_t count = side->pattern.count;
    uint32_t *out = trial_block(w->t, starts * count * sizeof(uint32_t));

    for (uint64_t i = 0; !w->t->status && i < starts * count; i++)
        out[i] = (uint32_t)pattern_start(&side->pattern, i / count) +
                 side->pattern.offsets[i % count];
    return trial_put(w->t, out, starts * count * sizeof(uint32_t));
}

static void make_tickets(struct work *w)
{
    const uint64_t tiles = tiles_all(w);
    const struct view rows = tile_sides(w, &w->a, w->row_tiles),
                      columns = tile_sides(w, &w->b, w->column_tiles),
                      words = trial_room(w->t, tiles * 64),
                      tickets = trial_room(w->t, tiles * BLAKE3_SIZE);

    trial_launch(w->t, KERNEL_ticket_fold, tiles,
                 VIEWS(w->a.noised, w->b.noised, rows, columns, words),
                 SCALARS({.u32 = w->a.pattern.count}, {.u32 = w->b.pattern.count},
                         {.u32 = w->k}, {.u32 = w->rank},
                         {.u32 = (uint32_t)w->column_tiles}));
    trial_launch(w->t, KERNEL_ticket_hash, tiles, VIEWS(words, w->a.seed, tickets),
                 SCALARS({0}));
    w->tickets = trial_block(w->t, tiles * BLAKE3_SIZE);
    trial_get(w->t, tickets, w->tickets, tiles * BLAKE3_SIZE);
}

/* --- the device's own products --- */

/* Runs c = a b, under mining where it is given, on a right operand packed for it. */
static void multiply(struct work *w, const struct mining *mining, struct view c)
{
    struct trial *t = w->t;
    struct packed *packed = NULL;
    enum status status = t->status;

    if (status)
        return;
    status = device_packed_new(t->device, w->b.rows, w->k, &packed);
    if (!status)
        status = device_pack(t->device, packed, w->b.clean, mining ? &mining->b : NULL);
    if (!status)
        status = device_reserve(t->device, w->a.rows, w->b.rows, w->k, w->rank);
    if (!status)
        status = device_multiply(
            t->device,
            &(struct multiply){
                .m = w->a.rows, .a = w->a.clean, .b = packed, .c = c, .mining = mining});
    if (!status)
        status = device_finish(t->device);
    if (status)
        trial_fail(t, status, "%s product: %s", mining ? "the mining" : "the plain",
                   status_text(status));
    device_packed_free(t->device, packed);
}

static struct mining mining_of(const struct work *w, struct view hits, uint32_t hits_max)
{
    struct mining mining = {.a = {.rank = w->rank},
                            .b = {.rank = w->rank},
                            .rows = &w->a.pattern,
                            .columns = &w->b.pattern,
                            .hits = hits,
                            .hits_max = hits_max};

    memcpy(mining.a.seed, w->a.seed_bytes, sizeof(mining.a.seed));
    memcpy(mining.b.seed, w->b.seed_bytes, sizeof(mining.b.seed));
    return mining;
}

/* The tile that starts there, or how many there are. */
static uint64_t tile_find(const struct work *w, uint64_t row, uint64_t column)
{
    uint64_t i = 0, j = 0;

    while (i < w->row_tiles && pattern_start(&w->a.pattern, i) != row)
        i++;
    while (j < w->column_tiles && pattern_start(&w->b.pattern, j) != column)
        j++;
    return i < w->row_tiles && j < w->column_tiles ? i * w->column_tiles + j
                                                   : tiles_all(w);
}

/* The hit is the ticket that the composition made for its tile, and the first there. */
static void check_hit(struct work *w, const struct hit *hit, uint8_t *is_seen)
{
    const uint64_t tile = tile_find(w, hit->row, hit->column);

    if (tile == tiles_all(w))
        trial_fail(w->t, STATUS_MISMATCH, "a hit at %u, %u, where no tile starts",
                   hit->row, hit->column);
    else if (is_seen[tile]++)
        trial_fail(w->t, STATUS_MISMATCH, "two hits at %u, %u", hit->row, hit->column);
    else
        trial_expect_host(w->t, "ticket of the mining product", hit->ticket,
                          w->tickets + tile * BLAKE3_SIZE, BLAKE3_SIZE);
}

static uint32_t tickets_meeting(const struct work *w, const struct target *bound)
{
    uint32_t count = 0;

    for (uint64_t i = 0; i < tiles_all(w); i++)
        count += target_met(w->tickets + i * BLAKE3_SIZE, bound);
    return count;
}

/* Under this bound the hits are the tiles whose tickets meet it. */
static void check_product(struct work *w, const struct target *bound, struct view c)
{
    const uint32_t tiles = (uint32_t)tiles_all(w);
    const size_t size = sizeof(struct hits) + tiles * sizeof(struct hit);
    struct mining mining = mining_of(w, trial_room(w->t, size), tiles);
    struct hits *hits = trial_block(w->t, size);
    uint8_t *is_seen = trial_block(w->t, tiles);

    memcpy(mining.bound, bound->le, sizeof(mining.bound));
    multiply(w, &mining, c);
    trial_get(w->t, mining.hits, hits, size);
    if (w->t->status)
        return;
    const uint32_t expected = tickets_meeting(w, bound);
    if (hits->count != expected)
        trial_fail(w->t, STATUS_MISMATCH, "%u hits of %u tiles, expected %u", hits->count,
                   tiles, expected);
    for (uint32_t i = 0; !w->t->status && i < expected; i++)
        check_hit(w, &hits->hit[i], is_seen);
}

/* Every ticket is seen, with the clean product beside it too: noise that is wrong alike
 * where it is added and where it is taken out leaves that product right.  The bound that
 * some tickets do not meet is the first tile's, which holds the first line of either
 * side. */
static void check_products(struct work *w, struct view c)
{
    struct target all, first;

    memset(all.le, 0xff, sizeof(all.le));
    check_product(w, &all, (struct view){0});
    check_product(w, &all, c);
    if (w->t->status)
        return;
    memcpy(first.le, w->tickets, sizeof(first.le));
    check_product(w, &first, (struct view){0});
}

/* The best tile's ticket is the only one that meets it. */
static void check_best(struct work *w)
{
    const struct vector_member *tile =
        vector_case_find(w->t->given, "best_tile", VECTOR_LIST);
    struct target best;

    trial_hex(w->t, "best_jackpot_le_hex", best.le, sizeof(best.le));
    if (!tile || tile->data.size != 16) {
        trial_fail(w->t, STATUS_BAD_DATA, "\"best_tile\" is no pair");
        return;
    }
    if (w->t->status)
        return;
    const uint64_t row = u64_load(tile->data.data),
                   column = u64_load(tile->data.data + 8);
    const uint64_t at = tile_find(w, row, column);
    if (at == tiles_all(w))
        trial_fail(w->t, STATUS_BAD_DATA, "no tile starts at %llu, %llu",
                   (unsigned long long)row, (unsigned long long)column);
    else if (tickets_meeting(w, &best) != 1)
        trial_fail(w->t, STATUS_MISMATCH, "%u tickets as good as the best, expected 1",
                   tickets_meeting(w, &best));
    else
        trial_expect_host(w->t, "best ticket", w->tickets + at * BLAKE3_SIZE, best.le,
                          sizeof(best.le));
}

bool selftest_pow(struct trial *trial)
{
    static const char product[] = "blake3_of_clean_product_i32le";
    struct work w = {.t = trial, .b.label = 1};

    if (strcmp(trial->given->op, "pow"))
        return false;
    case_read(&w);
    check_root(&w, &w.a, "hash_a");
    check_root(&w, &w.b, "hash_b");
    make_noise(&w, &w.a, "blake3_of_noised_a");
    make_noise(&w, &w.b, "blake3_of_noised_bt");
    make_tickets(&w);
    const size_t size = (size_t)4 * w.a.rows * w.b.rows;
    const struct view plain = trial_room(trial, size), mined = trial_room(trial, size);
    multiply(&w, NULL, plain);
    expect_hash(trial, product, plain, size);
    check_best(&w);
    check_products(&w, mined);
    expect_hash(trial, product, mined, size);
    return true;
}
