/* test_sql_lex.c - tokens by Snowflake's rules, and what names and strings stand for. */
#include "must.h"
#include "sql/sql_lex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* Kinds as letters: Name, Quoted, String, Dollar, number (0), Variable, Position, Bind, Stage (@),
 * operator (o), error (!). */
static void
kinds_of(const char *sql, char *out)
{
    static const char letters[] = ".!NQSD0VPB@o";
    struct sql_lexer l;
    struct sql_token t;

    sql_lex_init(&l, str_of(sql));
    while (sql_lex_next(&l, &t))
        *out++ = letters[t.kind];
    if (t.kind == SQL_ERROR)
        *out++ = '!';
    *out = '\0';
}

static void
every_kind_is_told_apart(void **state)
{
    static const struct {
        const char *sql, *kinds;
    } cases[] = {
        { "", "" },
        { " \t\r\n\f\v-- a\n// b\n/* c */", "" },
        { "select a_1$ from \"b\"", "NNNQ" },
        { "'a' 'b''c' '\\'' '\\\\'", "SSSS" },
        { "'a''b'", "S" },
        { "$$$$ $$a'b$$ $$a$b$$", "DDD" },
        { "1 1.5 .5 1. 1e5 1E-5 1.5e+3", "0000000" },
        { "1e 1e+ 0x1F 1_0", "0N0No0N0N" },
        { "select .5", "N0" },
        { "a.5", "No0" },
        { "a.b.c", "NoNoN" },
        { "$a $a$b $1 $12", "VVPP" },
        { "(?, :a, :1)", "oBoBoBo" },
        { "a:b a :b (:c) {'a':b}", "NoNNBoBooSoNo" },
        { "\"a\" :b f(x) :c x[1] :d $1 :e", "QoNNoNooNNo0ooNPoN" },
        { "a::b :: c := d", "NoNoNoN" },
        { "@s @~ @%t @~/a/b.csv @%t/x=1/y-2 @a.b.c/d", "@@@@@@" },
        { "@\"q\".\"s\"/a @a.\"b\"/c", "@@" },
        { "@s(x) @s,", "@oNo@o" },
        { "a->b a->>b a=>b a||b a<>b a!=b a<=b a>=b a**b", "NoNNoNNoNNoNNoNNoNNoNNoNNoN" },
        { "a - > b", "NooN" },
        { "{- a -} ^ $ |", "ooNooooo" },
        { "x'41'", "NS" },
        { "a--b\nc//d\ne/*f*/g", "NNNN" },
        { "a*/*b*/c", "NoN" },
    };
    char kinds[64];

    for (size_t i = 0; i < NELEM(cases); i++) {
        kinds_of(cases[i].sql, kinds);
        if (strcmp(kinds, cases[i].kinds) != 0)
            print_error("%s\n", cases[i].sql);
        assert_string_equal(kinds, cases[i].kinds);
    }
}

static void
long_operators_have_codes_of_their_own(void **state)
{
    static const int ops[] = { SQL_OP_FLOW, SQL_OP_ARROW, SQL_OP_NAMED, SQL_OP_CONCAT, SQL_OP_NE,
        SQL_OP_NE, SQL_OP_LE, SQL_OP_GE, SQL_OP_POWER, SQL_OP_CAST, SQL_OP_ASSIGN, ';', '!', ':' };
    struct sql_lexer l;
    struct sql_token t;

    sql_lex_init(&l, STR("->> -> => || <> != <= >= ** :: := ; ! :"));
    for (size_t i = 0; i < NELEM(ops); i++) {
        assert_true(sql_lex_next(&l, &t));
        assert_true(sql_token_is_op(&t, ops[i]));
    }
    assert_false(sql_lex_next(&l, &t));
    assert_int_equal(t.kind, SQL_END);
}

