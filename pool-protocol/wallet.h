/*
 * wallet.h - whether a Pearl address is one, and if not, at which character it goes
 * wrong.
 *
 * A mistyped address pays a stranger or nobody, and a pool may take it without a word.
 * The sentence says where the fault is and never what would be right there: only the
 * owner knows that.  Any thread, no state.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_WALLET_H
#define MINERVA_PROTOCOL_WALLET_H

#include "miner/base/error.h"

enum { WALLET_CHECKED_MAX = 90 /* what its checksum can vouch for */ };

/* Bech32m with prl in front, all of one case.  REFUSED with a sentence that counts
 * characters from 1. */
MUST_CHECK enum status wallet_check(const char *text, struct error *err);

#endif
