/*
 * log.h - lines for people: `[2026-10-03 14:02:11.480]  net      text`.
 *
 * error needs a human now, warn soon, info is an event the user should notice, debug is
 * per job, trace per message.  Never per launch.  Colour only on a terminal.  Any thread;
 * one line is written with one write().
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BASE_LOG_H
#define MINERVA_BASE_LOG_H

#include "miner/base/error.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_TRACE };

/* To be called before threads start: what is shown, a file beside the terminal (or NULL),
 * and whether colour is wanted (never where standard output is no terminal). */
MUST_CHECK enum status log_open(enum log_level level, const char *file, int colour,
                                struct error *err);
void log_close(void);
void log_line(enum log_level level, const char *tag, const char *format, ...)
    PRINTF_LIKE(3, 4);

#define log_error(tag, ...) log_line(LOG_ERROR, tag, __VA_ARGS__)
#define log_warn(tag, ...)  log_line(LOG_WARN, tag, __VA_ARGS__)
#define log_info(tag, ...)  log_line(LOG_INFO, tag, __VA_ARGS__)
#define log_debug(tag, ...) log_line(LOG_DEBUG, tag, __VA_ARGS__)
#define log_trace(tag, ...) log_line(LOG_TRACE, tag, __VA_ARGS__)

#endif
