/*
 * opencl_probe.c - lists platforms and their devices.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/opencl/opencl_probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "miner/base/memory.h"

enum {
    PLATFORMS_MAX = 16,
    EXTENSIONS_MAX = 1 << 20,
    /* Of extensions, by number, since headers differ in which they know. */
    PCI_BUS_INFO_KHR = 0x410f,
    PCI_BUS_ID_NV = 0x4008,
    PCI_SLOT_ID_NV = 0x4009,
    PCI_DOMAIN_ID_NV = 0x400a,
    TOPOLOGY_AMD = 0x4037,
    TOPOLOGY_TYPE_PCIE_AMD = 1,
    FREE_MEMORY_AMD = 0x4039,
    PCI_ID_NVIDIA = 0x10de,
    PCI_ID_AMD = 0x1002,
    PCI_ID_AMD_PROCESSORS = 0x1022,
    PCI_ID_INTEL = 0x8086,
};

struct pci_address {
    uint32_t domain, bus, device, function;
};

uint64_t opencl_device_number(const struct opencl_api *api, cl_device_id device,
                              cl_device_info what)
{
    uint64_t value = 0; /* little-endian: numbers of 4 bytes land in the low half */

    if (api->clGetDeviceInfo(device, what, sizeof value, &value, NULL))
        return 0;
    return value;
}

/* As a driver gives it: with a NUL, with blanks around it, or not at all. */
static void text_tidy(char *text, size_t cap, cl_int code)
{
    size_t size, blanks;

    text[cap - 1] = '\0';
    if (code)
        text[0] = '\0';
    blanks = strspn(text, " ");
    size = strlen(text + blanks);
    memmove(text, text + blanks, size + 1);
    while (size && text[size - 1] == ' ')
        text[--size] = '\0';
}

/* Drivers refuse a text that does not fit, so it is asked for in full first. */
enum { TEXT_SIZE = 512 };

void opencl_device_text(const struct opencl_api *api, cl_device_id device,
                        cl_device_info what, char *out, size_t cap)
{
    char text[TEXT_SIZE] = "";
    const cl_int code = api->clGetDeviceInfo(device, what, sizeof text - 1, text, NULL);

    text_tidy(text, sizeof text, code);
    snprintf(out, cap, "%.*s", (int)(cap - 1), text);
}

static void platform_text(const struct opencl_api *api, cl_platform_id platform,
                          cl_platform_info what, char *out, size_t cap)
{
    char text[TEXT_SIZE] = "";
    const cl_int code =
        api->clGetPlatformInfo(platform, what, sizeof text - 1, text, NULL);

    text_tidy(text, sizeof text, code);
    snprintf(out, cap, "%.*s", (int)(cap - 1), text);
}

bool opencl_device_has(const struct opencl_api *api, cl_device_id device,
                       const char *extension)
{
    const size_t size = strlen(extension);
    size_t needed = 0;
    bool found = false;

    if (api->clGetDeviceInfo(device, CL_DEVICE_EXTENSIONS, 0, NULL, &needed) ||
        needed > EXTENSIONS_MAX)
        return false;
    char *all = memory_array(needed + 1, 1);
    if (all && !api->clGetDeviceInfo(device, CL_DEVICE_EXTENSIONS, needed, all, NULL))
        for (const char *at = all; !found && (at = strstr(at, extension)); at += size)
            found = (at == all || at[-1] == ' ') && (!at[size] || at[size] == ' ');
    memory_free(all);
    return found;
}

static bool pci_khr(const struct opencl_api *api, cl_device_id device,
                    struct pci_address *out)
{
    return opencl_device_has(api, device, "cl_khr_pci_bus_info") &&
           !api->clGetDeviceInfo(device, PCI_BUS_INFO_KHR, sizeof *out, out, NULL);
}

static bool pci_nvidia(const struct opencl_api *api, cl_device_id device,
                       struct pci_address *out)
{
    cl_uint bus, slot, domain = 0;

