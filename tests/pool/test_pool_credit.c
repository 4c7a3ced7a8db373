/*
 * test_pool_credit.c - what shares are worth: nobody is credited more than H + 4 sqrt(H
 * N) + N, shares settle after 3 / audit further ones, a fault voids what is not settled
 * and makes a worker new.
 *
 * SPDX-License-Identifier: MIT
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "pool/shares.h"
#include "pool/store_leases.h"

#define COST 1048576.0

struct fixture {
    char folder[64], path[96];
    struct pool pool;
    struct stored_worker worker;
    struct stored_lease lease;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    snprintf(f->folder, sizeof f->folder, "/tmp/minerva-credit-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->path, sizeof f->path, "%s/pool.db", f->folder);
    assert_int_equal(store_open(f->path, &f->pool.store, NULL), STATUS_OK);
    assert_int_equal(store_worker(f->pool.store, "w", "rig", &f->worker, NULL),
                     STATUS_OK);
    f->lease = (struct stored_lease){.worker = f->worker.id};
    assert_int_equal(store_lease_add(f->pool.store, &f->lease, NULL), STATUS_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-lock"};
    struct fixture *f = *state;
    char name[128];

    store_close(f->pool.store);
    for (size_t i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "%s%s", f->path, ends[i]);
        unlink(name);
    }
    rmdir(f->folder);
    free(f);
    return 0;
}

static void add(struct fixture *f, int64_t lease)
{
    struct stored_share share = {.worker = f->worker.id,
                                 .lease = lease,
                                 .cost = COST,
                                 .number = ++f->worker.shares};

    u64_store(share.digest, f->worker.shares);
    u64_store(share.ticket, f->worker.shares);
    assert_int_equal(store_share_add(f->pool.store, &share, NULL), STATUS_OK);
}

struct total {
    const char *name;
    double amount;
};

static void total_find(void *context, const char *name, double amount)
{
    struct total *total = context;

    if (!strcmp(name, total->name))
        total->amount = amount;
}

static void expect_total(struct fixture *f, const char *name, double amount)
{
    struct total total = {name, 0};

    assert_int_equal(store_total_each(f->pool.store, total_find, &total, NULL),
                     STATUS_OK);
    if (total.amount < amount || total.amount > amount)
        fail_msg("%s is %f, expected %f", name, total.amount, amount);
}

static void test_bound(void **state)
{
    (void)state;
    /* Nothing delivered: one share, by luck. */
    assert_true(share_is_credited(0, 0, COST));
    assert_false(share_is_credited(1, 0, COST));
    /* H of a hundred shares: 100 + 4 * 10 + 1. */
    assert_true(share_is_credited(140 * COST, 100 * COST, COST));
    assert_false(share_is_credited(140 * COST + 1, 100 * COST, COST));
    assert_false(share_is_credited(141 * COST, 100 * COST, COST));
}

static void test_further(void **state)
{
    (void)state;
    assert_int_equal(shares_until_settled(0.05), 60);
    assert_int_equal(shares_until_settled(1), 3);
    assert_int_equal(shares_until_settled(0.5), 6);
    assert_int_equal(shares_until_settled(0.4), 8);
    assert_int_equal(shares_until_settled(0), 0);
}

static void test_new(void **state)
{
    struct stored_worker worker = {.audited = 16, .results = 2};

    (void)state;
    assert_false(worker_is_new(&worker));
    worker.audited = 15;
    assert_true(worker_is_new(&worker));
    worker = (struct stored_worker){.audited = 99, .results = 1};
    assert_true(worker_is_new(&worker));
}

static void test_settle(void **state)
{
    struct fixture *f = *state;

    f->pool.options.audit = 0.5; /* 6 further shares */
    for (int i = 0; i < 10; i++)
        add(f, f->lease.id);
    f->worker.delivered = 1000 * COST;
    assert_int_equal(shares_settle(&f->pool, &f->worker, NULL), STATUS_OK);
    expect_total(f, "credited", 0); /* not delivered */
    f->lease.state = LEASE_DELIVERED;
    assert_int_equal(store_lease_set(f->pool.store, &f->lease, NULL), STATUS_OK);
    assert_int_equal(shares_settle(&f->pool, &f->worker, NULL), STATUS_OK);
    expect_total(f, "credited", 4 * COST);
    assert_true(f->worker.credited == 4 * COST);
    add(f, 0);
    assert_int_equal(shares_settle(&f->pool, &f->worker, NULL), STATUS_OK);
    expect_total(f, "credited", 5 * COST);
    assert_int_equal(shares_settle(&f->pool, &f->worker, NULL), STATUS_OK);
    expect_total(f, "credited", 5 * COST); /* once */
}

static void test_surplus(void **state)
{
    struct fixture *f = *state;

    /* The task holds one share's worth: 1 + 4 + 1 are credited, the other 14 are not. */
    for (int i = 0; i < 20; i++)
        add(f, f->lease.id);
    f->lease.state = LEASE_DELIVERED;
    f->worker.delivered = COST;
    assert_int_equal(store_lease_set(f->pool.store, &f->lease, NULL), STATUS_OK);
    assert_int_equal(shares_settle(&f->pool, &f->worker, NULL), STATUS_OK);
    expect_total(f, "credited", 6 * COST);
    expect_total(f, "surplus", 14);
    /* Shares without a task are not bounded by tasks, and do not use them up. */
    add(f, 0);
    assert_int_equal(shares_settle(&f->pool, &f->worker, NULL), STATUS_OK);
    expect_total(f, "credited", 7 * COST);
    assert_true(f->worker.credited == 6 * COST);
}

static void test_fault(void **state)
{
    struct fixture *f = *state;
    struct stored_worker stored;

    f->pool.options.audit = 1; /* 3 further */
    f->worker.audited = f->worker.results = 20;
    for (int i = 0; i < 5; i++)
        add(f, f->lease.id);
    f->lease.state = LEASE_DELIVERED;
    f->worker.delivered = 1000 * COST;
    assert_int_equal(store_lease_set(f->pool.store, &f->lease, NULL), STATUS_OK);
    assert_int_equal(shares_settle(&f->pool, &f->worker, NULL), STATUS_OK);
    assert_int_equal(shares_fault(&f->pool, &f->worker, NULL), STATUS_OK);
    expect_total(f, "credited", 2 * COST);
    expect_total(f, "voided", 3);
    assert_int_equal(store_worker_get(f->pool.store, f->worker.id, &stored, NULL),
                     STATUS_OK);
    assert_true(worker_is_new(&stored));
    f->worker.shares += 100;
    assert_int_equal(shares_settle(&f->pool, &f->worker, NULL), STATUS_OK);
    expect_total(f, "credited", 2 * COST); /* void stays void */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_further),
        cmocka_unit_test(test_new),
        cmocka_unit_test_setup_teardown(test_settle, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_surplus, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_fault, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
