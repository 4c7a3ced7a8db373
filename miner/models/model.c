/*
 * model.c - the list of networks and their checked face.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/models/model.h"

#include <assert.h>
#include <string.h>

static const struct model_kind *const model_kinds[] = {
#define MODEL(file) &model_##file,
#include "miner/models/models.def"
#undef MODEL
};

const struct model_kind *model_kind_find(const char *architecture)
{
    for (size_t i = 0; i < sizeof model_kinds / sizeof *model_kinds; i++) {
        if (strcmp(model_kinds[i]->name, architecture) == 0)
            return model_kinds[i];
    }
    return NULL;
}

static struct model_head *head_of(struct model *model)
{
    return (struct model_head *)(void *)model;
}

enum status model_check(const struct artifact *artifact, struct error *err)
{
    const struct model_kind *kind = model_kind_find(artifact_architecture(artifact));

    if (!kind)
        return error_set(err, STATUS_NOT_SUPPORTED,
                         "the architecture is \"%s\", which this version does not know",
                         artifact_architecture(artifact));
    return kind->check(artifact, err);
}

enum status model_open(struct device *device, const struct artifact *artifact,
                       uint32_t rows_max, struct model **out, struct error *err)
{
    const struct model_kind *kind = model_kind_find(artifact_architecture(artifact));
    enum status status;

    assert(kind); /* artifact_open() has checked it */
    assert(rows_max);
    status = kind->open(device, artifact, rows_max, out, err);
    if (status)
        return status;
    assert(head_of(*out)->kind == kind);
    assert(head_of(*out)->rows_max == rows_max);
    return STATUS_OK;
}

void model_close(struct model *model)
{
    if (model)
        head_of(model)->kind->close(model);
}

/* Whole sequences, each within the model's length, together within its rows, all ids
 * known. */
static bool is_fitting(const struct model_head *head, const struct model_pack *pack)
{
    const uint32_t longest = head->kind->sequence_max(head->artifact);
    const uint32_t vocabulary = head->kind->vocabulary(head->artifact);
    uint64_t rows = 0;

    for (uint32_t item = 0; item < pack->items; item++) {
        if (pack->lengths[item] == 0 || pack->lengths[item] > longest)
            return false;
        rows += pack->lengths[item];
    }
    if (rows == 0 || rows > head->rows_max)
        return false;
    for (uint64_t row = 0; row < rows; row++) {
        if (pack->ids[row] < 0 || (uint32_t)pack->ids[row] >= vocabulary)
            return false;
    }
    return true;
}

enum status model_embed(struct model *model, const struct model_pack *pack,
                        struct matmul_port *port, float *vectors,
                        struct model_fault *fault)
{
    if (!is_fitting(head_of(model), pack))
        return STATUS_BAD_DATA;
    return head_of(model)->kind->embed(model, pack, port, vectors, fault);
}

struct weights *model_weights(struct model *model, uint32_t product)
{
    const struct model_head *head = head_of(model);

    assert(product < head->kind->product_count(head->artifact));
    return head->kind->weights(model, product);
}
