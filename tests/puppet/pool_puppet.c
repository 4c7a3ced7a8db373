/*
 * pool_puppet.c - the pool thread alone, moved by hand: a script plays the worker on
 * standard input and reads the news on standard output.
 *
 * Words of the command line are settings, NAME=VALUE, those of struct pool_options; each
 * `url` begins another pool of the list.  Lines of input:
 *
 *     share JOB SERIAL SIZE [TICKET]   a share of a job that was heard, of SIZE bytes;
 * its ticket is TICKET (hex, big-endian) or meets all job what a worker would mine now
 *     stop MS                          as `minerva mine` ends
 *
 * Lines of output are fields between tabs: kind, ms, pool, verdict, code, job, serial, ms
 * of reply, text.
 *
 * SPDX-License-Identifier: MIT
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "kernels/pattern.h"
#include "miner/base/clock.h"
#include "miner/base/memory.h"
#include "pool-protocol/pool.h"

enum { JOBS_MAX = 64, QUEUE_MAX = 1024, LINE_MAX_BYTES = 1024, SERIAL_SIZE = 4 };

struct puppet {
    struct pool_options pools[POOL_LINKS_MAX]; /* as many as url= stood there */
    uint32_t pool_count;
    struct pool_ports ports;
    struct pool *pool;
    struct job *jobs[JOBS_MAX]; /* heard, the newest last */
    uint32_t job_count;
    int news_fd;
    uint64_t begun_ms;
    enum user_form forms[POOL_LINKS_MAX];
};

static void fail(const char *what, const char *text)
{
    fprintf(stderr, "pool_puppet: %s: %s\n", what, text);
    exit(2);
}

/* --- news --- */

static const char *const kind_names[] = {
    [NEWS_CONNECTED] = "connected", [NEWS_LOST] = "lost",
    [NEWS_REFUSED] = "refused",     [NEWS_JOB] = "job",
    [NEWS_ASSIGNED] = "assigned",   [NEWS_CANCELLED] = "cancelled",
    [NEWS_SHARE] = "share",         [NEWS_RESULT] = "result",
    [NEWS_TOO_NEW] = "too new",     [NEWS_NOTICE] = "notice",
    [NEWS_CURRENT] = "current",     [NEWS_LEFT] = "left",
    [NEWS_HOPELESS] = "hopeless",
};

static const char *const verdict_names[] = {
    [VERDICT_ACCEPTED] = "accepted", [VERDICT_PENDING] = "pending",
    [VERDICT_STALE] = "stale",       [VERDICT_REJECTED] = "rejected",
    [VERDICT_UNKNOWN] = "unknown",   [VERDICT_LOST] = "lost",
};

static void keep_job(struct puppet *puppet, struct job *job)
{
    if (puppet->job_count == JOBS_MAX) {
        job_release(puppet->jobs[0]);
        memmove(puppet->jobs, puppet->jobs + 1, (JOBS_MAX - 1) * sizeof *puppet->jobs);
        puppet->job_count--;
    }
    puppet->jobs[puppet->job_count++] = job_keep(job);
}

static void print(const struct puppet *puppet, const char *kind, const struct news *news)
{
    uint32_t serial = 0;

    memcpy(&serial, news->ticket, sizeof serial);
    printf("%s\t%" PRIu64 "\t%u\t%s\t%d\t%s\t%" PRIu32 "\t%" PRIu64 "\t%s\n", kind,
           clock_ms() - puppet->begun_ms, news->pool,
           news->kind == NEWS_SHARE ? verdict_names[news->verdict] : "", news->code,
           news->job ? news->job->id : "", serial, news->latency_ms, news->text);
}

static void hear(struct puppet *puppet)
{
    void *thing = NULL;

    while (!queue_take(puppet->ports.news, 0, &thing)) {
        const struct news *news = thing;

        if (news->kind == NEWS_JOB)
            keep_job(puppet, news->job);
        print(puppet, kind_names[news->kind], news);
        news_free(thing);
    }
    fflush(stdout);
}

/* --- commands --- */

static struct job *find_job(const struct puppet *puppet, const char *id)
{
    for (uint32_t i = puppet->job_count; i-- > 0;) {
        if (!strcmp(puppet->jobs[i]->id, id))
            return puppet->jobs[i];
    }
    fail("no such job was heard", id);
    return NULL;
}

