/*
 * http_client.c - HTTP requests by libcurl.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/http_client.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { HEADERS_SIZE_MAX = 64 << 10, CONNECT_TIMEOUT_S = 10, BEARER_MAX = 4096 };

struct http_reply http_reply_empty(size_t body_size_max)
{
    return (struct http_reply){
        .headers = blob_empty(HEADERS_SIZE_MAX),
        .body = blob_empty(body_size_max),
    };
}

void http_reply_free(struct http_reply *reply)
{
    blob_free(&reply->headers);
    blob_free(&reply->body);
}

/* What libcurl calls with each piece; another number than the piece's ends the transfer.
 */
static size_t take_piece(char *data, size_t size, size_t count, void *blob)
{
    return blob_add(blob, data, size * count) ? 0 : size * count;
}

/* The request's own header lines; false without memory. */
static bool add_headers(const struct http_request *request, struct curl_slist **list)
{
    char line[BEARER_MAX];
    struct curl_slist *longer = curl_slist_append(NULL, "Expect:");
    *list = longer;
    if (longer && request->token) {
        (void)snprintf(line, sizeof line, "Authorization: Bearer %s", request->token);
        longer = curl_slist_append(*list, line);
    }
    if (longer && request->type) {
        (void)snprintf(line, sizeof line, "Content-Type: %s", request->type);
        longer = curl_slist_append(*list, line);
    }
    return longer != NULL;
}

static bool set_options(CURL *curl, const struct http_request *request,
                        struct http_reply *out)
{
    bool ok = !curl_easy_setopt(curl, CURLOPT_URL, request->url);
    ok = ok && !curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    ok = ok && !curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    ok = ok && !curl_easy_setopt(curl, CURLOPT_PROXY, "");
    ok = ok && !curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    ok = ok && !curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    ok = ok && !curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)request->timeout_s);
    ok = ok && !curl_easy_setopt(curl, CURLOPT_USERAGENT, "minerva/" MINERVA_VERSION);
    ok = ok && !curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_piece);
    ok = ok && !curl_easy_setopt(curl, CURLOPT_WRITEDATA, &out->body);
    ok = ok && !curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_piece);
    ok = ok && !curl_easy_setopt(curl, CURLOPT_HEADERDATA, &out->headers);
    if (!request->type)
        return ok;
    ok = ok && !curl_easy_setopt(curl, CURLOPT_POST, 1L);
    ok = ok && !curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.data);
    return ok && !curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                                   (curl_off_t)request->body.size);
}

static enum status perform(CURL *curl, const struct http_request *request,
                           struct http_reply *out, struct error *err)
{
    char reason[CURL_ERROR_SIZE] = "";
    long code = 0;
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
    const CURLcode result = curl_easy_perform(curl);
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
    if (result == CURLE_WRITE_ERROR)
        return error_set(err, STATUS_FULL, "%s: the reply is larger than %zu bytes",
                         request->url, out->body.size_max);
    if (result == CURLE_OPERATION_TIMEDOUT)
        return error_set(err, STATUS_TIMEOUT, "%s: %s", request->url, reason);
    if (result)
        return error_set(err, STATUS_NETWORK, "%s: %s", request->url,
                         reason[0] ? reason : curl_easy_strerror(result));
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    out->code = code > 0 ? (uint32_t)code : 0;
    return STATUS_OK;
}

enum status http_client_call(const struct http_request *request, struct http_reply *out,
                             struct error *err)
{
    struct curl_slist *headers = NULL;
    enum status status = STATUS_NO_MEMORY;
    assert(request->timeout_s > 0);
    if (strncmp(request->url, "http://", 7) != 0 &&
        strncmp(request->url, "https://", 8) != 0)
        return error_set(err, STATUS_USAGE,
                         "\"%s\": expected http://HOST:PORT or https://HOST:PORT",
                         request->url);
    if (request->token && strlen(request->token) > BEARER_MAX - 64)
        return error_set(err, STATUS_USAGE, "a token of %zu characters",
                         strlen(request->token));
    blob_clear(&out->headers);
    blob_clear(&out->body);
    CURL *curl = curl_easy_init();
    if (curl && add_headers(request, &headers) && set_options(curl, request, out) &&
        !curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers))
        status = perform(curl, request, out, err);
    else
        status = error_set(err, STATUS_NO_MEMORY, "%s: no request could be made",
                           request->url);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return status;
}

void http_reply_header(const struct http_reply *reply, const char *name, char *out,
                       size_t cap)
{
    const size_t size = strlen(name);
    const char *line = reply->headers.size ? (const char *)reply->headers.data : "";
    assert(cap > 0);
    out[0] = 0;
    while (*line) {
        const char *end = strstr(line, "\r\n");
        if (!end)
            return;
        if (!strncasecmp(line, name, size) && line[size] == ':') {
            const char *value = line + size + 1;
            value += strspn(value, " \t");
            (void)snprintf(out, cap, "%.*s", (int)(end - value), value);
            return;
        }
        line = end + 2;
    }
}
