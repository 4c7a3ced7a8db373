/*
 * transport_line.c - the connection of transport.h on libcurl: TLS, names and proxies are
 * its work, lines are ours.
 *
 * The handle stays in a multi handle for its whole life: so connecting can be
 * interrupted, and the connection still belongs to somebody afterwards.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "miner/base/clock.h"
#include "miner/base/memory.h"
#include "pool-protocol/message_line.h"
#include "pool-protocol/transport.h"

enum {
    WRITE_SIZE = 16 << 10, /* one record of TLS */
    READ_SIZE = 64 << 10,
    READS_A_TURN = 16,
    WATCHED_MAX = 64, /* what is waited for at once; more is looked at every time */
    WAIT_MS_MAX = 60000,
    OURS_FIRST_MS = 1000, /* libcurl would not say who is there when the time is over */
    CONNECT_STEP_MS = 100 /* libcurl's own advice where it cannot say what it waits for */
};

struct transport {
    CURLM *multi;
    CURL *easy;
    curl_socket_t socket;
    bool is_open;
    bool lacks_tls;
    bool has_more; /* TLS may hold bytes that no poll announces */
    int wake_fd;
    uint64_t connect_ms, line_ms;
    uint64_t opened_ms;
    uint64_t sent_ms;       /* last progress */
    uint64_t line_begun_ms; /* when the line came whose end is not there yet */
    struct blob in;         /* not yet taken */
    size_t taken, looked;   /* of in: given out, searched for a line's end */
    struct blob out;        /* being sent: does not move or grow until it is gone */
    struct blob next;       /* what follows it */
    size_t sent;            /* of out */
    bool is_asked;          /* whether it is free: the answer was no */
    char reason[CURL_ERROR_SIZE];
};

/* Whom to believe that the other side is who it should be. */
static bool transport_set_trust(struct transport *t,
                                const struct transport_options *options)
{
    bool ok = true;

    /* A key that is known needs nobody to vouch for it, and bears whatever name. */
    ok = ok && !curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYPEER, options->pin ? 0L : 1L);
    ok = ok && !curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYHOST, options->pin ? 0L : 2L);
    if (options->pin)
        ok = ok && !curl_easy_setopt(t->easy, CURLOPT_PINNEDPUBLICKEY, options->pin);
    if (options->ca_file)
        ok = ok && !curl_easy_setopt(t->easy, CURLOPT_CAINFO, options->ca_file);
    return ok;
}

/* A dead way is found out by the system, even where nothing is due for minutes; and it
 * takes no more than the way carries, so that a line waits here, where it can still be
 * called back. */
static int transport_set_socket(void *context, curl_socket_t fd, curlsocktype purpose)
{
    struct transport *t = context;
    static const struct {
        int name, value;
    } rows[] = {{TCP_KEEPIDLE, TRANSPORT_KEEPALIVE_IDLE_S},
                {TCP_KEEPINTVL, TRANSPORT_KEEPALIVE_EVERY_S},
                {TCP_KEEPCNT, TRANSPORT_KEEPALIVE_PROBES},
                {TCP_USER_TIMEOUT, TRANSPORT_UNHEARD_MS},
                {TCP_NOTSENT_LOWAT, TRANSPORT_NOT_SENT}};
    const int on = 1;
    int failed = 0;

    (void)purpose;
    t->socket = fd; /* until it is known which one is connected */
    failed |= setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        failed |= setsockopt(fd, IPPROTO_TCP, rows[i].name, &rows[i].value,
                             sizeof rows[i].value);
    return failed ? CURL_SOCKOPT_ERROR : CURL_SOCKOPT_OK;
}

/* Names are the proxy's to find, however it was written. */
static bool transport_set_proxy(struct transport *t, const char *proxy)
{
    static const char local[] = "socks5://";
    const size_t size = strlen(local);
    char text[512];

    if (strncmp(proxy, local, size) != 0)
        return !curl_easy_setopt(t->easy, CURLOPT_PROXY, proxy);
    const int written = snprintf(text, sizeof text, "socks5h://%s", proxy + size);
    return written > 0 && (size_t)written < sizeof text &&
           !curl_easy_setopt(t->easy, CURLOPT_PROXY, text);
}

