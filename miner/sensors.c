/*
 * sensors.c - every device's source, and the small files that two of them read.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/sensors_source.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "miner/base/memory.h"

static const struct sensor_source *const sources[] = {&sensors_nvml, &sensors_card,
                                                      &sensors_processor};

enum { SOURCES = sizeof sources / sizeof *sources, NUMBER_MAX = 64 };

struct sensors {
    size_t count;
    struct {
        const struct sensor_source *source; /* NULL: nobody knows anything of it */
        struct sensor_probe *probe;
    } devices[DEVICE_LIST_MAX];
};

enum status sensors_open(const struct device_list *devices,
                         const struct sensors_options *options, struct sensors **out)
{
    static const struct sensors_options usual = {.system = NULL};
    struct sensors *sensors = memory_new(struct sensors);

    if (!sensors)
        return STATUS_NO_MEMORY;
    sensors->count = devices->count;
    for (size_t i = 0; i < devices->count; i++)
        for (size_t s = 0; s < SOURCES && !sensors->devices[i].probe; s++) {
            sensors->devices[i].source = sources[s];
            sensors->devices[i].probe =
                sources[s]->find(&devices->entries[i], options ? options : &usual);
        }
    *out = sensors;
    return STATUS_OK;
}

void sensors_close(struct sensors *sensors)
{
    if (!sensors)
        return;
    for (size_t i = 0; i < sensors->count; i++)
        if (sensors->devices[i].probe)
            sensors->devices[i].source->free(sensors->devices[i].probe);
    memory_free(sensors);
}

void sensors_read(struct sensors *sensors, size_t device, uint64_t now_ms,
                  struct sensors_reading *out)
{
    *out = (struct sensors_reading){.is_known = {false}};
    if (device < sensors->count && sensors->devices[device].probe)
        sensors->devices[device].source->read(sensors->devices[device].probe, now_ms,
                                              out);
}

/* --- small files --- */

static bool line_read(const char *folder, const char *name, char text[NUMBER_MAX])
{
    char path[SENSORS_PATH_MAX];
    bool is_read = false;

    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return false;
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    is_read = fgets(text, NUMBER_MAX, file) != NULL;
    fclose(file);
    text[is_read ? strcspn(text, "\n") : 0] = 0;
    return is_read;
}

bool sensors_number(const char *folder, const char *name, double *out)
{
    char text[NUMBER_MAX], *end;

    if (!line_read(folder, name, text))
        return false;
    errno = 0;
    *out = strtod(text, &end);
    return end != text && !*end && !errno && *out >= 0 && *out < 1e18;
}

bool sensors_has_word(const char *folder, const char *name, const char *word)
{
    char text[NUMBER_MAX];

    return line_read(folder, name, text) && !strcmp(text, word);
}

bool sensors_each(const char *folder, const char *prefix, sensors_visit *visit,
                  void *context)
{
    DIR *listing = opendir(folder);
    const struct dirent *entry;
    bool is_found = false;

    if (!listing)
        return false;
    while (!is_found && (entry = readdir(listing))) {
        char path[SENSORS_PATH_MAX];
        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 ||
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) >=
                (int)sizeof path)
            continue;
        is_found = visit(path, context);
    }
    closedir(listing);
    return is_found;
}
