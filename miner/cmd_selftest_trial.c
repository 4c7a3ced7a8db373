/*
 * cmd_selftest_trial.c - `minerva selftest --trial`: ways to multiply that were never
 * seen on a card of this kind are tried on the one at hand, and used where they are right
 * and faster.
 *
 * Exit 0 when none was wrong, 5 when one was or did not end, 1 when one could not be
 * tried or nothing can be kept, 4 without a device.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/cmd_selftest.h"

#include <stdio.h>
#include <string.h>

#include "backends/device.h"
#include "miner/commands.h"
#include "miner/way_trial.h"

struct trial { /* of one device */
    const struct device_entry *entry;
    const struct trial_options *options;
    struct ways ways;
    struct way_verdict verdicts[WAYS_MAX];
    bool is_tried[WAYS_MAX];
    bool is_kept;
};

static enum status ways_ask(const struct device_entry *entry, const char *kernel_cache,
                            struct ways *out, struct error *err)
{
    const struct device_options options = {.kernel_cache = kernel_cache};
    struct device *device = NULL;
    enum status status =
        device_open(entry->backend, entry->index, &options, &device, err);

    if (!status)
        *out = device_info(device)->ways;
    device_close(device);
    return status;
}

static void ways_try(struct trial *trial)
{
    const char *wanted = trial->options->way;

    for (uint32_t i = 0; i < trial->ways.count; i++) {
        struct way *way = &trial->ways.list[i];

        if (wanted && strcmp(wanted, way->name) != 0)
            continue;
        trial->is_tried[i] = true;
        way_trial_run(trial->entry, way->name, trial->options->limit_s,
                      &trial->verdicts[i]);
        way->state = trial->verdicts[i].state;
        way->permille = trial->verdicts[i].permille;
    }
    ways_choose(&trial->ways);
}

static void print_right(const struct trial *trial, const struct way *way,
                        const struct way_verdict *verdict)
{
    const double times = verdict->permille / 1000.0;

    printf("right in %u products, ", verdict->products);
    if (way->state == WAY_USED)
        printf("%.2f times %s: %s\n", times, way->rival,
               trial->is_kept ? "used from now on" : "not kept, so not used");
    else if (verdict->permille > 1000)
        printf("%.2f times %s, but another one is faster: not used\n", times, way->rival);
    else
        printf("but slower (%.2f times %s): not used\n", times, way->rival);
}

static int print_way(const struct trial *trial, uint32_t index)
{
    const struct way *way = &trial->ways.list[index];
    const struct way_verdict *verdict = &trial->verdicts[index];

    printf("%s:%u %s: ", trial->entry->backend->name, trial->entry->number, way->name);
    switch (verdict->state) {
    case WAY_USED:
    case WAY_SLOWER:
        print_right(trial, way, verdict);
        return EXIT_CODE_OK;
    case WAY_WRONG:
        printf("wrong: %s: not used\n", verdict->why);
        return EXIT_CODE_SELFTEST;
    case WAY_STUCK:
        printf("did not end within %u s: not used\n", trial->options->limit_s);
        return EXIT_CODE_SELFTEST;
    default:
        printf("could not be tried: %s\n", verdict->why);
        return EXIT_CODE_FAILED;
    }
}

static int worse(int a, int b)
{
    return a == EXIT_CODE_SELFTEST || !b ? a : b;
}

static int device_try(struct trial *trial)
{
    const char *folder = trial->options->kernel_cache;
    uint32_t tried = 0;
    struct error err = {0};
    int code = EXIT_CODE_OK;

    if (ways_ask(trial->entry, folder, &trial->ways, &err)) {
        fprintf(stderr, "minerva selftest: device %u (%s): %s\n", trial->entry->number,
                trial->entry->backend->name, error_text(&err));
        return EXIT_CODE_NO_DEVICE;
    }
    ways_try(trial);
    for (uint32_t i = 0; i < trial->ways.count; i++)
        tried += trial->is_tried[i];
    if (!tried) {
        printf("%s:%u: %s%s is on trial here\n", trial->entry->backend->name,
               trial->entry->number, trial->options->way ? "no " : "nothing",
               trial->options->way ? trial->options->way : "");
        return EXIT_CODE_OK;
    }
    if (folder && ways_keep(&trial->ways, folder, &err)) {
        fprintf(stderr, "minerva selftest: what was seen cannot be kept: %s\n",
                error_text(&err));
        code = EXIT_CODE_FAILED;
    }
    trial->is_kept = folder && !code;
    for (uint32_t i = 0; i < trial->ways.count; i++)
        if (trial->is_tried[i])
            code = worse(print_way(trial, i), code);
    return fflush(stdout) ? worse(EXIT_CODE_FAILED, code) : code;
}

int cmd_selftest_trial(const struct device_list *list,
                       const struct trial_options *options)
{
    int code = EXIT_CODE_OK;

    for (size_t i = 0; i < list->count; i++) {
        struct trial trial = {.entry = &list->entries[i], .options = options};

        code = worse(device_try(&trial), code);
    }
    return code;
}
