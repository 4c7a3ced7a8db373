/*
 * store_sqlite_leases.c - who holds which task, and what became of what was delivered.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "pool/store_leases.h"
#include "pool/store_sqlite.h"

#define LEASE_COLUMNS  " id, task, session, worker, until, state, faults "
#define RESULT_COLUMNS " task, worker, lease, state, reason, output_hash, result_hash "

static enum status lease_take(struct store *store, sqlite3_stmt *statement,
                              struct stored_lease *out, struct error *err)
{
    const enum status status = store_row(store, statement, err);

    if (!status) {
        memset(out, 0, sizeof *out);
        out->id = sqlite3_column_int64(statement, 0);
        store_text(statement, 1, out->task, sizeof out->task);
        store_text(statement, 2, out->session, sizeof out->session);
        out->worker = sqlite3_column_int64(statement, 3);
        out->until = store_u64(statement, 4);
        out->state = (enum lease_state)store_u64(statement, 5);
        out->faults = (uint32_t)store_u64(statement, 6);
    }
    store_done(statement);
    return status;
}

enum status store_lease_add(struct store *store, struct stored_lease *lease,
                            struct error *err)
{
    const enum status status =
        store_run(store, err,
                  "INSERT INTO leases(task, session, worker, until, state, faults) "
                  "VALUES(?,?,?,?,?,?)",
                  "ttiiii", lease->task, lease->session, lease->worker,
                  (int64_t)lease->until, (int64_t)lease->state, (int64_t)lease->faults);

    lease->id = sqlite3_last_insert_rowid(store->database);
    return status;
}

enum status store_lease_set(struct store *store, const struct stored_lease *lease,
                            struct error *err)
{
    return store_run(
        store, err, "UPDATE leases SET until=?, state=?, faults=? WHERE id=?", "iiii",
        (int64_t)lease->until, (int64_t)lease->state, (int64_t)lease->faults, lease->id);
}

enum status store_lease_get(struct store *store, int64_t id, struct stored_lease *out,
                            struct error *err)
{
    sqlite3_stmt *statement;
    enum status status = store_prepare(
        store, &statement, err, "SELECT" LEASE_COLUMNS "FROM leases WHERE id=?", "i", id);

    return status ? status : lease_take(store, statement, out, err);
}

enum status store_lease_find(struct store *store, const char *task, const char *session,
                             struct stored_lease *out, struct error *err)
{
    sqlite3_stmt *statement;
    enum status status = store_prepare(store, &statement, err,
                                       "SELECT" LEASE_COLUMNS "FROM leases WHERE task=?"
                                       " AND session=? ORDER BY id DESC LIMIT 1",
                                       "tt", task, session);

    return status ? status : lease_take(store, statement, out, err);
}

enum status store_lease_due(struct store *store, uint64_t now, int64_t after,
                            struct stored_lease *out, struct error *err)
{
    sqlite3_stmt *statement;
    enum status status = store_prepare(store, &statement, err,
                                       "SELECT" LEASE_COLUMNS "FROM leases WHERE state=0"
                                       " AND until<? AND id>? ORDER BY id LIMIT 1",
                                       "ii", (int64_t)now, after);

    return status ? status : lease_take(store, statement, out, err);
}

enum status store_lease_count(struct store *store, const char *session, uint64_t *count,
                              struct error *err)
{
    sqlite3_stmt *statement;
    enum status status = store_prepare(
        store, &statement, err, "SELECT count(*) FROM leases WHERE session=? AND state=0",
        "t", session);

    if (status)
        return status;
    status = store_row(store, statement, err);
    *count = status ? 0 : store_u64(statement, 0);
    store_done(statement);
    return status;
}

enum status store_lease_awaits(struct store *store, const char *session, uint64_t size,
                               struct error *err)
{
    sqlite3_stmt *statement;
    enum status status = store_prepare(
        store, &statement, err,
        "SELECT 1 FROM leases JOIN tasks ON tasks.id=leases.task WHERE session=? AND"
        " leases.state=0 AND output_size=? AND uploads<?",
        "tii", session, (int64_t)size, (int64_t)LEASE_UPLOADS_MAX);

    if (status)
        return status;
    status = store_row(store, statement, err);
    store_done(statement);
    return status;
}

enum status store_lease_uploaded(struct store *store, const char *session, uint64_t size,
                                 struct error *err)
{
    return store_run(
        store, err,
        "UPDATE leases SET uploads=uploads+1 WHERE id=(SELECT leases.id FROM leases"
        " JOIN tasks ON tasks.id=leases.task WHERE session=? AND leases.state=0"
        " AND output_size=? ORDER BY uploads LIMIT 1)",
        "ti", session, (int64_t)size);
}

enum status store_restart(struct store *store, uint64_t until, struct error *err)
{
    enum status status =
        store_run(store, err, "UPDATE tasks SET state=0 WHERE state=1", "");

    if (status)
        return status;
    return store_run(store, err, "UPDATE leases SET until=max(until, ?) WHERE state=0",
                     "i", (int64_t)until);
}

static enum status result_take(struct store *store, sqlite3_stmt *statement,
                               struct stored_result *out, struct error *err)
{
    const enum status status = store_row(store, statement, err);

    if (!status) {
        memset(out, 0, sizeof *out);
        store_text(statement, 0, out->task, sizeof out->task);
        out->worker = sqlite3_column_int64(statement, 1);
        out->lease = sqlite3_column_int64(statement, 2);
        out->state = (enum verdict_state)store_u64(statement, 3);
        store_text(statement, 4, out->reason, sizeof out->reason);
        store_text(statement, 5, out->output_hash, sizeof out->output_hash);
        store_text(statement, 6, out->result_hash, sizeof out->result_hash);
    }
    store_done(statement);
    return status;
}

enum status store_result_put(struct store *store, const struct stored_result *result,
                             struct error *err)
{
    return store_run(
        store, err,
        "INSERT OR REPLACE INTO results(" RESULT_COLUMNS ") VALUES(?,?,?,?,?,?,?)",
        "tiiittt", result->task, result->worker, result->lease, (int64_t)result->state,
        result->reason, result->output_hash, result->result_hash);
}

enum status store_result_get(struct store *store, const char *task, int64_t worker,
                             struct stored_result *out, struct error *err)
{
    sqlite3_stmt *statement;
    enum status status =
        store_prepare(store, &statement, err,
                      "SELECT" RESULT_COLUMNS "FROM results WHERE task=? AND worker=?",
                      "ti", task, worker);

    return status ? status : result_take(store, statement, out, err);
}

enum status store_result_checking(struct store *store, const char *after,
                                  struct stored_result *out, struct error *err)
{
    sqlite3_stmt *statement;
    enum status status =
        store_prepare(store, &statement, err,
                      "SELECT" RESULT_COLUMNS "FROM results WHERE state=0"
                      " AND task>? ORDER BY task LIMIT 1",
                      "t", after);

    return status ? status : result_take(store, statement, out, err);
}
