/*
 * test_artifact.c - claims that an artifact opens only when every field of its manifest,
 * every tensor and its vocabulary are what they should be, and that an open one answers
 * truly.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernels/blake3_host.h"
#include "miner/base/file.h"
#include "miner/base/memory.h"
#include "tests/bert_case.h"
#include "tests/hf_folder.h"

static void artifact_new(char path[64])
{
    char id[65];
    struct error err = {0};

    bert_folder_new(path);
    if (model_import(TEST_DATA "/models/tiny-bert", path, PRECISION_W7A14, id, &err))
        fail_msg("%s", err.text);
}

static void expect_refusal(const char *folder, const char *text)
{
    struct artifact *artifact = NULL;
    struct error err = {0};

    assert_int_not_equal(artifact_open(folder, &artifact, &err), STATUS_OK);
    assert_string_not_equal(err.text, "");
    if (!strstr(err.text, text))
        fail_msg("\"%s\" does not hold \"%s\"", err.text, text);
}

static json_t *manifest_read(const char *folder)
{
    char path[128];
    json_t *root;

    snprintf(path, sizeof path, "%s/manifest.json", folder);
    root = json_load_file(path, 0, NULL);
    assert_non_null(root);
    return root;
}

static void manifest_put(const char *folder, const json_t *root)
{
    char *text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);

    hf_folder_write(folder, "manifest.json", text, strlen(text));
    free(text);
}

/* ---- every field
 * ----------------------------------------------------------------------------- */

struct spot { /* where a value stands */
    json_t *parent;
    const char *key; /* NULL: of a list */
    size_t index;
};

static void spot_set(const struct spot *spot, json_t *value)
{
    if (spot->key)
        assert_int_equal(json_object_set(spot->parent, spot->key, value), 0);
    else
        assert_int_equal(json_array_set(spot->parent, spot->index, value), 0);
}

/* Values of every type but the one that stands there, and integers that no field may
 * have. */
static void try_wrong_values(const char *folder, const json_t *root,
                             const struct spot *spot, json_t *good)
{
    json_t *const bad[] = {
        json_null(),
        json_true(),
        json_false(),
        json_integer(-1),
        json_integer(INT64_MAX),
        json_real(1.5),
        json_array(),
        json_object(),
        json_string(""),
        json_string("x\"y"),
        json_string("\xc3\xa9"),
        json_string("\n"),
    };

    json_incref(good);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const bool is_list = json_is_array(good) && json_is_array(bad[i]);
        const bool is_object = json_is_object(good) && json_is_object(bad[i]);

        if (!is_list && !is_object) {
            spot_set(spot, bad[i]);
            manifest_put(folder, root);
            expect_refusal(folder, "manifest.json");
        }
    }
    spot_set(spot, good);
    json_decref(good);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        json_decref(bad[i]);
}

/* Of a list the first two entries speak for all. */
static void try_all(const char *folder, const json_t *root, json_t *value,
                    uint32_t *tried)
{
    const char *key;
    json_t *entry;
    size_t index;
    void *next;

    if (json_is_object(value)) {
        json_object_foreach_safe(value, next, key, entry)
        {
            const struct spot spot = {.parent = value, .key = key};

            try_wrong_values(folder, root, &spot, entry);
            try_all(folder, root, json_object_get(value, key), tried);
            ++*tried;
        }
    } else if (json_is_array(value)) {
        json_array_foreach(value, index, entry)
        {
            const struct spot spot = {.parent = value, .index = index};

            if (index >= 2)
                break;
            try_wrong_values(folder, root, &spot, entry);
            try_all(folder, root, json_array_get(value, index), tried);
            ++*tried;
        }
    }
}

static void every_field_of_the_wrong_type(void **state)
{
    char folder[64];
    struct artifact *artifact;
    struct error err = {0};
    json_t *root;
    uint32_t tried = 0;

    (void)state;
    artifact_new(folder);
    root = manifest_read(folder);
    try_all(folder, root, root, &tried);
    assert_true(tried > 40);
    manifest_put(folder, root); /* put together again it opens: nothing else was wrong */
    if (artifact_open(folder, &artifact, &err))
        fail_msg("%s", err.text);
    artifact_close(artifact);
    json_decref(root);
    bert_folder_remove(folder);
}

