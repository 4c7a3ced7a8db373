/*
 * Claim: every place of pearl/v1's lists is refused by name when it holds another type or
 * lies out of its bounds, and what is right is read as it stands.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pool-protocol/message_array.h"

#define H64  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define H152 H64 H64 "0123456789abcdef01234567"

typedef enum status decode(const struct message_line *line, struct error *err);

static enum status decode_notify(const struct message_line *line, struct error *err)
{
    struct message_notify notify;
    bool is_clean = false;

    return message_array_notify_decode(line, &notify, &is_clean, err);
}

static enum status decode_shape(const struct message_line *line, struct error *err)
{
    struct job_shape shape;

    return message_shape_decode(line, &shape, err);
}

static enum status decode_puzzle(const struct message_line *line, struct error *err)
{
    struct puzzle_task task;

    return message_puzzle_decode(line, &task, err);
}

static enum status decode_difficulty(const struct message_line *line, struct error *err)
{
    uint64_t difficulty = 0;

    return message_difficulty_decode(line, &difficulty, err);
}

enum { PLACES_MAX = 7 };

/* A message as the text of its places; %s stands for one, in the order of the names. */
struct form {
    decode *decode;
    const char *format;
    uint32_t count;
    const char *names[PLACES_MAX], *right[PLACES_MAX];
    const char *wrong[PLACES_MAX][10];
};

static const struct form forms[] = {
    {decode_notify,
     "{\"id\":null,\"method\":\"mining.notify\",\"params\":[%s,%s,%s,%s,%s,%s,%s]}",
     7,
     {"job_id", "previous", "header", "height", "time", "target", "clean"},
     {"\"j\"", "\"" H64 "\"", "\"" H152 "\"", "7", "\"6ab0c1d2\"", "\"1a0ffff0\"",
      "false"},
     {{"7", "\"\"", "null", "[]", "{}", "\"" H64 H64 "0\""},
      {"7", "\"\"", "null", "\"" H152 "\"", "true"},
      {"7", "\"\"", "null", "\"" H64 "\"", "\"" H152 "00\"", "[]"},
      {"-1", "\"7\"", "1.5", "null", "[]", "{}", "9223372036854775808.0"},
      {"7", "\"6ab0c1\"", "\"6ab0c1d2d3\"", "null", "\"6ab0c1dg\""},
      {"0", "-1", "1.5", "\"\"", "\"1a0fff\"", "\"1a000000\"", "\"2277ffff\"", "null",
       "[]", "4294967296"},
      {"0", "1", "\"true\"", "[]", "{}"}}},
    {decode_shape,
     "{\"method\":\"pearl.set_mining_params\",\"params\":[{\"m\":%s,\"n\":%s,\"k\":%s,"
     "\"rank\":%s,\"rows_pattern\":%s,\"cols_pattern\":%s,\"mma_type\":%s}]}",
     7,
     {"m", "n", "k", "rank", "rows_pattern", "cols_pattern", "mma_type"},
     {"131072", "4096", "4096", "128", "[0,32]", "[0,1,2,3]", "\"Int7xInt7ToInt32\""},
     {{"0", "-1", "16777217", "\"7\"", "1.5", "null", "[]"},
      {"0", "-1", "16777217", "\"7\"", "1.5", "null", "{}"},
      {"0", "63", "65", "65600", "4097", "\"4096\"", "null"},
      {"0", "31", "33", "96", "2048", "\"128\"", "null"},
      {"[]", "[1,2]", "[0,0]", "[2,1]", "[0,1,5]", "[0,-1]", "[0,1.5]", "[0,\"1\"]",
       "[0,16777216]", "null"},
      {"7", "\"0\"", "{}", "[[0]]", "[null]", "null"},
      {"7", "\"\"", "\"Fp8\"", "[]", "true"}}},
    {decode_puzzle,
     "{\"method\":\"pearl.challenge\",\"params\":{\"seed\":%s,\"difficulty\":%s}}",
     2,
     {"seed", "difficulty"},
     {"\"" H64 "\"", "32"},
     {{"7", "\"\"", "\"" H152 "\"", "null", "[]"},
      {"-1", "257", "\"32\"", "1.5", "null", "{}"}}},
    {decode_difficulty,
     "{\"method\":\"mining.set_difficulty\",\"params\":[%s]}",
     1,
     {"difficulty"},
     {"1048576.5"},
     {{"0", "-1", "0.5", "1e300", "\"1\"", "null", "[]", "{}", "true"}}},
};

static enum status try_form(const struct form *form, uint32_t at, const char *value,
                            struct error *err)
{
    const char *places[PLACES_MAX];
    struct message_line *line = NULL;
    char text[2048];
    int size = 0;
    uint32_t next = 0;

