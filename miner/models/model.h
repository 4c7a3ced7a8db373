/*
 * model.h - what a network must do, and its checked face.
 *
 * A network knows devices and artifacts, not jobs or tasks.  It multiplies only through
 * the port it is given.  One open model belongs to its device's thread; the questions
 * about an artifact (product_count, product_shape, weights) open no device and may be
 * asked by any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MODELS_MODEL_H
#define MINERVA_MODELS_MODEL_H

#include "backends/matmul.h"
#include "miner/models/artifact.h"

struct model;

struct model_shape { /* one product */
    uint64_t m, n, k;
};

/* One pack of whole items (sequences), never padded. */
struct model_pack {
    uint32_t index; /* names the site */
    uint32_t items;
    const uint32_t *lengths; /* [items], each >= 1 */
    const int32_t *ids;      /* the items one after the other */
};

/* A numeric fault (numerics.md 1.2): the first operation in order, then the smallest row.
 */
struct model_fault {
    bool is_set;
    int32_t product; /* number of the product before the operation, -1: none */
    int32_t row;     /* in the pack */
};

struct model_kind {
    const char *name; /* the architecture's name in the manifest */
    /* All of the artifact's config and tensors fit each other, or a sentence. */
    enum status (*check)(const struct artifact *artifact, struct error *err);
    uint32_t (*product_count)(const struct artifact *artifact); /* a pack */
    /* Shape of a product for a pack of that many token rows; limbs included. */
    struct model_shape (*product_shape)(const struct artifact *artifact, uint32_t product,
                                        uint64_t tokens);
    /* The right operand of a product as stored: n x k int8 row major. */
    struct bytes (*product_weights)(const struct artifact *artifact, uint32_t product);
    uint32_t (*width)(const struct artifact *artifact);        /* of an embedding */
    uint32_t (*vocabulary)(const struct artifact *artifact);   /* ids are below it */
    uint32_t (*sequence_max)(const struct artifact *artifact); /* tokens an item */
    /* Everything allocated here, for packs of at most rows_max tokens; the artifact is
     * lent. */
    enum status (*open)(struct device *device, const struct artifact *artifact,
                        uint32_t rows_max, struct model **out, struct error *err);
    void (*close)(struct model *model);
    /* One unit vector an item into vectors [items][width].  STATUS_FAULT fills fault. */
    enum status (*embed)(struct model *model, const struct model_pack *pack,
                         struct matmul_port *port, float *vectors,
                         struct model_fault *fault);
    /* The right operand of a product on the device, for proof-of-work ports to prepare.
     */
    struct weights *(*weights)(struct model *model, uint32_t product);
};

/* The first member of every network's own struct model. */
struct model_head {
    const struct model_kind *kind;
    const struct artifact *artifact;
    uint32_t rows_max;
};

#define MODEL(file) extern const struct model_kind model_##file;
#include "miner/models/models.def"
#undef MODEL
const struct model_kind *model_kind_find(const char *architecture); /* NULL: none */

/* The architecture is known and its check() passes; artifact_open() asks this, so that
 * every open artifact may be asked everything. */
MUST_CHECK enum status model_check(const struct artifact *artifact, struct error *err);
MUST_CHECK enum status model_open(struct device *device, const struct artifact *artifact,
                                  uint32_t rows_max, struct model **out,
                                  struct error *err);
void model_close(struct model *model);
/* BAD_DATA for a pack that does not fit the model. */
MUST_CHECK enum status model_embed(struct model *model, const struct model_pack *pack,
                                   struct matmul_port *port, float *vectors,
                                   struct model_fault *fault);
struct weights *model_weights(struct model *model, uint32_t product);

#endif
