/*
 * test_store.c - what was committed is there after kill -9, what was not is gone; a
 * locked, full, foreign or doubly opened database ends in its own status and sentence,
 * with nothing half written.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "miner/base/file.h"
#include "pool/store_leases.h"
#include "pool/store_shares.h"

struct fixture {
    char folder[64], path[96];
    struct store *store;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    strcpy(f->folder, "/tmp/minerva-store-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->path, sizeof f->path, "%s/pool.db", f->folder);
    assert_int_equal(store_open(f->path, &f->store, NULL), STATUS_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-lock"};
    struct fixture *f = *state;
    char name[128];

    store_close(f->store);
    for (size_t i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "%s%s", f->path, ends[i]);
        unlink(name);
    }
    rmdir(f->folder);
    free(f);
    return 0;
}

static struct stored_share share_number(uint32_t number)
{
    struct stored_share share = {.worker = 1, .cost = 4294967296.0, .number = number};

    u32_store(share.digest, number);
    u32_store(share.header, number);
    u32_store(share.ticket, number);
    return share;
}

static struct stored_task task_number(uint32_t number)
{
    struct stored_task task = {.kind = "matmul", .rows = 4096};

    snprintf(task.id, sizeof task.id, "%032x", number);
    return task;
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

static double total_of(struct store *store, const char *name)
{
    struct total total = {name, 0};

    assert_int_equal(store_total_each(store, total_find, &total, NULL), STATUS_OK);
    return total.amount;
}

/* One verdict a transaction, and after each commit one byte that says so. */
static void child_work(const char *path, int pipe_out)
{
    struct store *store;

    if (store_open(path, &store, NULL))
        _exit(3);
    for (uint32_t i = 1;; i++) {
        const struct stored_share share = share_number(i);

        if (store_begin(store, STORE_MONEY, NULL) ||
            store_share_add(store, &share, NULL) ||
            store_total_add(store, "accepted", 1, NULL) ||
            store_total_add(store, "hashes", share.cost, NULL) ||
            store_commit(store, NULL))
            _exit(4);
        if (write(pipe_out, "x", 1) != 1)
            _exit(5);
    }
}

static void test_kill(void **state)
{
    struct fixture *f = *state;
    uint32_t promised = 0, round_promised;

    store_close(f->store);
    f->store = NULL;
    for (int round = 0; round < 5; round++) {
        int ends[2];
        char byte;
        pid_t child;

        tear_down(state);
        set_up(state);
        f = *state;
        store_close(f->store);
        assert_int_equal(pipe(ends), 0);
        child = fork();
        if (!child) {
            close(ends[0]);
            child_work(f->path, ends[1]);
        }
        close(ends[1]);
        round_promised = 0;
        while (round_promised < 7 + 5 * (uint32_t)round && read(ends[0], &byte, 1) == 1)
            round_promised++;
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        while (read(ends[0], &byte, 1) == 1)
            round_promised++;
        close(ends[0]);

        assert_int_equal(store_open(f->path, &f->store, NULL), STATUS_OK);
        uint32_t kept = 0;
        for (uint32_t i = 1; i <= round_promised + 2; i++) {
            const struct stored_share share = share_number(i);
            const enum status seen = store_share_seen(f->store, share.digest, NULL);
            assert_true(seen == STATUS_OK || seen == STATUS_NOT_FOUND);
            kept += seen == STATUS_OK;
        }
        /* At most the one whose commit was not yet promised is there besides. */
        assert_true(kept == round_promised || kept == round_promised + 1);
        assert_true(total_of(f->store, "accepted") == kept);
        assert_true(total_of(f->store, "hashes") == kept * 4294967296.0);
        promised += round_promised;
    }
    assert_true(promised >= 7 + 12 + 17 + 22 + 27);
}

