/*
 * selftest.h - a device must reproduce known answers, bit for bit, before it may work.
 *
 * The built-in cases are the shortest of the project's worked cases: every scalar core
 * over some 4096 inputs, rows, attention, a commitment, noise, tickets, the plain product
 * and the mining one.  Belongs to the device's thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_SELFTEST_H
#define MINERVA_MINER_SELFTEST_H

#include "backends/device.h"
#include "miner/vectors_json.h"

/* All built-in cases, well under a second on a CPU.  MISMATCH with the case and the byte,
 * or the device's own failure. */
MUST_CHECK enum status selftest_short(struct device *device, struct error *err);

size_t selftest_builtin_count(void);
MUST_CHECK enum status selftest_builtin(struct device *device, size_t index,
                                        struct error *err);

/* One worked case from outside.  NOT_SUPPORTED: this program has no such operation. */
MUST_CHECK enum status selftest_case(struct device *device,
                                     const struct vector_case *given, struct error *err);

/* The built-in cases, each the JSON of one; the last is NULL. */
extern const char *const selftest_answers[];

#endif
