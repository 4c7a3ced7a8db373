/*
 * store_sqlite.c - the database itself: opening, schema, transactions, statements, its
 * failures in words.
 *
 * Write-ahead log with synchronous = FULL: what was committed survives a kill and a power
 * cut.  A lock on a file beside the database keeps a second pool out; readers are
 * welcome.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pool/store_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "miner/base/memory.h"

enum { STORE_SCHEMA = 1, STORE_BUSY_MS = 2000 };

static const char store_schema[] =
    "CREATE TABLE workers(id INTEGER PRIMARY KEY, wallet TEXT NOT NULL, name TEXT NOT "
    "NULL,"
    " audited INTEGER NOT NULL DEFAULT 0, results INTEGER NOT NULL DEFAULT 0,"
    " shares INTEGER NOT NULL DEFAULT 0, delivered REAL NOT NULL DEFAULT 0,"
    " credited REAL NOT NULL DEFAULT 0, UNIQUE(wallet, name));"
    "CREATE TABLE sessions(id TEXT PRIMARY KEY, worker INTEGER NOT NULL, seen INTEGER "
    "NOT NULL);"
    "CREATE TABLE blobs(hash TEXT PRIMARY KEY, data BLOB NOT NULL);"
    "CREATE TABLE tasks(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, parent TEXT "
    "NOT NULL,"
    " part INTEGER NOT NULL, kind TEXT NOT NULL, model TEXT NOT NULL, input_hash TEXT "
    "NOT NULL,"
    " input_size INTEGER NOT NULL, has_shape INTEGER NOT NULL, m INTEGER NOT NULL,"
    " n INTEGER NOT NULL, k INTEGER NOT NULL, seed INTEGER NOT NULL, rows INTEGER NOT "
    "NULL,"
    " items INTEGER NOT NULL, token_rows INTEGER NOT NULL, output_size INTEGER NOT NULL,"
    " work_units INTEGER NOT NULL, state INTEGER NOT NULL, checked INTEGER NOT NULL,"
    " done INTEGER NOT NULL, tries INTEGER NOT NULL, reason TEXT NOT NULL,"
    " output_hash TEXT NOT NULL, result_hash TEXT NOT NULL, worker INTEGER NOT NULL);"
    "CREATE INDEX tasks_state ON tasks(state, number);"
    "CREATE INDEX tasks_parent ON tasks(parent, part);"
    "CREATE TABLE excluded(task TEXT NOT NULL, worker INTEGER NOT NULL, PRIMARY "
    "KEY(task, worker));"
    "CREATE TABLE leases(id INTEGER PRIMARY KEY AUTOINCREMENT, task TEXT NOT NULL,"
    " session TEXT NOT NULL, worker INTEGER NOT NULL, until INTEGER NOT NULL,"
    " state INTEGER NOT NULL, faults INTEGER NOT NULL,"
    " uploads INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX leases_state ON leases(state, until);"
    "CREATE INDEX leases_task ON leases(task, session);"
    "CREATE INDEX leases_session ON leases(session, state);"
    "CREATE TABLE results(task TEXT NOT NULL, worker INTEGER NOT NULL, lease INTEGER NOT "
    "NULL,"
    " state INTEGER NOT NULL, reason TEXT NOT NULL, output_hash TEXT NOT NULL,"
    " result_hash TEXT NOT NULL, PRIMARY KEY(task, worker));"
    "CREATE INDEX results_state ON results(state, task);"
    "CREATE TABLE shares(id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, header "
    "BLOB NOT NULL,"
    " ticket BLOB NOT NULL, configuration BLOB NOT NULL, hash_a BLOB NOT NULL,"
    " worker INTEGER NOT NULL, lease INTEGER NOT NULL, pack INTEGER NOT NULL,"
    " pass INTEGER NOT NULL, product INTEGER NOT NULL, item INTEGER NOT NULL, cost REAL "
    "NOT NULL,"
    " number INTEGER NOT NULL, state INTEGER NOT NULL, UNIQUE(header, ticket));"
    "CREATE INDEX shares_worker ON shares(worker, state, number);"
    "CREATE INDEX shares_lease ON shares(lease, pack, product);"
    "CREATE TABLE totals(name TEXT PRIMARY KEY, amount REAL NOT NULL);";

enum status store_fault(struct store *store, struct error *err)
{
    const int code = sqlite3_extended_errcode(store->database);
    const char *reason = sqlite3_errmsg(store->database);

    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return error_set(err, STATUS_AGAIN,
                         "the pool's database is locked by another process");
    case SQLITE_FULL:
        return error_set(err, STATUS_FULL,
                         "no room left on the disk of the pool's database");
    case SQLITE_CONSTRAINT:
        return error_set(err, STATUS_REFUSED, "the pool's database has that already: %s",
                         reason);
    case SQLITE_NOMEM:
        return error_set(err, STATUS_NO_MEMORY, "out of memory in the pool's database");
    default:
        return error_set(err, STATUS_IO, "the pool's database failed: %s (code %d)",
                         reason, code);
    }
}

static enum status store_cached(struct store *store, const char *text, sqlite3_stmt **out,
                                struct error *err)
{
    for (size_t i = 0; i < store->count; i++) {
        if (store->statements[i].text == text) {
            *out = store->statements[i].statement;
            return STATUS_OK;
        }
    }
    if (store->count == STORE_STATEMENTS_MAX)
        return error_set(err, STATUS_FULL, "more than %d kinds of statements",
                         STORE_STATEMENTS_MAX);
    if (sqlite3_prepare_v3(store->database, text, -1, SQLITE_PREPARE_PERSISTENT, out,
                           NULL))
        return store_fault(store, err);
    store->statements[store->count].text = text;
    store->statements[store->count++].statement = *out;
    return STATUS_OK;
}

static int store_bind_one(sqlite3_stmt *statement, int index, char kind, va_list *list)
{
    switch (kind) {
    case 'i':
        return sqlite3_bind_int64(statement, index, va_arg(*list, int64_t));
    case 'd':
        return sqlite3_bind_double(statement, index, va_arg(*list, double));
    case 't':
        return sqlite3_bind_text(statement, index, va_arg(*list, const char *), -1,
                                 SQLITE_STATIC);
    default: {
        const void *data = va_arg(*list, const void *);
        return sqlite3_bind_blob64(statement, index, data ? data : "",
                                   va_arg(*list, size_t), SQLITE_STATIC);
    }
    }
}

static enum status store_bind(struct store *store, sqlite3_stmt **out, struct error *err,
                              const char *text, const char *format, va_list *list)
{
    const enum status status = store_cached(store, text, out, err);

    if (status)
        return status;
    for (int i = 0; format[i]; i++) {
        if (store_bind_one(*out, i + 1, format[i], list)) {
            const enum status fault = store_fault(store, err);
            store_done(*out);
            return fault;
        }
    }
    return STATUS_OK;
}

enum status store_prepare(struct store *store, sqlite3_stmt **out, struct error *err,
                          const char *text, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    const enum status status = store_bind(store, out, err, text, format, &list);
    va_end(list);
    return status;
}

enum status store_row(struct store *store, sqlite3_stmt *statement, struct error *err)
{
    const int code = sqlite3_step(statement);

    if (code == SQLITE_ROW)
        return STATUS_OK;
    return code == SQLITE_DONE ? STATUS_NOT_FOUND : store_fault(store, err);
}

void store_done(sqlite3_stmt *statement)
{
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
}

enum status store_run(struct store *store, struct error *err, const char *text,
                      const char *format, ...)
{
    sqlite3_stmt *statement;
    va_list list;

    va_start(list, format);
    enum status status = store_bind(store, &statement, err, text, format, &list);
    va_end(list);
    if (status)
        return status;
    while (!(status = store_row(store, statement, err)))
        continue;
    store_done(statement);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

void store_text(sqlite3_stmt *statement, int column, char *out, size_t size)
{
    const unsigned char *text = sqlite3_column_text(statement, column);

    snprintf(out, size, "%s", text ? (const char *)text : "");
}

enum status store_bytes(sqlite3_stmt *statement, int column, void *out, size_t size,
                        struct error *err)
{
    const void *data = sqlite3_column_blob(statement, column);
    const size_t have = (size_t)sqlite3_column_bytes(statement, column);

    if (!data || have != size)
        return error_set(err, STATUS_IO,
                         "the pool's database holds %zu bytes, expected %zu", have, size);
    memcpy(out, data, size);
    return STATUS_OK;
}

enum status store_begin(struct store *store, enum store_care care, struct error *err)
{
    const enum status status =
        care == STORE_MONEY ? store_run(store, err, "PRAGMA synchronous=FULL", "")
                            : store_run(store, err, "PRAGMA synchronous=NORMAL", "");

    /* IMMEDIATE: a lock that cannot be had is known before anything was decided. */
    return status ? status : store_run(store, err, "BEGIN IMMEDIATE", "");
}

