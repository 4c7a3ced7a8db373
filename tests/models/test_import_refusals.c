/*
 * test_import_refusals.c - claims that every checkpoint that is not a whole and finite
 * BERT is refused with a sentence that names what is wrong, and that nothing is left
 * behind.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "miner/base/file.h"
#include "tests/bert_case.h"
#include "tests/hf_folder.h"

/* The import fails, the sentence holds text, and the folder is still empty. */
static void expect_refusal(const char *folder, const char *text)
{
    char to[64], id[65];
    struct error err = {0};

    bert_folder_new(to);
    assert_int_not_equal(model_import(folder, to, PRECISION_W7A14, id, &err), STATUS_OK);
    if (!strstr(err.text, text))
        fail_msg("\"%s\" does not hold \"%s\"", err.text, text);
    bert_folder_remove(to);
}

static void expect_bad_field(const char *file, const char *field, json_t *value,
                             const char *text)
{
    char folder[64];

    hf_folder_new(folder);
    hf_folder_set(folder, file, field, value);
    expect_refusal(folder, text);
    hf_folder_remove(folder);
}

static void config_out_of_bounds(void **state)
{
    static const struct {
        const char *name;
        json_int_t least, most;
    } fields[] = {
        {"hidden_size", 1, 16384},     {"intermediate_size", 1, 65536},
        {"num_hidden_layers", 1, 256}, {"num_attention_heads", 1, 1024},
        {"vocab_size", 5, 1 << 20},    {"max_position_embeddings", 2, 1 << 17},
        {"type_vocab_size", 1, 1024},
    };

    (void)state;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        json_t *const bad[] = {
            NULL,
            json_null(),
            json_true(),
            json_string("64"),
            json_real(64.5),
            json_array(),
            json_object(),
            json_integer(-1),
            json_integer(fields[i].least - 1),
            json_integer(fields[i].most + 1),
            json_integer(INT64_MAX),
        };

        for (size_t v = 0; v < sizeof bad / sizeof *bad; v++)
            expect_bad_field("config.json", fields[i].name, bad[v], fields[i].name);
    }
}

static void other_networks(void **state)
{
    static const char config[] = "config.json";

    (void)state;
    expect_bad_field(config, "model_type", json_string("roberta"),
                     "model_type is \"roberta\"");
    expect_bad_field(config, "model_type", json_integer(1), "");
    expect_bad_field(config, "hidden_act", json_string("relu"), "hidden_act is \"relu\"");
    expect_bad_field(config, "hidden_act", NULL, "hidden_act");
    expect_bad_field(config, "position_embedding_type", json_string("relative_key"),
                     "position_embedding_type");
    expect_bad_field(config, "is_decoder", json_true(), "decoder");
    expect_bad_field(config, "add_cross_attention", json_true(), "decoder");
    expect_bad_field(config, "num_attention_heads", json_integer(5),
                     "hidden_size 64 over 5 heads");
    expect_bad_field(config, "num_hidden_layers", json_integer(2),
                     "the encoder has 48 tensors");
    expect_bad_field(config, "num_hidden_layers", json_integer(4), "encoder.layer.3");
    expect_bad_field(config, "hidden_size", json_integer(128), "shape");
    expect_bad_field(config, "vocab_size", json_integer(212), "shape");
    expect_bad_field(config, "layer_norm_eps", json_real(0.5), "layer_norm_eps is 0.5");
    expect_bad_field(config, "layer_norm_eps", json_real(1e-20), "layer_norm_eps");
    expect_bad_field(config, "layer_norm_eps", json_real(-1e-12), "layer_norm_eps");
    expect_bad_field(config, "layer_norm_eps", json_string("1e-12"), "layer_norm_eps");
}

static void other_tokenizers(void **state)
{
    static const char config[] = "tokenizer_config.json",
                      lengths[] = "sentence_bert_config.json";

    (void)state;
    expect_bad_field(config, "do_lower_case", json_integer(1), "do_lower_case");
    expect_bad_field(config, "tokenize_chinese_chars", json_false(),
                     "tokenize_chinese_chars");
    expect_bad_field(config, "strip_accents", json_false(), "strip_accents");
    expect_bad_field(lengths, "max_seq_length", json_integer(1), "max_seq_length is 1");
    expect_bad_field(lengths, "max_seq_length", json_integer(97), "max_seq_length is 97");
    expect_bad_field(lengths, "max_seq_length", json_string("96"), "max_seq_length");
    expect_bad_field("tokenizer.json", "normalizer", json_null(), "normalizer");
}

