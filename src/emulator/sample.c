/* sample.c - fills SNOWFLAKE_SAMPLE_DATA and DEMO_DB at start.
 *
 * Runs before the engine's threads do.  Must never depend on the clock, on random() or on the
 * order of threads: rows are functions of their number. */
#include "emulator/sample.h"

#include "emulator/catalog.h"
#include "buf.h"
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

static const struct step demo[] = {
    { 0, "ATTACH ':memory:' AS DEMO_DB" },
    { 0, "CREATE SCHEMA DEMO_DB.PUBLIC" },
};

int
sample_create(duckdb_connection con, double scale, struct err *e)
{
    for (size_t i = 0; i < NELEM(tpch); i++)
        if (run_step(con, &tpch[i], scale, e) != 0)
            return err_prefix(e, "sample data, statement %zu", i);
    for (size_t i = 0; i < NELEM(demo); i++)
        if (run_step(con, &demo[i], scale, e) != 0)
            return err_prefix(e, "demo data, statement %zu", i);
    return 0;
}
