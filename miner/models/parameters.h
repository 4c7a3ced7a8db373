/*
 * parameters.h - an artifact's tensors on a device: bytes as they are, floats as f32.
 *
 * Belongs to the device's thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MODELS_PARAMETERS_H
#define MINERVA_MODELS_PARAMETERS_H

#include "backends/device.h"
#include "miner/models/artifact.h"

struct parameters {
    struct device *device;
    const struct artifact *artifact;
    struct buffer **buffers; /* one a tensor, in the artifact's order */
};

/* Uploads every tensor; what was had is freed again when one fails. */
MUST_CHECK enum status parameters_open(struct device *device,
                                       const struct artifact *artifact,
                                       struct parameters *out, struct error *err);
void parameters_close(struct parameters *parameters); /* zeroed is fine */
/* The artifact was checked: a name that it does not have is a mistake of the program. */
struct view parameters_view(const struct parameters *parameters, const char *name);

#endif