enum status store_commit(struct store *store, struct error *err)
{
    const enum status status = store_run(store, err, "COMMIT", "");

    if (status)
        store_rollback(store);
    return status;
}

void store_rollback(struct store *store)
{
    /* Some failures have rolled back by themselves; asking again would only be an error.
     */
    if (!sqlite3_get_autocommit(store->database))
        sqlite3_exec(store->database, "ROLLBACK", NULL, NULL, NULL);
}

static enum status store_guard(struct store *store, const char *path, struct error *err)
{
    char name[4096];

    if (snprintf(name, sizeof name, "%s-lock", path) >= (int)sizeof name)
        return error_set(err, STATUS_BAD_CONFIG, "database: the name is too long");
    store->guard = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (store->guard < 0)
        return error_set(err, STATUS_IO, "cannot open \"%s\": %s", name, strerror(errno));
    if (flock(store->guard, LOCK_EX | LOCK_NB))
        return error_set(err, STATUS_AGAIN,
                         "the database \"%s\" is in use by another pool", path);
    return STATUS_OK;
}

static enum status store_pragmas(struct store *store, struct error *err)
{
    sqlite3_busy_timeout(store->database, STORE_BUSY_MS);
    if (sqlite3_exec(store->database,
                     "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                     "PRAGMA cache_size=-4096; PRAGMA temp_store=MEMORY;",
                     NULL, NULL, NULL))
        return store_fault(store, err);
    return STATUS_OK;
}

