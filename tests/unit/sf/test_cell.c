/* test_cell.c - every type's value as text and as JSON. */
#include "sf/sf.h"

#include "arena.h"
#include "json_text.h"
#include "sf/columns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static struct sf_column
column(enum sf_type type, int scale)
{
    return (struct sf_column){ .type = type, .precision = -1, .scale = scale };
}

static void
check(enum sf_type type, int scale, const char *wire, const char *text, const char *json)
{
    struct sf_column col = column(type, scale);
    struct sf_cell cell = { .json = str_of(wire), .escaped = wire && strchr(wire, '\\') };
    cell.null = !wire;
    struct buf b;
    buf_init(&b, 1 << 16);
    sf_cell_text(&col, &cell, &b);
    assert_string_equal(buf_text(&b), text);
    buf_clear(&b);
    sf_cell_json(&col, &cell, &b);
    assert_string_equal(buf_text(&b), json);
    buf_fini(&b);
}

static void
check_time(enum sf_type type, int scale, const char *wire, const char *text)
{
    char json[128];
    snprintf(json, sizeof json, "\"%s\"", text);
    check(type, scale, wire, text, json);
}

static void
null_is_nothing_in_text_and_null_in_json(void **state)
{
    for (int t = SF_FIXED; t <= SF_UNKNOWN; t++)
        check((enum sf_type)t, 0, NULL, "", "null");
}

static void
numbers_keep_every_digit(void **state)
{
    check(SF_FIXED, 0, "12", "12", "12");
    check(SF_FIXED, 2, "1.50", "1.50", "1.50");
    check(SF_FIXED, 2, "-0.05", "-0.05", "-0.05");
    check(SF_FIXED, 0, "999999999999999", "999999999999999", "999999999999999");
    check(SF_FIXED, 0, "9999999999999999", "9999999999999999", "\"9999999999999999\"");
    check(SF_FIXED, 0, "9007199254740993", "9007199254740993", "\"9007199254740993\"");
    check(SF_FIXED, 0, "-99999999999999999999999999999999999999",
        "-99999999999999999999999999999999999999", "\"-99999999999999999999999999999999999999\"");
    check(SF_FIXED, 37, "0.0000000000000000000000000000000000001",
        "0.0000000000000000000000000000000000001", "0.0000000000000000000000000000000000001");
    /* Zeros at the end of a fraction do not count as digits; zeros before the point do. */
    check(SF_FIXED, 10, "12345678.0000000000", "12345678.0000000000", "12345678.0000000000");
    check(SF_FIXED, 10, "12345678.0000000001", "12345678.0000000001", "\"12345678.0000000001\"");
    check(SF_FIXED, 0, "1000000000000000", "1000000000000000", "\"1000000000000000\"");
    /* What is not a JSON number stays a string. */
    check(SF_FIXED, 0, "0012", "0012", "\"0012\"");
    check(SF_FIXED, 1, ".5", ".5", "\".5\"");
    check(SF_FIXED, 0, "", "", "\"\"");
}

static void
reals_and_decfloats(void **state)
{
    check(SF_REAL, -1, "1.5", "1.5", "1.5");
    check(SF_REAL, -1, "1e+100", "1e+100", "1e+100");
    check(SF_REAL, -1, "0.30000000000000004", "0.30000000000000004", "0.30000000000000004");
    check(SF_REAL, -1, "NaN", "NaN", "\"NaN\"");
    check(SF_REAL, -1, "-inf", "-inf", "\"-inf\"");
    check(SF_REAL, -1, "1e400", "1e400", "\"1e400\"");
    check(SF_DECFLOAT, -1, "1.5E-3", "1.5E-3", "1.5E-3");
    check(SF_DECFLOAT, -1, "1.5E-300", "1.5E-300", "\"1.5E-300\"");
    check(SF_DECFLOAT, -1, "1.5E+9999999999999", "1.5E+9999999999999", "\"1.5E+9999999999999\"");
    check(SF_DECFLOAT, -1, "1.2345678901234567", "1.2345678901234567", "\"1.2345678901234567\"");
}

static void
booleans_of_both_protocols(void **state)
{
    check(SF_BOOLEAN, -1, "true", "true", "true");
    check(SF_BOOLEAN, -1, "FALSE", "false", "false");
    check(SF_BOOLEAN, -1, "1", "true", "true");
    check(SF_BOOLEAN, -1, "0", "false", "false");
    check(SF_BOOLEAN, -1, "yes", "yes", "\"yes\"");
}

