/*
 * ladder_check.c - whether a step of the ladder gives what the text gives.
 *
 * Operands are noised once more by the texts, and a few tiles all over the product are
 * folded and hashed by them; what a step wrote, or which tickets it found, must be the
 * same.  The clean product is checked as a whole.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "bench/ladder.h"
#include "bench/product_check.h"
#include "miner/base/memory.h"
#include "miner/pow/commitment.h"

enum { WORDS = 16, SAMPLES = 6, TICKETS = 6, SEED_B = 2, KEY_BYTE = 0x42 };

/* The texts' side. */
struct reference {
    struct ladder *ladder;
    struct view a, b; /* noised, or clean */
    struct buffer *noised_a, *noised_b;
    struct buffer *lines[2]; /* of one tile: its rows, its columns */
    struct buffer *words, *seed, *ticket;
};

static void reference_free(struct reference *reference)
{
    struct device *device = reference->ladder->device;

    device_buffer_free(device, reference->noised_a);
    device_buffer_free(device, reference->noised_b);
    device_buffer_free(device, reference->lines[0]);
    device_buffer_free(device, reference->lines[1]);
    device_buffer_free(device, reference->words);
    device_buffer_free(device, reference->seed);
    device_buffer_free(device, reference->ticket);
}

/* One side's operand, noised by the texts. */
struct noising {
    uint32_t side, lines, k;
    const struct noise *noise;
    struct view clean;
    struct buffer *dense, *pairs, *seed, *out;
};

static enum status noising_launch(struct device *device, const struct noising *n)
{
    const struct launch launches[] = {
        {.kernel = KERNEL_noise_dense,
         .last = (uint64_t)n->lines * n->noise->rank / 32,
         .views = {{n->seed, 0}, {n->dense, 0}},
         .scalars = {{.u32 = n->side}, {.u64 = 0}}},
        {.kernel = KERNEL_noise_pairs,
         .last = (n->k + 7) / 8,
         .views = {{n->seed, 0}, {n->pairs, 0}},
         .scalars = {{.u32 = n->side}, {.u32 = n->noise->rank}, {.u32 = n->k}}},
        {.kernel = KERNEL_noise_add,
         .last = n->lines,
         .views = {n->clean, {n->dense, 0}, {n->pairs, 0}, {n->out, 0}},
         .scalars = {{.u32 = n->k}, {.u32 = n->noise->rank}}},
    };
    enum status status =
        device_write(device, n->seed, 0, n->noise->seed, sizeof n->noise->seed);

    for (size_t i = 0; !status && i < sizeof launches / sizeof launches[0]; i++)
        status = device_launch(device, &launches[i]);
    return status ? status : device_finish(device);
}

static enum status noising_run(struct device *device, struct noising *n)
{
    enum status status =
        device_buffer_new(device, (size_t)n->lines * n->noise->rank, &n->dense);

    if (!status)
        status =
            device_buffer_new(device, (size_t)n->k * 2 * sizeof(uint16_t), &n->pairs);
    if (!status)
        status = noising_launch(device, n);
    device_buffer_free(device, n->dense);
    device_buffer_free(device, n->pairs);
    return status;
}

static enum status noised_make(struct reference *reference)
{
    struct ladder *ladder = reference->ladder;
    const struct model_shape s = ladder->operands.shape;
    struct noising sides[] = {
        {.side = 0,
         .lines = (uint32_t)s.m,
         .k = (uint32_t)s.k,
         .noise = &ladder->mining.a,
         .clean = {ladder->operands.left, 0},
         .seed = reference->seed,
         .out = reference->noised_a},
        {.side = 1,
         .lines = (uint32_t)s.n,
         .k = (uint32_t)s.k,
         .noise = &ladder->mining.b,
         .clean = {ladder->operands.right, 0},
         .seed = reference->seed,
         .out = reference->noised_b},
    };
    enum status status = noising_run(ladder->device, &sides[0]);

    return status ? status : noising_run(ladder->device, &sides[1]);
}

static enum status reference_make(struct reference *reference)
{
    struct ladder *ladder = reference->ladder;
    const struct model_shape s = ladder->operands.shape;
    const struct {
        struct buffer **buffer;
        uint64_t size;
    } rooms[] = {
        {&reference->noised_a, s.m * s.k},
        {&reference->noised_b, s.n * s.k},
        {&reference->lines[0], ladder->tile.rows.count * sizeof(uint32_t)},
        {&reference->lines[1], ladder->tile.columns.count * sizeof(uint32_t)},
        {&reference->words, WORDS * sizeof(uint32_t)},
        {&reference->seed, sizeof ladder->mining.a.seed},
        {&reference->ticket, DIGEST_SIZE},
    };
    enum status status = STATUS_OK;

