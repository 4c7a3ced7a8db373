/*
 * test_pool_forged.c - shares with the right weights and invented activations are found
 * out: by the root a site has already, by one row done over, by the whole operand when
 * the result comes; and a site is mined once a lease, under one header.  Jobs and offers
 * have their time.  (labels: tsan)
 *
 * The pool runs in this process; the worker speaks to it through a socket.
 *
 * SPDX-License-Identifier: MIT
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernels/blake3_host.h"
#include "miner/base/clock.h"
#include "miner/pow/scheme.h"
#include "miner/tasks/generated.h"
#include "pool-protocol/message_notify.h"
#include "pool-protocol/message_submit.h"
#include "pool-protocol/message_task.h"
#include "pool/pool_state.h"
#include "pool/requests.h"
#include "pool/sessions.h"

enum { M = 512, N = 256, K = 1024, SEED = 7, LIE = 99, PROOFS_MAX = 64 };

struct fixture {
    char folder[64], path[96];
    struct pool *pool;
    int socket;
    struct blob in;
    int64_t id;
    char session[SESSION_SIZE + 1], task[TASK_ID_SIZE + 1];
    struct job job;
    struct device *device;
    struct generated matrices;
    struct blob output; /* the task's honest result */
};

static void say(struct fixture *f, struct blob *line)
{
    assert_int_equal(send(f->socket, line->data, line->size, 0), line->size);
    blob_free(line);
}

/* The next line, parsed; what a task or job needs is taken from pushes. */
static struct message_line *hear(struct fixture *f)
{
    struct message_line *line;
    uint8_t bytes[4096];

    for (;;) {
        const uint8_t *end = f->in.size ? memchr(f->in.data, '\n', f->in.size) : NULL;
        if (end) {
            const size_t size = (size_t)(end - f->in.data);
            assert_int_equal(message_line_parse(bytes_of(f->in.data, size), &line, NULL),
                             STATUS_OK);
            blob_drop_front(&f->in, size + 1);
            return line;
        }
        const ssize_t size = recv(f->socket, bytes, sizeof bytes, 0);
        assert_true(size > 0);
        assert_int_equal(blob_add(&f->in, bytes, (size_t)size), STATUS_OK);
    }
}

static void take_push(struct fixture *f, const struct message_line *line)
{
    struct message_notify notify;
    struct assignment *work;

    if (!strcmp(message_line_method(line), MESSAGE_NOTIFY)) {
        assert_int_equal(message_notify_decode(line, &notify, NULL), STATUS_OK);
        f->job = notify.job;
    } else if (!strcmp(message_line_method(line), MESSAGE_TASK_ASSIGN)) {
        assert_int_equal(message_assign_decode(line, &work, NULL), STATUS_OK);
        snprintf(f->task, sizeof f->task, "%s", work->id);
        assignment_free(work);
    }
}

static struct message_line *reply_line(struct fixture *f)
{
    for (;;) {
        struct message_line *line = hear(f);
        if (message_line_kind(line) == MESSAGE_REPLY)
            return line;
        take_push(f, line);
        message_line_free(line);
    }
}

static int reply_code(struct fixture *f, char *text)
{
    struct message_reply reply;
    struct message_line *line = reply_line(f);

    message_line_reply(line, &reply);
    message_line_free(line);
    if (text)
        snprintf(text, MESSAGE_TEXT_MAX + 1, "%s", reply.text);
    return reply.is_ok ? 0 : reply.code;
}

