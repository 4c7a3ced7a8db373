/*
 * config_case.h - command lines and a settings file for the tests of settings.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TESTS_CONFIG_CASE_H
#define MINERVA_TESTS_CONFIG_CASE_H

#include "miner/config.h"

/* Loads a command line of words, the last one NULL; the sentence goes to err. */
MUST_CHECK enum status config_case_load(struct config **out, struct error *err,
                                        const char *const *words);
#define LOAD(out, err, ...)                                                              \
    config_case_load(out, err, (const char *const[]){__VA_ARGS__, NULL})

/* Around a group of tests: a folder of their own, which is the home too. */
int config_case_begin(void **state);
int config_case_end(void **state);
const char *config_case_folder(void);
const char *config_case_path(void);      /* of the settings file in it */
void config_case_file(const char *text); /* writes that file */
/* The status is as expected, and the sentence has that part. */
void config_case_refused(enum status status, const struct error *err,
                         enum status expected, const char *part);

#endif