    for (size_t i = 0; !status && i < sizeof rooms / sizeof rooms[0]; i++)
        status =
            device_buffer_new(ladder->device, (size_t)rooms[i].size, rooms[i].buffer);
    if (!status)
        status = noised_make(reference);
    if (!status)
        status = device_write(ladder->device, reference->seed, 0, ladder->mining.a.seed,
                              sizeof ladder->mining.a.seed);
    reference->a = (struct view){reference->noised_a, 0};
    reference->b = (struct view){reference->noised_b, 0};
    return status;
}

static enum status lines_write(const struct reference *reference, uint32_t side,
                               const struct pattern *pattern, uint32_t start)
{
    uint32_t lines[PATTERN_COUNT_MAX];

    for (uint32_t i = 0; i < pattern->count; i++)
        lines[i] = start + pattern->offsets[i];
    return device_write(reference->ladder->device, reference->lines[side], 0, lines,
                        pattern->count * sizeof lines[0]);
}

/* The words of the tile that starts there, folded every `rank` columns. */
static enum status words_fold(const struct reference *reference, const uint32_t start[2],
                              uint32_t rank, uint32_t words[WORDS])
{
    struct ladder *ladder = reference->ladder;
    const struct launch fold = {.kernel = KERNEL_ticket_fold,
                                .last = 1,
                                .views = {reference->a,
                                          reference->b,
                                          {reference->lines[0], 0},
                                          {reference->lines[1], 0},
                                          {reference->words, 0}},
                                .scalars = {{.u32 = ladder->tile.rows.count},
                                            {.u32 = ladder->tile.columns.count},
                                            {.u32 = (uint32_t)ladder->operands.shape.k},
                                            {.u32 = rank},
                                            {.u32 = 1}}};
    enum status status = lines_write(reference, 0, &ladder->tile.rows, start[0]);

    if (!status)
        status = lines_write(reference, 1, &ladder->tile.columns, start[1]);
    if (!status)
        status = device_launch(ladder->device, &fold);
    return status ? status
                  : device_read(ladder->device, reference->words, 0, words,
                                WORDS * sizeof words[0]);
}

static enum status wrong(const uint32_t start[2], const char *what, struct error *err)
{
    return error_set(err, STATUS_MISMATCH, "%s of the tile at %u, %u %s wrong", what,
                     start[0], start[1], strcmp(what, "the words") ? "is" : "are");
}

/* What the step left in the tile's places (cuda_ablation.h). */
static enum status sample_check(const struct reference *reference, enum ladder_step step,
                                const uint32_t start[2], struct error *err)
{
    const struct ladder *ladder = reference->ladder;
    const struct model_shape s = ladder->operands.shape;
    const uint32_t rank = ladder->mining.a.rank;
    const uint32_t every = step == LADDER_FOLD   ? rank
                           : step == LADDER_LOOP ? (uint32_t)s.k / rank * rank
                                                 : (uint32_t)s.k;
    uint32_t words[WORDS];
    enum status status = words_fold(reference, start, every, words);

    for (uint32_t i = 0; !status && i < (step == LADDER_FOLD ? WORDS : 1); i++) {
        const uint64_t at = (start[0] + i / 2 * 8) * s.n + start[1] + i % 2;
        uint32_t kept = 0;

        status = device_read(ladder->device, ladder->c, (size_t)at * sizeof kept, &kept,
                             sizeof kept);
        if (!status && kept != words[i])
            return wrong(start, step == LADDER_FOLD ? "the words" : "the sum", err);
    }
    return status;
}

static enum status samples_check(struct reference *reference, enum ladder_step step,
                                 struct error *err)
{
    const struct ladder *ladder = reference->ladder;
    const uint64_t rows = pattern_starts(&ladder->tile.rows, ladder->operands.shape.m);
    const uint64_t columns =
        pattern_starts(&ladder->tile.columns, ladder->operands.shape.n);
    const uint64_t tiles[SAMPLES][2] = {
        {0, 0},        {rows - 1, columns - 1}, {0, columns - 1},
        {rows - 1, 0}, {rows / 2, columns / 3}, {rows / 3, columns / 2}};
    enum status status = STATUS_OK;

