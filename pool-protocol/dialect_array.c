/*
 * dialect_array.c - a pool that speaks pearl/v1: a puzzle, four steps to log in, a shape
 * that is the pool's (pearl-pools.md 2.11).
 *
 * The session is the object dialects' with what only this one has behind it.  A pool that
 * sets no puzzle within two seconds has none.  Shape, difficulty and job come in any
 * order: a job is given out when its shape is known, and again when shape or target
 * change.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/memory.h"
#include "pool-protocol/dialect_object.h"
#include "pool-protocol/message_array.h"

enum { PUZZLE_WAIT_MS = 2000 };

enum array_step { STEP_PUZZLE, STEP_CONFIGURE, STEP_SUBSCRIBE, STEP_AUTHORIZE, STEP_END };

struct array_session {
    struct dialect_session object; /* first: a pointer to it is a pointer to the whole */
    enum array_step step;
    uint64_t greeted_ms; /* of the first tick after the greeting; 0 before */
    bool has_puzzle;     /* one is being solved, or was */
    struct puzzle_task puzzle;
    struct job_shape shape;
    struct target limit; /* of the last set_difficulty; zero: none came */
    bool has_job;
    struct job job; /* as announced */
};

_Static_assert(offsetof(struct array_session, object) == 0,
               "a session is found by its own address");

static struct array_session *array_of(struct dialect_session *session)
{
    return (struct array_session *)session;
}

static enum status array_open(const struct dialect_login *login,
                              struct dialect_session **out, struct error *err)
{
    struct array_session *session = memory_new(struct array_session);

    *out = NULL;
    if (!session)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a pool session");
    object_init(&session->object, login);
    *out = &session->object;
    return STATUS_OK;
}

static enum status array_greet(struct dialect_session *object, struct dialect_turn *turn)
{
    struct array_session *session = array_of(object);

    (void)turn; /* the pool speaks first, or nobody does for two seconds */
    object_begin(object);
    share_desk_void(&object->desk);
    session->step = STEP_PUZZLE;
    session->greeted_ms = 0;
    session->has_puzzle = session->has_job = false;
    session->shape = (struct job_shape){0};
    session->limit = (struct target){{0}};
    return STATUS_OK;
}

/* Says the request that belongs to a step. */
static enum status array_step(struct array_session *session, enum array_step step,
                              struct dialect_turn *turn)
{
    const struct message_authorize *hello = &session->object.login->hello;
    struct message_authorize login = *hello;
    const struct object_request *request = object_ask(&session->object, REQUEST_HELLO, 0);

    if (!request)
        return STATUS_AGAIN;
    session->step = step;
    login.has_jsonrpc = false; /* a pool of this kind hangs up at it */
    switch (step) {
    case STEP_CONFIGURE:
        return message_configure_encode(request->id, &turn->lines);
    case STEP_SUBSCRIBE:
        return message_subscribe_encode(request->id, hello->agent, &turn->lines);
    case STEP_AUTHORIZE:
        return message_array_authorize_encode(request->id, &login, &turn->lines);
    case STEP_PUZZLE:
    case STEP_END:
        break;
    }
    return STATUS_OK;
}

/* A step was answered: the next. */
static enum status array_stepped(struct array_session *session,
                                 const struct message_reply *reply,
                                 struct dialect_turn *turn, struct error *err)
{
    struct dialect_event *event = NULL;

    if (session->step == STEP_CONFIGURE && !reply->is_ok)
        return error_set(err, STATUS_NETWORK, "the pool does not speak pearl/v1: %s",
                         *reply->text ? reply->text : "no reason given");
    if (session->step == STEP_CONFIGURE)
        return array_step(session, STEP_SUBSCRIBE, turn);
    if (session->step == STEP_SUBSCRIBE)
        return array_step(session, STEP_AUTHORIZE, turn);
    if (session->step != STEP_AUTHORIZE)
        return STATUS_OK;
    if (!reply->is_ok)
        return object_refused(reply, turn, err);
    session->step = STEP_END;
    session->object.is_ready = true;
    event = dialect_turn_event(turn, EVENT_READY);
    if (event)
        snprintf(event->text, sizeof event->text, "a pearl/v1 pool");
    return STATUS_OK;
}

static enum status array_reply(struct array_session *session,
                               const struct message_line *line, struct dialect_turn *turn,
                               struct error *err)
{
    const struct object_request request = object_answered(&session->object, line);
    struct message_reply reply;

    message_line_reply(line, &reply);
    if (request.kind == REQUEST_SUBMIT)
        object_verdict(&session->object, &request, line, turn);
    if (request.kind == REQUEST_HELLO)
        return array_stepped(session, &reply, turn, err);
    if (request.kind != REQUEST_PUZZLE)
        return STATUS_OK;
    if (!reply.is_ok)
        return error_set(err, STATUS_NETWORK,
                         "the pool does not take the solution of its puzzle: %s",
                         *reply.text ? reply.text : "no reason given");
    return session->step == STEP_PUZZLE ? array_step(session, STEP_CONFIGURE, turn)
                                        : STATUS_OK;
}

static enum status array_challenge(struct array_session *session,
                                   const struct message_line *line,
                                   struct dialect_turn *turn, struct error *err)
{
    struct puzzle_task task;
    struct dialect_event *event = NULL;
    const enum status status = message_puzzle_decode(line, &task, err);