/* Of a shape as a worker would choose it, so that its bound can be reckoned. */
static void make_shape(struct share *share)
{
    share->m = share->n = 4096;
    share->k = 2048;
    share->rank = 128;
    share->row_count = 8;
    share->column_count = 16;
    for (uint32_t i = 0; i < share->row_count; i++)
        share->rows[i] = i;
    for (uint32_t i = 0; i < share->column_count; i++)
        share->columns[i] = i;
}

static void put_share(struct puppet *puppet, const char *words)
{
    char id[JOB_ID_MAX + 1] = "", ticket[2 * DIGEST_SIZE + 1] = "";
    struct share *share = memory_new(struct share);
    struct target number = {{0}};
    uint32_t serial = 0;
    size_t size = 0;

    if (!share ||
        sscanf(words, "%128s %" SCNu32 " %zu %64s", id, &serial, &size, ticket) < 3)
        fail("a share without its three words", words);
    if (*ticket && target_from_hex(ticket, &number, NULL))
        fail("a ticket that is no number", ticket);
    share->job = job_keep(find_job(puppet, id));
    memcpy(share->ticket, number.le, sizeof number.le);
    memcpy(share->ticket, &serial, SERIAL_SIZE);
    share->found_ms = share->proved_ms = clock_ms();
    make_shape(share);
    share->plain_proof = blob_empty(size + 32);
    if (blob_addf(&share->plain_proof, "proof %" PRIu32 " ", serial))
        fail("no memory", words);
    while (share->plain_proof.size < size) {
        const uint8_t byte = (uint8_t)(share->plain_proof.size * 7 + serial);
        if (blob_add(&share->plain_proof, &byte, 1))
            fail("no memory", words);
    }
    if (queue_put(puppet->ports.outbox, outgoing_share(share), 10000))
        fail("the outbox is full", words);
}

static void say_job(const struct puppet *puppet)
{
    uint64_t generation = 0;
    struct job *job = mailbox_take(puppet->ports.jobs, &generation);
    const struct news news = {.job = job};

    print(puppet, "mines", &news);
    fflush(stdout);
    job_release(job);
}

static void stop(struct puppet *puppet, uint64_t wait_ms)
{
    queue_close(puppet->ports.outbox);
    (void)pool_stop(puppet->pool, wait_ms);
    hear(puppet);
    print(puppet, "stopped", &(struct news){.text = ""});
    fflush(stdout);
}

/* Whether there is more to do. */
static bool obey(struct puppet *puppet, const char *line)
{
    uint64_t wait_ms = 0;

    hear(puppet); /* so that a job of which it was told is known */
    if (!strncmp(line, "share ", 6)) {
        put_share(puppet, line + 6);
    } else if (!strcmp(line, "job")) {
        say_job(puppet);
    } else if (sscanf(line, "stop %" SCNu64, &wait_ms) == 1) {
        stop(puppet, wait_ms);
        return false;
    } else {
        fail("unknown line", line);
    }
    return true;
}

/* What standard input has; false at its end. */
static bool read_lines(struct puppet *puppet)
{
    static char rest[LINE_MAX_BYTES]; /* of a line not yet whole */
    static size_t size;
    const ssize_t got = read(STDIN_FILENO, rest + size, sizeof rest - size - 1);
    char *line = rest;

    if (got <= 0)
        return false;
    size += (size_t)got;
    rest[size] = 0;
    for (char *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = 0;
        if (!obey(puppet, line))
            return false;
    }
    size -= (size_t)(line - rest);
    memmove(rest, line, size);
    return true;
}

static void play(struct puppet *puppet)
{
    bool goes_on = true;

    while (goes_on) {
        struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                               {.fd = puppet->news_fd, .events = POLLIN}};
        uint64_t count;

        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[1].revents && read(puppet->news_fd, &count, sizeof count) > 0)
            hear(puppet);
        if (fds[0].revents)
            goes_on = read_lines(puppet);
    }
}

/* --- settings --- */

static enum user_form form_of(const char *word)
{
    static const char *const names[] = {
        [USER_SPLIT] = "split",
        [USER_DOT] = "dot",
        [USER_SLASH] = "slash",
        [USER_ARRAY] = "array",
    };

    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!strcmp(word, names[i]))
            return (enum user_form)i;
    }
    fail("unknown form", word);
    return USER_SPLIT;
}