    if (step == LADDER_CORRECT) {
        reference->a = (struct view){ladder->operands.left, 0};
        reference->b = (struct view){ladder->operands.right, 0};
    }
    for (size_t i = 0; !status && i < SAMPLES; i++) {
        const uint32_t start[2] = {
            (uint32_t)pattern_start(&ladder->tile.rows, tiles[i][0]),
            (uint32_t)pattern_start(&ladder->tile.columns, tiles[i][1])};

        status = sample_check(reference, step, start, err);
    }
    return status;
}

static enum status hit_check(const struct reference *reference, const struct hit *hit,
                             struct error *err)
{
    struct device *device = reference->ladder->device;
    const uint32_t start[2] = {hit->row, hit->column};
    const struct launch hash = {
        .kernel = KERNEL_ticket_hash,
        .last = 1,
        .views = {{reference->words, 0}, {reference->seed, 0}, {reference->ticket, 0}}};
    uint32_t words[WORDS];
    uint8_t ticket[DIGEST_SIZE];
    enum status status =
        words_fold(reference, start, reference->ladder->mining.a.rank, words);

    if (!status)
        status = device_launch(device, &hash);
    if (!status)
        status = device_read(device, reference->ticket, 0, ticket, sizeof ticket);
    if (!status && memcmp(ticket, hit->ticket, sizeof ticket) != 0)
        return wrong(start, "the ticket", err);
    return status;
}

/* Under a bound that everything meets. */
static enum status hits_check(const struct reference *reference, struct error *err)
{
    struct ladder *ladder = reference->ladder;
    const struct model_shape s = ladder->operands.shape;
    const uint64_t tiles = pattern_starts(&ladder->tile.rows, s.m) *
                           pattern_starts(&ladder->tile.columns, s.n);
    struct hits hits = {.count = 0};
    enum status status = device_read(ladder->device, ladder->hits, 0, &hits, sizeof hits);

    if (!status && hits.count != tiles)
        return error_set(err, STATUS_MISMATCH, "%u tiles are hits, expected all %llu",
                         hits.count, (unsigned long long)tiles);
    for (uint32_t i = 0; !status && i < TICKETS && i < hits.count; i++) {
        struct hit hit;

        status = device_read(ladder->device, ladder->hits,
                             sizeof(struct hits) + i * sizeof hit, &hit, sizeof hit);
        if (!status)
            status = hit_check(reference, &hit, err);
    }
    return status;
}

static enum status root_check(const struct ladder *ladder, struct error *err)
{
    const struct model_shape s = ladder->operands.shape;
    const size_t size = (size_t)(s.m * s.k);
    uint8_t key[DIGEST_SIZE], root[DIGEST_SIZE], *a = memory_array(size, 1);

    if (!a)
        return STATUS_NO_MEMORY;
    memset(key, KEY_BYTE, sizeof key);
    generated_fill(a, size, ladder->seed_a);
    commitment_root(bytes_of(a, size), key, root);
    memory_free(a);
    if (memcmp(root, ladder->root, sizeof root) != 0)
        return error_set(err, STATUS_MISMATCH, "the root of the left operand is wrong");
    return STATUS_OK;
}

static enum status answer_check(struct ladder *ladder, enum ladder_step step,
                                struct error *err)
{
    struct reference reference = {.ladder = ladder};
    enum status status = reference_make(&reference);

    if (!status && step >= LADDER_HASH)
        status = hits_check(&reference, err);
    if (!status && (step <= LADDER_FOLD || step == LADDER_CORRECT))
        status = samples_check(&reference, step, err);
    reference_free(&reference);
    if (!status && step >= LADDER_COMMIT)
        status = root_check(ladder, err);
    const struct product_check check = {.device = ladder->device,
                                        .c = ladder->c,
                                        .shape = ladder->operands.shape,
                                        .seed_a = ladder->seed_a,
                                        .seed_b = SEED_B};
    return status || step != LADDER_STORE ? status : product_check(&check, err);
}

enum status ladder_check(struct ladder *ladder, enum ladder_step step, struct error *err)
{
    uint64_t ns;
    enum status status;

    memset(ladder->mining.bound, 0xff, sizeof ladder->mining.bound);
    status = ladder_run(ladder, step, ladder->c, &ns);
    memset(ladder->mining.bound, 0, sizeof ladder->mining.bound);
    if (!status)
        status = answer_check(ladder, step, err);
    if (status && status != STATUS_MISMATCH)
        error_set(err, status, "the step cannot be checked: %s", status_text(status));
    return status;
}
