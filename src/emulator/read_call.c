/* read_call.c - function calls: finds the function, takes the arguments, writes DuckDB's call.
 *
 * Engine threads.  Only functions of functions.def can be called at all. */
#include "emulator/read.h"

#include "must.h"

#include <ctype.h>

enum kind { SCALAR, AGG, WINDOW, SPECIAL, UNSUPPORTED };

static const struct function {
    const char *name;
    unsigned least, most;
    enum kind kind;
    const char *text;
} functions[] = {
#define F(name, least, most, kind, text) { #name, least, most, kind, text },
#include "emulator/functions.def"
#undef F
};

static const struct function *
find(struct reader *r, const char *name, size_t n)
{
    bool known = false;
    unsigned most = 0;

    for (size_t i = 0; i < NELEM(functions); i++) {
        const struct function *f = &functions[i];
        if (strcmp(f->name, name) != 0)
            continue;
        known = true;
        most = f->most > most ? f->most : most;
        if (n >= f->least && n <= f->most)
            return f;
    }
    if (known && n > most) /* Snowflake may well have them */
        read_unsupported(r, read_text(r, "%s with %zu arguments", name, n));
    if (!known)
        failure_set(
            r->f, "002140", "42601", "SQL compilation error:\nUnknown function %.200s", name);
    else
        failure_set(r->f, "000939", "22023",
            "SQL compilation error:\nwrong number of arguments for function [%s]: %zu", name, n);
    read_fail(r);
}

static const char *
join_args(struct reader *r, const struct call *c)
{
    const char *all = "";

    for (size_t i = 0; i < c->n; i++)
        all = read_text(r, "%s%s%s", all, i > 0 ? ", " : "", c->args[i].sql);
    return all;
}

static bool
is_plain_name(const char *text)
{
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && *text != '_')
            return false;
    return true;
}

static const char *
fill_text(struct reader *r, const struct function *f, const struct call *c)
{
    struct buf b;

    if (is_plain_name(f->text))
        return read_text(r, "%s(%s%s%s)" OVER_MARK, f->text, c->distinct ? "DISTINCT " : "",
            join_args(r, c), c->ignore_nulls ? " IGNORE NULLS" : "");
    if (c->distinct || c->ignore_nulls)
        read_unsupported(r, "DISTINCT or IGNORE NULLS in this function");
    buf_init(&b, 16u << 20);
    for (const char *p = f->text; *p; p++) {
        if (*p != '$') {
            buf_put_c(&b, *p);
            continue;
        }
        p++;
        if (*p == '*')
            buf_put_z(&b, join_args(r, c));
        else if (*p == '@')
            buf_put_z(&b, OVER_MARK);
        else
            buf_put_z(&b, c->args[*p - '1'].sql);
    }
    const char *text = b.failed ? NULL : arena_copy(r->arena, buf_str(&b));
    buf_fini(&b);
    if (!text)
        read_no_memory(r);
    return text;
}

/* ROWS BETWEEN ... AND ...: words and numbers, taken over as they are. */
static const char *
read_frame(struct reader *r)
{
    size_t from = r->at;

    while (!read_is_op(r, ')')) {
        const struct sql_token *t = read_peek(r, 0);
        static const char *const words[] = { "ROWS", "RANGE", "BETWEEN", "AND", "UNBOUNDED",
            "PRECEDING", "FOLLOWING", "CURRENT", "ROW" };
        bool fine = t->kind == SQL_NUMBER;
        for (size_t i = 0; i < NELEM(words); i++)
            fine |= sql_token_is(t, words[i]);
        if (!fine)
            read_syntax(r);
        r->at++;
    }
    return read_copy(r, read_source(r, from, r->at));
}

static bool
wants_whole_window(const char *function)
{
    return strcmp(function, "FIRST_VALUE") == 0 || strcmp(function, "LAST_VALUE") == 0 ||
           strcmp(function, "NTH_VALUE") == 0;
}

const char *
read_over(struct reader *r, const char *function)
{
    const char *sql = "";

    read_need(r, "OVER");
    read_need_op(r, '(');
    if (read_words(r, "PARTITION BY"))
        sql = read_text(r, "PARTITION BY %s", read_expr_list(r));
    if (read_words(r, "ORDER BY"))
        sql = read_text(r, "%s ORDER BY %s", sql, read_order_by(r));
    if (read_is(r, "ROWS") || read_is(r, "RANGE"))
        sql = read_text(r, "%s %s", sql, read_frame(r));
    else if (wants_whole_window(function)) /* Snowflake's default for these three */
        sql = read_text(r, "%s ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING", sql);
    read_need_op(r, ')');
    return read_text(r, " OVER (%s)", sql);
}

