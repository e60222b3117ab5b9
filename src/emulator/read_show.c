/* read_show.c - SHOW and DESCRIBE: Snowflake's columns over the emulator's catalogue.
 *
 * Engine threads. */
#include "emulator/read.h"

#include "must.h"

#define SHOW_MOST 10000

enum scope_kind { NO_SCOPE, DATABASES_HAVE, SCHEMAS_HAVE, TABLES_HAVE };

/* The select list and the view it is from; `terse` is the kind shown by SHOW TERSE. */
static const struct shown {
    const char *words;
    enum scope_kind scope;
    const char *terse, *name, *from, *columns;
} shown[] = {
    { "DATABASES", NO_SCOPE, "'STANDARD'", "database_name", "_db",
        "created_on, _shown(database_name) AS name, 'N' AS is_default, CASE WHEN database_name = "
        "{db} THEN 'Y' ELSE 'N' END AS is_current, '' AS origin, owner, comment, '' AS options, "
        "'1' AS retention_time, 'STANDARD' AS kind, 'ROLE' AS owner_role_type" },
    { "SCHEMAS", DATABASES_HAVE, "NULL::VARCHAR", "schema_name", "_sc",
        "created_on, _shown(schema_name) AS name, 'N' AS is_default, CASE WHEN database_name = "
        "{db} "
        "AND schema_name = {schema} THEN 'Y' ELSE 'N' END AS is_current, _shown(database_name) AS "
        "database_name, owner, comment, '' AS options, '1' AS retention_time, 'ROLE' AS "
        "owner_role_type" },
    { "TABLES", SCHEMAS_HAVE, "'TABLE'", "table_name", "_tb",
        "created_on, _shown(table_name) AS name, _shown(database_name) AS database_name, "
        "_shown(schema_name) AS schema_name, 'TABLE' AS kind, comment, '' AS cluster_by, row_count "
        "AS \"rows\", row_count * 64 AS bytes, owner, '1' AS retention_time, 'OFF' AS "
        "automatic_clustering, 'OFF' AS change_tracking, 'N' AS is_external, 'N' AS "
        "enable_schema_evolution, 'ROLE' AS owner_role_type, 'N' AS is_event, 'N' AS is_hybrid, "
        "'N' AS is_iceberg, 'N' AS is_dynamic, 'N' AS is_immutable" },
    { "VIEWS", SCHEMAS_HAVE, "'VIEW'", "view_name", "_vw",
        "created_on, _shown(view_name) AS name, '' AS reserved, _shown(database_name) AS "
        "database_name, _shown(schema_name) AS schema_name, owner, comment, text, 'false' AS "
        "is_secure, 'false' AS is_materialized, 'ROLE' AS owner_role_type, 'OFF' AS "
        "change_tracking" },
    { "OBJECTS", SCHEMAS_HAVE, "kind", "name", "_ob",
        "created_on, _shown(name) AS name, _shown(database_name) AS database_name, "
        "_shown(schema_name) AS schema_name, kind, comment, '' AS cluster_by, row_count AS "
        "\"rows\", row_count * 64 AS bytes, owner, '1' AS retention_time, 'ROLE' AS "
        "owner_role_type, 'N' AS is_hybrid, 'N' AS is_dynamic, 'N' AS is_iceberg" },
    { "COLUMNS", TABLES_HAVE, NULL, "column_name", "_co",
        "_shown(table_name) AS table_name, _shown(schema_name) AS schema_name, "
        "_shown(column_name) AS column_name, _data_type(declared, is_nullable) AS data_type, CASE "
        "WHEN is_nullable THEN 'true' ELSE 'NOT_NULL' END AS \"null?\", coalesce(default_text, '') "
        "AS \"default\", 'COLUMN' AS kind, '' AS expression, coalesce(comment, '') AS comment, "
        "_shown(database_name) AS database_name, '' AS autoincrement, "
        "NULL::VARCHAR AS schema_evolution_record" },
    { "WAREHOUSES", NO_SCOPE, NULL, "name", "_wh",
        "name, 'STARTED' AS state, 'STANDARD' AS type, 'X-Small' AS size, 1 AS min_cluster_count, "
        "1 AS max_cluster_count, 1 AS started_clusters, 0 AS running, 0 AS queued, CASE WHEN name "
        "= {wh} THEN 'Y' ELSE 'N' END AS is_default, CASE WHEN name = {wh} THEN 'Y' ELSE 'N' END "
        "AS is_current, 600 AS auto_suspend, 'true' AS auto_resume, '' AS available, '' AS "
        "provisioning, '' AS quiescing, '' AS other, created_on, created_on AS resumed_on, "
        "created_on AS updated_on, 'SYSADMIN' AS owner, '' AS comment, 'false' AS "
        "enable_query_acceleration, 8 AS query_acceleration_max_scale_factor, 'null' AS "
        "resource_monitor, 'STANDARD' AS scaling_policy, 'ROLE' AS owner_role_type" },
    { "ROLES", NO_SCOPE, NULL, "name", "_roles",
        "created_on, name, CASE WHEN name = {role} THEN 'Y' ELSE 'N' END AS is_default, CASE WHEN "
        "name = {role} THEN 'Y' ELSE 'N' END AS is_current, 'N' AS is_inherited, 0 AS "
        "assigned_to_users, 0 AS granted_to_roles, 0 AS granted_roles, 'ACCOUNTADMIN' AS owner, "
        "'' AS comment" },
    { "PARAMETERS", NO_SCOPE, NULL, "key", "_parameters",
        "key, value, value AS \"default\", '' AS level, description, type" },
    { "USER FUNCTIONS", NO_SCOPE, NULL, "name", "_functions", "*" },
    { "USER PROCEDURES", NO_SCOPE, NULL, "name", "_functions", "*" },
    { "PROCEDURES", NO_SCOPE, NULL, "name", "_functions", "*" },
    { "FUNCTIONS", NO_SCOPE, NULL, "name", "_functions", "*" },
};

