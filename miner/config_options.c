/*
 * config_options.c - the command line of `minerva mine`, made of the settings' table.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "miner/config_table.h"

static const struct alias {
    const char *name;
    enum setting setting;
} alias_table[] = {
#define SETTING(name, letter, type, initial, min, max, word, help)
#define POOL_SETTING         SETTING
#define ALIAS(name, setting) {#name, SETTING_##setting},
#include "miner/config.def"
#undef SETTING
#undef POOL_SETTING
#undef ALIAS
};
enum { ALIAS_COUNT = sizeof(alias_table) / sizeof(alias_table[0]) };

/* --- the command line --- */

enum { /* values of long options: below them stand indices of settings */
       OPTION_CONFIG = 1000,
       OPTION_HELP,
       OPTION_PRINT,
       OPTION_VERSION,
       OPTIONS_MAX = SETTING_COUNT + ALIAS_COUNT + 5
};

struct options {
    char names[SETTING_COUNT + ALIAS_COUNT][CONFIG_KEY_MAX];
    struct option list[OPTIONS_MAX];
    char letters[2 * SETTING_COUNT + 8];
};

static void options_make(struct options *o)
{
    static const struct option own[] = {
        {"config", required_argument, NULL, OPTION_CONFIG},
        {"help", no_argument, NULL, OPTION_HELP},
        {"print-config", no_argument, NULL, OPTION_PRINT},
        {"version", no_argument, NULL, OPTION_VERSION},
        {NULL, 0, NULL, 0}};
    size_t count = 0, letters = 0;

    o->letters[letters++] =
        ':'; /* a missing value is told apart from an unknown option */
    for (int i = 0; i < SETTING_COUNT; i++) {
        const bool flag = config_table[i].type == FLAG;
        config_key(config_table[i].name, o->names[count]);
        o->list[count] = (struct option){
            o->names[count], flag ? no_argument : required_argument, NULL, i + 256};
        count++;
        if (config_table[i].letter) {
            o->letters[letters++] = (char)config_table[i].letter;
            o->letters[letters++] = ':';
        }
    }
    for (size_t i = 0; i < ALIAS_COUNT; i++, count++) {
        config_key(alias_table[i].name, o->names[count]);
        o->list[count] = (struct option){o->names[count], required_argument, NULL,
                                         (int)alias_table[i].setting + 256};
    }
    memcpy(&o->list[count], own, sizeof(own));
    memcpy(&o->letters[letters], "c:hV", 5);
}

static int letter_setting(int letter)
{
    for (int i = 0; i < SETTING_COUNT; i++) {
        if (config_table[i].letter == letter)
            return i;
    }
    return -1;
}

static enum status option_unknown(char *const *argv, int found, struct error *err)
{
    const char *word = argv[optind - 1];

    if (found == ':')
        return error_set(err, STATUS_USAGE, "%s: expected a value after it", word);
    if (optopt && word[0] == '-' && word[1] != '-')
        return error_set(err, STATUS_USAGE, "-%c: no such option, --help lists them",
                         optopt);
    return error_set(err, STATUS_USAGE, "%s: no such option, --help lists them", word);
}

static enum status option_apply(struct config *config, int found, const char *text,
                                struct error *err)
{
    char key[CONFIG_KEY_MAX], place[CONFIG_KEY_MAX + 2];

    switch (found) {
    case 'c':
    case OPTION_CONFIG:
        if (strlen(text) >= CONFIG_PATH_MAX || !*text)
            return error_set(err, STATUS_USAGE,
                             "--config: expected a path of 1 to %d characters",
                             CONFIG_PATH_MAX - 1);
        memcpy(config->path, text, strlen(text) + 1);
        return STATUS_OK;
    case 'h':
    case OPTION_HELP:
        config->action = CONFIG_HELP;
        return STATUS_OK;
    case OPTION_PRINT:
        config->action = CONFIG_PRINT;
        return STATUS_OK;
    case 'V':
    case OPTION_VERSION:
        config->action = CONFIG_VERSION;
        return STATUS_OK;
    default:
        break;
    }
    const int setting = found >= 256 ? found - 256 : letter_setting(found);
    assert(setting >= 0);
    assert(setting < SETTING_COUNT);
    config_key(config_table[setting].name, key);
    snprintf(place, sizeof(place), "--%s", key);
    return config_set(config, (enum setting)setting, FROM_COMMAND_LINE, place,
                      text ? text : "yes", err);
}

enum status config_options_read(struct config *config, int argc, char **argv,
                                struct error *err)
{
    struct options options = {0};
    enum status status = STATUS_OK;
    int found;

    options_make(&options);
    optind = 0; /* glibc and musl: begin anew */
    opterr = 0;
    while (!status) {
        optopt = 0;
        found = getopt_long(argc, argv, options.letters, options.list, NULL);
        if (found == -1)
            break;
        status = found == '?' || found == ':' ? option_unknown(argv, found, err)
                                              : option_apply(config, found, optarg, err);
    }
    if (!status && optind < argc)
        status = error_set(err, STATUS_USAGE,
                           "\"%.60s\": expected an option here, --help lists them",
                           argv[optind]);
    if (status == STATUS_BAD_CONFIG)
        status = STATUS_USAGE;
    if (status && err)
        err->status = status;
    return status;
}
