/*
 * cmd_selftest.c - `minerva selftest`: known answers, bit for bit, on every device; with
 * --trial what is on trial there (cmd_selftest_trial.c).
 *
 * Prints one line a case that fails and a count.  Exit 0 when all hold, 5 otherwise, 1
 * when the vectors cannot be read, 4 without a device.
 *
 * SPDX-License-Identifier: MIT
 */
#include <dirent.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "miner/base/bytes.h"
#include "miner/base/file.h"
#include "miner/base/memory.h"
#include "miner/cmd_selftest.h"
#include "miner/commands.h"
#include "miner/device_list.h"
#include "miner/kernel_cache.h"
#include "miner/selftest.h"
#include "miner/way_trial.h"

enum { FILES_MAX = 256, PATH_SIZE = 1024, DEPTH_MAX = 4, FILE_SIZE_MAX = 64 << 20 };
enum { LIMIT_S = 60, LIMIT_S_MAX = 3600 };

struct files { /* of worked cases, sorted */
    size_t count;
    char paths[FILES_MAX][PATH_SIZE];
};

struct tally {
    uint64_t cases, failed, skipped;
    const char *kernel_cache; /* as in struct device_options */
};

/* --- which files --- */

static enum status files_find(struct files *files, const char *folder, int depth,
                              struct error *err);

static enum status files_take(struct files *files, const char *path, int depth,
                              struct error *err)
{
    const size_t size = strlen(path);
    struct stat about;

    if (stat(path, &about))
        return error_set(err, STATUS_IO, "%s cannot be read", path);
    if (S_ISDIR(about.st_mode))
        return depth < DEPTH_MAX ? files_find(files, path, depth + 1, err) : STATUS_OK;
    if (size < 5 || strcmp(path + size - 5, ".json"))
        return STATUS_OK;
    if (files->count == FILES_MAX)
        return error_set(err, STATUS_FULL, "more than %d files of vectors", FILES_MAX);
    snprintf(files->paths[files->count++], PATH_SIZE, "%s", path);
    return STATUS_OK;
}

static enum status files_find(struct files *files, const char *folder, int depth,
                              struct error *err)
{
    DIR *list = opendir(folder);
    enum status status = STATUS_OK;

    if (!list)
        return error_set(err, STATUS_IO, "%s is no folder that can be read", folder);
    for (const struct dirent *entry; !status && (entry = readdir(list));) {
        char path[PATH_SIZE];
        if (entry->d_name[0] == '.')
            continue;
        status = file_join(folder, entry->d_name, path, sizeof(path), err);
        if (!status)
            status = files_take(files, path, depth, err);
    }
    closedir(list);
    return status;
}

static int path_order(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* --- what they say --- */

static void count(struct tally *tally, const struct device_entry *entry,
                  const char *where, enum status status, const struct error *err)
{
    if (status == STATUS_NOT_SUPPORTED) {
        tally->skipped++;
        return;
    }
    tally->cases++;
    if (!status)
        return;
    tally->failed++;
    printf("FAILED  %s%u  %s  %s\n", entry->backend->name, entry->number, where,
           error_text(err));
}

static void run_builtin(struct device *device, const struct device_entry *entry,
                        struct tally *tally)
{
    for (size_t i = 0; i < selftest_builtin_count(); i++) {
        struct error err = {0};
        count(tally, entry, "built-in", selftest_builtin(device, i, &err), &err);
    }
}

/* OK also for a file that holds no worked cases. */
static enum status run_file(struct device *device, const struct device_entry *entry,
                            const char *path, struct tally *tally, struct error *err)
{
    struct blob text = blob_empty(FILE_SIZE_MAX);
    struct vectors_json *vectors = NULL;
    enum status status = file_read(path, &text, err);

    if (!status)
        status = vectors_json_parse(blob_bytes(&text), &vectors, err);
    for (size_t i = 0; !status && i < vectors_json_count(vectors); i++) {
        struct vector_case given;
        struct error why = {0};
        status = vectors_json_case(vectors, i, &given, err);
        if (status)
            break;
        count(tally, entry, path, selftest_case(device, &given, &why), &why);
        vector_case_free(&given);
    }
    vectors_json_free(vectors);
    blob_free(&text);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status)
        error_prefix(err, "%s", path);
    return status;
}

static enum status run_device(const struct device_entry *entry, const struct files *files,
                              struct tally *tally, struct error *err)
{
    const struct device_options options = {.kernel_cache = tally->kernel_cache};
    struct device *device = NULL;
    enum status status =
        device_open(entry->backend, entry->index, &options, &device, err);

    if (status) {
        error_prefix(err, "device %u (%s)", entry->number, entry->backend->name);
        return STATUS_NO_DEVICE;
    }
    run_builtin(device, entry, tally);
    for (size_t i = 0; !status && files && i < files->count; i++)
        status = run_file(device, entry, files->paths[i], tally, err);
    device_close(device);
    return status;
}

/* --- the command --- */

static enum status run_all(const char *words, const char *folder, struct tally *tally,
                           struct error *err)
{
    struct device_list *list = memory_new(struct device_list);
    struct files *files = folder ? memory_new(struct files) : NULL;
    enum status status = STATUS_OK;

    if (!list || (folder && !files))
        status = error_set(err, STATUS_NO_MEMORY, "out of memory");
    if (!status && folder)
        status = files_find(files, folder, 0, err);
    if (!status && folder)
        qsort(files->paths, files->count, PATH_SIZE, path_order);
    if (!status)
        status = device_list_probe(list, err);
    if (!status)
        status = device_list_select(list, words, err);
    for (size_t i = 0; !status && i < list->count; i++) {
        const uint64_t builtin = (i + 1) * selftest_builtin_count();
        status = run_device(&list->entries[i], files, tally, err);
        if (!status && folder && tally->cases <= builtin && !tally->skipped)
            status = error_set(err, STATUS_NOT_FOUND, "%s holds no worked cases", folder);
    }
    memory_free(files);
    memory_free(list);
    return status;
}