static void
dates_from_year_1_to_9999(void **state)
{
    check_time(SF_DATE, -1, "0", "1970-01-01");
    check_time(SF_DATE, -1, "-1", "1969-12-31");
    check_time(SF_DATE, -1, "19782", "2024-02-29");
    check_time(SF_DATE, -1, "11016", "2000-02-29");
    check_time(SF_DATE, -1, "-25509", "1900-02-28");
    check_time(SF_DATE, -1, "-25508", "1900-03-01"); /* 1900 was no leap year */
    check_time(SF_DATE, -1, "-719162", "0001-01-01");
    check_time(SF_DATE, -1, "2932896", "9999-12-31");
    /* outside of the calendar, or no number: as it came */
    check_time(SF_DATE, -1, "-719163", "-719163");
    check_time(SF_DATE, -1, "2932897", "2932897");
    check_time(SF_DATE, -1, "99999999999999999999", "99999999999999999999");
    check_time(SF_DATE, -1, "2024-02-29", "2024-02-29");
    check_time(SF_DATE, -1, "--1", "--1");
    check_time(SF_DATE, -1, "", "");
}

static void
every_day_follows_the_one_before(void **state)
{
    int y = 1, m = 1, d = 1;
    struct sf_column col = column(SF_DATE, -1);
    struct buf b;
    buf_init(&b, 64);
    for (int day = -719162; day <= 2932896; day++) {
        char wire[16], want[40];
        snprintf(wire, sizeof wire, "%d", day);
        snprintf(want, sizeof want, "%04d-%02d-%02d", y, m, d);
        struct sf_cell cell = { .json = str_of(wire) };
        buf_clear(&b);
        sf_cell_text(&col, &cell, &b);
        if (strcmp(buf_text(&b), want) != 0)
            fail_msg("day %d is %s, not %s", day, want, buf_text(&b));
        bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
        int days = m == 2 ? 28 + leap : m == 4 || m == 6 || m == 9 || m == 11 ? 30 : 31;
        if (++d > days) {
            d = 1;
            if (++m > 12) {
                m = 1;
                y++;
            }
        }
    }
    buf_fini(&b);
}

static void
times_show_the_digits_of_their_scale(void **state)
{
    check_time(SF_TIME, 0, "82919.000000000", "23:01:59");
    check_time(SF_TIME, 1, "82919.500000000", "23:01:59.5");
    check_time(SF_TIME, 9, "82919.500000000", "23:01:59.500000000");
    check_time(SF_TIME, 3, "82919.5", "23:01:59.500");
    check_time(SF_TIME, -1, "82919.50", "23:01:59.50");
    check_time(SF_TIME, 0, "82919.25", "23:01:59.25"); /* no digit is lost */
    check_time(SF_TIME, 0, "0", "00:00:00");
    check_time(SF_TIME, 9, "86399.999999999", "23:59:59.999999999");
    check_time(SF_TIME, 9, "82919000000001", "23:01:59.000000001"); /* nanoseconds */
    check_time(SF_TIME, 0, "86400", "86400");
    check_time(SF_TIME, 0, "-1", "-1");
    check_time(SF_TIME, 0, "1.", "1.");
    check_time(SF_TIME, 0, "1.0000000000", "1.0000000000");
    for (int scale = 0; scale <= 9; scale++) {
        char want[40];
        snprintf(want, sizeof want, "00:00:01%s%.*s", scale ? "." : "", scale, "000000000");
        check_time(SF_TIME, scale, "1.000000000", want);
    }
}

