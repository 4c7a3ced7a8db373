/*
 * device_list.c - asks the backends for their devices and gives each its number.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/device_list.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "miner/pci_address.h"

enum group { /* in the order of the list */
             GROUP_ADDRESSED,
             GROUP_UNADDRESSED,
             GROUP_PROCESSOR,
             GROUP_NOTHING
};

bool device_entry_exists(const struct device_entry *entry)
{
    return entry->info.name[0] && strcmp(entry->info.name, "-") != 0;
}

static enum group group_of(const struct device_entry *entry, struct pci_address *address)
{
    *address = (struct pci_address){0};
    if (!device_entry_exists(entry))
        return GROUP_NOTHING;
    if (entry->backend == backend_find("cpu"))
        return GROUP_PROCESSOR;
    return pci_address_parse(entry->info.bus, address) ? GROUP_ADDRESSED
                                                       : GROUP_UNADDRESSED;
}

/* The place in the table: the better one first. */
static size_t backend_rank(const struct backend *backend)
{
    size_t rank = 0;

    while (rank < backend_count && backend_table[rank] != backend)
        rank++;
    return rank;
}

static int entry_order(const void *left, const void *right)
{
    const struct device_entry *a = left, *b = right;
    struct pci_address address_a, address_b;
    const enum group group_a = group_of(a, &address_a), group_b = group_of(b, &address_b);
    const int by_address = pci_address_order(&address_a, &address_b);
    const size_t rank_a = backend_rank(a->backend), rank_b = backend_rank(b->backend);

    if (group_a != group_b)
        return group_a < group_b ? -1 : 1;
    if (by_address)
        return by_address;
    if (rank_a != rank_b)
        return rank_a < rank_b ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

void device_list_sort(struct device_list *list)
{
    assert(list->count <= DEVICE_LIST_MAX);
    qsort(list->entries, list->count, sizeof list->entries[0], entry_order);
    for (size_t i = 0; i < list->count; i++)
        list->entries[i].number = (uint32_t)i;
}

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
        for (size_t i = 0; i < count && i < room; i++)
            out->entries[out->count++] = (struct device_entry){
                .backend = backend, .index = (uint32_t)i, .info = found[i]};
    }
    device_list_sort(out);
    return STATUS_OK;
}
