/*
 * task_options.h - what a person may say to `minerva task run`.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_MINER_TASK_OPTIONS_H
#define MINERVA_MINER_TASK_OPTIONS_H

#include "miner/work/assignment.h"
#include "miner/work/job.h"

struct run_options { /* texts are argv's */
    const char *kind, *model, *text, *output;
    const char *devices; /* words of device_list_select(), or NULL */
    uint32_t threads, rows;
    struct task_parameters parameters;
    const char *prove; /* the folder, or NULL */
    struct job job;    /* what is proved against */
    bool wants_help, no_kernel_cache;
};

extern const char run_options_help[];

/* USAGE with a sentence for everything that does not fit together. */
MUST_CHECK enum status run_options_parse(int argc, char **argv, struct run_options *out,
                                         struct error *err);
/* "m,n,k" into out. */
MUST_CHECK enum status shape_parse(const char *text, struct task_parameters *out,
                                   struct error *err);

#endif
