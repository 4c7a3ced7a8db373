/*
 * store_sqlite_tasks.c - requests and their parts, from queued to done.
 *
 * SPDX-License-Identifier: MIT
 */
#include <string.h>

#include "pool/store_sqlite.h"

#define TASK_COLUMNS                                                                     \
    " id, parent, part, kind, model, input_hash, input_size, has_shape, m, n, k, seed,"  \
    " rows, items, token_rows, output_size, work_units, state, checked, done, tries,"    \
    " reason, output_hash, result_hash, worker "

static void task_read(sqlite3_stmt *row, struct stored_task *out)
{
    memset(out, 0, sizeof *out);
    store_text(row, 0, out->id, sizeof out->id);
    store_text(row, 1, out->parent, sizeof out->parent);
    out->part = (uint32_t)store_u64(row, 2);
    store_text(row, 3, out->kind, sizeof out->kind);
    store_text(row, 4, out->model, sizeof out->model);
    store_text(row, 5, out->input_hash, sizeof out->input_hash);
    out->input_size = store_u64(row, 6);
    out->parameters.has_shape = store_u64(row, 7) != 0;
    out->parameters.m = store_u64(row, 8);
    out->parameters.n = store_u64(row, 9);
    out->parameters.k = store_u64(row, 10);
    out->parameters.seed = store_u64(row, 11);
    out->rows = (uint32_t)store_u64(row, 12);
    out->items = store_u64(row, 13);
    out->token_rows = store_u64(row, 14);
    out->output_size = store_u64(row, 15);
    out->work_units = store_u64(row, 16);
    out->state = (enum task_state)store_u64(row, 17);
    out->checked = (enum task_checked)store_u64(row, 18);
    out->done = store_u64(row, 19);
    out->tries = store_u64(row, 20);
    store_text(row, 21, out->reason, sizeof out->reason);
    store_text(row, 22, out->output_hash, sizeof out->output_hash);
    store_text(row, 23, out->result_hash, sizeof out->result_hash);
    out->worker = sqlite3_column_int64(row, 24);
}

/* Takes the first row of a statement that selects TASK_COLUMNS. */
static enum status task_take(struct store *store, sqlite3_stmt *statement,
                             struct stored_task *out, struct error *err)
{
    const enum status status = store_row(store, statement, err);

    if (!status)
        task_read(statement, out);
    store_done(statement);
    return status;
}

enum status store_task_add(struct store *store, const struct stored_task *task,
                           struct error *err)
{
    const struct task_parameters *p = &task->parameters;

    return store_run(store, err,
                     "INSERT INTO tasks(" TASK_COLUMNS
                     ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                     "ttitttiiiiiiiiiiiiiiittti", task->id, task->parent,
                     (int64_t)task->part, task->kind, task->model, task->input_hash,
                     (int64_t)task->input_size, (int64_t)p->has_shape, (int64_t)p->m,
                     (int64_t)p->n, (int64_t)p->k, (int64_t)p->seed, (int64_t)task->rows,
                     (int64_t)task->items, (int64_t)task->token_rows,
                     (int64_t)task->output_size, (int64_t)task->work_units,
                     (int64_t)task->state, (int64_t)task->checked, (int64_t)task->done,
                     (int64_t)task->tries, task->reason, task->output_hash,
                     task->result_hash, task->worker);
}

enum status store_task_get(struct store *store, const char *id, struct stored_task *out,
                           struct error *err)
{
    sqlite3_stmt *statement;
    enum status status = store_prepare(
        store, &statement, err, "SELECT" TASK_COLUMNS "FROM tasks WHERE id=?", "t", id);

    return status ? status : task_take(store, statement, out, err);
}

enum status store_task_set(struct store *store, const struct stored_task *task,
                           struct error *err)
{
    return store_run(store, err,
                     "UPDATE tasks SET state=?, checked=?, done=?, tries=?, reason=?,"
                     " output_hash=?, result_hash=?, worker=? WHERE id=?",
                     "iiiitttit", (int64_t)task->state, (int64_t)task->checked,
                     (int64_t)task->done, (int64_t)task->tries, task->reason,
                     task->output_hash, task->result_hash, task->worker, task->id);
}

enum status store_task_next(struct store *store, int64_t worker, const char *kinds,
                            const char *skip, struct stored_task *out, struct error *err)
{
    sqlite3_stmt *statement;
    enum status status = store_prepare(
        store, &statement, err,
        "SELECT" TASK_COLUMNS "FROM tasks WHERE state=0 AND instr(?, '|' || kind || '|')"
        " AND NOT instr(?, id) AND NOT EXISTS(SELECT 1 FROM excluded"
        " WHERE task=tasks.id AND worker=?) ORDER BY number LIMIT 1",
        "tti", kinds, skip, worker);

    return status ? status : task_take(store, statement, out, err);
}

enum status store_task_waits(struct store *store, struct error *err)
{
    sqlite3_stmt *statement;
    enum status status = store_prepare(store, &statement, err,
                                       "SELECT 1 FROM tasks WHERE state=0 LIMIT 1", "");

    if (status)
        return status;
    status = store_row(store, statement, err);
    store_done(statement);
    return status;
}

enum status store_task_exclude(struct store *store, const char *task, int64_t worker,
                               struct error *err)
{
    return store_run(store, err,
                     "INSERT OR IGNORE INTO excluded(task, worker) VALUES(?,?)", "ti",
                     task, worker);
}

enum status store_task_child(struct store *store, const char *parent, uint32_t part,
                             struct stored_task *out, struct error *err)
{
    sqlite3_stmt *statement;
    enum status status =
        store_prepare(store, &statement, err,
                      "SELECT" TASK_COLUMNS "FROM tasks WHERE parent=? AND part=?", "ti",
                      parent, (int64_t)part);

    return status ? status : task_take(store, statement, out, err);
}

enum status store_task_counts(struct store *store, uint64_t counts[STORED_STATE_COUNT],
                              struct error *err)
{
    sqlite3_stmt *statement;
    enum status status = store_prepare(
        store, &statement, err, "SELECT state, count(*) FROM tasks GROUP BY state", "");

    memset(counts, 0, STORED_STATE_COUNT * sizeof *counts);
    if (status)
        return status;
    while (!(status = store_row(store, statement, err))) {
        const uint64_t state = store_u64(statement, 0);
        if (state < STORED_STATE_COUNT)
            counts[state] = store_u64(statement, 1);
    }
    store_done(statement);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status store_task_walk(struct store *store, enum task_state state, const char *after,
                            struct stored_task *out, struct error *err)
{
    sqlite3_stmt *statement;
    enum status status = store_prepare(
        store, &statement, err,
        "SELECT" TASK_COLUMNS "FROM tasks WHERE state=? AND id>? ORDER BY id LIMIT 1",
        "it", (int64_t)state, after);

    return status ? status : task_take(store, statement, out, err);
}
