/*
 * Claim: each dialect says and understands, byte for byte, what the recorded
 * conversations of tests/protocol/conversations/ hold.
 *
 * A recording is a list of actions, each followed by what must come of it, all of it and
 * in order.  The first line is `dialect NAME`, then an address, or array, dot, slash: how
 * the user is told, and its manners: jsonrpc, password, gzip, version2; with detect
 * nobody said what it speaks.  pool_*.txt are also what the scripted pool of
 * tests/pearl_pool plays.
 *
 *   S> LINE                   a line from the pool
 *   greet | tick MS           a new connection | time
 *   share JOB TAG [TASK P I]  a share of the last job of that id (of site pack P, product
 * I of TASK); JOB! one whose ticket is just good for a work of 2^52
 *   accept|decline|progress|done TASK TAG
 *   C> LINE                   expected: a line to the pool
 *   E> TEXT                   expected: an event
 *   = STATUS SENTENCE         expected: a refusal
 *
 * SPDX-License-Identifier: MIT
 */
#include <dirent.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "miner/base/file.h"
#include "pool-protocol/dialect.h"

enum { JOBS_MAX = 64 };

struct stage { /* one conversation, and what it has said and not been asked for */
    const char *name;
    int number; /* of the line */
    const struct dialect *dialect;
    struct dialect_session *session;
    struct dialect_login login;
    struct dialect_turn turn;
    struct blob said;           /* lines "C> ...", "E> ...", "= ..." */
    struct job *jobs[JOBS_MAX]; /* heard, held */
    uint32_t job_count;
};

static const char *const status_names[] = {
#define STATUS(name, sentence) #name,
#include "miner/base/status.def"
#undef STATUS
};

static const char *const verdict_names[] = {"accepted", "pending", "stale", "rejected",
                                            "unknown",  "lost",    "again"};

static void say(struct stage *stage, const char *format, ...) PRINTF_LIKE(2, 3);
static void say(struct stage *stage, const char *format, ...)
{
    char text[4096];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    assert_int_equal(blob_addf(&stage->said, "%s\n", text), STATUS_OK);
}

static void say_job(struct stage *stage, const struct job *job)
{
    const struct job_shape *shape = &job->shape;
    char dictated[128] = "";

    if (shape->is_dictated)
        snprintf(dictated, sizeof dictated,
                 " shape %" PRIu64 " %" PRIu64 " %" PRIu64 " %u tile %ux%u", shape->m,
                 shape->n, shape->k, shape->rank, shape->rows.count,
                 shape->columns.count);
    say(stage,
        "E> job %s height %" PRIu64 " version %u rank %u unassigned %d work %.6g%s",
        job->id, job->height, job->cert_version, job->min_rank, job->unassigned,
        target_work(&job->target), dictated);
}

static void say_event(struct stage *stage, const struct dialect_event *event)
{
    char seed[2 * PUZZLE_SEED_SIZE + 1];

    switch (event->kind) {
    case EVENT_READY:
        say(stage, "E> ready: %s", event->text);
        break;
    case EVENT_REFUSED:
        say(stage, "E> refused %d: %s", event->code, event->text);
        break;
    case EVENT_JOB:
        say_job(stage, event->job);
        assert_true(stage->job_count < JOBS_MAX);
        stage->jobs[stage->job_count++] = job_keep(event->job);
        break;
    case EVENT_NO_JOB:
        say(stage, "E> no job: %s", event->text);
        break;
    case EVENT_PUZZLE:
        hex_encode(event->puzzle.seed, sizeof event->puzzle.seed, seed);
        say(stage, "E> puzzle %s of %u bits", seed, event->puzzle.bits);
        break;
    case EVENT_ASSIGN:
        say(stage, "E> assign %s %s model %.8s input %zu %.8s rows %u lease %u",
            event->work->id, event->work->kind, event->work->model,
            event->work->input.size, event->work->input_hash, event->work->rows,
            event->work->lease_s);
        break;
    case EVENT_CANCEL:
        say(stage, "E> cancel %s: %s", event->task_id, event->text);
        break;
    case EVENT_SHARE:
        say(stage, "E> share %" PRIu64 " %s %d: %s%s", event->tag,
            verdict_names[event->verdict], event->code, event->text,
            event->is_hopeless ? " (hopeless)" : "");
        break;
    case EVENT_RESULT:
        say(stage, "E> result %" PRIu64 " of %s %s %d: %s", event->tag, event->task_id,
            verdict_names[event->verdict], event->code, event->text);
        break;
    case EVENT_NOTICE:
        say(stage, "E> notice: %s", event->text);
        break;
    }
}

