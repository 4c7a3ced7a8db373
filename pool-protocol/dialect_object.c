/*
 * dialect_object.c - the session, the requests and the jobs of the object dialects.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/dialect_object.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/memory.h"
#include "pool-protocol/message_notify.h"
#include "pool-protocol/message_submit.h"

enum {
    RANK_BASE = 128,       /* above it a larger rank earns nothing */
    FACTOR_BASE = 1 << 16, /* the least a tile of that rank is scaled by */
    FACTOR_LOW = 1 << 15,  /* and of any rank */
    CERT_VERSION_MAX = 3,
    CERT_VERSION_3_HEIGHT = 99000 /* the chain's own height of the change */
};

void object_init(struct dialect_session *session, const struct dialect_login *login)
{
    session->login = login;
    session->next_id = 1;
}

enum status object_open(const struct dialect_login *login, struct dialect_session **out,
                        struct error *err)
{
    *out = memory_new(struct dialect_session);
    if (!*out)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a pool session");
    object_init(*out, login);
    return STATUS_OK;
}

void object_close(struct dialect_session *session)
{
    if (session)
        share_desk_close(&session->desk);
    memory_free(session);
}

void object_begin(struct dialect_session *session)
{
    memset(session->requests, 0, sizeof session->requests);
    session->is_ready = false;
    session->has_tasks = session->is_gzip = false;
    session->has_heard = session->has_heard_job = true;
    share_desk_begin(&session->desk);
}

struct object_request *object_ask(struct dialect_session *session, enum request_kind kind,
                                  uint64_t tag)
{
    assert(kind != REQUEST_NONE);
    for (size_t i = 0; i < OBJECT_REQUESTS_MAX; i++) {
        struct object_request *request = &session->requests[i];

        if (request->kind != REQUEST_NONE)
            continue;
        *request =
            (struct object_request){.kind = kind, .id = session->next_id++, .tag = tag};
        return request;
    }
    return NULL;
}

struct object_request object_answered(struct dialect_session *session,
                                      const struct message_line *line)
{
    struct object_request none = {0};
    int64_t id = 0;

    if (!message_id_number(message_line_id(line), &id))
        return none;
    for (size_t i = 0; i < OBJECT_REQUESTS_MAX; i++) {
        struct object_request found = session->requests[i];

        if (found.kind == REQUEST_NONE || found.id != id)
            continue;
        session->requests[i] = none;
        return found;
    }
    return none;
}

uint32_t object_outstanding(const struct dialect_session *session, enum request_kind kind)
{
    uint32_t count = 0;

    for (size_t i = 0; i < OBJECT_REQUESTS_MAX; i++)
        count += session->requests[i].kind == kind;
    return count;
}

/* Whether some proof can meet the job's bound: of the shape that is dictated, or of the
 * one that asks for the least. */
static bool object_bound_fits(const struct job *job)
{
    const struct job_shape *shape = &job->shape;
    uint64_t factor = job->min_rank < RANK_BASE ? FACTOR_LOW : FACTOR_BASE;
    struct target bound;

    if (shape->is_dictated)
        factor = (uint64_t)shape->rows.count * shape->columns.count *
                 (shape->k / shape->rank) *
                 (shape->rank < RANK_BASE ? shape->rank : RANK_BASE);
    return target_scale(&job->target, factor, &bound);
}

static enum status object_judge_job(const struct job *job, struct error *err)
{
    char target[65];

    if (job->cert_version < 1 || job->cert_version > CERT_VERSION_MAX)
        return error_set(
            err, job->cert_version < 1 ? STATUS_BAD_MESSAGE : STATUS_NOT_SUPPORTED,
            "job %s wants certificate version %" PRIu32
            " (0: none was named), this program makes 1 to %d: it may need an update",
            job->id, job->cert_version, CERT_VERSION_MAX);
    if (object_bound_fits(job))
        return STATUS_OK;
    target_to_hex(&job->target, target);
    return error_set(err, STATUS_BAD_MESSAGE,
                     "job %s has the target %s, whose bound does not fit 256 bits",
                     job->id, target);
}

static enum status object_end_job(struct dialect_session *session,
                                  struct dialect_turn *turn, const struct error *why)
{
    struct dialect_event *event = dialect_turn_event(turn, EVENT_NO_JOB);

    share_desk_clear(&session->desk);
    if (event) {
        snprintf(event->text, sizeof event->text, "%s", error_text(why));
        message_text_clean(event->text);
    }
    return why->status;
}

