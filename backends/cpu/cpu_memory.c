/*
 * cpu_memory.c - asks the system and, where there is one, the control group.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/cpu/cpu_memory.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

static bool number_read(const char *path, uint64_t *out)
{
    FILE *file = fopen(path, "r");
    bool is_read;

    if (!file)
        return false;
    is_read = fscanf(file, "%" SCNu64, out) == 1; /* "max" is no number */
    fclose(file);
    return is_read;
}

/* What the control group still allows; UINT64_MAX: no group, or no limit. */
static uint64_t group_free(void)
{
    uint64_t limit, used;

    if (!number_read("/sys/fs/cgroup/memory.max", &limit) ||
        !number_read("/sys/fs/cgroup/memory.current", &used))
        return UINT64_MAX;
    return limit > used ? limit - used : 1;
}

uint64_t cpu_memory_total(void)
{
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);

    return pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : 0;
}

uint64_t cpu_memory_free(void)
{
    FILE *file = fopen("/proc/meminfo", "r");
    const uint64_t group = group_free();
    char line[128];
    uint64_t kib = 0;

    while (file && !kib && fgets(line, sizeof line, file))
        if (sscanf(line, "MemAvailable: %" SCNu64 " kB", &kib) != 1)
            kib = 0;
    if (file)
        fclose(file);
    if (!kib)
        return group < UINT64_MAX ? group : 0;
    return kib << 10 < group ? kib << 10 : group;
}
