/* What cells and column descriptions look like, for DuckDB values of every kind. */
#include "emulator/types.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct buf out;

static const char *
decimal(const char *digits, bool negative, int scale)
{
    __int128 v = 0;

    for (; *digits; digits++)
        v = v * 10 + (*digits - '0');
    buf_clear(&out);
    types_put_int128(&out, negative ? -v : v, scale);
    return buf_text(&out);
}

static void
decimals_are_written_from_their_digits(void **state)
{
    (void)state;
    assert_string_equal(decimal("0", false, 0), "0");
    assert_string_equal(decimal("0", false, 2), "0.00");
    assert_string_equal(decimal("150", false, 2), "1.50");
    assert_string_equal(decimal("1", false, 10), "0.0000000001");
    assert_string_equal(decimal("1", true, 10), "-0.0000000001");
    assert_string_equal(decimal("99999999999999999999999999999999999999", true, 0),
        "-99999999999999999999999999999999999999");
    assert_string_equal(decimal("99999999999999999999999999999999999999", false, 37),
        "9.9999999999999999999999999999999999999");
}

static const char *
seconds(int64_t ns)
{
    buf_clear(&out);
    types_put_seconds(&out, ns);
    return buf_text(&out);
}

static void
the_sign_covers_the_whole_number_of_seconds(void **state)
{
    (void)state;
    assert_string_equal(seconds(0), "0.000000000");
    assert_string_equal(seconds(-1), "-0.000000001");
    assert_string_equal(seconds(82919000000000), "82919.000000000");
    assert_string_equal(seconds(-1500000000), "-1.500000000");
}

static const char *
real(double v)
{
    buf_clear(&out);
    types_put_real(&out, v);
    return buf_text(&out);
}

static void
reals_are_short_and_come_back_the_same(void **state)
{
    static const double values[] = { 0.1, 1.5, 1e100, -1e-300, 1.0 / 3, 123456789012345678.0,
        5e-324, 1.7976931348623157e308 };

    (void)state;
    assert_string_equal(real(1.5), "1.5");
    assert_string_equal(real(1), "1");
    assert_string_equal(real(0.1), "0.1");
    assert_string_equal(real(1e100), "1e+100");
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        assert_true(strtod(real(values[i]), NULL) == values[i]);
}

/* ---- cells out of a real DuckDB ------------------------------------------------------------- */

static duckdb_database db;
static duckdb_connection con;

static int
open_database(void **state)
{
    (void)state;
    buf_init(&out, 1u << 20);
    return duckdb_open(NULL, &db) == DuckDBSuccess && duckdb_connect(db, &con) == DuckDBSuccess
               ? 0
               : -1;
}

static int
close_database(void **state)
{
    (void)state;
    duckdb_disconnect(&con);
    duckdb_close(&db);
    buf_fini(&out);
    return 0;
}

/* The first cell of a query as JSON, and its column's kind. */
static const char *
cell(const char *sql, struct types_column *column)
{
    duckdb_result result;
    struct buf tmp;

    assert_int_equal(duckdb_query(con, sql, &result), DuckDBSuccess);
    duckdb_logical_type type = duckdb_column_logical_type(&result, 0);
    struct types_reader *r = types_reader_new(type);
    duckdb_destroy_logical_type(&type);
    assert_non_null(r);
    *column = (struct types_column){ 0 };
    types_describe(r, column);
    duckdb_data_chunk chunk = duckdb_fetch_chunk(result);
    buf_init(&tmp, 1u << 20);
    buf_clear(&out);
    types_put_cell(r, duckdb_data_chunk_get_vector(chunk, 0), 0, &out, &tmp);
    buf_fini(&tmp);
    duckdb_destroy_data_chunk(&chunk);
    duckdb_destroy_result(&result);
    types_reader_free(r);
    return buf_text(&out);
}

