/*
 * Claim: every message survives the way out and back, and a member of a wrong type, out
 * of its bounds or missing is refused by name, for every member of every message.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pool-protocol/message_notify.h"
#include "pool-protocol/message_submit.h"
#include "pool-protocol/message_task.h"

#define H32  "0123456789abcdef0123456789abcdef"
#define H64  H32 H32
#define H152 H64 H64 "0123456789abcdef01234567"

/* Reads text as one message and lets all of it be decoded. */
typedef enum status decode(const struct message_line *line, struct error *err);

static enum status decode_authorize(const struct message_line *line, struct error *err)
{
    struct message_authorize out;

    return message_authorize_decode(line, &out, err);
}

static enum status decode_welcome(const struct message_line *line, struct error *err)
{
    struct message_welcome out;

    return message_welcome_decode(line, &out, err);
}

static enum status decode_notify(const struct message_line *line, struct error *err)
{
    struct message_notify out;

    return message_notify_decode(line, &out, err);
}

static enum status decode_submit(const struct message_line *line, struct error *err)
{
    struct message_submit out;
    const enum status status = message_submit_decode(line, &out, err);

    if (!status)
        message_submit_free(&out);
    return status;
}

static enum status decode_assign(const struct message_line *line, struct error *err)
{
    struct assignment *out = NULL;
    const enum status status = message_assign_decode(line, &out, err);

    assignment_free(out);
    return status;
}

static enum status decode_answer(const struct message_line *line, struct error *err)
{
    struct message_answer out;
    const enum status status = message_answer_decode(line, &out, err);

    if (!status)
        message_answer_free(&out);
    return status;
}

static enum status decode_result(const struct message_line *line, struct error *err)
{
    struct message_result out;

    return message_result_decode(line, &out, err);
}

static enum status decode_cancel(const struct message_line *line, struct error *err)
{
    char task_id[TASK_ID_SIZE + 1];

    return message_cancel_decode(line, task_id, err);
}

/* A message in two parts around a member's value, the right values and the wrong ones. */
enum member_kind { OPTIONAL, REQUIRED };
struct member {
    decode *decode;
    const char *before, *name, *after; /* before "name": VALUE after */
    enum member_kind kind;
    const char *right[4], *wrong[16];
};

/* No value of these types is right for anything but what they are. */
#define NO_TEXT   "7", "true", "[]", "{}", "1.5"
#define NO_NUMBER "\"7\"", "true", "[]", "{}", "1.5", "-1"
#define NO_OBJECT "7", "true", "[]", "\"x\"", "1.5"
#define NO_BOOL   "7", "\"true\"", "[]", "{}", "0"
#define NO_REAL   "\"7\"", "true", "[]", "{}", "-0.5"

#define AUTHORIZE   "{\"id\":1,\"method\":\"mining.authorize\",\"params\":{"
#define OFFER       AUTHORIZE "\"offer\":{\"tasks\":[\"embed\"],\"slots\":1,"
#define WELCOME     "{\"id\":1,\"result\":true,\"error\":null,"
#define NOTIFY      "{\"id\":null,\"method\":\"mining.notify\",\"params\":{"
#define NOTIFY_REST ",\"min_rank\":64,\"unassigned\":true}}"
#define SUBMIT      "{\"id\":3,\"method\":\"mining.submit\",\"params\":{"
#define ASSIGN      "{\"id\":null,\"method\":\"task.assign\",\"params\":{"
#define RESULT      "{\"id\":9,\"method\":\"task.result\",\"params\":{"

static const struct member members[] = {
#include "tests/protocol/message_members.def"
};

static enum status try_text(decode *decoder, const char *text, struct error *err)
{
    struct message_line *line = NULL;

    *err = (struct error){0};
    if (message_line_parse(bytes_of(text, strlen(text)), &line, err))
        fail_msg("%s: %s", text, err->text);
    const enum status status = decoder(line, err);
    message_line_free(line);
    return status;
}

/* value NULL: the member is left out. */
static enum status try_member(const struct member *member, const char *value,
                              char text[4096], struct error *err)
{
    const char last = member->before[strlen(member->before) - 1];
    const bool is_first = last == '{' || last == ',';
    const char *before = member->before;
    int before_size = (int)strlen(before);

    if (value)
        snprintf(text, 4096, "%s%s\"%s\":%s%s", before, is_first ? "" : ",", member->name,
                 value, member->after);
    else
        snprintf(
            text, 4096, "%.*s%s", last == ',' ? before_size - 1 : before_size, before,
            last == '{' && *member->after == ',' ? member->after + 1 : member->after);
    return try_text(member->decode, text, err);
}

