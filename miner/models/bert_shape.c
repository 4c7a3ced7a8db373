/*
 * bert_shape.c - what an artifact must hold to be a BERT, and the shapes that follow from
 * it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/models/bert_shape.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { K_MULTIPLE = 64, LAYER_TENSORS = 16, EMBED_TENSORS = 5 };

static const char *const matrix_names[BERT_PRODUCTS] = {"qkv", "attn_out", "ffn_up",
                                                        "ffn_down"};

/* ---- questions about an artifact
 * ------------------------------------------------------------- */

static bool read_shape(const struct artifact *artifact, struct bert_shape *out)
{
    const enum precision precision = artifact_precision(artifact);

    out->limbs_a = precision == PRECISION_W7A7 ? 1 : 2;
    out->limbs_w = precision == PRECISION_W14A14 ? 2 : 1;
    return artifact_config(artifact, "hidden_size", &out->hidden) &&
           artifact_config(artifact, "intermediate_size", &out->intermediate) &&
           artifact_config(artifact, "num_hidden_layers", &out->layers) &&
           artifact_config(artifact, "num_attention_heads", &out->heads) &&
           artifact_config(artifact, "vocab_size", &out->vocab) &&
           artifact_config(artifact, "max_position_embeddings", &out->positions) &&
           artifact_config(artifact, "type_vocab_size", &out->types);
}

struct bert_shape bert_shape_of(const struct artifact *artifact)
{
    struct bert_shape shape = {0};
    const bool is_whole = read_shape(artifact, &shape);

    assert(is_whole); /* checked when the artifact was opened */
    (void)is_whole;
    return shape;
}

uint64_t bert_shape_n(const struct bert_shape *shape, uint32_t product)
{
    const uint64_t n[BERT_PRODUCTS] = {3 * shape->hidden, shape->hidden,
                                       shape->intermediate, shape->hidden};

    return n[product % BERT_PRODUCTS];
}

uint64_t bert_shape_k(const struct bert_shape *shape, uint32_t product)
{
    return product % BERT_PRODUCTS == 3 ? shape->intermediate : shape->hidden;
}

static uint64_t padded(uint64_t k)
{
    return (k + K_MULTIPLE - 1) / K_MULTIPLE * K_MULTIPLE;
}

uint32_t bert_shape_product_count(const struct artifact *artifact)
{
    return (uint32_t)bert_shape_of(artifact).layers * BERT_PRODUCTS;
}

struct model_shape bert_shape_product(const struct artifact *artifact, uint32_t product,
                                      uint64_t tokens)
{
    const struct bert_shape shape = bert_shape_of(artifact);

    return (struct model_shape){
        .m = shape.limbs_a * tokens,
        .n = shape.limbs_w * bert_shape_n(&shape, product),
        .k = padded(bert_shape_k(&shape, product)),
    };
}

void bert_shape_name(char name[TENSOR_NAME_MAX + 1], uint32_t product, const char *field)
{
    snprintf(name, TENSOR_NAME_MAX + 1, "L.%u.%s.%s", product / BERT_PRODUCTS,
             matrix_names[product % BERT_PRODUCTS], field);
}

struct bytes bert_shape_weights(const struct artifact *artifact, uint32_t product)
{
    char name[TENSOR_NAME_MAX + 1];

    assert(product < bert_shape_product_count(artifact));
    bert_shape_name(name, product, "q");
    return artifact_tensor(artifact, name)->data;
}

uint32_t bert_shape_width(const struct artifact *artifact)
{
    return (uint32_t)bert_shape_of(artifact).hidden;
}

uint32_t bert_shape_vocabulary(const struct artifact *artifact)
{
    return (uint32_t)bert_shape_of(artifact).vocab;
}

uint32_t bert_shape_sequence_max(const struct artifact *artifact)
{
    return (uint32_t)bert_shape_of(artifact).positions;
}

/* ---- check
 * ----------------------------------------------------------------------------------- */

