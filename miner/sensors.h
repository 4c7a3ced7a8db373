/*
 * sensors.h - watts, temperatures, fans and clocks of devices, where the system lets them
 * be read.
 *
 * Each source is one row of a table: NVIDIA's management library, opened at run time; the
 * kernel's hardware monitor of a card's PCI address; the processor's energy counter and
 * its own monitor.  What cannot be read is said to be unknown, never zero.  One thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_SENSORS_H
#define MINERVA_MINER_SENSORS_H

#include "miner/device_list.h"

enum sensor {
    SENSOR_POWER_W,
    SENSOR_TEMPERATURE_C,
    SENSOR_MEMORY_TEMPERATURE_C,
    SENSOR_FAN_RATIO, /* 0 to 1 */
    SENSOR_CLOCK_MHZ, /* of what multiplies */
    SENSOR_ENERGY_J,  /* since some time long ago: only differences mean something */
    SENSORS
};

struct sensors_reading {
    bool is_known[SENSORS];
    double values[SENSORS];
};

struct sensors_options {
    const char *system;  /* where the kernel shows devices; NULL: /sys */
    const char *library; /* NULL: libnvidia-ml.so.1 */
};

struct sensors;
/* Finds what each device of the list has.  options may be NULL. */
MUST_CHECK enum status sensors_open(const struct device_list *devices,
                                    const struct sensors_options *options,
                                    struct sensors **out);
void sensors_close(struct sensors *sensors); /* NULL is fine */
/* Of the device at that place of the list, now.  An average power is that since the last
 * call, where only energy is counted. */
void sensors_read(struct sensors *sensors, size_t device, uint64_t now_ms,
                  struct sensors_reading *out);

#endif
