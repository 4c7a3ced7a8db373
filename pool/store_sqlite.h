/*
 * store_sqlite.h - what the store_sqlite_*.c files share; nobody else includes it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_POOL_STORE_SQLITE_H
#define MINERVA_POOL_STORE_SQLITE_H

#include <sqlite3.h>

#include "pool/store.h"

enum { STORE_STATEMENTS_MAX = 64 };

struct store {
    sqlite3 *database;
    int guard; /* a locked file beside it: one pool a database */
    struct {
        const char *text; /* a literal: known by its address */
        sqlite3_stmt *statement;
    } statements[STORE_STATEMENTS_MAX];
    size_t count;
};

/* The sentence and status for the database's last failure. */
MUST_CHECK enum status store_fault(struct store *store, struct error *err);

/* A statement ready to step, its parameters bound by format, one character each: i
 * int64_t, d double, t const char *, b const void * and size_t.  Values are lent until it
 * is done. */
MUST_CHECK enum status store_prepare(struct store *store, sqlite3_stmt **out,
                                     struct error *err, const char *text,
                                     const char *format, ...);
/* Steps once: OK with a row, NOT_FOUND without. */
MUST_CHECK enum status store_row(struct store *store, sqlite3_stmt *statement,
                                 struct error *err);
void store_done(sqlite3_stmt *statement);
/* Prepares, runs to its end, whatever rows it gives. */
MUST_CHECK enum status store_run(struct store *store, struct error *err, const char *text,
                                 const char *format, ...);

/* Columns: text and bytes are cut or refused at the room there is; the schema is ours,
 * the file not. */
void store_text(sqlite3_stmt *statement, int column, char *out, size_t size);
MUST_CHECK enum status store_bytes(sqlite3_stmt *statement, int column, void *out,
                                   size_t size, struct error *err);
static inline uint64_t store_u64(sqlite3_stmt *statement, int column)
{
    return (uint64_t)sqlite3_column_int64(statement, column);
}

#endif