/* Every field left out, and one field too many in every object. */
static void try_absence(const char *folder, const json_t *root, json_t *object)
{
    json_t *names = json_array(), *name;
    const char *key;
    json_t *entry;
    size_t index;

    json_object_foreach(object, key, entry)
        json_array_append_new(names, json_string(key));
    json_array_foreach(names, index, name)
    {
        key = json_string_value(name);
        entry = json_incref(json_object_get(object, key));
        assert_int_equal(json_object_del(object, key), 0);
        manifest_put(folder, root);
        expect_refusal(folder, strcmp(key, "precision") ? "manifest.json" : "");
        assert_int_equal(json_object_set_new(object, key, entry), 0);
        if (json_is_object(entry) && strcmp(key, "precision") != 0)
            try_absence(folder, root, entry);
    }
    json_decref(names);
    assert_int_equal(json_object_set_new(object, "zebra", json_true()), 0);
    manifest_put(folder, root);
    expect_refusal(folder, "manifest.json");
    assert_int_equal(json_object_del(object, "zebra"), 0);
}

static void every_field_missing_or_too_many(void **state)
{
    char folder[64];
    json_t *root;

    (void)state;
    artifact_new(folder);
    root = manifest_read(folder);
    try_absence(folder, root, root);
    try_absence(folder, root, json_array_get(json_object_get(root, "tensors"), 0));
    try_absence(folder, root, json_array_get(json_object_get(root, "source"), 0));
    json_decref(root);
    bert_folder_remove(folder);
}

/* ---- values
 * ---------------------------------------------------------------------------------- */

static void expect_bad_value(const char *object, const char *field, json_t *value,
                             const char *text)
{
    char folder[64];
    json_t *root;

    artifact_new(folder);
    root = manifest_read(folder);
    json_object_set_new(object ? json_object_get(root, object) : root, field, value);
    manifest_put(folder, root);
    expect_refusal(folder, text);
    json_decref(root);
    bert_folder_remove(folder);
}

static void values_that_do_not_fit(void **state)
{
    (void)state;
    expect_bad_value(NULL, "contract", json_string("DET-2"), "expected DET-1");
    expect_bad_value(NULL, "architecture", json_string("gpt"), "architecture is \"gpt\"");
    expect_bad_value("config", "hidden_size", json_integer(128), "attention_scale");
    expect_bad_value("config", "hidden_size", json_integer(0), "hidden_size is 0");
    expect_bad_value("config", "num_hidden_layers", json_integer(2),
                     "there are 53 tensors");
    expect_bad_value("config", "num_hidden_layers", json_integer(4),
                     "L.3.qkv.q is missing");
    expect_bad_value("config", "num_attention_heads", json_integer(8), "attention_scale");
    expect_bad_value("config", "vocab_size", json_integer(210), "211 words");
    expect_bad_value("constants", "layer_norm_eps", json_string("3f800000"),
                     "layer_norm_eps is 1");
    expect_bad_value("constants", "layer_norm_eps", json_string("7fc00000"),
                     "no finite number");
    expect_bad_value("constants", "attention_scale", json_string("3e800001"),
                     "attention_scale");
    expect_bad_value("constants", "inv_hidden", json_string("3C800000"), "8 hex digits");
    expect_bad_value("precision", "qkv", json_string("w7a7"), "differ in precision");
    expect_bad_value("precision", "qkv", json_string("w8a8"), "w8a8");
    expect_bad_value("tokenizer", "kind", json_string("bpe"), "expected wordpiece");
    expect_bad_value("tokenizer", "max_sequence", json_integer(97), "97 tokens");
    expect_bad_value("tokenizer", "max_sequence", json_integer(1), "max_sequence is 1");
    expect_bad_value("tokenizer", "vocab_size", json_integer(200), "expected 200");
    expect_bad_value("tokenizer", "lowercase", json_integer(2), "lowercase is 2");
}

