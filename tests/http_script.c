/*
 * http_script.c - an HTTP server on loopback, with the faults a test wants.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/http_script.h"

#include <microhttpd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "miner/base/memory.h"

struct serving { /* one body on its way */
    struct bytes rest;
    uint64_t cut; /* ends the connection there */
};

static ssize_t serve_piece(void *context, uint64_t offset, char *to, size_t room)
{
    const struct serving *serving = context;
    size_t left = serving->rest.size - (size_t)offset;

    if (offset >= serving->cut)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    left = left < room ? left : room;
    if (left > serving->cut - offset)
        left = (size_t)(serving->cut - offset);
    memcpy(to, serving->rest.data + offset, left);
    return (ssize_t)left;
}

static enum MHD_Result serve_text(struct MHD_Connection *connection, unsigned code,
                                  const char *text)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
    const enum MHD_Result result = MHD_queue_response(connection, code, response);

    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result serve_blob(struct http_script *script,
                                  struct MHD_Connection *connection, struct bytes data)
{
    const char *range = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Range");
    struct serving *serving = memory_new(struct serving);
    size_t from = 0;
    unsigned code = MHD_HTTP_OK;

    if (range && !atomic_load(&script->ignores_ranges)) {
        from = strtoull(range + strlen("bytes="), NULL, 10);
        code = MHD_HTTP_PARTIAL_CONTENT;
        atomic_fetch_add(&script->ranges, 1);
    }
    if (from >= data.size)
        return memory_free(serving), serve_text(connection, 416, "no such range");
    serving->rest = bytes_of(data.data + from, data.size - from);
    serving->cut = UINT64_MAX;
    const uint64_t cut = atomic_load(&script->cut_after);
    if (cut && cut < serving->rest.size) {
        serving->cut = cut;
        atomic_store(&script->cut_after, 0);
    }
    atomic_fetch_add(&script->sent, serving->rest.size);
    struct MHD_Response *response = MHD_create_response_from_callback(
        serving->rest.size, 4096, serve_piece, serving, memory_free);
    const enum MHD_Result result = MHD_queue_response(connection, code, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result serve_put(struct http_script *script,
                                 struct MHD_Connection *connection, const char *path)
{
    const char *token =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization");

    snprintf(script->put_path, sizeof script->put_path, "%s", path);
    snprintf(script->put_token, sizeof script->put_token, "%s", token ? token : "");
    atomic_fetch_add(&script->puts, 1);
    return serve_text(connection, MHD_HTTP_CREATED, "");
}

static enum MHD_Result serve(void *context, struct MHD_Connection *connection,
                             const char *path, const char *method, const char *version,
                             const char *upload, size_t *upload_size, void **request)
{
    struct http_script *script = context;

    (void)version;
    if (!*request) {
        *request = script; /* any mark will do: the headers are in */
        blob_clear(&script->put);
        return MHD_YES;
    }
    if (*upload_size) {
        const enum status status = blob_add(&script->put, upload, *upload_size);

        *upload_size = 0;
        return status ? MHD_NO : MHD_YES;
    }
    if (atomic_load(&script->refuse)) {
        atomic_fetch_sub(&script->refuse, 1);
        return serve_text(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "try again");
    }
    if (!strcmp(method, "PUT"))
        return serve_put(script, connection, path);
    atomic_fetch_add(&script->gets, 1);
    for (size_t i = 0; i < script->count; i++) {
        if (!strcmp(path, script->blobs[i].path))
            return serve_blob(script, connection, script->blobs[i].data);
    }
    return serve_text(connection, MHD_HTTP_NOT_FOUND, "no such blob");
}

struct http_script *http_script_open(void)
{
    struct http_script *script = memory_new(struct http_script);

    assert_non_null(script);
    script->put = blob_empty(16 << 20);
    script->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL,
                                      serve, script, MHD_OPTION_END);
    assert_non_null(script->daemon);
    script->port = MHD_get_daemon_info(script->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    return script;
}

void http_script_close(struct http_script *script)
{
    MHD_stop_daemon(script->daemon);
    blob_free(&script->put);
    memory_free(script);
}

void http_script_add(struct http_script *script, const char *path, struct bytes data)
{
    assert_true(script->count < HTTP_BLOBS_MAX);
    snprintf(script->blobs[script->count].path, sizeof script->blobs[0].path, "%s", path);
    script->blobs[script->count++].data = data;
}
