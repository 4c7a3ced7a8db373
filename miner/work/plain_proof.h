/*
 * plain_proof.h - the share's bytes: PlainProof, bincode with fixed-width little-endian
 * integers.
 *
 * pow.md section 8.  Decoding reads hostile bytes: every declared length is checked
 * against what is left before anything is allocated.  No state, any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_WORK_PLAIN_PROOF_H
#define MINERVA_WORK_PLAIN_PROOF_H

#include "miner/base/bytes.h"
#include "miner/work/proof.h"

/* The largest legal proof is far below this; longer input is refused unread. */
enum { PLAIN_PROOF_SIZE_MAX = 8 << 20 };

/* With the trailing 0 byte of the current form. */
MUST_CHECK enum status plain_proof_encode(const struct proof *proof, struct blob *out);
/* Both forms. On OK the caller frees out with proof_free(); otherwise out is empty.
 * Judges only the encoding (BAD_PROOF with a sentence), not what it says. */
MUST_CHECK enum status plain_proof_decode(struct bytes from, struct proof *out,
                                          struct error *err);

#endif