static enum status check_config(const struct bert_shape *shape, struct error *err)
{
    const struct {
        const char *name;
        uint64_t value, min, max;
    } fields[] = {
        {"hidden_size", shape->hidden, 1, 16384},
        {"intermediate_size", shape->intermediate, 1, 65536},
        {"num_hidden_layers", shape->layers, 1, 256},
        {"num_attention_heads", shape->heads, 1, 1024},
        {"vocab_size", shape->vocab, 5, 1 << 20},
        {"max_position_embeddings", shape->positions, 2, 1 << 17},
        {"type_vocab_size", shape->types, 1, 1024},
    };

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (fields[i].value < fields[i].min || fields[i].value > fields[i].max)
            return error_set(
                err, STATUS_BAD_DATA, "config: %s is %llu, expected %llu to %llu",
                fields[i].name, (unsigned long long)fields[i].value,
                (unsigned long long)fields[i].min, (unsigned long long)fields[i].max);
    }
    if (shape->hidden % shape->heads || shape->hidden / shape->heads > 256)
        return error_set(
            err, STATUS_BAD_DATA,
            "config: hidden_size %llu over %llu heads, expected a whole width of at most "
            "256",
            (unsigned long long)shape->hidden, (unsigned long long)shape->heads);
    return STATUS_OK;
}

/* Constants that follow from the config must be what follows. */
static enum status check_constants(const struct artifact *artifact,
                                   const struct bert_shape *shape, struct error *err)
{
    const uint64_t head =
        shape->hidden / shape->heads; /* whole: check_config() saw to it */
    const float scale = (float)(1.0 / sqrt((double)head));
    const float inv = (float)(1.0 / (double)shape->hidden);
    float eps = 0, value = 0;

    if (!artifact_constant(artifact, "layer_norm_eps", &eps) ||
        !(eps >= 0x1p-44f && eps <= 0x1p-6f))
        return error_set(err, STATUS_BAD_DATA,
                         "constants: layer_norm_eps is %g, expected 2^-44 to 2^-6",
                         (double)eps);
    if (!artifact_constant(artifact, "attention_scale", &value) || value < scale ||
        value > scale)
        return error_set(err, STATUS_BAD_DATA,
                         "constants: attention_scale is %.9g, expected %.9g",
                         (double)value, (double)scale);
    value = 0;
    if (!artifact_constant(artifact, "inv_hidden", &value) || value < inv || value > inv)
        return error_set(err, STATUS_BAD_DATA,
                         "constants: inv_hidden is %.9g, expected %.9g", (double)value,
                         (double)inv);
    return STATUS_OK;
}

/* One dimension where columns is 0.  */
static enum status check_tensor(const struct artifact *artifact, const char *name,
                                enum dtype dtype, uint64_t rows, uint64_t columns,
                                struct error *err)
{
    const struct tensor *tensor = artifact_tensor(artifact, name);

    if (!tensor)
        return error_set(err, STATUS_BAD_DATA, "tensor %s is missing", name);
    if (tensor->dtype != dtype)
        return error_set(err, STATUS_BAD_DATA, "tensor %s has the wrong type", name);
    if (tensor->rank != (columns ? 2u : 1u) || tensor->shape[0] != rows ||
        (columns && tensor->shape[1] != columns))
        return error_set(
            err, STATUS_BAD_DATA, "tensor %s has the wrong shape, expected %llu x %llu",
            name, (unsigned long long)rows, (unsigned long long)(columns ? columns : 1));
    return STATUS_OK;
}

static enum status check_table(const struct artifact *artifact, const char *name,
                               uint64_t rows, uint64_t columns, struct error *err)
{
    const struct tensor *tensor = artifact_tensor(artifact, name);
    const bool is_half =
        tensor && (tensor->dtype == DTYPE_F16 || tensor->dtype == DTYPE_BF16);

    return check_tensor(artifact, name, is_half ? tensor->dtype : DTYPE_F32, rows,
                        columns, err);
}

