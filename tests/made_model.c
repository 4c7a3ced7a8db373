/*
 * made_model.c - writes random weights as Hugging Face would, and imports them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/made_model.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "miner/base/file.h"
#include "miner/base/memory.h"
#include "miner/models/import.h"
#include "miner/models/safetensors.h"

enum { TENSORS_MAX = 64, PATH_SIZE = 512, FILE_SIZE_MAX = 16 << 20 };
#define HUGE 0x1p43f

struct maker {
    uint64_t state;
    struct tensor tensors[TENSORS_MAX];
    size_t count;
};

void made_folder(char *out, size_t cap)
{
    const char *parent = getenv("TMPDIR");
    (void)snprintf(out, cap, "%s/minerva-XXXXXX", parent ? parent : "/tmp");
    assert_non_null(mkdtemp(out));
}

static int remove_one(const char *path, const struct stat *status, int type,
                      struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(path);
}

void made_folder_remove(const char *folder)
{
    assert_int_equal(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* In (-1, 1). */
static float next_number(struct maker *maker)
{
    uint64_t z = maker->state += 0x9E3779B97F4A7C15U;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
    z = (z ^ z >> 27) * 0x94D049BB133111EBU;
    return (float)((int32_t)(z >> 40) - (1 << 23)) / (float)(1 << 23);
}

/* A random tensor around middle; columns 0: one dimension. */
static float *add_tensor(struct maker *maker, const char *name, uint64_t rows,
                         uint64_t columns, float middle)
{
    assert_true(maker->count < TENSORS_MAX);
    struct tensor *tensor = &maker->tensors[maker->count++];
    const size_t count = (size_t)(rows * (columns ? columns : 1));
    float *values = memory_array(count, sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < count; i++)
        values[i] = middle + 0.25F * next_number(maker);
    (void)snprintf(tensor->name, sizeof tensor->name, "%s", name);
    tensor->dtype = DTYPE_F32;
    tensor->rank = columns ? 2 : 1;
    tensor->shape[0] = rows;
    tensor->shape[1] = columns;
    tensor->data = bytes_of(values, count * sizeof *values);
    return values;
}

static void add_norm(struct maker *maker, const char *name)
{
    char full[TENSOR_NAME_MAX + 1];
    (void)snprintf(full, sizeof full, "%s.weight", name);
    add_tensor(maker, full, MADE_HIDDEN, 0, 1);
    (void)snprintf(full, sizeof full, "%s.bias", name);
    add_tensor(maker, full, MADE_HIDDEN, 0, 0);
}

/* Returns its bias. */
static float *add_linear(struct maker *maker, const char *name, uint64_t n, uint64_t k)
{
    char full[TENSOR_NAME_MAX + 1];
    (void)snprintf(full, sizeof full, "%s.weight", name);
    add_tensor(maker, full, n, k, 0);
    (void)snprintf(full, sizeof full, "%s.bias", name);
    return add_tensor(maker, full, n, 0, 0);
}

static void add_layer(struct maker *maker, uint32_t layer, bool has_huge_bias)
{
    static const char *const parts[] = {"attention.self.query", "attention.self.key",
                                        "attention.self.value", "attention.output.dense",
                                        "intermediate.dense",   "output.dense"};
    char name[TENSOR_NAME_MAX - 8];
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        (void)snprintf(name, sizeof name, "encoder.layer.%u.%s", layer, parts[i]);
        float *bias = add_linear(maker, name, i == 4 ? MADE_INTERMEDIATE : MADE_HIDDEN,
                                 i == 5 ? MADE_INTERMEDIATE : MADE_HIDDEN);
        if (i == 3 && has_huge_bias)
            bias[5] = HUGE;
    }
    (void)snprintf(name, sizeof name, "encoder.layer.%u.attention.output.LayerNorm",
                   layer);
    add_norm(maker, name);
    (void)snprintf(name, sizeof name, "encoder.layer.%u.output.LayerNorm", layer);
    add_norm(maker, name);
}

static void write_text(const char *folder, const char *name, struct blob *text)
{
    char path[PATH_SIZE];
    assert_int_equal(file_join(folder, name, path, sizeof path, NULL), STATUS_OK);
    assert_int_equal(file_write(path, blob_bytes(text), NULL), STATUS_OK);
    blob_free(text);
}

static void write_weights(const struct made_model *model, const char *folder)
{
    struct maker maker = {.state = model->seed};
    struct blob file = blob_empty(FILE_SIZE_MAX);
    float *words = add_tensor(&maker, "embeddings.word_embeddings.weight",
                              MADE_VOCABULARY, MADE_HIDDEN, 0);
    if (model->huge_word >= 0)
        words[model->huge_word * MADE_HIDDEN + 3] = HUGE;
    add_tensor(&maker, "embeddings.position_embeddings.weight", MADE_SEQUENCE_MAX,
               MADE_HIDDEN, 0);
    add_tensor(&maker, "embeddings.token_type_embeddings.weight", 2, MADE_HIDDEN, 0);
    add_norm(&maker, "embeddings.LayerNorm");
    for (uint32_t layer = 0; layer < MADE_LAYERS; layer++)
        add_layer(&maker, layer, model->has_huge_bias && layer == 1);
    assert_int_equal(safetensors_write(maker.tensors, maker.count, &file, NULL),
                     STATUS_OK);
    write_text(folder, "model.safetensors", &file);
    for (size_t i = 0; i < maker.count; i++)
        memory_free((void *)(uintptr_t)maker.tensors[i].data.data);
}

static void write_words(const char *folder)
{
    static const char *const special[] = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
    struct blob text = blob_empty(1 << 16);
    for (uint32_t i = 0; i < MADE_VOCABULARY; i++)
        assert_int_equal(i < 5 ? blob_addf(&text, "%s\n", special[i])
                               : blob_addf(&text, "word%u\n", i),
                         STATUS_OK);
    write_text(folder, "vocab.txt", &text);
}

static void write_config(const char *folder)
{
    struct blob text = blob_empty(4096);
    assert_int_equal(
        blob_addf(&text,
                  "{\"model_type\":\"bert\",\"architectures\":[\"BertModel\"],"
                  "\"hidden_act\":\"gelu\",\"hidden_size\":%d,\"intermediate_size\":%d,"
                  "\"num_hidden_layers\":%d,\"num_attention_heads\":4,\"vocab_size\":%d,"
                  "\"max_position_embeddings\":%d,\"type_vocab_size\":2,"
                  "\"layer_norm_eps\":1e-12,\"pad_token_id\":0}\n",
                  MADE_HIDDEN, MADE_INTERMEDIATE, MADE_LAYERS, MADE_VOCABULARY,
                  MADE_SEQUENCE_MAX),
        STATUS_OK);
    write_text(folder, "config.json", &text);
}

struct artifact *made_model_open(const struct made_model *model, const char *folder,
                                 enum precision precision)
{
    char hf[PATH_SIZE], imported[PATH_SIZE], id[65];
    struct artifact *artifact = NULL;
    struct error err = {0};
    assert_int_equal(file_join(folder, "hf", hf, sizeof hf, NULL), STATUS_OK);
    assert_int_equal(file_join(folder, "artifact", imported, sizeof imported, NULL),
                     STATUS_OK);
    assert_int_equal(file_make_folder(hf, NULL), STATUS_OK);
    write_config(hf);
    write_words(hf);
    write_weights(model, hf);
    if (model_import(hf, imported, precision, id, &err) ||
        artifact_open(imported, &artifact, &err))
        fail_msg("%s", error_text(&err));
    assert_string_equal(artifact_id(artifact), id);
    return artifact;
}
