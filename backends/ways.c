/*
 * ways.c - which ways on trial are used, and what was seen of them.
 *
 * A file holds the key, then for each way its name, its state and its rate.
 *
 * SPDX-License-Identifier: MIT
 */
#include "backends/ways.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "backends/kept.h"
#include "miner/base/log.h"

enum {
    ONE = 1000, /* permille of as fast */
    ENTRY_SIZE = WAY_NAME_SIZE + 4 + 4,
    KEY_SHOWN = 8, /* bytes of the key in a file's name */
    PATH_NAME_SIZE = 8 + 2 * KEY_SHOWN,
};

struct way_pattern way_pattern_of(const struct pattern *pattern)
{
    struct way_pattern out;

    memcpy(out.length, pattern->length, sizeof out.length);
    memcpy(out.stride, pattern->stride, sizeof out.stride);
    return out;
}

struct way *ways_find(struct ways *ways, const char *name)
{
    assert(ways->count <= WAYS_MAX);
    for (uint32_t i = 0; i < ways->count; i++)
        if (!strcmp(ways->list[i].name, name))
            return &ways->list[i];
    return NULL;
}

static bool is_right(const struct way *way)
{
    return way->state == WAY_USED || way->state == WAY_SLOWER;
}

static bool is_same_pattern(const struct way *a, const struct way *b)
{
    return !memcmp(&a->rows, &b->rows, sizeof a->rows) &&
           !memcmp(&a->columns, &b->columns, sizeof a->columns);
}

/* The earlier of two that are as fast. */
static bool is_fastest(const struct ways *ways, const struct way *way)
{
    for (const struct way *other = ways->list; other < ways->list + ways->count; other++)
        if (is_right(other) && is_same_pattern(other, way) &&
            (other->permille > way->permille ||
             (other->permille == way->permille && other < way)))
            return false;
    return true;
}

void ways_choose(struct ways *ways)
{
    for (struct way *way = ways->list; way < ways->list + ways->count; way++)
        if (is_right(way))
            way->state =
                way->permille > ONE && is_fastest(ways, way) ? WAY_USED : WAY_SLOWER;
}

static void name_make(const struct ways *ways, char name[PATH_NAME_SIZE])
{
    char hex[2 * KEY_SHOWN + 1];

    hex_encode(ways->key, KEY_SHOWN, hex);
    snprintf(name, PATH_NAME_SIZE, "ways-%s", hex);
}

static bool ways_read(struct ways *ways, struct bytes from)
{
    if (from.size < WAYS_KEY_SIZE || (from.size - WAYS_KEY_SIZE) % ENTRY_SIZE ||
        memcmp(from.data, ways->key, WAYS_KEY_SIZE) != 0)
        return false;
    for (size_t at = WAYS_KEY_SIZE; at < from.size; at += ENTRY_SIZE) {
        const uint8_t *entry = from.data + at;
        const uint32_t state = u32_load(entry + WAY_NAME_SIZE);
        struct way *way =
            entry[WAY_NAME_SIZE - 1] ? NULL : ways_find(ways, (const char *)entry);

        if (!way || state >= WAY_STATES)
            return false;
        way->state = (enum way_state)state;
        way->permille = u32_load(entry + WAY_NAME_SIZE + 4);
    }
    return true;
}

enum status ways_load(struct ways *ways, const char *folder)
{
    struct blob kept = blob_empty(KEPT_MAX);
    char name[PATH_NAME_SIZE];

    name_make(ways, name);
    enum status status = kept_get(folder, name, &kept);
    if (!status) {
        struct ways read = *ways;

        if (ways_read(&read, blob_bytes(&kept)))
            *ways = read;
        else
            log_debug("ways", "%s/%s is of something else: as if it were not there",
                      folder, name);
    }
    blob_free(&kept);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status ways_keep(const struct ways *ways, const char *folder, struct error *err)
{
    uint8_t data[WAYS_KEY_SIZE + WAYS_MAX * ENTRY_SIZE] = {0};
    char name[PATH_NAME_SIZE];

    memcpy(data, ways->key, WAYS_KEY_SIZE);
    for (uint32_t i = 0; i < ways->count; i++) {
        uint8_t *entry = data + WAYS_KEY_SIZE + (size_t)i * ENTRY_SIZE;

        memcpy(entry, ways->list[i].name, WAY_NAME_SIZE);
        u32_store(entry + WAY_NAME_SIZE, ways->list[i].state);
        u32_store(entry + WAY_NAME_SIZE + 4, ways->list[i].permille);
    }
    name_make(ways, name);
    return kept_put(folder, name,
                    bytes_of(data, WAYS_KEY_SIZE + (size_t)ways->count * ENTRY_SIZE),
                    err);
}
