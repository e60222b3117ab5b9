/* read_predicate.c - comparisons, IN, BETWEEN, LIKE and its relatives, IS.
 *
 * Engine threads. */
#include "emulator/read.h"

#include "must.h"

static const char *
like_escape(struct reader *r)
{
    if (!read_word(r, "ESCAPE"))
        return "";
    return read_text(r, " ESCAPE %s", read_expr(r).sql);
}

/* x LIKE ANY ('a', 'b'): any or all of the list. */
static const char *
read_like_list(struct reader *r, const char *a, const char *op, bool all)
{
    const char *sql = "", *join = "";
    size_t start, end;

    if (read_starts_query(r, 1))
        read_unsupported(r, "LIKE ANY with a query");
    read_need_op(r, '(');
    start = r->at;
    /* ESCAPE stands behind the list but belongs to each of its members */
    end = read_behind_parens(r, start - 1);
    r->at = end;
    const char *escape = like_escape(r);
    size_t after = r->at;
    r->at = start;
    do {
        sql = read_text(r, "%s%s(%s %s %s%s)", sql, join, a, op, read_expr(r).sql, escape);
        join = all ? " AND " : " OR ";
    } while (read_op(r, ','));
    read_need_op(r, ')');
    r->at = after;
    return read_text(r, "(%s)", sql);
}

static const char *
read_like(struct reader *r, const char *a, bool case_matters)
{
    const char *op = case_matters ? "LIKE" : "ILIKE";

    if (read_word(r, "ANY"))
        return read_like_list(r, a, op, false);
    if (read_word(r, "ALL"))
        return read_like_list(r, a, op, true);
    const char *pattern = read_sum(r).sql;
    return read_text(r, "(%s %s %s%s)", a, op, pattern, like_escape(r));
}

static const char *
read_in(struct reader *r, const char *a)
{
    const char *list;

    read_need_op(r, '(');
    list = read_starts_query(r, 0) ? read_query(r) : read_expr_list(r);
    read_need_op(r, ')');
    return read_text(r, "(%s IN (%s))", a, list);
}

static const char *
read_is_predicate(struct reader *r, const char *a)
{
    const char *not_word = read_word(r, "NOT") ? " NOT" : "";

    if (read_word(r, "NULL"))
        return read_text(r, "(%s IS%s NULL)", a, not_word);
    if (read_word(r, "TRUE"))
        return read_text(r, "(%s IS%s TRUE)", a, not_word);
    if (read_word(r, "FALSE"))
        return read_text(r, "(%s IS%s FALSE)", a, not_word);
    read_need(r, "DISTINCT");
    read_need(r, "FROM");
    return read_text(r, "(%s IS%s DISTINCT FROM %s)", a, not_word, read_sum(r).sql);
}

static const char *
comparison(const struct reader *r)
{
    static const struct {
        int op;
        const char *sql;
    } ops[] = { { '=', "=" }, { '<', "<" }, { '>', ">" }, { SQL_OP_NE, "<>" }, { SQL_OP_LE, "<=" },
        { SQL_OP_GE, ">=" } };

    for (size_t i = 0; i < NELEM(ops); i++)
        if (read_is_op(r, ops[i].op))
            return ops[i].sql;
    return NULL;
}

static const char *
read_quantified(struct reader *r, const char *a, const char *op)
{
    const char *word = read_word(r, "ALL") ? "ALL" : "ANY";

    if (*word == 'A' && word[1] == 'N' && !read_word(r, "ANY"))
        read_need(r, "SOME");
    read_need_op(r, '(');
    const char *q = read_query(r);
    read_need_op(r, ')');
    return read_text(r, "(%s %s %s (%s))", a, op, word, q);
}

struct expr
read_predicate(struct reader *r)
{
    struct expr a = read_sum(r);
    const char *op;

    for (;;) {
        bool negated = read_is(r, "NOT") && !sql_token_is(read_peek(r, 1), "NULL");
        size_t start = r->at;
        const char *sql;
        r->at += negated;
        if (!negated && (op = comparison(r))) {
            r->at++;
            if (read_is(r, "ALL") || read_is(r, "ANY") || read_is(r, "SOME"))
                sql = read_quantified(r, a.sql, op);
            else
                sql = read_text(r, "(%s %s %s)", a.sql, op, read_sum(r).sql);
        } else if (!negated && read_word(r, "IS")) {
            sql = read_is_predicate(r, a.sql);
        } else if (read_word(r, "IN")) {
            sql = read_in(r, a.sql);
        } else if (read_word(r, "BETWEEN")) {
            const char *low = read_sum(r).sql;
            read_need(r, "AND");
            sql = read_text(r, "(%s BETWEEN %s AND %s)", a.sql, low, read_sum(r).sql);
        } else if (read_word(r, "LIKE")) {
            sql = read_like(r, a.sql, true);
        } else if (read_word(r, "ILIKE")) {
            sql = read_like(r, a.sql, false);
        } else if (read_word(r, "RLIKE") || read_word(r, "REGEXP")) {
            sql = read_text(r, "regexp_full_match(%s, %s)", a.sql, read_sum(r).sql);
        } else {
            r->at = start;
            return a;
        }
        a = (struct expr){
            .sql = negated ? read_text(r, "(NOT %s)", sql) : sql, .from = a.from, .to = r->at
        };
    }
}
