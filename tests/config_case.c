/*
 * config_case.c - command lines and a settings file for the tests of settings.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/config_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "miner/base/file.h"

enum { WORDS_MAX = 48 };

static char folder[] = "/tmp/minerva-config-XXXXXX";
static char path[64];

int config_case_begin(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof(path), "%s/miner.conf", folder);
    setenv("HOME", folder, 1);
    unsetenv("XDG_CONFIG_HOME");
    unsetenv("MINERVA_CONFIG");
    return 0;
}

int config_case_end(void **state)
{
    (void)state;
    remove(path);
    return rmdir(folder);
}

const char *config_case_folder(void)
{
    return folder;
}

const char *config_case_path(void)
{
    return path;
}

enum status config_case_load(struct config **out, struct error *err,
                             const char *const *words)
{
    char *argv[WORDS_MAX] = {(char *)(uintptr_t) "mine"};
    int argc = 1;

    *err = (struct error){0};
    for (; *words; words++) {
        assert_true(argc < WORDS_MAX);
        argv[argc++] = (char *)(uintptr_t)*words;
    }
    return config_load(argc, argv, out, err);
}

void config_case_file(const char *text)
{
    struct error err;

    assert_int_equal(file_write(path, bytes_of(text, strlen(text)), &err), STATUS_OK);
}

void config_case_refused(enum status status, const struct error *err,
                         enum status expected, const char *part)
{
    assert_int_equal(status, expected);
    if (!strstr(err->text, part))
        fail_msg("\"%s\" does not say \"%s\"", err->text, part);
}
