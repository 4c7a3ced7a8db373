/*
 * dialect_task.c - the native pool: jobs and useful tasks on one connection
 * (task-pool.md).
 *
 * Comes back with the session it was given, so that leases and jobs outlive a connection.
 * A pool that does not answer with the protocol is treated as a plain Pearl pool.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>

#include "pool-protocol/dialect_object.h"
#include "pool-protocol/message_task.h"

static enum status task_greet(struct dialect_session *session, struct dialect_turn *turn)
{
    struct message_authorize hello = session->login->hello;

    object_begin(session);
    snprintf(hello.protocol, sizeof hello.protocol, "%s", MESSAGE_PROTOCOL);
    snprintf(hello.session, sizeof hello.session, "%s", session->welcome.session);
    return message_authorize_encode(object_ask(session, REQUEST_HELLO, 0)->id, &hello,
                                    &turn->lines);
}

static enum status task_welcome(struct dialect_session *session,
                                const struct message_line *line,
                                struct dialect_turn *turn, struct error *err)
{
    struct message_welcome welcome;
    struct message_reply reply;
    enum status status = STATUS_OK;

    message_line_reply(line, &reply);
    if (!reply.is_ok)
        return object_refused(&reply, turn, err);
    status = message_welcome_decode(line, &welcome, err);
    if (status) /* without a hello's answer there is nothing to go on with */
        return status == STATUS_BAD_MESSAGE ? STATUS_NETWORK : status;

    const bool has_tasks = !strcmp(welcome.protocol, MESSAGE_PROTOCOL);
    const bool is_kept = has_tasks && !strcmp(welcome.session, session->welcome.session);
    struct dialect_event *event = dialect_turn_event(turn, EVENT_READY);
    if (!is_kept)
        share_desk_void(&session->desk);
    session->is_ready = true;
    session->is_gzip = session->login->hello.asks_gzip && welcome.is_gzip;
    session->has_tasks = session->desk.takes_any = has_tasks;
    session->welcome = has_tasks ? welcome : (struct message_welcome){0};
    if (event)
        snprintf(event->text, sizeof event->text, "%s",
                 !has_tasks ? "a plain Pearl pool"
                 : is_kept  ? "a task pool, session kept"
                            : "a task pool, new session");
    return STATUS_OK;
}

/* An assignment that cannot be read in full is declined with the sentence. */
static enum status task_assign(struct dialect_session *session,
                               const struct message_line *line, struct dialect_turn *turn,
                               struct error *err)
{
    struct assignment *work = NULL;
    const enum status status = message_assign_decode(line, &work, err);

    if (!status) {
        struct dialect_event *event = dialect_turn_event(turn, EVENT_ASSIGN);

        work->received_ms = session->now_ms;
        if (event)
            event->work = work;
        return STATUS_OK;
    }
    if (work) {
        struct answer decline = {.kind = ANSWER_DECLINE};
        const struct object_request *request = object_ask(session, REQUEST_DECLINE, 0);
        enum status sent = STATUS_AGAIN;

        snprintf(decline.task_id, sizeof decline.task_id, "%s", work->id);
        snprintf(decline.reason, sizeof decline.reason, "%s", error_text(err));
        if (request)
            sent = message_answer_encode(request->id, &decline, &turn->lines);
        if (sent) /* the pool takes back what nobody accepts */
            error_prefix(err, "not even declined");
    }
    assignment_free(work);
    return STATUS_BAD_MESSAGE;
}

static enum status task_push(struct dialect_session *session,
                             const struct message_line *line, struct dialect_turn *turn,
                             struct error *err)
{
    const char *method = message_line_method(line);
    struct dialect_event *event = NULL;
    char task_id[TASK_ID_SIZE + 1];

    if (session->has_tasks && !strcmp(method, MESSAGE_TASK_ASSIGN))
        return task_assign(session, line, turn, err);
    if (!session->has_tasks || strcmp(method, MESSAGE_TASK_CANCEL))
        return object_push(session, line, turn, err);

    const enum status status = message_cancel_decode(line, task_id, err);
    if (status)
        return status;
    event = dialect_turn_event(turn, EVENT_CANCEL);
    if (event) {
        memcpy(event->task_id, task_id, sizeof task_id);
        snprintf(event->text, sizeof event->text, "the pool took it back");
    }
    return STATUS_OK;
}

static void task_result(const struct object_request *request,
                        const struct message_line *line, struct dialect_turn *turn)
{
    static const enum verdict verdicts[] = {
        [RESULT_ACCEPTED] = VERDICT_ACCEPTED,
        [RESULT_PENDING] = VERDICT_PENDING,
        [RESULT_REJECTED] = VERDICT_REJECTED,
    };
    struct dialect_event *event = dialect_turn_event(turn, EVENT_RESULT);
    struct message_result result;
    struct message_reply reply;
    struct error err = {0};

    if (!event)
        return;
    message_line_reply(line, &reply);
    event->tag = request->tag;
    memcpy(event->task_id, request->task_id, sizeof event->task_id);
    event->code = reply.code;
    event->verdict = VERDICT_REJECTED;
    if (!reply.is_ok) {
        snprintf(event->text, sizeof event->text, "%s", reply.text);
    } else if (message_result_decode(line, &result, &err)) {
        event->verdict = VERDICT_UNKNOWN;
        snprintf(event->text, sizeof event->text, "%.250s", error_text(&err));
    } else {
        event->verdict = verdicts[result.status];
        snprintf(event->text, sizeof event->text, "%s", result.reason);
    }
}

