/*
 * dialect_pearl.c - a plain Pearl pool: log in, hear jobs, send shares (pearl-pools.md
 * 2).
 *
 * All jobs of a connection are void when it ends.  A pool of this kind assigns no tasks.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>

#include "pool-protocol/dialect_object.h"
#include "pool-protocol/message_array.h"

static enum status pearl_greet(struct dialect_session *session, struct dialect_turn *turn)
{
    struct message_authorize hello = session->login->hello;

    object_begin(session);
    share_desk_void(&session->desk);
    hello.protocol[0] = 0;
    if (session->login->form == USER_ARRAY)
        return message_array_authorize_encode(object_ask(session, REQUEST_HELLO, 0)->id,
                                              &hello, &turn->lines);
    return message_authorize_encode(object_ask(session, REQUEST_HELLO, 0)->id, &hello,
                                    &turn->lines);
}

static enum status pearl_reply(struct dialect_session *session,
                               const struct message_line *line, struct dialect_turn *turn,
                               struct error *err)
{
    const struct object_request request = object_answered(session, line);
    struct dialect_event *event = NULL;
    struct message_reply reply;

    if (request.kind == REQUEST_SUBMIT)
        object_verdict(session, &request, line, turn);
    if (request.kind != REQUEST_HELLO)
        return STATUS_OK;
    message_line_reply(line, &reply);
    if (!reply.is_ok)
        return object_refused(&reply, turn, err);
    session->is_ready = true;
    session->is_gzip = session->login->hello.asks_gzip && message_welcome_is_gzip(line);
    event = dialect_turn_event(turn, EVENT_READY);
    if (event)
        snprintf(event->text, sizeof event->text, "a plain Pearl pool%s",
                 session->is_gzip ? ", proofs in gzip" : "");
    return STATUS_OK;
}

static enum status pearl_receive(struct dialect_session *session, struct bytes bytes,
                                 struct dialect_turn *turn, struct error *err)
{
    struct message_line *line = NULL;
    enum status status = STATUS_OK;

    session->has_heard = true;
    status = message_line_parse(bytes, &line, err);
    if (status)
        return status;
    if (message_line_kind(line) == MESSAGE_REPLY)
        status = pearl_reply(session, line, turn, err);
    else
        status = object_push(session, line, turn, err);
    message_line_free(line);
    return status;
}

const struct dialect dialect_pearl = {
    .name = "pearl",
    .has_socket = true,
    .user = DIALECT_USER_ADDRESS,
    .open = object_open,
    .close = object_close,
    .greet = pearl_greet,
    .receive = pearl_receive,
    .submit = object_submit,
    .answer = dialect_no_answer,
    .solve = dialect_no_puzzle,
    .tick = object_tick,
    .artifacts = dialect_no_artifacts,
};