static void refuse_member(const struct member *member, const char *value)
{
    struct error err;
    char text[4096];

    if (!try_member(member, value, text, &err))
        fail_msg("was taken: %s", text);
    assert_true(err.status == STATUS_BAD_MESSAGE || err.status == STATUS_BAD_PROOF ||
                err.status == STATUS_NOT_SUPPORTED);
    if (strlen(err.text) < 20)
        fail_msg("%s: no sentence: %s", text, err.text);
    /* An inner member may be the one that is named. */
    if (value && *value != '{' && !strstr(err.text, member->name) &&
        !strstr(err.text, "done"))
        fail_msg("%s: the sentence names another: %s", text, err.text);
}

static void every_member_is_judged(void **state)
{
    struct error err;
    char text[4096];

    (void)state;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        const struct member *member = &members[i];

        for (size_t j = 0; j < 4 && member->right[j]; j++) {
            if (try_member(member, member->right[j], text, &err))
                fail_msg("was refused: %s: %s", text, err.text);
        }
        for (size_t j = 0; j < 16 && member->wrong[j]; j++)
            refuse_member(member, member->wrong[j]);
        if (member->kind == REQUIRED) {
            refuse_member(member, NULL);
            refuse_member(member, "null");
        } else if (try_member(member, NULL, text, &err) ||
                   try_member(member, "null", text, &err)) {
            fail_msg("may be absent: %s: %s", text, err.text);
        }
    }
}

static struct message_line *parse_blob(struct blob *blob)
{
    struct message_line *line = NULL;
    struct error err = {0};

    assert_true(blob->size > 1);
    assert_int_equal(blob->data[blob->size - 1], '\n');
    assert_null(memchr(blob->data, '\n', blob->size - 1));
    if (message_line_parse(bytes_of(blob->data, blob->size - 1), &line, &err))
        fail_msg("%s: %s", blob->data, err.text);
    blob_clear(blob);
    return line;
}

static void hello_and_job_come_back(void **state)
{
    struct blob blob = blob_empty(1 << 20);
    struct message_authorize hello = {.wallet = "w\xc3\xa4\"\\",
                                      .worker = "rig",
                                      .pass = "x",
                                      .agent = "a",
                                      .protocol = MESSAGE_PROTOCOL,
                                      .session = H32};
    struct message_authorize hello2;
    struct message_notify job = {.job = {.id = "id",
                                         .height = 5,
                                         .cert_version = 3,
                                         .min_rank = 64,
                                         .unassigned = false},
                                 .has_cert_version = true,
                                 .difficulty = 2.5};
    struct message_notify job2;

    (void)state;
    hello.offer = (struct message_offer){.slots = 2,
                                         .memory_bytes = 9,
                                         .task_count = 1,
                                         .model_count = 1,
                                         .backend_count = 1};
    snprintf(hello.offer.tasks[0], sizeof hello.offer.tasks[0], "embed");
    snprintf(hello.offer.models[0], sizeof hello.offer.models[0], H64);
    snprintf(hello.offer.backends[0], sizeof hello.offer.backends[0], "cpu");
    assert_int_equal(message_authorize_encode(5, &hello, &blob), STATUS_OK);
    struct message_line *line = parse_blob(&blob);
    assert_int_equal(message_line_id(line)->number, 5);
    assert_int_equal(message_authorize_decode(line, &hello2, NULL), STATUS_OK);
    assert_memory_equal(&hello, &hello2, sizeof hello);
    message_line_free(line);

    job.job.target = target_from_work(12345);
    memset(job.job.header, 0xab, sizeof job.job.header);
    assert_int_equal(message_notify_encode(&job, &blob), STATUS_OK);
    line = parse_blob(&blob);
    assert_int_equal(message_line_kind(line), MESSAGE_PUSH);
    assert_int_equal(message_notify_decode(line, &job2, NULL), STATUS_OK);
    assert_memory_equal(&job.job, &job2.job, sizeof job.job);
    assert_true(job2.has_cert_version && job2.difficulty == 2.5);
    message_line_free(line);
    blob_free(&blob);
}

