/*
 * import_bert.c - what a BERT checkpoint calls its tensors, and what the artifact calls
 * them.
 *
 * numerics.md 3.3 and 4.2.  Names may carry a `bert.` prefix, norms may be called gamma
 * and beta; poolers, heads and buffers are dropped.  A tensor of the encoder that nothing
 * here uses means that the network is another one, and is refused.
 *
 * SPDX-License-Identifier: MIT
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/memory.h"
#include "miner/models/import_kind.h"

enum { MATRIX_PARTS_MAX = 3 };

struct bert_source {
    struct import *import;
    const char *prefix; /* of every name */
    uint64_t hidden, intermediate, layers, heads, vocab, positions, types;
};

/* A matrix of the artifact out of one or three of the checkpoint, stacked. */
struct matrix {
    const char *to;
    const char *from[MATRIX_PARTS_MAX];
    uint32_t parts;
    bool from_intermediate, to_intermediate; /* else the hidden width */
};
static const struct matrix layer_matrices[] = {
    {"qkv",
     {"attention.self.query", "attention.self.key", "attention.self.value"},
     3,
     false,
     false},
    {"attn_out", {"attention.output.dense"}, 1, false, false},
    {"ffn_up", {"intermediate.dense"}, 1, false, true},
    {"ffn_down", {"output.dense"}, 1, true, false},
};
static const struct {
    const char *to, *from;
} layer_norms[] = {
    {"attn_norm", "attention.output.LayerNorm"},
    {"ffn_norm", "output.LayerNorm"},
};

static enum status read_config(struct bert_source *source, struct error *err)
{
    struct import *import = source->import;
    const struct {
        const char *name;
        uint64_t min, max;
        uint64_t *out;
    } fields[] = {
        {"hidden_size", 1, 16384, &source->hidden},
        {"intermediate_size", 1, 65536, &source->intermediate},
        {"num_hidden_layers", 1, 256, &source->layers},
        {"num_attention_heads", 1, 1024, &source->heads},
        {"vocab_size", 5, 1 << 20, &source->vocab},
        {"max_position_embeddings", 2, 1 << 17, &source->positions},
        {"type_vocab_size", 1, 1024, &source->types},
    };
    enum status status = import_expect_text(import, "hidden_act", "gelu", false, err);

    if (!status)
        status =
            import_expect_text(import, "position_embedding_type", "absolute", true, err);
    for (size_t i = 0; i < sizeof fields / sizeof *fields && !status; i++)
        status = import_integer(import, fields[i].name, fields[i].min, fields[i].max,
                                fields[i].out, err);
    if (status)
        return status;
    if (source->hidden % source->heads || source->hidden / source->heads > 256)
        return error_set(
            err, STATUS_BAD_DATA,
            "%s/config.json: hidden_size %llu over %llu heads, expected a whole width of "
            "at most 256",
            import->from, (unsigned long long)source->hidden,
            (unsigned long long)source->heads);
    if (json_is_true(json_object_get(import->config, "is_decoder")) ||
        json_is_true(json_object_get(import->config, "add_cross_attention")))
        return error_set(err, STATUS_NOT_SUPPORTED,
                         "%s/config.json: is a decoder, expected an encoder",
                         import->from);
    return STATUS_OK;
}

static enum status set_constants(const struct bert_source *source, struct error *err)
{
    struct import *import = source->import;
    const json_t *eps = json_object_get(import->config, "layer_norm_eps");
    const uint64_t head =
        source->hidden / source->heads; /* whole: read_config() saw to it */
    const double value = eps ? json_number_value(eps) : 1e-12;
    enum status status;

    if ((eps && !json_is_number(eps)) || !(value >= 0x1p-44 && value <= 0x1p-6))
        return error_set(err, STATUS_BAD_DATA,
                         "%s/config.json: layer_norm_eps is %g, expected 2^-44 to 2^-6",
                         import->from, value);
    status = import_constant(import, "layer_norm_eps", (float)value, err);
    if (!status)
        status = import_constant(import, "attention_scale",
                                 (float)(1.0 / sqrt((double)head)), err);
    if (!status)
        status = import_constant(import, "inv_hidden",
                                 (float)(1.0 / (double)source->hidden), err);
    return status;
}