struct request {
    const struct shown *what;
    bool terse;
    const char *like, *starts, *from;
    uint64_t limit;
    struct object scope;   /* database NULL: the account */
    const char *column_of; /* SHOW COLUMNS IN TABLE x: its name */
};

static const char *
literal_or_null(struct reader *r, const char *exact)
{
    return exact ? read_mangled(r, exact) : "NULL";
}

/* {db} {schema} {wh} {role} in a select list. */
static const char *
fill_context(struct reader *r, const char *text)
{
    const struct {
        const char *mark, *value;
    } marks[] = { { "{db}", literal_or_null(r, r->job->database) },
        { "{schema}", literal_or_null(r, r->job->schema) },
        { "{wh}", literal_or_null(r, r->job->warehouse) },
        { "{role}", literal_or_null(r, r->job->role) } };

    for (size_t i = 0; i < NELEM(marks); i++) {
        const char *at;
        while ((at = strstr(text, marks[i].mark)))
            text = read_text(
                r, "%.*s%s%s", (int)(at - text), text, marks[i].value, at + strlen(marks[i].mark));
    }
    return text;
}

static void
scope_to_context(struct reader *r, struct request *q, bool schema)
{
    q->scope.database = r->job->database;
    if (schema && r->job->database)
        q->scope.schema = r->job->schema;
}

static void
read_database_scope(struct reader *r, struct request *q)
{
    if (read_is_name(r) && !read_is(r, "LIKE") && !read_is(r, "STARTS") && !read_is(r, "LIMIT"))
        q->scope.database = read_name(r);
    else
        scope_to_context(r, q, false);
}

static void
read_schema_scope(struct reader *r, struct request *q)
{
    if (read_is_name(r) && !read_is(r, "LIKE") && !read_is(r, "STARTS") && !read_is(r, "LIMIT"))
        q->scope = read_schema_name(r);
    else
        scope_to_context(r, q, true);
}

static void
read_table_scope(struct reader *r, struct request *q)
{
    struct object o = read_object(r);

    q->scope = (struct object){ o.database, o.schema, NULL };
    q->column_of = o.name;
    read_check(r,
        read_text(r, "SELECT count(*) FROM _ob WHERE %s", read_object_where(r, &o, "name")),
        "002003", "42S02",
        read_text(r, "SQL compilation error:\nTable '%s' does not exist or not authorized.",
            read_object_shown(r, &o)));
}

