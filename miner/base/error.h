/*
 * error.h - outcomes and the sentences that explain them.
 *
 * A fallible function returns `enum status` (STATUS_OK is 0) and is MUST_CHECK.  Set-up
 * paths also take a `struct error *`, lent by the caller, filled once where the fault is
 * first seen.  Nobody prints and returns the same error.  Any thread; an error belongs to
 * the thread that lent it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BASE_ERROR_H
#define MINERVA_BASE_ERROR_H

#define MUST_CHECK               __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

enum status {
#define STATUS(name, sentence) STATUS_##name,
#include "miner/base/status.def"
#undef STATUS
    STATUS_COUNT
};

#define ERROR_TEXT_MAX 512

struct error {
    enum status status;
    char text[ERROR_TEXT_MAX]; /* one sentence, no line end; longer ones are cut */
};

/* The sentence of a status, for use where no error was lent. Never NULL. */
const char *status_text(enum status status);

/* Fill err (which may be NULL) and give status back, so that a refusal is one statement:
 * `return error_set(err, STATUS_BAD_DATA, "k is %u, expected a multiple of 64", k);`
 * A macro, so that the compiler sees at the caller which status comes back. */
#define error_set(err, status, ...)                                                      \
    (error_fill((err), (status), __VA_ARGS__), error_given(status))
void error_fill(struct error *err, enum status status, const char *format, ...)
    PRINTF_LIKE(3, 4);
static inline enum status error_given(enum status status)
{
    return status;
}

/* Put "what: " in front of a sentence that is already there. */
void error_prefix(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* The sentence in err, or the status's own when err is empty. */
const char *error_text(const struct error *err);

#endif