static enum status set_precision(struct import *import, struct error *err)
{
    for (size_t i = 0; i < sizeof layer_matrices / sizeof *layer_matrices; i++) {
        if (manifest_set(&import->manifest.precision, layer_matrices[i].to,
                         import->precision))
            return error_set(err, STATUS_FULL, "no room for a precision in the manifest");
    }
    return STATUS_OK;
}

/* A norm's weight and bias, by their new names or the old ones. */
static enum status take_norm(const struct bert_source *source, const char *from,
                             const char *to, struct error *err)
{
    static const char *const halves[2][3] = {{"weight", "gamma", "w"},
                                             {"bias", "beta", "b"}};

    for (size_t half = 0; half < 2; half++) {
        const struct tensor *tensor;
        char name[TENSOR_NAME_MAX + 1];
        void *data;
        enum status status;

        snprintf(name, sizeof name, "%s%s.%s", source->prefix, from, halves[half][1]);
        if (!safetensors_find(&source->import->source, name))
            snprintf(name, sizeof name, "%s%s.%s", source->prefix, from, halves[half][0]);
        status = import_find(source->import, name, source->hidden, 0, &tensor, err);
        if (status)
            return status;
        snprintf(name, sizeof name, "%s.%s", to, halves[half][2]);
        status =
            import_make(source->import, name,
                        (struct import_shape){DTYPE_F32, source->hidden, 0}, &data, err);
        if (status)
            return status;
        import_load(tensor, data);
        if (half == 0)
            import_flush(data, source->hidden, 0x1p-126f);
    }
    return STATUS_OK;
}

/* The stacked weights and biases of one matrix as f32. */
static enum status load_parts(const struct bert_source *source, uint64_t layer,
                              const struct matrix *matrix, float *weights, float *bias,
                              struct error *err)
{
    const uint64_t rows = matrix->to_intermediate ? source->intermediate : source->hidden;
    const uint64_t columns =
        matrix->from_intermediate ? source->intermediate : source->hidden;

    for (uint32_t part = 0; part < matrix->parts; part++) {
        const struct tensor *tensor;
        char name[TENSOR_NAME_MAX + 1];
        enum status status;

        snprintf(name, sizeof name, "%sencoder.layer.%llu.%s.weight", source->prefix,
                 (unsigned long long)layer, matrix->from[part]);
        status = import_find(source->import, name, rows, columns, &tensor, err);
        if (status)
            return status;
        import_load(tensor, weights + part * rows * columns);
        snprintf(name, sizeof name, "%sencoder.layer.%llu.%s.bias", source->prefix,
                 (unsigned long long)layer, matrix->from[part]);
        status = import_find(source->import, name, rows, 0, &tensor, err);
        if (status)
            return status;
        import_load(tensor, bias + part * rows);
    }
    return STATUS_OK;
}

static enum status take_matrix(const struct bert_source *source, uint64_t layer,
                               const struct matrix *matrix, struct error *err)
{
    const uint64_t rows =
        matrix->parts * (matrix->to_intermediate ? source->intermediate : source->hidden);
    const uint64_t columns =
        matrix->from_intermediate ? source->intermediate : source->hidden;
    char name[TENSOR_NAME_MAX + 1], bias_name[TENSOR_NAME_MAX + 1];
    float *weights;
    void *bias;
    enum status status;

    snprintf(name, sizeof name, "L.%llu.%s", (unsigned long long)layer, matrix->to);
    snprintf(bias_name, sizeof bias_name, "L.%llu.%s.b", (unsigned long long)layer,
             matrix->to);
    status = import_make(source->import, bias_name,
                         (struct import_shape){DTYPE_F32, rows, 0}, &bias, err);
    if (status)
        return status;
    weights = memory_array(rows * columns, sizeof *weights);
    if (!weights)
        return error_set(err, STATUS_NO_MEMORY, "no memory for matrix %s", name);
    status = load_parts(source, layer, matrix, weights, bias, err);
    if (!status)
        status = import_quantise(source->import, name, weights, (uint32_t)rows,
                                 (uint32_t)columns, err);
    memory_free(weights);
    return status;
}

