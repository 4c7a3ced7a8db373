/*
 * kernel_cases.h - a launch of every kernel with views of its own, drawn easy or hard.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_KERNEL_CASES_H
#define MINERVA_TESTS_KERNEL_CASES_H

#include "backends/device.h"

/* What is drawn: anything; nothing but zeros of both signs; halves that round to even;
 * the ends of every range, subnormal numbers, and rows that are faulty. */
enum mood { MOOD_PLAIN, MOOD_ZEROS, MOOD_TIES, MOOD_EXTREMES, MOODS };

/* Every case leaves the bytes of the text in every view, in one launch and in three. */
void kernel_cases_check(struct device *device, enum mood mood);
bool kernel_cases_have(enum kernel kernel);

#endif
