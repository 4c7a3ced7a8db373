/*
 * memory.h - the only place that asks the system for memory.
 *
 * Everything comes zeroed and aligned to 64 bytes (one cache line, one AVX-512 register).
 * Sizes are products that are checked for overflow.  A test can make the n-th request
 * fail.  Any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BASE_MEMORY_H
#define MINERVA_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* count * size bytes, zeroed; NULL when they cannot be had or the product overflows.  A
 * size of 0 gives a pointer that may be freed and not read. */
void *memory_array(size_t count, size_t size) __attribute__((warn_unused_result));
/* One zeroed object. */
#define memory_new(type) ((type *)memory_array(1, sizeof(type)))
void memory_free(void *pointer); /* NULL is fine */

/* A copy of text (NULL stays NULL), or NULL without memory. */
char *memory_text(const char *text) __attribute__((warn_unused_result));

/* From now on the n-th request of this process fails (1: the next one); 0 switches that
 * off. */
void memory_fail_at(uint64_t n);

#endif
