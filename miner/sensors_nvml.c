/*
 * sensors_nvml.c - an NVIDIA card's readings from the management library that comes with
 * its driver.
 *
 * The library is opened at run time and needs no header: its functions are few, and their
 * names and units are fixed (watts and joules in thousandths, fans in per cent).
 *
 * SPDX-License-Identifier: MIT
 */
#include <dlfcn.h>
#include <string.h>

#include "miner/base/memory.h"
#include "miner/sensors_source.h"

typedef struct nvml_device *nvml_handle;

enum { NVML_SUCCESS = 0, NVML_TEMPERATURE_GPU = 0, NVML_CLOCK_SM = 1 };

struct sensor_probe {
    void *library;
    nvml_handle device;
    int (*shutdown)(void);
    int (*power)(nvml_handle device, unsigned *milliwatts);
    int (*temperature)(nvml_handle device, unsigned sensor, unsigned *celsius);
    int (*fan)(nvml_handle device, unsigned *per_cent);
    int (*clock)(nvml_handle device, unsigned clock, unsigned *mhz);
    int (*energy)(nvml_handle device, unsigned long long *millijoules);
};

/* POSIX lets a symbol's address be taken for a function's; C has no cast for it. */
static bool symbol_take(void *library, const char *name, void *out)
{
    void *symbol = dlsym(library, name);

    memcpy(out, &symbol, sizeof symbol);
    return symbol;
}

static bool card_open(struct sensor_probe *probe, const char *bus)
{
    int (*init)(void);
    int (*find)(const char *bus, nvml_handle *device);

    if (!symbol_take(probe->library, "nvmlInit_v2", &init) ||
        !symbol_take(probe->library, "nvmlShutdown", &probe->shutdown) ||
        !symbol_take(probe->library, "nvmlDeviceGetHandleByPciBusId_v2", &find))
        return false;
    (void)symbol_take(probe->library, "nvmlDeviceGetPowerUsage", &probe->power);
    (void)symbol_take(probe->library, "nvmlDeviceGetTemperature", &probe->temperature);
    (void)symbol_take(probe->library, "nvmlDeviceGetFanSpeed", &probe->fan);
    (void)symbol_take(probe->library, "nvmlDeviceGetClockInfo", &probe->clock);
    (void)symbol_take(probe->library, "nvmlDeviceGetTotalEnergyConsumption",
                      &probe->energy);
    if (init() != NVML_SUCCESS)
        return false;
    if (find(bus, &probe->device) == NVML_SUCCESS)
        return true;
    (void)probe->shutdown(); /* it counts its users */
    return false;
}

static struct sensor_probe *nvml_find(const struct device_entry *entry,
                                      const struct sensors_options *options)
{
    if (!strchr(entry->info.bus, ':'))
        return NULL;
    struct sensor_probe *probe = memory_new(struct sensor_probe);
    if (!probe)
        return NULL;
    probe->library =
        dlopen(options->library ? options->library : "libnvidia-ml.so.1", RTLD_NOW);
    if (probe->library && card_open(probe, entry->info.bus))
        return probe;
    if (probe->library)
        dlclose(probe->library);
    memory_free(probe);
    return NULL;
}

static void nvml_read(struct sensor_probe *probe, uint64_t now_ms,
                      struct sensors_reading *out)
{
    unsigned long long energy;
    unsigned value;

    (void)now_ms;
    if (probe->power && probe->power(probe->device, &value) == NVML_SUCCESS)
        sensors_set(out, SENSOR_POWER_W, value / 1e3);
    if (probe->temperature &&
        probe->temperature(probe->device, NVML_TEMPERATURE_GPU, &value) == NVML_SUCCESS)
        sensors_set(out, SENSOR_TEMPERATURE_C, value);
    if (probe->fan && probe->fan(probe->device, &value) == NVML_SUCCESS)
        sensors_set(out, SENSOR_FAN_RATIO, value / 1e2);
    if (probe->clock &&
        probe->clock(probe->device, NVML_CLOCK_SM, &value) == NVML_SUCCESS)
        sensors_set(out, SENSOR_CLOCK_MHZ, value);
    if (probe->energy && probe->energy(probe->device, &energy) == NVML_SUCCESS)
        sensors_set(out, SENSOR_ENERGY_J, (double)energy / 1e3);
}

static void nvml_free(struct sensor_probe *probe)
{
    (void)probe->shutdown();
    dlclose(probe->library);
    memory_free(probe);
}

const struct sensor_source sensors_nvml = {
    .name = "nvml",
    .find = nvml_find,
    .read = nvml_read,
    .free = nvml_free,
};
