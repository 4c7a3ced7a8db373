/*
 * test_import.c - claims that one checkpoint becomes one artifact however it is named,
 * stored or imported again, and that everything that is no such checkpoint is refused
 * with a sentence while what was there stays.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "miner/base/file.h"
#include "miner/base/memory.h"
#include "tests/bert_case.h"
#include "tests/hf_folder.h"

/* ---- equal things
 * ---------------------------------------------------------------------------- */

static void import_to(const char *from, const char *to, enum precision precision,
                      char id[65])
{
    struct error err = {0};

    if (model_import(from, to, precision, id, &err))
        fail_msg("%s", err.text);
}

static void twice_the_same_id(void **state)
{
    char a[64], b[64], ids[PRECISION_COUNT][65], again[65];

    (void)state;
    bert_folder_new(a);
    bert_folder_new(b);
    for (enum precision precision = 0; precision < PRECISION_COUNT; precision++) {
        import_to(TEST_DATA "/models/tiny-bert", a, precision, ids[precision]);
        import_to(TEST_DATA "/models/tiny-bert", b, precision, again);
        assert_string_equal(ids[precision], again);
        import_to(TEST_DATA "/models/tiny-bert", a, precision, again); /* over itself */
        assert_string_equal(ids[precision], again);
    }
    assert_string_not_equal(ids[0], ids[1]);
    assert_string_not_equal(ids[1], ids[2]);
    bert_folder_remove(a);
    bert_folder_remove(b);
}

/* The known id: a change of it is a change of every model's name and must be meant. */
static void the_id_is_known(void **state)
{
    struct artifact *artifact =
        bert_import(TEST_DATA "/models/tiny-bert", PRECISION_W7A14);

    (void)state;
    assert_string_equal(
        artifact_id(artifact),
        "74a0c9dce5000ee0bdba4976482938b4145b17d346618876a93bfd61b28b8898");
    artifact_close(artifact);
}

static void expect_equal_tensors(const struct artifact *a, const struct artifact *b,
                                 const char *prefix)
{
    assert_int_equal(artifact_tensor_count(a), artifact_tensor_count(b));
    for (size_t i = 0; i < artifact_tensor_count(a); i++) {
        const struct tensor *left = artifact_tensor_at(a, i),
                            *right = artifact_tensor_at(b, i);

        assert_string_equal(left->name, right->name);
        if (strncmp(left->name, prefix, strlen(prefix)) == 0)
            assert_string_equal(left->hash, right->hash);
    }
}

static void old_names(struct tensor *tensors, size_t *count, const void *context)
{
    static const uint8_t pooler[64 * sizeof(float)], positions[96 * sizeof(int64_t)];

    (void)context;
    for (size_t i = 0; i < *count; i++) {
        char name[TENSOR_NAME_MAX + 1], *norm;

        snprintf(name, sizeof name, "bert.%.80s", tensors[i].name);
        norm = strstr(name, "LayerNorm.weight");
        if (norm)
            memcpy(norm, "LayerNorm.gamma", sizeof "LayerNorm.gamma");
        norm = strstr(name, "LayerNorm.bias");
        if (norm)
            memcpy(norm, "LayerNorm.beta", sizeof "LayerNorm.beta");
        memcpy(tensors[i].name, name, sizeof name);
    }
    tensors[*count] = (struct tensor){.name = "bert.pooler.dense.bias",
                                      .dtype = DTYPE_F32,
                                      .rank = 1,
                                      .shape = {64},
                                      .data = bytes_of(pooler, sizeof pooler)};
    tensors[*count + 1] = (struct tensor){.name = "bert.embeddings.position_ids",
                                          .dtype = DTYPE_I64,
                                          .rank = 2,
                                          .shape = {1, 96},
                                          .data = bytes_of(positions, sizeof positions)};
    *count += 2;
}

static void old_names_and_unused_tensors(void **state)
{
    struct artifact *plain = bert_import(TEST_DATA "/models/tiny-bert", PRECISION_W14A14),
                    *other;
    char folder[64];

    (void)state;
    hf_folder_new(folder);
    hf_folder_edit(folder, old_names, NULL);
    other = bert_import(folder, PRECISION_W14A14);
    expect_equal_tensors(plain, other, "");
    hf_folder_remove(folder);
    artifact_close(other);
    artifact_close(plain);
}

/* Cuts every float to what BF16 holds, and stores it as F32 or as BF16. */
static void to_bf16(struct tensor *tensors, size_t *count, const void *context)
{
    const bool as_half = *(const bool *)context;
    static uint8_t room[1 << 20];
    size_t used = 0;

    for (size_t i = 0; i < *count; i++) {
        const uint64_t values = tensors[i].data.size / 4;
        uint8_t *to = room + used;

        for (uint64_t v = 0; v < values; v++) {
            const uint8_t *from = tensors[i].data.data + 4 * v;

            memset(to + (as_half ? 2 : 4) * v, 0, as_half ? 2 : 4);
            memcpy(to + (as_half ? 2 * v : 4 * v + 2), from + 2, 2);
        }
        tensors[i].dtype = as_half ? DTYPE_BF16 : DTYPE_F32;
        tensors[i].data = bytes_of(to, values * (as_half ? 2 : 4));
        used += tensors[i].data.size;
        assert_true(used <= sizeof room);
    }
}

static void bf16_is_read_exactly(void **state)
{
    const bool is_half[2] = {false, true};
    struct artifact *artifacts[2];
    char folder[64];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        hf_folder_new(folder);
        hf_folder_edit(folder, to_bf16, &is_half[i]);
        artifacts[i] = bert_import(folder, PRECISION_W7A14);
        hf_folder_remove(folder);
    }
    expect_equal_tensors(artifacts[0], artifacts[1], "L.");
    assert_int_equal(artifact_tensor(artifacts[1], "embed.word")->dtype, DTYPE_BF16);
    artifact_close(artifacts[0]);
    artifact_close(artifacts[1]);
}

