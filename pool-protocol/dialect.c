/*
 * dialect.c - the list of dialects, and the slots of what some have not.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/dialect.h"

#include <stdio.h>
#include <string.h>

static const struct dialect_row rows[] = {
#define DIALECT(scheme, port, tls, file) {scheme, port, tls, &dialect_##file},
#include "pool-protocol/dialects.def"
#undef DIALECT
};

const char *dialect_scheme_at(uint32_t index)
{
    return index < sizeof rows / sizeof *rows ? rows[index].scheme : NULL;
}

const struct dialect_row *dialect_find(const char *url, struct error *err)
{
    const char *end = strstr(url, "://");
    char known[256] = "";
    size_t used = 0;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const size_t size = strlen(rows[i].scheme);

        if (end && (size_t)(end - url) == size && !strncmp(url, rows[i].scheme, size))
            return &rows[i];
        if (used < sizeof known)
            used += (size_t)snprintf(known + used, sizeof known - used, "%s%s",
                                     i ? ", " : "", rows[i].scheme);
    }
    error_set(err, STATUS_BAD_CONFIG,
              "the pool's URL is \"%s\", expected SCHEME://... with one of %s", url,
              known);
    return NULL;
}

enum status dialect_no_answer(struct dialect_session *session,
                              const struct answer *answer, uint64_t tag,
                              struct dialect_turn *turn)
{
    (void)session;
    (void)answer;
    (void)tag;
    (void)turn;
    return STATUS_NOT_SUPPORTED;
}

enum status dialect_no_puzzle(struct dialect_session *session,
                              const struct puzzle_task *task, uint64_t nonce,
                              struct dialect_turn *turn)
{
    (void)session;
    (void)task;
    (void)nonce;
    (void)turn;
    return STATUS_NOT_SUPPORTED;
}

void dialect_no_artifacts(const struct dialect_session *session,
                          struct dialect_artifacts *out)
{
    (void)session;
    *out = (struct dialect_artifacts){0};
}
