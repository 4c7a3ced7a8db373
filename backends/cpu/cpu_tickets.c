/*
 * cpu_tickets.c - draws tickets out of folded tiles.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cpu/cpu_tickets.h"

#include <stdbool.h>
#include <string.h>

#include "backends/hits.h"

/* Both little-endian: the last byte weighs most. */
static bool ticket_wins(const uint8_t ticket[32], const uint8_t bound[32])
{
    for (int i = 31; i >= 0; i--)
        if (ticket[i] != bound[i])
            return ticket[i] < bound[i];
    return true;
}

static void hit_note(struct cpu_lottery *lottery, uint32_t row, uint32_t column,
                     const uint8_t ticket[32])
{
    const uint32_t index = atomic_fetch_add(&lottery->count, 1);

    if (index >= lottery->mining->hits_max)
        return;
    struct hit *hit = &lottery->hits->hit[index];
    hit->row = row;
    hit->column = column;
    memcpy(hit->ticket, ticket, sizeof hit->ticket);
}

void cpu_draw_end(struct cpu_draw *draw)
{
    const struct mining *mining = draw->lottery->mining;
    uint8_t tickets[CPU_DRAWS][32], seed[32];
    void *const views[] = {draw->words, seed, tickets};

    if (!draw->count)
        return;
    memcpy(seed, mining->a.seed, sizeof seed);
    draw->lottery->hash(0, draw->count, views, NULL);
    for (uint32_t i = 0; i < draw->count; i++)
        if (ticket_wins(tickets[i], mining->bound))
            hit_note(draw->lottery, draw->tiles[i].row, draw->tiles[i].column,
                     tickets[i]);
    draw->count = 0;
}

void cpu_draw_add(struct cpu_draw *draw, uint32_t row, uint32_t column,
                  const uint32_t words[CPU_WORDS])
{
    draw->tiles[draw->count].row = row;
    draw->tiles[draw->count].column = column;
    memcpy(draw->words[draw->count], words, sizeof draw->words[0]);
    if (++draw->count == CPU_DRAWS)
        cpu_draw_end(draw);
}

void cpu_lottery_end(struct cpu_lottery *lottery)
{
    const uint32_t count = atomic_load(&lottery->count);
    const uint32_t kept =
        count < lottery->mining->hits_max ? count : lottery->mining->hits_max;

    lottery->hits->count = count;
    lottery->hits->reserved = 0;
    hits_sort(lottery->hits->hit, kept);
}
