/*
 * device_list.h - the devices of all backends under one numbering, and how a person picks
 * some.
 *
 * They are numbered by PCI address, then those without one, then the processor, and last
 * what stands for a driver that is missing.  The number counts usable and other ones, so
 * that it stays the same from `minerva devices` to `-d 0,2` and to a log line.  Plain
 * data, any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_DEVICE_LIST_H
#define MINERVA_MINER_DEVICE_LIST_H

#include "backends/backend.h"

enum { DEVICE_LIST_MAX = 64 };

/* What is taken when a person names nothing: every GPU once, or else the processor. */
#define DEVICE_LIST_DEFAULT "auto"

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

/* Asks every backend of this build, and sorts. */
MUST_CHECK enum status device_list_probe(struct device_list *out, struct error *err);

/* Puts the entries in order and numbers them. */
void device_list_sort(struct device_list *list);

/* False: the entry only says why a backend has no devices here. */
bool device_entry_exists(const struct device_entry *entry);

/* Keeps what words name, separated by commas:
 *
 *     auto      every GPU once, through the better backend; without one, the processor
 *     all       the same and the processor
 *     cuda      a backend: all of its devices
 *     nvidia    a vendor (nvidia, amd, intel): its GPUs, each once
 *     2         a number of `minerva devices`
 *     01:00.0   a PCI address, once
 *     4090      part of a name, each card once
 *
 * auto, all and a vendor leave out what OpenCL offers besides GPUs of their own memory.
 * USAGE for an unknown word, ABSENT for a backend that is not in this build, NO_DEVICE
 * (with the device's own reason) for one that cannot be used or when a word names none.
 */
MUST_CHECK enum status device_list_select(struct device_list *list, const char *words,
                                          struct error *err);

#endif
