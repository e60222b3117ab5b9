/* sample.c - fills SNOWFLAKE_SAMPLE_DATA and DEMO_DB at start.
 *
 * Runs before the engine's threads do.  Must never depend on the clock, on random() or on the
 * order of threads: rows are functions of their number. */
#include "emulator/sample.h"

#include "buf.h"
#include "emulator/catalog.h"
#include "emulator/run.h"
#include "must.h"

#include <stdio.h>
#include <stdlib.h>

/* {n} is replaced by the number of rows at this scale; _h(i, seed, n) is a number below n. */
struct step {
    double rows_at_1; /* 0: no {n} */
    const char *sql;
};

#define TPCH "SNOWFLAKE_SAMPLE_DATA.TPCH_SF1."

static const struct step tpch[] = {
    { 0, "CREATE MACRO _h(i, seed, n) AS (hash(i, seed) % n)::BIGINT" },
    { 0, "ATTACH ':memory:' AS SNOWFLAKE_SAMPLE_DATA" },
    { 0, "CREATE SCHEMA SNOWFLAKE_SAMPLE_DATA.TPCH_SF1" },
    { 0, "CREATE TABLE " TPCH "REGION AS SELECT i::BIGINT AS \"R_REGIONKEY\", ['AFRICA',"
         "'AMERICA','ASIA','EUROPE','MIDDLE EAST'][i + 1] AS \"R_NAME\", 'region number ' || i AS"
         " \"R_COMMENT\" FROM range(5) t(i)" },
    { 0, "CREATE TABLE " TPCH "NATION AS SELECT i::BIGINT AS \"N_NATIONKEY\", ['ALGERIA',"
         "'ARGENTINA','BRAZIL','CANADA','EGYPT','ETHIOPIA','FRANCE','GERMANY','INDIA','INDONESIA',"
         "'IRAN','IRAQ','JAPAN','JORDAN','KENYA','MOROCCO','MOZAMBIQUE','PERU','CHINA','ROMANIA',"
         "'SAUDI ARABIA','VIETNAM','RUSSIA','UNITED KINGDOM','UNITED STATES'][i + 1] AS \"N_NAME\","
         " [0,1,1,1,4,0,3,3,2,2,4,4,2,4,0,0,0,1,2,3,4,2,3,3,1][i + 1]::BIGINT AS"
         " \"N_REGIONKEY\", 'nation number ' || i AS \"N_COMMENT\" FROM range(25) t(i)" },
    { 10000, "CREATE TABLE " TPCH "SUPPLIER AS SELECT i AS \"S_SUPPKEY\", printf('Supplier#%09d',"
             " i) AS \"S_NAME\", 'Street ' || _h(i, 11, 9999) AS \"S_ADDRESS\", _h(i, 12, 25) AS"
             " \"S_NATIONKEY\", printf('%02d-%03d-%03d-%04d', 10 + _h(i, 12, 25), 100 + _h(i, 13,"
             " 900), 100 + _h(i, 14, 900), 1000 + _h(i, 15, 9000)) AS \"S_PHONE\", (_h(i, 16,"
             " 1099999) / 100 - 999.99)::DECIMAL(12,2) AS \"S_ACCTBAL\", 'supplier since ' || (1980"
             " + _h(i, 17, 18)) AS \"S_COMMENT\" FROM range(1, {n} + 1) t(i)" },
    { 150000, "CREATE TABLE " TPCH "CUSTOMER AS SELECT i AS \"C_CUSTKEY\", printf('Customer#%09d',"
              " i) AS \"C_NAME\", 'Street ' || _h(i, 21, 9999) AS \"C_ADDRESS\", _h(i, 22, 25) AS"
              " \"C_NATIONKEY\", printf('%02d-%03d-%03d-%04d', 10 + _h(i, 22, 25), 100 + _h(i, 23,"
              " 900), 100 + _h(i, 24, 900), 1000 + _h(i, 25, 9000)) AS \"C_PHONE\", (_h(i, 26,"
              " 1099999) / 100 - 999.99)::DECIMAL(12,2) AS \"C_ACCTBAL\", ['AUTOMOBILE','BUILDING',"
              "'FURNITURE','HOUSEHOLD','MACHINERY'][_h(i, 27, 5) + 1] AS \"C_MKTSEGMENT\","
              " 'customer since ' || (1980 + _h(i, 28, 18)) AS \"C_COMMENT\" FROM range(1, {n} + 1)"
              " t(i)" },
    { 200000,
        "CREATE TABLE " TPCH "PART AS SELECT i AS \"P_PARTKEY\", ['almond','azure','beige',"
        "'blue','chocolate','coral','cream','forest','green','ivory'][_h(i, 31, 10) + 1] || "
        "' ' || ['lace','linen','navy','olive','orchid','plum','rose','salmon','tan',"
        "'wheat'][_h(i, 32, 10) + 1] AS \"P_NAME\", 'Manufacturer#' || (1 + _h(i, 33, 5)) AS"
        " \"P_MFGR\", 'Brand#' || (1 + _h(i, 33, 5)) || (1 + _h(i, 34, 5)) AS \"P_BRAND\","
        " ['STANDARD','SMALL','MEDIUM','LARGE','ECONOMY','PROMO'][_h(i, 35, 6) + 1] || ' ' ||"
        " ['ANODIZED','BURNISHED','PLATED','POLISHED','BRUSHED'][_h(i, 36, 5) + 1] || ' ' ||"
        " ['TIN','NICKEL','BRASS','STEEL','COPPER'][_h(i, 37, 5) + 1] AS \"P_TYPE\", 1 + _h(i,"
        " 38, 50) AS \"P_SIZE\", ['SM','LG','MED','JUMBO','WRAP'][_h(i, 39, 5) + 1] || ' ' ||"
        " ['CASE','BOX','BAG','JAR','PKG','PACK','CAN','DRUM'][_h(i, 40, 8) + 1] AS"
        " \"P_CONTAINER\", (900 + (i % 1000) + (i / 10 % 200) / 100)::DECIMAL(12,2) AS"
        " \"P_RETAILPRICE\", 'part comment ' || _h(i, 41, 1000) AS \"P_COMMENT\" FROM"
        " range(1, {n} + 1) t(i)" },
    { 10000, "CREATE TABLE " TPCH "PARTSUPP AS SELECT p.\"P_PARTKEY\" AS \"PS_PARTKEY\","
             " 1 + (p.\"P_PARTKEY\" + k * ({n} // 4 + 1)) % {n} AS \"PS_SUPPKEY\","
             " 1 + _h(p.\"P_PARTKEY\" * 4 + k, 51, 9999) AS \"PS_AVAILQTY\", ((100 + _h("
             "p.\"P_PARTKEY\" * 4 + k, 52, 99901)) / 100)::DECIMAL(12,2) AS \"PS_SUPPLYCOST\","
             " 'partsupp comment' AS \"PS_COMMENT\" FROM " TPCH "PART p, range(4) t(k)" },
    { 200000, "CREATE TEMP TABLE _line AS SELECT o AS ok, l AS ln, 1 + _h(o * 8 + l, 61, {n}) AS"
              " pk, o * 8 + l AS id FROM range(1, {n} * 15 // 2 + 1) t(o), LATERAL (SELECT unnest("
              "range(1, 2 + _h(o, 62, 7))) AS l)" },
    { 10000, "CREATE TABLE " TPCH "LINEITEM AS SELECT ok AS \"L_ORDERKEY\", pk AS \"L_PARTKEY\","
             " 1 + (pk + _h(id, 63, 4) * ({n} // 4 + 1)) % {n} AS \"L_SUPPKEY\", ln AS"
             " \"L_LINENUMBER\", (1 + _h(id, 64, 50))::DECIMAL(12,2) AS \"L_QUANTITY\", ((1 + _h("
             "id, 64, 50)) * p.\"P_RETAILPRICE\")::DECIMAL(12,2) AS \"L_EXTENDEDPRICE\", (_h(id,"
             " 65, 11) / 100)::DECIMAL(12,2) AS \"L_DISCOUNT\", (_h(id, 66, 9) / 100)::DECIMAL(12,2"
             ") AS \"L_TAX\", CASE WHEN od + 30 > 9300 THEN 'N' ELSE ['R','A'][_h(id, 67, 2) + 1]"
             " END AS \"L_RETURNFLAG\", CASE WHEN od + 60 > 9298 THEN 'O' ELSE 'F' END AS"
             " \"L_LINESTATUS\", DATE '1970-01-01' + (od + 1 + _h(id, 68, 121))::INTEGER AS"
             " \"L_SHIPDATE\", DATE '1970-01-01' + (od + 30 + _h(id, 69, 61))::INTEGER AS"
             " \"L_COMMITDATE\", DATE '1970-01-01' + (od + 2 + _h(id, 68, 121) + _h(id, 70, 30))::"
             "INTEGER AS \"L_RECEIPTDATE\", ['DELIVER IN PERSON','COLLECT COD','NONE','TAKE BACK"
             " RETURN'][_h(id, 71, 4) + 1] AS \"L_SHIPINSTRUCT\", ['REG AIR','AIR','RAIL','SHIP',"
             "'TRUCK','MAIL','FOB'][_h(id, 72, 7) + 1] AS \"L_SHIPMODE\", 'line comment ' || _h(id,"
             " 73, 1000) AS \"L_COMMENT\" FROM (SELECT *, 8035 + _h(ok, 74, 2406) AS od FROM _line)"
             " JOIN " TPCH "PART p ON p.\"P_PARTKEY\" = pk" },
    { 150000,
        "CREATE TABLE " TPCH "ORDERS AS SELECT \"L_ORDERKEY\" AS \"O_ORDERKEY\", 1 + _h("
        "\"L_ORDERKEY\", 81, {n}) AS \"O_CUSTKEY\", CASE WHEN bool_and(\"L_LINESTATUS\" ="
        " 'F') THEN 'F' WHEN bool_and(\"L_LINESTATUS\" = 'O') THEN 'O' ELSE 'P' END AS"
        " \"O_ORDERSTATUS\", sum(\"L_EXTENDEDPRICE\" * (1 - \"L_DISCOUNT\") * (1 + \"L_TAX\"))"
        "::DECIMAL(12,2) AS \"O_TOTALPRICE\", DATE '1970-01-01' + (8035 + _h(\"L_ORDERKEY\","
        " 74, 2406))::INTEGER AS \"O_ORDERDATE\", ['1-URGENT','2-HIGH','3-MEDIUM','4-NOT"
        " SPECIFIED','5-LOW'][_h(\"L_ORDERKEY\", 82, 5) + 1] AS \"O_ORDERPRIORITY\", printf("
        "'Clerk#%09d', 1 + _h(\"L_ORDERKEY\", 83, 1000)) AS \"O_CLERK\", 0::BIGINT AS"
        " \"O_SHIPPRIORITY\", 'order comment ' || _h(\"L_ORDERKEY\", 84, 1000) AS"
        " \"O_COMMENT\" FROM " TPCH "LINEITEM GROUP BY \"L_ORDERKEY\" ORDER BY"
        " \"L_ORDERKEY\"" },
    { 0, "DROP TABLE _line" },
};

