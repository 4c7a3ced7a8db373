/*
 * nvml_shim.c - a stand-in for NVIDIA's management library with one card, whose fan is
 * not to be read; with NVML_SHIM=old in the environment neither are clock and energy.
 *
 * The card is at 41:00.0, or where the stand-in for the driver has its first.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct nvml_device *nvml_handle;

int nvmlInit_v2(void);
int nvmlShutdown(void);
int nvmlDeviceGetHandleByPciBusId_v2(const char *bus, nvml_handle *device);
int nvmlDeviceGetPowerUsage(nvml_handle device, unsigned *milliwatts);
int nvmlDeviceGetTemperature(nvml_handle device, unsigned sensor, unsigned *celsius);
int nvmlDeviceGetFanSpeed(nvml_handle device, unsigned *per_cent);
int nvmlDeviceGetClockInfo(nvml_handle device, unsigned clock, unsigned *mhz);
int nvmlDeviceGetTotalEnergyConsumption(nvml_handle device,
                                        unsigned long long *millijoules);

enum { DONE = 0, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6 };

/* The library counts who began with it. */
static int users;
static char card;

int nvmlInit_v2(void)
{
    users++;
    return DONE;
}

int nvmlShutdown(void)
{
    users--;
    return DONE;
}

int nvmlDeviceGetHandleByPciBusId_v2(const char *bus, nvml_handle *device)
{
    if (strcmp(bus, "41:00.0") != 0 && strcasecmp(bus, "1a:00.0") != 0)
        return NOT_FOUND;
    *device = (nvml_handle)(void *)&card;
    return DONE;
}

static int is_card(nvml_handle device)
{
    return users > 0 && (const char *)(void *)device == &card;
}

int nvmlDeviceGetPowerUsage(nvml_handle device, unsigned *milliwatts)
{
    *milliwatts = 338500;
    return is_card(device) ? DONE : INVALID_ARGUMENT;
}

int nvmlDeviceGetTemperature(nvml_handle device, unsigned sensor, unsigned *celsius)
{
    *celsius = 62;
    return is_card(device) && sensor == 0 ? DONE : INVALID_ARGUMENT;
}

int nvmlDeviceGetFanSpeed(nvml_handle device, unsigned *per_cent)
{
    (void)device;
    *per_cent = 99;
    return NOT_SUPPORTED;
}

static int is_old(void)
{
    const char *shim = getenv("NVML_SHIM");

    return shim && strcmp(shim, "old") == 0;
}

int nvmlDeviceGetClockInfo(nvml_handle device, unsigned clock, unsigned *mhz)
{
    *mhz = 1755;
    if (is_old())
        return NOT_SUPPORTED;
    return is_card(device) && clock == 1 ? DONE : INVALID_ARGUMENT;
}

/* Five joules are used between two questions. */
int nvmlDeviceGetTotalEnergyConsumption(nvml_handle device,
                                        unsigned long long *millijoules)
{
    static unsigned long long used;

    used += 5000;
    *millijoules = 1000000 + used;
    if (is_old())
        return NOT_SUPPORTED;
    return is_card(device) ? DONE : INVALID_ARGUMENT;
}
