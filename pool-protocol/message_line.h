/*
 * message_line.h - the envelope of every message: one JSON object a line, request, push
 * or reply.
 *
 * Used by both ends.  A line is parsed once; the other message files read their own part
 * of it. Lines are bounded in size, nesting and number of values before anything is built
 * from them, and a member that comes twice is refused.  Every refusal names the member,
 * its value and what was expected.  Encoders append one whole line, LF included, or
 * nothing.  Any thread, no state.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_PROTOCOL_MESSAGE_LINE_H
#define MINERVA_PROTOCOL_MESSAGE_LINE_H

#include "miner/base/bytes.h"

enum {
    MESSAGE_LINE_MAX = 4 << 20, /* bytes, LF included */
    MESSAGE_DEPTH_MAX = 8,
    MESSAGE_VALUES_MAX =
        4096, /* a line of small values must not become a hundred megabytes */
    MESSAGE_METHOD_MAX = 64,
    MESSAGE_ID_MAX = 64,
    MESSAGE_TEXT_MAX = 255
};

/* What an error says (pearl-pools.md 2.5, task-pool.md 6). */
enum message_code {
    MESSAGE_CODE_OTHER = 20,
    MESSAGE_CODE_STALE = 21,
    MESSAGE_CODE_DUPLICATE = 22,
    MESSAGE_CODE_LOW = 23,
    MESSAGE_CODE_NO_WALLET = 24, /* or the agent is refused */
    MESSAGE_CODE_BAD_WALLET = 25,
    MESSAGE_CODE_BAD_PROOF = 26,
    MESSAGE_CODE_UNAUTHORISED = 27,
    MESSAGE_CODE_NOT_LEASED = 28,
    MESSAGE_CODE_WRONG_WEIGHTS = 29,
    MESSAGE_CODE_WRONG_INPUT = 30,
    MESSAGE_CODE_WRONG_RESULT = 31
};

enum message_id_kind { MESSAGE_ID_NULL, MESSAGE_ID_NUMBER, MESSAGE_ID_TEXT };

struct message_id { /* chosen by who asks, echoed by who answers */
    enum message_id_kind kind;
    int64_t number;
    char text[MESSAGE_ID_MAX + 1];
};

static inline struct message_id message_id_of(int64_t number)
{
    return (struct message_id){.kind = MESSAGE_ID_NUMBER, .number = number};
}
/* The number of an id that is one, as number or as text; false otherwise. */
bool message_id_number(const struct message_id *id, int64_t *number);

enum message_kind { MESSAGE_REQUEST, MESSAGE_PUSH, MESSAGE_REPLY };

struct message_line; /* a parsed line */

/* line is without its line end. BAD_MESSAGE with a sentence, or NO_MEMORY. */
MUST_CHECK enum status message_line_parse(struct bytes line, struct message_line **out,
                                          struct error *err);
/* The same, with whole numbers of any size: all of them become the nearest reals. */
MUST_CHECK enum status
message_line_parse_wide(struct bytes line, struct message_line **out, struct error *err);
void message_line_free(struct message_line *line); /* NULL is fine */
enum message_kind message_line_kind(const struct message_line *line);
const struct message_id *message_line_id(const struct message_line *line);
const char *message_line_method(const struct message_line *line); /* "" for a reply */

/* What a reply says, in any of the shapes pools use. */
struct message_reply {
    bool is_ok; /* a result that is neither null nor false, and no error */
    int code;   /* of a refusal; 0 where the pool gave none */
    char text[MESSAGE_TEXT_MAX + 1]; /* of a refusal, control characters replaced */
};
/* line must be a reply. */
void message_line_reply(const struct message_line *line, struct message_reply *out);

/* The text that a push of ["text"] is about, cut and clean; "" where there is none. */
void message_line_text(const struct message_line *line, char text[MESSAGE_TEXT_MAX + 1]);

/* {"id":id,"method":method,"params":{}} */
MUST_CHECK enum status message_line_encode_request(int64_t id, const char *method,
                                                   struct blob *out);
/* {"id":id,"result":true,"error":null} */
MUST_CHECK enum status message_line_encode_true(const struct message_id *id,
                                                struct blob *out);
/* {"id":id,"result":null,"error":{"code":code,"msg":text}} */
MUST_CHECK enum status message_line_encode_error(const struct message_id *id, int code,
                                                 const char *text, struct blob *out);

/* Replaces control characters, so that a stranger's text cannot move a person's cursor.
 */
void message_text_clean(char *text);

#endif
