/*
 * gauge.h - what a device drew, and how fast its clock was, while something was timed.
 *
 * A thread of its own reads the device's sensors between begin and end, outside of the
 * device's thread; where there is a counter of energy, that says the power.
 * What is done between the runs of a turn counts with them.  What cannot
 * be read stays unknown.  All calls from one thread; NULL is a gauge that knows nothing.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BENCH_GAUGE_H
#define MINERVA_BENCH_GAUGE_H

#include "miner/sensors.h"

struct gauge;

/* What came together between begins and ends; zeroed at first. */
struct gauge_sum {
    double clock_mhz, power_w; /* of all samples */
    uint32_t clocks, powers;   /* samples */
    double energy_j, energy_s; /* joules, in so many seconds */
};

/* out is NULL where the device has no sensors, or is no GPU: there samples would cost the
 * time that is measured.  options: as sensors_open's. */
MUST_CHECK enum status gauge_open(const struct device_entry *entry,
                                  const struct sensors_options *options,
                                  struct gauge **out);
void gauge_close(struct gauge *gauge);
void gauge_begin(struct gauge *gauge);
void gauge_end(struct gauge *gauge, struct gauge_sum *sum); /* adds to it */
/* False: unknown. */
bool gauge_clock(const struct gauge_sum *sum, double *mhz);
bool gauge_power(const struct gauge_sum *sum, double *watts);

#endif
