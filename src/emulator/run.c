/* run.c - translates, prepares, executes and renders one statement.
 *
 * Runs in the engine's threads.  Must never run more than one statement of the caller's, nor any
 * SQL that did not come out of the translator. */
#include "emulator/run.h"

#include "emulator/catalog.h"
#include "emulator/probes.h"
#include "emulator/translate.h"
#include "must.h"
#include "sql/sql_lex.h"

#include <stdio.h>
#include <stdlib.h>

#define ARENA_BYTES (64u << 20)
#define MOST_ROUNDS 40 /* of probing: one per level of nested divisions and the like */

struct run {
    duckdb_connection con;
    struct engine_job *job;
    struct arena *arena;
    struct sites sites;
    struct plan plan;
    uint64_t rows_per_partition;
};

static unsigned
count_known(const struct sites *s)
{
    unsigned n = 0;

    for (size_t i = 0; i < SITE_MAX; i++)
        n += s->site[i].known;
    return n;
}

/* Prepares the statement so that its probes are bound; what that says besides is of no use
 * unless nothing new was learnt. */
static int
probe_types(struct run *r)
{
    duckdb_prepared_statement prepared = NULL;
    unsigned before = count_known(&r->sites);
    int rc = 0;

    probes_note_into(&r->sites);
    duckdb_state state = duckdb_prepare(r->con, r->plan.sql, &prepared);
    probes_note_into(NULL);
    if (count_known(&r->sites) == before) {
        const char *why = state != DuckDBSuccess ? duckdb_prepare_error(prepared) : NULL;
        rc = why ? failure_from_duckdb(&r->job->failure, why)
                 : failure_unsupported(&r->job->failure, "expression of unknown type");
    }
    duckdb_destroy_prepare(&prepared);
    return rc;
}

static int
make_plan(struct run *r)
{
    for (int round = 0; round < MOST_ROUNDS; round++) {
        r->plan = (struct plan){ 0 };
        if (translate(r->arena, r->job, &r->sites, &r->plan, &r->job->failure) != 0)
            return -1;
        if (!r->plan.unresolved)
            return 0;
        if (probe_types(r) != 0)
            return -1;
    }
    return failure_unsupported(&r->job->failure, "deeply nested expression");
}

static int64_t
read_count(duckdb_result *result)
{
    duckdb_data_chunk chunk;
    int64_t n = 0;

    while ((chunk = duckdb_fetch_chunk(*result)) != NULL) {
        if (duckdb_data_chunk_get_size(chunk) > 0 && duckdb_data_chunk_get_column_count(chunk) > 0)
            n = ((int64_t *)duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0)))[0];
        duckdb_destroy_data_chunk(&chunk);
    }
    return n;
}

static int
answer_change(struct run *r, int64_t n)
{
    static const char *const names[] = {
        [PLAN_INSERTED] = "number of rows inserted",
        [PLAN_UPDATED] = "number of rows updated",
        [PLAN_DELETED] = "number of rows deleted",
    };
    struct result_stats *s = result_stats(r->job->result);
    char text[24];
    const char *value = text;

    snprintf(text, sizeof text, "%lld", (long long)n);
    *s = (struct result_stats){ 0, 0, 0, 0 };
    *(r->plan.change == PLAN_INSERTED    ? &s->inserted
        : r->plan.change == PLAN_UPDATED ? &s->updated
                                         : &s->deleted) = n;
    return result_one_row(r->job->result, 1, &names[r->plan.change], &value, TYPES_FIXED);
}

static int
answer_status(struct run *r)
{
    const char *name = r->plan.column ? r->plan.column : "status";

    return result_one_row(r->job->result, 1, &name, &r->plan.status, TYPES_TEXT);
}

static int
answer_rows(struct run *r, duckdb_result *result)
{
    duckdb_data_chunk chunk;
    int rc = result_columns(r->job->result, result);

    if (rc != 0)
        return failure_unsupported(&r->job->failure, "type of a result column");
    while (
        rc == 0 && !result_full(r->job->result) && (chunk = duckdb_fetch_chunk(*result)) != NULL) {
        rc = result_add(r->job->result, chunk);
        duckdb_destroy_data_chunk(&chunk);
    }
    return rc;
}

static int
execute(struct run *r)
{
    duckdb_prepared_statement prepared = NULL;
    duckdb_pending_result pending = NULL;
    duckdb_result result = { 0 };
    struct failure *f = &r->job->failure;
    const char *why = NULL;
    int rc = 0;

    if (duckdb_prepare(r->con, r->plan.sql, &prepared) != DuckDBSuccess)
        why = duckdb_prepare_error(prepared);
    else if (atomic_load(&r->job->stop) != ENGINE_RUNS)
        rc = failure_set(f, "000604", "57014", "SQL execution canceled");
    else if (duckdb_pending_prepared_streaming(prepared, &pending) != DuckDBSuccess)
        why = duckdb_pending_error(pending);
    else if (duckdb_execute_pending(pending, &result) != DuckDBSuccess)
        why = duckdb_result_error(&result);
    else if (r->plan.kind == PLAN_ROWS)
        rc = answer_rows(r, &result);
    else if (r->plan.kind == PLAN_CHANGE)
        rc = answer_change(r, read_count(&result));
    else
        read_count(&result);
    if (!why && rc == 0)
        why = duckdb_result_error(&result);
    if (why)
        rc = failure_from_duckdb(f, why);
    duckdb_destroy_result(&result);
    if (pending)
        duckdb_destroy_pending(&pending);
    duckdb_destroy_prepare(&prepared);
    return rc;
}