static void test_unique(void **state)
{
    struct fixture *f = *state;
    const struct stored_share one = share_number(1);
    struct stored_share copy = share_number(1);

    assert_int_equal(store_share_add(f->store, &one, NULL), STATUS_OK);
    assert_int_equal(store_share_add(f->store, &copy, NULL), STATUS_REFUSED);
    copy.digest[5] = 1; /* other bytes, the same ticket under the same header */
    assert_int_equal(store_share_add(f->store, &copy, NULL), STATUS_REFUSED);
    assert_int_equal(store_share_ticket_seen(f->store, copy.header, copy.ticket, NULL),
                     STATUS_OK);
    copy.header[5] = 1;
    assert_int_equal(store_share_ticket_seen(f->store, copy.header, copy.ticket, NULL),
                     STATUS_NOT_FOUND);
    assert_int_equal(store_share_add(f->store, &copy, NULL), STATUS_OK);
}

static void test_locked(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    sqlite3 *other;

    assert_int_equal(sqlite3_open(f->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(store_begin(f->store, STORE_MONEY, &err), STATUS_AGAIN);
    assert_non_null(strstr(err.text, "locked"));
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    assert_int_equal(store_begin(f->store, STORE_MONEY, NULL), STATUS_OK);
    assert_int_equal(store_total_add(f->store, "accepted", 1, NULL), STATUS_OK);
    assert_int_equal(store_commit(f->store, NULL), STATUS_OK);
    assert_true(total_of(f->store, "accepted") == 1);
}

static void test_twice(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    struct store *again = NULL;

    assert_int_equal(store_open(f->path, &again, &err), STATUS_AGAIN);
    assert_non_null(strstr(err.text, "another pool"));
    assert_null(again);
}

/* A file that may not grow stands for a disk that is full: writes past it fail. */
static void test_full(void **state)
{
    struct fixture *f = *state;
    struct rlimit old, low = {0};
    static uint8_t big[2 << 20];
    char hash[BLOB_NAME_SIZE + 1];
    enum status status;

    memset(hash, 'a', BLOB_NAME_SIZE);
    hash[BLOB_NAME_SIZE] = 0;
    assert_int_equal(store_total_add(f->store, "accepted", 3, NULL), STATUS_OK);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    low = old;
    low.rlim_cur = 1 << 20;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    status = store_begin(f->store, STORE_MONEY, NULL);
    if (!status)
        status = store_total_add(f->store, "accepted", 1, NULL);
    if (!status)
        status = store_blob_put(f->store, hash, bytes_of(big, sizeof big), NULL);
    if (!status)
        status = store_commit(f->store, NULL);
    store_rollback(f->store);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_true(status == STATUS_FULL || status == STATUS_IO);
    assert_true(total_of(f->store, "accepted") == 3);
    assert_int_equal(store_total_add(f->store, "accepted", 1, NULL), STATUS_OK);
    assert_true(total_of(f->store, "accepted") == 4);
}

static void test_foreign(void **state)
{
    struct fixture *f = *state;
    struct store *other = NULL;
    struct error err = {0};
    char path[96];
    sqlite3 *database;

    snprintf(path, sizeof path, "%s/other.db", f->folder);
    assert_int_equal(
        file_write(path, bytes_of("this is no database, but a text", 31), NULL),
        STATUS_OK);
    assert_int_equal(store_open(path, &other, &err), STATUS_IO);
    assert_true(err.text[0] != 0);
    unlink(path);
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, "PRAGMA user_version=77", NULL, NULL, NULL),
                     0);
    sqlite3_close(database);
    assert_int_equal(store_open(path, &other, &err), STATUS_BAD_DATA);
    assert_non_null(strstr(err.text, "77"));
    unlink(path);
    snprintf(path, sizeof path, "%s/other.db-lock", f->folder);
    unlink(path);
    assert_int_equal(store_open("/nonexistent/folder/pool.db", &other, &err), STATUS_IO);
    assert_null(other);
}