static int
run_step(duckdb_connection con, const struct step *s, double scale, struct err *e)
{
    struct buf sql;
    int64_t n = (int64_t)(s->rows_at_1 * scale + 0.5);

    if (s->rows_at_1 <= 0)
        return catalog_run(con, s->sql, e);
    if (n < 4)
        n = 4;
    buf_init(&sql, 1u << 16);
    for (const char *p = s->sql; *p;) {
        if (strncmp(p, "{n}", 3) == 0) {
            buf_put_i64(&sql, n);
            p += 3;
        } else {
            buf_put_c(&sql, *p++);
        }
    }
    int rc = catalog_run(con, buf_text(&sql), e);
    buf_fini(&sql);
    return rc;
}

/* The declared types, in the order of the columns: DuckDB keeps keys as BIGINT and no lengths. */
static const struct {
    const char *table, *types;
} declared[] = {
    { "REGION", "NUMBER(38,0) VARCHAR(25) VARCHAR(152)" },
    { "NATION", "NUMBER(38,0) VARCHAR(25) NUMBER(38,0) VARCHAR(152)" },
    { "SUPPLIER", "NUMBER(38,0) VARCHAR(25) VARCHAR(40) NUMBER(38,0) VARCHAR(15) NUMBER(12,2) "
                  "VARCHAR(101)" },
    { "CUSTOMER", "NUMBER(38,0) VARCHAR(25) VARCHAR(40) NUMBER(38,0) VARCHAR(15) NUMBER(12,2) "
                  "VARCHAR(10) VARCHAR(117)" },
    { "PART", "NUMBER(38,0) VARCHAR(55) VARCHAR(25) VARCHAR(10) VARCHAR(25) NUMBER(38,0) "
              "VARCHAR(10) NUMBER(12,2) VARCHAR(23)" },
    { "PARTSUPP", "NUMBER(38,0) NUMBER(38,0) NUMBER(38,0) NUMBER(12,2) VARCHAR(199)" },
    { "LINEITEM", "NUMBER(38,0) NUMBER(38,0) NUMBER(38,0) NUMBER(38,0) NUMBER(12,2) NUMBER(12,2) "
                  "NUMBER(12,2) NUMBER(12,2) VARCHAR(1) VARCHAR(1) DATE DATE DATE VARCHAR(25) "
                  "VARCHAR(10) VARCHAR(44)" },
    { "ORDERS", "NUMBER(38,0) NUMBER(38,0) VARCHAR(1) NUMBER(12,2) DATE VARCHAR(15) VARCHAR(15) "
                "NUMBER(38,0) VARCHAR(79)" },
};

