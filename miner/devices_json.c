/*
 * devices_json.c - the list of devices for programs.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/devices_json.h"

#include <jansson.h>
#include <string.h>

static json_t *device_object(const struct device_entry *entry)
{
    const struct device_info *info = &entry->info;

    return json_pack(
        "{s:i, s:s, s:s, s:s, s:s, s:I, s:i, s:b, s:s}", "number", (int)entry->number,
        "backend", entry->backend->name, "bus", info->bus, "name", info->name, "detail",
        info->detail, "memory_bytes", (json_int_t)info->memory_bytes, "threads",
        (int)info->threads, "usable", info->reason[0] == '\0', "reason", info->reason);
}

static json_t *absent_object(const struct backend *backend)
{
    return json_pack("{s:n, s:s, s:b, s:s}", "number", "backend", backend->name, "usable",
                     0, "reason", backend->absent);
}

/* NULL without memory. */
static json_t *list_object(const struct device_list *list)
{
    json_t *devices = json_array();
    int failed = !devices;

    for (size_t i = 0; !failed && i < list->count; i++)
        failed = json_array_append_new(devices, device_object(&list->entries[i]));
    for (size_t i = 0; !failed && i < backend_count; i++)
        if (backend_table[i]->absent)
            failed = json_array_append_new(devices, absent_object(backend_table[i]));
    if (failed) {
        json_decref(devices);
        return NULL;
    }
    return json_pack("{s:s, s:o}", "minerva", MINERVA_VERSION, "devices", devices);
}

static int append(const char *text, size_t size, void *out)
{
    return blob_add(out, text, size) ? -1 : 0;
}

enum status devices_json(const struct device_list *list, struct blob *out)
{
    json_t *object = list_object(list);
    const int failed = !object ||
                       json_dump_callback(object, append, out, JSON_INDENT(2)) ||
                       append("\n", 1, out);

    json_decref(object);
    return failed ? STATUS_NO_MEMORY : STATUS_OK;
}
