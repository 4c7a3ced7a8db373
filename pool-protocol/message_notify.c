/*
 * message_notify.c - encodes and decodes jobs.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/message_notify.h"

#include "pool-protocol/message_fields.h"

enum { MIN_RANK_PEARL = 128, TARGET_TEXT_MAX = 66 /* 0x and 64 digits */ };

enum status message_notify_encode(const struct message_notify *from, struct blob *out)
{
    const struct job *job = &from->job;
    char header[2 * JOB_HEADER_SIZE + 1], target[65];
    int bad = 0;

    hex_encode(job->header, sizeof job->header, header);
    target_to_hex(&job->target, target);
    json_t *params = json_pack("{s:s,s:s,s:s,s:I}", "job_id", job->id, "header", header,
                               "target", target, "height", (json_int_t)job->height);
    bad |= !params;
    if (params && from->has_cert_version)
        bad |=
            json_object_set_new(params, "cert_version", json_integer(job->cert_version));
    if (params && job->min_rank != MIN_RANK_PEARL)
        bad |= json_object_set_new(params, "min_rank", json_integer(job->min_rank));
    if (params && !job->unassigned)
        bad |= json_object_set_new(params, "unassigned", json_false());
    if (params && from->difficulty > 0)
        bad |= json_object_set_new(params, "diff", json_real(from->difficulty));
    if (bad) {
        json_decref(params);
        return STATUS_BAD_DATA;
    }
    return fields_write(
        json_pack("{s:n,s:s,s:o}", "id", "method", MESSAGE_NOTIFY, "params", params),
        out);
}

static void notify_decode_target(struct fields *params, struct target *out)
{
    char text[TARGET_TEXT_MAX + 1];

    fields_text(params, "target", 1, TARGET_TEXT_MAX, text);
    if (params->status)
        return;
    if (target_from_hex(text, out, NULL))
        fields_refuse(params, "target", "1 to 64 hex digits");
    else if (target_is_zero(out))
        fields_refuse(params, "target", "more than 0");
}

enum status message_notify_decode(const struct message_line *line,
                                  struct message_notify *out, struct error *err)
{
    struct fields params = fields_params(line, MESSAGE_NOTIFY, err);
    struct job *job = &out->job;

    *out =
        (struct message_notify){.job = {.min_rank = MIN_RANK_PEARL, .unassigned = true}};
    fields_text(&params, "job_id", 1, JOB_ID_MAX, job->id);
    fields_hex(&params, "header", JOB_HEADER_SIZE, job->header);
    notify_decode_target(&params, &job->target);
    if (fields_has(&params, "height"))
        fields_u64(&params, "height", 0, INT64_MAX, &job->height);
    out->has_cert_version = fields_has(&params, "cert_version");
    if (out->has_cert_version)
        fields_u32(&params, "cert_version", 0, UINT32_MAX, &job->cert_version);
    if (fields_has(&params, "min_rank"))
        fields_u32(&params, "min_rank", 32, MIN_RANK_PEARL, &job->min_rank);
    if (!params.status && (job->min_rank & (job->min_rank - 1)))
        fields_refuse(&params, "min_rank", "32, 64 or 128");
    if (fields_has(&params, "unassigned"))
        fields_bool(&params, "unassigned", &job->unassigned);
    if (fields_has(&params, "diff"))
        fields_real(&params, "diff", &out->difficulty);
    return params.status;
}