static int
declare_types(duckdb_connection con, struct err *e)
{
    for (size_t i = 0; i < NELEM(declared); i++) {
        struct buf sql;
        buf_init(&sql, 1u << 16);
        buf_printf(&sql,
            "INSERT INTO _columns SELECT database_name, schema_name, table_name, column_name, "
            "string_split('%s', ' ')[column_index], NULL, NULL, false, false, true FROM "
            "duckdb_columns() WHERE database_name = 'SNOWFLAKE_SAMPLE_DATA' AND table_name = '%s'",
            declared[i].types, declared[i].table);
        int rc = catalog_run(con, buf_text(&sql), e);
        buf_fini(&sql);
        if (rc != 0)
            return -1;
    }
    return 0;
}

/* DEMO_DB in Snowflake's own SQL, so that its catalogue comes about as any user's does. */
static const char *const demo[] = {
    "CREATE DATABASE DEMO_DB COMMENT = 'Small tables to try things on'",
    "CREATE SCHEMA DEMO_DB.ANALYTICS COMMENT = 'Views over the sample data'",
    "CREATE TABLE DEMO_DB.PUBLIC.ALL_TYPES ("
    "ID NUMBER(38,0) NOT NULL COMMENT 'row number', C_NUMBER NUMBER(38,0), C_DECIMAL NUMBER(38,10),"
    " C_MONEY NUMBER(12,2), C_FLOAT FLOAT, C_VARCHAR VARCHAR, C_CHAR VARCHAR(10), C_BINARY BINARY,"
    " C_BOOLEAN BOOLEAN, C_DATE DATE, C_TIME TIME, C_TIMESTAMP_NTZ TIMESTAMP_NTZ, C_TIMESTAMP_LTZ"
    " TIMESTAMP_LTZ, C_TIMESTAMP_TZ TIMESTAMP_TZ, C_VARIANT VARIANT, C_OBJECT OBJECT, C_ARRAY"
    " ARRAY) COMMENT = 'one column of each type'",
    "INSERT INTO DEMO_DB.PUBLIC.ALL_TYPES SELECT 1, 12345678901234567890123456789012345678,"
    " 1234567890.0123456789, 1.50, 1.5, 'plain', 'char', TO_BINARY('00FF10'), TRUE,"
    " '2024-02-29'::DATE, '23:01:59.123456'::TIME, '2024-02-29 12:34:56.789'::TIMESTAMP_NTZ,"
    " '2024-02-29 12:34:56.789+00:00'::TIMESTAMP_LTZ, '2024-02-29 12:34:56.789 +05:30'::"
    "TIMESTAMP_TZ, PARSE_JSON('{\"a\":[1,2,{\"b\":null}]}'), OBJECT_CONSTRUCT('k', 'v', 'n', 1),"
    " ARRAY_CONSTRUCT(1, 'two', NULL)",
    "INSERT INTO DEMO_DB.PUBLIC.ALL_TYPES SELECT 2, -99999999999999999999999999999999999999,"
    " -0.0000000001, -0.01, -1e100, 'quotes '' \" \\\\ and\nnewline\ttab', '', TO_BINARY(''),"
    " FALSE, '0001-01-01'::DATE, '00:00:00'::TIME, '1969-12-31 23:59:59.999999'::TIMESTAMP_NTZ,"
    " '1900-01-01 00:00:00+00:00'::TIMESTAMP_LTZ, '1969-12-31 23:59:59.999999 -08:00'::"
    "TIMESTAMP_TZ, PARSE_JSON('\"text\"'), OBJECT_CONSTRUCT(), ARRAY_CONSTRUCT()",
    "INSERT INTO DEMO_DB.PUBLIC.ALL_TYPES SELECT 3, 0, 0, 0, 0.1, 'Grüße, 世界 \360\237\230\200',"
    " '\303\251', TO_BINARY('DEADBEEF'), TRUE, '9999-12-31'::DATE, '12:00:00.000001'::TIME,"
    " '9999-12-31 23:59:59.999999'::TIMESTAMP_NTZ, '2038-01-19 03:14:08+00:00'::TIMESTAMP_LTZ,"
    " '2024-07-01 00:00:00 +00:00'::TIMESTAMP_TZ, PARSE_JSON('12.5'), OBJECT_CONSTRUCT('nested',"
    " OBJECT_CONSTRUCT('x', TRUE)), ARRAY_CONSTRUCT(ARRAY_CONSTRUCT(1), ARRAY_CONSTRUCT(2))",
    "INSERT INTO DEMO_DB.PUBLIC.ALL_TYPES(ID) VALUES (4)",
    "CREATE TABLE DEMO_DB.PUBLIC.EMPTY_TABLE (ID NUMBER(38,0), NAME VARCHAR(100)) COMMENT ="
    " 'no rows'",
    "CREATE TABLE DEMO_DB.PUBLIC.\"Mixed Case\" (\"Id\" NUMBER(38,0), \"some text\" VARCHAR,"
    " PLAIN VARCHAR)",
    "INSERT INTO DEMO_DB.PUBLIC.\"Mixed Case\" VALUES (1, 'one', 'a'), (2, 'two', 'b')",
    "CREATE TABLE DEMO_DB.PUBLIC.EMPLOYEES (ID NUMBER(38,0) NOT NULL PRIMARY KEY COMMENT"
    " 'employee number', NAME VARCHAR(80) NOT NULL, DEPARTMENT VARCHAR(40) DEFAULT 'unassigned',"
    " SALARY NUMBER(10,2), HIRED DATE, ACTIVE BOOLEAN DEFAULT TRUE) COMMENT = 'who works here'",
    "INSERT INTO DEMO_DB.PUBLIC.EMPLOYEES VALUES (1, 'Ada Lovelace', 'Research', 120000.00,"
    " '2019-12-10', TRUE), (2, 'Grace Hopper', 'Engineering', 135000.50, '2018-12-09', TRUE),"
    " (3, 'Alan Turing', 'Research', 128000.00, '2020-06-23', FALSE), (4, 'Lin Chen',"
    " 'Engineering', 99000.00, '2021-03-01', TRUE), (5, 'Søren Ægir', NULL, NULL, NULL, TRUE)",
    "CREATE VIEW DEMO_DB.PUBLIC.ACTIVE_EMPLOYEES COMMENT = 'employees who are here' AS SELECT ID,"
    " NAME, DEPARTMENT, HIRED FROM DEMO_DB.PUBLIC.EMPLOYEES WHERE ACTIVE",
    "CREATE VIEW DEMO_DB.PUBLIC.SALARY_BY_DEPARTMENT AS SELECT DEPARTMENT, COUNT(*) AS HEADCOUNT,"
    " AVG(SALARY) AS AVERAGE_SALARY, MAX(SALARY) AS TOP_SALARY FROM DEMO_DB.PUBLIC.EMPLOYEES"
    " GROUP BY DEPARTMENT",
    "CREATE VIEW DEMO_DB.ANALYTICS.REVENUE_BY_NATION COMMENT = 'total order value of each nation'"
    " AS SELECT N.N_NAME AS NATION, COUNT(*) AS ORDERS, SUM(O.O_TOTALPRICE) AS REVENUE FROM"
    " SNOWFLAKE_SAMPLE_DATA.TPCH_SF1.ORDERS O JOIN SNOWFLAKE_SAMPLE_DATA.TPCH_SF1.CUSTOMER C ON"
    " C.C_CUSTKEY = O.O_CUSTKEY JOIN SNOWFLAKE_SAMPLE_DATA.TPCH_SF1.NATION N ON N.N_NATIONKEY ="
    " C.C_NATIONKEY GROUP BY N.N_NAME",
    "CREATE VIEW DEMO_DB.ANALYTICS.MONTHLY_REVENUE AS SELECT DATE_TRUNC('MONTH', O_ORDERDATE) AS"
    " MONTH, COUNT(*) AS ORDERS, SUM(O_TOTALPRICE) AS REVENUE FROM"
    " SNOWFLAKE_SAMPLE_DATA.TPCH_SF1.ORDERS GROUP BY 1",
    "CREATE VIEW DEMO_DB.ANALYTICS.TOP_CUSTOMERS AS SELECT C.C_CUSTKEY, C.C_NAME, C.C_MKTSEGMENT,"
    " SUM(O.O_TOTALPRICE) AS REVENUE FROM SNOWFLAKE_SAMPLE_DATA.TPCH_SF1.CUSTOMER C JOIN"
    " SNOWFLAKE_SAMPLE_DATA.TPCH_SF1.ORDERS O ON O.O_CUSTKEY = C.C_CUSTKEY GROUP BY C.C_CUSTKEY,"
    " C.C_NAME, C.C_MKTSEGMENT",
};