static enum status take_layer(const struct bert_source *source, uint64_t layer,
                              struct error *err)
{
    enum status status = STATUS_OK;

    for (size_t i = 0; i < sizeof layer_matrices / sizeof *layer_matrices && !status; i++)
        status = take_matrix(source, layer, &layer_matrices[i], err);
    for (size_t i = 0; i < sizeof layer_norms / sizeof *layer_norms && !status; i++) {
        char from[TENSOR_NAME_MAX + 1], to[TENSOR_NAME_MAX + 1];

        snprintf(from, sizeof from, "encoder.layer.%llu.%s", (unsigned long long)layer,
                 layer_norms[i].from);
        snprintf(to, sizeof to, "L.%llu.%s", (unsigned long long)layer,
                 layer_norms[i].to);
        status = take_norm(source, from, to, err);
    }
    return status;
}

static enum status take_embeddings(const struct bert_source *source, struct error *err)
{
    const struct {
        const char *from, *to;
        uint64_t rows;
    } tables[] = {
        {"word_embeddings", "embed.word", source->vocab},
        {"position_embeddings", "embed.position", source->positions},
        {"token_type_embeddings", "embed.type", source->types},
    };

    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        const struct tensor *tensor;
        char name[TENSOR_NAME_MAX + 1];
        enum status status;

        snprintf(name, sizeof name, "%sembeddings.%s.weight", source->prefix,
                 tables[i].from);
        status = import_find(source->import, name, tables[i].rows, source->hidden,
                             &tensor, err);
        if (!status)
            status = import_take(source->import, tables[i].to, tensor, err);
        if (status)
            return status;
    }
    return take_norm(source, "embeddings.LayerNorm", "embed.norm", err);
}

/* No layer beyond those of config.json, and nothing in a layer that is not one of its
 * sixteen. */
static enum status check_encoder(const struct bert_source *source, struct error *err)
{
    const struct safetensors *file = &source->import->source;
    const uint64_t expected = source->layers * 16;
    uint64_t found = 0;
    char prefix[32];

    snprintf(prefix, sizeof prefix, "%sencoder.", source->prefix);
    for (size_t i = 0; i < file->count; i++)
        found += strncmp(file->tensors[i].name, prefix, strlen(prefix)) == 0;
    if (found != expected)
        return error_set(err, STATUS_NOT_SUPPORTED,
                         "the encoder has %llu tensors, a BERT of %llu layers has %llu",
                         (unsigned long long)found, (unsigned long long)source->layers,
                         (unsigned long long)expected);
    return STATUS_OK;
}

static enum status bert_run(struct import *import, struct error *err)
{
    struct bert_source source = {.import = import, .prefix = ""};
    enum status status = read_config(&source, err);

    if (safetensors_find(&import->source, "bert.embeddings.word_embeddings.weight"))
        source.prefix = "bert.";
    if (!status)
        status = set_constants(&source, err);
    if (!status)
        status = set_precision(import, err);
    if (!status)
        status = take_embeddings(&source, err);
    for (uint64_t layer = 0; layer < source.layers && !status; layer++)
        status = take_layer(&source, layer, err);
    if (!status)
        status = check_encoder(&source, err);
    if (!status)
        status = import_wordpiece(import, source.vocab, source.positions, err);
    if (status)
        return status;
    memcpy(import->manifest.architecture, "bert", sizeof "bert");
    return STATUS_OK;
}

const struct import_kind import_bert = {
    .model_type = "bert",
    .run = bert_run,
};
