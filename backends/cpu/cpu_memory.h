/*
 * cpu_memory.h - how much memory the machine, or what contains this process, can spare.
 *
 * No state, any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CPU_MEMORY_H
#define MINERVA_BACKENDS_CPU_MEMORY_H

#include <stdint.h>

uint64_t cpu_memory_total(void); /* bytes; 0: unknown */
uint64_t cpu_memory_free(void);  /* now, caches that can go included; 0: unknown */

#endif
