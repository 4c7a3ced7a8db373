/*
 * product_check.c - whether c is a times b, without multiplying them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/product_check.h"

#include <inttypes.h>

#include "miner/base/memory.h"
#include "miner/tasks/generated.h"

struct room {
    int8_t *a, *b;
    int32_t *c;
    uint64_t *v, *bv;
};

static void room_free(struct room *room)
{
    memory_free(room->a);
    memory_free(room->b);
    memory_free(room->c);
    memory_free(room->v);
    memory_free(room->bv);
}

static enum status room_make(const struct product_check *check, struct room *room)
{
    const struct model_shape s = check->shape;

    room->a = memory_array((size_t)s.m, (size_t)s.k);
    room->b = memory_array((size_t)s.n, (size_t)s.k);
    room->c = memory_array((size_t)(s.m * s.n), sizeof *room->c);
    room->v = memory_array((size_t)s.n, sizeof *room->v);
    room->bv = memory_array((size_t)s.k, sizeof *room->bv);
    if (!room->a || !room->b || !room->c || !room->v || !room->bv)
        return STATUS_NO_MEMORY;
    generated_fill((uint8_t *)room->a, s.m * s.k, check->seed_a);
    generated_fill((uint8_t *)room->b, s.n * s.k, check->seed_b);
    generated_fill((uint8_t *)room->v, s.n * sizeof *room->v,
                   check->seed_a ^ check->seed_b);
    return device_read(check->device, check->c, 0, room->c,
                       (size_t)(s.m * s.n) * sizeof *room->c);
}

static uint64_t row_of_ab(const struct room *room, uint64_t k, uint64_t row)
{
    uint64_t sum = 0;

    for (uint64_t l = 0; l < k; l++)
        sum += (uint64_t)room->a[row * k + l] * room->bv[l];
    return sum;
}

static uint64_t row_of_c(const struct room *room, uint64_t n, uint64_t row)
{
    uint64_t sum = 0;

    for (uint64_t j = 0; j < n; j++)
        sum += (uint64_t)room->c[row * n + j] * room->v[j];
    return sum;
}

enum status product_check(const struct product_check *check, struct error *err)
{
    const struct model_shape s = check->shape;
    struct room room = {.a = NULL};
    enum status status = room_make(check, &room);

    if (status)
        error_set(err, status, "the product cannot be checked: %s", status_text(status));
    for (uint64_t j = 0; !status && j < s.n; j++)
        for (uint64_t l = 0; l < s.k; l++)
            room.bv[l] += (uint64_t)room.b[j * s.k + l] * room.v[j];
    for (uint64_t i = 0; !status && i < s.m; i++)
        if (row_of_ab(&room, s.k, i) != row_of_c(&room, s.n, i))
            status = error_set(err, STATUS_MISMATCH,
                               "row %" PRIu64 " of the product is wrong", i);
    room_free(&room);
    return status;
}