static void other_forms_of_the_same_manifest(void **state)
{
    static const size_t flags[] = {JSON_SORT_KEYS, JSON_COMPACT,
                                   JSON_SORT_KEYS | JSON_INDENT(1)};
    char folder[64];
    json_t *root, *reversed = json_object();
    const char *keys[16];
    const char *key;
    json_t *value;
    size_t count = 0;

    (void)state;
    artifact_new(folder);
    root = manifest_read(folder);
    json_object_foreach(root, key, value) keys[count++] = key;
    while (count--)
        json_object_set(reversed, keys[count], json_object_get(root, keys[count]));
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        char *text = json_dumps(reversed, flags[i]);

        hf_folder_write(folder, "manifest.json", text, strlen(text));
        expect_refusal(folder, "canonical");
        free(text);
    }
    hf_folder_write(folder, "manifest.json", "{\"a\":1,\"a\":1}", 13);
    expect_refusal(folder, "no JSON");
    hf_folder_write(folder, "manifest.json", "", 0);
    expect_refusal(folder, "manifest.json");
    json_decref(reversed);
    json_decref(root);
    bert_folder_remove(folder);
}

/* ---- bytes
 * ----------------------------------------------------------------------------------- */

static struct blob file_of(const char *folder, const char *name)
{
    struct blob data = blob_empty(16 << 20);
    char path[128];
    struct error err = {0};

    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(file_read(path, &data, &err), STATUS_OK);
    return data;
}

static void changed_bytes(void **state)
{
    static const char *const files[] = {"model.safetensors", "vocab.txt"};
    char folder[64];

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct blob data;

        artifact_new(folder);
        data = file_of(folder, files[i]);
        data.data[data.size - 1] ^= 1;
        hf_folder_write(folder, files[i], data.data, data.size);
        expect_refusal(folder, "its hash is");
        data.data[data.size - 1] ^= 1;
        hf_folder_write(folder, files[i], data.data, data.size - 1);
        expect_refusal(folder, files[i]);
        hf_folder_write(folder, files[i], "", 0);
        expect_refusal(folder, files[i]);
        hf_folder_delete(folder, files[i]);
        expect_refusal(folder, files[i]);
        blob_free(&data);
        bert_folder_remove(folder);
    }
    artifact_new(folder);
    hf_folder_delete(folder, "manifest.json");
    expect_refusal(folder, "manifest.json");
    bert_folder_remove(folder);
    expect_refusal("/nowhere", "/nowhere/manifest.json");
}

struct damage {
    const char *name;
    uint8_t bytes[4];
    size_t size;
    const char *text;
};

static void damage_tensor(struct tensor *tensors, size_t *count, const void *context)
{
    static uint8_t room[1 << 17];
    const struct damage *damage = context;
    struct tensor *tensor = hf_tensor(tensors, *count, damage->name);

    assert_true(tensor->data.size <= sizeof room);
    memcpy(room, tensor->data.data, tensor->data.size);
    memcpy(room + 8, damage->bytes, damage->size);
    tensor->data.data = room;
}

/* The manifest names the hash of the damaged tensor: only the values are wrong. */
static void bless(const char *folder, const char *name)
{
    struct blob data = file_of(folder, "model.safetensors");
    struct safetensors file;
    struct error err = {0};
    json_t *root = manifest_read(folder), *entry;
    size_t index;

    assert_int_equal(safetensors_parse(blob_bytes(&data), &file, &err), STATUS_OK);
    json_array_foreach(json_object_get(root, "tensors"), index, entry)
    {
        const struct tensor *tensor = safetensors_find(&file, name);
        uint8_t digest[BLAKE3_SIZE];
        char hash[65];

        if (strcmp(json_string_value(json_object_get(entry, "name")), name) != 0)
            continue;
        blake3_hash(tensor->data.data, tensor->data.size, NULL, digest);
        hex_encode(digest, sizeof digest, hash);
        json_object_set_new(entry, "hash", json_string(hash));
    }
    manifest_put(folder, root);
    json_decref(root);
    safetensors_free(&file);
    blob_free(&data);
}

