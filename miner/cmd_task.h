/*
 * cmd_task.h - the words of `minerva task`, one a function; each prints what it has to
 * say and returns the exit code.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_CMD_TASK_H
#define MINERVA_MINER_CMD_TASK_H

#include "miner/base/bytes.h"
#include "miner/commands.h"

int cmd_task_run(int argc, char **argv);    /* here, without any pool */
int cmd_task_submit(int argc, char **argv); /* hand it to a pool */
int cmd_task_status(int argc, char **argv);
int cmd_task_claim(int argc, char **argv); /* fetch the result */

/* "minerva task run: " and the sentence, on standard error; the exit code of its status.
 */
int cmd_task_fail(const char *word, const struct error *err);

/* Writes a result to the file output, or without one says what it is: the nearest
 * neighbours of some vectors (lines of text beside them where it has any), or the hash of
 * a product. */
MUST_CHECK enum status cmd_task_show(struct bytes result, struct bytes text,
                                     const char *output, struct error *err);

#endif
