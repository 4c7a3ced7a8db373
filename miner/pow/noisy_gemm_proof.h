/*
 * noisy_gemm_proof.h - prove and verify, plain C, the definition (pow.md section 9).
 *
 * They fill the slots of scheme_noisy_gemm; callers go through scheme.h.  No state, any
 * thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POW_NOISY_GEMM_PROOF_H
#define MINERVA_POW_NOISY_GEMM_PROOF_H

#include "miner/pow/scheme.h"

MUST_CHECK enum status noisy_gemm_prove(const struct finding *finding, struct share **out,
                                        struct error *err);
MUST_CHECK enum status noisy_gemm_verify(const struct proof *proof,
                                         const struct pow_check *check,
                                         uint8_t ticket[32], struct error *err);

#endif