/* What a call left behind, as text. */
static void settle(struct stage *stage, enum status status, const struct error *err)
{
    struct blob *lines = &stage->turn.lines;
    const char *text = lines->size ? (const char *)lines->data : "";

    for (const char *end; (end = strchr(text, '\n')); text = end + 1)
        say(stage, "C> %.*s", (int)(end - text), text);
    assert_string_equal(text, ""); /* whole lines only */
    for (uint32_t i = 0; i < stage->turn.event_count; i++)
        say_event(stage, &stage->turn.events[i]);
    if (status)
        say(stage, "= %s%s%s", status_names[status], err && *err->text ? " " : "",
            err ? err->text : "");
    dialect_turn_clear(&stage->turn);
}

/* The last job of that id that was heard; one that nobody has heard of otherwise. */
static struct job *find_job(const struct stage *stage, const char *id)
{
    struct job job = {.cert_version = 3};

    for (uint32_t i = stage->job_count; i-- > 0;) {
        if (!strcmp(stage->jobs[i]->id, id))
            return job_keep(stage->jobs[i]);
    }
    snprintf(job.id, sizeof job.id, "%s", id);
    return job_new(&job);
}

/* share JOB[!] TAG ...: with a '!', of a ticket that meets a work of 2^52 and no more. */
static void act_share(struct stage *stage, const char *arguments)
{
    struct share share = {.plain_proof = blob_empty(64)};
    struct error err = {0};
    uint64_t tag = 0;
    char id[JOB_ID_MAX + 2];

    assert_true(sscanf(arguments, "%129s %" SCNu64 " %32s %u %u", id, &tag, share.task_id,
                       &share.site.pack, &share.site.product) >= 2);
    share.k = 4096;
    share.rank = 128;
    share.row_count = 8;
    share.column_count = 16;
    if (id[strlen(id) - 1] == '!') {
        id[strlen(id) - 1] = 0;
        share.ticket[27] = 0x80; /* 2^223 = 2^19 * 2^256 / 2^52 */
    }
    share.job = find_job(stage, id);
    assert_non_null(share.job);
    assert_int_equal(blob_addf(&share.plain_proof, "proof %" PRIu64, tag), STATUS_OK);
    settle(stage, stage->dialect->submit(stage->session, &share, tag, &stage->turn),
           &err);
    job_release(share.job);
    blob_free(&share.plain_proof);
}

/* solve SEED BITS NONCE: the puzzle's solution is there. */
static void act_solve(struct stage *stage, const char *arguments)
{
    struct puzzle_task task = {.bits = 0};
    char seed[2 * PUZZLE_SEED_SIZE + 1];
    uint64_t nonce = 0;

    assert_int_equal(sscanf(arguments, "%64s %u %" SCNu64, seed, &task.bits, &nonce), 3);
    assert_true(hex_decode(seed, task.seed, sizeof task.seed));
    settle(stage, stage->dialect->solve(stage->session, &task, nonce, &stage->turn),
           NULL);
}

static bool act_answer(struct stage *stage, const char *line)
{
    static const char *const words[] = {"accept ", "decline ", "progress ", "done "};
    struct answer answer = {.output = blob_empty(64), .done = 3, .total = 7, .macs = 12};
    uint64_t tag = 0;

    for (size_t i = 0; i < 4; i++) {
        if (strncmp(line, words[i], strlen(words[i])))
            continue;
        answer.kind = (enum answer_kind)i;
        assert_int_equal(
            sscanf(line + strlen(words[i]), "%32s %" SCNu64, answer.task_id, &tag), 2);
        snprintf(answer.reason, sizeof answer.reason, "no room");
        memset(answer.result_hash, 'a', 64);
        assert_int_equal(blob_addf(&answer.output, "output"), STATUS_OK);
        settle(stage, stage->dialect->answer(stage->session, &answer, tag, &stage->turn),
               NULL);
        blob_free(&answer.output);
        return true;
    }
    blob_free(&answer.output);
    return false;
}

static void act(struct stage *stage, const char *line)
{
    struct error err = {0};
    uint64_t number = 0;

    if (!strncmp(line, "S> ", 3)) {
        settle(stage,
               stage->dialect->receive(stage->session,
                                       bytes_of(line + 3, strlen(line + 3)), &stage->turn,
                                       &err),
               &err);
    } else if (!strcmp(line, "greet")) {
        settle(stage, stage->dialect->greet(stage->session, &stage->turn), NULL);
    } else if (sscanf(line, "tick %" SCNu64, &number) == 1) {
        settle(stage, stage->dialect->tick(stage->session, number, &stage->turn, &err),
               &err);
    } else if (!strncmp(line, "share ", 6)) {
        act_share(stage, line + 6);
    } else if (!strncmp(line, "solve ", 6)) {
        act_solve(stage, line + 6);
    } else if (!act_answer(stage, line)) {
        fail_msg("%s:%d: unknown action: %s", stage->name, stage->number, line);
    }
}

static void expect(struct stage *stage, const char *line)
{
    const char *said = stage->said.size ? (const char *)stage->said.data : "";
    const size_t size = strcspn(said, "\n");

    if (strlen(line) != size || strncmp(line, said, size))
        fail_msg("%s:%d:\nexpected %s\ncame     %.*s", stage->name, stage->number, line,
                 (int)size, said);
    blob_drop_front(&stage->said, size + 1);
}

