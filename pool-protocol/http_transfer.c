/*
 * http_transfer.c - http_transfer.h on libcurl.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/http_transfer.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "pool-protocol/message_line.h"

enum { CONNECT_MS = 10000, STILL_S = 30 };

struct transfer {
    const struct transfer_request *request;
    struct transfer_reply *reply;
    CURL *curl;
    struct curl_slist *headers;
    size_t body_sent, text_size;
    uint64_t received;  /* of the body */
    enum status status; /* why we ended it */
    char reason[CURL_ERROR_SIZE];
};

/* The text of a refusal, or of an answer nobody asked for: a little of it. */
static size_t transfer_receive_text(struct transfer *transfer, const char *data,
                                    size_t size)
{
    const size_t room = sizeof transfer->reply->text - 1 - transfer->text_size;
    const size_t kept = size < room ? size : room;

    memcpy(transfer->reply->text + transfer->text_size, data, kept);
    transfer->text_size += kept;
    return transfer->received < 65536 ? size : 0;
}

static size_t transfer_receive(char *data, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    const struct transfer_request *request = transfer->request;
    long code = 0;

    size *= count;
    curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &code);
    const uint64_t offset = transfer->received + (code == 206 ? request->offset : 0);
    transfer->received += size;
    if ((code != 200 && code != 206) || !request->sink)
        return transfer_receive_text(transfer, data, size);
    if (offset + size > request->size_max)
        transfer->status = STATUS_FULL;
    else
        transfer->status = request->sink(request->context, offset, bytes_of(data, size));
    return transfer->status ? 0 : size;
}

static size_t transfer_send(char *to, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    const struct bytes body = transfer->request->body;
    size_t room = size * count;

    if (room > body.size - transfer->body_sent)
        room = body.size - transfer->body_sent;
    if (room)
        memcpy(to, body.data + transfer->body_sent, room);
    transfer->body_sent += room;
    return room;
}

static int transfer_seek(void *context, curl_off_t offset, int origin)
{
    struct transfer *transfer = context;

    if (origin != SEEK_SET || offset < 0 ||
        (uint64_t)offset > transfer->request->body.size)
        return CURL_SEEKFUNC_FAIL;
    transfer->body_sent = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}

static int transfer_progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c,
                             curl_off_t d)
{
    struct transfer *transfer = context;

    (void)a, (void)b, (void)c, (void)d;
    if (!transfer->request->stop || !atomic_load(transfer->request->stop))
        return 0;
    transfer->status = STATUS_CANCELLED;
    return 1;
}

static bool transfer_header_line(struct transfer *transfer, const char *line)
{
    struct curl_slist *list = curl_slist_append(transfer->headers, line);

    if (list)
        transfer->headers = list;
    return list != NULL;
}

static bool transfer_set_put(struct transfer *transfer)
{
    CURL *curl = transfer->curl;
    bool ok = true;

    ok = transfer_header_line(transfer, "Content-Type: application/octet-stream") &&
         transfer_header_line(transfer, "Expect:");
    ok = ok && !curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    ok = ok && !curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE,
                                 (curl_off_t)transfer->request->body.size);
    ok = ok && !curl_easy_setopt(curl, CURLOPT_READFUNCTION, transfer_send);
    ok = ok && !curl_easy_setopt(curl, CURLOPT_READDATA, transfer);
    ok = ok && !curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, transfer_seek);
    ok = ok && !curl_easy_setopt(curl, CURLOPT_SEEKDATA, transfer);
    return ok;
}

static bool transfer_set_limits(struct transfer *transfer)
{
    CURL *curl = transfer->curl;
    bool ok = true;

    ok = ok && !curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    ok = ok && !curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, transfer->reason);
    ok = ok && !curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    ok = ok && !curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    ok = ok && !curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)STILL_S);
    ok = ok && !curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    ok = ok && !curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    ok = ok && !curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    ok = ok && !curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    ok = ok && !curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    ok = ok && !curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, transfer_progress);
    ok = ok && !curl_easy_setopt(curl, CURLOPT_XFERINFODATA, transfer);
    return ok;
}

static bool transfer_set(struct transfer *transfer)
{
    const struct transfer_request *request = transfer->request;
    CURL *curl = transfer->curl;
    char line[512], range[32];
    bool ok = transfer_set_limits(transfer);

    ok = ok && !curl_easy_setopt(curl, CURLOPT_URL, request->url);
    ok = ok &&
         !curl_easy_setopt(curl, CURLOPT_PROXY, request->proxy ? request->proxy : "");
    ok = ok && !curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, transfer_receive);
    ok = ok && !curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    if (request->ca_file)
        ok = ok && !curl_easy_setopt(curl, CURLOPT_CAINFO, request->ca_file);
    if (request->token) {
        const int size =
            snprintf(line, sizeof line, "Authorization: Bearer %s", request->token);

        ok = ok && size > 0 && (size_t)size < sizeof line &&
             transfer_header_line(transfer, line);
    }
    if (request->offset) {
        snprintf(range, sizeof range, "%llu-", (unsigned long long)request->offset);
        ok = ok && !curl_easy_setopt(curl, CURLOPT_RANGE, range);
    }
    if (request->is_put)
        ok = ok && transfer_set_put(transfer);
    return ok && !curl_easy_setopt(curl, CURLOPT_HTTPHEADER, transfer->headers);
}

static enum status transfer_run(struct transfer *transfer, struct error *err)
{
    const struct transfer_request *request = transfer->request;
    const CURLcode code = curl_easy_perform(transfer->curl);
    long http = 0;

    if (transfer->status == STATUS_FULL)
        return error_set(err, STATUS_FULL, "%s: the reply is longer than %llu bytes",
                         request->url, (unsigned long long)request->size_max);
    if (transfer->status)
        return error_set(err, transfer->status, "%s: %s", request->url,
                         status_text(transfer->status));
    if (code)
        return error_set(
            err, code == CURLE_OPERATION_TIMEDOUT ? STATUS_TIMEOUT : STATUS_NETWORK,
            "%s: %s", request->url,
            *transfer->reason ? transfer->reason : curl_easy_strerror(code));
    curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &http);
    transfer->reply->code = (int)http;
    message_text_clean(transfer->reply->text);
    return STATUS_OK;
}

enum status http_transfer(const struct transfer_request *request,
                          struct transfer_reply *reply, struct error *err)
{
    struct transfer transfer = {
        .request = request, .reply = reply, .curl = curl_easy_init()};
    enum status status = STATUS_NO_MEMORY;

    assert(request->is_put || request->sink);
    *reply = (struct transfer_reply){0};
    if (transfer.curl && transfer_set(&transfer))
        status = transfer_run(&transfer, err);
    else
        error_set(err, status, "%s: the transfer could not be prepared", request->url);
    curl_slist_free_all(transfer.headers);
    curl_easy_cleanup(transfer.curl);
    return status;
}
