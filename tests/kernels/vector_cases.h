/*
 * vector_cases.h - what the runners of tests/vectors share: reading cases, running a
 * kernel over a range split between threads, comparing bit for bit.
 *
 * Static, because the build matrix compiles a runner with nothing but the kernels.
 * TEST_DATA is the folder of vectors.  A case that cannot be read ends the program.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_KERNELS_VECTOR_CASES_H
#define MINERVA_TESTS_KERNELS_VECTOR_CASES_H

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "miner/base/memory.h"

enum { THREADS_MAX = 8 };
static const uint32_t thread_counts[] = {1, 2, 3, THREADS_MAX};
enum { THREAD_COUNTS = sizeof thread_counts / sizeof thread_counts[0] };

/* Memory of the running case, freed all at once. */
static void *held[256];
static size_t held_count;

static inline void *room(size_t count, size_t size)
{
    void *pointer = memory_array(count, size);

    if (!pointer || held_count == sizeof held / sizeof held[0])
        abort();
    return held[held_count++] = pointer;
}

static inline void room_clear(void)
{
    while (held_count > 0)
        memory_free(held[--held_count]);
}

static inline json_t *cases_read(const char *name)
{
    char path[512];
    json_error_t error;
    json_t *root;

    snprintf(path, sizeof path, "%s/%s", TEST_DATA, name);
    root = json_load_file(path, 0, &error);
    if (!root) {
        fprintf(stderr, "%s: %s, line %d\n", path, error.text, error.line);
        exit(1);
    }
    return root;
}

static inline unsigned nibble(char digit)
{
    return (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

/* Lower-case hex as bytes. */
static inline uint8_t *hex_read(const char *hex, size_t *size)
{
    uint8_t *bytes;

    *size = strlen(hex) / 2;
    bytes = room(*size, 1);
    for (size_t i = 0; i < *size; i++)
        bytes[i] = (uint8_t)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
    return bytes;
}

static inline bool hex_equal(const char *what, const uint8_t *bytes, const char *hex)
{
    size_t size;
    const uint8_t *want = hex_read(hex, &size);
    const bool is_equal = memcmp(bytes, want, size) == 0;

    if (!is_equal)
        printf("%s differs\n", what);
    return is_equal;
}

struct values {                 /* one array of a case */
    void *data;                 /* NULL: the case has none of this name */
    size_t size, rows, columns; /* bytes; one-dimensional ones are one column */
};

static inline struct values values_read(const json_t *item, const char *name)
{
    const json_t *object = json_object_get(item, name);
    const json_t *shape = json_object_get(object, "shape");
    struct values out = {0};

    if (!object)
        return out;
    out.data = hex_read(json_string_value(json_object_get(object, "hex")), &out.size);
    out.rows = (size_t)json_integer_value(json_array_get(shape, 0));
    out.columns = json_array_size(shape) > 1
                      ? (size_t)json_integer_value(json_array_get(shape, 1))
                      : 1;
    return out;
}

struct part {
    pthread_t thread;
    const struct kernel_info *kernel;
    uint64_t first, last;
    void *const *views;
    const union scalar *scalars;
};

static inline void *part_run(void *arg)
{
    const struct part *part = arg;

    part->kernel->run(part->first, part->last, part->views, part->scalars);
    return NULL;
}

/* A kernel over [0, count), each thread its slice. */
static inline void kernel_split(enum kernel kernel, uint64_t count, uint32_t threads,
                                void *const *views, const union scalar *scalars)
{
    struct part parts[THREADS_MAX];

    for (uint32_t i = 0; i < threads; i++) {
        parts[i] = (struct part){.kernel = &kernel_table[kernel],
                                 .first = count * i / threads,
                                 .last = count * (i + 1) / threads,
                                 .views = views,
                                 .scalars = scalars};
        if (pthread_create(&parts[i].thread, NULL, part_run, &parts[i]))
            abort();
    }
    for (uint32_t i = 0; i < threads; i++)
        pthread_join(parts[i].thread, NULL);
}

#define VIEWS(...)   ((void *const[]){__VA_ARGS__})
#define SCALARS(...) ((const union scalar[]){__VA_ARGS__})

#endif
