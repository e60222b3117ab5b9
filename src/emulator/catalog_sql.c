/* catalog_sql.c - the tables, views and macros of the database "memory": what SHOW, DESCRIBE and
 * INFORMATION_SCHEMA are read from, and the small functions translated statements use.
 *
 * Run once at start, in this order. */
#include "emulator/catalog_sql.h"

#include "emulator/types.h"

#define OURS    "database_name NOT IN ('memory', 'system', 'temp')"
#define STARTED "(SELECT started FROM _start)"
#define OFFSET  "'([+-])([0-9]{2}):?([0-9]{2})$'"

const char *const catalog_sql[] = {
    /* ---- names and types */
    "CREATE MACRO _shown(x) AS regexp_replace(x, '\x1f[0-9a-f]*\x1f', '', 'g')",
    "CREATE MACRO _quoted(x) AS CASE WHEN regexp_full_match(x, '[A-Z_][A-Z0-9_$]*') THEN x ELSE"
    " '\"' || replace(x, '\"', '\"\"') || '\"' END",
    "CREATE MACRO _declared(t) AS CASE"
    " WHEN t IN ('BIGINT','INTEGER','SMALLINT','TINYINT','HUGEINT','UBIGINT','UINTEGER')"
    " THEN 'NUMBER(38,0)'"
    " WHEN t LIKE 'DECIMAL(%' THEN replace(t, 'DECIMAL', 'NUMBER')"
    " WHEN t IN ('DOUBLE','FLOAT') THEN 'FLOAT'"
    " WHEN t = 'BOOLEAN' THEN 'BOOLEAN' WHEN t = 'DATE' THEN 'DATE'"
    " WHEN t = 'BLOB' THEN 'BINARY(8388608)' WHEN t = 'TIME' THEN 'TIME(9)'"
    " WHEN t IN ('TIMESTAMP','TIMESTAMP_NS','TIMESTAMP_MS','TIMESTAMP_S') THEN 'TIMESTAMP_NTZ(9)'"
    " WHEN t = 'TIMESTAMP WITH TIME ZONE' THEN 'TIMESTAMP_LTZ(9)'"
    " WHEN t = '" TYPES_TZ "' THEN 'TIMESTAMP_TZ(9)'"
    " WHEN t IN ('JSON','\"JSON\"','" TYPES_VAR "') THEN 'VARIANT'"
    " WHEN t = '" TYPES_OBJ "' THEN 'OBJECT'"
    " WHEN t = '" TYPES_ARR "' OR t LIKE '%[]' THEN 'ARRAY'"
    " WHEN t LIKE 'STRUCT(%' OR t LIKE 'MAP(%' THEN 'OBJECT'"
    " ELSE 'VARCHAR(16777216)' END",
    "CREATE MACRO _arg(d, i) AS TRY_CAST(regexp_extract(d, '[(]([0-9]+)(,([0-9]+))?[)]', i) AS"
    " BIGINT)",
    "CREATE MACRO _base(d) AS CASE WHEN d LIKE 'VARCHAR%' THEN 'TEXT' ELSE regexp_replace(d,"
    " '[(].*', '') END",
    "CREATE MACRO _data_type(d, n) AS CASE _base(d)"
    " WHEN 'NUMBER' THEN "
    "printf('{\"type\":\"FIXED\",\"precision\":%d,\"scale\":%d,\"nullable\":%s}',"
    " _arg(d, 1), _arg(d, 3), n::VARCHAR)"
    " WHEN 'FLOAT' THEN printf('{\"type\":\"REAL\",\"nullable\":%s}', n::VARCHAR)"
    " WHEN 'TEXT' THEN printf('{\"type\":\"TEXT\",\"length\":%d,\"byteLength\":%d,\"nullable\":%s,"
    "\"fixed\":false}', _arg(d, 1), least(_arg(d, 1) * 4, 16777216), n::VARCHAR)"
    " WHEN 'BINARY' THEN printf('{\"type\":\"BINARY\",\"length\":%d,\"byteLength\":%d,"
    "\"nullable\":%s,\"fixed\":true}', _arg(d, 1), _arg(d, 1), n::VARCHAR)"
    " WHEN 'TIME' THEN printf('{\"type\":\"TIME\",\"precision\":0,\"scale\":%d,\"nullable\":%s}',"
    " _arg(d, 1), n::VARCHAR)"
    " WHEN 'TIMESTAMP_NTZ' THEN printf('{\"type\":\"TIMESTAMP_NTZ\",\"precision\":0,\"scale\":%d,"
    "\"nullable\":%s}', _arg(d, 1), n::VARCHAR)"
    " WHEN 'TIMESTAMP_LTZ' THEN printf('{\"type\":\"TIMESTAMP_LTZ\",\"precision\":0,\"scale\":%d,"
    "\"nullable\":%s}', _arg(d, 1), n::VARCHAR)"
    " WHEN 'TIMESTAMP_TZ' THEN printf('{\"type\":\"TIMESTAMP_TZ\",\"precision\":0,\"scale\":%d,"
    "\"nullable\":%s}', _arg(d, 1), n::VARCHAR)"
    " ELSE printf('{\"type\":\"%s\",\"nullable\":%s}', _base(d), n::VARCHAR) END",

    /* ---- what the catalogue keeps */
    "CREATE TABLE _objects(database_name VARCHAR, schema_name VARCHAR, name VARCHAR, kind VARCHAR,"
    " created_on TIMESTAMPTZ DEFAULT now(), owner VARCHAR, comment VARCHAR, text VARCHAR)",
    "CREATE TABLE _columns(database_name VARCHAR, schema_name VARCHAR, table_name VARCHAR,"
    " name VARCHAR, declared VARCHAR, default_text VARCHAR, comment VARCHAR,"
    " primary_key BOOLEAN DEFAULT false, unique_key BOOLEAN DEFAULT false,"
    " not_null BOOLEAN DEFAULT false)",
    "CREATE TABLE _start AS SELECT now() AS started",

    /* ---- what SHOW reads */
    "CREATE VIEW _db AS SELECT d.database_name, coalesce(o.created_on, " STARTED ") AS created_on,"
    " coalesce(o.owner, 'ACCOUNTADMIN') AS owner, coalesce(o.comment, '') AS comment"
    " FROM duckdb_databases() d LEFT JOIN _objects o ON o.kind = 'DATABASE' AND o.database_name ="
    " d.database_name WHERE d." OURS,
    "CREATE VIEW _sc AS SELECT s.database_name, s.schema_name, coalesce(o.created_on, " STARTED
    ") AS created_on, coalesce(o.owner, 'ACCOUNTADMIN') AS owner, coalesce(o.comment, '') AS "
    "comment"
    " FROM duckdb_schemas() s LEFT JOIN _objects o ON o.kind = 'SCHEMA' AND o.database_name ="
    " s.database_name AND o.schema_name = s.schema_name WHERE s." OURS
    " AND s.schema_name NOT IN ('main', 'pg_catalog', 'information_schema')"
    " UNION ALL SELECT database_name, 'INFORMATION_SCHEMA', created_on, '',"
    " 'Views describing the contents of schemas in this database' FROM _db",
    "CREATE VIEW _tb AS SELECT t.database_name, t.schema_name, t.table_name, "
    "coalesce(o.created_on, " STARTED ") AS created_on, coalesce(o.owner, 'ACCOUNTADMIN') AS owner,"
    " coalesce(t.comment, o.comment, '') AS comment, coalesce(t.estimated_size, 0) AS row_count"
    " FROM duckdb_tables() t LEFT JOIN _objects o ON o.kind = 'TABLE' AND"
    " o.database_name = t.database_name AND o.schema_name = t.schema_name AND o.name ="
    " t.table_name WHERE NOT t.internal AND NOT t.temporary AND t." OURS,
    "CREATE VIEW _vw AS SELECT v.database_name, v.schema_name, v.view_name, "
    "coalesce(o.created_on, " STARTED ") AS created_on, coalesce(o.owner, 'ACCOUNTADMIN') AS owner,"
    " coalesce(v.comment, o.comment, '') AS comment, coalesce(o.text, v.sql) AS text"
    " FROM duckdb_views() v LEFT JOIN _objects o ON o.kind = 'VIEW' AND o.database_name ="
    " v.database_name AND o.schema_name = v.schema_name AND o.name = v.view_name"
    " WHERE NOT v.internal AND NOT v.temporary AND v." OURS,
    "CREATE VIEW _ob AS SELECT database_name, schema_name, table_name AS name, 'TABLE' AS kind,"
    " created_on, owner, comment, row_count FROM _tb UNION ALL SELECT database_name, schema_name,"
    " view_name, 'VIEW', created_on, owner, comment, 0 FROM _vw",
    "CREATE VIEW _co AS SELECT c.database_name, c.schema_name, c.table_name, c.column_name,"
    " c.column_index AS ordinal, coalesce(k.declared, _declared(c.data_type)) AS declared,"
    " c.is_nullable AND NOT coalesce(k.not_null, false) AS is_nullable, k.default_text, "
    "coalesce(c.comment, k.comment) AS comment,"
    " coalesce(k.primary_key, false) AS primary_key, coalesce(k.unique_key, false) AS unique_key"
    " FROM duckdb_columns() c LEFT JOIN _columns k ON k.database_name = c.database_name AND"
    " k.schema_name = c.schema_name AND k.table_name = c.table_name AND k.name = c.column_name"
    " WHERE NOT c.internal AND c." OURS,
    "CREATE VIEW _wh AS SELECT name, " STARTED " AS created_on FROM (VALUES ('COMPUTE_WH'),"
    " ('MCP_WH')) t(name)",
    "CREATE VIEW _roles AS SELECT " STARTED " AS created_on, name FROM (VALUES ('ACCOUNTADMIN'),"
    " ('SECURITYADMIN'), ('SYSADMIN'), ('USERADMIN'), ('PUBLIC'), ('ANALYST'), ('MCP_READER'))"
    " t(name)",
    "CREATE VIEW _parameters AS SELECT * FROM (VALUES"
    " ('AUTOCOMMIT', 'true', 'The autocommit property of a statement', 'BOOLEAN'),"
    " ('DATE_OUTPUT_FORMAT', 'YYYY-MM-DD', 'display format for date', 'STRING'),"
    " ('QUERY_TAG', '', 'String (up to 2000 characters) used to tag statements', 'STRING'),"
    " ('ROWS_PER_RESULTSET', '0', 'maximum number of rows in a result set', 'NUMBER'),"
    " ('STATEMENT_TIMEOUT_IN_SECONDS', '172800', 'Timeout in seconds for statements', 'NUMBER'),"
    " ('TIMEZONE', 'UTC', 'time zone', 'STRING')) t(key, value, description, type)",
    "CREATE VIEW _functions AS SELECT now() AS created_on, '' AS name, '' AS schema_name, 'N' AS"
    " is_builtin, 'N' AS is_aggregate, 'N' AS is_ansi, 0 AS min_num_arguments, 0 AS"
    " max_num_arguments, '' AS arguments, '' AS description, '' AS catalog_name, 'N' AS"
    " is_table_function, 'N' AS valid_for_clustering, 'N' AS is_secure WHERE false",
    "CREATE VIEW _grants AS SELECT created_on, 'USAGE' AS privilege, 'DATABASE' AS granted_on,"
    " _shown(database_name) AS name, 'ROLE' AS granted_to, r.name AS grantee_name, 'false' AS"
    " grant_option, 'ACCOUNTADMIN' AS granted_by FROM _db, (SELECT name FROM _roles) r"
    " ORDER BY 4, 6",
    "CREATE VIEW _ddl AS SELECT database_name, schema_name, table_name AS name, 'TABLE' AS kind,"
    " 'create or replace TABLE ' || _quoted(_shown(table_name)) || ' (' || chr(10) || string_agg("
    "chr(9) || _quoted(_shown(column_name)) || ' ' || declared || CASE WHEN is_nullable THEN ''"
    " ELSE ' NOT NULL' END || CASE WHEN default_text IS NULL THEN '' ELSE ' DEFAULT ' ||"
    " default_text END || CASE WHEN coalesce(comment, '') = '' THEN '' ELSE ' COMMENT ''' ||"
    " replace(comment, '''', '''''') || '''' END, ',' || chr(10) ORDER BY ordinal) || chr(10) ||"
    " ');' AS ddl FROM _co SEMI JOIN _tb USING (database_name, schema_name, table_name)"
    " GROUP BY database_name, schema_name, table_name"
    " UNION ALL SELECT database_name, schema_name, view_name, 'VIEW', text || ';' FROM _vw",

    /* ---- INFORMATION_SCHEMA */
    "CREATE VIEW _is_tables AS SELECT _shown(database_name) AS \"TABLE_CATALOG\","
    " _shown(schema_name) AS \"TABLE_SCHEMA\", _shown(name) AS \"TABLE_NAME\", owner AS"
    " \"TABLE_OWNER\", CASE kind WHEN 'TABLE' THEN 'BASE TABLE' ELSE 'VIEW' END AS \"TABLE_TYPE\","
    " CASE kind WHEN 'TABLE' THEN 'NO' END AS \"IS_TRANSIENT\", NULL::VARCHAR AS"
    " \"CLUSTERING_KEY\", CASE kind WHEN 'TABLE' THEN row_count END AS \"ROW_COUNT\", CASE kind"
    " WHEN 'TABLE' THEN row_count * 64 END AS \"BYTES\", CASE kind WHEN 'TABLE' THEN 1 END AS"
    " \"RETENTION_TIME\", created_on AS \"CREATED\", created_on AS \"LAST_ALTERED\", created_on AS"
    " \"LAST_DDL\", 'NO' AS \"AUTO_CLUSTERING_ON\", nullif(comment, '') AS \"COMMENT\","
    " 'NO' AS \"IS_TEMPORARY\", 'NO' AS \"IS_ICEBERG\", 'NO' AS \"IS_DYNAMIC\" FROM _ob",
    "CREATE VIEW _is_views AS SELECT _shown(database_name) AS \"TABLE_CATALOG\","
    " _shown(schema_name) AS \"TABLE_SCHEMA\", _shown(view_name) AS \"TABLE_NAME\", owner AS"
    " \"TABLE_OWNER\", text AS \"VIEW_DEFINITION\", 'NONE' AS \"CHECK_OPTION\", 'NO' AS"
    " \"IS_UPDATABLE\", 'NO' AS \"INSERTABLE_INTO\", 'NO' AS \"IS_SECURE\", created_on AS"
    " \"CREATED\", created_on AS \"LAST_ALTERED\", nullif(comment, '') AS \"COMMENT\" FROM _vw",
    "CREATE VIEW _is_columns AS SELECT _shown(database_name) AS \"TABLE_CATALOG\","
    " _shown(schema_name) AS \"TABLE_SCHEMA\", _shown(table_name) AS \"TABLE_NAME\","
    " _shown(column_name) AS \"COLUMN_NAME\", ordinal AS \"ORDINAL_POSITION\", default_text AS"
    " \"COLUMN_DEFAULT\", CASE WHEN is_nullable THEN 'YES' ELSE 'NO' END AS \"IS_NULLABLE\","
    " _base(declared) AS \"DATA_TYPE\", CASE WHEN _base(declared) = 'TEXT' THEN _arg(declared, 1)"
    " END AS \"CHARACTER_MAXIMUM_LENGTH\", CASE WHEN _base(declared) IN ('TEXT', 'BINARY') THEN"
    " least(_arg(declared, 1) * CASE _base(declared) WHEN 'TEXT' THEN 4 ELSE 1 END, 16777216) END"
    " AS \"CHARACTER_OCTET_LENGTH\", CASE WHEN _base(declared) = 'NUMBER' THEN _arg(declared, 1)"
    " END AS \"NUMERIC_PRECISION\", CASE WHEN _base(declared) = 'NUMBER' THEN 10 END AS"
    " \"NUMERIC_PRECISION_RADIX\", CASE WHEN _base(declared) = 'NUMBER' THEN _arg(declared, 3) END"
    " AS \"NUMERIC_SCALE\", CASE WHEN _base(declared) LIKE 'TIME%' THEN _arg(declared, 1) END AS"
    " \"DATETIME_PRECISION\", 'NO' AS \"IS_IDENTITY\", nullif(comment, '') AS \"COMMENT\""
    " FROM _co",
    "CREATE VIEW _is_schemata AS SELECT _shown(database_name) AS \"CATALOG_NAME\","
    " _shown(schema_name) AS \"SCHEMA_NAME\", owner AS \"SCHEMA_OWNER\", 'NO' AS \"IS_TRANSIENT\","
    " 'NO' AS \"IS_MANAGED_ACCESS\", 1 AS \"RETENTION_TIME\", created_on AS \"CREATED\","
    " created_on AS \"LAST_ALTERED\", nullif(comment, '') AS \"COMMENT\" FROM _sc",
    "CREATE VIEW _is_databases AS SELECT _shown(database_name) AS \"DATABASE_NAME\", owner AS"
    " \"DATABASE_OWNER\", 'NO' AS \"IS_TRANSIENT\", nullif(comment, '') AS \"COMMENT\", created_on"
    " AS \"CREATED\", created_on AS \"LAST_ALTERED\", 1 AS \"RETENTION_TIME\", 'STANDARD' AS"
    " \"TYPE\" FROM _db",
    "CREATE VIEW _is_enabled_roles AS SELECT name AS \"ROLE_NAME\", 'ACCOUNTADMIN' AS"
    " \"ROLE_OWNER\" FROM _roles",
    "CREATE MACRO _history(j) AS TABLE SELECT u.query_id AS \"QUERY_ID\", u.query_text AS"
    " \"QUERY_TEXT\", u.database_name AS \"DATABASE_NAME\", u.schema_name AS \"SCHEMA_NAME\","
    " u.user_name AS \"USER_NAME\", u.role_name AS \"ROLE_NAME\", u.warehouse_name AS"
    " \"WAREHOUSE_NAME\", u.query_tag AS \"QUERY_TAG\", u.execution_status AS"
    " \"EXECUTION_STATUS\", u.error_code AS \"ERROR_CODE\", u.error_message AS \"ERROR_MESSAGE\","
    " make_timestamp(u.start_ms * 1000) AT TIME ZONE 'UTC' AS \"START_TIME\", CASE WHEN u.end_ms >"
    " 0 THEN make_timestamp(u.end_ms * 1000) AT TIME ZONE 'UTC' END AS \"END_TIME\", CASE WHEN"
    " u.end_ms > 0 THEN u.end_ms - u.start_ms END AS \"TOTAL_ELAPSED_TIME\" FROM (SELECT unnest("
    "from_json(j, '[{\"query_id\":\"VARCHAR\",\"query_text\":\"VARCHAR\",\"database_name\":"
    "\"VARCHAR\",\"schema_name\":\"VARCHAR\",\"user_name\":\"VARCHAR\",\"role_name\":\"VARCHAR\","
    "\"warehouse_name\":\"VARCHAR\",\"query_tag\":\"VARCHAR\",\"execution_status\":\"VARCHAR\","
    "\"error_code\":\"VARCHAR\",\"error_message\":\"VARCHAR\",\"start_ms\":\"BIGINT\",\"end_ms\":"
    "\"BIGINT\"}]')) AS u)",

    /* ---- functions of translated statements */
    "CREATE MACRO _mod(a, b) AS CASE WHEN b = 0 THEN error('Division by zero') ELSE a % b END",
    "CREATE MACRO _length(x VARCHAR) AS length(x)",
    "CREATE MACRO _random() AS CAST(floor((random() - 0.5) * 18446744073709549568) AS BIGINT)",
    "CREATE MACRO _to_boolean(x) AS CASE WHEN x IS NULL THEN NULL WHEN lower(x) IN ('true', 't',"
    " 'yes', 'y', 'on', '1') THEN true WHEN lower(x) IN ('false', 'f', 'no', 'n', 'off', '0') THEN"
    " false ELSE error('~100037~22018~Boolean value ''' || x || ''' is not recognized') END",
    "CREATE MACRO _try_to_boolean(x) AS CASE WHEN lower(x) IN ('true', 't', 'yes', 'y', 'on', '1')"
    " THEN true WHEN lower(x) IN ('false', 'f', 'no', 'n', 'off', '0') THEN false END",
    "CREATE MACRO _no_zone(x) AS regexp_replace(x, '(:[0-9]{2}([.][0-9]+)?) ?(Z|z|[+-][0-9]{2}:?"
    "[0-9]{2})$', '\\1')",
    "CREATE MACRO _epoch(x) AS (SELECT make_timestamp(CAST(CASE WHEN abs(n) < 31536000000 THEN n * "
    "1000000"
    " WHEN abs(n) < 31536000000000 THEN n * 1000 WHEN abs(n) < 31536000000000000 THEN n ELSE n //"
    " 1000 END AS BIGINT)) FROM (SELECT CAST(x AS HUGEINT) AS n))",
    "CREATE MACRO _tz(u, e) AS CAST(struct_pack(utc := CAST(u AS TIMESTAMP), east := CAST(e AS"
    " SMALLINT)) AS " TYPES_TZ ")",
    "CREATE MACRO _utc(x) AS struct_extract(CAST(x AS STRUCT(utc TIMESTAMP, east SMALLINT)),"
    " 'utc')",
    "CREATE MACRO _wall(x) AS _utc(x) + to_minutes(CAST(struct_extract(CAST(x AS STRUCT(utc"
    " TIMESTAMP, east SMALLINT)), 'east') AS BIGINT))",
    "CREATE MACRO _east(x) AS CASE WHEN regexp_matches(x, ':.*' || " OFFSET ") THEN CASE"
    " regexp_extract(x, " OFFSET
    ", 1) WHEN '-' THEN -1 ELSE 1 END * (60 * CAST(regexp_extract(x, " OFFSET
    ", 2) AS INTEGER) + CAST(regexp_extract(x, " OFFSET ", 3) AS INTEGER)) ELSE 0 END",
    "CREATE MACRO _to_tz(x) AS CASE WHEN x IS NULL THEN NULL ELSE _tz(CAST(_no_zone(x) AS"
    " TIMESTAMP) - to_minutes(_east(x)), _east(x)) END",
    "CREATE MACRO _try_to_tz(x) AS CASE WHEN TRY_CAST(_no_zone(x) AS TIMESTAMP) IS NULL THEN NULL"
    " ELSE _tz(TRY_CAST(_no_zone(x) AS TIMESTAMP) - to_minutes(_east(x)), _east(x)) END",
    "CREATE MACRO _json_typeof(j) AS CASE json_type(j) WHEN 'UBIGINT' THEN 'INTEGER' WHEN 'BIGINT'"
    " THEN 'INTEGER' WHEN 'DOUBLE' THEN 'DECIMAL' WHEN 'NULL' THEN 'NULL_VALUE' ELSE json_type(j)"
    " END",
    "CREATE MACRO _initcap(s VARCHAR) AS array_to_string(list_transform(regexp_extract_all("
    "lower(s), '[[:alnum:]]+|[^[:alnum:]]+'), lambda w: upper(left(w, 1)) || substr(w, 2)), '')",
};

const size_t catalog_sql_count = sizeof catalog_sql / sizeof catalog_sql[0];
