/*
 * task.h - what a kind of useful work must do, and its checked face.
 *
 * A station is a kind made ready on one device, weights and memory and all; a task is one
 * assignment on a station.  Both belong to the device's thread.  The questions about an
 * assignment (layout, shape, weights, split, join) need no device: requesters and pools
 * ask them from any thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_TASKS_TASK_H
#define MINERVA_TASKS_TASK_H

#include "miner/models/model.h"
#include "miner/work/answer.h"
#include "miner/work/assignment.h"
#include "miner/work/site.h"

struct station;
struct task;

struct task_options {
    const struct artifact
        *artifact; /* lent for the station's life; NULL for kinds without a model */
    uint32_t rows; /* largest pack to be ready for */
};

/* The canonical layout of an assignment's matrices (task-pool.md section 5). Owned by the
 * caller. */
struct task_layout {
    uint32_t items;
    uint64_t rows; /* token rows of all items */
    uint32_t packs;
    uint32_t *pack_items;  /* [packs + 1]: first item of each pack */
    uint64_t *pack_rows;   /* [packs] */
    uint32_t products;     /* a pack */
    uint64_t work_units;   /* multiply-accumulates of all products, limbs included */
    uint64_t output_size;  /* bytes of the result, exactly */
    uint64_t rows_longest; /* of the largest pack: what a station must hold */
};
void task_layout_free(struct task_layout *layout); /* the arrays; NULL is fine */
void task_parts_free(struct blob *parts,
                     uint32_t count); /* what split() gave; NULL is fine */

struct task_kind {
    const char *name;
    bool needs_model;
    /* Refuses what can never run (no items, an item too long, ids outside the vocabulary,
     * a shape outside the limits) with a sentence. */
    enum status (*layout)(const struct artifact *artifact, const struct assignment *work,
                          struct task_layout *out, struct error *err);
    /* Shape of a site that exists in the layout. */
    struct model_shape (*shape)(const struct artifact *artifact,
                                const struct assignment *work,
                                const struct task_layout *layout, struct site site);
    /* The right operand of a site, n x k, appended to out. */
    enum status (*weights)(const struct artifact *artifact, const struct assignment *work,
                           uint32_t product, struct blob *out);
    enum status (*setup)(struct device *device, const struct task_options *options,
                         struct station **out, struct error *err);
    void (*teardown)(struct station *station);
    enum status (*open)(struct station *station, const struct assignment *work,
                        struct task **out,
                        struct error *err); /* work is lent for the task's life */
    void (*close)(struct task *task);
    enum status (*step)(
        struct task *task,
        struct matmul_port *port); /* OK: again; DONE: answer() is ready */
    /* The right operand of a product on the device, for proof-of-work ports to prepare.
     */
    struct weights *(*operand)(const struct task *task, uint32_t product);
    void (*progress)(const struct task *task, uint64_t *done,
                     uint64_t *total); /* items */
    enum status (*answer)(const struct task *task,
                          struct blob *output); /* canonical safetensors */
    /* Inputs of at most rows_max rows that together are input (at least one);
     * NOT_SUPPORTED: indivisible. */
    enum status (*split)(struct bytes input, uint64_t rows_max, struct blob **parts,
                         uint32_t *count, struct error *err);
    /* The outputs of the parts, in order, as the output of the whole. */
    enum status (*join)(const struct bytes *parts, uint32_t count, struct blob *out,
                        struct error *err);
};

/* Every kind's struct station and struct task begin with these. */
struct station_head {
    const struct task_kind *kind;
    struct device *device;
    const struct artifact *artifact;
    uint32_t rows;
};
struct task_head {
    const struct task_kind *kind;
    struct station *station;
    const struct assignment *work;
    uint64_t macs; /* done so far */
    bool is_done;  /* answer() is ready; set by task_step() */
};

#define TASK(file) extern const struct task_kind task_##file;
#include "miner/tasks/tasks.def"
#undef TASK
extern const struct task_kind *const task_table[];
extern const size_t task_count;
const struct task_kind *task_kind_find(const char *name); /* NULL: none */

/* layout() of the kind that work names. */
MUST_CHECK enum status task_layout_make(const struct artifact *artifact,
                                        const struct assignment *work,
                                        struct task_layout *out, struct error *err);
/* The largest m, n and k of any site of the layout, each on its own: what sizes a port.
 */
struct model_shape task_shape_max(const struct artifact *artifact,
                                  const struct assignment *work,
                                  const struct task_layout *layout);

MUST_CHECK enum status station_setup(const struct task_kind *kind, struct device *device,
                                     const struct task_options *options,
                                     struct station **out, struct error *err);
void station_teardown(struct station *station);
MUST_CHECK enum status task_open(struct station *station, const struct assignment *work,
                                 struct task **out, struct error *err);
void task_close(struct task *task);
struct weights *task_operand(const struct task *task, uint32_t product);
MUST_CHECK enum status task_step(struct task *task, struct matmul_port *port);
void task_progress(const struct task *task, uint64_t *done, uint64_t *total);
MUST_CHECK enum status task_answer(const struct task *task, struct blob *output);

#endif