static void test_next(void **state)
{
    struct fixture *f = *state;
    struct stored_task task;

    for (uint32_t i = 1; i <= 3; i++) {
        task = task_number(i);
        if (i == 1)
            strcpy(task.kind, "embed");
        assert_int_equal(store_task_add(f->store, &task, NULL), STATUS_OK);
    }
    assert_int_equal(store_task_next(f->store, 1, "|matmul|", "", &task, NULL),
                     STATUS_OK);
    assert_string_equal(task.id, task_number(2).id);
    assert_int_equal(store_task_exclude(f->store, task.id, 1, NULL), STATUS_OK);
    assert_int_equal(store_task_next(f->store, 1, "|matmul|", "", &task, NULL),
                     STATUS_OK);
    assert_string_equal(task.id, task_number(3).id);
    assert_int_equal(
        store_task_next(f->store, 2, "|matmul|", task_number(2).id, &task, NULL),
        STATUS_OK);
    assert_string_equal(task.id, task_number(3).id);
    assert_int_equal(store_task_next(f->store, 2, "|fold|", "", &task, NULL),
                     STATUS_NOT_FOUND);
}

static void test_restart(void **state)
{
    struct fixture *f = *state;
    struct stored_task task = task_number(1);
    struct stored_lease lease = {.worker = 1, .until = 100}, found;

    task.state = STORED_OFFERED;
    task.parameters = (struct task_parameters){true, 1, 2, 3, UINT64_MAX};
    assert_int_equal(store_task_add(f->store, &task, NULL), STATUS_OK);
    strcpy(lease.task, task.id);
    memset(lease.session, 'b', SESSION_SIZE);
    assert_int_equal(store_lease_add(f->store, &lease, NULL), STATUS_OK);
    assert_int_equal(store_restart(f->store, 150, NULL), STATUS_OK);
    assert_int_equal(store_task_get(f->store, task.id, &task, NULL), STATUS_OK);
    assert_int_equal(task.state, STORED_QUEUED);
    assert_true(task.parameters.seed == UINT64_MAX);
    assert_int_equal(store_lease_due(f->store, 150, 0, &found, NULL), STATUS_NOT_FOUND);
    assert_int_equal(store_lease_due(f->store, 151, 0, &found, NULL), STATUS_OK);
    assert_int_equal(found.id, lease.id);
    assert_int_equal(store_lease_due(f->store, 151, found.id, &found, NULL),
                     STATUS_NOT_FOUND);
}

static void test_ripe(void **state)
{
    struct fixture *f = *state;
    struct stored_lease lease = {.worker = 1};
    struct stored_share share, found;
    uint64_t count;

    assert_int_equal(store_lease_add(f->store, &lease, NULL), STATUS_OK);
    share = share_number(1);
    share.lease = lease.id;
    assert_int_equal(store_share_add(f->store, &share, NULL), STATUS_OK);
    assert_int_equal(store_share_ripe(f->store, 1, 5, &found, NULL), STATUS_NOT_FOUND);
    lease.state = LEASE_DELIVERED;
    assert_int_equal(store_lease_set(f->store, &lease, NULL), STATUS_OK);
    assert_int_equal(store_share_ripe(f->store, 1, 0, &found, NULL), STATUS_NOT_FOUND);
    assert_int_equal(store_share_ripe(f->store, 1, 1, &found, NULL), STATUS_OK);
    assert_memory_equal(found.digest, share.digest, DIGEST_SIZE);
    assert_int_equal(store_share_void(f->store, 1, 0, &count, NULL), STATUS_OK);
    assert_int_equal(count, 1);
    assert_int_equal(store_share_ripe(f->store, 1, 1, &found, NULL), STATUS_NOT_FOUND);
    assert_int_equal(store_share_first(f->store, lease.id, &share.site, &found, NULL),
                     STATUS_NOT_FOUND);
    assert_int_equal(store_share_seen(f->store, share.digest, NULL), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kill, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unique, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_locked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_twice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_full, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_foreign, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_next, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ripe, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
