/* catalog.c - makes and asks the emulator's own tables inside DuckDB.
 *
 * Runs at start and in the engine's threads.  Must never be given SQL with a caller's text in it
 * that was not quoted. */
#include "emulator/catalog.h"

#include "emulator/names.h"
#include "must.h"

#include <stdio.h>

static const char *const roles[] = { "ACCOUNTADMIN", "SECURITYADMIN", "SYSADMIN", "USERADMIN",
    "PUBLIC", "ANALYST", "MCP_READER" };
static const char *const warehouses[] = { "COMPUTE_WH", "MCP_WH" };

#define OURS "database_name NOT IN ('memory', 'system', 'temp')"

/* _shown() takes the suffix of names.h off; _declared() names a DuckDB type as Snowflake does. */
static const char *const creation[] = {
    "CREATE MACRO _shown(x) AS regexp_replace(x, '\x1f[0-9a-f]*\x1f', '', 'g')",
    "CREATE MACRO _declared(t) AS CASE"
    " WHEN t IN ('BIGINT','INTEGER','SMALLINT','TINYINT','HUGEINT','UBIGINT') THEN 'NUMBER(38,0)'"
    " WHEN t LIKE 'DECIMAL(%' THEN replace(t, 'DECIMAL', 'NUMBER')"
    " WHEN t IN ('DOUBLE','FLOAT') THEN 'FLOAT'"
    " WHEN t = 'BOOLEAN' THEN 'BOOLEAN' WHEN t = 'DATE' THEN 'DATE'"
    " WHEN t = 'BLOB' THEN 'BINARY(8388608)' WHEN t = 'TIME' THEN 'TIME(9)'"
    " WHEN t IN ('TIMESTAMP','TIMESTAMP_NS','TIMESTAMP_MS','TIMESTAMP_S') THEN 'TIMESTAMP_NTZ(9)'"
    " WHEN t = 'TIMESTAMP WITH TIME ZONE' THEN 'TIMESTAMP_LTZ(9)'"
    " WHEN t = '" TYPES_TZ "' THEN 'TIMESTAMP_TZ(9)'"
    " WHEN t IN ('JSON','\"JSON\"') THEN 'VARIANT' WHEN t = '" TYPES_OBJ "' THEN 'OBJECT'"
    " WHEN t = '" TYPES_ARR "' OR t LIKE '%[]' THEN 'ARRAY'"
    " WHEN t LIKE 'STRUCT(%' OR t LIKE 'MAP(%' THEN 'OBJECT'"
    " ELSE 'VARCHAR(16777216)' END",
    "CREATE TABLE _objects(database_name VARCHAR, schema_name VARCHAR, name VARCHAR, kind VARCHAR,"
    " created_on TIMESTAMPTZ DEFAULT now(), owner VARCHAR, comment VARCHAR, text VARCHAR)",
    "CREATE TABLE _columns(database_name VARCHAR, schema_name VARCHAR, table_name VARCHAR,"
    " name VARCHAR, declared VARCHAR, default_text VARCHAR, comment VARCHAR,"
    " primary_key BOOLEAN DEFAULT false, unique_key BOOLEAN DEFAULT false,"
    " autoincrement VARCHAR)",
    "CREATE TABLE _start AS SELECT now() AS started",
    "CREATE VIEW _db AS SELECT d.database_name, coalesce(o.created_on, (SELECT started FROM "
    "_start)) AS"
    " created_on, coalesce(o.owner, 'ACCOUNTADMIN') AS owner, coalesce(o.comment, '') AS comment"
    " FROM duckdb_databases() d LEFT JOIN _objects o ON o.kind = 'DATABASE' AND o.database_name ="
    " d.database_name WHERE d." OURS,
    "CREATE VIEW _sc AS SELECT s.database_name, s.schema_name, coalesce(o.created_on, (SELECT "
    "started"
    " FROM _start)) AS created_on, coalesce(o.owner, 'ACCOUNTADMIN') AS owner,"
    " coalesce(o.comment, '') AS comment"
    " FROM duckdb_schemas() s LEFT JOIN _objects o ON o.kind = 'SCHEMA' AND o.database_name ="
    " s.database_name AND o.schema_name = s.schema_name WHERE s." OURS
    " AND s.schema_name NOT IN ('main', 'pg_catalog', 'information_schema')"
    " UNION ALL SELECT database_name, 'INFORMATION_SCHEMA', created_on, '',"
    " 'Views describing the contents of schemas in this database' FROM _db",
    "CREATE VIEW _tb AS SELECT t.database_name, t.schema_name, t.table_name, coalesce(o.created_on,"
    " (SELECT started FROM _start)) AS created_on, coalesce(o.owner, 'ACCOUNTADMIN') AS owner,"
    " coalesce(t.comment, o.comment, '') AS comment, coalesce(t.estimated_size, 0) AS row_count,"
    " t.column_count FROM duckdb_tables() t LEFT JOIN _objects o ON o.kind = 'TABLE' AND"
    " o.database_name = t.database_name AND o.schema_name = t.schema_name AND o.name ="
    " t.table_name WHERE NOT t.internal AND NOT t.temporary AND t." OURS,
    "CREATE VIEW _vw AS SELECT v.database_name, v.schema_name, v.view_name, coalesce(o.created_on,"
    " (SELECT started FROM _start)) AS created_on, coalesce(o.owner, 'ACCOUNTADMIN') AS owner,"
    " coalesce(v.comment, o.comment, '') AS comment, coalesce(o.text, v.sql) AS text"
    " FROM duckdb_views() v LEFT JOIN _objects o ON o.kind = 'VIEW' AND o.database_name ="
    " v.database_name AND o.schema_name = v.schema_name AND o.name = v.view_name"
    " WHERE NOT v.internal AND NOT v.temporary AND v." OURS,
    "CREATE VIEW _co AS SELECT c.database_name, c.schema_name, c.table_name, c.column_name,"
    " c.column_index AS ordinal, coalesce(k.declared, _declared(c.data_type)) AS declared,"
    " c.is_nullable, k.default_text, coalesce(c.comment, k.comment) AS comment,"
    " coalesce(k.primary_key, false) AS primary_key, coalesce(k.unique_key, false) AS unique_key,"
    " k.autoincrement"
    " FROM duckdb_columns() c LEFT JOIN _columns k ON k.database_name = c.database_name AND"
    " k.schema_name = c.schema_name AND k.table_name = c.table_name AND k.name = c.column_name"
    " WHERE NOT c.internal AND c." OURS,
};

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
    static const char *const texts[] = { TYPES_OBJ, TYPES_ARR };
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
    for (size_t i = 0; i < NELEM(creation); i++)
        if (catalog_run(con, creation[i], e) != 0)
            return err_prefix(e, "catalogue statement %zu", i);
    return 0;
}

int
catalog_lock_down(duckdb_connection con, struct err *e)
{
    return catalog_run(con, "SET enable_external_access=false", e);
}

/* The one number of a query, or -1. */
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
