/*
 * store_sqlite_shares.c - accepted shares, what became of them, and the totals.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "pool/store_shares.h"
#include "pool/store_sqlite.h"

#define SHARE_COLUMNS                                                                    \
    " id, digest, header, ticket, configuration, hash_a, worker, lease, pack, pass,"     \
    " product, item, cost, number, state "

static enum status share_read(sqlite3_stmt *row, struct stored_share *out,
                              struct error *err)
{
    enum status status = STATUS_OK;

    memset(out, 0, sizeof *out);
    out->id = sqlite3_column_int64(row, 0);
    out->worker = sqlite3_column_int64(row, 6);
    out->lease = sqlite3_column_int64(row, 7);
    out->site.pack = (uint32_t)store_u64(row, 8);
    out->site.pass = (uint32_t)store_u64(row, 9);
    out->site.product = (uint32_t)store_u64(row, 10);
    out->site.item = (uint32_t)store_u64(row, 11);
    out->cost = sqlite3_column_double(row, 12);
    out->number = store_u64(row, 13);
    out->state = (enum stored_share_state)store_u64(row, 14);
    if (!status)
        status = store_bytes(row, 1, out->digest, sizeof out->digest, err);
    if (!status)
        status = store_bytes(row, 2, out->header, sizeof out->header, err);
    if (!status)
        status = store_bytes(row, 3, out->ticket, sizeof out->ticket, err);
    if (!status)
        status = store_bytes(row, 4, out->configuration, sizeof out->configuration, err);
    if (!status)
        status = store_bytes(row, 5, out->hash_a, sizeof out->hash_a, err);
    return status;
}

static enum status share_take(struct store *store, sqlite3_stmt *statement,
                              struct stored_share *out, struct error *err)
{
    enum status status = store_row(store, statement, err);

    if (!status)
        status = share_read(statement, out, err);
    store_done(statement);
    return status;
}

/* Whether a statement gives a row: OK or NOT_FOUND. */
static enum status share_exists(struct store *store, sqlite3_stmt *statement,
                                struct error *err)
{
    const enum status status = store_row(store, statement, err);

    store_done(statement);
    return status;
}

enum status store_share_add(struct store *store, const struct stored_share *share,
                            struct error *err)
{
    return store_run(
        store, err,
        "INSERT INTO shares(digest, header, ticket, configuration, hash_a, worker, lease,"
        " pack, pass, product, item, cost, number, state) "
        "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        "bbbbbiiiiiidii", (const void *)share->digest, sizeof share->digest,
        (const void *)share->header, sizeof share->header, (const void *)share->ticket,
        sizeof share->ticket, (const void *)share->configuration,
        sizeof share->configuration, (const void *)share->hash_a, sizeof share->hash_a,
        share->worker, share->lease, (int64_t)share->site.pack, (int64_t)share->site.pass,
        (int64_t)share->site.product, (int64_t)share->site.item, share->cost,
        (int64_t)share->number, (int64_t)share->state);
}

enum status store_share_seen(struct store *store, const uint8_t digest[DIGEST_SIZE],
                             struct error *err)
{
    sqlite3_stmt *statement;
    enum status status =
        store_prepare(store, &statement, err, "SELECT 1 FROM shares WHERE digest=?", "b",
                      (const void *)digest, (size_t)DIGEST_SIZE);

    return status ? status : share_exists(store, statement, err);
}

enum status store_share_ticket_seen(struct store *store,
                                    const uint8_t header[JOB_HEADER_SIZE],
                                    const uint8_t ticket[DIGEST_SIZE], struct error *err)
{
    sqlite3_stmt *statement;
    enum status status = store_prepare(
        store, &statement, err, "SELECT 1 FROM shares WHERE header=? AND ticket=?", "bb",
        (const void *)header, (size_t)JOB_HEADER_SIZE, (const void *)ticket,
        (size_t)DIGEST_SIZE);

    return status ? status : share_exists(store, statement, err);
}

enum status store_share_first(struct store *store, int64_t lease, const struct site *site,
                              struct stored_share *out, struct error *err)
{
    sqlite3_stmt *statement;
    enum status status =
        store_prepare(store, &statement, err,
                      "SELECT" SHARE_COLUMNS "FROM shares WHERE lease=? AND pack=? AND"
                      " product=? AND pass=? AND item=? AND state<>2 ORDER BY id LIMIT 1",
                      "iiiii", lease, (int64_t)site->pack, (int64_t)site->product,
                      (int64_t)site->pass, (int64_t)site->item);

    return status ? status : share_take(store, statement, out, err);
}

enum status store_share_at(struct store *store, int64_t lease, uint64_t index,
                           struct stored_share *out, struct error *err)
{
    sqlite3_stmt *statement;
    enum status status =
        store_prepare(store, &statement, err,
                      "SELECT" SHARE_COLUMNS "FROM shares WHERE lease=? AND state<>2"
                      " ORDER BY id LIMIT 1 OFFSET ?",
                      "ii", lease, (int64_t)index);

    return status ? status : share_take(store, statement, out, err);
}

enum status store_share_count(struct store *store, int64_t lease, uint64_t *count,
                              struct error *err)
{
    sqlite3_stmt *statement;
    enum status status = store_prepare(
        store, &statement, err, "SELECT count(*) FROM shares WHERE lease=? AND state<>2",
        "i", lease);

    if (status)
        return status;
    status = store_row(store, statement, err);
    *count = status ? 0 : store_u64(statement, 0);
    store_done(statement);
    return status;
}

enum status store_share_ripe(struct store *store, int64_t worker, uint64_t number_max,
                             struct stored_share *out, struct error *err)
{
    sqlite3_stmt *statement;
    enum status status = store_prepare(
        store, &statement, err,
        "SELECT" SHARE_COLUMNS "FROM shares WHERE worker=? AND state=0 AND number<=?"
        " AND (lease=0 OR (SELECT state FROM leases"
        " WHERE id=shares.lease)=1) ORDER BY number LIMIT 1",
        "ii", worker, (int64_t)number_max);

    return status ? status : share_take(store, statement, out, err);
}

enum status store_share_mark(struct store *store, int64_t id,
                             enum stored_share_state state, struct error *err)
{
    return store_run(store, err, "UPDATE shares SET state=? WHERE id=?", "ii",
                     (int64_t)state, id);
}

enum status store_share_void(struct store *store, int64_t worker, int64_t lease,
                             uint64_t *count, struct error *err)
{
    const enum status status = store_run(
        store, err,
        "UPDATE shares SET state=2 WHERE worker=?1 AND state=0 AND (?2=0 OR lease=?2)",
        "ii", worker, lease);

    *count = status ? 0 : (uint64_t)sqlite3_changes(store->database);
    return status;
}

enum status store_total_add(struct store *store, const char *name, double amount,
                            struct error *err)
{
    return store_run(store, err,
                     "INSERT INTO totals(name, amount) VALUES(?,?) ON CONFLICT(name)"
                     " DO UPDATE SET amount=amount+excluded.amount",
                     "td", name, amount);
}

enum status store_total_each(struct store *store, store_total_visit *visit, void *context,
                             struct error *err)
{
    char name[64];
    sqlite3_stmt *statement;
    enum status status = store_prepare(
        store, &statement, err, "SELECT name, amount FROM totals ORDER BY name", "");

    if (status)
        return status;
    while (!(status = store_row(store, statement, err))) {
        store_text(statement, 0, name, sizeof name);
        visit(context, name, sqlite3_column_double(statement, 1));
    }
    store_done(statement);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}