static enum status store_version(struct store *store, int64_t *version, struct error *err)
{
    sqlite3_stmt *statement;
    enum status status = store_prepare(store, &statement, err, "PRAGMA user_version", "");

    if (status)
        return status;
    status = store_row(store, statement, err);
    *version = status ? 0 : sqlite3_column_int64(statement, 0);
    store_done(statement);
    return status;
}

/* An empty file gets the schema; one of another version is left alone. */
static enum status store_prepare_schema(struct store *store, const char *path,
                                        struct error *err)
{
    int64_t version;
    enum status status = store_begin(store, STORE_MONEY, err);

    if (!status)
        status = store_version(store, &version, err);
    if (!status && version != 0 && version != STORE_SCHEMA)
        status =
            error_set(err, STATUS_BAD_DATA,
                      "database \"%s\" has version %lld, this program knows version %d",
                      path, (long long)version, STORE_SCHEMA);
    if (!status && version == 0 &&
        (sqlite3_exec(store->database, store_schema, NULL, NULL, NULL) ||
         sqlite3_exec(store->database, "PRAGMA user_version=1", NULL, NULL, NULL)))
        status = store_fault(store, err);
    if (!status)
        return store_commit(store, err);
    store_rollback(store);
    return status;
}

enum status store_open(const char *path, struct store **out, struct error *err)
{
    struct store *store = memory_new(struct store);
    enum status status;

    if (!store)
        return error_set(err, STATUS_NO_MEMORY, "no memory for the database");
    store->guard = -1;
    status = store_guard(store, path, err);
    if (!status &&
        sqlite3_open_v2(path, &store->database,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL))
        status = error_set(err, STATUS_IO, "cannot open the database \"%s\": %s", path,
                           sqlite3_errmsg(store->database));
    if (!status)
        status = store_pragmas(store, err);
    if (!status)
        status = store_prepare_schema(store, path, err);
    if (status) {
        store_close(store);
        return status;
    }
    *out = store;
    return STATUS_OK;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    for (size_t i = 0; i < store->count; i++)
        sqlite3_finalize(store->statements[i].statement);
    sqlite3_close(store->database);
    if (store->guard >= 0)
        close(store->guard);
    memory_free(store);
}
