/*
 * cpu_tickets.h - draws tickets out of folded tiles, sixteen at a time, and notes those
 * that win.
 *
 * A lottery is shared by all threads of one product, a draw belongs to one of them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CPU_TICKETS_H
#define MINERVA_BACKENDS_CPU_TICKETS_H

#include <stdatomic.h>

#include "backends/cpu/cpu_device.h"

enum { CPU_DRAWS = 16, CPU_WORDS = 16 };

struct cpu_lottery {
    const struct mining *mining;
    kernel_function *hash; /* ticket_hash */
    struct hits *hits;     /* room for hits_max */
    atomic_uint count;
};

struct cpu_draw {
    struct cpu_lottery *lottery;
    uint32_t count;
    struct {
        uint32_t row, column;
    } tiles[CPU_DRAWS];
    uint32_t words[CPU_DRAWS][CPU_WORDS];
};

/* One more tile, by its start. */
void cpu_draw_add(struct cpu_draw *draw, uint32_t row, uint32_t column,
                  const uint32_t words[CPU_WORDS]);
/* Draws what waits; to be called before a draw goes out of scope. */
void cpu_draw_end(struct cpu_draw *draw);
/* Hits are counted and in the order of their tiles afterwards; after all draws ended. */
void cpu_lottery_end(struct cpu_lottery *lottery);

#endif