    for (uint32_t i = 0; i < PLACES_MAX; i++)
        places[i] = i == at ? value : form->right[i];
    for (const char *p = form->format; *p && size < (int)sizeof text; p++) {
        if (p[0] == '%' && p[1] == 's') {
            size +=
                snprintf(text + size, sizeof text - (size_t)size, "%s", places[next++]);
            p++;
        } else {
            text[size++] = *p;
        }
    }
    *err = (struct error){0};
    assert_int_equal(message_line_parse(bytes_of(text, (size_t)size), &line, err),
                     STATUS_OK);
    const enum status status = form->decode(line, err);
    message_line_free(line);
    return status;
}

static void every_place_is_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const struct form *form = &forms[i];
        struct error err;

        if (try_form(form, PLACES_MAX, NULL, &err))
            fail_msg("%s", err.text);
        for (uint32_t at = 0; at < form->count; at++) {
            for (int j = 0; j < 10 && form->wrong[at][j]; j++) {
                const char *wrong = form->wrong[at][j];
                const bool may_miss = !strcmp(form->names[at], "mma_type") ||
                                      !strcmp(form->names[at], "clean");

                if (may_miss && !strcmp(wrong, "null"))
                    continue;
                if (try_form(form, at, wrong, &err) != STATUS_BAD_MESSAGE)
                    fail_msg("%s: %s was taken", form->names[at], wrong);
                if (!strstr(err.text, form->names[at]))
                    fail_msg("%s: %s is said so: %s", form->names[at], wrong, err.text);
            }
        }
    }
}

static struct message_line *parse(const char *text)
{
    struct message_line *line = NULL;

    assert_int_equal(message_line_parse(bytes_of(text, strlen(text)), &line, NULL),
                     STATUS_OK);
    return line;
}

static void lists_of_another_size_are_refused(void **state)
{
    static const char *const texts[] = {
        "{\"method\":\"mining.notify\",\"params\":[]}",
        "{\"method\":\"mining.notify\",\"params\":[\"j\",\"" H64 "\"]}",
        "{\"method\":\"mining.notify\",\"params\":null}",
        "{\"method\":\"mining.notify\"}",
        "{\"method\":\"mining.notify\",\"params\":\"j\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct message_line *line = parse(texts[i]);
        struct error err = {0};

        assert_int_equal(decode_notify(line, &err), STATUS_BAD_MESSAGE);
        assert_true(strlen(err.text) > 20);
        message_line_free(line);
    }
}

static void what_is_right_is_read(void **state)
{
    struct message_line *line =
        parse("{\"method\":\"pearl.set_mining_params\",\"params\":[{\"m\":131072,\"n\":"
              "4096,\"k\":2048,\"rank\":256,\"rows_pattern\":[0,32],\"cols_pattern\":"
              "[0,1,8,9]}]}");
    struct job_shape shape;
    struct message_notify notify;
    bool is_clean = false;
    uint64_t difficulty = 0;
    char target[65];

    (void)state;
    assert_int_equal(message_shape_decode(line, &shape, NULL), STATUS_OK);
    message_line_free(line);
    assert_true(shape.is_dictated);
    assert_int_equal(shape.m, 131072);
    assert_int_equal(shape.n, 4096);
    assert_int_equal(shape.k, 2048);
    assert_int_equal(shape.rank, 256);
    assert_int_equal(shape.rows.count, 2);
    assert_int_equal(shape.rows.offsets[1], 32);
    assert_int_equal(shape.columns.count, 4);
    assert_int_equal(shape.columns.offsets[3], 9);

    line = parse("{\"method\":\"mining.notify\",\"params\":[\"j\",\"" H64 "\",\"" H152
                 "\",131072,\"6ab0c1d2\",437256176]}");
    assert_int_equal(message_array_notify_decode(line, &notify, &is_clean, NULL),
                     STATUS_OK);
    message_line_free(line);
    assert_true(is_clean);
    assert_false(notify.has_cert_version);
    assert_string_equal(notify.job.id, "j");
    assert_int_equal(notify.job.height, 131072);
    assert_int_equal(notify.job.header[75], 0x67);
    target_to_hex(&notify.job.target, target);
    assert_string_equal(
        target, "0000000000000ffff00000000000000000000000000000000000000000000000");

    line = parse("{\"method\":\"mining.set_difficulty\",\"params\":[1048576.25]}");
    assert_int_equal(message_difficulty_decode(line, &difficulty, NULL), STATUS_OK);
    assert_int_equal(difficulty, 1048577);
    message_line_free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_place_is_checked),
        cmocka_unit_test(lists_of_another_size_are_refused),
        cmocka_unit_test(what_is_right_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
