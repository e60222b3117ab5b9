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

/* USE asks the catalogue for the name alone, far quicker than a query on its tables. */
static bool
context_exists(duckdb_connection con, const char *database, const char *schema)
{
    struct buf sql;
    struct err e;

    buf_init(&sql, 8192);
    buf_put_z(&sql, "USE ");
    names_put_quoted(&sql, str_of(database));
    if (schema && strcmp(schema, "INFORMATION_SCHEMA") != 0) {
        buf_put_c(&sql, '.');
        names_put_quoted(&sql, str_of(schema));
    } else {
        buf_put_z(&sql, ".main"); /* every database of DuckDB has that one */
    }
    bool exists = !sql.failed && catalog_run(con, buf_text(&sql), &e) == 0;
    buf_fini(&sql);
    /* back to where our macros are; statements carry whole names anyway */
    return catalog_run(con, "USE memory.main", &e) == 0 && exists;
}

int
catalog_session(duckdb_connection con, const struct engine_job *job, struct failure *f)
{
    if (set_timezone(con, job->timezone ? job->timezone : "UTC", f) != 0)
        return -1;
    if (!job->database || context_exists(con, job->database, job->schema))
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
