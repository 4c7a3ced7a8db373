/*
 * bert_case.c - worked cases of embeddings: read, imported, run in packs, compared bit
 * for bit.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/bert_case.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "backends/matmul.h"

static void read_case(const json_t *entry, const char *field, struct bert_cases *cases,
                      uint32_t index, uint64_t token)
{
    const json_t *ids = json_object_get(entry, "ids");
    const char *hex =
        json_string_value(json_object_get(json_object_get(entry, field), "hex"));

    cases->lengths[index] = (uint32_t)json_array_size(ids);
    for (size_t i = 0; i < json_array_size(ids); i++)
        cases->ids[token + i] = (int32_t)json_integer_value(json_array_get(ids, i));
    assert_non_null(hex);
    assert_true(hex_decode(hex, cases->vectors + (size_t)index * cases->width,
                           cases->width * sizeof(float)));
}

struct bert_cases bert_cases_read(const char *path, const char *field)
{
    json_t *file = json_load_file(path, 0, NULL);
    const json_t *list = json_object_get(file, "cases"), *entry;
    const json_t *shape =
        json_object_get(json_object_get(json_array_get(list, 0), field), "shape");
    struct bert_cases cases = {.count = (uint32_t)json_array_size(list)};
    uint64_t tokens = 0;
    size_t index;

    assert_true(cases.count > 0);
    cases.width = (uint32_t)json_integer_value(json_array_get(shape, 0));
    json_array_foreach(list, index, entry) tokens +=
        json_array_size(json_object_get(entry, "ids"));
    cases.lengths = memory_array(cases.count, sizeof *cases.lengths);
    cases.ids = memory_array(tokens, sizeof *cases.ids);
    cases.vectors =
        memory_array((size_t)cases.count * cases.width, sizeof *cases.vectors);
    tokens = 0;
    json_array_foreach(list, index, entry)
    {
        read_case(entry, field, &cases, (uint32_t)index, tokens);
        tokens += cases.lengths[index];
    }
    json_decref(file);
    return cases;
}

void bert_cases_free(struct bert_cases *cases)
{
    memory_free(cases->lengths);
    memory_free(cases->ids);
    memory_free(cases->vectors);
}

struct device *bert_device(uint32_t threads)
{
    const struct device_options options = {.threads = threads};
    struct device *device = NULL;
    struct error err = {0};

    assert_int_equal(device_open(backend_find("cpu"), 0, &options, &device, &err),
                     STATUS_OK);
    return device;
}

void bert_folder_new(char path[64])
{
    snprintf(path, 64, "/tmp/minerva-test-XXXXXX");
    assert_non_null(mkdtemp(path));
}

void bert_folder_remove(const char *path)
{
    DIR *folder = opendir(path);

    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder));) {
        char name[512];

        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            assert_int_equal(unlink(name), 0);
    }
    closedir(folder);
    assert_int_equal(rmdir(path), 0);
}

struct artifact *bert_import(const char *folder, enum precision precision)
{
    struct artifact *artifact = NULL;
    struct error err = {0};
    char to[64], id[65];

    bert_folder_new(to);
    if (model_import(folder, to, precision, id, &err) ||
        artifact_open(to, &artifact, &err))
        fail_msg("%s", err.text);
    assert_string_equal(artifact_id(artifact), id);
    bert_folder_remove(to);
    return artifact;
}

/* Cases first to end as one pack. */
static void expect_pack(struct model *model, struct matmul_port *port,
                        const struct bert_cases *cases, uint32_t first, uint32_t end)
{
    const size_t size = (size_t)(end - first) * cases->width;
    struct model_pack pack = {.index = first,
                              .items = end - first,
                              .lengths = cases->lengths + first,
                              .ids = cases->ids};
    struct model_fault fault = {0};
    float *vectors = memory_array(size, sizeof *vectors);

    for (uint32_t i = 0; i < first; i++)
        pack.ids += cases->lengths[i];
    assert_int_equal(model_embed(model, &pack, port, vectors, &fault), STATUS_OK);
    assert_false(fault.is_set);
    assert_memory_equal(vectors, cases->vectors + (size_t)first * cases->width,
                        size * sizeof *vectors);
    memory_free(vectors);
}

void bert_expect(struct device *device, const struct artifact *artifact,
                 const struct bert_cases *cases, uint32_t rows)
{
    struct model *model = NULL;
    struct matmul_port port;
    struct error err = {0};

    matmul_port_plain(&port, device);
    if (model_open(device, artifact, rows, &model, &err))
        fail_msg("%s", err.text);
    for (uint32_t first = 0; first < cases->count;) {
        uint32_t end = first, held = 0;

        while (end < cases->count && held + cases->lengths[end] <= rows)
            held += cases->lengths[end++];
        assert_true(end > first);
        expect_pack(model, &port, cases, first, end);
        first = end;
    }
    for (uint32_t i = 0; i < cases->count; i++)
        expect_pack(model, &port, cases, i, i + 1);
    model_close(model);
}
