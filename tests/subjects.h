/*
 * subjects.h - the devices of this machine that a test holds against the shared text.
 *
 * Every row of the processor's table, and each usable device of the other backends with
 * each of its ways to multiply.  SUBJECTS=cuda,avx2 in the environment names the backends
 * and ways that are wanted; then it is a failure when there are none.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_SUBJECTS_H
#define MINERVA_TESTS_SUBJECTS_H

#include "backends/device.h"

enum { SUBJECTS_MAX = 128, SUBJECT_NAME_SIZE = 64 };

struct subject {
    const struct backend *backend;
    uint32_t index;
    const char *variant;          /* NULL: the device's own choice */
    char name[SUBJECT_NAME_SIZE]; /* "cpu avx2", "opencl 0" */
    bool has_texts; /* the way that is tried with all texts: they are the same for some */
    struct device *device; /* once it was asked for */
    uint32_t threads;
};

/* How many were written to list, which holds SUBJECTS_MAX. */
size_t subjects_find(struct subject *list);
/* The open device; only a processor is opened anew for another number of threads.  NULL:
 * the machine lacks the variant, which was said. */
struct device *subject_device(struct subject *subject, uint32_t threads);
void subject_close(struct subject *subject);

#endif
