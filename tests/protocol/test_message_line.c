/*
 * Claim: the envelope is bounded before it is parsed, and every shape of reply and of
 * login that pools and workers use is understood.
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

#include "pool-protocol/message_authorize.h"

static void refusals_have_four_shapes_and_more(void **state)
{
    static const struct {
        const char *text;
        bool is_ok;
        int code;
        const char *says;
    } replies[] = {
        {"{\"id\":1,\"result\":true,\"error\":null}", true, 0, ""},
        {"{\"id\":1,\"result\":true}", true, 0, ""},
        {"{\"id\":1,\"result\":{\"status\":\"accepted\"},\"error\":null}", true, 0, ""},
        {"{\"id\":1,\"result\":null,\"error\":{\"code\":23,\"msg\":\"low\"}}", false, 23,
         "low"},
        {"{\"id\":1,\"result\":null,\"error\":{\"code\":20,\"message\":\"bad\"}}", false,
         20, "bad"},
        {"{\"id\":1,\"result\":null,\"error\":[21,\"stale job\",null]}", false, 21,
         "stale job"},
        {"{\"id\":1,\"result\":false,\"error\":null}", false, 0, ""},
        {"{\"id\":1,\"result\":null,\"error\":null}", false, 0, ""},
        {"{\"id\":1,\"result\":null,\"error\":\"banned\\u0007\"}", false, 0, "banned?"},
        {"{\"id\":1,\"result\":true,\"error\":{\"code\":\"x\",\"msg\":7}}", false, 0, ""},
        {"{\"id\":1,\"result\":true,\"error\":[]}", false, 0, ""},
        {"{\"id\":1,\"result\":true,\"error\":24}", false, 24, ""},
        {"{\"id\":1,\"error\":{\"code\":9223372036854775807,\"msg\":\"\"}}", false, 0,
         ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        struct message_line *line = NULL;
        struct message_reply reply;

        assert_int_equal(
            message_line_parse(bytes_of(replies[i].text, strlen(replies[i].text)), &line,
                               NULL),
            STATUS_OK);
        message_line_reply(line, &reply);
        if (reply.is_ok != replies[i].is_ok || reply.code != replies[i].code ||
            strcmp(reply.text, replies[i].says))
            fail_msg("%s: %d %d %s", replies[i].text, reply.is_ok, reply.code,
                     reply.text);
        message_line_free(line);
    }
}

static void lines_are_bounded_before_they_are_parsed(void **state)
{
    struct blob blob = blob_empty(16 << 20);
    struct message_line *line = NULL;
    struct error err = {0};

    (void)state;
    assert_int_equal(blob_addf(&blob, "{\"id\":1,\"result\":[0"), STATUS_OK);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(blob_add(&blob, ",0", 2), STATUS_OK);
    assert_int_equal(blob_addf(&blob, "]}"), STATUS_OK);
    assert_int_equal(message_line_parse(blob_bytes(&blob), &line, &err),
                     STATUS_BAD_MESSAGE);
    assert_non_null(strstr(err.text, "more than 4096 values"));

    blob_clear(&blob); /* commas and brackets inside of text do not count */
    assert_int_equal(blob_addf(&blob, "{\"id\":1,\"result\":\"\\\"[[[[[[[[[["),
                     STATUS_OK);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(blob_add(&blob, ",[", 2), STATUS_OK);
    assert_int_equal(blob_addf(&blob, "\"}"), STATUS_OK);
    assert_int_equal(message_line_parse(blob_bytes(&blob), &line, &err), STATUS_OK);
    message_line_free(line);

    blob_clear(&blob);
    while (blob.size <= MESSAGE_LINE_MAX)
        assert_int_equal(blob_addf(&blob, "%064d", 0), STATUS_OK);
    assert_int_equal(message_line_parse(blob_bytes(&blob), &line, &err),
                     STATUS_BAD_MESSAGE);
    assert_non_null(strstr(err.text, "at most 4194304"));
    blob_free(&blob);
}

static void other_logins_and_ids_are_read(void **state)
{
    static const char login[] =
        "{\"id\":\"7\",\"method\":\"mining.authorize\",\"params\":[\"addr.rig7\",\"x\"]}";
    struct message_line *line = NULL;
    struct message_authorize hello;
    struct blob blob = blob_empty(4096);
    int64_t number = 0;

    (void)state;
    assert_int_equal(message_line_parse(bytes_of(login, sizeof login - 1), &line, NULL),
                     STATUS_OK);
    assert_int_equal(message_authorize_decode(line, &hello, NULL), STATUS_OK);
    assert_string_equal(hello.wallet, "addr.rig7");
    assert_string_equal(hello.pass, "x");
    assert_true(message_id_number(message_line_id(line), &number));
    assert_int_equal(number, 7);
    assert_int_equal(message_line_encode_true(message_line_id(line), &blob), STATUS_OK);
    assert_string_equal(blob.data, "{\"id\":\"7\",\"result\":true,\"error\":null}\n");
    blob_clear(&blob);
    /* A sentence that was cut inside a character still is JSON. */
    assert_int_equal(message_line_encode_error(message_line_id(line), 20, "k\xc3", &blob),
                     STATUS_OK);
    assert_string_equal(
        blob.data,
        "{\"id\":\"7\",\"result\":null,\"error\":{\"code\":20,\"msg\":\"k?\"}}\n");
    message_line_free(line);
    blob_free(&blob);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusals_have_four_shapes_and_more),
        cmocka_unit_test(lines_are_bounded_before_they_are_parsed),
        cmocka_unit_test(other_logins_and_ids_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
