/*
 * target.h - 256-bit bounds: from hex, from nbits, scaled by a tile's work, compared with
 * tickets.
 *
 * Held as 32 little-endian bytes, the order in which a ticket is read (pow.md section 7).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_WORK_TARGET_H
#define MINERVA_WORK_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "miner/base/error.h"

enum { TARGET_DECIMAL_MAX = 78 }; /* digits of 2^256 - 1 */

struct target {
    uint8_t le[32];
};

/* 1 to 64 hex digits, big-endian as pools write them, an optional 0x in front. */
MUST_CHECK enum status target_from_hex(const char *text, struct target *out,
                                       struct error *err);
void target_to_decimal(const struct target *target, char text[TARGET_DECIMAL_MAX + 1]);
void target_to_hex(const struct target *target, char text[65]); /* big-endian */
struct target target_from_nbits(uint32_t nbits); /* exponents beyond 256 bits give zero */
uint32_t target_to_nbits(const struct target *target);
struct target target_from_work(uint64_t work); /* floor(2^256 / work), work >= 2 */
/* floor(0xffff * 2^208 / difficulty), difficulty >= 1: what most pools' labels mean. */
struct target target_from_difficulty(uint64_t difficulty);
double
target_work(const struct target *target); /* 2^256 / T: multiply-accumulates a share */
/* out = target * factor; false when that does not fit 256 bits (never saturates). */
bool target_scale(const struct target *target, uint64_t factor, struct target *out);
bool target_met(const uint8_t ticket[32],
                const struct target *bound); /* ticket <= bound */
bool target_is_zero(const struct target *target);
int target_compare(const struct target *a, const struct target *b);

#endif
