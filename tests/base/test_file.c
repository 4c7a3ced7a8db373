/*
 * test_file.c - claims: files are read whole within a bound or refused by name; a written
 * file is whole or absent, and no temporary one is left.
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

static char folder[] = "/tmp/minerva-file-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static void written_is_read_back(void **state)
{
    struct error err = {0};
    struct blob blob = blob_empty(100000);
    char deep[256], path[300];
    uint8_t data[70000];

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7);
    assert_int_equal(file_join(folder, "a/b//c", deep, sizeof deep, &err), STATUS_OK);
    assert_int_equal(file_make_folder(deep, &err), STATUS_OK);
    assert_int_equal(file_make_folder(deep, &err), STATUS_OK);
    assert_int_equal(file_join(deep, "x", path, sizeof path, &err), STATUS_OK);
    assert_int_equal(file_write(path, bytes_of(data, sizeof data), &err), STATUS_OK);
    assert_int_equal(file_read(path, &blob, &err), STATUS_OK);
    assert_int_equal(blob.size, sizeof data);
    assert_memory_equal(blob.data, data, sizeof data);
    blob_free(&blob);
}

static void refusals_name_the_file(void **state)
{
    struct error err = {0};
    struct blob blob = blob_empty(10);
    char path[256];

    (void)state;
    assert_int_equal(file_read("/tmp/minerva-no-such-file", &blob, &err),
                     STATUS_NOT_FOUND);
    assert_non_null(strstr(error_text(&err), "/tmp/minerva-no-such-file"));
    assert_int_equal(file_read("/tmp", &blob, &err), STATUS_IO);
    assert_int_equal(file_join(folder, "big", path, sizeof path, &err), STATUS_OK);
    assert_int_equal(file_write(path, bytes_of("0123456789a", 11), &err), STATUS_OK);
    assert_int_equal(file_read(path, &blob, &err), STATUS_FULL);
    assert_non_null(strstr(error_text(&err), "11 bytes"));
    assert_int_equal(file_join(folder, "no/such/place", path, sizeof path, &err),
                     STATUS_OK);
    assert_int_equal(file_write(path, bytes_of("x", 1), &err), STATUS_IO);
    assert_int_equal(file_write("/dev/full/x", bytes_of("x", 1), &err), STATUS_IO);
    assert_int_equal(file_join(folder, "x", path, 5, &err), STATUS_BAD_DATA);
    blob_free(&blob);
}

static void a_failed_write_leaves_nothing(void **state)
{
    struct error err = {0};
    char path[256], command[300];

    (void)state;
    /* A folder of that name lets the rename fail after the bytes were written. */
    assert_int_equal(file_join(folder, "taken", path, sizeof path, &err), STATUS_OK);
    assert_int_equal(file_make_folder(path, &err), STATUS_OK);
    assert_int_equal(file_write(path, bytes_of("x", 1), &err), STATUS_IO);
    snprintf(command, sizeof command, "ls %s | grep -q part", folder);
    assert_int_not_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_is_read_back),
        cmocka_unit_test(refusals_name_the_file),
        cmocka_unit_test(a_failed_write_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