/* A tokenizer.json as BERT's are, beside vocab.txt. */
static json_t *good_tokenizer(void)
{
    return json_pack(
        "{s:[{s:s,s:b,s:b,s:b,s:b}],s:{s:s,s:b,s:b,s:n,s:b},s:{s:s,s:s,s:s,s:i,s:{}}}",
        "added_tokens", "content", "[CLS]", "lstrip", 0, "rstrip", 0, "single_word", 0,
        "normalized", 0, "normalizer", "type", "BertNormalizer", "clean_text", 1,
        "handle_chinese_chars", 1, "strip_accents", "lowercase", 1, "model", "type",
        "WordPiece", "unk_token", "[UNK]", "continuing_subword_prefix", "##",
        "max_input_chars_per_word", 100, "vocab");
}

static void expect_bad_tokenizer(const char *object, const char *field, json_t *value,
                                 const char *text)
{
    json_t *root = good_tokenizer();
    json_t *part = json_object_get(root, object);
    char folder[64], *json;

    json_object_set_new(json_is_array(part) ? json_array_get(part, 0) : part, field,
                        value);
    json = json_dumps(root, 0);
    hf_folder_new(folder);
    hf_folder_write(folder, "tokenizer.json", json, strlen(json));
    expect_refusal(folder, text);
    hf_folder_remove(folder);
    free(json);
    json_decref(root);
}

static void other_tokenizer_files(void **state)
{
    static const char *const rules[] = {"lstrip", "rstrip", "single_word", "normalized"};
    json_t *root = good_tokenizer();
    char folder[64], *json = json_dumps(root, 0);

    (void)state;
    hf_folder_new(folder);
    hf_folder_write(folder, "tokenizer.json", json, strlen(json));
    artifact_close(bert_import(folder, PRECISION_W7A7)); /* the good one is taken */
    hf_folder_remove(folder);
    free(json);
    json_decref(root);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        expect_bad_tokenizer("added_tokens", rules[i], json_true(), "has a rule");
    expect_bad_tokenizer("added_tokens", "content", json_string("<s>"),
                         "another added token");
    expect_bad_tokenizer("normalizer", "type", json_string("NFC"), "normalizer");
    expect_bad_tokenizer("normalizer", "clean_text", json_false(), "leaves out a step");
    expect_bad_tokenizer("normalizer", "handle_chinese_chars", json_false(),
                         "leaves out a step");
    expect_bad_tokenizer("normalizer", "strip_accents", json_false(), "strip_accents");
    expect_bad_tokenizer("normalizer", "lowercase", json_null(), "normalizer");
    expect_bad_tokenizer("model", "type", json_string("BPE"), "not WordPiece");
    expect_bad_tokenizer("model", "unk_token", json_string("<unk>"), "not WordPiece");
    expect_bad_tokenizer("model", "continuing_subword_prefix", json_string(""),
                         "not WordPiece");
    expect_bad_tokenizer("model", "max_input_chars_per_word", json_integer(200),
                         "not WordPiece");
}

static void expect_bad_vocab(const char *vocab, const char *text)
{
    char folder[64];

    hf_folder_new(folder);
    hf_folder_write(folder, "vocab.txt", vocab, strlen(vocab));
    expect_refusal(folder, text);
    hf_folder_remove(folder);
}

static void bad_vocabularies(void **state)
{
    char many[4096];
    size_t used = 0;

    (void)state;
    expect_bad_vocab("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\na\n", "lines 6 and 7");
    expect_bad_vocab("[PAD]\n[UNK]\n[CLS]\n[SEP]\n", "no [MASK]");
    expect_bad_vocab("[PAD]\n[CLS]\n[SEP]\n[MASK]\n", "no [UNK]");
    expect_bad_vocab("[PAD]\n\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n", "line 2");
    expect_bad_vocab("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n\xfe\n", "no UTF-8 at byte 31");
    for (int i = 0; i < 212; i++)
        used += (size_t)snprintf(many + used, sizeof many - used, "w%d\n", i);
    expect_bad_vocab(many, "212 words, the network only 211");
}

static void missing_files(void **state)
{
    static const char *const files[] = {"config.json", "model.safetensors", "vocab.txt"};
    char folder[64];

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        hf_folder_new(folder);
        hf_folder_delete(folder, files[i]);
        expect_refusal(folder, files[i]);
        hf_folder_remove(folder);
    }
    expect_refusal("/nowhere/at/all", "/nowhere/at/all");
    hf_folder_new(folder);
    hf_folder_write(folder, "config.json",
                    "{\"model_type\":\"bert\",\"model_type\":\"bert\"}", 41);
    expect_refusal(folder, "config.json");
    hf_folder_write(folder, "config.json", "[1]", 3);
    expect_refusal(folder, "config.json");
    hf_folder_remove(folder);
}

