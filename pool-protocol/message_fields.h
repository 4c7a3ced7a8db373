/*
 * message_fields.h - reads the members of a JSON object with their types and bounds, and
 * writes objects as lines.  For the message files alone: it is the one header that knows
 * jansson.
 *
 * A reader keeps the first refusal; later reads do nothing, so a decoder is a list of
 * members and one look at the end.  An absent optional member leaves its place as it was.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_MESSAGE_FIELDS_H
#define MINERVA_PROTOCOL_MESSAGE_FIELDS_H

#include <jansson.h>

#include "miner/base/bytes.h"
#include "pool-protocol/message_line.h"

struct message_line {
    json_t *root;
    enum message_kind kind;
    struct message_id id;
    const char *method; /* in root */
};

struct fields {
    const json_t *object;
    const char *what;  /* where it stands, for sentences: "mining.notify" */
    struct error *err; /* may be NULL */
    enum status status;
};

/* The params of a request or push; refuses a method other than the one expected, and
 * params that are no object. */
struct fields fields_params(const struct message_line *line, const char *method,
                            struct error *err);
/* An object member, to be read next; an absent one is a refusal. */
struct fields fields_inside(struct fields *fields, const char *name, const char *what);
/* Hands an inner reader's refusal on. */
void fields_join(struct fields *fields, const struct fields *inner);

/* Whether the member is there and not null. */
bool fields_has(const struct fields *fields, const char *name);
/* min..max bytes of text into out, which holds max + 1. */
void fields_text(struct fields *fields, const char *name, size_t min, size_t max,
                 char *out);
/* Text as it lies in the line: for long members. NULL after a refusal. */
const char *fields_long_text(struct fields *fields, const char *name, size_t *size);
/* Exactly size bytes as hex, either case. */
void fields_hex(struct fields *fields, const char *name, size_t size, void *out);
/* Exactly digits lower-case hex digits, or nothing where "" is allowed. */
void fields_id(struct fields *fields, const char *name, size_t digits, char *out);
void fields_u64(struct fields *fields, const char *name, uint64_t min, uint64_t max,
                uint64_t *out);
void fields_u32(struct fields *fields, const char *name, uint32_t min, uint32_t max,
                uint32_t *out);
void fields_bool(struct fields *fields, const char *name, bool *out);
/* A finite number that is not negative. */
void fields_real(struct fields *fields, const char *name, double *out);
/* A list of at most count_max texts; out is count_max places of size bytes. */
struct fields_list {
    char *out;
    size_t size;
    uint32_t count_max;
};
void fields_texts(struct fields *fields, const char *name, struct fields_list list,
                  uint32_t *count);
/* A refusal: "what: name is VALUE, expected EXPECTED". */
void fields_refuse(struct fields *fields, const char *name, const char *expected);

/* An id as JSON; NULL without memory. */
json_t *fields_id_json(const struct message_id *id);
/* Appends object (taken, may be NULL: then NO_MEMORY or text that is not UTF-8) and LF.
 */
MUST_CHECK enum status fields_write(json_t *object, struct blob *out);
/* The same, and the last empty text of object becomes base64 of data, of which jansson
 * would look at every character several times. */
MUST_CHECK enum status fields_write_base64(json_t *object, struct bytes data,
                                           struct blob *out);
/* A request with those params (taken); NULL without memory, or where they are NULL; its
 * version of JSON-RPC is in it where that is wanted. */
json_t *fields_request_json(int64_t id, const char *method, json_t *params,
                            bool has_jsonrpc);
/* Appends it. */
MUST_CHECK enum status fields_request(int64_t id, const char *method, json_t *params,
                                      bool has_jsonrpc, struct blob *out);
/* base64 of data as a JSON string; NULL without memory. */
json_t *fields_base64_json(struct bytes data);

#endif