    if (!opencl_device_has(api, device, "cl_nv_device_attribute_query") ||
        api->clGetDeviceInfo(device, PCI_BUS_ID_NV, sizeof bus, &bus, NULL) ||
        api->clGetDeviceInfo(device, PCI_SLOT_ID_NV, sizeof slot, &slot, NULL))
        return false;
    if (api->clGetDeviceInfo(device, PCI_DOMAIN_ID_NV, sizeof domain, &domain, NULL))
        domain = 0;
    *out = (struct pci_address){domain, bus, slot >> 3, slot & 7};
    return true;
}

static bool pci_amd(const struct opencl_api *api, cl_device_id device,
                    struct pci_address *out)
{
    struct { /* cl_device_topology_amd */
        uint32_t type;
        uint8_t unused[17], bus, device, function;
    } topology = {0};

    if (!opencl_device_has(api, device, "cl_amd_device_attribute_query") ||
        api->clGetDeviceInfo(device, TOPOLOGY_AMD, sizeof topology, &topology, NULL) ||
        topology.type != TOPOLOGY_TYPE_PCIE_AMD)
        return false;
    *out = (struct pci_address){0, topology.bus, topology.device, topology.function};
    return true;
}

static void bus_fill(const struct opencl_api *api, cl_device_id device,
                     struct device_info *info)
{
    struct pci_address at;

    snprintf(info->bus, sizeof info->bus, "-");
    if (!pci_khr(api, device, &at) && !pci_nvidia(api, device, &at) &&
        !pci_amd(api, device, &at))
        return;
    if (at.domain > 0xfffff || at.bus > 0xff || at.device > 0x1f || at.function > 7)
        return;
    if (at.domain)
        snprintf(info->bus, sizeof info->bus, "%04x:%02x:%02x.%x", at.domain, at.bus,
                 at.device, at.function);
    else
        snprintf(info->bus, sizeof info->bus, "%02x:%02x.%x", at.bus, at.device,
                 at.function);
}

static enum device_vendor vendor_of(uint64_t id, const char *name)
{
    if (id == PCI_ID_NVIDIA || strstr(name, "NVIDIA"))
        return VENDOR_NVIDIA;
    if (id == PCI_ID_AMD || id == PCI_ID_AMD_PROCESSORS ||
        strstr(name, "Advanced Micro Devices"))
        return VENDOR_AMD;
    return id == PCI_ID_INTEL || strstr(name, "Intel") ? VENDOR_INTEL : VENDOR_OTHER;
}

/* Why this program cannot use it, or nothing. */
static void reason_fill(const struct opencl_api *api, cl_device_id device,
                        struct device_info *info)
{
    char version[DEVICE_TEXT_MAX], profile[DEVICE_TEXT_MAX];
    unsigned major = 0, minor = 0;

    opencl_device_text(api, device, CL_DEVICE_VERSION, version, sizeof version);
    opencl_device_text(api, device, CL_DEVICE_PROFILE, profile, sizeof profile);
    if (!strncmp(version, "OpenCL ", 7)) {
        char *end;
        major = (unsigned)strtoul(version + 7, &end, 10);
        minor = *end == '.' ? (unsigned)strtoul(end + 1, NULL, 10) : 0;
    }
    if (10 * major + minor < 12)
        snprintf(info->reason, sizeof info->reason,
                 "it speaks %.40s, expected OpenCL 1.2 or newer: update its driver",
                 *version ? version : "no version");
    else if (strcmp(profile, "FULL_PROFILE") != 0)
        snprintf(info->reason, sizeof info->reason,
                 "its profile is %.40s, expected "
                 "FULL_PROFILE",
                 *profile ? profile : "unknown");
    else if (!opencl_device_number(api, device, CL_DEVICE_AVAILABLE))
        snprintf(info->reason, sizeof info->reason,
                 "its driver says it is not available");
    else if (!opencl_device_number(api, device, CL_DEVICE_COMPILER_AVAILABLE))
        snprintf(info->reason, sizeof info->reason,
                 "its driver has no compiler: install the driver's OpenCL compiler");
    else if (!opencl_device_number(api, device, CL_DEVICE_ENDIAN_LITTLE))
        snprintf(info->reason, sizeof info->reason, "it is big-endian");
}

/* 0 where the driver does not say. */
static uint64_t free_memory(const struct opencl_api *api, cl_device_id device)
{
    size_t kib[2] = {0, 0}; /* of all, of the largest piece */

    if (!opencl_device_has(api, device, "cl_amd_device_attribute_query") ||
        api->clGetDeviceInfo(device, FREE_MEMORY_AMD, sizeof kib, kib, NULL))
        return 0;
    return (uint64_t)kib[0] << 10;
}