static void
each_duckdb_type_has_its_kind_and_text(void **state)
{
    static const struct {
        const char *sql, *cell;
        enum types_kind kind;
    } cases[] = {
        { "select (-128)::tinyint", "\"-128\"", TYPES_FIXED },
        { "select 65535::usmallint", "\"65535\"", TYPES_FIXED },
        { "select 9223372036854775807", "\"9223372036854775807\"", TYPES_FIXED },
        { "select 18446744073709551615::ubigint", "\"18446744073709551615\"", TYPES_FIXED },
        { "select (-170141183460469231731687303715884105728)::hugeint",
            "\"-170141183460469231731687303715884105728\"", TYPES_FIXED },
        { "select 1.5::decimal(4,2)", "\"1.50\"", TYPES_FIXED },
        { "select (-0.05)::decimal(9,2)", "\"-0.05\"", TYPES_FIXED },
        { "select 1.5::decimal(18,3)", "\"1.500\"", TYPES_FIXED },
        { "select (-99999999999999999999999999999999999.999)::decimal(38,3)",
            "\"-99999999999999999999999999999999999.999\"", TYPES_FIXED },
        { "select 1.5::float", "\"1.5\"", TYPES_REAL },
        { "select true", "\"true\"", TYPES_BOOLEAN },
        { "select date '1969-12-31'", "\"-1\"", TYPES_DATE },
        { "select date '0001-01-01'", "\"-719162\"", TYPES_DATE },
        { "select time '23:01:59'", "\"82919.000000000\"", TYPES_TIME },
        { "select timestamp '1969-12-31 23:59:59.999999'", "\"-0.000001000\"",
            TYPES_TIMESTAMP_NTZ },
        { "select timestamp_ns '1969-12-31 23:59:59.999999999'", "\"-0.000000001\"",
            TYPES_TIMESTAMP_NTZ },
        { "select timestamp_s '1970-01-01 00:00:01'", "\"1.000000000\"", TYPES_TIMESTAMP_NTZ },
        { "select timestamp_ms '1970-01-01 00:00:01'", "\"1.000000000\"", TYPES_TIMESTAMP_NTZ },
        { "select timestamptz '1970-01-01 00:00:00+01'", "\"-3600.000000000\"",
            TYPES_TIMESTAMP_LTZ },
        { "select '\\x00\\xFFa'::blob", "\"00FF61\"", TYPES_BINARY },
        { "select 'a \"quote\" \\ ' || chr(10) || '\u00e9\U0001F600'",
            "\"a \\\"quote\\\" \\\\ \\n\u00e9\U0001F600\"", TYPES_TEXT },
        { "select 'a text that does not fit into the vector itself'",
            "\"a text that does not fit into the vector itself\"", TYPES_TEXT },
        { "select ''", "\"\"", TYPES_TEXT },
        { "select uuid '01be0a44-0102-3c1d-0000-0a11000b2f06'",
            "\"01be0a44-0102-3c1d-0000-0a11000b2f06\"", TYPES_TEXT },
        { "select 'b'::enum('a', 'b')", "\"b\"", TYPES_TEXT },
        { "select '{\"a\":1}'::json", "\"{\\\"a\\\":1}\"", TYPES_VARIANT },
        { "select [1, null, 3]", "\"[1,null,3]\"", TYPES_ARRAY },
        { "select ['a', 'b\"']", "\"[\\\"a\\\",\\\"b\\\\\\\"\\\"]\"", TYPES_ARRAY },
        { "select [1, 2]::integer[2]", "\"[1,2]\"", TYPES_ARRAY },
        { "select {'a': 1, 'b': [true]}", "\"{\\\"a\\\":1,\\\"b\\\":[true]}\"", TYPES_OBJECT },
        { "select map {'k': 1.5}", "\"{\\\"k\\\":1.5}\"", TYPES_OBJECT },
        { "select null::integer", "null", TYPES_FIXED },
    };
    struct types_column c;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_string_equal(cell(cases[i].sql, &c), cases[i].cell);
        assert_int_equal(c.kind, cases[i].kind);
    }
}

static void
a_timestamp_with_zone_carries_its_offset(void **state)
{
    duckdb_logical_type parts[2] = { duckdb_create_logical_type(DUCKDB_TYPE_TIMESTAMP),
        duckdb_create_logical_type(DUCKDB_TYPE_SMALLINT) };
    const char *names[2] = { "utc", "east" };
    duckdb_logical_type t = duckdb_create_struct_type(parts, names, 2);
    struct types_column c;

    (void)state;
    duckdb_logical_type_set_alias(t, TYPES_TZ);
    assert_int_equal(duckdb_register_logical_type(con, t, NULL), DuckDBSuccess);
    duckdb_destroy_logical_type(&t);
    duckdb_destroy_logical_type(&parts[0]);
    duckdb_destroy_logical_type(&parts[1]);
    assert_string_equal(
        cell("select {'utc': timestamp '1969-12-31 23:59:59', 'east': -480}::" TYPES_TZ, &c),
        "\"-1.000000000 960\"");
    assert_int_equal(c.kind, TYPES_TIMESTAMP_TZ);
}

static const char *
rowtype(enum types_kind kind, int precision, int scale)
{
    char name[] = "N \"";
    struct types_column c = { name, kind, precision, scale };

    buf_clear(&out);
    types_put_rowtype(&c, &out);
    return buf_text(&out);
}

static void
a_row_type_has_every_key(void **state)
{
    (void)state;
    assert_string_equal(rowtype(TYPES_FIXED, 12, 2),
        "{\"name\":\"N \\\"\",\"database\":\"\",\"schema\":\"\",\"table\":\"\",\"type\":\"fixed\","
        "\"nullable\":true,\"precision\":12,\"scale\":2,\"length\":null,\"byteLength\":null,"
        "\"collation\":null}");
    assert_non_null(strstr(rowtype(TYPES_TEXT, 0, 0),
        "\"precision\":null,\"scale\":null,\"length\":16777216,\"byteLength\":16777216"));
    assert_non_null(strstr(rowtype(TYPES_BINARY, 0, 0), "\"length\":8388608"));
    assert_non_null(strstr(rowtype(TYPES_TIMESTAMP_TZ, 0, 0), "\"precision\":0,\"scale\":9"));
    assert_non_null(strstr(rowtype(TYPES_REAL, 0, 0), "\"precision\":null,\"scale\":null"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_are_written_from_their_digits),
        cmocka_unit_test(the_sign_covers_the_whole_number_of_seconds),
        cmocka_unit_test(reals_are_short_and_come_back_the_same),
        cmocka_unit_test(each_duckdb_type_has_its_kind_and_text),
        cmocka_unit_test(a_timestamp_with_zone_carries_its_offset),
        cmocka_unit_test(a_row_type_has_every_key),
    };

    return cmocka_run_group_tests(tests, open_database, close_database);
}
