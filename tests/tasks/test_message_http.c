/*
 * test_message_http.c - claims: what one end of /v1 encodes the other decodes to the
 * same, and a body with any field missing, of the wrong type or out of bounds is refused
 * with its name.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pool-protocol/message_http.h"

#define MODEL "abababababababababababababababababababababababababababababababab"
#define ID    "0123456789abcdef0123456789abcdef"

static struct bytes text_of(const char *text)
{
    return bytes_of(text, strlen(text));
}

static void submit_comes_back(void **state)
{
    (void)state;
    struct http_submit sent = {.kind = "embed", .model = MODEL, .input = blob_empty(64)};
    struct http_submit got;
    struct blob body = blob_empty(4096);
    const uint8_t input[] = {0, 255, 1, 254, 0};
    assert_int_equal(blob_add(&sent.input, input, sizeof input), STATUS_OK);
    assert_int_equal(message_http_submit_encode(&sent, &body), STATUS_OK);
    assert_int_equal(message_http_submit_decode(blob_bytes(&body), &got, NULL),
                     STATUS_OK);
    assert_string_equal(got.kind, "embed");
    assert_string_equal(got.model, MODEL);
    assert_false(got.parameters.has_shape);
    assert_int_equal(got.input.size, sizeof input);
    assert_memory_equal(got.input.data, input, sizeof input);
    http_submit_free(&got);
    http_submit_free(&sent);
    blob_free(&body);
}

static void any_seed_comes_back(void **state)
{
    (void)state;
    const uint64_t seeds[] = {0, 1, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX};
    for (size_t i = 0; i < sizeof seeds / sizeof seeds[0]; i++) {
        struct http_submit sent = {.kind = "matmul",
                                   .parameters = {true, 16, 32, 1024, seeds[i]}};
        struct http_submit got;
        struct blob body = blob_empty(4096);
        assert_int_equal(message_http_submit_encode(&sent, &body), STATUS_OK);
        assert_int_equal(message_http_submit_decode(blob_bytes(&body), &got, NULL),
                         STATUS_OK);
        assert_true(got.parameters.has_shape);
        assert_int_equal(got.parameters.m, 16);
        assert_int_equal(got.parameters.n, 32);
        assert_int_equal(got.parameters.k, 1024);
        assert_true(got.parameters.seed == seeds[i]);
        assert_int_equal(got.input.size, 0);
        http_submit_free(&got);
        blob_free(&body);
    }
}

static void bad_submits_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *body, *says;
    } cases[] = {
        {"", "not JSON"},
        {"[]", "no JSON object"},
        {"{\"kind\":\"embed\",\"kind\":\"embed\"}", "not JSON"},
        {"{}", "kind: no string"},
        {"{\"kind\":1,\"model\":\"\"}", "kind: no string"},
        {"{\"kind\":\"\",\"model\":\"\"}", "kind: expected"},
        {"{\"kind\":\"Embed\",\"model\":\"\"}", "kind: expected"},
        {"{\"kind\":\"aaaaaaaabbbbbbbbccccccccdddddddd\",\"model\":\"\"}",
         "kind: 32 bytes"},
        {"{\"kind\":\"embed\"}", "model: no string"},
        {"{\"kind\":\"embed\",\"model\":\"../x\"}", "expected 64 hex digits"},
        {"{\"kind\":\"embed\",\"model\":\"\",\"input\":3}", "input: no string"},
        {"{\"kind\":\"embed\",\"model\":\"\",\"input\":{\"inline\":7}}",
         "input: no string"},
        {"{\"kind\":\"embed\",\"model\":\"\",\"input\":{\"inline\":\"a\"}}",
         "input.inline: no base64"},
        {"{\"kind\":\"embed\",\"model\":\"\",\"input\":{\"inline\":\"\",\"hash\":\"\"}}",
         "input: more than"},
        {"{\"kind\":\"matmul\",\"model\":\"\",\"params\":[]}", "params: no object"},
        {"{\"kind\":\"matmul\",\"model\":\"\",\"params\":7}", "params: no object"},
        {"{\"kind\":\"matmul\",\"model\":\"\",\"params\":{\"m\":1,\"n\":1,\"k\":1}}",
         "params: seed: no integer"},
        {"{\"kind\":\"matmul\",\"model\":\"\",\"params\":{\"m\":-1,\"n\":1,\"k\":1,"
         "\"seed\":1}}",
         "params: m: no integer from 0"},
        {"{\"kind\":\"matmul\",\"model\":\"\",\"params\":{\"m\":1.5,\"n\":1,\"k\":1,"
         "\"seed\":1}}",
         "params: m: no integer"},
        {"{\"kind\":\"matmul\",\"model\":\"\",\"params\":{\"m\":1,\"n\":1,\"k\":1,"
         "\"seed\":\"7\"}}",
         "params: seed: expected 16 hex digits"},
        {"{\"kind\":\"matmul\",\"model\":\"\",\"params\":{\"temperature\":1}}",
         "params: unknown name"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err = {0};
        struct http_submit out;
        assert_int_not_equal(
            message_http_submit_decode(text_of(cases[i].body), &out, &err), STATUS_OK);
        if (!strstr(err.text, cases[i].says))
            fail_msg("%s: says \"%s\", expected \"%s\"", cases[i].body, err.text,
                     cases[i].says);
    }
}

static void task_states_come_back(void **state)
{
    (void)state;
    for (unsigned i = 0; i < HTTP_TASK_STATE_COUNT; i++) {
        const struct http_task sent = {.id = ID,
                                       .kind = "embed",
                                       .model = MODEL,
                                       .state = (enum http_task_state)i,
                                       .done = 3,
                                       .total = 9,
                                       .reason = "the \"id\" 9 is outside"};
        struct http_task got;
        struct blob body = blob_empty(4096);
        assert_int_equal(message_http_task_encode(&sent, &body), STATUS_OK);
        assert_int_equal(message_http_task_decode(blob_bytes(&body), &got, NULL),
                         STATUS_OK);
        assert_memory_equal(&sent, &got, sizeof got);
        blob_free(&body);
    }
    struct error err = {0};
    struct http_task got;
    assert_int_equal(
        message_http_task_decode(text_of("{\"id\":\"" ID "\",\"kind\":\"embed\","
                                         "\"model\":\"\",\"state\":\"lost\"}"),
                                 &got, &err),
        STATUS_BAD_MESSAGE);
    assert_non_null(strstr(err.text, "state: expected queued"));
}

static void a_reason_cut_inside_a_letter_still_goes_out(void **state)
{
    (void)state;
    struct blob body = blob_empty(4096);
    char reason[HTTP_REASON_MAX + 1];
    assert_int_equal(message_http_error_encode("caf\xc3", &body), STATUS_OK);
    message_http_error_decode(blob_bytes(&body), reason);
    assert_string_equal(reason, "caf?");
    message_http_error_decode(text_of("<html>"), reason);
    assert_string_equal(reason, "no reason was given");
    message_http_error_decode(text_of("{\"error\":\"\\u001b[2Jx\"}"), reason);
    assert_string_equal(reason, " [2Jx");
    blob_free(&body);
}

static void status_comes_back(void **state)
{
    (void)state;
    struct http_status sent = {.workers = 3,
                               .tasks = {1, 2, 3, 4, 5},
                               .usefulness = 0.25,
                               .hashes_per_s_10s = 1e12,
                               .hashes_per_s_60s = 0.5,
                               .accepted = 10,
                               .unassigned = 1,
                               .stale = 2,
                               .voided = 3,
                               .surplus = 4,
                               .credited = (uint64_t)1 << 60};
    struct http_status got;
    struct blob body = blob_empty(4096);
    sent.rejected[22] = 7;
    sent.rejected[63] = 1;
    assert_int_equal(message_http_status_encode(&sent, &body), STATUS_OK);
    assert_non_null(strstr((const char *)body.data, "\"rejected\":{\"22\":7,\"63\":1}"));
    assert_int_equal(message_http_status_decode(blob_bytes(&body), &got, NULL),
                     STATUS_OK);
    assert_memory_equal(&sent, &got, sizeof got);
    blob_free(&body);
}

static void ids_are_ids(void **state)
{
    (void)state;
    char id[TASK_ID_SIZE + 1];
    struct blob body = blob_empty(4096);
    assert_int_equal(message_http_id_encode(ID, &body), STATUS_OK);
    assert_string_equal((const char *)body.data, "{\"id\":\"" ID "\"}");
    assert_int_equal(message_http_id_decode(blob_bytes(&body), id, NULL), STATUS_OK);
    assert_string_equal(id, ID);
    assert_int_equal(
        message_http_id_decode(text_of("{\"id\":\"../../etc/passwd\"}"), id, NULL),
        STATUS_BAD_MESSAGE);
    blob_free(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(submit_comes_back),
        cmocka_unit_test(any_seed_comes_back),
        cmocka_unit_test(bad_submits_are_refused),
        cmocka_unit_test(task_states_come_back),
        cmocka_unit_test(a_reason_cut_inside_a_letter_still_goes_out),
        cmocka_unit_test(status_comes_back),
        cmocka_unit_test(ids_are_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
