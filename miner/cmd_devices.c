/*
 * cmd_devices.c - `minerva devices`: what can compute here, what cannot, and why not.
 *
 * SPDX-License-Identifier: MIT
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include "miner/commands.h"
#include "miner/devices_json.h"

enum { JSON_SIZE_MAX = 1 << 20, MEMORY_TEXT_MAX = 24 };

static const char devices_help[] =
    "usage: minerva devices [--json]\n\n"
    "Lists the devices of this machine under the numbers that -d takes, and what this "
    "build\n"
    "lacks; a \"no\" carries its reason.\n\n"
    "exit code: 0 when at least one device is usable, else 4\n";

#define COLUMNS "%2s  %-7s  %-8s  %-32.32s  %9s  %-36.36s  %s\n"

static void print_device(const struct device_entry *entry)
{
    const struct device_info *info = &entry->info;
    char number[12], memory[MEMORY_TEXT_MAX], usable[sizeof info->reason + 8];

    snprintf(number, sizeof number, "%u", entry->number);
    snprintf(memory, sizeof memory, "%.1f GB", (double)info->memory_bytes / 1e9);
    snprintf(usable, sizeof usable, "%s%s", info->reason[0] ? "no: " : "yes",
             info->reason);
    printf(COLUMNS, number, entry->backend->name, info->bus, info->name, memory,
           info->detail, usable);
}

static void print_table(const struct device_list *list)
{
    printf(COLUMNS, "#", "backend", "bus", "device", "memory", "detail", "usable");
    for (size_t i = 0; i < list->count; i++)
        print_device(&list->entries[i]);
    for (size_t i = 0; i < backend_count; i++) {
        char reason[200];

        if (!backend_table[i]->absent)
            continue;
        snprintf(reason, sizeof reason, "no: %s", backend_table[i]->absent);
        printf(COLUMNS, "-", backend_table[i]->name, "-", "-", "-", "-", reason);
    }
}

static int print_json(const struct device_list *list)
{
    struct blob text = blob_empty(JSON_SIZE_MAX);
    const enum status status = devices_json(list, &text);

    if (status)
        fprintf(stderr, "minerva devices: %s\n", status_text(status));
    else
        fwrite(text.data, 1, text.size, stdout);
    blob_free(&text);
    return status ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}

static int list_devices(bool is_json)
{
    struct device_list list;
    struct error err = {0};
    bool is_usable = false;
    int code = EXIT_CODE_OK;

    if (device_list_probe(&list, &err)) {
        fprintf(stderr, "minerva devices: %s\n", error_text(&err));
        return EXIT_CODE_FAILED;
    }
    for (size_t i = 0; i < list.count; i++)
        is_usable = is_usable || !list.entries[i].info.reason[0];
    if (is_json)
        code = print_json(&list);
    else
        print_table(&list);
    if (fflush(stdout))
        code = EXIT_CODE_FAILED;
    return code || is_usable ? code : EXIT_CODE_NO_DEVICE;
}

int cmd_devices(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    bool is_json = false;

    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;)
        switch (option) {
        case 'j':
            is_json = true;
            break;
        case 'h':
            fputs(devices_help, stdout);
            return EXIT_CODE_OK;
        default:
            fprintf(stderr,
                    "minerva devices: \"%s\" is not known (see minerva devices --help)\n",
                    argv[optind - 1]);
            return EXIT_CODE_USAGE;
        }
    if (optind < argc) {
        fprintf(
            stderr,
            "minerva devices: \"%s\" is one word too many (see minerva devices --help)\n",
            argv[optind]);
        return EXIT_CODE_USAGE;
    }
    return list_devices(is_json);
}