static void f16_is_read_exactly(void **state)
{
    /* zero, the smallest denormal, the largest one, one, the largest number, and their
     * negatives */
    static const struct {
        uint16_t half;
        float value;
    } known[] = {
        {0x0000, 0.0f},     {0x0001, 0x1p-24f},  {0x03ff, 0x1.ff8p-15f},
        {0x0400, 0x1p-14f}, {0x3c00, 1.0f},      {0x3555, 0x1.554p-2f},
        {0x7bff, 65504.0f}, {0x8001, -0x1p-24f}, {0xfbff, -65504.0f},
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const uint8_t data[2] = {(uint8_t)known[i].half, (uint8_t)(known[i].half >> 8)};
        const float value = dtype_load_f32(DTYPE_F16, data, 0);

        assert_memory_equal(&value, &known[i].value, sizeof value);
    }
}

static void vocabulary_out_of_tokenizer_json(void **state)
{
    char folder[64], vocab[2048] = "", *line, *rest;
    struct artifact *plain = bert_import(TEST_DATA "/models/tiny-bert", PRECISION_W7A7),
                    *other;
    json_t *words = json_object(), *root;
    int id = 0;

    (void)state;
    memcpy(vocab, artifact_vocab(plain).data, artifact_vocab(plain).size);
    for (line = strtok_r(vocab, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        json_object_set_new(words, line, json_integer(id++));
    root = json_pack("{s:{s:s,s:b,s:b,s:n,s:b},s:{s:s,s:s,s:s,s:i,s:o}}", "normalizer",
                     "type", "BertNormalizer", "clean_text", 1, "handle_chinese_chars", 1,
                     "strip_accents", "lowercase", 1, "model", "type", "WordPiece",
                     "unk_token", "[UNK]", "continuing_subword_prefix", "##",
                     "max_input_chars_per_word", 100, "vocab", words);
    hf_folder_new(folder);
    hf_folder_delete(folder, "vocab.txt");
    hf_folder_set(folder, "tokenizer.json", "normalizer",
                  json_incref(json_object_get(root, "normalizer")));
    hf_folder_set(folder, "tokenizer.json", "model",
                  json_incref(json_object_get(root, "model")));
    json_decref(root);
    other = bert_import(folder, PRECISION_W7A7);
    assert_string_equal(artifact_tokenizer(plain)->vocab_hash,
                        artifact_tokenizer(other)->vocab_hash);
    assert_int_equal(artifact_tokenizer(other)->lowercase, true);
    hf_folder_remove(folder);
    artifact_close(plain);
    artifact_close(other);
}

static void tokenizer_settings(void **state)
{
    struct artifact *artifact;
    char folder[64];

    (void)state;
    hf_folder_new(folder);
    hf_folder_set(folder, "tokenizer_config.json", "do_lower_case", json_false());
    hf_folder_set(folder, "sentence_bert_config.json", "max_seq_length",
                  json_integer(17));
    artifact = bert_import(folder, PRECISION_W7A7);
    assert_false(artifact_tokenizer(artifact)->lowercase);
    assert_int_equal(artifact_tokenizer(artifact)->max_sequence, 17);
    artifact_close(artifact);
    hf_folder_remove(folder);
    artifact = bert_import(TEST_DATA "/models/tiny-bert", PRECISION_W7A7);
    assert_true(artifact_tokenizer(artifact)->lowercase);
    assert_int_equal(artifact_tokenizer(artifact)->max_sequence, 96);
    artifact_close(artifact);
}

static void failure_leaves_what_was_there(void **state)
{
    struct artifact *artifact;
    char folder[64], to[64], id[65], other[65];
    struct error err = {0};

    (void)state;
    hf_folder_new(folder);
    bert_folder_new(to);
    import_to(folder, to, PRECISION_W7A7, id);
    hf_folder_set(folder, "config.json", "hidden_size", json_integer(32));
    assert_int_not_equal(model_import(folder, to, PRECISION_W7A7, other, &err),
                         STATUS_OK);
    assert_int_equal(artifact_open(to, &artifact, &err), STATUS_OK);
    assert_string_equal(artifact_id(artifact), id);
    artifact_close(artifact);
    hf_folder_remove(folder);
    bert_folder_remove(to);
}

static void want_of_memory_is_said(void **state)
{
    char to[64], id[65];
    enum status status = STATUS_NO_MEMORY;

    (void)state;
    bert_folder_new(to);
    for (uint64_t n = 1; status; n++) {
        struct error err = {0};

        assert_true(n < 4000);
        memory_fail_at(n);
        status =
            model_import(TEST_DATA "/models/tiny-bert", to, PRECISION_W7A7, id, &err);
        memory_fail_at(0);
        if (status) {
            char manifest[128];

            assert_int_equal(status, STATUS_NO_MEMORY);
            assert_string_not_equal(err.text, "");
            snprintf(manifest, sizeof manifest, "%s/manifest.json", to);
            assert_false(file_exists(manifest));
        }
    }
    bert_folder_remove(to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twice_the_same_id),
        cmocka_unit_test(the_id_is_known),
        cmocka_unit_test(old_names_and_unused_tensors),
        cmocka_unit_test(bf16_is_read_exactly),
        cmocka_unit_test(f16_is_read_exactly),
        cmocka_unit_test(vocabulary_out_of_tokenizer_json),
        cmocka_unit_test(tokenizer_settings),
        cmocka_unit_test(failure_leaves_what_was_there),
        cmocka_unit_test(want_of_memory_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