static void
what_two_readers_could_read_differently_is_an_error(void **state)
{
    static const struct {
        enum sql_lex_error error;
        const char *sql;
    } cases[] = {
        { SQL_LEX_STRING_OPEN, "'" },
        { SQL_LEX_STRING_OPEN, "'\\'" },
        { SQL_LEX_STRING_OPEN, "'a\\" },
        { SQL_LEX_STRING_OPEN, "'a''" },
        { SQL_LEX_DOLLAR_OPEN, "$$" },
        { SQL_LEX_DOLLAR_OPEN, "$$a$" },
        { SQL_LEX_DOLLAR_OPEN, "$$$" },
        { SQL_LEX_QUOTED_OPEN, "\"a" },
        { SQL_LEX_QUOTED_OPEN, "\"a\"\"" },
        { SQL_LEX_QUOTED_EMPTY, "\"\"" },
        { SQL_LEX_QUOTED_BACKSLASH, "\"a\\\"" },
        { SQL_LEX_COMMENT_OPEN, "/* a" },
        { SQL_LEX_COMMENT_OPEN, "/* a *" },
        { SQL_LEX_COMMENT_SLASH, "/*/" },
        { SQL_LEX_COMMENT_STRAY, "/* a */ */" },
        { SQL_LEX_COMMENT_BREAK, "-- a\rb" },
        { SQL_LEX_COMMENT_BREAK, "-- a\r" },
        { SQL_LEX_COMMENT_BREAK, "// a\vb" },
        { SQL_LEX_COMMENT_BREAK, "// a\xE2\x80\xA8"
                                 "b" },
        { SQL_LEX_NAME_DOLLARS, "a$$" },
        { SQL_LEX_NAME_DOLLARS, "$a$$b$$" },
        { SQL_LEX_NUMBER_DOLLAR, "1$$a$$" },
        { SQL_LEX_POSITION, "$1a" },
        { SQL_LEX_POSITION, "$1$$" },
        { SQL_LEX_POSITION, ":1a" },
        { SQL_LEX_STAGE, "@" },
        { SQL_LEX_STAGE, "@%" },
        { SQL_LEX_STAGE, "@a//b" },
        { SQL_LEX_STAGE, "@a--b" },
        { SQL_LEX_STAGE, "@a/*b*/" },
        { SQL_LEX_STAGE, "@a$$b" },
        { SQL_LEX_STAGE, "@a'b'" },
        { SQL_LEX_STAGE, "@a=>b" },
        { SQL_LEX_UTF8, "\xFF" },
        { SQL_LEX_UTF8, "'\xC3" },
        { SQL_LEX_UTF8, "-- \xED\xA0\x80" },
        { SQL_LEX_UTF8, "\"\xF5\x80\x80\x80\"" },
        { SQL_LEX_BLANK, "\xC2\xA0" },
        { SQL_LEX_BLANK, "\xE3\x80\x80" },
        { SQL_LEX_BLANK, "\xEF\xBB\xBF" },
        { SQL_LEX_BLANK, "\xC3\xA9" },
        { SQL_LEX_UNKNOWN, "#" },
        { SQL_LEX_UNKNOWN, "`" },
        { SQL_LEX_UNKNOWN, "\\" },
        { SQL_LEX_UNKNOWN, "&" },
        { SQL_LEX_UNKNOWN, "~" },
        { SQL_LEX_UNKNOWN, "\x1B" },
        { SQL_LEX_UNKNOWN, "\x7F" },
    };

    for (size_t i = 0; i < NELEM(cases); i++) {
        struct sql_lexer l;
        struct sql_token t;

        sql_lex_init(&l, str_of(cases[i].sql));
        while (sql_lex_next(&l, &t))
            ;
        if (t.kind != SQL_ERROR || t.error != cases[i].error)
            print_error("%s\n", cases[i].sql);
        assert_int_equal(t.kind, SQL_ERROR);
        assert_int_equal(t.error, cases[i].error);
        assert_false(sql_lex_next(&l, &t)); /* and it stays there */
        assert_int_equal(t.kind, SQL_ERROR);
        assert_true(strlen(sql_lex_error_text(t.error)) > 0);
    }
}

static void
a_name_has_at_most_255_characters(void **state)
{
    char sql[600];
    struct sql_lexer l;
    struct sql_token t;

    memset(sql, 'a', sizeof sql);
    sql_lex_init(&l, (struct str){ sql, 255 });
    assert_true(sql_lex_next(&l, &t));
    sql_lex_init(&l, (struct str){ sql, 256 });
    assert_false(sql_lex_next(&l, &t));
    assert_int_equal(t.error, SQL_LEX_NAME_LONG);

    sql[0] = '"';
    for (size_t i = 0; i < 255; i++)
        memcpy(sql + 1 + 2 * i, "\xC3\xA9", 2);
    sql[511] = '"';
    sql_lex_init(&l, (struct str){ sql, 512 });
    assert_true(sql_lex_next(&l, &t));
    memcpy(sql + 511, "x\"", 2);
    sql_lex_init(&l, (struct str){ sql, 513 });
    assert_false(sql_lex_next(&l, &t));
    assert_int_equal(t.error, SQL_LEX_NAME_LONG);
}

