/*
 * device_list.h - the devices of all backends under one numbering, and how a person picks
 * some.
 *
 * The number of a device is its place in the whole list, usable or not, so that it stays
 * the same from `minerva devices` to `-d 0,2` and to a log line.  Plain data, any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_DEVICE_LIST_H
#define MINERVA_MINER_DEVICE_LIST_H

#include "backends/backend.h"

enum { DEVICE_LIST_MAX = 64 };

struct device_entry {
    const struct backend *backend;
    uint32_t index;  /* the backend's own number, for device_open() */
    uint32_t number; /* ours */
    struct device_info info;
};

struct device_list {
    size_t count;
    struct device_entry entries[DEVICE_LIST_MAX];
};

/* Asks every backend of this build, in the table's order. */
MUST_CHECK enum status device_list_probe(struct device_list *out, struct error *err);

/* Keeps what words name, separated by commas: `all` (every usable device), a backend's
 * name (its usable devices), a number.  USAGE for an unknown word, ABSENT for a backend
 * that is not in this build, NO_DEVICE (with the device's own reason) for one that cannot
 * be used or when none is left. */
MUST_CHECK enum status device_list_select(struct device_list *list, const char *words,
                                          struct error *err);

#endif
