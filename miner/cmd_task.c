/*
 * cmd_task.c - `minerva task`: useful work for those who want it done, here or by a pool.
 *
 * SPDX-License-Identifier: MIT
 */
#include "miner/cmd_task.h"

#include <stdio.h>
#include <string.h>

#include "miner/base/file.h"
#include "miner/models/safetensors.h"
#include "miner/neighbours.h"

static const char help[] =
    "usage: minerva task run     run a task on this machine\n"
    "       minerva task submit  hand a task to a pool; prints its id\n"
    "       minerva task status  ask a pool how far a task is\n"
    "       minerva task claim   fetch the result of a task\n"
    "\n"
    "`minerva task WORD --help` says more of each.\n";

int cmd_task_fail(const char *word, const struct error *err)
{
    fprintf(stderr, "minerva task %s: %s\n", word, error_text(err));
    switch (err->status) {
    case STATUS_USAGE:
    case STATUS_BAD_CONFIG:
        return EXIT_CODE_USAGE;
    case STATUS_NO_DEVICE:
    case STATUS_ABSENT:
        return EXIT_CODE_NO_DEVICE;
    default:
        return EXIT_CODE_FAILED;
    }
}

/* The hash of a product, as text; false when the result is none. */
static bool show_hash(struct bytes result)
{
    struct safetensors file = {0};
    char text[65];

    if (safetensors_parse_canonical(result, &file, NULL))
        return false;
    const struct tensor *hash = safetensors_find(&file, "blake3");
    const bool is_hash = hash && hash->dtype == DTYPE_U8 && hash->data.size == 32;
    if (is_hash) {
        hex_encode(hash->data.data, hash->data.size, text);
        printf("blake3  %s\n", text);
    }
    safetensors_free(&file);
    return is_hash;
}

enum status cmd_task_show(struct bytes result, struct bytes text, const char *output,
                          struct error *err)
{
    struct fault_record fault;
    struct embeddings vectors;

    if (output) {
        const enum status status = file_write(output, result, err);
        /* A fault record is an answer and is kept, but the person wanted vectors. */
        return status || !fault_record_parse(result, &fault)
                   ? status
                   : embeddings_parse(result, &vectors, err);
    }
    if (show_hash(result))
        return STATUS_OK;
    const enum status status = embeddings_parse(result, &vectors, err);
    if (status)
        return status;
    return neighbours_print(&vectors, text, err);
}

int cmd_task(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } words[] = {
        {"run", cmd_task_run},
        {"submit", cmd_task_submit},
        {"status", cmd_task_status},
        {"claim", cmd_task_claim},
    };

    if (argc < 2) {
        fputs(help, stderr);
        return EXIT_CODE_USAGE;
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (!strcmp(argv[1], words[i].name))
            return words[i].run(argc - 1, argv + 1);
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        fputs(help, stdout);
        return EXIT_CODE_OK;
    }
    fprintf(stderr,
            "minerva task: there is no \"%s\", expected run, submit, status or claim\n",
            argv[1]);
    return EXIT_CODE_USAGE;
}
