/*
 * message_array.c - encodes and decodes the lists of pearl/v1.
 *
 * A list is given its members' names and then read like an object, so that every refusal
 * says what it is about.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool-protocol/message_array.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "pool-protocol/message_fields.h"

enum { SIDE_MAX = 1 << 24, K_MAX = 65536, RANK_MIN = 32, RANK_MAX = 1024, K_STEP = 64 };

struct array_reader { /* a list under the names of its places */
    json_t *object;   /* owned */
    struct fields fields;
};

static struct array_reader array_read(const struct message_line *line, const char *method,
                                      const char *const *names, struct error *err)
{
    const json_t *list = json_object_get(line->root, "params");
    struct array_reader reader = {.object = json_object(),
                                  .fields = {.what = method, .err = err}};

    assert(!strcmp(message_line_method(line), method));
    reader.fields.object = reader.object;
    if (!json_is_array(list))
        reader.fields.status =
            error_set(err, STATUS_BAD_MESSAGE, "%s: params are no list", method);
    for (size_t i = 0; names[i] && reader.object; i++) {
        json_t *item = json_array_get(list, i);

        if (item && json_object_set(reader.object, names[i], item))
            reader.fields.status = STATUS_NO_MEMORY;
    }
    if (!reader.object)
        reader.fields.status = STATUS_NO_MEMORY;
    return reader;
}

static enum status array_end(struct array_reader *reader)
{
    json_decref(reader->object);
    return reader->fields.status;
}

bool message_array_is_sign(const struct message_line *line)
{
    const char *method = message_line_method(line);

    return !strcmp(method, MESSAGE_CHALLENGE) || !strcmp(method, MESSAGE_SHAPE) ||
           (!strcmp(method, MESSAGE_NOTIFY) &&
            json_is_array(json_object_get(line->root, "params")));
}

enum status message_puzzle_decode(const struct message_line *line,
                                  struct puzzle_task *out, struct error *err)
{
    struct fields params = fields_params(line, MESSAGE_CHALLENGE, err);

    *out = (struct puzzle_task){0};
    fields_hex(&params, "seed", sizeof out->seed, out->seed);
    fields_u32(&params, "difficulty", 0, 8 * PUZZLE_SEED_SIZE, &out->bits);
    return params.status;
}

static void shape_pattern(struct fields *params, const char *name, struct pattern *out)
{
    const json_t *list = json_object_get(params->object, name);
    const size_t count = json_array_size(list);
    uint32_t offsets[PATTERN_COUNT_MAX];

    if (params->status)
        return;
    if (!json_is_array(list) || !count || count > PATTERN_COUNT_MAX) {
        fields_refuse(params, name, "a list of 1 to 128 whole numbers");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(list, i);
        const json_int_t value = json_integer_value(item);

        if (!json_is_integer(item) || value < 0 || value >= SIDE_MAX) {
            fields_refuse(params, name, "a list of whole numbers below 2^24");
            return;
        }
        offsets[i] = (uint32_t)value;
    }
    if (!pattern_from_offsets(offsets, (uint32_t)count, out))
        fields_refuse(params, name, "a progression of strides that begins with 0");
}

enum status message_shape_decode(const struct message_line *line, struct job_shape *out,
                                 struct error *err)
{
    static const char *const names[] = {"shape", NULL};
    struct array_reader reader = array_read(line, MESSAGE_SHAPE, names, err);
    struct fields shape = fields_inside(&reader.fields, "shape", MESSAGE_SHAPE);
    char type[32] = "";

    *out = (struct job_shape){.is_dictated = true};
    fields_u64(&shape, "m", 1, SIDE_MAX, &out->m);
    fields_u64(&shape, "n", 1, SIDE_MAX, &out->n);
    fields_u64(&shape, "k", K_STEP, K_MAX, &out->k);
    if (!shape.status && out->k % K_STEP)
        fields_refuse(&shape, "k", "a multiple of 64");
    fields_u32(&shape, "rank", RANK_MIN, RANK_MAX, &out->rank);
    if (!shape.status && (out->rank & (out->rank - 1)))
        fields_refuse(&shape, "rank", "a power of two");
    shape_pattern(&shape, "rows_pattern", &out->rows);
    shape_pattern(&shape, "cols_pattern", &out->columns);
    if (fields_has(&shape, "mma_type"))
        fields_text(&shape, "mma_type", 1, sizeof type - 1, type);
    if (!shape.status && *type && strcmp(type, "Int7xInt7ToInt32"))
        fields_refuse(&shape, "mma_type", "Int7xInt7ToInt32");
    fields_join(&reader.fields, &shape);
    return array_end(&reader);
}