static int
run_demo(duckdb_connection con, const char *sql, struct err *e)
{
    struct engine_job job = { .sql = sql,
        .database = "SNOWFLAKE_SAMPLE_DATA",
        .schema = "TPCH_SF1",
        .warehouse = "COMPUTE_WH",
        .role = "ACCOUNTADMIN",
        .user = "ADMIN",
        .account = "DEMO",
        .handle = "",
        .statement_count = 1 };

    run_statement(con, &job, 0);
    result_free(job.result);
    if (job.result)
        return 0;
    return err_set(e, "%.80s...: %s", sql, job.failure.message);
}

/* 60 columns, for clients that lay out tables. */
static int
make_wide_table(duckdb_connection con, struct err *e)
{
    struct buf sql;

    buf_init(&sql, 1u << 16);
    buf_put_z(&sql, "CREATE TABLE DEMO_DB.PUBLIC.WIDE_TABLE AS SELECT SEQ4() AS ID");
    for (int i = 1; i < 60; i++)
        buf_printf(
            &sql, i % 2 ? ", 'text ' || SEQ4() || '/%d' AS C%02d" : ", SEQ4() * %d AS C%02d", i, i);
    buf_put_z(&sql, " FROM TABLE(GENERATOR(ROWCOUNT => 100))");
    int rc = run_demo(con, buf_text(&sql), e);
    buf_fini(&sql);
    return rc;
}

int
sample_create(duckdb_connection con, double scale, struct err *e)
{
    for (size_t i = 0; i < NELEM(tpch); i++)
        if (run_step(con, &tpch[i], scale, e) != 0)
            return err_prefix(e, "sample data, statement %zu", i);
    if (declare_types(con, e) != 0)
        return err_prefix(e, "sample data");
    for (size_t i = 0; i < NELEM(demo); i++)
        if (run_demo(con, demo[i], e) != 0)
            return err_prefix(e, "demo data");
    return make_wide_table(con, e);
}
