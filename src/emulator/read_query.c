/* read_query.c - WITH, SELECT, set operations, ORDER BY and LIMIT.
 *
 * Engine threads. */
#include "emulator/read.h"

#include "must.h"

static const char *read_body(struct reader *r);

bool
read_starts_query(const struct reader *r, size_t ahead)
{
    while (sql_token_is_op(read_peek(r, ahead), '('))
        ahead++;
    const struct sql_token *t = read_peek(r, ahead);
    return sql_token_is(t, "SELECT") || sql_token_is(t, "WITH") ||
           (sql_token_is(t, "VALUES") && sql_token_is_op(read_peek(r, ahead + 1), '('));
}

/* ---- select list ---------------------------------------------------------------------- */

static const char *
read_column_names(struct reader *r)
{
    const char *list;

    if (!read_op(r, '('))
        return read_ident(r, read_name(r));
    list = read_ident(r, read_name(r));
    while (read_op(r, ','))
        list = read_text(r, "%s, %s", list, read_ident(r, read_name(r)));
    read_need_op(r, ')');
    return list;
}

/* * EXCLUDE (a, b) REPLACE (x AS c) RENAME (d AS e) */
static const char *
read_star(struct reader *r, const char *star)
{
    if (read_is(r, "ILIKE"))
        read_unsupported(r, "* ILIKE");
    if (read_word(r, "EXCLUDE"))
        star = read_text(r, "%s EXCLUDE (%s)", star, read_column_names(r));
    if (read_word(r, "REPLACE")) {
        const char *list = "", *comma = "";
        read_need_op(r, '(');
        do {
            const char *e = read_expr(r).sql;
            read_need(r, "AS");
            list = read_text(r, "%s%s%s AS %s", list, comma, e, read_ident(r, read_name(r)));
            comma = ", ";
        } while (read_op(r, ','));
        read_need_op(r, ')');
        star = read_text(r, "%s REPLACE (%s)", star, list);
    }
    if (read_word(r, "RENAME")) {
        const char *list = "", *comma = "";
        bool parens = read_op(r, '(');
        do {
            const char *old = read_ident(r, read_name(r));
            read_need(r, "AS");
            list = read_text(r, "%s%s%s AS %s", list, comma, old, read_ident(r, read_name(r)));
            comma = ", ";
        } while (parens && read_op(r, ','));
        if (parens)
            read_need_op(r, ')');
        star = read_text(r, "%s RENAME (%s)", star, list);
    }
    return star;
}

static bool
is_star(const char *sql)
{
    size_t n = strlen(sql);

    return n >= 2 && strcmp(sql + n - 2, ".*") == 0;
}

/* What an expression without alias is called: its text, unquoted letters in upper case. */
static const char *
name_of(struct reader *r, const struct expr *e)
{
    return read_upper(r, read_source(r, e->from, e->to));
}

static const char *
read_item(struct reader *r)
{
    struct expr e;

    if (read_op(r, '*'))
        return read_star(r, "*");
    e = read_expr(r);
    if (is_star(e.sql))
        return read_star(r, e.sql);
    if (read_word(r, "AS"))
        return read_text(r, "%s AS %s", e.sql, read_ident(r, read_name(r)));
    if (read_is_name(r) && !read_is_reserved(read_peek(r, 0)))
        return read_text(r, "%s AS %s", e.sql, read_ident(r, read_name(r)));
    if (e.column)
        return e.sql;
    return read_text(r, "%s AS %s", e.sql, read_ident(r, name_of(r, &e)));
}

static bool
ends_select_list(const struct reader *r)
{
    const struct sql_token *t = read_peek(r, 0);

    return t->kind == SQL_END || sql_token_is(t, "FROM") || sql_token_is_op(t, ')') ||
           sql_token_is_op(t, ';');
}

static const char *
read_select_list(struct reader *r)
{
    const char *list = read_item(r);

    while (read_op(r, ',')) {
        if (ends_select_list(r)) /* a trailing comma is allowed */
            break;
        list = read_text(r, "%s, %s", list, read_item(r));
    }
    if (read_is(r, "INTO"))
        read_unsupported(r, "SELECT INTO");
    return list;
}

/* ---- clauses -------------------------------------------------------------------------- */

