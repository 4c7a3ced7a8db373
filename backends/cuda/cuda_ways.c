/*
 * cuda_ways.c - the rows on trial that an open card has kernels for, and what was seen of
 * them: backends/ways.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>

#include "backends/cuda/cuda_calls.h"
#include "backends/cuda/cuda_images.h"
#include "backends/cuda/cuda_plans.h"
#include "kernels/blake3_host.h"

/* Any rank suits products of this size. */
enum { LINES = 1 << 14, RANK_FIRST = 64, RANK_LAST = 1024 };

static bool row_is_ready(const struct device *device, size_t row)
{
    for (enum cuda_mode mode = 0; mode < CUDA_MODES; mode++)
        if (cuda_rows[row]->entries[mode] && !device->products[row][mode])
            return false;
    return cuda_rows[row]->is_trial &&
           cuda_row_runs(cuda_rows[row], device->traits.capability);
}

/* The tile and the smallest rank of products that the row mines; false: of none. */
static bool ask_find(const struct device *device, size_t row, struct matmul_plan *plan,
                     struct cuda_ask *ask)
{
    const struct matmul_plan plans[] = {cuda_plan_lane(), cuda_plan_quad()};

    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        *plan = plans[i];
        *ask = (struct cuda_ask){.mode = CUDA_MINED,
                                 .m = LINES,
                                 .n = LINES,
                                 .k = LINES,
                                 .rank = RANK_FIRST,
                                 .rows = &plan->rows,
                                 .columns = &plan->columns};
        for (; ask->rank <= RANK_LAST; ask->rank *= 2)
            if (cuda_rows[row]->suits(&device->traits, ask))
                return true;
    }
    return false;
}

static void way_fill(const struct device *device, size_t row, struct ways *ways)
{
    struct way *way = &ways->list[ways->count];
    struct matmul_plan plan;
    struct cuda_ask ask;

    if (ways->count == WAYS_MAX || !row_is_ready(device, row) ||
        !ask_find(device, row, &plan, &ask))
        return;
    *way = (struct way){.rank = ask.rank,
                        .rows = way_pattern_of(&plan.rows),
                        .columns = way_pattern_of(&plan.columns)};
    snprintf(way->name, sizeof way->name, "%s", cuda_rows[row]->name);
    snprintf(way->rival, sizeof way->rival, "%s",
             cuda_rows[cuda_row_established(device, &ask)]->name);
    ways->count++;
}

static void text_hash(struct blake3 *hasher, const char *text)
{
    blake3_add(hasher, text, strlen(text) + 1);
}

/* The address too: of two cards of a kind one may be at fault. */
static void key_make(const struct device_info *info, struct ways *ways)
{
    struct blake3 hasher;

    blake3_begin(&hasher);
    text_hash(&hasher, info->name);
    text_hash(&hasher, info->bus);
    text_hash(&hasher, info->capability);
    text_hash(&hasher, info->driver);
    for (uint32_t i = 0; i < ways->count; i++) {
        text_hash(&hasher, ways->list[i].name);
        text_hash(&hasher, ways->list[i].rival);
    }
    for (size_t i = 0; i < cuda_image_count; i++) {
        const struct cuda_image *image = &cuda_images[i];

        text_hash(&hasher, image->name);
        blake3_add(&hasher, image->data, (size_t)(image->end - image->data));
    }
    blake3_end(&hasher, ways->key);
}

enum status cuda_ways_fill(struct device *device, const char *folder, struct error *err)
{
    struct ways *ways = &device->head.info.ways;
    enum status status = STATUS_OK;

    for (size_t row = 0; row < cuda_row_count; row++)
        way_fill(device, row, ways);
    if (!ways->count)
        return STATUS_OK;
    key_make(&device->head.info, ways);
    if (folder)
        status = ways_load(ways, folder);
    if (status)
        return error_set(err, status, "cuda: what %s says of ways on trial: %s", folder,
                         status_text(status));
    for (size_t row = 0; row < cuda_row_count; row++) {
        const struct way *way = ways_find(ways, cuda_rows[row]->name);

        device->is_proven[row] = way && way->state == WAY_USED;
    }
    return STATUS_OK;
}