static void
read_scope(struct reader *r, struct request *q)
{
    enum scope_kind kind = q->what->scope;

    if (!read_word(r, "IN")) {
        if (kind == DATABASES_HAVE)
            scope_to_context(r, q, false);
        else if (kind == SCHEMAS_HAVE || kind == TABLES_HAVE)
            scope_to_context(r, q, true);
        return;
    }
    if (kind == NO_SCOPE && !read_is(r, "ACCOUNT") && !read_is(r, "SESSION"))
        read_unsupported(r, "SHOW of this kind IN something");
    if (read_word(r, "ACCOUNT") || read_word(r, "SESSION"))
        return;
    if (read_word(r, "DATABASE"))
        read_database_scope(r, q);
    else if (read_word(r, "SCHEMA"))
        read_schema_scope(r, q);
    else if (kind == TABLES_HAVE && (read_word(r, "TABLE") || read_word(r, "VIEW")))
        read_table_scope(r, q);
    else if (kind == DATABASES_HAVE)
        read_database_scope(r, q);
    else if (kind == TABLES_HAVE)
        read_table_scope(r, q);
    else
        read_schema_scope(r, q);
}

static void
read_filters(struct reader *r, struct request *q)
{
    read_word(r, "HISTORY");
    if (read_word(r, "LIKE"))
        q->like = read_string(r);
    read_scope(r, q);
    if (read_words(r, "STARTS WITH"))
        q->starts = read_string(r);
    if (read_word(r, "LIMIT")) {
        q->limit = read_count(r);
        if (read_word(r, "FROM"))
            q->from = read_string(r);
    }
}

static const char *
show_sql(struct reader *r, const struct request *q)
{
    const struct shown *w = q->what;
    const char *sql, *name = read_text(r, "_shown(%s)", w->name), *order;
    bool scoped = w->scope != NO_SCOPE;

    if (q->terse)
        sql = read_text(r,
            "SELECT created_on, %s AS name, %s AS kind, %s AS database_name, %s AS schema_name "
            "FROM %s WHERE true",
            name, w->terse, w->scope == NO_SCOPE ? "NULL::VARCHAR" : "_shown(database_name)",
            w->scope == SCHEMAS_HAVE ? "_shown(schema_name)" : "NULL::VARCHAR", w->from);
    else
        sql = read_text(r, "SELECT %s FROM %s WHERE true", fill_context(r, w->columns), w->from);
    if (q->scope.database) {
        read_check_scope(r, &q->scope);
        sql = read_text(r, "%s AND %s", sql, read_object_where(r, &q->scope, NULL));
    }
    if (q->column_of)
        sql = read_text(r, "%s AND table_name = %s", sql, read_mangled(r, q->column_of));
    if (q->like)
        sql = read_text(
            r, "%s AND %s ILIKE %s ESCAPE '\\'", sql, name, read_quote(r, str_of(q->like)));
    if (q->starts)
        sql =
            read_text(r, "%s AND starts_with(%s, %s)", sql, name, read_quote(r, str_of(q->starts)));
    if (q->from)
        sql = read_text(r, "%s AND %s > %s", sql, name, read_quote(r, str_of(q->from)));
    order = !scoped                      ? w->name
            : w->scope == DATABASES_HAVE ? "database_name, schema_name"
            : w->scope == TABLES_HAVE    ? "database_name, schema_name, table_name, ordinal"
                                         : read_text(r, "database_name, schema_name, %s", w->name);
    return read_text(r, "SELECT * FROM (%s ORDER BY %s LIMIT %llu)", sql, order,
        (unsigned long long)(q->limit > 0 && q->limit < SHOW_MOST ? q->limit : SHOW_MOST));
}

static void
show_grants(struct reader *r)
{
    const char *rows = "SELECT * FROM _grants WHERE false";

    if (read_word(r, "TO")) {
        if (read_word(r, "ROLE"))
            rows = read_text(r, "SELECT * FROM _grants WHERE grantee_name = %s",
                read_quote(r, str_of(read_name(r))));
        else if (read_word(r, "USER"))
            read_name(r);
        else
            read_syntax(r);
    } else if (read_word(r, "OF")) {
        read_need(r, "ROLE");
        read_name(r);
        rows = "SELECT created_on, name AS role, 'USER' AS granted_to, '' AS grantee_name, '' AS "
               "granted_by FROM _roles WHERE false";
    } else if (read_word(r, "ON")) {
        if (!read_word(r, "ACCOUNT")) {
            read_name(r);
            do
                read_name(r);
            while (read_op(r, '.'));
        }
    }
    r->plan->kind = PLAN_ROWS;
    r->plan->sql = rows;
}

