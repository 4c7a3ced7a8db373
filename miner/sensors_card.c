/*
 * sensors_card.c - a card's readings from the kernel's hardware monitor of its PCI
 * address, as the drivers of AMD and Intel show them.
 *
 * Units of those files: microwatts, millidegrees, fans as a part of pwm1_max.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>

#include "miner/base/memory.h"
#include "miner/sensors_source.h"

struct sensor_probe {
    char folder[SENSORS_PATH_MAX]; /* .../hwmon/hwmonN */
    char memory[32];               /* the file of the memory's temperature, or "" */
};

static bool folder_take(const char *path, void *context)
{
    struct sensor_probe *probe = context;

    snprintf(probe->folder, sizeof probe->folder, "%s", path);
    return true;
}

/* temp2_label, temp3_label...: one of them says "mem". */
static bool label_look(const char *path, void *context)
{
    struct sensor_probe *probe = context;
    const char *name = strrchr(path, '/') + 1;
    const char *end = strstr(name, "_label");

    if (!end || !sensors_has_word(probe->folder, name, "mem"))
        return false;
    snprintf(probe->memory, sizeof probe->memory, "%.*s_input", (int)(end - name), name);
    return true;
}

static struct sensor_probe *card_find(const struct device_entry *entry,
                                      const struct sensors_options *options)
{
    const char *bus = entry->info.bus;
    char folder[SENSORS_PATH_MAX];

    if (!strchr(bus, ':'))
        return NULL;
    snprintf(folder, sizeof folder, "%.400s/bus/pci/devices/%s%s/hwmon",
             options->system ? options->system : "/sys",
             strchr(bus, ':') == strrchr(bus, ':') ? "0000:" : "", bus);
    struct sensor_probe *probe = memory_new(struct sensor_probe);
    if (probe && sensors_each(folder, "hwmon", folder_take, probe)) {
        (void)sensors_each(probe->folder, "temp", label_look, probe);
        return probe;
    }
    memory_free(probe);
    return NULL;
}

static void card_read(struct sensor_probe *probe, uint64_t now_ms,
                      struct sensors_reading *out)
{
    const char *folder = probe->folder;
    double value, most;

    (void)now_ms;
    if (sensors_number(folder, "power1_average", &value) ||
        sensors_number(folder, "power1_input", &value))
        sensors_set(out, SENSOR_POWER_W, value / 1e6);
    if (sensors_number(folder, "temp1_input", &value))
        sensors_set(out, SENSOR_TEMPERATURE_C, value / 1e3);
    if (*probe->memory && sensors_number(folder, probe->memory, &value))
        sensors_set(out, SENSOR_MEMORY_TEMPERATURE_C, value / 1e3);
    if (sensors_number(folder, "pwm1", &value) &&
        sensors_number(folder, "pwm1_max", &most) && most > 0)
        sensors_set(out, SENSOR_FAN_RATIO, value / most);
}

static void card_free(struct sensor_probe *probe)
{
    memory_free(probe);
}

const struct sensor_source sensors_card = {
    .name = "hwmon",
    .find = card_find,
    .read = card_read,
    .free = card_free,
};