static bool transport_set(struct transport *t, const struct transport_options *options)
{
    char url[512];
    const bool is_number6 = strchr(options->host, ':') != NULL;
    const int size =
        snprintf(url, sizeof url, "%s://%s%s%s:%u", options->has_tls ? "https" : "http",
                 is_number6 ? "[" : "", options->host, is_number6 ? "]" : "",
                 (unsigned)options->port);
    bool ok = size > 0 && (size_t)size < sizeof url;

    ok = ok && !curl_easy_setopt(t->easy, CURLOPT_URL, url);
    ok = ok && !curl_easy_setopt(t->easy, CURLOPT_CONNECT_ONLY, 1L);
    ok = ok && !curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
    ok = ok && !curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->reason);
    ok = ok && !curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS,
                                 (long)t->connect_ms + OURS_FIRST_MS);
    ok = ok && !curl_easy_setopt(t->easy, CURLOPT_TCP_NODELAY, 1L);
    ok = ok && !curl_easy_setopt(t->easy, CURLOPT_SSL_ENABLE_ALPN, 0L);
    ok = ok &&
         !curl_easy_setopt(t->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    ok = ok && transport_set_trust(t, options);
    ok = ok && transport_set_proxy(t, options->proxy ? options->proxy : "");
    ok = ok && !curl_easy_setopt(t->easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
    if (options->path)
        ok = ok && !curl_easy_setopt(t->easy, CURLOPT_UNIX_SOCKET_PATH, options->path);
    else
        ok = ok &&
             !curl_easy_setopt(t->easy, CURLOPT_SOCKOPTFUNCTION, transport_set_socket) &&
             !curl_easy_setopt(t->easy, CURLOPT_SOCKOPTDATA, t);
    return ok;
}

enum status transport_open(const struct transport_options *options,
                           struct transport **out, struct error *err)
{
    struct transport *t = memory_new(struct transport);

    *out = NULL;
    if (!t)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a connection");
    t->socket = CURL_SOCKET_BAD;
    t->wake_fd = options->wake_fd;
    t->connect_ms = options->connect_ms ? options->connect_ms : TRANSPORT_CONNECT_MS;
    t->line_ms = options->line_ms ? options->line_ms : TRANSPORT_LINE_MS;
    t->in = blob_empty((size_t)MESSAGE_LINE_MAX + (size_t)READ_SIZE);
    t->out = t->next = blob_empty(TRANSPORT_UNSENT_MAX);
    t->opened_ms = clock_ms();
    t->multi = curl_multi_init();
    t->easy = curl_easy_init();
    if (!t->multi || !t->easy || !transport_set(t, options) ||
        curl_multi_add_handle(t->multi, t->easy)) {
        transport_close(t);
        return error_set(err, STATUS_NETWORK, "a connection to %s could not be prepared",
                         options->host);
    }
    *out = t;
    return STATUS_OK;
}

void transport_close(struct transport *t)
{
    if (!t)
        return;
    if (t->multi && t->easy)
        curl_multi_remove_handle(t->multi, t->easy);
    curl_easy_cleanup(t->easy);
    curl_multi_cleanup(t->multi);
    blob_free(&t->in);
    blob_free(&t->out);
    blob_free(&t->next);
    memory_free(t);
}

bool transport_is_open(const struct transport *t)
{
    return t->is_open;
}

/* Whether somebody is there, though TLS with him is not. */
static bool is_connected(const struct transport *t)
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;

    return t->socket != CURL_SOCKET_BAD &&
           !getpeername(t->socket, (struct sockaddr *)&peer, &size);
}

/* Whether what ended the attempt leaves no sign that the other side knows TLS. */
static bool is_no_tls(const struct transport *t, CURLcode code)
{
    /* Words of one who speaks it. */
    const bool is_judged = strstr(t->reason, "alert") || strstr(t->reason, "certificate");

    return !is_judged && (code == CURLE_SSL_CONNECT_ERROR || code == CURLE_RECV_ERROR ||
                          code == CURLE_SEND_ERROR);
}

bool transport_lacks_tls(const struct transport *t)
{
    return t->lacks_tls;
}

/* One step of connecting. */
static enum status transport_connect(struct transport *t, struct error *err)
{
    int running = 0, left = 0;