/* A refused accept, and a lost lease, mean that the task is no longer this worker's. */
static void task_refused(const struct object_request *request,
                         const struct message_reply *reply, struct dialect_turn *turn)
{
    const bool is_lost =
        request->kind == REQUEST_ACCEPT ||
        (request->kind == REQUEST_PROGRESS && reply->code == MESSAGE_CODE_NOT_LEASED);
    struct dialect_event *event =
        dialect_turn_event(turn, is_lost ? EVENT_CANCEL : EVENT_NOTICE);

    if (!event)
        return;
    memcpy(event->task_id, request->task_id, sizeof event->task_id);
    event->code = reply->code;
    snprintf(event->text, sizeof event->text,
             "the pool refused what was said about a task: %.180s", reply->text);
}

static enum status task_reply(struct dialect_session *session,
                              const struct message_line *line, struct dialect_turn *turn,
                              struct error *err)
{
    const struct object_request request = object_answered(session, line);
    struct message_reply reply;

    switch (request.kind) {
    case REQUEST_HELLO:
        return task_welcome(session, line, turn, err);
    case REQUEST_SUBMIT:
        object_verdict(session, &request, line, turn);
        break;
    case REQUEST_RESULT:
        task_result(&request, line, turn);
        break;
    case REQUEST_ACCEPT:
    case REQUEST_DECLINE:
    case REQUEST_PROGRESS:
        message_line_reply(line, &reply);
        if (!reply.is_ok)
            task_refused(&request, &reply, turn);
        break;
    case REQUEST_NONE:
    case REQUEST_PING:
    case REQUEST_PUZZLE:
        break;
    }
    return STATUS_OK;
}

static enum status task_receive(struct dialect_session *session, struct bytes bytes,
                                struct dialect_turn *turn, struct error *err)
{
    struct message_line *line = NULL;
    enum status status = STATUS_OK;

    session->has_heard = true;
    status = message_line_parse(bytes, &line, err);
    if (status)
        return status;
    if (message_line_kind(line) == MESSAGE_REPLY)
        status = task_reply(session, line, turn, err);
    else
        status = task_push(session, line, turn, err);
    message_line_free(line);
    return status;
}

static enum status task_answer(struct dialect_session *session,
                               const struct answer *answer, uint64_t tag,
                               struct dialect_turn *turn)
{
    static const enum request_kind kinds[] = {
        [ANSWER_ACCEPT] = REQUEST_ACCEPT,
        [ANSWER_DECLINE] = REQUEST_DECLINE,
        [ANSWER_PROGRESS] = REQUEST_PROGRESS,
        [ANSWER_DONE] = REQUEST_RESULT,
    };
    struct object_request *request = NULL;

    if (!session->is_ready)
        return STATUS_AGAIN;
    if (!session->has_tasks)
        return STATUS_NOT_SUPPORTED;
    request = object_ask(session, kinds[answer->kind], tag);
    if (!request)
        return STATUS_AGAIN;
    memcpy(request->task_id, answer->task_id, sizeof request->task_id);
    const enum status status = message_answer_encode(request->id, answer, &turn->lines);
    if (status)
        *request = (struct object_request){0};
    return status;
}

static enum status task_tick(struct dialect_session *session, uint64_t now_ms,
                             struct dialect_turn *turn, struct error *err)
{
    const enum status status = object_tick(session, now_ms, turn, err);

    if (status || !session->has_tasks || now_ms - session->heard_ms < OBJECT_SILENCE_MS ||
        object_outstanding(session, REQUEST_PING))
        return status;
    const struct object_request *request = object_ask(session, REQUEST_PING, 0);
    if (!request)
        return error_set(err, STATUS_TIMEOUT, "the pool is silent and answers nothing");
    return message_line_encode_request(request->id, "mining.ping", &turn->lines);
}

static void task_artifacts(const struct dialect_session *session,
                           struct dialect_artifacts *out)
{
    *out = (struct dialect_artifacts){.http_port = session->welcome.http_port};
    snprintf(out->base, sizeof out->base, "%s", session->welcome.artifacts);
    snprintf(out->session, sizeof out->session, "%s", session->welcome.session);
}

const struct dialect dialect_task = {
    .name = "task",
    .has_socket = true,
    .user = DIALECT_USER_ANY,
    .open = object_open,
    .close = object_close,
    .greet = task_greet,
    .receive = task_receive,
    .submit = object_submit,
    .answer = task_answer,
    .solve = dialect_no_puzzle,
    .tick = task_tick,
    .artifacts = task_artifacts,
};
