/* catalog.c - makes and asks the emulator's own tables inside DuckDB.
 *
 * Runs at start and in the engine's threads.  Must never be given SQL with a caller's text in it
 * that was not quoted. */
#include "emulator/catalog.h"

#include "emulator/catalog_sql.h"
#include "emulator/names.h"
#include "must.h"

#include <stdio.h>

static const char *const roles[] = { "ACCOUNTADMIN", "SECURITYADMIN", "SYSADMIN", "USERADMIN",
    "PUBLIC", "ANALYST", "MCP_READER" };
static const char *const warehouses[] = { "COMPUTE_WH", "MCP_WH" };

int
catalog_run(duckdb_connection con, const char *sql, struct err *e)
{
    duckdb_result result;
    int rc = 0;

    if (duckdb_query(con, sql, &result) != DuckDBSuccess)
        rc = err_set(e, "%s", duckdb_result_error(&result));
    duckdb_destroy_result(&result);
    return rc;
}

static int
register_types(duckdb_connection con, struct err *e)
{
    static const char *const texts[] = { TYPES_VAR, TYPES_OBJ, TYPES_ARR };
    duckdb_logical_type parts[2] = { duckdb_create_logical_type(DUCKDB_TYPE_TIMESTAMP),
        duckdb_create_logical_type(DUCKDB_TYPE_SMALLINT) };
    const char *names[2] = { "utc", "east" };
    duckdb_logical_type t = duckdb_create_struct_type(parts, names, 2);
    int rc = 0;

    duckdb_logical_type_set_alias(t, TYPES_TZ);
    rc |= duckdb_register_logical_type(con, t, NULL) != DuckDBSuccess;
    duckdb_destroy_logical_type(&t);
    duckdb_destroy_logical_type(&parts[0]);
    duckdb_destroy_logical_type(&parts[1]);
    for (size_t i = 0; i < NELEM(texts); i++) {
        t = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
        duckdb_logical_type_set_alias(t, texts[i]);
        rc |= duckdb_register_logical_type(con, t, NULL) != DuckDBSuccess;
        duckdb_destroy_logical_type(&t);
    }
    return rc == 0 ? 0 : err_set(e, "DuckDB does not take the emulator's types");
}

int
catalog_create(duckdb_connection con, struct err *e)
{
    if (register_types(con, e) != 0)
        return -1;
    for (size_t i = 0; i < catalog_sql_count; i++)
        if (catalog_run(con, catalog_sql[i], e) != 0)
            return err_prefix(e, "catalogue statement %zu (%.60s)", i, catalog_sql[i]);
    return 0;
}

int
catalog_lock_down(duckdb_connection con, struct err *e)
{
    return catalog_run(con, "SET enable_external_access=false", e);
}

int64_t
catalog_count(duckdb_connection con, const char *sql)
{
    duckdb_result result;
    int64_t n = -1;

    if (duckdb_query(con, sql, &result) == DuckDBSuccess)
        n = duckdb_value_int64(&result, 0, 0);
    duckdb_destroy_result(&result);
    return n;
}

/* The one number of a query with parameters, or -1. */
static int64_t
ask_count(duckdb_connection con, const char *sql, struct str a, struct str b)
{
    duckdb_prepared_statement p = NULL;
    duckdb_result result = { 0 };
    int64_t n = -1;

    if (duckdb_prepare(con, sql, &p) == DuckDBSuccess &&
        duckdb_bind_varchar_length(p, 1, a.p, a.n) == DuckDBSuccess &&
        (!b.p || duckdb_bind_varchar_length(p, 2, b.p, b.n) == DuckDBSuccess) &&
        duckdb_execute_prepared(p, &result) == DuckDBSuccess)
        n = duckdb_value_int64(&result, 0, 0);
    duckdb_destroy_result(&result);
    duckdb_destroy_prepare(&p);
    return n;
}

static int
set_timezone(duckdb_connection con, const char *zone, struct failure *f)
{
    struct buf sql;
    struct err e;

    buf_init(&sql, 256);
    buf_put_z(&sql, "SET TimeZone='");
    for (const char *p = zone; *p; p++) {
        buf_put_c(&sql, *p);
        if (*p == '\'')
            buf_put_c(&sql, *p);
    }
    buf_put_z(&sql, "'");
    int rc = sql.failed ? -1 : catalog_run(con, buf_text(&sql), &e);
    buf_fini(&sql);
    if (rc != 0)
        return failure_set(
            f, "001014", "22023", "invalid value [%s] for parameter 'TIMEZONE'", zone);
    return 0;
}

int
catalog_session(duckdb_connection con, const struct engine_job *job, struct failure *f)
{
    struct buf db, schema;
    int64_t found = 1;

    if (set_timezone(con, job->timezone ? job->timezone : "UTC", f) != 0)
        return -1;
    if (!job->database)
        return 0;
    buf_init(&db, 4096);
    buf_init(&schema, 4096);
    names_put(&db, str_of(job->database));
    if (job->schema) {
        names_put(&schema, str_of(job->schema));
        found =
            ask_count(con, "SELECT count(*) FROM _sc WHERE database_name = ? AND schema_name = ?",
                buf_str(&db), buf_str(&schema));
    } else {
        found = ask_count(
            con, "SELECT count(*) FROM _db WHERE database_name = ?", buf_str(&db), STR_NONE);
    }
    buf_fini(&db);
    buf_fini(&schema);
    if (found > 0)
        return 0;
    return failure_set(f, "002043", "02000",
        "SQL compilation error:\nObject does not exist, or operation cannot be performed.");
}

static bool
is_one_of(const char *name, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(name, list[i]) == 0)
            return true;
    return false;
}

bool
catalog_has_role(const char *name)
{
    return is_one_of(name, roles, NELEM(roles));
}

bool
catalog_has_warehouse(const char *name)
{
    return is_one_of(name, warehouses, NELEM(warehouses));
}