    if (curl_multi_perform(t->multi, &running))
        return error_set(err, STATUS_NETWORK, "the connection could not be made");
    const struct CURLMsg *message = curl_multi_info_read(t->multi, &left);
    if (!message && clock_ms() - t->opened_ms > t->connect_ms) {
        t->lacks_tls = is_connected(t); /* and silent */
        return error_set(err, STATUS_TIMEOUT, "no connection within %llu ms",
                         (unsigned long long)t->connect_ms);
    }
    if (!message || message->msg != CURLMSG_DONE)
        return STATUS_OK;
    t->lacks_tls = is_no_tls(t, message->data.result);
    if (message->data.result)
        return error_set(
            err,
            message->data.result == CURLE_OPERATION_TIMEDOUT ? STATUS_TIMEOUT
                                                             : STATUS_NETWORK,
            "%s", *t->reason ? t->reason : curl_easy_strerror(message->data.result));
    if (curl_easy_getinfo(t->easy, CURLINFO_ACTIVESOCKET, &t->socket) ||
        t->socket == CURL_SOCKET_BAD)
        return error_set(err, STATUS_NETWORK, "the connection was lost at once");
    t->is_open = true;
    t->sent_ms = clock_ms();
    return STATUS_OK;
}

/* What was given out leaves the buffer; then the search for a line's end goes on where it
 * was. */
static void transport_forget_taken(struct transport *t)
{
    blob_drop_front(&t->in, t->taken);
    t->looked -= t->taken;
    t->taken = 0;
}

/* Bytes that end one line and perhaps begin another, or go on with one. */
static enum status transport_add(struct transport *t, const uint8_t *data, size_t size)
{
    const bool is_new = t->in.size == t->taken || t->in.data[t->in.size - 1] == '\n';

    if (is_new || memchr(data, '\n', size))
        t->line_begun_ms = clock_ms();
    return blob_add(&t->in, data, size);
}

static enum status transport_receive(struct transport *t, struct error *err)
{
    uint8_t data[READ_SIZE];

    transport_forget_taken(t);
    t->has_more = true;
    for (int i = 0; i < READS_A_TURN && t->in.size_max - t->in.size >= sizeof data; i++) {
        size_t size = 0;
        const CURLcode code = curl_easy_recv(t->easy, data, sizeof data, &size);

        if (code == CURLE_AGAIN) {
            t->has_more = false;
            return STATUS_OK;
        }
        if (code)
            return error_set(err, STATUS_NETWORK, "the connection was lost: %s",
                             curl_easy_strerror(code));
        if (!size)
            return error_set(err, STATUS_CLOSED, "the pool closed the connection");
        if (transport_add(t, data, size))
            return error_set(err, STATUS_NO_MEMORY, "no memory for what the pool sends");
    }
    return STATUS_OK;
}

/* TLS that could not write a record wants the same bytes at the same place again. */
static enum status transport_push(struct transport *t, struct error *err)
{
    while (t->sent < t->out.size) {
        const size_t left = t->out.size - t->sent;
        size_t size = 0;
        const CURLcode code = curl_easy_send(
            t->easy, t->out.data + t->sent, left < WRITE_SIZE ? left : WRITE_SIZE, &size);

        if (code == CURLE_AGAIN)
            return STATUS_OK;
        if (code)
            return error_set(err, STATUS_NETWORK, "the connection was lost: %s",
                             curl_easy_strerror(code));
        t->sent += size;
        t->sent_ms = clock_ms();
        if (t->sent == t->out.size) {
            const struct blob empty = t->out;

            t->out = t->next;
            t->next = empty;
            blob_clear(&t->next);
            t->sent = 0;
        }
    }
    return STATUS_OK;
}

/* A line that has begun must end: here, or in the pool's hands. */
static enum status transport_judge(struct transport *t, struct error *err)
{
    const uint64_t now = clock_ms();

    if (t->looked == t->in.size && t->in.size - t->taken > MESSAGE_LINE_MAX)
        return error_set(err, STATUS_BAD_MESSAGE,
                         "the pool sends a line longer than %d bytes", MESSAGE_LINE_MAX);
    if (t->in.size > t->taken && t->in.data[t->in.size - 1] != '\n' &&
        now - t->line_begun_ms > t->line_ms)
        return error_set(err, STATUS_TIMEOUT,
                         "the pool did not finish a line within %llu ms",
                         (unsigned long long)t->line_ms);
    if (t->sent < t->out.size && now - t->sent_ms > t->line_ms)
        return error_set(err, STATUS_TIMEOUT, "the pool takes nothing for %llu ms",
                         (unsigned long long)t->line_ms);
    return STATUS_OK;
}

static void transport_unwake(int wake_fd)
{
    uint64_t count;

    while (wake_fd >= 0 && read(wake_fd, &count, sizeof count) > 0)
        ;
}

