/*
 * clock.h - time.  clock_ms() never goes back and is what durations are made of;
 * clock_wall_s() is the calendar.  Any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BASE_CLOCK_H
#define MINERVA_BASE_CLOCK_H

#include <stdint.h>

uint64_t clock_ms(void);     /* monotonic milliseconds */
uint64_t clock_ns(void);     /* monotonic nanoseconds, for benchmarks */
uint64_t clock_wall_s(void); /* Unix seconds */

#endif
