/* fuzz_guard.c - any bytes as SQL: the lexer, the guard, name splitting and quoting.
 *
 * What must hold whatever the bytes are is written as must(): a broken promise aborts. */
#include "must.h"
#include "sql/guard.h"
#include "sql/ident.h"
#include "sql/sql_lex.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_blank_or_comment(struct str s)
{
    struct sql_lexer l;
    struct sql_token t;

    sql_lex_init(&l, s);
    return !sql_lex_next(&l, &t) && t.kind == SQL_END;
}

/* Tokens come in order, do not overlap, lie in the text, and leave out blanks and comments only. */
static void
check_tokens(struct str sql)
{
    struct sql_lexer l;
    struct sql_token t;
    size_t end = 0;
    unsigned line = 1;
    char *value = malloc(sql.n + 1);

    must(value != NULL);
    sql_lex_init(&l, sql);
    while (sql_lex_next(&l, &t)) {
        must(t.raw.n > 0 && t.offset >= end && t.offset + t.raw.n <= sql.n);
        must(t.raw.p == sql.p + t.offset);
        must(t.line >= line && t.column >= 1);
        must(is_blank_or_comment((struct str){ sql.p + end, t.offset - end }));
        must(sql_decode(&t, value, t.raw.n) <= (long)t.raw.n);
        end = t.offset + t.raw.n;
        line = t.line;
    }
    if (t.kind == SQL_END)
        must(is_blank_or_comment((struct str){ sql.p + end, sql.n - end }));
    free(value);
}

/* An allowed statement has no semicolon, flow operator or method call, except where SHOW and
 * DESCRIBE name a service role; and it begins with a word on the list. */
static void
check_allowed(struct str sql, const struct guard_verdict *v)
{
    static const char *const first[] = { "SELECT", "WITH", "SHOW", "DESC", "DESCRIBE", "EXPLAIN",
        "LIST", "LS" };
    struct sql_lexer l;
    struct sql_token t;
    bool begun = false, known = false;

    sql_lex_init(&l, (struct str){ sql.p, v->statement_bytes });
    while (sql_lex_next(&l, &t)) {
        must(!sql_token_is_op(&t, ';') && !sql_token_is_op(&t, SQL_OP_FLOW));
        must(!sql_token_is_op(&t, '!') || v->kind == GUARD_SHOW || v->kind == GUARD_DESCRIBE ||
             v->kind == GUARD_LIST);
        for (size_t i = 0; !begun && i < NELEM(first); i++)
            known = known || sql_token_is(&t, first[i]);
        known = known || (!begun && sql_token_is_op(&t, '('));
        begun = true;
    }
    must(t.kind == SQL_END && known);
}

static struct guard_verdict
check_with(const struct guard_policy *p, struct str sql, const char *tail)
{
    struct guard_verdict v;
    size_t n = strlen(tail);
    char *text = malloc(sql.n + n + 1);

    must(text != NULL);
    if (sql.n > 0)
        memcpy(text, sql.p, sql.n);
    memcpy(text + sql.n, tail, n);
    guard_check(p, (struct str){ text, sql.n + n }, &v);
    free(text);
    return v;
}

static void
check_guard(const struct guard_policy *p, struct str sql)
{
    struct guard_verdict v, w;

    guard_check(p, sql, &v);
    must(v.allowed == (v.rule == GUARD_OK) && v.allowed == (v.message[0] == '\0'));
    must(v.allowed == (v.line == 0));
    must(memchr(v.message, 0, sizeof v.message) != NULL);
    must(utf8_is_valid(v.message, strlen(v.message)));
    if (!v.allowed)
        return;
    check_allowed(sql, &v);

    /* What is sent is the statement itself, and reads the same without its tail. */
    guard_check(p, (struct str){ sql.p, v.statement_bytes }, &w);
    must(w.allowed && w.fingerprint == v.fingerprint && w.statement_bytes == v.statement_bytes);
    must(w.kind == v.kind);
    w = check_with(p, sql, "\n-- done ; drop table t");
    must(w.allowed && w.fingerprint == v.fingerprint);
    w = check_with(p, sql, "\n;");
    must(w.allowed && w.statement_bytes == v.statement_bytes);
    must(!check_with(p, sql, "\n; drop table t").allowed);
    must(!check_with(p, sql, "\n->> drop table t").allowed);
}

static void
check_names(struct str text)
{
    struct str parts[SQL_NAME_PARTS_MAX];
    struct err e;
    struct buf b;
    size_t n;

    buf_init(&b, 8 * text.n + 64);
    if (sql_split_qualified(text, parts, &n, &e) == 0 && sql_put_qualified(&b, parts, n, &e) == 0) {
        struct sql_lexer l;
        struct sql_token t;
        size_t names = 0, dots = 0;
        bool lexes = true;

        sql_lex_init(&l, buf_str(&b));
        while (sql_lex_next(&l, &t)) {
            names += t.kind == SQL_QUOTED_NAME;
            dots += sql_token_is_op(&t, '.');
        }
        lexes = t.kind == SQL_END || t.error == SQL_LEX_QUOTED_BACKSLASH;
        must(lexes && (t.kind == SQL_ERROR || (names == n && dots == n - 1)));
    }
    buf_clear(&b);
    if (sql_put_string(&b, text, &e) == 0) {
        struct sql_lexer l;
        struct sql_token t;
        struct buf value;

        buf_init(&value, 8 * text.n + 64);
        sql_lex_init(&l, buf_str(&b));
        must(sql_lex_next(&l, &t) && t.kind == SQL_STRING && t.raw.n == b.len);
        must(sql_string_value(&value, &t) == 0 && str_eq(buf_str(&value), text));
        buf_fini(&value);
    }
    buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const schemas[] = { "UTIL", NULL };
    static const struct guard_policy strict;
    static const struct guard_policy open = { .allow_stage_reads = true,
        .allow_list_files = true,
        .allow_sequences = true,
        .allow_ai = true,
        .allow_result_scan = true,
        .function_schemas = schemas };
    struct str sql = { (const char *)data, size };
    struct guard_verdict v;

    check_tokens(sql);
    check_guard(&strict, sql);
    check_guard(&open, sql);
    guard_check(&strict, sql, &v);
    if (v.allowed) {
        guard_check(&open, sql, &v);
        must(v.allowed); /* an option never takes anything away */
    }
    check_names(sql);
    return 0;
}
