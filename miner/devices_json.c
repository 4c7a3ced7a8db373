/*
 * devices_json.c - the list of devices for programs.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/devices_json.h"

#include <string.h>

#include "miner/write_json.h"

static json_t *trial_object(const struct device_trial *trial)
{
    if (!trial->is_run)
        return json_null();
    return json_pack("{s:b, s:f, s:s}", "passed", trial->is_passed, "seconds",
                     trial->seconds, "reason",
                     trial->is_passed ? "" : error_text(&trial->err));
}

static const char *vendor_text(enum device_vendor vendor)
{
    static const char *const texts[] = {
        [VENDOR_NVIDIA] = "nvidia", [VENDOR_AMD] = "amd", [VENDOR_INTEL] = "intel"};

    return vendor == VENDOR_OTHER ? "" : texts[vendor];
}

/* Those on trial; times: as fast as the rival, null where it was not measured. */
static json_t *ways_array(const struct ways *ways)
{
    static const char *const states[WAY_STATES] = {[WAY_UNTRIED] = "untried",
                                                   [WAY_USED] = "used",
                                                   [WAY_SLOWER] = "slower",
                                                   [WAY_WRONG] = "wrong",
                                                   [WAY_STUCK] = "stuck"};
    json_t *list = json_array();
    int failed = !list;

    for (uint32_t i = 0; !failed && i < ways->count; i++) {
        const struct way *way = &ways->list[i];
        json_t *times = way->permille ? json_real(way->permille / 1000.0) : json_null();

        failed = json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:o}", "name", way->name, "state",
                            states[way->state], "rival", way->rival, "times", times));
    }
    if (!failed)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *device_object(const struct device_entry *entry,
                             const struct device_trial *trial)
{
    const struct device_info *info = &entry->info;
    json_t *what = json_pack(
        "{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "number", (int)entry->number,
        "backend", entry->backend->name, "bus", info->bus, "name", info->name, "detail",
        info->detail, "driver", info->driver, "capability", info->capability, "variant",
        info->variant, "vendor", vendor_text(info->vendor));
    json_t *state = json_pack(
        "{s:b, s:b, s:I, s:I, s:i, s:b, s:s, s:o, s:o}", "gpu", info->is_gpu,
        "integrated", info->is_integrated, "memory_bytes", (json_int_t)info->memory_bytes,
        "memory_free_bytes", (json_int_t)info->memory_free_bytes, "threads",
        (int)info->threads, "usable", !info->reason[0], "reason", info->reason,
        "selftest", trial_object(trial), "ways", ways_array(&info->ways));

    if (!what || !state || json_object_update(what, state)) {
        json_decref(what);
        what = NULL;
    }
    json_decref(state);
    return what;
}

static json_t *absent_object(const struct backend *backend)
{
    return json_pack("{s:n, s:s, s:b, s:s}", "number", "backend", backend->name, "usable",
                     0, "reason", backend->absent);
}

/* NULL without memory. */
static json_t *list_object(const struct device_list *list,
                           const struct device_trial *trials)
{
    json_t *devices = json_array();
    int failed = !devices;

    for (size_t i = 0; !failed && i < list->count; i++)
        failed =
            json_array_append_new(devices, device_object(&list->entries[i], &trials[i]));
    for (size_t i = 0; !failed && i < backend_count; i++)
        if (backend_table[i]->absent)
            failed = json_array_append_new(devices, absent_object(backend_table[i]));
    if (failed) {
        json_decref(devices);
        return NULL;
    }
    return json_pack("{s:s, s:o}", "minerva", MINERVA_VERSION, "devices", devices);
}

enum status devices_json(const struct device_list *list,
                         const struct device_trial *trials, struct blob *out)
{
    return write_json(list_object(list, trials), JSON_INDENT(2), out);
}