void
read_show(struct reader *r)
{
    struct request q = { 0 };

    read_need(r, "SHOW");
    if (read_word(r, "GRANTS")) {
        show_grants(r);
        return;
    }
    q.terse = read_word(r, "TERSE");
    for (size_t i = 0; i < NELEM(shown) && !q.what; i++)
        if (read_words(r, shown[i].words))
            q.what = &shown[i];
    if (!q.what) {
        if (!read_is_name(r))
            read_syntax(r);
        read_unsupported(r, read_text(r, "SHOW %s", read_upper(r, read_peek(r, 0)->raw)));
    }
    if (q.terse && !q.what->terse)
        read_unsupported(r, "SHOW TERSE of this kind");
    read_filters(r, &q);
    r->plan->kind = PLAN_ROWS;
    r->plan->sql = show_sql(r, &q);
}

static void
describe_container(struct reader *r, bool schema)
{
    struct object o = { 0 };

    if (schema)
        o = read_schema_name(r);
    else
        o.database = read_name(r);
    read_check_scope(r, &o);
    r->plan->kind = PLAN_ROWS;
    if (schema)
        r->plan->sql = read_text(r,
            "SELECT created_on, _shown(name) AS name, kind FROM _ob WHERE %s ORDER BY name",
            read_object_where(r, &o, NULL));
    else
        r->plan->sql = read_text(r,
            "SELECT created_on, _shown(schema_name) AS name, 'SCHEMA' AS kind FROM _sc WHERE %s "
            "ORDER BY schema_name",
            read_object_where(r, &o, NULL));
}

void
read_describe(struct reader *r)
{
    const char *kind = "Table", *view = "_ob";

    r->at++; /* DESC or DESCRIBE */
    if (read_word(r, "SCHEMA") || read_is(r, "DATABASE")) {
        describe_container(r, !read_word(r, "DATABASE"));
        return;
    }
    if (read_word(r, "VIEW")) {
        kind = "View";
        view = "(SELECT database_name, schema_name, view_name AS name FROM _vw)";
    } else if (!read_word(r, "TABLE") && !read_is_name(r)) {
        read_syntax(r);
    } else if (sql_token_is_op(read_peek(r, 1), '.') == false &&
               read_peek(r, 1)->kind == SQL_NAME && !sql_token_is(read_peek(r, 1), "TYPE")) {
        read_unsupported(r, read_text(r, "DESCRIBE %s", read_upper(r, read_peek(r, 0)->raw)));
    }
    struct object o = read_object(r);
    if (read_word(r, "TYPE")) {
        read_need_op(r, '=');
        read_need(r, "COLUMNS");
    }
    read_check(r,
        read_text(r, "SELECT count(*) FROM %s WHERE %s", view, read_object_where(r, &o, "name")),
        "002003", "42S02",
        read_text(r, "SQL compilation error:\n%s '%s' does not exist or not authorized.", kind,
            read_object_shown(r, &o)));
    r->plan->kind = PLAN_ROWS;
    r->plan->sql = read_text(r,
        "SELECT _shown(column_name) AS name, declared AS type, 'COLUMN' AS kind, CASE WHEN "
        "is_nullable THEN 'Y' ELSE 'N' END AS \"null?\", default_text AS \"default\", CASE WHEN "
        "primary_key THEN 'Y' ELSE 'N' END AS \"primary key\", CASE WHEN unique_key THEN 'Y' ELSE "
        "'N' END AS \"unique key\", NULL::VARCHAR AS \"check\", NULL::VARCHAR AS expression, "
        "nullif(comment, '') AS comment, NULL::VARCHAR AS \"policy name\", NULL::VARCHAR AS "
        "\"privacy domain\" FROM _co WHERE %s ORDER BY ordinal",
        read_object_where(r, &o, "table_name"));
}

static const struct {
    const char *name, *view;
} information_schema[] = {
    { "TABLES", "_is_tables" },
    { "VIEWS", "_is_views" },
    { "COLUMNS", "_is_columns" },
    { "SCHEMATA", "_is_schemata" },
    { "DATABASES", "_is_databases" },
    { "ENABLED_ROLES", "_is_enabled_roles" },
    { "APPLICABLE_ROLES", "_is_enabled_roles" },
};

const char *
read_information_schema(struct reader *r, const char *database, const char *view)
{
    for (size_t i = 0; i < NELEM(information_schema); i++) {
        if (strcmp(information_schema[i].name, view) != 0)
            continue;
        if (strcmp(view, "DATABASES") == 0 || strstr(view, "ROLES"))
            return information_schema[i].view;
        return read_text(r, "(SELECT * FROM %s WHERE %s = _shown(%s))", information_schema[i].view,
            strcmp(view, "SCHEMATA") == 0 ? "\"CATALOG_NAME\"" : "\"TABLE_CATALOG\"",
            read_mangled(r, database));
    }
    return NULL;
}
