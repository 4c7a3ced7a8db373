/*
 * noisy_gemm_commit.c - what a product's operands are committed to under its job: roots
 * and seeds, each made again only where something of it is new.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "miner/pow/noisy_gemm_attempt.h"
#include "miner/pow/operand_tree.h"

bool attempt_keeps_b(struct attempt *attempt)
{
    const struct weights *b = attempt->product->b;
    const struct weights_commitment *kept = &b->commitment;

    if (!kept->is_set || memcmp(kept->key, attempt->key, DIGEST_SIZE) != 0)
        return false;
    attempt->b.rank = attempt->configuration.rank;
    commitment_seed_b(attempt->key, kept->root, b->n, attempt->job->cert_version,
                      attempt->b.seed);
    return kept->is_noised && kept->noise.rank == attempt->b.rank &&
           memcmp(kept->noise.seed, attempt->b.seed, DIGEST_SIZE) == 0;
}

/* B's root, unless it is that of this key already. */
static enum status commit_root_b(const struct attempt *attempt, struct buffer *key)
{
    struct weights *b = attempt->product->b;
    struct weights_commitment *kept = &b->commitment;
    const struct operand_tree tree = {.device = attempt->device,
                                      .operand = b->values,
                                      .size = (uint64_t)b->n * b->k,
                                      .key = key,
                                      .tree = kept->tree};
    enum status status;

    if (kept->is_set && memcmp(kept->key, attempt->key, DIGEST_SIZE) == 0)
        return STATUS_OK;
    kept->is_set = kept->is_noised = false;
    status = operand_tree_make(&tree, NULL, kept->root);
    memcpy(kept->key, attempt->key, DIGEST_SIZE);
    kept->is_set = !status;
    return status;
}

enum status attempt_commit_b(struct attempt *attempt, struct buffer *key)
{
    struct weights *b = attempt->product->b;
    struct weights_commitment *kept = &b->commitment;
    enum status status = weights_reserve_noised(b, operand_tree_size(b->n, b->k));

    if (!status)
        status = commit_root_b(attempt, key);
    if (status || attempt_keeps_b(attempt))
        return status;
    kept->is_noised = false;
    status = device_pack(attempt->device, b->noised, b->values, &attempt->b);
    kept->noise = attempt->b;
    kept->is_noised = !status;
    return status;
}

/* Whether all but the product's change is hashed already, for this job. */
static bool left_is_kept(const struct attempt_left *left, const struct attempt *attempt,
                         uint64_t size)
{
    const struct matmul *product = attempt->product;

    return left->is_set && product->change.size && product->change.size <= size &&
           product->change.first <= size - product->change.size &&
           view_is_same(left->a, product->a) && left->size == size &&
           memcmp(left->key, attempt->key, DIGEST_SIZE) == 0;
}

enum status attempt_commit_a(struct attempt *attempt, struct buffer *key,
                             struct attempt_left *left)
{
    const struct matmul *product = attempt->product;
    const struct operand_tree tree = {.device = attempt->device,
                                      .operand = product->a,
                                      .size = (uint64_t)product->m * product->b->k,
                                      .key = key,
                                      .tree = left->tree};
    enum status status;

    if (left_is_kept(left, attempt, tree.size)) {
        left->is_set = false;
        status = operand_tree_renew(&tree, product->change.first, product->change.size,
                                    attempt->root_a);
    } else {
        left->is_set = false;
        status = operand_tree_make(&tree, product->made_by, attempt->root_a);
    }
    if (status)
        return status;
    left->is_set = true;
    left->a = product->a;
    left->size = tree.size;
    memcpy(left->key, attempt->key, DIGEST_SIZE);
    attempt->a.rank = attempt->configuration.rank;
    commitment_seed_a(attempt->b.seed, attempt->root_a, product->m,
                      attempt->job->cert_version, attempt->a.seed);
    return STATUS_OK;
}