/* A connection with a hello; a job and a task are there afterwards. */
static void come(struct fixture *f)
{
    struct message_authorize hello = {
        .wallet = "w",
        .worker = "rig",
        .protocol = MESSAGE_PROTOCOL,
        .offer = {.slots = 1, .task_count = 1, .tasks = {"matmul"}}};
    const struct sockaddr_in where = {.sin_family = AF_INET,
                                      .sin_port = htons(server_port(f->pool->server)),
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval wait = {.tv_sec = 60};
    struct message_welcome welcome;
    struct blob line = blob_empty(8192);

    if (f->socket >= 0)
        close(f->socket);
    blob_clear(&f->in);
    snprintf(hello.session, sizeof hello.session, "%s", f->session);
    f->socket = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(f->socket, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    assert_int_equal(connect(f->socket, (const struct sockaddr *)&where, sizeof where),
                     0);
    assert_int_equal(message_authorize_encode(++f->id, &hello, &line), STATUS_OK);
    say(f, &line);
    struct message_line *reply = reply_line(f);
    assert_int_equal(message_welcome_decode(reply, &welcome, NULL), STATUS_OK);
    message_line_free(reply);
    snprintf(f->session, sizeof f->session, "%s", welcome.session);
    f->job.id[0] = 0;
    while (!*f->job.id || !*f->task) {
        struct message_line *push = hear(f);
        take_push(f, push);
        message_line_free(push);
    }
}

static int answer(struct fixture *f, enum answer_kind kind)
{
    struct answer answer = {.kind = kind};
    struct blob line = blob_empty(MESSAGE_LINE_MAX);

    snprintf(answer.task_id, sizeof answer.task_id, "%s", f->task);
    if (kind == ANSWER_DONE) {
        answer.output = f->output; /* lent */
        answer_result_hash("", f->task, blob_bytes(&f->output), answer.result_hash);
    }
    assert_int_equal(message_answer_encode(++f->id, &answer, &line), STATUS_OK);
    say(f, &line);
    return 0;
}

static int set_up(void **state)
{
    const struct pool_options options = {.listen = "127.0.0.1:0",
                                         .http = "127.0.0.1:0",
                                         .audit = 0.05,
                                         .share_macs = 1 << 21,
                                         .min_rank = 64,
                                         .lease_s = 600};
    const struct device_options cpu = {.threads = 2};
    struct http_submit submit = {
        .kind = "matmul", .parameters = {true, M, N, K, SEED}, .input = {.size_max = 0}};
    struct fixture *f = calloc(1, sizeof *f);
    struct pool_options local = options;
    struct error err = {0};

    snprintf(f->folder, sizeof f->folder, "/tmp/minerva-forged-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->path, sizeof f->path, "%s/pool.db", f->folder);
    local.database = f->path;
    f->socket = -1;
    f->in = blob_empty(MESSAGE_LINE_MAX);
    if (pool_open(&local, &f->pool, &err) || request_add(f->pool, &submit, f->task, &err))
        fail_msg("%s", error_text(&err));
    f->task[0] = 0;
    assert_int_equal(device_open(backend_find("cpu"), 0, &cpu, &f->device, NULL),
                     STATUS_OK);
    assert_int_equal(
        generated_new(&f->matrices, f->device, (struct model_shape){M, N, K}, NULL),
        STATUS_OK);
    assert_int_equal(generated_right(&f->matrices, SEED + 1), STATUS_OK);
    come(f);
    answer(f, ANSWER_ACCEPT);
    assert_int_equal(reply_code(f, NULL), 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-lock"};
    struct fixture *f = *state;
    char name[128];

    close(f->socket);
    pool_close(f->pool);
    generated_free(&f->matrices);
    device_close(f->device);
    blob_free(&f->in);
    blob_free(&f->output);
    for (size_t i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "%s%s", f->path, ends[i]);
        unlink(name);
    }
    rmdir(f->folder);
    free(f);
    return 0;
}

struct mined {
    size_t count;
    struct share *shares[PROOFS_MAX];
};

/* Proofs of the product as it lies on the device, under the newest job. */
static struct mined mine(struct fixture *f)
{
    const struct pow_limits limits = {.m = M, .n = N, .k = K, .hits = PROOFS_MAX};
    struct matmul_port plain;
    struct mailbox *jobs;
    struct queue *found;
    struct pow_run *run;
    struct mined mined = {0};
    void *thing;

    matmul_port_plain(&plain, f->device);
    assert_int_equal(mailbox_new(job_hold, job_drop, &jobs), STATUS_OK);
    assert_int_equal(queue_new(4096, outgoing_free, &found), STATUS_OK);
    mailbox_put(jobs, job_new(&f->job));
    const struct pow_outlet outlet = {.findings = found};
    assert_int_equal(scheme_noisy_gemm.begin(jobs, &plain, &limits, &outlet, &run, NULL),
                     STATUS_OK);
    struct matmul_port *port = scheme_noisy_gemm.port(run);
    assert_int_equal(generated_run(&f->matrices, port, (struct view){0}), STATUS_OK);
    assert_int_equal(matmul_drain(port), STATUS_OK);
    while (mined.count < PROOFS_MAX && !queue_take(found, 0, &thing)) {
        const struct outgoing *outgoing = thing;
        assert_int_equal(scheme_noisy_gemm.prove(outgoing->as.finding,
                                                 &mined.shares[mined.count++], NULL),
                         STATUS_OK);
        outgoing_free(thing);
    }
    scheme_noisy_gemm.end(run);
    queue_free(found);
    mailbox_free(jobs);
    assert_true(mined.count > 3);
    return mined;
}

static void mined_free(struct mined *mined)
{
    for (size_t i = 0; i < mined->count; i++)
        share_free(mined->shares[i]);
}

static int submit(struct fixture *f, const struct share *share, char *text)
{
    struct message_submit message = {.wallet = "w", .worker = "rig"};
    struct blob line = blob_empty(MESSAGE_LINE_MAX);

    snprintf(message.job_id, sizeof message.job_id, "%s", share->job->id);
    snprintf(message.task_id, sizeof message.task_id, "%s", f->task);
    message.plain_proof = share->plain_proof; /* lent */
    assert_int_equal(message_submit_encode(++f->id, &message, &line), STATUS_OK);
    say(f, &line);
    return reply_code(f, text);
}

static uint64_t voided(struct fixture *f)
{
    struct http_status status;

    assert_int_equal(request_status(f->pool, &status, NULL), STATUS_OK);
    return status.voided;
}

static void test_row(void **state)
{
    struct fixture *f = *state;
    char text[MESSAGE_TEXT_MAX + 1];

    assert_int_equal(generated_left(&f->matrices, LIE, M), STATUS_OK);
    struct mined lies = mine(f);
    assert_int_equal(submit(f, lies.shares[0], text), MESSAGE_CODE_WRONG_INPUT);
    assert_non_null(strstr(text, "row"));
    assert_int_equal(submit(f, lies.shares[1], NULL), MESSAGE_CODE_WRONG_INPUT);
    assert_int_equal(submit(f, lies.shares[2], NULL), MESSAGE_CODE_WRONG_INPUT);
    /* With the third the lease is gone. */
    assert_int_equal(submit(f, lies.shares[3], NULL), MESSAGE_CODE_NOT_LEASED);
    mined_free(&lies);
}

static void test_root(void **state)
{
    struct fixture *f = *state;
    char text[MESSAGE_TEXT_MAX + 1];

    assert_int_equal(generated_left(&f->matrices, SEED, M), STATUS_OK);
    struct mined honest = mine(f);
    assert_int_equal(submit(f, honest.shares[0], NULL), 0);
    assert_int_equal(generated_left(&f->matrices, LIE, M), STATUS_OK);
    struct mined lies = mine(f);
    assert_int_equal(submit(f, lies.shares[0], text), MESSAGE_CODE_WRONG_INPUT);
    assert_non_null(strstr(text, "another left operand"));
    assert_int_equal(voided(f), 1);
    /* Voiding cleared the site: the honest operand may come again. */
    assert_int_equal(submit(f, honest.shares[1], NULL), 0);
    mined_free(&honest);
    mined_free(&lies);
}

static void test_header(void **state)
{
    struct fixture *f = *state;
    char text[MESSAGE_TEXT_MAX + 1];
    struct job old;

    assert_int_equal(generated_left(&f->matrices, SEED, M), STATUS_OK);
    struct mined first = mine(f);
    assert_int_equal(submit(f, first.shares[0], NULL), 0);
    old = f->job;
    come(f); /* the same session, another header */
    assert_memory_not_equal(old.header, f->job.header, JOB_HEADER_SIZE);
    struct mined second = mine(f);
    assert_int_equal(submit(f, second.shares[0], text), MESSAGE_CODE_NOT_LEASED);
    assert_non_null(strstr(text, "another header"));
    assert_int_equal(submit(f, first.shares[1], NULL), 0); /* its job is still known */
    mined_free(&first);
    mined_free(&second);
}

static bool is_above(const struct share *share, uint32_t row)
{
    for (uint32_t i = 0; i < share->row_count; i++) {
        if (share->rows[i] >= row)
            return false;
    }
    return true;
}

static void honest_output(struct fixture *f)
{
    struct matmul_port plain;
    struct task_options options = {.rows = M};
    struct assignment work = {.rows = M, .parameters = {true, M, N, K, SEED}};
    struct station *station;
    struct task *task;
    enum status status;

    snprintf(work.kind, sizeof work.kind, "matmul");
    f->output = blob_empty(4096);
    matmul_port_plain(&plain, f->device);
    assert_int_equal(station_setup(&task_matmul, f->device, &options, &station, NULL),
                     STATUS_OK);
    assert_int_equal(task_open(station, &work, &task, NULL), STATUS_OK);
    while ((status = task_step(task, &plain)) == STATUS_OK)
        continue;
    assert_int_equal(status, STATUS_DONE);
    assert_int_equal(task_answer(task, &f->output), STATUS_OK);
    task_close(task);
    station_teardown(station);
}

/* The opened rows are true, others are invented: the result's check hashes the whole
 * operand. */
static void test_whole(void **state)
{
    struct fixture *f = *state;
    struct message_result verdict;
    size_t sent = 0;

    assert_int_equal(generated_left(&f->matrices, LIE, M), STATUS_OK);
    assert_int_equal(generated_left(&f->matrices, SEED, M / 2), STATUS_OK);
    struct mined half = mine(f);
    for (size_t i = 0; i < half.count && sent < 2; i++) {
        if (is_above(half.shares[i], M / 2)) {
            assert_int_equal(submit(f, half.shares[i], NULL), 0);
            sent++;
        }
    }
    assert_int_equal(sent, 2);
    honest_output(f);
    answer(f, ANSWER_DONE);
    struct message_line *line = reply_line(f);
    assert_int_equal(message_result_decode(line, &verdict, NULL), STATUS_OK);
    message_line_free(line);
    assert_int_equal(verdict.status, RESULT_REJECTED);
    assert_non_null(strstr(verdict.reason, "left operand"));
    assert_int_equal(voided(f), 2);
    mined_free(&half);
}

/* The next push of that method; what it says is taken. */
static void expect_push(struct fixture *f, const char *method)
{
    for (bool is_found = false; !is_found;) {
        struct message_line *line = hear(f);
        is_found = !strcmp(message_line_method(line), method);
        take_push(f, line);
        message_line_free(line);
    }
}

/* As if so much time had passed. */
static void pass(struct fixture *f, uint64_t ms)
{
    pool_lock(f->pool);
    session_tick(f->pool, session_find(f->pool, f->session), clock_ms() + ms);
    pool_unlock(f->pool);
}

/* A new header after a minute; an assignment nobody said yes to goes after half of one.
 */
static void test_time(void **state)
{
    struct http_submit submit = {
        .kind = "matmul", .parameters = {true, M, N, K, 1}, .input = {.size_max = 0}};
    struct fixture *f = *state;
    const struct job old = f->job;
    struct http_task task;
    char id[TASK_ID_SIZE + 1];

    pass(f, 59000);
    pass(f, 61000);
    expect_push(f, MESSAGE_NOTIFY);
    assert_memory_not_equal(old.header, f->job.header, JOB_HEADER_SIZE);
    assert_memory_equal(old.target.le, f->job.target.le, sizeof old.target.le);
    answer(f, ANSWER_DECLINE);
    assert_int_equal(reply_code(f, NULL), 0);
    assert_int_equal(request_add(f->pool, &submit, id, NULL), STATUS_OK);
    expect_push(f, MESSAGE_TASK_ASSIGN);
    assert_string_equal(f->task, id);
    pass(f, 29000);
    assert_int_equal(request_state(f->pool, id, &task, NULL), STATUS_OK);
    pass(f, 31000);
    expect_push(f, MESSAGE_TASK_CANCEL);
    answer(f, ANSWER_ACCEPT); /* too late */
    assert_int_equal(reply_code(f, NULL), MESSAGE_CODE_NOT_LEASED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_root, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_header, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_time, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
