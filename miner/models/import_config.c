/*
 * import_config.c - fields of config.json into fields of the manifest, each with its
 * bounds.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "miner/models/import_kind.h"

enum status import_integer(struct import *import, const char *name, uint64_t min,
                           uint64_t max, uint64_t *out, struct error *err)
{
    const json_t *value = json_object_get(import->config, name);

    if (!json_is_integer(value))
        return error_set(err, STATUS_BAD_DATA,
                         "%s/config.json: %s is %s, expected %llu to %llu", import->from,
                         name, value ? "no integer" : "missing", (unsigned long long)min,
                         (unsigned long long)max);
    if (json_integer_value(value) < (json_int_t)min ||
        json_integer_value(value) > (json_int_t)max)
        return error_set(err, STATUS_BAD_DATA,
                         "%s/config.json: %s is %lld, expected %llu to %llu",
                         import->from, name, (long long)json_integer_value(value),
                         (unsigned long long)min, (unsigned long long)max);
    *out = (uint64_t)json_integer_value(value);
    if (manifest_set(&import->manifest.config, name, *out))
        return error_set(err, STATUS_FULL, "no room for %s in the manifest", name);
    return STATUS_OK;
}

enum status import_expect_text(const struct import *import, const char *name,
                               const char *expected, bool is_optional, struct error *err)
{
    const json_t *value = json_object_get(import->config, name);
    const char *text = json_string_value(value);

    if (is_optional && (!value || json_is_null(value)))
        return STATUS_OK;
    if (text && strcmp(text, expected) == 0)
        return STATUS_OK;
    return error_set(err, STATUS_NOT_SUPPORTED,
                     "%s/config.json: %s is \"%.40s\", expected %s", import->from, name,
                     text ? text : "", expected);
}

enum status import_constant(struct import *import, const char *name, float value,
                            struct error *err)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    if (manifest_set(&import->manifest.constants, name, bits))
        return error_set(err, STATUS_FULL, "no room for %s in the manifest", name);
    return STATUS_OK;
}