enum status object_announce(struct dialect_session *session,
                            struct message_notify *notify, struct dialect_turn *turn,
                            struct error *err)
{
    struct error why = {0};
    struct job *job = NULL;

    /* A verifier of the network's own is told targets in compact form: what is met only
     * by the digits that get lost there is not worth sending. */
    if (!session->has_tasks)
        notify->job.target = target_from_nbits(target_to_nbits(&notify->job.target));
    if (!notify->has_cert_version)
        notify->job.cert_version = notify->job.height >= CERT_VERSION_3_HEIGHT
                                       ? CERT_VERSION_MAX
                                       : session->login->cert_version;
    if (object_judge_job(&notify->job, &why)) {
        const enum status status = object_end_job(session, turn, &why);

        return error_set(err, status, "%s", why.text);
    }
    job = job_new(&notify->job);
    if (!job)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a job");
    share_desk_hear(&session->desk, job, session->now_ms);
    session->has_heard_job = true;
    struct dialect_event *event = dialect_turn_event(turn, EVENT_JOB);
    if (event)
        event->job = job;
    return STATUS_OK;
}

static enum status object_notify(struct dialect_session *session,
                                 const struct message_line *line,
                                 struct dialect_turn *turn, struct error *err)
{
    struct message_notify notify;
    const enum status status = message_notify_decode(line, &notify, err);

    return status ? status : object_announce(session, &notify, turn, err);
}

/* What the pool wants its people to read. */
static void object_show(const struct message_line *line, struct dialect_turn *turn)
{
    char text[MESSAGE_TEXT_MAX + 1];
    struct dialect_event *event = NULL;

    message_line_text(line, text);
    if (*text)
        event = dialect_turn_event(turn, EVENT_NOTICE);
    if (event)
        snprintf(event->text, sizeof event->text, "the pool says: %.200s", text);
}

enum status object_push(struct dialect_session *session, const struct message_line *line,
                        struct dialect_turn *turn, struct error *err)
{
    const char *method = message_line_method(line);

    if (!strcmp(method, MESSAGE_NOTIFY))
        return object_notify(session, line, turn, err);
    if (!strcmp(method, "client.reconnect"))
        return error_set(err, STATUS_NETWORK, "the pool asks for a new connection");
    if (!strcmp(method, "client.show_message"))
        object_show(line, turn);
    return STATUS_OK;
}

enum status object_refused(const struct message_reply *reply, struct dialect_turn *turn,
                           struct error *err)
{
    struct dialect_event *event = dialect_turn_event(turn, EVENT_REFUSED);
    const char *text = *reply->text ? reply->text : "no reason given";

    if (event) {
        event->code = reply->code;
        snprintf(event->text, sizeof event->text, "%s", text);
    }
    return error_set(err, STATUS_REFUSED, "the pool refuses the login: %s (%d)", text,
                     reply->code);
}

void object_verdict(struct dialect_session *session, const struct object_request *request,
                    const struct message_line *line, struct dialect_turn *turn)
{
    struct dialect_event *event = dialect_turn_event(turn, EVENT_SHARE);
    struct message_reply reply;

    if (!event)
        return;
    message_line_reply(line, &reply);
    event->tag = request->tag;
    event->code = reply.code;
    event->verdict = VERDICT_ACCEPTED;
    if (!reply.is_ok) {
        event->refusal = refusal_of(reply.code, reply.text);
        event->verdict =
            event->refusal == REFUSAL_STALE ? VERDICT_STALE : VERDICT_REJECTED;
    }
    if (!session->has_tasks)
        event->is_hopeless = share_desk_answered(&session->desk, reply.is_ok,
                                                 event->refusal, request->is_old);
    snprintf(event->text, sizeof event->text, "%s", reply.text);
}

enum status object_submit_begin(struct dialect_session *session,
                                const struct share *share, uint64_t tag,
                                struct object_request **request, const char **job_id)
{
    struct desk_pass pass;
    uint8_t digest[DIGEST_SIZE];

    if (!session->is_ready)
        return STATUS_AGAIN;
    switch (share_desk_judge(&session->desk, share, session->now_ms, &pass)) {
    case DESK_WAIT:
        return STATUS_AGAIN;
    case DESK_STALE:
        return STATUS_STALE;
    case DESK_BELOW:
        return STATUS_LOW;
    case DESK_GO:
        break;
    }
    if (object_outstanding(session, REQUEST_SUBMIT) >= OBJECT_SUBMITS_MAX)
        return STATUS_AGAIN;
    share_desk_digest(share, digest);
    if (share_desk_has_sent(&session->desk, digest))
        return STATUS_DONE;
    *request = object_ask(session, REQUEST_SUBMIT, tag);
    if (!*request)
        return STATUS_AGAIN;
    (*request)->is_old = pass.is_old;
    (*request)->place = share_desk_sent(&session->desk, digest);
    *job_id = pass.job_id;
    return STATUS_OK;
}