static void
positions_count_characters_and_lines(void **state)
{
    struct sql_lexer l;
    struct sql_token t;

    sql_lex_init(&l, STR("select '\n' /*\xE2\x82\xAC\xE2\x82\xAC*/ a/*\n*/\n  b -- \xC3\xA9\r\n"
                         "\n$$a$$ c"));
    assert_true(sql_lex_next(&l, &t));
    assert_int_equal(t.column, 1);
    assert_true(sql_lex_next(&l, &t)); /* the string */
    assert_int_equal(t.line, 1);
    assert_int_equal(t.column, 8);
    assert_true(sql_lex_next(&l, &t)); /* a */
    assert_int_equal(t.line, 2);
    assert_int_equal(t.column, 10);
    assert_true(sql_lex_next(&l, &t)); /* b */
    assert_int_equal(t.line, 4);
    assert_int_equal(t.column, 3);
    assert_true(sql_lex_next(&l, &t)); /* $$a$$ */
    assert_int_equal(t.line, 6);
    assert_int_equal(t.column, 1);
    assert_true(sql_lex_next(&l, &t)); /* c */
    assert_int_equal(t.column, 7);
    assert_false(sql_lex_next(&l, &t));
    assert_int_equal(t.column, 8);
}

static const char *
decoded(const char *sql, char *to, size_t size)
{
    struct sql_lexer l;
    struct sql_token t;

    sql_lex_init(&l, str_of(sql));
    assert_true(sql_lex_next(&l, &t));
    long n = sql_decode(&t, to, size - 1);
    if (n < 0)
        return NULL;
    to[n] = '\0';
    return to;
}

static void
names_fold_and_strings_lose_their_escapes(void **state)
{
    static const struct {
        const char *sql, *value;
    } cases[] = {
        { "aBc_1$", "ABC_1$" },
        { "\"aBc\"", "aBc" },
        { "\"a\"\"b\\n\"", "a\"b\\n" },
        { "''", "" },
        { "'it''s'", "it's" },
        { "'a\\'b\\\"c\\\\d'", "a'b\"c\\d" },
        { "'\\b\\f\\n\\r\\t'", "\b\f\n\r\t" },
        { "'\\x41\\u0042\\103'", "ABC" },
        { "'\\u00e9\\xe9'", "\xC3\xA9\xC3\xA9" },
        { "'\\ud83d\\ude00'", "\xF0\x9F\x98\x80" },
        { "'\\u20AC'", "\xE2\x82\xAC" },
        { "'\\z\\%\\8'", "z%8" },
        { "'\\7'", "7" },
        { "'\\\xC3\xA9'", "\xC3\xA9" },
        { "'\\''''", "''" },
        { "$$a\\n''b$c$$", "a\\n''b$c" },
        { "'\\x4'", NULL },
        { "'\\u004'", NULL },
        { "'\\ud83d'", NULL },
        { "'\\ude00\\ud83d'", NULL },
        { "12", NULL },
    };
    char to[64];

    for (size_t i = 0; i < NELEM(cases); i++) {
        const char *got = decoded(cases[i].sql, to, sizeof to);
        if ((got == NULL) != (cases[i].value == NULL))
            print_error("%s\n", cases[i].sql);
        assert_true((got == NULL) == (cases[i].value == NULL));
        if (got != NULL)
            assert_string_equal(got, cases[i].value);
    }
    assert_null(decoded("'abcdefgh'", to, 5));
}

static void
a_zero_escape_is_a_nul(void **state)
{
    struct sql_lexer l;
    struct sql_token t;
    char to[16];

    sql_lex_init(&l, STR("'a\\0b'"));
    assert_true(sql_lex_next(&l, &t));
    assert_int_equal(sql_decode(&t, to, sizeof to), 3);
    assert_memory_equal(to, "a\0b", 3);
}

static void
buffers_take_names_or_strings_only(void **state)
{
    struct sql_lexer l;
    struct sql_token name, string;
    struct buf b;

    sql_lex_init(&l, STR("abc 'x\\ny'"));
    assert_true(sql_lex_next(&l, &name));
    assert_true(sql_lex_next(&l, &string));
    buf_init(&b, 1000);
    assert_int_equal(sql_name_fold(&b, &name), 0);
    assert_int_equal(sql_string_value(&b, &string), 0);
    assert_string_equal(buf_text(&b), "ABCx\ny");
    assert_int_equal(sql_name_fold(&b, &string), -1);
    assert_int_equal(sql_string_value(&b, &name), -1);
    assert_string_equal(buf_text(&b), "ABCx\ny");
    assert_true(sql_token_is(&name, "ABC"));
    assert_false(sql_token_is(&name, "ABCD"));
    assert_false(sql_token_is(&name, "AB"));
    assert_false(sql_token_is(&string, "x"));
    buf_fini(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_told_apart),
        cmocka_unit_test(long_operators_have_codes_of_their_own),
        cmocka_unit_test(what_two_readers_could_read_differently_is_an_error),
        cmocka_unit_test(a_name_has_at_most_255_characters),
        cmocka_unit_test(positions_count_characters_and_lines),
        cmocka_unit_test(names_fold_and_strings_lose_their_escapes),
        cmocka_unit_test(a_zero_escape_is_a_nul),
        cmocka_unit_test(buffers_take_names_or_strings_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