static int
execute_after(struct run *r)
{
    struct err e;

    for (size_t i = 0; i < r->plan.after_count; i++)
        if (catalog_run(r->con, r->plan.after[i], &e) != 0)
            return failure_from_duckdb(&r->job->failure, e.text);
    return 0;
}

static int
run_checks(struct run *r)
{
    for (size_t i = 0; i < r->plan.check_count; i++) {
        const struct plan_check *c = &r->plan.checks[i];
        if (catalog_count(r->con, c->sql) <= 0)
            return failure_set(&r->job->failure, c->code, c->sqlstate, "%s", c->message);
    }
    return 0;
}

static bool
is_there(struct run *r, const char *view, const char *column, const struct plan_table *t)
{
    const char *sql = arena_printf(r->arena,
        "SELECT count(*) FROM %s WHERE database_name = %s%s%s%s%s%s%s", view, t->database,
        t->schema ? " AND schema_name = " : "", t->schema ? t->schema : "", column ? " AND " : "",
        column ? column : "", column ? " = " : "", column ? t->name : "");

    return sql && catalog_count(r->con, sql) > 0;
}

/* "Table X does not exist" said with the whole name, or with the database or schema that is the
 * real trouble. */
static void
name_what_is_missing(struct run *r)
{
    for (size_t i = 0; i < r->plan.table_count; i++) {
        const struct plan_table *t = &r->plan.tables[i], up = { t->database, NULL, NULL, NULL };
        const char *kind = "Object", *shown = t->shown, *state = "42S02";
        if (t->name && is_there(r, "_ob", "name", t))
            continue;
        if (!is_there(r, "_db", NULL, &up)) {
            kind = "Database";
            state = "02000";
            shown = arena_printf(r->arena, "%.*s", (int)strcspn(t->shown, "."), t->shown);
        } else if (t->schema && !is_there(r, "_sc", NULL, t)) {
            const char *dot = strchr(t->shown, '.');
            kind = "Schema";
            state = "02000";
            shown = arena_printf(r->arena, "%.*s",
                (int)(dot ? (size_t)(dot - t->shown) + 1 + strcspn(dot + 1, ".") : 0), t->shown);
        } else if (!t->name) {
            continue;
        }
        failure_set(&r->job->failure, "002003", state,
            "SQL compilation error:\n%s '%s' does not exist or not authorized.", kind,
            shown ? shown : t->shown);
        return;
    }
}

/* DuckDB says which name it did not find; Snowflake also says where it stands. */
static void
locate_identifier(struct run *r)
{
    struct failure *f = &r->job->failure;
    const char *quote = strchr(f->message, '\'');
    struct str name = str_of(quote ? quote + 1 : "");
    struct sql_lexer lexer;
    struct sql_token t;
    char folded[600], text[300];

    name.n = name.n > 0 ? name.n - 1 : 0;
    sql_lex_init(&lexer, str_of(r->job->sql));
    while (sql_lex_next(&lexer, &t)) {
        long n = sql_decode(&t, folded, sizeof folded);
        if ((t.kind != SQL_NAME && t.kind != SQL_QUOTED_NAME) || n < 0 ||
            !str_eq(name, (struct str){ folded, (size_t)n }))
            continue;
        str_copy(text, sizeof text, name);
        failure_set(f, "000904", "42000",
            "SQL compilation error: error line %u at position %u\ninvalid identifier '%s'", t.line,
            t.column - 1, text);
        return;
    }
}

static int
run_plan(struct run *r)
{
    if (run_checks(r) != 0)
        return -1;
    if (r->plan.kind == PLAN_CANCEL) {
        r->job->cancel_handle = strdup(r->plan.cancel);
        return answer_status(r);
    }
    if (r->plan.sql && execute(r) != 0)
        return -1;
    if (execute_after(r) != 0)
        return -1;
    return r->plan.kind == PLAN_STATUS ? answer_status(r) : 0;
}

void
run_statement(duckdb_connection con, struct engine_job *job, uint64_t rows_per_partition)
{
    struct run *r = calloc(1, sizeof *r);

    if (!r)
        return; /* no result, no failure: the engine says "no memory" */
    *r = (struct run){ .con = con, .job = job, .rows_per_partition = rows_per_partition };
    r->arena = arena_new(ARENA_BYTES);
    job->result = result_new(rows_per_partition, job->max_rows);
    if (r->arena && job->result && catalog_session(con, job, &job->failure) == 0 &&
        make_plan(r) == 0 && run_plan(r) == 0 && result_finish(job->result) == 0) {
        arena_free(r->arena);
        free(r);
        return;
    }
    if (strcmp(job->failure.code, "002003") == 0)
        name_what_is_missing(r);
    if (strcmp(job->failure.code, "000904") == 0)
        locate_identifier(r);
    result_free(job->result);
    job->result = NULL;
    arena_free(r->arena);
    free(r);
}
