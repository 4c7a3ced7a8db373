/*
 * import.h - a Hugging Face folder into an artifact, deterministically
 * (numerics.md 2.1, 3.3).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MODELS_IMPORT_H
#define MINERVA_MODELS_IMPORT_H

#include "miner/models/artifact.h"

/* Same input, same precision: same model id on every machine.  to is made; what is in it
 * already is replaced only when all went well. */
MUST_CHECK enum status model_import(const char *from, const char *to,
                                    enum precision precision, char id[65],
                                    struct error *err);

#endif
