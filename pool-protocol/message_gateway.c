/*
 * message_gateway.c - asks for the template, reads it, and hands a proof in.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/message_gateway.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "pool-protocol/message_fields.h"

enum { NBITS_OFFSET = 72, HEADER_TEXT_MAX = 128 };

enum status message_gateway_ask(int64_t id, struct blob *out)
{
    return fields_write(json_pack("{s:s,s:s,s:{},s:I}", "jsonrpc", "2.0", "method",
                                  "getMiningInfo", "params", "id", (json_int_t)id),
                        out);
}

static void gateway_header(struct fields *result, uint8_t header[JOB_HEADER_SIZE])
{
    static const char name[] = "incomplete_header_bytes";
    char text[HEADER_TEXT_MAX + 1];
    struct blob bytes = blob_empty(HEADER_TEXT_MAX);

    fields_text(result, name, 1, HEADER_TEXT_MAX, text);
    if (!result->status &&
        (base64_decode(text, strlen(text), &bytes) || bytes.size != JOB_HEADER_SIZE))
        fields_refuse(result, name, "base64 of 76 bytes");
    if (!result->status)
        memcpy(header, bytes.data, JOB_HEADER_SIZE);
    blob_free(&bytes);
}

/* The header's target; what the message says beside it must be the same number. */
static void gateway_target(struct fields *result, struct job *job)
{
    double said = 0, meant = 0;
    char expected[64];

    fields_real(result, "target", &said);
    if (result->status)
        return;
    job->target = target_from_nbits(u32_load(job->header + NBITS_OFFSET));
    for (int i = 31; i >= 0; i--)
        meant = meant * 256 + job->target.le[i]; /* exact: 24 bits count */
    snprintf(expected, sizeof expected, "%.17g as in the header", meant);
    if (target_is_zero(&job->target) || said < meant || said > meant)
        fields_refuse(result, "target", expected);
}

enum status message_gateway_decode(const struct message_line *line,
                                   struct message_notify *out, struct error *err)
{
    struct fields reply = {.object = line->root, .what = "getMiningInfo", .err = err};
    struct fields result = fields_inside(&reply, "result", "getMiningInfo");
    double version = 0;

    *out = (struct message_notify){.job = {.min_rank = 128, .unassigned = true}};
    gateway_header(&result, out->job.header);
    gateway_target(&result, &out->job);
    out->has_cert_version = fields_has(&result, "cert_version");
    if (out->has_cert_version)
        fields_real(&result, "cert_version", &version);
    if (!result.status && (version > UINT32_MAX || version > floor(version)))
        fields_refuse(&result, "cert_version", "a whole number below 2^32");
    if (!result.status)
        out->job.cert_version = (uint32_t)version;
    return result.status;
}

static enum status gateway_write(int64_t id, const struct share *share, struct blob *out)
{
    const struct job *job = share->job;
    struct blob header = blob_empty(HEADER_TEXT_MAX);
    char target[TARGET_DECIMAL_MAX + 1];
    enum status status =
        base64_encode(bytes_of(job->header, sizeof job->header), &header);

    target_to_decimal(&job->target, target);
    if (!status)
        status = blob_addf(out, "{\"jsonrpc\":\"2.0\",\"method\":\"submitPlainProof\","
                                "\"params\":{\"plain_proof\":\"");
    if (!status)
        status = base64_encode(blob_bytes(&share->plain_proof), out);
    if (!status)
        status = blob_addf(out,
                           "\",\"mining_job\":{\"incomplete_header_bytes\":\"%s\","
                           "\"target\":%s,\"cert_version\":%" PRIu32 "}},\"id\":%" PRId64
                           "}\n",
                           (const char *)header.data, target, job->cert_version, id);
    blob_free(&header);
    return status;
}

enum status message_gateway_submit(int64_t id, const struct share *share,
                                   struct blob *out)
{
    const size_t before = out->size;
    enum status status = gateway_write(id, share, out);

    if (!status && out->size - before > MESSAGE_LINE_MAX)
        status = STATUS_FULL;
    if (status && out->size > before) {
        out->size = before;
        out->data[before] = 0;
    }
    return status;
}