void object_submit_undo(struct dialect_session *session, struct object_request *request)
{
    share_desk_unsent(&session->desk, request->place);
    *request = (struct object_request){0};
}

enum status object_submit(struct dialect_session *session, const struct share *share,
                          uint64_t tag, struct dialect_turn *turn)
{
    const struct message_authorize *account = &session->login->hello;
    struct message_submit submit = {0};
    struct object_request *request = NULL;
    const char *job_id = NULL;
    enum status status = object_submit_begin(session, share, tag, &request, &job_id);

    if (status)
        return status;
    /* Who logged in with a list is known by the one text that was in it. */
    if (session->login->form != USER_ARRAY)
        snprintf(submit.wallet, sizeof submit.wallet, "%s", account->wallet);
    snprintf(submit.worker, sizeof submit.worker, "%s",
             session->login->form == USER_ARRAY ? account->wallet : account->worker);
    snprintf(submit.job_id, sizeof submit.job_id, "%s", job_id);
    if (session->has_tasks && *share->task_id) {
        snprintf(submit.task_id, sizeof submit.task_id, "%s", share->task_id);
        submit.site = share->site;
    }
    submit.plain_proof = share->plain_proof; /* lent: submit is not freed */
    submit.is_gzip = session->is_gzip;
    submit.has_jsonrpc = account->has_jsonrpc;
    status = message_submit_encode(request->id, &submit, &turn->lines);
    if (status)
        object_submit_undo(session, request);
    return status;
}

/* Shares whose verdict will not come, and answers nobody gave. */
static void object_give_up(struct dialect_session *session, struct dialect_turn *turn)
{
    for (size_t i = 0; i < OBJECT_REQUESTS_MAX; i++) {
        struct object_request *request = &session->requests[i];
        const uint64_t waited = session->now_ms - request->asked_ms;

        if (request->kind == REQUEST_NONE || request->kind == REQUEST_HELLO ||
            request->kind == REQUEST_PING || request->kind == REQUEST_RESULT ||
            waited < OBJECT_REPLY_MS)
            continue;
        if (request->kind == REQUEST_SUBMIT) {
            struct dialect_event *event = dialect_turn_event(turn, EVENT_SHARE);

            event->tag = request->tag;
            event->verdict = VERDICT_UNKNOWN;
            snprintf(event->text, sizeof event->text, "no answer for %d s",
                     OBJECT_REPLY_MS / 1000);
        }
        *request = (struct object_request){0};
    }
}

enum status object_tick(struct dialect_session *session, uint64_t now_ms,
                        struct dialect_turn *turn, struct error *err)
{
    session->now_ms = now_ms;
    if (session->has_heard)
        session->heard_ms = now_ms;
    if (session->has_heard_job)
        session->heard_job_ms = now_ms;
    session->has_heard = session->has_heard_job = false;

    for (size_t i = 0; i < OBJECT_REQUESTS_MAX; i++) {
        struct object_request *request = &session->requests[i];

        if (!request->asked_ms)
            request->asked_ms = now_ms;
        if (request->kind == REQUEST_HELLO &&
            now_ms - request->asked_ms >= OBJECT_HELLO_MS)
            return error_set(err, STATUS_TIMEOUT,
                             "the pool did not answer the hello for %d s",
                             OBJECT_HELLO_MS / 1000);
        if (request->kind == REQUEST_PING && now_ms - request->asked_ms >= OBJECT_PING_MS)
            return error_set(err, STATUS_TIMEOUT,
                             "the pool is silent and did not answer a ping");
    }
    const uint64_t limit_ms = session->login->job_timeout_s
                                  ? UINT64_C(1000) * session->login->job_timeout_s
                                  : OBJECT_NO_JOB_MS;
    if (!session->has_tasks && now_ms - session->heard_job_ms >= limit_ms)
        return error_set(err, STATUS_TIMEOUT, "the pool sent no job for %" PRIu64 " s",
                         limit_ms / 1000);
    object_give_up(session, turn);
    return STATUS_OK;
}