static int exit_code_of(enum status status)
{
    switch (status) {
    case STATUS_USAGE:
        return EXIT_CODE_USAGE;
    case STATUS_NO_DEVICE:
    case STATUS_ABSENT:
        return EXIT_CODE_NO_DEVICE;
    default:
        return EXIT_CODE_FAILED;
    }
}

static int print_usage(FILE *out)
{
    fprintf(out,
            "usage: minerva selftest [-d DEVICES] [--vectors DIR]\n"
            "       minerva selftest --trial[=WAY] [-d DEVICES] [--limit SECONDS]\n\n"
            "  -d, --devices LIST   as minerva mine has it (all)\n"
            "      --vectors DIR    also the worked cases in DIR and below it\n"
            "      --trial[=WAY]    tries the ways to multiply that were not seen on a\n"
            "                       card of this kind yet (or one of them), each in a\n"
            "                       process of its own; those that are right and\n"
            "                       faster are used from then on\n"
            "      --limit SECONDS  how long a way may take (60)\n"
            "      --cache DIR      as minerva mine has it: where what was seen is kept\n"
            "      --no-kernel-cache  compiles the kernels of OpenCL devices anew, and\n"
            "                       keeps nothing of a trial\n"
            "  -h, --help           this list\n");
    return out == stdout ? EXIT_CODE_OK : EXIT_CODE_USAGE;
}

struct wishes {
    const char *words, *folder, *cache;
    const char *trial_of; /* a process that --trial started: the way to try */
    struct trial_options trial;
    bool is_trial, has_no_cache, wants_help;
};

static bool limit_read(const char *text, uint32_t *out)
{
    uint64_t value;

    if (!u64_parse(text, LIMIT_S_MAX, &value) || !value) {
        fprintf(stderr, "minerva selftest: --limit \"%s\": expected 1 to %d seconds\n",
                text, LIMIT_S_MAX);
        return false;
    }
    *out = (uint32_t)value;
    return true;
}

static bool option_take(int option, struct wishes *out)
{
    switch (option) {
    case 'd':
        out->words = optarg;
        return true;
    case 'v':
        out->folder = optarg;
        return true;
    case 'c':
        out->has_no_cache = true;
        return true;
    case 't':
        out->is_trial = true;
        out->trial.way = optarg;
        return true;
    case 'k':
        out->cache = optarg;
        return true;
    case 'o':
        out->trial_of = optarg;
        return true;
    case 'l':
        return limit_read(optarg, &out->trial.limit_s);
    case 'h':
        out->wants_help = true;
        return true;
    default:
        (void)print_usage(stderr);
        return false;
    }
}

static bool options_take(int argc, char **argv, struct wishes *out)
{
    static const struct option options[] = {{"devices", required_argument, NULL, 'd'},
                                            {"vectors", required_argument, NULL, 'v'},
                                            {"trial", optional_argument, NULL, 't'},
                                            {"trial-of", required_argument, NULL, 'o'},
                                            {"limit", required_argument, NULL, 'l'},
                                            {"cache", required_argument, NULL, 'k'},
                                            {"no-kernel-cache", no_argument, NULL, 'c'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};

    for (int found; (found = getopt_long(argc, argv, "d:h", options, NULL)) != -1;)
        if (!option_take(found, out))
            return false;
    if (optind < argc)
        fprintf(stderr, "minerva selftest: \"%s\": expected an option here\n",
                argv[optind]);
    return optind == argc;
}

static int fail(const struct error *err, enum status status)
{
    fprintf(stderr, "minerva selftest: %s\n", error_text(err));
    return exit_code_of(status);
}

static int run_trial(const struct wishes *wishes)
{
    struct device_list *list = memory_new(struct device_list);
    struct error err = {0};
    enum status status = list ? device_list_probe(list, &err)
                              : error_set(&err, STATUS_NO_MEMORY, "out of memory");
    int code;

    if (!status)
        status = device_list_select(list, wishes->words, &err);
    if (status)
        code = fail(&err, status);
    else if (wishes->trial_of)
        code = way_trial_print(&list->entries[0], wishes->trial_of);
    else
        code = cmd_selftest_trial(list, &wishes->trial);
    memory_free(list);
    return code;
}

int cmd_selftest(int argc, char **argv)
{
    struct wishes wishes = {.words = "all", .trial.limit_s = LIMIT_S};
    char cache[KERNEL_CACHE_MAX];
    struct tally tally = {0};
    struct error err = {0};

    if (!options_take(argc, argv, &wishes))
        return EXIT_CODE_USAGE;
    if (wishes.wants_help)
        return print_usage(stdout);
    tally.kernel_cache = kernel_cache_folder(wishes.cache, wishes.has_no_cache, cache);
    wishes.trial.kernel_cache = tally.kernel_cache;
    if (wishes.is_trial || wishes.trial_of)
        return run_trial(&wishes);
    const enum status status = run_all(wishes.words, wishes.folder, &tally, &err);
    if (status)
        return fail(&err, status);
    printf("%llu cases, %llu failed", (unsigned long long)tally.cases,
           (unsigned long long)tally.failed);
    if (tally.skipped)
        printf(", %llu of unknown operations", (unsigned long long)tally.skipped);
    printf("\n");
    return tally.failed ? EXIT_CODE_SELFTEST : EXIT_CODE_OK;
}
