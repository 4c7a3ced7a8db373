/*
 * ladder.c - a mined product on a CUDA card, step by step.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/ladder.h"

#include <stdio.h>
#include <string.h>

#include "miner/base/clock.h"
#include "miner/base/memory.h"
#include "miner/pow/commitment.h"
#include "miner/pow/operand_tree.h"

enum { SEED_B = 2, HITS_MAX = 64, WORK_MAX = 256, KEY_BYTE = 0x42 };

void ladder_close(struct ladder *ladder)
{
    if (!ladder)
        return;
    device_packed_free(ladder->device, ladder->packed);
    device_buffer_free(ladder->device, ladder->hits);
    device_buffer_free(ladder->device, ladder->c);
    device_buffer_free(ladder->device, ladder->key);
    device_buffer_free(ladder->device, ladder->tree);
    generated_free(&ladder->operands);
    memory_free(ladder);
}

/* What of the row each step launches. */
static enum cuda_mode mode_of(enum ladder_step step)
{
    return step < LADDER_CORRECT ? CUDA_MINED : CUDA_USEFUL;
}

/* A kernel with steps left out gets as much shared memory as the row's own: as many
 * blocks are on a processor then. */
static struct cuda_function *entry_find(struct ladder *ladder, const char *step)
{
    struct device *device = ladder->device;
    struct cuda_function *entry;
    char name[64];

    snprintf(name, sizeof name, "%s_%s", cuda_rows[ladder->row]->name, step);
    entry = cuda_entry_find(device, name);
    if (entry &&
        cuda_check(device,
                   device->driver.function_set(entry, CUDA_FUNCTION_SHARED_SHARE, 100),
                   "setting up a kernel"))
        return NULL;
    return entry;
}

static enum status entries_find(struct ladder *ladder, struct error *err)
{
    static const char *const steps[LADDER_STEPS] = {
        [LADDER_LOOP] = "loop", [LADDER_FOLD] = "fold", [LADDER_CORRECT] = "correct"};

    for (enum ladder_step step = 0; step < LADDER_STEPS; step++) {
        ladder->entries[step] =
            steps[step] ? entry_find(ladder, steps[step])
                        : ladder->device->products[ladder->row][mode_of(step)];
        if (!ladder->entries[step])
            return error_set(err, STATUS_ABSENT,
                             "products by %s have no kernels with steps left out",
                             cuda_rows[ladder->row]->name);
    }
    return STATUS_OK;
}

static enum status row_find(struct ladder *ladder, const struct bench_setup *setup,
                            struct error *err)
{
    const struct cuda_ask ask = {CUDA_USEFUL,
                                 setup->m,
                                 setup->n,
                                 setup->k,
                                 setup->rank,
                                 &ladder->tile.rows,
                                 &ladder->tile.columns};
    enum status status = STATUS_OK;

    ladder->tile = setup->tile;
    if (!ladder->tile.rows.count)
        status = device_plan(setup->device, setup->m, setup->n, setup->k, WORK_MAX,
                             &ladder->tile);
    if (status)
        return error_set(err, status, "no tile fits %u x %u: %s", setup->m, setup->n,
                         status_text(status));
    ladder->row = cuda_row_choose(setup->device, &ask);
    return entries_find(ladder, err);
}

static enum status key_make(struct ladder *ladder)
{
    const struct model_shape s = ladder->operands.shape;
    uint8_t key[DIGEST_SIZE];
    enum status status = device_buffer_new(ladder->device, DIGEST_SIZE, &ladder->key);

    memset(key, KEY_BYTE, sizeof key);
    if (!status)
        status = device_write(ladder->device, ladder->key, 0, key, sizeof key);
    if (!status)
        status =
            device_buffer_new(ladder->device, operand_tree_size(s.m, s.k), &ladder->tree);
    return status;
}

static enum status operands_make(struct ladder *ladder, const struct bench_setup *setup,
                                 struct error *err)
{
    const struct model_shape shape = {setup->m, setup->n, setup->k};
    struct device *device = ladder->device;
    enum status status = generated_new(&ladder->operands, device, shape, err);

