/*
 * cuda_calls.h - what the files of this backend do for each other.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_CALLS_H
#define MINERVA_BACKENDS_CUDA_CALLS_H

#include "backends/cuda/cuda_device.h"

/* The sentence for a machine whose libcuda.so.1 is not found; trace: a file that a loaded
 * kernel module would leave. */
MUST_CHECK enum status cuda_driver_missing(const char *trace, struct error *err);

/* cuda_probe.c */
MUST_CHECK enum status cuda_probe(struct device_info *list, size_t cap, size_t *count);
/* Everything but free memory and the way to multiply; a reason where it cannot be used.
 */
void cuda_info_fill(const struct cuda_driver *driver, int index, struct device_info *info,
                    struct cuda_traits *traits, int *number);

/* cuda_calls.c: what the driver answered, as a status; the first failure is logged, for
 * no caller here has a sentence to give back, and ends the device unless it is only
 * memory. `what` was being done. */
enum status cuda_check(struct device *device, int code, const char *what);
/* Makes the context the thread's own; DEVICE_LOST for a device that has failed before. */
enum status cuda_enter(struct device *device);
enum status cuda_launch(struct device *device, struct cuda_function *function,
                        const struct cuda_grid *grid, void **arguments,
                        struct cuda_stream *stream);
/* A text over the half-open range, or its tuned kernel; views are addresses. */
enum status cuda_text(struct device *device, enum kernel kernel, const uint64_t range[2],
                      const uint64_t *views, const union scalar *scalars,
                      struct cuda_stream *stream);
/* From here on `order` waits for products that use the buffer, or what was packed. */
enum status cuda_touch(struct device *device, const struct buffer *buffer,
                       const struct packed *packed);
/* From here on `order` waits for the product that works in the set. */
enum status cuda_set_wait(struct device *device, struct cuda_set *set);
/* backend.h's launch() and launch_then(). */
MUST_CHECK enum status cuda_launch_text(struct device *device,
                                        const struct launch *launch);
MUST_CHECK enum status cuda_launch_then(struct device *device, const struct launch *first,
                                        const struct launch *second);

/* cuda_modules.c */
MUST_CHECK enum status cuda_modules_load(struct device *device, struct error *err);
void cuda_modules_unload(struct device *device);
/* NULL where no file of this build has it for this card. */
struct cuda_function *cuda_entry_find(const struct device *device, const char *name);

/* cuda_memory.c */
MUST_CHECK enum status cuda_memory_new(struct device *device, uint64_t size,
                                       uint64_t *out);
/* Once nothing on `order` uses it any more; whoever lets products use it has `order` wait
 * for them first (cuda_touch). */
void cuda_memory_free(struct device *device, uint64_t address);
MUST_CHECK enum status cuda_room_grow(struct device *device, struct cuda_room *room,
                                      uint64_t count, uint64_t size);
MUST_CHECK enum status cuda_staging_new(struct device *device);
void cuda_staging_free(struct device *device);
/* Through pinned memory, on `order`; `from` has been read when it returns. */
MUST_CHECK enum status cuda_send(struct device *device, uint64_t to, const void *from,
                                 size_t size);
MUST_CHECK enum status cuda_fetch(struct device *device, uint64_t from, void *to,
                                  size_t size);

/* cuda_scratch.c */
MUST_CHECK enum status cuda_sets_new(struct device *device);
void cuda_sets_free(struct device *device);
MUST_CHECK enum status cuda_reserve(struct device *device, uint32_t m, uint32_t n,
                                    uint32_t k, uint32_t rank);

/* cuda_packed.c */
MUST_CHECK enum status cuda_packed_new(struct device *device, uint32_t n, uint32_t k,
                                       struct packed **out);
void cuda_packed_free(struct device *device, struct packed *packed);
MUST_CHECK enum status cuda_pack(struct device *device, struct packed *to, struct view b,
                                 const struct noise *noise);
/* Both factors of one side's noise (0: a, 1: b), on `order`. */
struct cuda_factors {
    uint32_t side, lines, k;
    uint64_t seed, dense, pairs; /* 32 bytes, [lines][rank], [k][2] */
};
MUST_CHECK enum status cuda_factors_make(struct device *device, const struct noise *noise,
                                         const struct cuda_factors *factors);

/* So many rows of k bytes, one after another, to rows of whole CUDA_K_UNITs; on `order`.
 */
MUST_CHECK enum status cuda_rows_copy(struct device *device, uint64_t to, uint64_t from,
                                      uint32_t k, uint32_t count);

/* cuda_left.c: a as kernels read it, on `order`, and what they are told of it. */
MUST_CHECK enum status cuda_left_prepare(struct device *device,
                                         const struct multiply *ask,
                                         const struct cuda_set *set,
                                         struct cuda_product *product);

/* cuda_prepare.c */
struct cuda_work { /* a product on its way */
    struct device *device;
    const struct multiply *ask;
    struct cuda_set *set;
    struct cuda_run run;
    struct cuda_grid grid;
};
MUST_CHECK enum status cuda_work_check(const struct device *device,
                                       const struct multiply *ask);
bool cuda_work_is_nothing(const struct multiply *ask); /* there is nothing to make */
/* From device and ask: the set, and all that the run is told but its grid and range; made
 * now on `order`, unless it was made ahead. */
MUST_CHECK enum status cuda_work_prepare(struct cuda_work *work);
/* backend.h's prepare(), and what makes it forgotten. */
MUST_CHECK enum status cuda_prepare(struct device *device, const struct multiply *ask);
void cuda_ahead_touch(struct device *device, const struct buffer *buffer,
                      const struct packed *packed);

/* cuda_product.c */
MUST_CHECK enum status cuda_multiply(struct device *device,
                                     const struct multiply *multiply);

/* cuda_rows.c */
extern const struct cuda_matmul *const cuda_rows[]; /* of cuda_matmul.def, in its order */
extern const size_t cuda_row_count;
extern const struct cuda_tuned cuda_tuned_rows[];
extern const size_t cuda_tuned_count;
extern const struct cuda_joint cuda_joint_rows[];
extern const size_t cuda_joint_count;
/* Whether the card can run it at all. */
bool cuda_row_runs(const struct cuda_matmul *row, uint32_t capability);
/* The first row that suits; the plain one at the end. */
size_t cuda_row_choose(const struct device *device, const struct cuda_ask *ask);
/* The one that is taken where none on trial may be. */
size_t cuda_row_established(const struct device *device, const struct cuda_ask *ask);
/* What a device says of its ways: the named one, or that which mines by its own tile. */
const char *cuda_row_name(const struct device *device);
/* Only this row and the plain one from now on, and with the plain one's name the texts
 * alone; NOT_FOUND, or ABSENT on this card. */
MUST_CHECK enum status cuda_row_name_only(struct device *device, const char *name,
                                          struct error *err);
MUST_CHECK enum status cuda_plan(struct device *device, uint32_t m, uint32_t n,
                                 uint32_t k, uint32_t work_max, struct matmul_plan *out);

/* cuda_ways.c: lists the rows on trial in the device's info, and what was kept of them in
 * the folder (NULL: nothing). */
MUST_CHECK enum status cuda_ways_fill(struct device *device, const char *folder,
                                      struct error *err);

#endif