static const char *
read_group_by(struct reader *r)
{
    const char *list = "", *comma = "";

    if (read_word(r, "ALL"))
        return "ALL";
    do {
        const char *one;
        if (read_is(r, "ROLLUP") || read_is(r, "CUBE")) {
            const char *word = read_upper(r, r->tokens[r->at++].raw);
            read_need_op(r, '(');
            one = read_text(r, "%s (%s)", word, read_expr_list(r));
            read_need_op(r, ')');
        } else if (read_words(r, "GROUPING SETS")) {
            one = "";
            read_need_op(r, '(');
            do {
                const char *set = read_is_op(r, '(') && sql_token_is_op(read_peek(r, 1), ')')
                                      ? (r->at += 2, "()")
                                      : read_expr(r).sql;
                one = *one ? read_text(r, "%s, %s", one, set) : set;
            } while (read_op(r, ','));
            read_need_op(r, ')');
            one = read_text(r, "GROUPING SETS (%s)", one);
        } else {
            one = read_expr(r).sql;
        }
        list = read_text(r, "%s%s%s", list, comma, one);
        comma = ", ";
    } while (read_op(r, ','));
    return list;
}

/* NULLs count as the largest values: last when ascending, first when descending. */
const char *
read_order_by(struct reader *r)
{
    const char *list = "", *comma = "";

    if (read_word(r, "ALL"))
        return read_text(r, "ALL%s", read_word(r, "DESC") ? " DESC NULLS FIRST" : "");
    do {
        const char *e = read_expr(r).sql;
        bool descending = read_word(r, "DESC");
        const char *nulls = descending ? "FIRST" : "LAST";
        if (!descending)
            read_word(r, "ASC");
        if (read_word(r, "NULLS")) {
            nulls = read_is(r, "FIRST") ? "FIRST" : "LAST";
            if (!read_word(r, "FIRST"))
                read_need(r, "LAST");
        }
        list =
            read_text(r, "%s%s%s %s NULLS %s", list, comma, e, descending ? "DESC" : "ASC", nulls);
        comma = ", ";
    } while (read_op(r, ','));
    return list;
}

/* LIMIT n, NULL, '' or $$$$ (no limit), or a bind. */
static const char *
read_limit_number(struct reader *r)
{
    if (read_word(r, "NULL"))
        return NULL;
    if (read_literal_string(r)) {
        if (*read_string(r))
            read_syntax(r);
        return NULL;
    }
    if (read_peek(r, 0)->kind == SQL_BIND)
        return read_text(r, "CAST(%s AS BIGINT)", read_expr(r).sql);
    return read_text(r, "%llu", (unsigned long long)read_count(r));
}

static const char *
read_limit(struct reader *r)
{
    const char *sql = "", *n;

    if (read_word(r, "LIMIT")) {
        n = read_limit_number(r);
        if (n)
            sql = read_text(r, " LIMIT %s", n);
    }
    if (read_word(r, "OFFSET")) {
        n = read_limit_number(r);
        if (!read_word(r, "ROWS"))
            read_word(r, "ROW");
        if (n)
            sql = read_text(r, "%s OFFSET %s", sql, n);
    }
    if (read_word(r, "FETCH")) {
        if (!read_word(r, "FIRST"))
            read_word(r, "NEXT");
        n = read_limit_number(r);
        if (!read_word(r, "ROWS"))
            read_word(r, "ROW");
        read_word(r, "ONLY");
        if (n)
            sql = read_text(r, " LIMIT %s%s", n, sql);
    }
    return sql;
}

static const char *
read_from(struct reader *r)
{
    const char *sql = read_from_item(r);

    while (read_op(r, ','))
        sql = read_text(r, "%s, %s", sql, read_from_item(r));
    return sql;
}

static const char *
read_select_clauses(struct reader *r)
{
    const char *sql = "", *top = "";

    if (read_word(r, "DISTINCT"))
        sql = "DISTINCT ";
    else
        read_word(r, "ALL");
    if (read_is(r, "TOP") && read_peek(r, 1)->kind == SQL_NUMBER) {
        r->at++;
        top = read_text(r, " LIMIT %llu", (unsigned long long)read_count(r));
    }
    sql = read_text(r, "SELECT %s%s", sql, read_select_list(r));
    if (read_word(r, "FROM"))
        sql = read_text(r, "%s FROM %s", sql, read_from(r));
    if (read_word(r, "WHERE"))
        sql = read_text(r, "%s WHERE %s", sql, read_expr(r).sql);
    if (read_is(r, "CONNECT") || read_is2(r, "START", "WITH"))
        read_unsupported(r, "CONNECT BY");
    if (read_words(r, "GROUP BY"))
        sql = read_text(r, "%s GROUP BY %s", sql, read_group_by(r));
    if (read_word(r, "HAVING"))
        sql = read_text(r, "%s HAVING %s", sql, read_expr(r).sql);
    if (read_word(r, "QUALIFY"))
        sql = read_text(r, "%s QUALIFY %s", sql, read_expr(r).sql);
    if (*top) {
        if (read_words(r, "ORDER BY"))
            sql = read_text(r, "%s ORDER BY %s", sql, read_order_by(r));
        sql = read_text(r, "(%s%s)", sql, top);
    }
    return sql;
}