enum status message_difficulty_decode(const struct message_line *line, uint64_t *out,
                                      struct error *err)
{
    static const char *const names[] = {"difficulty", NULL};
    struct array_reader reader = array_read(line, MESSAGE_DIFFICULTY, names, err);
    double number = 0;

    fields_real(&reader.fields, "difficulty", &number);
    if (!reader.fields.status && (number < 1 || number > 0x1p62))
        fields_refuse(&reader.fields, "difficulty", "1 to 2^62");
    if (!reader.fields.status)
        *out = (uint64_t)ceil(number);
    return array_end(&reader);
}

/* Eight hex digits, or a number. */
static void notify_target(struct fields *params, const char *name, struct target *out)
{
    const json_t *value = json_object_get(params->object, name);
    uint32_t nbits = 0;
    uint8_t be[4] = {0};

    if (json_is_integer(value)) {
        fields_u32(params, name, 1, UINT32_MAX, &nbits);
    } else {
        fields_hex(params, name, sizeof be, be);
        nbits =
            (uint32_t)be[0] << 24 | (uint32_t)be[1] << 16 | (uint32_t)be[2] << 8 | be[3];
    }
    *out = target_from_nbits(nbits);
    if (!params->status && target_is_zero(out))
        fields_refuse(params, name, "a compact target above 0");
}

enum status message_array_notify_decode(const struct message_line *line,
                                        struct message_notify *out, bool *is_clean,
                                        struct error *err)
{
    static const char *const names[] = {"job_id", "previous", "header", "height",
                                        "time",   "target",   "clean",  NULL};
    struct array_reader reader = array_read(line, MESSAGE_NOTIFY, names, err);
    struct fields *params = &reader.fields;
    struct job *job = &out->job;
    uint8_t unused[32];

    *out = (struct message_notify){.job = {.min_rank = 128, .unassigned = true}};
    *is_clean = true;
    fields_text(params, "job_id", 1, JOB_ID_MAX, job->id);
    /* The header says both again, and is what counts. */
    fields_hex(params, "previous", 32, unused);
    fields_hex(params, "time", 4, unused);
    fields_hex(params, "header", JOB_HEADER_SIZE, job->header);
    fields_u64(params, "height", 0, INT64_MAX, &job->height);
    notify_target(params, "target", &job->target);
    if (fields_has(params, "clean"))
        fields_bool(params, "clean", is_clean);
    return array_end(&reader);
}

enum status message_puzzle_encode(int64_t id, const struct puzzle_task *task,
                                  uint64_t nonce, struct blob *out)
{
    char seed[2 * PUZZLE_SEED_SIZE + 1], number[17];
    uint8_t be[8];

    for (int i = 0; i < 8; i++)
        be[i] = (uint8_t)(nonce >> (56 - 8 * i));
    hex_encode(task->seed, sizeof task->seed, seed);
    hex_encode(be, sizeof be, number);
    return fields_request(id, "pearl.challenge_response",
                          json_pack("{s:s,s:s}", "seed", seed, "nonce", number), false,
                          out);
}

enum status message_configure_encode(int64_t id, struct blob *out)
{
    return fields_request(id, "mining.configure", json_pack("[[s],{}]", "pearl/v1"),
                          false, out);
}

enum status message_subscribe_encode(int64_t id, const char *agent, struct blob *out)
{
    return fields_request(id, "mining.subscribe", json_pack("[s]", agent), false, out);
}

enum status message_array_authorize_encode(int64_t id,
                                           const struct message_authorize *from,
                                           struct blob *out)
{
    return fields_request(id, MESSAGE_AUTHORIZE,
                          json_pack("[s,s]", from->wallet, from->pass), from->has_jsonrpc,
                          out);
}

enum status message_array_submit_encode(int64_t id, const struct message_submit *from,
                                        struct blob *out)
{
    return fields_write_base64(json_pack("{s:I,s:s,s:[s,s,s]}", "id", (json_int_t)id,
                                         "method", MESSAGE_SUBMIT, "params", from->wallet,
                                         from->job_id, ""),
                               blob_bytes(&from->plain_proof), out);
}