static enum dialect_pin dialect_of(const char *word)
{
    if (!strcmp(word, "object"))
        return DIALECT_OBJECT;
    if (!strcmp(word, "array"))
        return DIALECT_ARRAY;
    fail("unknown dialect", word);
    return DIALECT_DETECTED;
}

static bool set_text(struct pool_options *options, const char *name, const char *value)
{
    const struct {
        const char *name;
        const char **to;
    } rows[] = {
        {"url=", &options->url},         {"user=", &options->user},
        {"worker=", &options->worker},   {"pass=", &options->pass},
        {"pin=", &options->pin},         {"proxy=", &options->proxy},
        {"ca-file=", &options->ca_file},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strncmp(name, rows[i].name, strlen(rows[i].name)))
            continue;
        *rows[i].to = value;
        return true;
    }
    return false;
}

/* A pool more, like the one before it. */
static struct pool_options *add_pool(struct puppet *puppet)
{
    const uint32_t number = puppet->pool_count++;
    struct pool_options *options = &puppet->pools[number];

    if (number == POOL_LINKS_MAX)
        fail("too many pools", "url=");
    *options = (struct pool_options){.user = "prl1pexample",
                                     .worker = "rig7",
                                     .pass = "x",
                                     .agent = "test/1",
                                     .is_account = true};
    if (number) {
        *options = puppet->pools[number - 1];
        puppet->pools[number - 1].next = options;
    }
    options->number = number;
    return options;
}

static void set(struct puppet *puppet, const char *word)
{
    const char *value = strchr(word, '=');

    if (!strncmp(word, "url=", 4))
        add_pool(puppet);
    if (!value || !puppet->pool_count)
        fail("no setting, or none of a pool", word);
    value++;
    const uint32_t last = puppet->pool_count - 1;
    struct pool_options *options = &puppet->pools[last];
    if (set_text(options, word, value))
        return;
    if (!strncmp(word, "form=", 5)) {
        puppet->forms[last] = form_of(value);
        options->form = &puppet->forms[last];
    } else if (!strncmp(word, "dialect=", 8)) {
        options->dialect = dialect_of(value);
    } else if (!strncmp(word, "job-timeout=", 12)) {
        options->job_timeout_s = (uint32_t)strtoul(value, NULL, 10);
    } else if (!strncmp(word, "hurry=", 6)) {
        options->hurry = (uint32_t)strtoul(value, NULL, 10);
    } else if (!strncmp(word, "strict=", 7)) {
        options->strict = (uint32_t)strtoul(value, NULL, 10);
    } else {
        fail("unknown setting", word);
    }
}

static void open_ports(struct puppet *puppet)
{
    struct pool_ports *ports = &puppet->ports;

    puppet->news_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (puppet->news_fd < 0 || mailbox_new(job_hold, job_drop, &ports->jobs) ||
        queue_new(4, assignment_free, &ports->assignments) ||
        queue_new(QUEUE_MAX, outgoing_free, &ports->outbox) ||
        queue_new(QUEUE_MAX, news_free, &ports->news))
        fail("no memory", "queues");
    queue_watch(ports->news, puppet->news_fd);
}

static void close_all(struct puppet *puppet)
{
    pool_free(puppet->pool);
    while (puppet->job_count)
        job_release(puppet->jobs[--puppet->job_count]);
    queue_free(puppet->ports.news);
    queue_free(puppet->ports.outbox);
    queue_free(puppet->ports.assignments);
    mailbox_free(puppet->ports.jobs);
    close(puppet->news_fd);
    memory_free(puppet);
}

int main(int argc, char **argv)
{
    struct puppet *puppet = memory_new(struct puppet);
    struct error err = {0};

    if (!puppet)
        fail("no memory", "begin");
    puppet->begun_ms = clock_ms();
    for (int i = 1; i < argc; i++)
        set(puppet, argv[i]);
    open_ports(puppet);
    if (pool_start(puppet->pools, &puppet->ports, &puppet->pool, &err))
        fail("not started", error_text(&err));
    play(puppet);
    close_all(puppet);
    return 0;
}