    if (status)
        return status;
    status = generated_right(&ladder->operands, SEED_B);
    if (!status)
        status = device_buffer_new(
            device, sizeof(struct hits) + HITS_MAX * sizeof(struct hit), &ladder->hits);
    if (!status)
        status = device_buffer_new(device, (size_t)(shape.m * shape.n * 4), &ladder->c);
    if (!status)
        status = key_make(ladder);
    if (!status)
        status = device_packed_new(device, setup->n, setup->k, &ladder->packed);
    if (!status)
        status = device_pack(device, ladder->packed,
                             (struct view){ladder->operands.right, 0}, &ladder->mining.b);
    if (!status)
        status = device_reserve(device, setup->m, setup->n, setup->k, setup->rank);
    return status ? error_set(err, status, "no operands: %s", status_text(status))
                  : STATUS_OK;
}

enum status ladder_open(const struct bench_setup *setup, struct ladder **out,
                        struct error *err)
{
    struct ladder *ladder;
    enum status status;

    *out = NULL;
    if (setup->device->head.backend != &backend_cuda)
        return error_set(err, STATUS_ABSENT,
                         "only kernels for CUDA exist with steps left out");
    ladder = *out = memory_new(struct ladder);
    if (!ladder)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a benchmark");
    ladder->device = setup->device;
    ladder->mining = (struct mining){.a.rank = setup->rank,
                                     .b.rank = setup->rank,
                                     .rows = &ladder->tile.rows,
                                     .columns = &ladder->tile.columns,
                                     .hits_max = HITS_MAX};
    memset(ladder->mining.a.seed, 1, sizeof ladder->mining.a.seed);
    memset(ladder->mining.b.seed, 2, sizeof ladder->mining.b.seed);
    status = row_find(ladder, setup, err);
    if (!status)
        status = operands_make(ladder, setup, err);
    ladder->mining.hits = (struct view){ladder->hits, 0};
    return status;
}

/* One product on its way. */
struct climb {
    struct ladder *ladder;
    enum ladder_step step;
    struct cuda_set *set;
    struct cuda_run run;
    struct cuda_grid grid;
};

static enum status commit(const struct climb *climb)
{
    struct ladder *ladder = climb->ladder;
    const struct model_shape s = ladder->operands.shape;
    const struct operand_tree tree = {.device = ladder->device,
                                      .operand = {ladder->operands.left, 0},
                                      .size = s.m * s.k,
                                      .key = ladder->key,
                                      .tree = ladder->tree};
    const enum status status = operand_tree_make(&tree, NULL, ladder->root);

    commitment_seed_a(ladder->mining.b.seed, ladder->root, (uint32_t)s.m,
                      CERT_VERSION_MAX, ladder->mining.a.seed);
    return status;
}

/* a's noise, with X and Y where the step has them. */
static enum status noise(struct climb *climb)
{
    struct ladder *ladder = climb->ladder;
    const struct multiply ask = {
        .m = climb->run.product.m,
        .a = {ladder->operands.left, 0},
        .b = ladder->packed,
        .c = {climb->step >= LADDER_FACTORS ? ladder->c : NULL, 0},
        .mining = &ladder->mining};

    memcpy(climb->run.product.seed, ladder->mining.a.seed,
           sizeof climb->run.product.seed);
    return cuda_left_prepare(ladder->device, &ask, climb->set, &climb->run.product);
}

static enum status correction(struct climb *climb)
{
    struct device *device = climb->ladder->device;
    const struct cuda_matmul *way = cuda_rows[climb->run.row];
    struct cuda_product product = climb->run.product;
    void *arguments[] = {&product};
    struct cuda_grid grid;

    if (!way->prepare)
        return STATUS_OK;
    way->prepare_grid(&device->traits, &product, &grid);
    product.part_last = grid.parts;
    return cuda_launch(device, device->prepares[climb->run.row], &grid, arguments,
                       device->order);
}