static void expect_nothing(const struct stage *stage)
{
    if (stage->said.size)
        fail_msg("%s:%d: nobody expected: %s", stage->name, stage->number,
                 stage->said.data);
}

/* dot, slash: the worker stands behind the wallet. */
static void join_user(struct dialect_login *login)
{
    const struct user user = {.address = "prl1pexample", .worker = "rig7"};
    struct error err = {0};

    if (!strcmp(login->address, "dot"))
        login->form = USER_DOT;
    else if (!strcmp(login->address, "slash"))
        login->form = USER_SLASH;
    else
        return;
    assert_int_equal(user_login(&user, login->form, &login->hello, &err), STATUS_OK);
}

static void open_dialect(struct stage *stage, const char *line)
{
    char name[32] = "", url[64];

    stage->login.address[0] = 0;
    struct error err = {0};

    char manners[32] = "";

    stage->login.pin = strstr(line, "detect") ? DIALECT_DETECTED : DIALECT_OBJECT;

    assert_true(
        sscanf(line, "dialect %31s %63s %31s", name, stage->login.address, manners) >= 1);
    stage->login.hello.has_jsonrpc = strstr(manners, "jsonrpc") != NULL;
    stage->login.hello.is_password = strstr(manners, "password") != NULL;
    stage->login.hello.asks_gzip = strstr(manners, "gzip") != NULL;
    stage->login.cert_version = strstr(manners, "version2") ? 2 : 0;
    if (!strcmp(stage->login.address, "array"))
        stage->login.form = USER_ARRAY;
    join_user(&stage->login);
    snprintf(url, sizeof url, "%s://", name);
    const struct dialect_row *row = dialect_find(url, &err);
    if (!row)
        fail_msg("%s: %s", stage->name, err.text);
    stage->dialect = row->dialect;
    assert_int_equal(row->dialect->open(&stage->login, &stage->session, &err), STATUS_OK);
}

static void play_line(struct stage *stage, const char *line)
{
    if (!*line || *line == '#')
        return;
    if (!stage->dialect) {
        open_dialect(stage, line);
    } else if (!strncmp(line, "C> ", 3) || !strncmp(line, "E> ", 3) ||
               !strncmp(line, "= ", 2)) {
        expect(stage, line);
    } else {
        expect_nothing(stage);
        act(stage, line);
    }
}

static struct message_authorize example_account(void)
{
    struct message_authorize account = {
        .wallet = "prl1pexample",
        .worker = "rig7",
        .pass = "x",
        .agent = "minerva/0.1",
        .offer = {.slots = 2, .memory_bytes = 1024, .task_count = 2, .backend_count = 1}};

    snprintf(account.offer.tasks[0], sizeof account.offer.tasks[0], "embed");
    snprintf(account.offer.tasks[1], sizeof account.offer.tasks[1], "matmul");
    snprintf(account.offer.backends[0], sizeof account.offer.backends[0], "cpu");
    return account;
}

static void play(const char *folder, const char *name)
{
    struct stage stage = {
        .name = name, .login = {.hello = example_account()}, .said = blob_empty(1 << 20)};
    struct blob text = blob_empty(1 << 20);
    struct error err = {0};
    char path[1024];

    stage.turn.lines = blob_empty(1 << 20);
    assert_int_equal(file_join(folder, name, path, sizeof path, &err), STATUS_OK);
    assert_int_equal(file_read(path, &text, &err), STATUS_OK);
    for (char *line = (char *)text.data, *end; (end = strchr(line, '\n'));
         line = end + 1) {
        *end = 0;
        stage.number++;
        play_line(&stage, line);
    }
    expect_nothing(&stage);
    assert_non_null(stage.dialect);
    stage.dialect->close(stage.session);
    for (uint32_t i = 0; i < stage.job_count; i++)
        job_release(stage.jobs[i]);
    dialect_turn_free(&stage.turn);
    blob_free(&stage.said);
    blob_free(&text);
}

static void conversations_go_as_recorded(void **state)
{
    static const char path[] = TEST_DATA "/../protocol/conversations";
    DIR *folder = opendir(path);
    int count = 0;

    (void)state;
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        play(path, entry->d_name);
        count++;
    }
    closedir(folder);
    assert_true(count >= 5);
}

static void unknown_schemes_are_named(void **state)
{
    static const char *const urls[] = {"http://a:1", "stratum+tc://a:1",  "://", "",
                                       "a:1",        "stratum+tcpx://a:1"};

    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct error err = {0};

        assert_null(dialect_find(urls[i], &err));
        assert_int_equal(err.status, STATUS_BAD_CONFIG);
        assert_non_null(strstr(err.text, "stratum+tcp"));
        assert_non_null(strstr(err.text, urls[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conversations_go_as_recorded),
        cmocka_unit_test(unknown_schemes_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