static enum status check_pair(const struct artifact *artifact, const char *name,
                              uint64_t width, struct error *err)
{
    char full[TENSOR_NAME_MAX + 1];
    enum status status;

    snprintf(full, sizeof full, "%s.w", name);
    status = check_tensor(artifact, full, DTYPE_F32, width, 0, err);
    if (status)
        return status;
    snprintf(full, sizeof full, "%s.b", name);
    return check_tensor(artifact, full, DTYPE_F32, width, 0, err);
}

static enum status check_matrix(const struct artifact *artifact,
                                const struct bert_shape *shape, uint32_t product,
                                struct error *err)
{
    const uint64_t n = bert_shape_n(shape, product),
                   k = padded(bert_shape_k(shape, product));
    char name[TENSOR_NAME_MAX + 1];
    enum status status;

    bert_shape_name(name, product, "q");
    status = check_tensor(artifact, name, DTYPE_I8, shape->limbs_w * n, k, err);
    if (status)
        return status;
    bert_shape_name(name, product, "s");
    status = check_tensor(artifact, name, DTYPE_F32, n, 0, err);
    if (status)
        return status;
    bert_shape_name(name, product, "b");
    return check_tensor(artifact, name, DTYPE_F32, n, 0, err);
}

static enum status check_layer(const struct artifact *artifact,
                               const struct bert_shape *shape, uint32_t layer,
                               struct error *err)
{
    char name[32];
    enum status status = STATUS_OK;

    for (uint32_t matrix = 0; matrix < BERT_PRODUCTS && !status; matrix++)
        status = check_matrix(artifact, shape, layer * BERT_PRODUCTS + matrix, err);
    if (status)
        return status;
    snprintf(name, sizeof name, "L.%u.attn_norm", layer);
    status = check_pair(artifact, name, shape->hidden, err);
    snprintf(name, sizeof name, "L.%u.ffn_norm", layer);
    return status ? status : check_pair(artifact, name, shape->hidden, err);
}

static enum status check_tensors(const struct artifact *artifact,
                                 const struct bert_shape *shape, struct error *err)
{
    const uint64_t count = shape->layers * LAYER_TENSORS + EMBED_TENSORS;
    enum status status =
        check_table(artifact, "embed.word", shape->vocab, shape->hidden, err);

    if (!status)
        status =
            check_table(artifact, "embed.position", shape->positions, shape->hidden, err);
    if (!status)
        status = check_table(artifact, "embed.type", shape->types, shape->hidden, err);
    if (!status)
        status = check_pair(artifact, "embed.norm", shape->hidden, err);
    for (uint32_t layer = 0; layer < shape->layers && !status; layer++)
        status = check_layer(artifact, shape, layer, err);
    if (!status && artifact_tensor_count(artifact) != count)
        status = error_set(err, STATUS_BAD_DATA, "there are %zu tensors, expected %llu",
                           artifact_tensor_count(artifact), (unsigned long long)count);
    return status;
}

enum status bert_shape_check(const struct artifact *artifact, struct error *err)
{
    const struct tokenizer_info *tokenizer = artifact_tokenizer(artifact);
    struct bert_shape shape = {0};
    enum status status;

    if (!read_shape(artifact, &shape))
        return error_set(err, STATUS_BAD_DATA, "config: a size is missing");
    status = check_config(&shape, err);
    if (!status)
        status = check_constants(artifact, &shape, err);
    if (!status && (tokenizer->vocab_size > shape.vocab ||
                    tokenizer->max_sequence > shape.positions))
        status = error_set(
            err, STATUS_BAD_DATA,
            "the tokenizer makes %u words and %u tokens, the network has %llu and %llu",
            tokenizer->vocab_size, tokenizer->max_sequence,
            (unsigned long long)shape.vocab, (unsigned long long)shape.positions);
    return status ? status : check_tensors(artifact, &shape, err);
}
