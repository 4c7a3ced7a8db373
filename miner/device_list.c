/*
 * device_list.c - asks the backends for their devices and keeps those that a person
 * named.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/device_list.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/bytes.h"

enum { WORD_MAX = 32 };

enum status device_list_probe(struct device_list *out, struct error *err)
{
    assert(out);
    *out = (struct device_list){0};
    for (size_t b = 0; b < backend_count; b++) {
        const struct backend *backend = backend_table[b];
        struct device_info found[DEVICE_LIST_MAX];
        const size_t room = DEVICE_LIST_MAX - out->count;
        size_t count = 0;
        if (backend->absent || !room)
            continue;
        const enum status status = backend->probe(found, room, &count);
        if (status)
            return error_set(err, status, "%s: the devices could not be listed: %s",
                             backend->name, status_text(status));
        for (size_t i = 0; i < count && i < room; i++) {
            out->entries[out->count] =
                (struct device_entry){.backend = backend,
                                      .index = (uint32_t)i,
                                      .number = (uint32_t)out->count,
                                      .info = found[i]};
            out->count++;
        }
    }
    return STATUS_OK;
}

static enum status keep_number(const struct device_list *list, uint64_t number,
                               bool *keep, struct error *err)
{
    if (number >= list->count)
        return error_set(err, STATUS_NO_DEVICE,
                         "there is no device %llu, expected a number below %zu",
                         (unsigned long long)number, list->count);
    const struct device_entry *entry = &list->entries[number];
    if (entry->info.reason[0])
        return error_set(err, STATUS_NO_DEVICE, "device %llu (%s %s): %s",
                         (unsigned long long)number, entry->backend->name,
                         entry->info.name, entry->info.reason);
    keep[number] = true;
    return STATUS_OK;
}

/* Every usable device, or those of one backend. */
static enum status keep_backend(const struct device_list *list,
                                const struct backend *backend, bool *keep,
                                struct error *err)
{
    const char *reason = "the machine has none";
    bool found = false;

    for (size_t i = 0; i < list->count; i++) {
        const struct device_entry *entry = &list->entries[i];
        if (backend && entry->backend != backend)
            continue;
        if (entry->info.reason[0]) {
            reason = entry->info.reason;
            continue;
        }
        keep[i] = found = true;
    }
    return found ? STATUS_OK
                 : error_set(err, STATUS_NO_DEVICE, "no usable %s%sdevice: %s",
                             backend ? backend->name : "", backend ? " " : "", reason);
}

static enum status keep_word(const struct device_list *list, const char *word, bool *keep,
                             struct error *err)
{
    uint64_t number;

    if (!strcmp(word, "all"))
        return keep_backend(list, NULL, keep, err);
    if (u64_parse(word, UINT32_MAX, &number))
        return keep_number(list, number, keep, err);
    const struct backend *backend = backend_find(word);
    if (!backend)
        return error_set(
            err, STATUS_USAGE,
            "\"%s\" is no device, expected all, a backend's name or a number", word);
    if (backend->absent)
        return error_set(err, STATUS_ABSENT, "%s: %s", backend->name, backend->absent);
    return keep_backend(list, backend, keep, err);
}

enum status device_list_select(struct device_list *list, const char *words,
                               struct error *err)
{
    bool keep[DEVICE_LIST_MAX] = {false};
    size_t count = 0;

    assert(list);
    assert(words);
    for (const char *next = words;; next++) {
        char word[WORD_MAX];
        const size_t size = strcspn(next, ",");
        if (size == 0 || size >= sizeof(word))
            return error_set(err, STATUS_USAGE,
                             "\"%.60s\" names no devices, expected e.g. all, cpu or 0,2",
                             words);
        memcpy(word, next, size);
        word[size] = 0;
        const enum status status = keep_word(list, word, keep, err);
        if (status)
            return status;
        next += size;
        if (!*next)
            break;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (keep[i])
            list->entries[count++] = list->entries[i];
    }
    list->count = count;
    return STATUS_OK;
}