static enum status multiply(struct climb *climb)
{
    struct device *device = climb->ladder->device;
    struct cuda_set *set = climb->set;
    const struct cuda_driver *driver = &device->driver;
    enum status status =
        cuda_check(device,
                   driver->set_bytes(cuda_view(climb->ladder->mining.hits), 0,
                                     sizeof(struct hits), device->order),
                   "clearing hits");

    if (!status)
        status = cuda_check(device, driver->event_record(set->prepared, device->order),
                            "preparing");
    if (!status)
        status = cuda_check(device, driver->stream_wait(device->work, set->prepared, 0),
                            "preparing");
    return status ? status
                  : cuda_matmul_launch_entry(device, &climb->run,
                                             climb->ladder->entries[climb->step]);
}

static void climb_begin(struct climb *climb, struct buffer *kept)
{
    struct ladder *ladder = climb->ladder;
    struct device *device = ladder->device;
    struct cuda_product *product = &climb->run.product;
    const struct packed *b = ladder->packed;

    device->ahead.is_set = false; /* whatever is in the set is written over */
    climb->set = &device->sets[0];
    climb->run = (struct cuda_run){
        .row = ladder->row, .mode = mode_of(climb->step), .grid = &climb->grid};
    *product = (struct cuda_product){.b = cuda_pointer(b->values),
                                     .c = cuda_pointer(cuda_view((struct view){kept, 0})),
                                     .m = (uint32_t)ladder->operands.shape.m,
                                     .n = b->head.n,
                                     .k = b->head.k,
                                     .stride = b->stride,
                                     .rank = ladder->mining.a.rank,
                                     .slices = b->head.k / ladder->mining.a.rank,
                                     .h = ladder->tile.rows.count,
                                     .w = ladder->tile.columns.count,
                                     .hits_max = ladder->mining.hits_max,
                                     .seed_bytes = cuda_pointer(climb->set->seed),
                                     .ring = cuda_pointer(cuda_view(ladder->mining.hits)),
                                     .dense_a = cuda_pointer(climb->set->dense.address),
                                     .dense_b = cuda_pointer(b->dense),
                                     .x = cuda_pointer(climb->set->x.address),
                                     .y = cuda_pointer(climb->set->y.address),
                                     .scratch = cuda_pointer(climb->set->extra.address)};
    memcpy(product->bound, ladder->mining.bound, sizeof product->bound);
    cuda_rows[ladder->row]->grid(&device->traits, climb->run.mode, product, &climb->grid);
    product->part_last = climb->grid.parts;
}

/* The parts of a product in their order; those of the steps above are left out. */
static enum status part_run(struct climb *climb, enum ladder_step part)
{
    switch (part) {
    case LADDER_COMMIT:
        return commit(climb);
    case LADDER_NOISE:
        return noise(climb);
    case LADDER_CORRECT:
        return correction(climb);
    default:
        return multiply(climb);
    }
}

enum status ladder_run(struct ladder *ladder, enum ladder_step step, struct buffer *kept,
                       uint64_t *ns)
{
    static const enum ladder_step parts[] = {LADDER_COMMIT, LADDER_NOISE, LADDER_CORRECT,
                                             LADDER_LOOP};
    struct climb climb = {.ladder = ladder, .step = step};
    uint64_t start = 0;
    enum status status =
        generated_left(&ladder->operands, ++ladder->seed_a, ladder->operands.shape.m);

    climb_begin(&climb, step == LADDER_STORE ? ladder->c : kept);
    for (size_t i = 0; !status && i < sizeof parts / sizeof parts[0]; i++) {
        const bool is_timed = parts[i] <= step;

        /* Noise there must be; the rest only where the step has it. */
        if (!is_timed && parts[i] != LADDER_NOISE)
            continue;
        if (is_timed && !start) {
            status = device_finish(ladder->device);
            start = clock_ns();
        }
        if (!status)
            status = part_run(&climb, parts[i]);
    }
    if (!status)
        status = device_finish(ladder->device);
    *ns = clock_ns() - start;
    return status;
}
