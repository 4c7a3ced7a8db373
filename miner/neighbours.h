/*
 * neighbours.h - a table by which a person sees that embeddings are real: for a few
 * sentences, the ones that mean nearly the same.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_NEIGHBOURS_H
#define MINERVA_MINER_NEIGHBOURS_H

#include "miner/tasks/embeddings.h"

/* On standard output: some of the vectors, evenly spread, each with its nearest by
 * cosine.  The lines of text, if any, are shown for them and must be as many; without
 * text only numbers are. */
MUST_CHECK enum status neighbours_print(const struct embeddings *vectors,
                                        struct bytes text, struct error *err);

#endif