    if (status)
        return status;
    if (task.bits > PUZZLE_BITS_MAX)
        return error_set(err, STATUS_NETWORK,
                         "the pool sets a puzzle of %u bits, at most %d are solved",
                         task.bits, PUZZLE_BITS_MAX);
    if (session->has_puzzle && puzzle_is_same(&session->puzzle, &task))
        return STATUS_OK;
    session->has_puzzle = true;
    session->puzzle = task;
    event = dialect_turn_event(turn, EVENT_PUZZLE);
    if (event)
        event->puzzle = task;
    return STATUS_OK;
}

static enum status array_solve(struct dialect_session *object,
                               const struct puzzle_task *task, uint64_t nonce,
                               struct dialect_turn *turn)
{
    struct array_session *session = array_of(object);
    const struct object_request *request = NULL;

    if (!session->has_puzzle || !puzzle_is_same(&session->puzzle, task))
        return STATUS_STALE;
    request = object_ask(object, REQUEST_PUZZLE, 0);
    if (!request)
        return STATUS_AGAIN;
    return message_puzzle_encode(request->id, task, nonce, &turn->lines);
}

/* Gives the job out, under the smaller of both targets. */
static enum status array_announce(struct array_session *session,
                                  struct dialect_turn *turn, struct error *err)
{
    struct message_notify notify = {.job = session->job};

    if (!session->has_job || !session->shape.is_dictated)
        return STATUS_OK;
    notify.job.shape = session->shape;
    if (!target_is_zero(&session->limit) &&
        target_compare(&session->limit, &notify.job.target) < 0)
        notify.job.target = session->limit;
    return object_announce(&session->object, &notify, turn, err);
}

static enum status array_notify(struct array_session *session,
                                const struct message_line *line,
                                struct dialect_turn *turn, struct error *err)
{
    struct message_notify notify;
    bool is_clean = false;
    const enum status status = message_array_notify_decode(line, &notify, &is_clean, err);

    if (status)
        return status;
    if (is_clean)
        share_desk_clear(&session->object.desk);
    session->job = notify.job;
    session->has_job = true;
    return array_announce(session, turn, err);
}

static enum status array_shape(struct array_session *session,
                               const struct message_line *line, struct dialect_turn *turn,
                               struct error *err)
{
    struct job_shape shape;
    const enum status status = message_shape_decode(line, &shape, err);

    if (status || job_shape_is_same(&shape, &session->shape))
        return status;
    session->shape = shape;
    return array_announce(session, turn, err);
}

static enum status array_difficulty(struct array_session *session,
                                    const struct message_line *line,
                                    struct dialect_turn *turn, struct error *err)
{
    uint64_t difficulty = 0;
    const enum status status = message_difficulty_decode(line, &difficulty, err);

    if (status)
        return status;
    const struct target limit = target_from_difficulty(difficulty);
    if (!target_compare(&limit, &session->limit))
        return STATUS_OK;
    session->limit = limit;
    return array_announce(session, turn, err);
}

static enum status array_push(struct array_session *session,
                              const struct message_line *line, struct dialect_turn *turn,
                              struct error *err)
{
    const char *method = message_line_method(line);

    if (!strcmp(method, MESSAGE_CHALLENGE))
        return array_challenge(session, line, turn, err);
    if (!strcmp(method, MESSAGE_SHAPE))
        return array_shape(session, line, turn, err);
    if (!strcmp(method, MESSAGE_DIFFICULTY))
        return array_difficulty(session, line, turn, err);
    if (!strcmp(method, MESSAGE_NOTIFY))
        return array_notify(session, line, turn, err);
    return object_push(&session->object, line, turn, err);
}

static enum status array_receive(struct dialect_session *object, struct bytes bytes,
                                 struct dialect_turn *turn, struct error *err)
{
    struct message_line *line = NULL;
    enum status status = STATUS_OK;

    object->has_heard = true;
    status = message_line_parse(bytes, &line, err);
    if (status)
        return status;
    if (message_line_kind(line) == MESSAGE_REPLY)
        status = array_reply(array_of(object), line, turn, err);
    else
        status = array_push(array_of(object), line, turn, err);
    message_line_free(line);
    return status;
}

static enum status array_submit(struct dialect_session *session,
                                const struct share *share, uint64_t tag,
                                struct dialect_turn *turn)
{
    struct message_submit submit = {.plain_proof = share->plain_proof}; /* lent */
    struct object_request *request = NULL;
    const char *job_id = NULL;
    enum status status = object_submit_begin(session, share, tag, &request, &job_id);

    if (status)
        return status;
    snprintf(submit.wallet, sizeof submit.wallet, "%s", session->login->hello.wallet);
    snprintf(submit.job_id, sizeof submit.job_id, "%s", job_id);
    status = message_array_submit_encode(request->id, &submit, &turn->lines);
    if (status)
        object_submit_undo(session, request);
    return status;
}

static enum status array_tick(struct dialect_session *object, uint64_t now_ms,
                              struct dialect_turn *turn, struct error *err)
{
    struct array_session *session = array_of(object);
    enum status status = object_tick(object, now_ms, turn, err);

    if (!session->greeted_ms)
        session->greeted_ms = now_ms;
    if (!status && session->step == STEP_PUZZLE && !session->has_puzzle &&
        now_ms - session->greeted_ms >= PUZZLE_WAIT_MS)
        status = array_step(session, STEP_CONFIGURE, turn);
    return status;
}

const struct dialect dialect_array = {
    .name = "pearl/v1",
    .has_socket = true,
    .user = DIALECT_USER_ADDRESS,
    .form = USER_DOT,
    .open = array_open,
    .close = object_close,
    .greet = array_greet,
    .receive = array_receive,
    .submit = array_submit,
    .answer = dialect_no_answer,
    .solve = array_solve,
    .tick = array_tick,
    .artifacts = dialect_no_artifacts,
};
