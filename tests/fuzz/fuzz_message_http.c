/*
 * fuzz_message_http.c - whatever a decoder of /v1 takes, encodes to what decodes to the
 * same.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "pool-protocol/message_http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds)
{
    if (!holds)
        abort();
}

static void try_submit(struct bytes body)
{
    struct http_submit first, second;
    struct blob text = blob_empty(HTTP_BODY_SIZE_MAX);
    if (message_http_submit_decode(body, &first, NULL))
        return;
    must(!message_http_submit_encode(&first, &text));
    must(!message_http_submit_decode(blob_bytes(&text), &second, NULL));
    must(!strcmp(first.kind, second.kind) && !strcmp(first.model, second.model));
    must(!memcmp(&first.parameters, &second.parameters, sizeof first.parameters));
    must(first.input.size == second.input.size);
    must(!first.input.size ||
         !memcmp(first.input.data, second.input.data, first.input.size));
    blob_free(&text);
    http_submit_free(&first);
    http_submit_free(&second);
}

static void try_task(struct bytes body)
{
    struct http_task first, second;
    struct blob text = blob_empty(HTTP_BODY_SIZE_MAX);
    if (message_http_task_decode(body, &first, NULL))
        return;
    must(!message_http_task_encode(&first, &text));
    must(!message_http_task_decode(blob_bytes(&text), &second, NULL));
    must(!memcmp(&first, &second, sizeof first));
    blob_free(&text);
}

static void try_status(struct bytes body)
{
    struct http_status first, second;
    struct blob text = blob_empty(HTTP_BODY_SIZE_MAX);
    if (message_http_status_decode(body, &first, NULL))
        return;
    must(!message_http_status_encode(&first, &text));
    must(!message_http_status_decode(blob_bytes(&text), &second, NULL));
    must(!memcmp(&first, &second, sizeof first));
    blob_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes body = bytes_of(data, size);
    char id[TASK_ID_SIZE + 1], reason[HTTP_REASON_MAX + 1];

    try_submit(body);
    try_task(body);
    try_status(body);
    if (!message_http_id_decode(body, id, NULL))
        must(hex_is_id(id, TASK_ID_SIZE));
    message_http_error_decode(body, reason);
    must(strlen(reason) > 0 || size > 0);
    return 0;
}
