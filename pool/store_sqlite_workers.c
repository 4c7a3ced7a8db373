/*
 * store_sqlite_workers.c - workers, their sessions, and bytes by their hash.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "pool/store_sqlite.h"

#define WORKER_COLUMNS " id, wallet, name, audited, results, shares, delivered, credited "

static enum status worker_take(struct store *store, sqlite3_stmt *statement,
                               struct stored_worker *out, struct error *err)
{
    const enum status status = store_row(store, statement, err);

    if (!status) {
        memset(out, 0, sizeof *out);
        out->id = sqlite3_column_int64(statement, 0);
        store_text(statement, 1, out->wallet, sizeof out->wallet);
        store_text(statement, 2, out->name, sizeof out->name);
        out->audited = store_u64(statement, 3);
        out->results = store_u64(statement, 4);
        out->shares = store_u64(statement, 5);
        out->delivered = sqlite3_column_double(statement, 6);
        out->credited = sqlite3_column_double(statement, 7);
    }
    store_done(statement);
    return status;
}

enum status store_worker_get(struct store *store, int64_t id, struct stored_worker *out,
                             struct error *err)
{
    sqlite3_stmt *statement;
    enum status status =
        store_prepare(store, &statement, err,
                      "SELECT" WORKER_COLUMNS "FROM workers WHERE id=?", "i", id);

    return status ? status : worker_take(store, statement, out, err);
}

enum status store_worker(struct store *store, const char *wallet, const char *name,
                         struct stored_worker *out, struct error *err)
{
    sqlite3_stmt *statement;
    enum status status =
        store_run(store, err, "INSERT OR IGNORE INTO workers(wallet, name) VALUES(?,?)",
                  "tt", wallet, name);

    if (!status)
        status = store_prepare(store, &statement, err,
                               "SELECT" WORKER_COLUMNS
                               "FROM workers WHERE wallet=? AND name=?",
                               "tt", wallet, name);
    return status ? status : worker_take(store, statement, out, err);
}

enum status store_worker_set(struct store *store, const struct stored_worker *worker,
                             struct error *err)
{
    return store_run(store, err,
                     "UPDATE workers SET audited=?, results=?, shares=?, delivered=?,"
                     " credited=? WHERE id=?",
                     "iiiddi", (int64_t)worker->audited, (int64_t)worker->results,
                     (int64_t)worker->shares, worker->delivered, worker->credited,
                     worker->id);
}

enum status store_session_get(struct store *store, const char *id, int64_t *worker,
                              struct error *err)
{
    sqlite3_stmt *statement;
    enum status status = store_prepare(store, &statement, err,
                                       "SELECT worker FROM sessions WHERE id=?", "t", id);

    if (status)
        return status;
    status = store_row(store, statement, err);
    *worker = status ? 0 : sqlite3_column_int64(statement, 0);
    store_done(statement);
    return status;
}

enum status store_session_put(struct store *store, const char *id, int64_t worker,
                              uint64_t now, struct error *err)
{
    return store_run(store, err,
                     "INSERT OR REPLACE INTO sessions(id, worker, seen) VALUES(?,?,?)",
                     "tii", id, worker, (int64_t)now);
}

enum status store_blob_put(struct store *store, const char *hash, struct bytes data,
                           struct error *err)
{
    return store_run(store, err, "INSERT OR IGNORE INTO blobs(hash, data) VALUES(?,?)",
                     "tb", hash, (const void *)data.data, data.size);
}

enum status store_blob_get(struct store *store, const char *hash, struct blob *out,
                           struct error *err)
{
    sqlite3_stmt *statement;
    enum status status = store_prepare(store, &statement, err,
                                       "SELECT data FROM blobs WHERE hash=?", "t", hash);

    if (status)
        return status;
    status = store_row(store, statement, err);
    if (!status) {
        const void *data = sqlite3_column_blob(statement, 0);
        const size_t size = (size_t)sqlite3_column_bytes(statement, 0);

        if (blob_add(out, data ? data : "", size))
            status = error_set(err, STATUS_NO_MEMORY, "no room for %zu bytes of %s", size,
                               hash);
    }
    store_done(statement);
    return status;
}

enum status store_blob_sweep(struct store *store, struct error *err)
{
    return store_run(store, err,
                     "DELETE FROM blobs WHERE hash NOT IN (SELECT input_hash FROM tasks) "
                     "AND hash NOT IN"
                     " (SELECT output_hash FROM tasks) AND hash NOT IN (SELECT "
                     "output_hash FROM results)",
                     "");
}