static void numbers_outside_the_limits(void **state)
{
    static const struct damage damages[] = {
        {"L.0.qkv.q", {65}, 1, "element 8 is 65"},
        {"L.0.qkv.q", {0x80}, 1, "element 8 is -128"},
        {"L.1.ffn_up.s", {0, 0, 0x80, 0xbf}, 4, "element 2 is -1"},
        {"L.1.ffn_up.s", {1, 0, 0x80, 0x49}, 4, "L.1.ffn_up.s"},
        {"L.1.ffn_up.s", {0xff, 0xff, 0x7f, 0x2b}, 4, "L.1.ffn_up.s"},
        {"L.2.ffn_norm.w", {1, 0, 0x80, 0x49}, 4, "L.2.ffn_norm.w"},
        {"L.2.ffn_norm.w", {0xff, 0xff, 0x7f, 0}, 4, "L.2.ffn_norm.w"},
        {"L.2.ffn_norm.b", {0, 0, 0xc0, 0x7f}, 4, "L.2.ffn_norm.b"},
        {"embed.word", {0, 0, 0x80, 0x7f}, 4, "embed.word"},
    };
    char folder[64];

    (void)state;
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        artifact_new(folder);
        hf_folder_edit(folder, damage_tensor, &damages[i]);
        bless(folder, damages[i].name);
        expect_refusal(folder, damages[i].text);
        bert_folder_remove(folder);
    }
}

/* ---- answers
 * --------------------------------------------------------------------------------- */

static void an_open_artifact_answers(void **state)
{
    struct artifact *artifact =
        bert_import(TEST_DATA "/models/tiny-bert", PRECISION_W14A14);
    const struct tensor *tensor = artifact_tensor(artifact, "L.1.qkv.q");
    char id[65];
    uint64_t hidden = 0;
    float eps = 0;

    (void)state;
    artifact_hash_manifest(artifact_manifest(artifact), id);
    assert_string_equal(id, artifact_id(artifact));
    assert_string_equal(artifact_architecture(artifact), "bert");
    assert_int_equal(artifact_precision(artifact), PRECISION_W14A14);
    assert_true(artifact_config(artifact, "hidden_size", &hidden));
    assert_int_equal(hidden, 64);
    assert_false(artifact_config(artifact, "hidden", &hidden));
    assert_true(artifact_constant(artifact, "layer_norm_eps", &eps));
    assert_true(eps > 0.9e-12f && eps < 1.1e-12f);
    assert_false(artifact_constant(artifact, "eps", &eps));
    assert_non_null(tensor);
    assert_int_equal(tensor->shape[0], 2 * 3 * 64);
    assert_ptr_equal(artifact_blob(artifact, tensor->hash).data, tensor->data.data);
    assert_int_equal(
        artifact_blob(artifact, artifact_tokenizer(artifact)->vocab_hash).size, 1641);
    assert_int_equal(artifact_blob(artifact, id).size, 0);
    assert_null(artifact_tensor(artifact, "L.9.qkv.q"));
    artifact_close(artifact);
}

static void a_manifest_alone_names_its_tokenizer(void **state)
{
    struct artifact *artifact =
        bert_import(TEST_DATA "/models/tiny-bert", PRECISION_W7A7);
    struct tokenizer_info info;
    struct error err = {0};

    (void)state;
    assert_int_equal(artifact_tokenizer_of(artifact_manifest(artifact), &info, &err),
                     STATUS_OK);
    assert_string_equal(info.vocab_hash, artifact_tokenizer(artifact)->vocab_hash);
    assert_int_equal(info.vocab_size, 211);
    assert_int_equal(artifact_tokenizer_of(bytes_of("{}", 2), &info, &err),
                     STATUS_BAD_DATA);
    artifact_close(artifact);
}

static void want_of_memory_is_said(void **state)
{
    char folder[64];
    enum status status = STATUS_NO_MEMORY;

    (void)state;
    artifact_new(folder);
    for (uint64_t n = 1; status; n++) {
        struct artifact *artifact = NULL;
        struct error err = {0};

        assert_true(n < 2000);
        memory_fail_at(n);
        status = artifact_open(folder, &artifact, &err);
        memory_fail_at(0);
        assert_true(status == STATUS_OK || status == STATUS_NO_MEMORY);
        if (status)
            assert_string_not_equal(err.text, "");
        artifact_close(artifact);
    }
    bert_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_of_the_wrong_type),
        cmocka_unit_test(every_field_missing_or_too_many),
        cmocka_unit_test(values_that_do_not_fit),
        cmocka_unit_test(other_forms_of_the_same_manifest),
        cmocka_unit_test(changed_bytes),
        cmocka_unit_test(numbers_outside_the_limits),
        cmocka_unit_test(an_open_artifact_answers),
        cmocka_unit_test(a_manifest_alone_names_its_tokenizer),
        cmocka_unit_test(want_of_memory_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