static void share_travels_in_gzip(struct message_submit *share)
{
    struct message_submit came;
    struct message_line *line = NULL;
    struct blob blob = blob_empty(MESSAGE_LINE_MAX);
    struct error err = {0};

    share->is_gzip = share->has_jsonrpc = true;
    assert_int_equal(message_submit_encode(6, share, &blob), STATUS_OK);
    assert_non_null(strstr((const char *)blob.data, "{\"id\":6,\"jsonrpc\":\"2.0\","));
    assert_non_null(strstr((const char *)blob.data, "\"plain_proof\":\"H4sI"));
    assert_int_equal(message_line_parse(bytes_of(blob.data, blob.size - 1), &line, &err),
                     STATUS_OK);
    assert_int_equal(message_submit_decode(line, &came, &err), STATUS_OK);
    assert_true(came.is_gzip);
    assert_int_equal(came.plain_proof.size, share->plain_proof.size);
    assert_memory_equal(came.plain_proof.data, share->plain_proof.data,
                        came.plain_proof.size);
    message_submit_free(&came);
    message_line_free(line);
    blob_free(&blob);
    share->is_gzip = share->has_jsonrpc = false;
}

static void share_comes_back(void **state)
{
    struct blob blob = blob_empty(8 << 20);
    struct message_submit share = {.wallet = "w",
                                   .worker = "r",
                                   .job_id = "j",
                                   .task_id = H32,
                                   .site = {1, 2, 3, 4},
                                   .hash_rate = 1e12,
                                   .plain_proof = blob_empty(4 << 20)};
    struct message_submit share2;
    struct error err = {0};

    (void)state;
    assert_int_equal(blob_reserve(&share.plain_proof, 4 << 20), STATUS_OK);
    for (size_t i = 0; i < 300000; i++)
        assert_int_equal(
            blob_add(&share.plain_proof, (const uint8_t[]){(uint8_t)(i * i)}, 1),
            STATUS_OK);
    assert_int_equal(message_submit_encode(6, &share, &blob), STATUS_OK);
    struct message_line *line = parse_blob(&blob);
    assert_int_equal(message_submit_decode(line, &share2, &err), STATUS_OK);
    assert_string_equal(share2.task_id, H32);
    assert_memory_equal(&share2.site, &share.site, sizeof share.site);
    assert_int_equal(share2.plain_proof.size, share.plain_proof.size);
    assert_memory_equal(share2.plain_proof.data, share.plain_proof.data,
                        share.plain_proof.size);
    message_submit_free(&share2);
    share_travels_in_gzip(&share);
    message_line_free(line);

    /* Longer than a line may be: nothing is written. */
    while (share.plain_proof.size < 3200000)
        assert_int_equal(blob_add(&share.plain_proof, "0123456789", 10), STATUS_OK);
    assert_int_equal(message_submit_encode(6, &share, &blob), STATUS_FULL);
    assert_int_equal(blob.size, 0);

    /* The job is known even where the proof is not. */
    static const char text[] = SUBMIT "\"job_id\":\"j\",\"plain_proof\":\"A\"}}";
    assert_int_equal(message_line_parse(bytes_of(text, sizeof text - 1), &line, &err),
                     STATUS_OK);
    assert_int_equal(message_submit_decode(line, &share2, &err), STATUS_BAD_PROOF);
    assert_string_equal(share2.job_id, "j");
    message_line_free(line);
    message_submit_free(&share);
    blob_free(&blob);
}

