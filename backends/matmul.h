/*
 * matmul.h - the seam.  Models multiply only through a port; a proof-of-work port
 * searches the product for tickets and hands back the same exact clean product.
 *
 * Ports and weights belong to their device's thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_MATMUL_H
#define MINERVA_BACKENDS_MATMUL_H

#include "backends/device.h"

/* Names a product (task-pool.md section 5); the same four numbers as miner/work/site.h.
 */
struct matmul_site {
    uint32_t pack, pass, product, item;
};

/* A right operand, n x k int8 row major (B transposed), values in [-64, 64].  A model
 * makes it once and frees it.  What is derived of it lives beside it: the clean packed
 * copy (made on first need) and, for the newest job, its commitment and noised copy, kept
 * by the proof-of-work port. */
struct weights {
    struct device *device;
    struct view values; /* lent: must outlive the weights */
    uint32_t n, k;
    struct packed *packed; /* clean */
    struct packed *noised; /* room made by weights_reserve_noised(), else NULL */
    struct weights_commitment {
        bool is_set;
        uint8_t key[32];  /* the job key it was made under */
        uint8_t root[32]; /* raw hash_B */
        struct buffer
            *tree; /* layers of chaining values, chunk layer first; the port's layout */
        bool is_noised; /* noised holds B' for seed */
        struct noise noise;
    } commitment;
};
MUST_CHECK enum status weights_new(struct device *device, struct view values, uint32_t n,
                                   uint32_t k, struct weights **out);
void weights_free(struct weights *weights); /* frees tree and copies too; NULL is fine */
/* The clean packed copy is there afterwards.  Called by ports before the first product.
 */
MUST_CHECK enum status weights_pack(struct weights *weights);
/* Room for the noised copy and the tree (tree_size bytes); for proof-of-work ports. */
MUST_CHECK enum status weights_reserve_noised(struct weights *weights, size_t tree_size);

struct matmul {
    struct matmul_site site; /* names it in findings */
    uint32_t m;              /* n and k are the weights' */
    struct view a; /* m x k int8, row major; rows of several limbs are stacked */
    /* NULL: a is there already.  Else the launch that writes all of a, one of its views,
     * anew: whoever reads a first launches it, once, and hands on a product without. */
    const struct launch *made_by;
    struct weights *b;
    struct view c; /* m x n int32, exact; no buffer: the product itself is not wanted */
    /* What the caller knows: but for these bytes, a is that of the last product through
     * this port out of this buffer.  Size 0: all of it may be new, as where made_by is
     * set. */
    struct matmul_change {
        uint64_t first, size;
    } change;
};

struct matmul_port {
    /* STALE: a product that was not wanted itself was left off, for its job is replaced.
     * Where the device runs ahead (device_info), one that is not wanted may be on its way
     * when this returns, and a fault of its is told by the next call: a and b stay as
     * they are until the next run() or drain() has returned. */
    enum status (*run)(struct matmul_port *port, const struct matmul *product);
    /* All products have ended and their findings are out: before an answer leaves, an
     * operand is freed, or nobody multiplies for a while. */
    enum status (*drain)(struct matmul_port *port);
    struct matmul_port *below; /* NULL in the port that reaches the device */
    struct device *device;
    uint64_t macs;        /* m * n * k of all that went through */
    uint64_t proved_macs; /* of products multiplied under a job */
    double hashes;        /* m * n * d * min(r, 128) of those (pow.md section 7) */
};

/* The plain end: multiplies on the device. */
void matmul_port_plain(struct matmul_port *port, struct device *device);
MUST_CHECK enum status matmul_run(struct matmul_port *port, const struct matmul *product);
MUST_CHECK enum status matmul_drain(struct matmul_port *port);
/* For ports: a is there afterwards. */
MUST_CHECK enum status matmul_port_make(const struct matmul_port *port,
                                        const struct matmul *product);

#endif
