/*
 * dialect_gateway.c - solo mining: the gateway beside one's own node (pearl-pools.md 4).
 *
 * It pushes nothing, so it is asked every second; another header is another job, and the
 * one before it is void, because a proof of an old template is dropped without a word.
 * The target is the network's: what is found is a block.  That a proof was taken is all
 * the gateway ever says.
 *
 * SPDX-License-Identifier: MIT
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/memory.h"
#include "pool-protocol/dialect_object.h"
#include "pool-protocol/message_gateway.h"

enum { ASK_MS = 1000, CODE_NO_TEMPLATE = -32001 };

struct gateway_session {
    struct dialect_session object; /* first: a pointer to it is a pointer to the whole */
    uint64_t asked_ms;
    uint64_t counter; /* of templates */
    bool has_job;
    struct message_notify template; /* the newest */
};

_Static_assert(offsetof(struct gateway_session, object) == 0,
               "a session is found by its own address");

static struct gateway_session *gateway_of(struct dialect_session *session)
{
    return (struct gateway_session *)session;
}

static enum status gateway_open(const struct dialect_login *login,
                                struct dialect_session **out, struct error *err)
{
    struct gateway_session *session = memory_new(struct gateway_session);

    *out = NULL;
    if (!session)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a gateway's session");
    object_init(&session->object, login);
    *out = &session->object;
    return STATUS_OK;
}

static enum status gateway_greet(struct dialect_session *object,
                                 struct dialect_turn *turn)
{
    struct gateway_session *session = gateway_of(object);

    object_begin(object);
    share_desk_void(&object->desk);
    session->has_job = false;
    session->asked_ms = 0;
    return message_gateway_ask(object_ask(object, REQUEST_HELLO, 0)->id, &turn->lines);
}

static bool gateway_is_same(const struct message_notify *a,
                            const struct message_notify *b)
{
    return !memcmp(a->job.header, b->job.header, JOB_HEADER_SIZE) &&
           a->has_cert_version == b->has_cert_version &&
           a->job.cert_version == b->job.cert_version;
}

static enum status gateway_template(struct gateway_session *session,
                                    const struct message_line *line,
                                    struct dialect_turn *turn, struct error *err)
{
    struct message_notify template;
    const enum status status = message_gateway_decode(line, &template, err);

    if (status)
        return status;
    session->object.has_heard_job = true;
    if (session->has_job && gateway_is_same(&template, &session->template))
        return STATUS_OK;
    session->has_job = true;
    session->template = template;
    snprintf(template.job.id, sizeof template.job.id, "template-%" PRIu64,
             ++session->counter);
    share_desk_clear(&session->object.desk);
    return object_announce(&session->object, &template, turn, err);
}

/* There is nothing to mine for now; that is no fault, and it is asked again. */
static void gateway_paused(struct gateway_session *session, const char *text,
                           struct dialect_turn *turn)
{
    struct dialect_event *event = NULL;

    session->object.has_heard_job = true;
    share_desk_clear(&session->object.desk);
    if (session->has_job)
        event = dialect_turn_event(turn, EVENT_NO_JOB);
    if (event)
        snprintf(event->text, sizeof event->text, "%s", text);
    session->has_job = false;
}

static enum status gateway_told(struct gateway_session *session,
                                const struct message_line *line,
                                struct dialect_turn *turn, struct error *err)
{
    struct dialect_event *event = NULL;
    struct message_reply reply;

    message_line_reply(line, &reply);
    if (!reply.is_ok && reply.code != CODE_NO_TEMPLATE)
        return error_set(err, STATUS_BAD_MESSAGE, "the gateway has no template: %s (%d)",
                         *reply.text ? reply.text : "no reason given", reply.code);
    if (!session->object.is_ready)
        event = dialect_turn_event(turn, EVENT_READY);
    if (event)
        snprintf(event->text, sizeof event->text, "a solo gateway");
    session->object.is_ready = true;
    if (reply.is_ok)
        return gateway_template(session, line, turn, err);
    gateway_paused(session, reply.text, turn);
    return STATUS_OK;
}

/* Its queue holds 64 proofs: what finds no room there is worth another try, for it may be
 * a block. */
static void gateway_verdict(struct dialect_session *object,
                            const struct object_request *request,
                            const struct message_line *line, struct dialect_turn *turn)
{
    struct dialect_event *event = NULL;

    object_verdict(object, request, line, turn);
    event = &turn->events[turn->event_count - 1];
    if (event->refusal != REFUSAL_BUSY)
        return;
    event->verdict = VERDICT_AGAIN;
    share_desk_unsent(&object->desk, request->place);
}

static enum status gateway_receive(struct dialect_session *object, struct bytes bytes,
                                   struct dialect_turn *turn, struct error *err)
{
    struct object_request request = {0};
    struct message_line *line = NULL;
    enum status status = message_line_parse_wide(bytes, &line, err);

    object->has_heard = true;
    if (status)
        return status;
    if (message_line_kind(line) == MESSAGE_REPLY)
        request = object_answered(object, line);
    if (request.kind == REQUEST_SUBMIT)
        gateway_verdict(object, &request, line, turn);
    else if (request.kind != REQUEST_NONE)
        status = gateway_told(gateway_of(object), line, turn, err);
    message_line_free(line);
    return status;
}

static enum status gateway_submit(struct dialect_session *session,
                                  const struct share *share, uint64_t tag,
                                  struct dialect_turn *turn)
{
    struct object_request *request = NULL;
    const char *job_id = NULL; /* of our own making: the header says what it is for */
    enum status status = object_submit_begin(session, share, tag, &request, &job_id);

    if (status)
        return status;
    status = message_gateway_submit(request->id, share, &turn->lines);
    if (status)
        object_submit_undo(session, request);
    return status;
}

static enum status gateway_tick(struct dialect_session *object, uint64_t now_ms,
                                struct dialect_turn *turn, struct error *err)
{
    struct gateway_session *session = gateway_of(object);
    const struct object_request *request = NULL;
    const enum status status = object_tick(object, now_ms, turn, err);

    if (!session->asked_ms)
        session->asked_ms = now_ms;
    if (status || now_ms - session->asked_ms < ASK_MS ||
        object_outstanding(object, REQUEST_HELLO) ||
        object_outstanding(object, REQUEST_PING))
        return status;
    session->asked_ms = now_ms;
    request = object_ask(object, REQUEST_PING, 0);
    return request ? message_gateway_ask(request->id, &turn->lines) : STATUS_OK;
}

const struct dialect dialect_gateway = {
    .name = "gateway",
    .has_socket = true,
    .user = DIALECT_USER_NONE,
    .form = USER_SPLIT,
    .open = gateway_open,
    .close = object_close,
    .greet = gateway_greet,
    .receive = gateway_receive,
    .submit = gateway_submit,
    .answer = dialect_no_answer,
    .solve = dialect_no_puzzle,
    .tick = gateway_tick,
    .artifacts = dialect_no_artifacts,
};
