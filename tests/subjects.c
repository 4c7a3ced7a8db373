/*
 * subjects.c - the devices of this machine that a test holds against the shared text.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/subjects.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DEVICES_MAX = 8 };

static const struct variant {
    const char *backend, *name;
} variants[] = {
#define CPU_MATMUL(row) {"cpu", #row},
#include "backends/cpu/cpu_matmul.def"
#undef CPU_MATMUL
#define CUDA_MATMUL(row) {"cuda", #row},
#include "backends/cuda/cuda_matmul.def"
#undef CUDA_MATMUL
#define OPENCL_MATMUL(row, block, dot) {"opencl", #row},
#include "backends/opencl/opencl_matmul.def"
#undef OPENCL_MATMUL
};

enum { VARIANTS = sizeof variants / sizeof variants[0] };

/* Whether SUBJECTS holds the word; nothing set holds all. */
static bool is_wanted(const char *name)
{
    const char *wanted = getenv("SUBJECTS");
    const size_t size = strlen(name);

    for (const char *word = wanted; word && *word; word += *word == ',') {
        const size_t length = strcspn(word, ",");
        if (length == size && !memcmp(word, name, size))
            return true;
        word += length;
    }
    return !wanted || !*wanted;
}

static void add(struct subject *list, size_t *count, const struct backend *backend,
                uint32_t index)
{
    const bool is_cpu = !strcmp(backend->name, "cpu");

    for (size_t v = 0; v < VARIANTS; v++) {
        struct subject *subject = &list[*count];

        if (strcmp(variants[v].backend, backend->name) ||
            !(is_wanted(backend->name) ||
              (variants[v].name && is_wanted(variants[v].name))))
            continue;
        assert_true(*count < SUBJECTS_MAX);
        *subject = (struct subject){
            .backend = backend, .index = index, .variant = variants[v].name};
        /* Those of OpenCL differ in their products only, and the last suits every device.
         */
        subject->has_texts = strcmp(backend->name, "opencl") != 0 || v + 1 == VARIANTS;
        snprintf(subject->name, sizeof subject->name, "%s %.*u%s%s", backend->name,
                 is_cpu ? 0 : 1, is_cpu ? 0 : index,
                 subject->variant && !is_cpu ? " " : "",
                 subject->variant ? subject->variant : "");
        ++*count;
    }
}

size_t subjects_find(struct subject *list)
{
    size_t count = 0;

    for (size_t b = 0; b < backend_count; b++) {
        const struct backend *backend = backend_table[b];
        struct device_info infos[DEVICES_MAX];
        size_t found = 0;

        if (backend->absent)
            continue;
        assert_int_equal(backend->probe(infos, DEVICES_MAX, &found), STATUS_OK);
        for (size_t i = 0; i < found && i < DEVICES_MAX; i++) {
            if (infos[i].reason[0])
                print_message("%s %zu: %s\n", backend->name, i, infos[i].reason);
            else
                add(list, &count, backend, (uint32_t)i);
        }
    }
    if (!count)
        fail_msg("no device that SUBJECTS names");
    return count;
}

struct device *subject_device(struct subject *subject, uint32_t threads)
{
    const struct device_options options = {.threads = threads,
                                           .variant = subject->variant};
    const bool is_cpu = !strcmp(subject->backend->name, "cpu");
    struct error err = {.status = STATUS_OK};

    if (subject->device && (!is_cpu || subject->threads == threads))
        return subject->device;
    subject_close(subject);
    const enum status status =
        device_open(subject->backend, subject->index, &options, &subject->device, &err);
    if (status == STATUS_ABSENT && subject->variant) {
        assert_non_null(strstr(err.text, subject->variant));
        assert_true(strlen(err.text) > strlen(subject->variant) + 10);
        print_message("%s\n", err.text);
        return NULL;
    }
    if (status)
        fail_msg("%s: %s", subject->name, error_text(&err));
    subject->threads = threads;
    return subject->device;
}

void subject_close(struct subject *subject)
{
    device_close(subject->device);
    subject->device = NULL;
}
