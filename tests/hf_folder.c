/*
 * hf_folder.c - copies of the tiny checkpoint that tests may spoil.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hf_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "miner/base/file.h"
#include "miner/base/memory.h"
#include "tests/bert_case.h"

static struct blob read_file(const char *folder, const char *file)
{
    struct blob data = blob_empty(64 << 20);
    char path[512];
    struct error err = {0};

    snprintf(path, sizeof path, "%s/%s", folder, file);
    if (file_read(path, &data, &err))
        fail_msg("%s", err.text);
    return data;
}

void hf_folder_write(const char *path, const char *file, const void *data, size_t size)
{
    char full[512];
    FILE *out;

    snprintf(full, sizeof full, "%s/%s", path, file);
    out = fopen(full, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(data, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
}

void hf_folder_new(char path[64])
{
    static const char *const files[] = {"config.json", "model.safetensors", "vocab.txt"};

    bert_folder_new(path);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct blob data = read_file(TEST_DATA "/models/tiny-bert", files[i]);

        hf_folder_write(path, files[i], data.data, data.size);
        blob_free(&data);
    }
}

void hf_folder_remove(const char *path)
{
    bert_folder_remove(path);
}

void hf_folder_set(const char *path, const char *file, const char *field, json_t *value)
{
    char full[512];
    json_t *root;

    snprintf(full, sizeof full, "%s/%s", path, file);
    root = json_load_file(full, 0, NULL);
    if (!root)
        root = json_object();
    if (value)
        assert_int_equal(json_object_set_new(root, field, value), 0);
    else
        (void)json_object_del(root, field);
    assert_int_equal(json_dump_file(root, full, 0), 0);
    json_decref(root);
}

void hf_folder_delete(const char *path, const char *file)
{
    char full[512];

    snprintf(full, sizeof full, "%s/%s", path, file);
    assert_int_equal(unlink(full), 0);
}

void hf_folder_edit(const char *path, hf_edit *edit, const void *context)
{
    struct blob file = read_file(path, "model.safetensors"), out = blob_empty(64 << 20);
    struct safetensors parsed;
    struct tensor *tensors;
    size_t count;
    struct error err = {0};

    assert_int_equal(safetensors_parse(blob_bytes(&file), &parsed, &err), STATUS_OK);
    count = parsed.count;
    tensors = memory_array(count + HF_TENSORS_MORE, sizeof *tensors);
    memcpy(tensors, parsed.tensors, count * sizeof *tensors);
    edit(tensors, &count, context);
    if (safetensors_write(tensors, count, &out, &err))
        fail_msg("%s", err.text);
    hf_folder_write(path, "model.safetensors", out.data, out.size);
    memory_free(tensors);
    safetensors_free(&parsed);
    blob_free(&file);
    blob_free(&out);
}

struct tensor *hf_tensor(struct tensor *tensors, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(tensors[i].name, name) == 0)
            return &tensors[i];
    }
    fail_msg("no tensor is called %s", name);
    return NULL;
}
