/*
 * Claim: a record of the wire holds every line whole or cut where it says so, no private
 * word and no token, nothing but printable characters, and takes any bytes.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "miner/base/file.h"
#include "pool-protocol/wire_log.h"

static char path[64];

enum { STAMP = 24 }; /* 2026-11-22T09:38:09.200Z */

/* What is recorded of these bytes, without the stamps. */
static const char *recorded(const void *bytes, size_t size, struct blob *out)
{
    struct wire_log *log = NULL;
    struct blob all = blob_empty((size_t)8 << 20);
    struct error err = {0};

    (void)remove(path);
    assert_int_equal(wire_log_open(path, &log, &err), STATUS_OK);
    assert_int_equal(wire_log_hide(log, "prl1pexamplewallet", false), STATUS_OK);
    assert_int_equal(wire_log_hide(log, "password", true), STATUS_OK);
    assert_int_equal(wire_log_hide(log, "x", true), STATUS_OK); /* no secret */
    wire_log_write(log, 3, WIRE_HEARD, bytes_of(bytes, size));
    wire_log_close(log);
    assert_int_equal(file_read(path, &all, &err), STATUS_OK);
    blob_clear(out);
    for (size_t i = 0; i < all.size;) {
        const size_t line = (size_t)((uint8_t *)memchr(all.data + i, '\n', all.size - i) -
                                     (all.data + i));

        assert_true(line > STAMP);
        assert_memory_equal(all.data + i + STAMP, " pool 3 < ", 10);
        assert_int_equal(blob_add(out, all.data + i + STAMP + 10, line - STAMP - 10 + 1),
                         STATUS_OK);
        i += line + 1;
    }
    blob_free(&all);
    assert_int_equal(blob_add(out, "", 1), STATUS_OK);
    return (const char *)out->data;
}

static void lines_are_shown(void **state)
{
    static const struct {
        const char *said, *shown;
    } rows[] = {
        {"{\"id\":1,\"result\":true}\n", "{\"id\":1,\"result\":true}\n"},
        {"{\"id\":1}\n{\"id\":2}", "{\"id\":1}\n{\"id\":2}\n"},
        {"{\"wallet\":\"solo:prl1pexamplewallet.rig\"}\n",
         "{\"wallet\":\"solo:prl1pe...let.rig\"}\n"},
        {"[\"prl1pexamplewallet\",\"password\"]\n", "[\"prl1pe...let\",\"...\"]\n"},
        {"prl1pexamplewallet", "prl1pe...let\n"},
        {"{\"session\":\"0123456789abcdef\",\"x\":1}\n",
         "{\"session\":\"...\",\"x\":1}\n"},
        {"{\"session\":\"0123\n", "{\"session\":\"...\n"},
        {"{\"a\":\"b\\\"prl1pexamplewallet\\\\\"}\n",
         "{\"a\":\"b\\\"prl1pe...let\\\\\"}\n"},
        {"\033[31m\r\x80\n", ".[31m..\n"},
        {"\"\n", "\"\n"},
        {"\"\\\n", "\"\\\n"},
        {"\n", "\n"},
    };
    struct blob out = blob_empty((size_t)8 << 20);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(recorded(rows[i].said, strlen(rows[i].said), &out),
                            rows[i].shown);
    assert_string_equal(recorded("a\0b\n", 4, &out), "a.b\n");
    blob_free(&out);
}

static void long_texts_are_cut(void **state)
{
    struct blob out = blob_empty((size_t)8 << 20), said = blob_empty((size_t)8 << 20);

    (void)state;
    assert_int_equal(blob_addf(&said, "{\"plain_proof\":\"%01000d\",\"id\":1}\n", 7),
                     STATUS_OK);
    assert_string_equal(recorded(said.data, said.size, &out),
                        "{\"plain_proof\":\"0000000000000000000000000000000000000000"
                        "...(1000 characters)\",\"id\":1}\n");
    blob_clear(&said);
    while (said.size < (size_t)3 << 20)
        assert_int_equal(blob_add(&said, "[1,2],", 6), STATUS_OK);
    const char *shown = recorded(said.data, said.size, &out);
    assert_true(strlen(shown) > 1000000);
    assert_string_equal(shown + strlen(shown) - 4, "...\n");
    blob_free(&out);
    blob_free(&said);
}

static void any_bytes_are_taken(void **state)
{
    struct blob out = blob_empty((size_t)8 << 20);
    uint8_t bytes[300];

    (void)state;
    srand(1);
    for (int round = 0; round < 300; round++) {
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)("\"\\\n{x:p\x80"[rand() % 9]);
        for (const char *c = recorded(bytes, (size_t)round, &out); *c; c++)
            assert_true(*c == '\n' || (*c >= ' ' && *c < 127));
    }
    blob_free(&out);
}

static void a_file_must_be_writable(void **state)
{
    struct wire_log *log = NULL;
    struct error err = {0};

    (void)state;
    assert_int_equal(wire_log_open("/nowhere/wire", &log, &err), STATUS_BAD_CONFIG);
    assert_null(log);
    assert_non_null(strstr(err.text, "/nowhere/wire"));
    wire_log_write(NULL, 0, WIRE_SAID, bytes_of("x\n", 2));
    wire_log_close(NULL);
}

static int name_file(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/minerva-wire-log-%d", (int)getpid());
    return 0;
}

static int clean(void **state)
{
    (void)state;
    return remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_shown),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(any_bytes_are_taken),
        cmocka_unit_test(a_file_must_be_writable),
    };

    return cmocka_run_group_tests(tests, name_file, clean);
}
