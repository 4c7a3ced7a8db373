/*
 * cmd_devices.c - `minerva devices`: what can compute here, what cannot, and why not.
 *
 * SPDX-License-Identifier: MIT
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include "miner/base/memory.h"
#include "miner/commands.h"
#include "miner/devices_json.h"
#include "miner/kernel_cache.h"
#include "miner/way_untried.h"

enum { JSON_SIZE_MAX = 1 << 20, TEXT_SIZE = 32, VERDICT_SIZE = 320 };

static const char devices_help[] =
    "usage: minerva devices [--json] [--quick] [--no-kernel-cache]\n\n"
    "Lists the devices of this machine under the numbers that -d takes, lets each pass "
    "its\n"
    "self-test, and says what this build lacks; a \"no\" carries its reason.\n\n"
    "  --json   for programs\n"
    "  --quick  without the self-tests\n"
    "  --no-kernel-cache  compiles the kernels of OpenCL devices anew\n\n"
    "exit code: 0 when at least one device is usable, else 4\n";

#define COLUMNS "%2s  %-7s  %-10s  %-30.30s  %13s  %-20.20s  %-4s  %-12.12s  %s\n"

static bool is_usable(const struct device_entry *entry, const struct device_trial *trial)
{
    return !entry->info.reason[0] && (!trial->is_run || trial->is_passed);
}

static const char *text_or_line(const char *text)
{
    return *text ? text : "-";
}

static void size_text(const struct device_info *info, char text[TEXT_SIZE])
{
    const double free = (double)info->memory_free_bytes / 1e9,
                 all = (double)info->memory_bytes / 1e9;

    if (!info->memory_bytes)
        snprintf(text, TEXT_SIZE, "-");
    else if (info->memory_free_bytes)
        snprintf(text, TEXT_SIZE, "%.1f/%.1f GB", free, all);
    else
        snprintf(text, TEXT_SIZE, "?/%.1f GB", all);
}

static void verdict_text(const struct device_entry *entry,
                         const struct device_trial *trial, char text[VERDICT_SIZE])
{
    if (entry->info.reason[0])
        snprintf(text, VERDICT_SIZE, "no: %s", entry->info.reason);
    else if (!trial->is_run)
        snprintf(text, VERDICT_SIZE, "yes, not tested");
    else if (trial->is_passed)
        snprintf(text, VERDICT_SIZE, "yes, passed in %.2f s", trial->seconds);
    else
        snprintf(text, VERDICT_SIZE, "no: %s", error_text(&trial->err));
}

static void print_device(const struct device_entry *entry,
                         const struct device_trial *trial)
{
    const struct device_info *info = &entry->info;
    char number[TEXT_SIZE] = "-", memory[TEXT_SIZE], verdict[VERDICT_SIZE];

    if (device_entry_exists(entry))
        snprintf(number, sizeof number, "%u", entry->number);
    size_text(info, memory);
    verdict_text(entry, trial, verdict);
    printf(COLUMNS, number, entry->backend->name, text_or_line(info->bus),
           text_or_line(info->name), memory, text_or_line(info->driver),
           text_or_line(info->capability), text_or_line(info->variant), verdict);
}

/* Where nothing is kept, nothing that was tried is known. */
static void print_untried(const struct device_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct device_entry *entry = &list->entries[i];
        char text[WAY_UNTRIED_SIZE];

        if (way_untried_text(&entry->info, text))
            printf("%s:%u: %s\n", entry->backend->name, entry->number, text);
    }
}

static void print_table(const struct device_list *list, const struct device_trial *trials,
                        bool is_cache_on)
{
    printf(COLUMNS, "#", "backend", "bus", "device", "free/memory", "driver", "cc",
           "kernels", "usable");
    for (size_t i = 0; i < list->count; i++)
        print_device(&list->entries[i], &trials[i]);
    for (size_t i = 0; i < backend_count; i++) {
        char reason[VERDICT_SIZE];

        if (!backend_table[i]->absent)
            continue;
        snprintf(reason, sizeof reason, "no: %s", backend_table[i]->absent);
        printf(COLUMNS, "-", backend_table[i]->name, "-", "-", "-", "-", "-", "-",
               reason);
    }
    if (is_cache_on)
        print_untried(list);
}

static int print_json(const struct device_list *list, const struct device_trial *trials)
{
    struct blob text = blob_empty(JSON_SIZE_MAX);
    const enum status status = devices_json(list, trials, &text);

    if (status)
        fprintf(stderr, "minerva devices: %s\n", status_text(status));
    else
        fwrite(text.data, 1, text.size, stdout);
    blob_free(&text);
    return status ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}

static int list_devices(bool is_json, bool is_quick, const char *kernel_cache)
{
    struct device_list *list = memory_new(struct device_list);
    struct device_trial *trials = memory_array(DEVICE_LIST_MAX, sizeof *trials);
    struct error err = {0};
    bool found = false;
    int code = EXIT_CODE_FAILED;

    if (!list || !trials) {
        fprintf(stderr, "minerva devices: out of memory\n");
    } else if (device_list_probe(list, &err)) {
        fprintf(stderr, "minerva devices: %s\n", error_text(&err));
    } else {
        for (size_t i = 0; i < list->count; i++) {
            if (!is_quick && !list->entries[i].info.reason[0])
                device_trial_run(&list->entries[i], kernel_cache, &trials[i]);
            found = found || is_usable(&list->entries[i], &trials[i]);
        }
        code = EXIT_CODE_OK;
        if (is_json)
            code = print_json(list, trials);
        else
            print_table(list, trials, kernel_cache != NULL);
        if (fflush(stdout))
            code = EXIT_CODE_FAILED;
    }
    memory_free(trials);
    memory_free(list);
    return code || found ? code : EXIT_CODE_NO_DEVICE;
}

int cmd_devices(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'},
        {"quick", no_argument, NULL, 'q'},
        {"no-kernel-cache", no_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    char folder[KERNEL_CACHE_MAX];
    bool is_json = false, is_quick = false, has_no_cache = false;

    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;)
        switch (option) {
        case 'j':
            is_json = true;
            break;
        case 'q':
            is_quick = true;
            break;
        case 'c':
            has_no_cache = true;
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
    return list_devices(is_json, is_quick,
                        kernel_cache_folder(NULL, has_no_cache, folder));
}
