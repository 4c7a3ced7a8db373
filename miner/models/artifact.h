/*
 * artifact.h - a model as a folder: manifest.json, model.safetensors, vocabulary
 * (numerics.md 3.3).
 *
 * Opening checks everything the manifest says (names, types, shapes, sizes, hashes,
 * limits of numerics.md 1.2) before anything is used.  An open artifact is read-only: any
 * thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MODELS_ARTIFACT_H
#define MINERVA_MODELS_ARTIFACT_H

#include <stdint.h>

#include "miner/base/bytes.h"

enum { TENSOR_NAME_MAX = 95, TENSOR_RANK_MAX = 4 };
enum dtype {
    DTYPE_F32,
    DTYPE_F16,
    DTYPE_BF16,
    DTYPE_I8,
    DTYPE_U8,
    DTYPE_I32,
    DTYPE_I64,
    DTYPE_F8_E4M3,
    DTYPE_COUNT
};

struct tensor {
    char name[TENSOR_NAME_MAX + 1];
    enum dtype dtype;
    uint32_t rank;
    uint64_t shape[TENSOR_RANK_MAX];
    struct bytes data; /* in the file's mapping: lives as long as its artifact */
    char hash[65];     /* BLAKE3 of data */
};

/* Precision classes: limbs of the activations and of the weights (numerics.md 2.1). */
enum precision { PRECISION_W7A7, PRECISION_W7A14, PRECISION_W14A14, PRECISION_COUNT };
const char *precision_name(enum precision precision); /* "w7a14" */
MUST_CHECK enum status precision_parse(const char *text, enum precision *out,
                                       struct error *err);

struct tokenizer_info { /* what the manifest says of it */
    char kind[16];      /* "wordpiece" */
    bool lowercase;
    uint32_t max_sequence;
    char vocab_hash[65];
    uint32_t vocab_size;
};

struct artifact;
/* folder/manifest.json and beside it model.safetensors and the vocabulary. */
MUST_CHECK enum status artifact_open(const char *folder, struct artifact **out,
                                     struct error *err);
void artifact_close(struct artifact *artifact);
const char *artifact_id(const struct artifact *artifact); /* 64 hex digits */
const char *
artifact_architecture(const struct artifact *artifact); /* a name of models.def */
enum precision artifact_precision(const struct artifact *artifact);
const struct tokenizer_info *artifact_tokenizer(const struct artifact *artifact);
struct bytes artifact_manifest(const struct artifact *artifact); /* the canonical JSON */
struct bytes artifact_vocab(const struct artifact *artifact);
/* An integer field of the manifest's config ("hidden_size"); false when it has none. */
bool artifact_config(const struct artifact *artifact, const char *name, uint64_t *out);
/* An f32 constant stored as hex bits ("layer_norm_eps"); false when it has none. */
bool artifact_constant(const struct artifact *artifact, const char *name, float *out);
size_t artifact_tensor_count(const struct artifact *artifact);
const struct tensor *artifact_tensor_at(const struct artifact *artifact,
                                        size_t index); /* sorted by name */
const struct tensor *artifact_tensor(const struct artifact *artifact,
                                     const char *name); /* NULL: none */
/* The blob of that BLAKE3 hash (a tensor or the vocabulary) for serving; size 0: none. */
struct bytes artifact_blob(const struct artifact *artifact, const char *hash);

/* Gives the pages of the mapping back to the system: they are read again when they are
 * asked for. For who has copied the tensors elsewhere and keeps the artifact. */
void artifact_forget_pages(const struct artifact *artifact);

/* What a manifest from elsewhere says of its tokenizer; all of the manifest is checked.
 */
MUST_CHECK enum status artifact_tokenizer_of(struct bytes manifest,
                                             struct tokenizer_info *out,
                                             struct error *err);
/* The hash that names a model: derive_key("pouw model v1") over the manifest's bytes. */
void artifact_hash_manifest(struct bytes manifest, char id[65]);

#endif