/* ---- tensors
 * --------------------------------------------------------------------------------- */

static void drop(struct tensor *tensors, size_t *count, const void *context)
{
    struct tensor *gone = hf_tensor(tensors, *count, context);

    *gone = tensors[--*count];
}

static void every_tensor_is_needed(void **state)
{
    struct safetensors file;
    struct blob data = blob_empty(16 << 20);
    struct error err = {0};
    char folder[64];

    (void)state;
    assert_int_equal(
        file_read(TEST_DATA "/models/tiny-bert/model.safetensors", &data, &err), 0);
    assert_int_equal(safetensors_parse(blob_bytes(&data), &file, &err), STATUS_OK);
    for (size_t i = 0; i < file.count; i++) {
        hf_folder_new(folder);
        hf_folder_edit(folder, drop, file.tensors[i].name);
        expect_refusal(folder, file.tensors[i].name);
        hf_folder_remove(folder);
    }
    safetensors_free(&file);
    blob_free(&data);
}

struct poke {
    const char *name;
    uint32_t bits;
};

/* One value in the middle of a tensor. */
static void poke_bits(struct tensor *tensors, size_t *count, const void *context)
{
    static uint8_t room[1 << 17];
    const struct poke *poke = context;
    struct tensor *tensor = hf_tensor(tensors, *count, poke->name);

    assert_true(tensor->data.size <= sizeof room);
    memcpy(room, tensor->data.data, tensor->data.size);
    u32_store(room + tensor->data.size / 8 * 4, poke->bits);
    tensor->data.data = room;
}

static void expect_bad_value(const char *name, uint32_t bits, const char *text)
{
    const struct poke poke = {name, bits};
    char folder[64];

    hf_folder_new(folder);
    hf_folder_edit(folder, poke_bits, &poke);
    expect_refusal(folder, text);
    hf_folder_remove(folder);
}

static void values_out_of_range(void **state)
{
    static const uint32_t no_numbers[] = {0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001,
                                          0xffffffff};
    static const char *const names[] = {
        "embeddings.word_embeddings.weight", "embeddings.LayerNorm.bias",
        "encoder.layer.1.attention.self.key.weight", "encoder.layer.2.output.dense.bias",
        "encoder.layer.0.output.LayerNorm.weight"};

    (void)state;
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        for (size_t i = 0; i < sizeof no_numbers / sizeof *no_numbers; i++)
            expect_bad_value(names[n], no_numbers[i], names[n]);
    }
    expect_bad_value("encoder.layer.0.output.dense.weight", 0x53800000, "2^40 or more");
    expect_bad_value("encoder.layer.0.output.dense.weight", 0x50000000, "L.0.ffn_down.s");
    expect_bad_value("encoder.layer.0.output.LayerNorm.weight", 0x49800001,
                     "L.0.ffn_norm.w");
}

static void wrong_type(struct tensor *tensors, size_t *count, const void *context)
{
    struct tensor *tensor =
        hf_tensor(tensors, *count, "encoder.layer.0.output.dense.bias");

    (void)context;
    tensor->dtype = DTYPE_I32;
}

static void extra_tensor(struct tensor *tensors, size_t *count, const void *context)
{
    (void)context;
    tensors[*count] = tensors[*count - 1];
    snprintf(tensors[*count].name, sizeof tensors[*count].name,
             "encoder.layer.0.attention.self.distance_embedding.weight");
    ++*count;
}

static void strange_tensors(void **state)
{
    char folder[64];

    (void)state;
    hf_folder_new(folder);
    hf_folder_edit(folder, wrong_type, NULL);
    expect_refusal(folder, "its type is I32");
    hf_folder_remove(folder);
    hf_folder_new(folder);
    hf_folder_edit(folder, extra_tensor, NULL);
    expect_refusal(folder, "the encoder has 49 tensors");
    hf_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config_out_of_bounds),   cmocka_unit_test(other_networks),
        cmocka_unit_test(other_tokenizers),       cmocka_unit_test(other_tokenizer_files),
        cmocka_unit_test(bad_vocabularies),       cmocka_unit_test(missing_files),
        cmocka_unit_test(every_tensor_is_needed), cmocka_unit_test(values_out_of_range),
        cmocka_unit_test(strange_tensors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
