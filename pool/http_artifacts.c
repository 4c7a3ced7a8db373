/*
 * http_artifacts.c - bytes by their hash: models out to workers, large results in.
 *
 * No path is ever made of what a stranger sent: names are hashes, looked up.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>

#include "kernels/blake3_host.h"
#include "pool-protocol/message_task.h"
#include "pool/http_request.h"
#include "pool/shelf.h"
#include "pool/store_leases.h"

static const char artifacts_root[] = "/artifacts/";
static const char artifacts_model[] = "/artifacts/model/";

/* The hash after the root, or NULL. */
static const char *url_hash(const char *url, const char *root)
{
    const size_t size = strlen(root);

    if (strncmp(url, root, size) || strlen(url + size) != BLOB_NAME_SIZE ||
        !hex_is_id(url + size, BLOB_NAME_SIZE))
        return NULL;
    return url + size;
}

/* Whether a session of that id holds a task whose result has that size. */
static unsigned put_admits(struct pool *pool, const char *session, uint64_t size,
                           const char **reason)
{
    int64_t worker;

    pool_lock(pool);
    enum status status = store_session_get(pool->store, session, &worker, NULL);
    unsigned code = status == STATUS_NOT_FOUND ? MHD_HTTP_UNAUTHORIZED
                    : status                   ? MHD_HTTP_SERVICE_UNAVAILABLE
                                               : 0;
    *reason = "this session is not known";
    if (!code) {
        status = store_lease_awaits(pool->store, session, size, NULL);
        code = status == STATUS_NOT_FOUND ? MHD_HTTP_FORBIDDEN
               : status                   ? MHD_HTTP_SERVICE_UNAVAILABLE
                                          : 0;
        *reason = "no task of this session waits for a result of that size";
    }
    pool_unlock(pool);
    return code;
}

unsigned http_artifacts_admits(const struct http_request *request, bool has_size,
                               uint64_t size, const char **reason)
{
    const char *session = http_bearer(request);

    if (strcmp(request->method, "PUT"))
        return 0;
    if (!url_hash(request->url, artifacts_root)) {
        *reason = "expected /artifacts/ and 64 lower-case hex digits";
        return MHD_HTTP_NOT_FOUND;
    }
    if (!session || !hex_is_id(session, SESSION_SIZE)) {
        *reason = "the session's id is the bearer token";
        return MHD_HTTP_UNAUTHORIZED;
    }
    if (!has_size) {
        *reason = "the request says no Content-Length";
        return MHD_HTTP_LENGTH_REQUIRED;
    }
    if (size > HTTP_BODIES_MAX) {
        *reason = "the upload is too large";
        return MHD_HTTP_CONTENT_TOO_LARGE;
    }
    return put_admits(request->api->pool, session, size, reason);
}

static enum MHD_Result artifact_put(struct http_request *request, const char *hash)
{
    struct pool *pool = request->api->pool;
    struct error err = {0};
    uint8_t digest[BLAKE3_SIZE];
    char text[BLOB_NAME_SIZE + 1];

    blake3_hash(request->body.data, request->body.size, NULL, digest);
    hex_encode(digest, sizeof digest, text);
    if (request->body.size != request->promised || strcmp(text, hash))
        return http_error(request, MHD_HTTP_BAD_REQUEST,
                          "the bytes are not those of that hash");
    pool_lock(pool);
    enum status status = store_begin(pool->store, STORE_MONEY, &err);
    if (!status)
        status = store_blob_put(pool->store, hash, blob_bytes(&request->body), &err);
    if (!status)
        status = store_lease_uploaded(pool->store, http_bearer(request),
                                      request->promised, &err);
    if (!status)
        status = store_commit(pool->store, &err);
    else
        store_rollback(pool->store);
    if (status)
        pool_store_failed(pool, status, &err);
    pool_unlock(pool);
    if (status)
        return http_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, error_text(&err));
    struct blob body = blob_empty(16);
    if (blob_add(&body, "{}", 2))
        return MHD_NO;
    return http_json(request, MHD_HTTP_CREATED, &body);
}

static enum MHD_Result artifact_stored(struct http_request *request, const char *hash)
{
    struct pool *pool = request->api->pool;
    struct blob data = blob_empty(TASK_OUTPUT_MAX);

    pool_lock(pool);
    const enum status status = store_blob_get(pool->store, hash, &data, NULL);
    pool_unlock(pool);
    enum MHD_Result result;
    if (!status)
        result = http_bytes(request, blob_bytes(&data), true);
    else if (status == STATUS_NOT_FOUND)
        result = http_error(request, MHD_HTTP_NOT_FOUND, "there is nothing of that hash");
    else
        result = http_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, status_text(status));
    blob_free(&data);
    return result;
}

enum MHD_Result http_artifacts_answer(struct http_request *request)
{
    const struct shelf *shelf = request->api->pool->shelf;
    const char *model = url_hash(request->url, artifacts_model);
    const char *hash = url_hash(request->url, artifacts_root);

    if (!strcmp(request->method, "PUT"))
        return artifact_put(request, hash);
    if (strcmp(request->method, "GET") && strcmp(request->method, "HEAD"))
        return http_error(request, MHD_HTTP_METHOD_NOT_ALLOWED, "not with this method");
    if (model) {
        const struct artifact *artifact = shelf_model(shelf, model);
        if (!artifact)
            return http_error(request, MHD_HTTP_NOT_FOUND, "this model is not here");
        return http_bytes(request, artifact_manifest(artifact), false);
    }
    if (!hash)
        return http_error(request, MHD_HTTP_NOT_FOUND,
                          "expected /artifacts/ and 64 lower-case hex digits");
    const struct bytes blob = shelf_blob(shelf, hash);
    return blob.size ? http_bytes(request, blob, false) : artifact_stored(request, hash);
}
