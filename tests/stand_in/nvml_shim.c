/*
 * nvml_shim.c - a stand-in for NVIDIA's management library with one card, whose fan is
 * not to be read.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

typedef struct nvml_device *nvml_handle;

int nvmlInit_v2(void);
int nvmlShutdown(void);
int nvmlDeviceGetHandleByPciBusId_v2(const char *bus, nvml_handle *device);
int nvmlDeviceGetPowerUsage(nvml_handle device, unsigned *milliwatts);
int nvmlDeviceGetTemperature(nvml_handle device, unsigned sensor, unsigned *celsius);
int nvmlDeviceGetFanSpeed(nvml_handle device, unsigned *per_cent);

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
    if (strcmp(bus, "41:00.0") != 0)
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
