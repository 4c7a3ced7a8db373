/*
 * dialect_detect.c - a plain Pearl pool of which nobody said how it speaks: objects, or
 * the lists of pearl/v1.
 *
 * A pool of the second kind sends its puzzle as soon as it is called.  So the first
 * connection waits for a moment before it logs in; whoever is silent speaks objects. What
 * a pool speaks is settled for the connection, and for the next ones when a login was
 * taken.  A person may say it instead, and then nothing is waited for.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>

#include "miner/base/memory.h"
#include "pool-protocol/dialect.h"
#include "pool-protocol/message_array.h"

enum { LISTEN_MS = 250 }; /* a puzzle comes one way after the connection stands */

struct dialect_session {
    enum dialect_pin speaks;    /* on this connection; DETECTED: not yet known */
    enum dialect_pin next;      /* what is tried on the next one, or DETECTED */
    bool is_settled;            /* a login was taken in that way */
    bool has_said;              /* our login */
    uint64_t greeted_ms;        /* of the first tick after the greeting; 0 before */
    struct dialect_login lists; /* how one logs in with lists */
    struct dialect_session *objects_inner, *lists_inner; /* owned, of those dialects */
};

/* The dialect that is spoken, and its session; NULL while that is not known. */
static const struct dialect *detect_inner(const struct dialect_session *session,
                                          struct dialect_session **inner)
{
    switch (session->speaks) {
    case DIALECT_OBJECT:
        *inner = session->objects_inner;
        return &dialect_pearl;
    case DIALECT_ARRAY:
        *inner = session->lists_inner;
        return &dialect_array;
    case DIALECT_DETECTED:
        break;
    }
    return NULL;
}

static void detect_close(struct dialect_session *session)
{
    if (!session)
        return;
    dialect_pearl.close(session->objects_inner);
    dialect_array.close(session->lists_inner);
    memory_free(session);
}

static enum status detect_open(const struct dialect_login *login,
                               struct dialect_session **out, struct error *err)
{
    struct dialect_session *session = memory_new(struct dialect_session);
    enum status status = STATUS_OK;

    *out = NULL;
    if (!session)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a pool session");
    session->speaks = login->pin;
    session->is_settled = login->pin != DIALECT_DETECTED;
    session->lists = *login;
    if (*login->joined)
        memcpy(session->lists.hello.wallet, login->joined, sizeof login->joined);
    status = dialect_pearl.open(login, &session->objects_inner, err);
    if (!status)
        status = dialect_array.open(&session->lists, &session->lists_inner, err);
    if (status)
        detect_close(session);
    else
        *out = session;
    return status;
}

static enum status detect_speak(struct dialect_session *session, enum dialect_pin how,
                                struct dialect_turn *turn)
{
    struct dialect_session *inner = NULL;

    session->speaks = how;
    session->has_said = true;
    return detect_inner(session, &inner)->greet(inner, turn);
}

static enum status detect_greet(struct dialect_session *session,
                                struct dialect_turn *turn)
{
    const enum dialect_pin how = session->is_settled ? session->speaks : session->next;

    session->greeted_ms = 0;
    session->has_said = false;
    session->speaks = session->next = DIALECT_DETECTED;
    return how == DIALECT_DETECTED ? STATUS_OK : detect_speak(session, how, turn);
}

/* A login that is taken settles what is spoken. */
static void detect_settle(struct dialect_session *session,
                          const struct dialect_turn *turn)
{
    for (uint32_t i = 0; i < turn->event_count; i++)
        session->is_settled |= turn->events[i].kind == EVENT_READY;
}

/* Which kind of pool says such a line; DETECTED: any may. */
static enum dialect_pin detect_sign(struct bytes bytes)
{
    struct message_line *line = NULL;
    enum dialect_pin sign = DIALECT_DETECTED;

    if (message_line_parse(bytes, &line, NULL))
        return sign;
    if (message_array_is_sign(line))
        sign = DIALECT_ARRAY;
    else if (message_line_kind(line) != MESSAGE_REPLY)
        sign = DIALECT_OBJECT;
    message_line_free(line);
    return sign;
}

static enum status detect_receive(struct dialect_session *session, struct bytes line,
                                  struct dialect_turn *turn, struct error *err)
{
    struct dialect_session *inner = NULL;
    const enum dialect_pin sign =
        session->is_settled ? session->speaks : detect_sign(line);
    enum status status = STATUS_OK;

    if (!session->has_said && sign != DIALECT_DETECTED)
        status = detect_speak(session, sign, turn);
    if (status || !session->has_said)
        return status;
    if (sign == DIALECT_ARRAY && session->speaks == DIALECT_OBJECT) {
        session->next = DIALECT_ARRAY; /* for this connection it is too late */
        return error_set(err, STATUS_NETWORK,
                         "the pool speaks pearl/v1, which the login did not");
    }
    status = detect_inner(session, &inner)->receive(inner, line, turn, err);
    detect_settle(session, turn);
    return status;
}

static enum status detect_tick(struct dialect_session *session, uint64_t now_ms,
                               struct dialect_turn *turn, struct error *err)
{
    struct dialect_session *inner = NULL;
    enum status status = STATUS_OK;

    if (!session->greeted_ms)
        session->greeted_ms = now_ms;
    if (!session->has_said && now_ms - session->greeted_ms >= LISTEN_MS)
        status = detect_speak(session, DIALECT_OBJECT, turn);
    if (status || !session->has_said)
        return status;
    return detect_inner(session, &inner)->tick(inner, now_ms, turn, err);
}

static enum status detect_submit(struct dialect_session *session,
                                 const struct share *share, uint64_t tag,
                                 struct dialect_turn *turn)
{
    struct dialect_session *inner = NULL;
    const struct dialect *dialect = detect_inner(session, &inner);

    return dialect ? dialect->submit(inner, share, tag, turn) : STATUS_AGAIN;
}

static enum status detect_solve(struct dialect_session *session,
                                const struct puzzle_task *task, uint64_t nonce,
                                struct dialect_turn *turn)
{
    struct dialect_session *inner = NULL;
    const struct dialect *dialect = detect_inner(session, &inner);

    return dialect ? dialect->solve(inner, task, nonce, turn) : STATUS_NOT_SUPPORTED;
}

const struct dialect dialect_detect = {
    .name = "pearl",
    .has_socket = true,
    .user = DIALECT_USER_ADDRESS,
    .form = USER_SPLIT,
    .open = detect_open,
    .close = detect_close,
    .greet = detect_greet,
    .receive = detect_receive,
    .submit = detect_submit,
    .answer = dialect_no_answer,
    .solve = detect_solve,
    .tick = detect_tick,
    .artifacts = dialect_no_artifacts,
};
