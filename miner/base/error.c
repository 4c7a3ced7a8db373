/*
 * error.c - outcomes and the sentences that explain them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/base/error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *status_text(enum status status)
{
    static const char *const sentences[STATUS_COUNT] = {
#define STATUS(name, sentence) [STATUS_##name] = sentence,
#include "miner/base/status.def"
#undef STATUS
    };

    assert((unsigned)status < STATUS_COUNT);
    return sentences[status];
}

void error_fill(struct error *err, enum status status, const char *format, ...)
{
    va_list args;

    assert(status != STATUS_OK);
    if (!err)
        return;
    err->status = status;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
}

void error_prefix(struct error *err, const char *format, ...)
{
    char front[ERROR_TEXT_MAX], rest[ERROR_TEXT_MAX];
    va_list args;
    size_t used;

    if (!err)
        return;
    va_start(args, format);
    vsnprintf(front, sizeof front, format, args);
    va_end(args);
    memcpy(rest, error_text(err), strlen(error_text(err)) + 1);
    snprintf(err->text, sizeof err->text, "%s", front);
    used = strlen(err->text);
    snprintf(err->text + used, sizeof err->text - used, ": %s", rest);
}

const char *error_text(const struct error *err)
{
    if (!err)
        return "";
    return err->text[0] ? err->text : status_text(err->status);
}
