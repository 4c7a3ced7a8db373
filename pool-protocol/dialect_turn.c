/*
 * dialect_turn.c - the turn in which a dialect answers.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/dialect_turn.h"

#include <assert.h>

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
