/*
 * cuda_probe.c - which cards there are, and why one cannot be used.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>

#include "backends/cuda/cuda_calls.h"
#include "backends/cuda/cuda_images.h"

/* What products are shaped by: a card without an answer cannot be used. */
static int traits_fill(const struct cuda_driver *driver, int device,
                       struct cuda_traits *traits, struct device_info *info)
{
    static const int which[] = {CUDA_ATTRIBUTE_MAJOR, CUDA_ATTRIBUTE_MINOR,
                                CUDA_ATTRIBUTE_PROCESSORS, CUDA_ATTRIBUTE_SHARED_MAX,
                                CUDA_ATTRIBUTE_INTEGRATED};
    int values[sizeof which / sizeof which[0]] = {0}, code = CUDA_OK;

    for (size_t i = 0; !code && i < sizeof which / sizeof which[0]; i++)
        code = driver->device_attribute(&values[i], which[i], device);
    traits->capability = (uint32_t)(10 * values[0] + values[1]);
    traits->processors = (uint32_t)(values[2] > 0 ? values[2] : 1);
    traits->shared_max = (uint32_t)values[3];
    info->is_integrated = values[4] != 0;
    return code;
}

/* "0000:01:00.0" as "01:00.0": other domains are rare and stay. */
static void bus_fill(const struct cuda_driver *driver, int device,
                     struct device_info *info)
{
    char text[32] = "";

    if (driver->device_bus(text, sizeof text, device) || !text[0])
        memcpy(text, "-", 2);
    for (char *c = text; *c; c++)
        if (*c >= 'A' && *c <= 'F')
            *c = (char)(*c - 'A' + 'a');
    snprintf(info->bus, sizeof info->bus, "%.15s",
             strncmp(text, "0000:", 5) == 0 ? text + 5 : text);
}

/* "580.65.06, CUDA 13.0": the first only where the kernel module tells. */
static void driver_fill(int version, struct device_info *info)
{
    char line[256] = "", number[24] = "";
    FILE *file = fopen("/proc/driver/nvidia/version", "re");
    const char *at = NULL;

    if (file && fgets(line, sizeof line, file))
        at = strstr(line, "Module");
    if (file)
        (void)fclose(file);
    at = at ? strpbrk(at, "0123456789") : NULL;
    if (at)
        snprintf(number, sizeof number, "%.*s, ",
                 (int)(strspn(at, "0123456789.") % (sizeof number - 3)), at);
    snprintf(info->driver, sizeof info->driver, "%sCUDA %d.%d", number, version / 1000,
             version % 1000 / 10);
}

/* Versions as the driver counts them: 13020 is 13.2.  Kernels of the same major version
 * run on every driver of it. */
static void reason_fill(int driver_version, const struct cuda_traits *traits,
                        struct device_info *info)
{
    if (driver_version / 1000 < cuda_images_version / 1000)
        snprintf(info->reason, sizeof info->reason,
                 "the driver speaks CUDA %d.%d, the kernels of this build need %d.0: "
                 "update the driver, or use OpenCL",
                 driver_version / 1000, driver_version % 1000 / 10,
                 cuda_images_version / 1000);
    else if (traits->capability < CUDA_CAPABILITY_MIN)
        snprintf(info->reason, sizeof info->reason,
                 "compute capability %u.%u, expected %u.%u or higher: use OpenCL",
                 traits->capability / 10, traits->capability % 10,
                 CUDA_CAPABILITY_MIN / 10, CUDA_CAPABILITY_MIN % 10);
}

void cuda_info_fill(const struct cuda_driver *driver, int index, struct device_info *info,
                    struct cuda_traits *traits, int *number)
{
    char text[CUDA_SENTENCE_MAX];
    size_t size = 0;
    int version = 0, code;

    *info = (struct device_info){.bus = "-", .name = "-"};
    *traits = (struct cuda_traits){.capability = 0};
    code = driver->device_get(number, index);
    if (!code)
        code = driver->device_name(info->name, sizeof info->name, *number);
    if (!code)
        code = driver->device_memory(&size, *number);
    if (!code)
        code = driver->driver_version(&version);
    if (!code)
        code = traits_fill(driver, *number, traits, info);
    if (code) {
        snprintf(info->reason, sizeof info->reason, "%s",
                 cuda_driver_text(driver, code, text, sizeof text));
        return;
    }
    info->memory_bytes = size;
    info->threads = traits->processors;
    info->vendor = VENDOR_NVIDIA;
    info->is_gpu = true;
    info->products_ahead = 1;
    snprintf(info->capability, sizeof info->capability, "%u.%u", traits->capability / 10,
             traits->capability % 10);
    driver_fill(version, info);
    snprintf(info->detail, sizeof info->detail, "compute %s, driver %s", info->capability,
             info->driver);
    bus_fill(driver, *number, info);
    reason_fill(version, traits, info);
}

/* Only a context knows what is free; a card that gives none cannot be used. */
static void free_fill(const struct cuda_driver *driver, int number,
                      struct device_info *info)
{
    struct cuda_context *context = NULL;
    char text[CUDA_SENTENCE_MAX];
    size_t free_size = 0, size = 0;
    int code = driver->primary_retain(&context, number);

    if (!code) {
        code = driver->context_set(context);
        if (!code)
            code = driver->memory_info(&free_size, &size);
        (void)driver->context_set(NULL);
        (void)driver->primary_release(number);
    }
    if (code)
        snprintf(info->reason, sizeof info->reason, "%s",
                 cuda_driver_text(driver, code, text, sizeof text));
    info->memory_free_bytes = free_size;
}

static void nothing_fill(const char *reason, struct device_info *out)
{
    *out = (struct device_info){.bus = "-", .name = "-"};
    snprintf(out->reason, sizeof out->reason, "%.159s", reason);
}

enum status cuda_probe(struct device_info *list, size_t cap, size_t *count)
{
    struct cuda_driver driver;
    struct cuda_traits traits;
    struct error err = {0};
    int there = 0, number;

    *count = 0;
    if (!cap)
        return STATUS_OK;
    if (cuda_driver_open(&driver, &err)) {
        nothing_fill(error_text(&err), &list[0]);
        *count = 1;
        return STATUS_OK;
    }
    if (driver.device_count(&there) || there <= 0) {
        nothing_fill("the driver knows no device", &list[0]);
        *count = 1;
        there = 0;
    }
    for (int i = 0; i < there && (size_t)i < cap; i++) {
        cuda_info_fill(&driver, i, &list[i], &traits, &number);
        if (!list[i].reason[0])
            free_fill(&driver, number, &list[i]);
        (*count)++;
    }
    cuda_driver_close(&driver);
    return STATUS_OK;
}
