/*
 * sensors_processor.c - the processor's watts from its energy counters, and its
 * temperature.
 *
 * The counters are those of whole packages and count for all that runs; most systems let
 * only root read them.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>

#include "miner/base/memory.h"
#include "miner/sensors_source.h"

enum { PACKAGES_MAX = 16, AVERAGE_MS = 1000 /* over less an average says little */ };

struct package {
    char folder[SENSORS_PATH_MAX];
    double energy_uj, range_uj; /* energy: at the last reading; it wraps at range */
};

struct sensor_probe {
    uint32_t count;
    struct package packages[PACKAGES_MAX];
    char monitor[SENSORS_PATH_MAX]; /* the temperature's folder, or "" */
    uint64_t read_ms;               /* of the last average */
    bool has_power;
    double power_w;
};

static bool package_take(const char *path, void *context)
{
    struct sensor_probe *probe = context;
    struct package *package = &probe->packages[probe->count];

    /* intel-rapl:0 is a package, intel-rapl:0:0 a part of one. */
    if (strchr(path, ':') != strrchr(path, ':') ||
        !sensors_number(path, "energy_uj", &package->energy_uj) ||
        !sensors_number(path, "max_energy_range_uj", &package->range_uj))
        return false;
    snprintf(package->folder, sizeof package->folder, "%s", path);
    return ++probe->count == PACKAGES_MAX;
}

static bool monitor_take(const char *path, void *context)
{
    static const char *const names[] = {"coretemp", "k10temp", "zenpower"};
    struct sensor_probe *probe = context;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (sensors_has_word(path, "name", names[i])) {
            snprintf(probe->monitor, sizeof probe->monitor, "%s", path);
            return true;
        }
    return false;
}

static struct sensor_probe *processor_find(const struct device_entry *entry,
                                           const struct sensors_options *options)
{
    const char *system = options->system ? options->system : "/sys";
    char folder[SENSORS_PATH_MAX];

    if (strcmp(entry->backend->name, "cpu") != 0)
        return NULL;
    struct sensor_probe *probe = memory_new(struct sensor_probe);
    if (!probe)
        return NULL;
    snprintf(folder, sizeof folder, "%.400s/class/powercap", system);
    (void)sensors_each(folder, "intel-rapl:", package_take, probe);
    snprintf(folder, sizeof folder, "%.400s/class/hwmon", system);
    if (sensors_each(folder, "hwmon", monitor_take, probe) || probe->count)
        return probe;
    memory_free(probe);
    return NULL;
}

/* Microjoules since the last call. */
static double energy_spent(struct sensor_probe *probe)
{
    double spent = 0;

    for (uint32_t i = 0; i < probe->count; i++) {
        struct package *package = &probe->packages[i];
        double energy;
        if (!sensors_number(package->folder, "energy_uj", &energy))
            continue;
        spent += energy - package->energy_uj +
                 (energy < package->energy_uj ? package->range_uj : 0);
        package->energy_uj = energy;
    }
    return spent;
}

static void processor_read(struct sensor_probe *probe, uint64_t now_ms,
                           struct sensors_reading *out)
{
    double value;

    if (*probe->monitor && sensors_number(probe->monitor, "temp1_input", &value))
        sensors_set(out, SENSOR_TEMPERATURE_C, value / 1e3);
    if (!probe->count)
        return;
    if (!probe->read_ms || now_ms >= probe->read_ms + AVERAGE_MS) {
        const double spent = energy_spent(probe);
        if (probe->read_ms) {
            probe->has_power = true;
            probe->power_w = spent / 1e3 / (double)(now_ms - probe->read_ms);
        }
        probe->read_ms = now_ms;
    }
    if (probe->has_power)
        sensors_set(out, SENSOR_POWER_W, probe->power_w);
}

static void processor_free(struct sensor_probe *probe)
{
    memory_free(probe);
}

const struct sensor_source sensors_processor = {
    .name = "processor",
    .find = processor_find,
    .read = processor_read,
    .free = processor_free,
};