static void
read_arguments(struct reader *r, struct call *c)
{
    if (read_word(r, "DISTINCT"))
        c->distinct = true;
    else
        read_word(r, "ALL");
    while (!read_is_op(r, ')')) {
        if (c->n == NELEM(c->args))
            read_unsupported(r, "so many arguments");
        if (read_is_op(r, '*')) {
            r->at++;
            c->star = true;
        } else if (sql_token_is_op(read_peek(r, 1), SQL_OP_NAMED)) {
            read_unsupported(r, "named arguments");
        } else {
            c->args[c->n] = read_expr(r);
            size_t end = strlen(c->args[c->n].sql);
            if (end > 2 && strcmp(c->args[c->n].sql + end - 2, ".*") == 0)
                read_unsupported(r, "the columns of a table as arguments");
            c->n++;
        }
        if (!read_op(r, ','))
            break;
    }
    read_need_op(r, ')');
}

/* EXTRACT(part FROM x), POSITION(a IN b) and the functions with a date part first. */
static void
read_odd_arguments(struct reader *r, struct call *c)
{
    const struct sql_token *t = read_peek(r, 0);

    if (read_takes_part(c->name) && !(strcmp(c->name, "DATE_TRUNC") == 0 && t->kind == SQL_NAME &&
                                        sql_token_is_op(read_peek(r, 1), '('))) {
        if (t->kind == SQL_NAME || t->kind == SQL_QUOTED_NAME)
            c->part = read_name(r);
        else
            c->part = read_upper(r, str_of(read_string(r)));
        c->args[c->n++] = (struct expr){ .sql = "NULL", .from = c->from, .to = r->at };
        if (strcmp(c->name, "EXTRACT") == 0 && !read_is_op(r, ','))
            read_need(r, "FROM");
        else
            read_need_op(r, ',');
    } else if (strcmp(c->name, "POSITION") == 0) {
        /* the IN of POSITION(a IN b) would be taken for a predicate */
        size_t end = read_behind_parens(r, r->at - 1);
        for (size_t i = r->at; i < end; i++)
            if (sql_token_is(&r->tokens[i], "IN"))
                read_unsupported(r, "POSITION with IN");
    }
}

static void
read_suffixes(struct reader *r, struct call *c)
{
    if (read_words(r, "WITHIN GROUP")) {
        read_need_op(r, '(');
        read_need(r, "ORDER");
        read_need(r, "BY");
        c->within = read_order_by(r);
        read_need_op(r, ')');
    }
    if (read_words(r, "IGNORE NULLS"))
        c->ignore_nulls = true;
    else
        read_words(r, "RESPECT NULLS");
}

/* OVER goes to the mark; without OVER the mark goes. */
static const char *
place_over(struct reader *r, const char *text, const char *over)
{
    const char *mark = strchr(text, OVER_MARK[0]);
    const char *first = "";

    if (!mark) {
        if (*over)
            read_unsupported(r, "OVER behind this function");
        return text;
    }
    for (; mark; mark = strchr(text, OVER_MARK[0])) {
        first = read_text(r, "%s%.*s%s", first, (int)(mark - text), text, over);
        text = mark + 1;
    }
    return read_text(r, "%s%s", first, text);
}

struct expr
read_call(struct reader *r)
{
    struct call *c = arena_alloc(r->arena, sizeof *c);
    const struct function *f;
    const char *text, *over = "";

    if (!c)
        read_no_memory(r);
    c->from = r->at;
    c->name = read_name(r);
    if (read_op(r, '(')) {
        read_odd_arguments(r, c);
        read_arguments(r, c);
        read_suffixes(r, c);
    }
    f = find(r, c->name, c->n);
    if (f->kind == UNSUPPORTED)
        read_unsupported(r, c->name);
    if (c->star && strcmp(c->name, "COUNT") != 0)
        read_unsupported(r, "* as an argument");
    if (f->kind == SPECIAL) {
        text = read_special_date(r, c);
        if (!text)
            text = read_special(r, c);
        must(text);
    } else {
        if (c->within || (c->distinct && f->kind != AGG))
            read_syntax(r);
        text = fill_text(r, f, c);
    }
    if (read_is(r, "OVER") && f->kind != SCALAR)
        over = read_over(r, c->name);
    else if (f->kind == WINDOW)
        read_syntax(r);
    struct expr e = {
        .sql = place_over(r, text, over), .from = c->from, .to = r->at, .probed = c->probed
    };
    return e;
}
