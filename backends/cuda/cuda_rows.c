/*
 * cuda_rows.c - walks the tables of ways to multiply and of tuned kernels, best first.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <string.h>

#include "backends/cuda/cuda_calls.h"
#include "backends/cuda/cuda_plans.h"

enum { LINES = 1 << 14, RANK = 128 }; /* of a product as it is mined most */

const struct cuda_matmul *const cuda_rows[] = {
#define CUDA_MATMUL(row) &cuda_matmul_##row,
#include "backends/cuda/cuda_matmul.def"
#undef CUDA_MATMUL
};
const size_t cuda_row_count = sizeof cuda_rows / sizeof cuda_rows[0];

/* The last row of each keeps the array from being empty. */
const struct cuda_tuned cuda_tuned_rows[] = {
#define CUDA_TUNED(text, entry, capability)                                              \
    {KERNEL_##text, #entry, capability, entry##_grid},
#include "backends/cuda/cuda_tuned.def"
#undef CUDA_TUNED
    {KERNEL_COUNT, NULL, 0, NULL},
};
const size_t cuda_tuned_count = sizeof cuda_tuned_rows / sizeof cuda_tuned_rows[0] - 1;

const struct cuda_joint cuda_joint_rows[] = {
#define CUDA_JOINT(first, second, entry, capability)                                     \
    {KERNEL_##first, KERNEL_##second, #entry, capability, entry##_grid},
#include "backends/cuda/cuda_joint.def"
#undef CUDA_JOINT
    {KERNEL_COUNT, KERNEL_COUNT, NULL, 0, NULL},
};
const size_t cuda_joint_count = sizeof cuda_joint_rows / sizeof cuda_joint_rows[0] - 1;

bool cuda_row_runs(const struct cuda_matmul *row, uint32_t capability)
{
    const uint32_t *gap = row->capability_gap;

    return capability >= row->capability_min &&
           (!row->capability_max || capability <= row->capability_max) &&
           !(gap[0] && capability >= gap[0] && capability <= gap[1]);
}

/* The plain row needs no kernel of its own. */
static bool row_has_kernels(const struct device *device, size_t row, enum cuda_mode mode)
{
    return !cuda_rows[row]->entries[mode] ? row + 1 == cuda_row_count
                                          : device->products[row][mode] != NULL;
}

/* The named one and what is always there; without a name all that were seen to be right,
 * on this card where they are on trial. */
static bool row_may(const struct device *device, size_t row)
{
    if (row + 1 == cuda_row_count)
        return true;
    return device->only ? cuda_rows[row] == device->only
                        : !cuda_rows[row]->is_trial || device->is_proven[row];
}

static bool row_is_established(const struct device *device, size_t row)
{
    (void)device;
    return !cuda_rows[row]->is_trial;
}

/* The first one that is allowed and suits; the plain one at the end. */
static size_t row_find(const struct device *device, const struct cuda_ask *ask,
                       bool (*is_allowed)(const struct device *device, size_t row))
{
    size_t row = 0;

    while (row + 1 < cuda_row_count &&
           !(is_allowed(device, row) && row_has_kernels(device, row, ask->mode) &&
             cuda_rows[row]->suits(&device->traits, ask)))
        row++;
    return row;
}

size_t cuda_row_choose(const struct device *device, const struct cuda_ask *ask)
{
    return row_find(device, ask, row_may);
}

size_t cuda_row_established(const struct device *device, const struct cuda_ask *ask)
{
    return row_find(device, ask, row_is_established);
}

const char *cuda_row_name(const struct device *device)
{
    const struct matmul_plan plan = cuda_plan_lane();
    const struct cuda_ask ask = {.mode = CUDA_MINED,
                                 .m = LINES,
                                 .n = LINES,
                                 .k = LINES,
                                 .rank = RANK,
                                 .rows = &plan.rows,
                                 .columns = &plan.columns};

    return device->only ? device->only->name
                        : cuda_rows[cuda_row_choose(device, &ask)]->name;
}

enum status cuda_row_name_only(struct device *device, const char *name, struct error *err)
{
    for (size_t i = 0; i < cuda_row_count; i++) {
        if (strcmp(cuda_rows[i]->name, name) != 0)
            continue;
        device->only = cuda_rows[i];
        if (i + 1 == cuda_row_count) { /* the texts alone */
            memset(device->tuned, 0, sizeof device->tuned);
            memset(device->joint, 0, sizeof device->joint);
        }
        for (enum cuda_mode mode = 0; mode < CUDA_MODES; mode++)
            if (row_has_kernels(device, i, mode))
                return STATUS_OK;
        return error_set(err, STATUS_ABSENT,
                         "cuda: \"%s\" has no kernels for compute capability %u.%u", name,
                         device->traits.capability / 10, device->traits.capability % 10);
    }
    return error_set(err, STATUS_NOT_FOUND,
                     "cuda: \"%s\" is no way to multiply, expected one of "
                     "cuda_matmul.def such as %s",
                     name, cuda_rows[cuda_row_count - 1]->name);
}

enum status cuda_plan(struct device *device, uint32_t m, uint32_t n, uint32_t k,
                      uint32_t work_max, struct matmul_plan *out)
{
    for (size_t row = 0; row < cuda_row_count; row++)
        if (row_may(device, row) && row_has_kernels(device, row, CUDA_MINED) &&
            cuda_rows[row]->plan(m, n, k, work_max, out))
            return STATUS_OK;
    return STATUS_NOT_SUPPORTED;
}