static const char *
read_select(struct reader *r)
{
    unsigned outer = r->select;
    const char *sql;

    read_need(r, "SELECT");
    r->select = ++r->selects;
    sql = read_select_clauses(r);
    /* ORDER BY behind it may repeat its expressions: the number stays until the query ends */
    if (outer != 0)
        r->select = outer;
    return sql;
}

/* VALUES (1, 'a') has the columns COLUMN1 and COLUMN2. */
static const char *
read_values(struct reader *r)
{
    const char *sql = "VALUES ", *comma = "", *names = "";
    size_t most = 0;

    read_need(r, "VALUES");
    do {
        size_t columns = 0;
        const char *row = "";
        read_need_op(r, '(');
        do {
            row = read_text(r, "%s%s%s", row, columns > 0 ? ", " : "", read_expr(r).sql);
            columns++;
        } while (read_op(r, ','));
        read_need_op(r, ')');
        sql = read_text(r, "%s%s(%s)", sql, comma, row);
        comma = ", ";
        most = columns > most ? columns : most;
    } while (read_op(r, ','));
    for (size_t i = 1; i <= most; i++)
        names = read_text(r, "%s%s\"COLUMN%zu\"", names, i > 1 ? ", " : "", i);
    return read_text(r, "SELECT * FROM (%s) AS _values(%s)", sql, names);
}

static const char *
read_operand(struct reader *r)
{
    if (read_op(r, '(')) {
        const char *q = read_query(r);
        read_need_op(r, ')');
        return read_text(r, "(%s)", q);
    }
    if (read_is(r, "VALUES"))
        return read_values(r);
    if (!read_is(r, "SELECT"))
        read_syntax(r);
    return read_select(r);
}

static const char *
set_operation(struct reader *r)
{
    if (read_word(r, "UNION")) {
        if (read_words(r, "ALL BY NAME"))
            return "UNION ALL BY NAME";
        if (read_words(r, "BY NAME"))
            return "UNION BY NAME";
        if (read_word(r, "ALL"))
            return "UNION ALL";
        read_word(r, "DISTINCT");
        return "UNION";
    }
    if (read_word(r, "INTERSECT"))
        return "INTERSECT";
    if (read_word(r, "EXCEPT") || read_word(r, "MINUS"))
        return "EXCEPT";
    return NULL;
}

static const char *
read_body(struct reader *r)
{
    const char *sql = read_operand(r), *op;

    while ((op = set_operation(r)))
        sql = read_text(r, "%s %s %s", sql, op, read_operand(r));
    if (read_words(r, "ORDER BY"))
        sql = read_text(r, "%s ORDER BY %s", sql, read_order_by(r));
    sql = read_text(r, "%s%s", sql, read_limit(r));
    if (read_is(r, "FOR"))
        read_unsupported(r, "FOR UPDATE");
    return sql;
}

static void
enter_scope(struct reader *r, const char *name)
{
    struct scope *s = arena_alloc(r->arena, sizeof *s);

    if (!s)
        read_no_memory(r);
    *s = (struct scope){ r->ctes, name };
    r->ctes = s;
}

static const char *
read_with(struct reader *r)
{
    const char *sql = "WITH ", *comma = "";

    if (read_word(r, "RECURSIVE"))
        sql = "WITH RECURSIVE ";
    do {
        const char *name = read_name(r), *columns = "";
        if (read_is_op(r, '('))
            columns = read_text(r, "(%s)", read_column_names(r));
        read_need(r, "AS");
        if (read_is(r, "PROCEDURE") || read_is(r, "MODEL"))
            read_unsupported(r, "WITH ... AS PROCEDURE or MODEL");
        if (strcmp(sql, "WITH RECURSIVE ") == 0 || strstr(sql, "WITH RECURSIVE "))
            enter_scope(r, name);
        read_need_op(r, '(');
        const char *q = read_query(r);
        read_need_op(r, ')');
        enter_scope(r, name);
        sql = read_text(r, "%s%s%s%s AS (%s)", sql, comma, read_ident(r, name), columns, q);
        comma = ", ";
    } while (read_op(r, ','));
    return sql;
}

const char *
read_query(struct reader *r)
{
    const struct scope *outer = r->ctes;
    unsigned select = r->select;
    const char *with = "", *sql;

    read_deeper(r);
    r->select = 0;
    if (read_word(r, "WITH")) {
        with = read_text(r, "%s ", read_with(r));
        r->select = 0;
    }
    sql = read_text(r, "%s%s", with, read_body(r));
    r->ctes = outer;
    r->select = select;
    r->depth--;
    return sql;
}
