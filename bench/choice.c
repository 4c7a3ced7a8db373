/*
 * choice.c - which benchmarks words name.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/choice.h"

#include <string.h>

enum { WORD_MAX = 32 };

/* A group's word stands for all whose names begin with it: what of it the device has is
 * timed.  The ladder has its whole products too. */
static bool is_of_group(const struct bench_kind *kind, const char *word)
{
    const size_t size = strlen(word);

    if (strcmp(word, "ladder") != 0 && strcmp(word, "steps") != 0)
        return false;
    if (strncmp(kind->name, word, size) == 0)
        return kind->name[size] == '_';
    if (strcmp(word, "steps") == 0)
        return false;
    return kind == &bench_int8_product || kind == &bench_tickets ||
           kind == &bench_mining || kind == &bench_useful;
}

/* Timed where nothing is named. */
static bool is_usual(const struct bench_kind *kind, const struct bench_setup *setup)
{
    return (kind != &bench_embed || setup->model) && !is_of_group(kind, "steps");
}

static bool group_take(const char *word, enum bench_want *wants)
{
    bool is_found = false;

    for (size_t i = 0; i < bench_count; i++) {
        if (!is_of_group(bench_table[i], word))
            continue;
        is_found = true;
        wants[i] = wants[i] ? wants[i] : BENCH_MAY;
    }
    return is_found;
}

enum status choice_take(const char *only, const struct bench_setup *setup,
                        enum bench_want *wants, struct error *err)
{
    const char *next = only;

    for (size_t i = 0; i < bench_count; i++)
        wants[i] = !next && is_usual(bench_table[i], setup) ? BENCH_MAY : BENCH_OUT;
    while (next) {
        const size_t size = strcspn(next, ",");
        char name[WORD_MAX] = "";
        size_t found = 0;

        if (size < sizeof name)
            memcpy(name, next, size);
        while (found < bench_count && strcmp(bench_table[found]->name, name) != 0)
            found++;
        if (found < bench_count)
            wants[found] = BENCH_MUST;
        else if (!group_take(name, wants))
            return error_set(
                err, STATUS_USAGE, "--only: no benchmark \"%.*s\", expected some of %s",
                (int)(size < 40 ? size : 40), next,
                "int8_product, cublaslt_int8, mma_peak, tickets, mining, useful, embed, "
                "blake3, verify_share, new_header, ladder, steps");
        next = next[size] ? next + size + 1 : NULL;
    }
    for (size_t i = 0; i < bench_count; i++)
        if (wants[i] && bench_table[i] == &bench_embed && (!setup->model || !setup->text))
            return error_set(err, STATUS_USAGE,
                             "embed needs --model DIR and --text FILE");
    return STATUS_OK;
}
