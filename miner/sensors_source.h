/*
 * sensors_source.h - what a source of readings must be able to do; for the sensors_*.c
 * files.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_SENSORS_SOURCE_H
#define MINERVA_MINER_SENSORS_SOURCE_H

#include "miner/sensors.h"

struct sensor_probe; /* a source's own: one device's way to its readings */

struct sensor_source {
    const char *name;
    /* NULL: this source knows nothing of the device. */
    struct sensor_probe *(*find)(const struct device_entry *entry,
                                 const struct sensors_options *options);
    void (*read)(struct sensor_probe *probe, uint64_t now_ms,
                 struct sensors_reading *out);
    void (*free)(struct sensor_probe *probe);
};

extern const struct sensor_source sensors_nvml, sensors_card, sensors_processor;

static inline void sensors_set(struct sensors_reading *reading, enum sensor sensor,
                               double value)
{
    reading->is_known[sensor] = true;
    reading->values[sensor] = value;
}

/* The number that a small text file holds, as the kernel's are; false: it cannot be read.
 */
bool sensors_number(const char *folder, const char *name, double *out);
/* Whether such a file holds that word. */
bool sensors_has_word(const char *folder, const char *name, const char *word);
/* Visits folder's entries that begin with prefix, in any order, until visit says true.
 * path is folder/entry. */
typedef bool sensors_visit(const char *path, void *context);
bool sensors_each(const char *folder, const char *prefix, sensors_visit *visit,
                  void *context);

enum { SENSORS_PATH_MAX = 512 };

#endif
