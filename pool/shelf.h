/*
 * shelf.h - the models this pool gives out work for: every folder of --models with a
 * manifest.
 *
 * Opened once at the start, checked whole, read-only afterwards: any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POOL_SHELF_H
#define MINERVA_POOL_SHELF_H

#include "miner/models/artifact.h"

enum { SHELF_MODELS_MAX = 64 };

struct shelf;
/* folder NULL: an empty shelf.  A model that does not open is a refusal that names its
 * folder. */
MUST_CHECK enum status shelf_open(const char *folder, struct shelf **out,
                                  struct error *err);
void shelf_close(struct shelf *shelf); /* NULL is fine */
size_t shelf_count(const struct shelf *shelf);
const struct artifact *shelf_model(const struct shelf *shelf,
                                   const char *id); /* NULL: none */
/* A tensor or vocabulary by its hash; size 0: none. */
struct bytes shelf_blob(const struct shelf *shelf, const char *hash);

#endif