/* What a connection waits for, while it is made: libcurl knows.  Returns how many. */
static nfds_t transport_watch_connect(const struct transport *t, struct pollfd *fds,
                                      nfds_t room)
{
    fd_set reads, writes, others;
    nfds_t count = 0;
    int last = -1;

    FD_ZERO(&reads);
    FD_ZERO(&writes);
    FD_ZERO(&others);
    if (curl_multi_fdset(t->multi, &reads, &writes, &others, &last))
        return 0;
    for (int fd = 0; fd <= last && count < room; fd++) {
        const int events = (FD_ISSET(fd, &reads) || FD_ISSET(fd, &others) ? POLLIN : 0) |
                           (FD_ISSET(fd, &writes) ? POLLOUT : 0);
        if (events)
            fds[count++] = (struct pollfd){.fd = fd, .events = (short)events};
    }
    return count;
}

static nfds_t transport_watch(const struct transport *t, struct pollfd *fds, nfds_t room)
{
    if (!t->is_open)
        return transport_watch_connect(t, fds, room);
    if (!room)
        return 0;
    *fds = (struct pollfd){.fd = t->socket, .events = POLLIN};
    if (t->out.size || t->is_asked)
        fds->events |= POLLOUT;
    return 1;
}

/* No longer than this one can wait: libcurl has timers of its own while it connects. */
static uint64_t transport_limit(const struct transport *t, uint64_t wait_ms)
{
    long timer_ms = -1;

    if (t->has_more)
        return 0;
    if (t->is_open)
        return wait_ms;
    if (curl_multi_timeout(t->multi, &timer_ms) || timer_ms < 0 ||
        timer_ms > CONNECT_STEP_MS)
        timer_ms = CONNECT_STEP_MS;
    return (uint64_t)timer_ms < wait_ms ? (uint64_t)timer_ms : wait_ms;
}

void transport_wait_all(struct transport *const *transports, uint32_t count, int wake_fd,
                        uint64_t wait_ms)
{
    struct pollfd fds[WATCHED_MAX];
    nfds_t watched = 0;

    wait_ms = wait_ms < WAIT_MS_MAX ? wait_ms : WAIT_MS_MAX;
    if (wake_fd >= 0)
        fds[watched++] = (struct pollfd){.fd = wake_fd, .events = POLLIN};
    for (uint32_t i = 0; i < count; i++) {
        watched += transport_watch(transports[i], fds + watched, WATCHED_MAX - watched);
        wait_ms = transport_limit(transports[i], wait_ms);
    }
    /* A signal or a lack of memory ends the wait early, and nothing is lost. */
    (void)poll(fds, watched, (int)wait_ms);
    transport_unwake(wake_fd);
}

enum status transport_step(struct transport *t, struct error *err)
{
    if (!t->is_open)
        return transport_connect(t, err);

    enum status status = transport_push(t, err);
    if (!status)
        status = transport_receive(t, err);
    if (!status)
        status = transport_judge(t, err);
    return status;
}

enum status transport_wait(struct transport *t, uint64_t wait_ms, struct error *err)
{
    transport_wait_all(&t, 1, t->wake_fd, wait_ms);
    return transport_step(t, err);
}

bool transport_take(struct transport *t, struct bytes *line)
{
    while (t->looked < t->in.size) {
        const uint8_t *start = t->in.data + t->taken;
        const uint8_t *end = memchr(t->in.data + t->looked, '\n', t->in.size - t->looked);

        if (!end) {
            t->looked = t->in.size;
            return false;
        }
        t->taken = t->looked = (size_t)(end - t->in.data) + 1;
        if (end > start && end[-1] == '\r')
            end--;
        if (end == start)
            continue;
        *line = bytes_of(start, (size_t)(end - start));
        return true;
    }
    return false;
}

enum status transport_send(struct transport *t, struct bytes lines)
{
    enum status status = STATUS_FULL;

    assert(!lines.size || lines.data[lines.size - 1] == '\n');
    if (!t->out.size)
        t->sent_ms = clock_ms();
    if (lines.size <= TRANSPORT_UNSENT_MAX - transport_unsent(t))
        status = blob_add(t->out.size ? &t->next : &t->out, lines.data, lines.size);
    /* A connection that is lost says so at its next step. */
    if (!status && t->is_open)
        (void)transport_push(t, NULL);
    return status;
}

bool transport_is_free(struct transport *t)
{
    struct pollfd fd = {.fd = t->socket, .events = POLLOUT};
    const bool is_free = t->is_open && !t->out.size;

    t->is_asked = is_free && !(poll(&fd, 1, 0) == 1 && (fd.revents & POLLOUT));
    return is_free && !t->is_asked;
}

size_t transport_unsent(const struct transport *t)
{
    return t->out.size - t->sent + t->next.size;
}