static void
timestamps_in_three_kinds(void **state)
{
    check_time(SF_TIMESTAMP_NTZ, 3, "1709247719.123000000", "2024-02-29T23:01:59.123");
    check_time(SF_TIMESTAMP_NTZ, 0, "1709247719", "2024-02-29T23:01:59");
    check_time(SF_TIMESTAMP_NTZ, 9, "1709247719123456789", "2024-02-29T23:01:59.123456789");
    check_time(SF_TIMESTAMP_NTZ, 9, "-0.000000001", "1969-12-31T23:59:59.999999999");
    check_time(SF_TIMESTAMP_NTZ, 0, "-1", "1969-12-31T23:59:59");
    check_time(SF_TIMESTAMP_NTZ, 1, "-1.5", "1969-12-31T23:59:58.5");
    check_time(SF_TIMESTAMP_NTZ, 0, "-62135596800", "0001-01-01T00:00:00");
    check_time(SF_TIMESTAMP_NTZ, 9, "253402300799.999999999", "9999-12-31T23:59:59.999999999");
    check_time(SF_TIMESTAMP_NTZ, 0, "-62135596801", "-62135596801");
    check_time(SF_TIMESTAMP_NTZ, 0, "253402300800", "253402300800");
    check_time(SF_TIMESTAMP_NTZ, 0, "-9223372036854775808", "-9223372036854775808");
    check_time(SF_TIMESTAMP_NTZ, 0, "9999999999999", "9999999999999"); /* 13 digits: seconds */
    check_time(SF_TIMESTAMP_NTZ, 0, "-62135596800000000000", "-62135596800000000000");

    check_time(SF_TIMESTAMP_LTZ, 3, "1709247719.123000000", "2024-02-29T23:01:59.123Z");
    check_time(SF_TIMESTAMP_TZ, 0, "1709247719.000000000 1440", "2024-02-29T23:01:59+00:00");
    check_time(SF_TIMESTAMP_TZ, 0, "1709247719 1560", "2024-03-01T01:01:59+02:00");
    check_time(SF_TIMESTAMP_TZ, 0, "1709247719 720", "2024-02-29T11:01:59-12:00");
    check_time(SF_TIMESTAMP_TZ, 0, "1709247719 1770", "2024-03-01T04:31:59+05:30");
    check_time(SF_TIMESTAMP_TZ, 0, "1709247719 1230", "2024-02-29T19:31:59-03:30");
    check_time(SF_TIMESTAMP_TZ, 9, "-0.000000001 1500", "1970-01-01T00:59:59.999999999+01:00");
    check_time(SF_TIMESTAMP_TZ, 0, "1709247719", "1709247719");
    check_time(SF_TIMESTAMP_TZ, 0, "1709247719 x", "1709247719 x");
    check_time(SF_TIMESTAMP_TZ, 0, "1709247719 2881", "1709247719 2881");
    check_time(SF_TIMESTAMP_NTZ, 0, "2024-02-29 23:01:59", "2024-02-29 23:01:59");
}

static void
text_is_decoded_for_people_and_copied_for_programs(void **state)
{
    check(SF_TEXT, -1, "Ada", "Ada", "\"Ada\"");
    check(SF_TEXT, -1, "", "", "\"\"");
    check(SF_TEXT, -1, "a\\\"b\\\\c\\/d\\n\\t\\r\\b\\f", "a\"b\\c/d\n\t\r\b\f",
        "\"a\\\"b\\\\c\\/d\\n\\t\\r\\b\\f\"");
    check(SF_TEXT, -1, "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\"");
    check(SF_TEXT, -1, "\\u00fc\\u20AC\\ud83d\\ude00", "\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80",
        "\"\\u00fc\\u20AC\\ud83d\\ude00\"");
    check(SF_VARIANT, -1, "{\\\"a\\\":[1,undefined]}", "{\"a\":[1,undefined]}",
        "\"{\\\"a\\\":[1,undefined]}\"");
    check(SF_BINARY, -1, "00FF", "00FF", "\"00FF\"");
    check(SF_UNKNOWN, -1, "12", "12", "\"12\"");
}

static void
what_is_not_unicode_is_mended(void **state)
{
    check(SF_TEXT, -1,
        "a\xff"
        "b",
        "a\xef\xbf\xbd"
        "b",
        "\"a\xef\xbf\xbd"
        "b\"");
    check(SF_TEXT, -1, "\xc3", "\xef\xbf\xbd", "\"\xef\xbf\xbd\"");
    check(SF_TEXT, -1, "\\ud800x", "\xef\xbf\xbdx", "\"\xef\xbf\xbdx\"");
    check(SF_TEXT, -1, "\\udc00\\n", "\xef\xbf\xbd\n", "\"\xef\xbf\xbd\\n\"");
    check(SF_TEXT, -1, "\\ud800\\u0041",
        "\xef\xbf\xbd"
        "A",
        "\"\xef\xbf\xbd\\u0041\"");
    check(SF_TEXT, -1, "\xff\\n", "\xef\xbf\xbd\n", "\"\xef\xbf\xbd\\n\"");
}

static void
json_of_any_bytes_is_json(void **state)
{
    /* Every pair of bytes a scanner lets through gives valid JSON for every type. */
    for (unsigned a = 0x20; a < 0x100; a++) {
        for (unsigned b = 0x20; b < 0x100; b++) {
            char wire[3] = { (char)a, (char)b, 0 };
            if (a == '"' || b == '"' || a == '\\' || b == '\\')
                continue;
            for (int t = SF_FIXED; t <= SF_UNKNOWN; t++) {
                struct sf_column col = column((enum sf_type)t, 3);
                struct sf_cell cell = { .json = { wire, 2 } };
                struct buf out;
                buf_init(&out, 256);
                sf_cell_json(&col, &cell, &out);
                struct json_fault fault;
                assert_int_equal(json_check(buf_str(&out), 4, 1, &fault), 0);
                buf_fini(&out);
            }
        }
    }
}

