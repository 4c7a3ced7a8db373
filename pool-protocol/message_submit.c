/*
 * message_submit.c - encodes and decodes shares.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/message_submit.h"

#include <assert.h>

#include "miner/work/plain_proof.h"
#include "pool-protocol/gzip.h"
#include "pool-protocol/message_fields.h"

void message_submit_free(struct message_submit *submit)
{
    if (submit)
        blob_free(&submit->plain_proof);
}

static json_t *site_json(const struct site *site)
{
    json_t *json = json_pack("{s:I,s:I}", "pack", (json_int_t)site->pack, "product",
                             (json_int_t)site->product);
    int bad = !json;

    if (json && site->pass)
        bad |= json_object_set_new(json, "pass", json_integer(site->pass));
    if (json && site->item)
        bad |= json_object_set_new(json, "item", json_integer(site->item));
    if (!bad)
        return json;
    json_decref(json);
    return NULL;
}

/* Takes request, in which the proof's place is empty. */
static enum status submit_write(json_t *request, const struct message_submit *from,
                                struct blob *out)
{
    const struct bytes proof = blob_bytes(&from->plain_proof);
    struct blob packed = blob_empty(MESSAGE_LINE_MAX);
    enum status status = STATUS_OK;

    if (!from->is_gzip)
        return fields_write_base64(request, proof, out);
    status = gzip_pack(proof, &packed);
    if (!status)
        status = fields_write_base64(request, blob_bytes(&packed), out);
    else
        json_decref(request);
    blob_free(&packed);
    return status;
}

enum status message_submit_encode(int64_t id, const struct message_submit *from,
                                  struct blob *out)
{
    json_t *params =
        json_pack("{s:s*,s:s,s:s,s:s}", "wallet", *from->wallet ? from->wallet : NULL,
                  "worker", from->worker, "job_id", from->job_id, "plain_proof", "");
    int bad = !params;

    if (params && *from->task_id) {
        bad |= json_object_set_new(params, "task_id", json_string(from->task_id));
        bad |= json_object_set_new(params, "site", site_json(&from->site));
    }
    if (params && from->hash_rate > 0)
        bad |= json_object_set_new(params, "hs", json_real(from->hash_rate));
    if (bad) {
        json_decref(params);
        return STATUS_BAD_DATA;
    }
    return submit_write(
        fields_request_json(id, MESSAGE_SUBMIT, params, from->has_jsonrpc), from, out);
}

static void site_decode(struct fields *params, struct site *out)
{
    struct fields site = fields_inside(params, "site", MESSAGE_SUBMIT " site");

    fields_u32(&site, "pack", 0, UINT32_MAX, &out->pack);
    fields_u32(&site, "product", 0, UINT32_MAX, &out->product);
    if (fields_has(&site, "pass"))
        fields_u32(&site, "pass", 0, UINT32_MAX, &out->pass);
    if (fields_has(&site, "item"))
        fields_u32(&site, "item", 0, UINT32_MAX, &out->item);
    fields_join(params, &site);
}

static enum status submit_unpack(struct message_submit *out)
{
    struct blob proof = blob_empty(PLAIN_PROOF_SIZE_MAX);
    const enum status status = gzip_unpack(blob_bytes(&out->plain_proof), &proof);

    if (status) {
        blob_free(&proof);
        return status;
    }
    blob_free(&out->plain_proof);
    out->plain_proof = proof;
    out->is_gzip = true;
    return STATUS_OK;
}

static enum status submit_decode_proof(struct fields *params, struct message_submit *out,
                                       struct error *err)
{
    size_t size = 0;
    const char *text = fields_long_text(params, "plain_proof", &size);

    if (params->status || !size)
        return error_set(err, STATUS_BAD_PROOF,
                         MESSAGE_SUBMIT ": plain_proof is missing");
    out->plain_proof = blob_empty(PLAIN_PROOF_SIZE_MAX);
    enum status status = base64_decode(text, size, &out->plain_proof);
    const char *wrong = "no base64";
    if (!status && gzip_is_packed(blob_bytes(&out->plain_proof))) {
        wrong = "no gzip of a proof";
        status = submit_unpack(out);
    }
    if (!status)
        return STATUS_OK;
    blob_free(&out->plain_proof);
    if (status == STATUS_NO_MEMORY)
        return error_set(err, status, "no memory for a proof of %zu characters", size);
    return error_set(err, STATUS_BAD_PROOF,
                     MESSAGE_SUBMIT ": plain_proof of %zu characters is %s", size, wrong);
}

enum status message_submit_decode(const struct message_line *line,
                                  struct message_submit *out, struct error *err)
{
    struct fields params = fields_params(line, MESSAGE_SUBMIT, err);

    *out = (struct message_submit){0};
    if (fields_has(&params, "wallet"))
        fields_text(&params, "wallet", 0, WALLET_MAX, out->wallet);
    if (fields_has(&params, "worker"))
        fields_text(&params, "worker", 0, WORKER_MAX, out->worker);
    if (!params.status && !fields_has(&params, "job_id"))
        return error_set(err, STATUS_BAD_PROOF, MESSAGE_SUBMIT ": job_id is missing");
    fields_text(&params, "job_id", 1, JOB_ID_MAX, out->job_id);
    if (fields_has(&params, "task_id"))
        fields_id(&params, "task_id", TASK_ID_SIZE, out->task_id);
    if (*out->task_id)
        site_decode(&params, &out->site);
    else if (fields_has(&params, "site"))
        fields_refuse(&params, "site", "none in a share without a task_id");
    if (fields_has(&params, "hs"))
        fields_real(&params, "hs", &out->hash_rate);
    if (params.status)
        return params.status;
    return submit_decode_proof(&params, out, err);
}