static void info_fill(const struct opencl_api *api, const struct opencl_entry *entry,
                      struct device_info *info)
{
    const cl_device_id device = entry->device;
    const uint64_t type = opencl_device_number(api, device, CL_DEVICE_TYPE);
    char version[DEVICE_TEXT_MAX], vendor[DEVICE_TEXT_MAX], driver[DEVICE_TEXT_MAX];

    opencl_device_text(api, device, CL_DEVICE_NAME, info->name, sizeof info->name);
    opencl_device_text(api, device, CL_DRIVER_VERSION, driver, sizeof driver);
    opencl_device_text(api, device, CL_DEVICE_VENDOR, vendor, sizeof vendor);
    opencl_device_text(api, device, CL_DEVICE_VERSION, version, sizeof version);
    snprintf(info->driver, sizeof info->driver, "%.47s", driver);
    snprintf(info->detail, sizeof info->detail, "%.30s, driver %.40s", version, driver);
    info->vendor =
        vendor_of(opencl_device_number(api, device, CL_DEVICE_VENDOR_ID), vendor);
    info->is_gpu = type & CL_DEVICE_TYPE_GPU;
    info->is_integrated =
        info->is_gpu && opencl_device_number(api, device, CL_DEVICE_HOST_UNIFIED_MEMORY);
    info->memory_bytes = opencl_device_number(api, device, CL_DEVICE_GLOBAL_MEM_SIZE);
    info->memory_free_bytes = free_memory(api, device);
    info->piece_bytes = opencl_device_number(api, device, CL_DEVICE_MAX_MEM_ALLOC_SIZE);
    info->threads =
        (uint32_t)opencl_device_number(api, device, CL_DEVICE_MAX_COMPUTE_UNITS);
    bus_fill(api, device, info);
    reason_fill(api, device, info);
}

static struct opencl_entry *entry_add(struct opencl_entries *out)
{
    if (out->count == OPENCL_ENTRIES_MAX)
        return NULL;
    return &out->list[out->count++];
}

static void reason_add(struct opencl_entries *out, const char *reason)
{
    struct opencl_entry *entry = entry_add(out);

    if (!entry)
        return;
    snprintf(entry->info.bus, sizeof entry->info.bus, "-");
    snprintf(entry->info.reason, sizeof entry->info.reason, "%.159s", reason);
}

static void platform_add(struct opencl_entries *out, cl_platform_id platform)
{
    cl_device_id devices[OPENCL_ENTRIES_MAX];
    char name[DEVICE_TEXT_MAX], reason[DEVICE_TEXT_MAX + 64];
    cl_uint count = 0;

    if (out->api.clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, OPENCL_ENTRIES_MAX, devices,
                                &count) ||
        !count) {
        platform_text(&out->api, platform, CL_PLATFORM_NAME, name, sizeof name);
        snprintf(
            reason, sizeof reason,
            "platform %.60s has no device: is its card there, and may this user open it?",
            name);
        reason_add(out, reason);
        return;
    }
    for (cl_uint i = 0; i < count && i < OPENCL_ENTRIES_MAX; i++) {
        struct opencl_entry *entry = entry_add(out);

        if (!entry)
            return;
        entry->platform = platform;
        entry->device = devices[i];
        info_fill(&out->api, entry, &entry->info);
    }
}

void opencl_probe_all(struct opencl_entries *out)
{
    cl_platform_id platforms[PLATFORMS_MAX];
    cl_uint count = 0;
    struct error err;

    *out = (struct opencl_entries){.count = 0};
    if (opencl_api_load(&out->api, &err)) {
        reason_add(out, err.text);
        return;
    }
    if (out->api.clGetPlatformIDs(PLATFORMS_MAX, platforms, &count) || !count) {
        reason_add(out, "there is a loader but no OpenCL platform: install the OpenCL "
                        "part of the graphics driver");
        return;
    }
    for (cl_uint i = 0; i < count && i < PLATFORMS_MAX; i++)
        platform_add(out, platforms[i]);
}