static void assignment_comes_back(void **state)
{
    struct blob blob = blob_empty(1 << 20);
    struct assignment work = {.id = H32,
                              .kind = "matmul",
                              .rows = 4096,
                              .lease_s = 600,
                              .work_units = 99,
                              .parameters = {true, 1, 2, 3, UINT64_MAX},
                              .input = blob_empty(16)};
    struct assignment *work2 = NULL;
    struct error err = {0};

    (void)state;
    assert_int_equal(blob_add(&work.input, "input", 5), STATUS_OK);
    assert_int_equal(message_assign_encode(&work, &blob), STATUS_OK);
    struct message_line *line = parse_blob(&blob);
    assert_int_equal(message_assign_decode(line, &work2, &err), STATUS_OK);
    assert_string_equal(work2->id, H32);
    assert_string_equal(work2->kind, "matmul");
    assert_string_equal(work2->model, "");
    assert_memory_equal(&work2->parameters, &work.parameters, sizeof work.parameters);
    assert_int_equal(work2->input.size, 5);
    assert_memory_equal(work2->input.data, "input", 5);
    assert_int_equal(work2->rows, 4096);
    assert_int_equal(work2->lease_s, 600);
    assert_int_equal(work2->work_units, 99);
    message_line_free(line);
    assignment_free(work2);
    blob_free(&work.input);

    snprintf(work.input_hash, sizeof work.input_hash, H64);
    work.input_size = 1234567;
    assert_int_equal(message_assign_encode(&work, &blob), STATUS_OK);
    line = parse_blob(&blob);
    assert_int_equal(message_assign_decode(line, &work2, &err), STATUS_OK);
    assert_string_equal(work2->input_hash, H64);
    assert_int_equal(work2->input_size, 1234567);
    assert_int_equal(work2->input.size, 0);
    message_line_free(line);
    assignment_free(work2);
    blob_free(&blob);
}

static void answer_comes_back(struct blob *blob, const struct answer *answer)
{
    struct message_answer back;

    assert_int_equal(message_answer_encode(7, answer, blob), STATUS_OK);
    struct message_line *line = parse_blob(blob);
    assert_int_equal(message_answer_decode(line, &back, NULL), STATUS_OK);
    assert_int_equal(back.answer.kind, answer->kind);
    assert_string_equal(back.answer.task_id, answer->task_id);
    if (answer->kind == ANSWER_DECLINE)
        assert_string_equal(back.answer.reason, answer->reason);
    if (answer->kind == ANSWER_PROGRESS)
        assert_true(back.answer.done == 3 && back.answer.total == 7);
    if (answer->kind == ANSWER_DONE) {
        assert_string_equal(back.answer.result_hash, answer->result_hash);
        assert_int_equal(back.output_size, answer->output.size);
        assert_true(back.answer.seconds == 3.25 && back.answer.macs == 11 &&
                    back.answer.proved_macs == 10);
        if (answer->output.size <= TASK_INLINE_MAX)
            assert_memory_equal(back.answer.output.data, answer->output.data,
                                answer->output.size);
        else
            assert_true(strlen(back.output_hash) == 64 && !back.answer.output.size);
    }
    message_answer_free(&back);
    message_line_free(line);
}

static void answers_and_verdicts_come_back(void **state)
{
    static const enum result_status verdicts[] = {RESULT_ACCEPTED, RESULT_PENDING,
                                                  RESULT_REJECTED};
    struct blob blob = blob_empty(1 << 20);
    struct answer answer = {.task_id = H32,
                            .reason = "no \"memory\"",
                            .done = 3,
                            .total = 7,
                            .result_hash = H64,
                            .seconds = 3.25,
                            .macs = 11,
                            .proved_macs = 10,
                            .output = blob_empty(1 << 20)};

    (void)state;
    assert_int_equal(blob_add(&answer.output, "out", 3), STATUS_OK);
    for (int kind = ANSWER_ACCEPT; kind <= ANSWER_DONE; kind++) {
        answer.kind = (enum answer_kind)kind;
        answer_comes_back(&blob, &answer);
    }
    while (answer.output.size < TASK_INLINE_MAX + 1)
        assert_int_equal(blob_add(&answer.output, "x", 1), STATUS_OK);
    answer_comes_back(&blob, &answer);
    for (size_t i = 0; i < 3; i++) {
        const struct message_id id = {.kind = MESSAGE_ID_TEXT, .text = "a\"b"};
        const struct message_result from = {.status = verdicts[i], .reason = "why"};
        struct message_result back;

        assert_int_equal(message_result_encode(&id, &from, &blob), STATUS_OK);
        struct message_line *line = parse_blob(&blob);
        assert_string_equal(message_line_id(line)->text, "a\"b");
        assert_int_equal(message_result_decode(line, &back, NULL), STATUS_OK);
        assert_int_equal(back.status, verdicts[i]);
        assert_string_equal(back.reason, "why");
        message_line_free(line);
    }
    blob_free(&answer.output);
    blob_free(&blob);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member_is_judged),
        cmocka_unit_test(hello_and_job_come_back),
        cmocka_unit_test(share_comes_back),
        cmocka_unit_test(assignment_comes_back),
        cmocka_unit_test(answers_and_verdicts_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
