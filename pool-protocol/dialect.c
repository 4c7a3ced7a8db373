/*
 * dialect.c - the list of dialects, and the turn in which they answer.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/dialect.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const struct dialect_row rows[] = {
#define DIALECT(scheme, port, tls, file) {scheme, port, tls, &dialect_##file},
#include "pool-protocol/dialects.def"
#undef DIALECT
};

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

struct dialect_event *dialect_turn_event(struct dialect_turn *turn,
                                         enum dialect_event_kind kind)
{
    assert(turn->event_count < DIALECT_EVENTS_MAX);
    if (turn->event_count == DIALECT_EVENTS_MAX)
        return NULL;

    struct dialect_event *event = &turn->events[turn->event_count++];
    *event = (struct dialect_event){.kind = kind};
    return event;
}

void dialect_turn_clear(struct dialect_turn *turn)
{
    for (uint32_t i = 0; i < turn->event_count; i++) {
        job_release(turn->events[i].job);
        assignment_free(turn->events[i].work);
    }
    turn->event_count = 0;
    blob_clear(&turn->lines);
}

void dialect_turn_free(struct dialect_turn *turn)
{
    dialect_turn_clear(turn);
    blob_free(&turn->lines);
}
