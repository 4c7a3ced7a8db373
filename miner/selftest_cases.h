/*
 * selftest_cases.h - how each operation of a worked case is run on a device.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_SELFTEST_CASES_H
#define MINERVA_MINER_SELFTEST_CASES_H

#include "miner/selftest_trial.h"

/* Runs trial->given; false when its operation is of neither family. */
bool selftest_det1(struct trial *trial); /* scalar cores, sweeps, rows, attention */
bool selftest_pow(struct trial *trial);  /* commitment, noise, tickets, products */

#endif