static const char meta[] =
    "{\"numRows\":4,\"format\":\"jsonv2\","
    "\"partitionInfo\":[{\"rowCount\":3,\"uncompressedSize\":96},"
    "{\"rowCount\":1,\"uncompressedSize\":33,\"compressedSize\":51}],\"rowType\":["
    "{\"name\":\"ID\",\"type\":\"fixed\",\"nullable\":false,\"precision\":38,\"scale\":0,"
    "\"length\":null,\"byteLength\":null,\"collation\":null},"
    "{\"name\":\"say \\\"hi\\\"\\n\",\"type\":\"TEXT\",\"nullable\":true,\"precision\":null,"
    "\"scale\":null,\"length\":80},"
    "{\"name\":\"TS\",\"type\":\"timestamp_ntz\",\"precision\":0,\"scale\":9},"
    "{\"name\":\"G\",\"type\":\"object\",\"extTypeName\":\"GEOGRAPHY\"},"
    "{\"name\":\"V\",\"type\":\"vector\",\"vectorDimension\":3,\"fields\":[{\"type\":\"real\"}]},"
    "{\"name\":\"\",\"type\":\"novel\"}]}";

static void
columns_are_read_with_their_sql_types(void **state)
{
    struct arena *a = arena_new(1 << 20);
    struct columns c;
    struct err e;
    assert_int_equal(columns_read(str_of(meta), a, &c, &e), 0);
    assert_int_equal(c.n, 6);
    assert_true(str_is(c.list[0].name, "ID"));
    assert_true(str_is(c.list[0].type_text, "NUMBER(38,0)"));
    assert_int_equal(c.list[0].type, SF_FIXED);
    assert_false(c.list[0].nullable);
    assert_true(str_is(c.list[1].name, "say \"hi\"\n"));
    assert_true(str_is(c.list[1].type_text, "VARCHAR(80)"));
    assert_true(c.list[1].nullable);
    assert_int_equal(c.list[1].scale, -1);
    assert_true(str_is(c.list[2].type_text, "TIMESTAMP_NTZ(9)"));
    assert_int_equal(c.list[3].type, SF_GEOGRAPHY);
    assert_true(str_is(c.list[3].type_text, "GEOGRAPHY"));
    assert_true(str_is(c.list[4].type_text, "VECTOR(FLOAT, 3)"));
    assert_int_equal(c.list[5].type, SF_UNKNOWN);
    assert_true(str_is(c.list[5].type_text, "NOVEL"));
    assert_int_equal(c.list[5].name.n, 0);
    assert_true(c.total_known);
    assert_int_equal(c.total_rows, 4);
    assert_int_equal(c.n_partitions, 2);
    assert_int_equal(c.partition_rows[0], 3);
    assert_int_equal(c.partition_rows[1], 1);
    arena_free(a);
}

static void
a_result_without_columns_is_refused(void **state)
{
    struct arena *a = arena_new(1 << 20);
    struct columns c;
    struct err e;
    assert_int_equal(columns_read(STR("{\"numRows\":1}"), a, &c, &e), -1);
    assert_non_null(strstr(e.text, "rowType"));
    assert_int_equal(columns_read(STR("{\"rowType\":[{\"name\":\"A\"}]}"), a, &c, &e), -1);
    assert_non_null(strstr(e.text, "column 1"));
    assert_int_equal(columns_read(STR("{\"rowType\":[7]}"), a, &c, &e), -1);
    assert_int_equal(
        columns_read(STR("{\"rowType\":[],\"partitionInfo\":[{\"rowCount\":-1}]}"), a, &c, &e), -1);
    assert_int_equal(columns_read(STR("{\"rowType\":[]}"), a, &c, &e), 0);
    assert_false(c.total_known);
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_is_nothing_in_text_and_null_in_json),
        cmocka_unit_test(numbers_keep_every_digit),
        cmocka_unit_test(reals_and_decfloats),
        cmocka_unit_test(booleans_of_both_protocols),
        cmocka_unit_test(dates_from_year_1_to_9999),
        cmocka_unit_test(every_day_follows_the_one_before),
        cmocka_unit_test(times_show_the_digits_of_their_scale),
        cmocka_unit_test(timestamps_in_three_kinds),
        cmocka_unit_test(text_is_decoded_for_people_and_copied_for_programs),
        cmocka_unit_test(what_is_not_unicode_is_mended),
        cmocka_unit_test(json_of_any_bytes_is_json),
        cmocka_unit_test(columns_are_read_with_their_sql_types),
        cmocka_unit_test(a_result_without_columns_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
