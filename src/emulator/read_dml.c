/* read_dml.c - INSERT, UPDATE, DELETE, TRUNCATE.
 *
 * Engine threads. */
#include "emulator/read.h"

#include "must.h"

static struct object
read_target(struct reader *r)
{
    struct object o = read_object(r);

    read_note_table(r, &o);
    r->plan->kind = PLAN_CHANGE;
    r->plan->needs_warehouse = true;
    return o;
}

static const char *
read_value_rows(struct reader *r)
{
    const char *sql = "VALUES ", *comma = "";

    read_need(r, "VALUES");
    do {
        const char *row = "", *c = "";
        read_need_op(r, '(');
        do {
            const char *v = read_word(r, "DEFAULT") ? "DEFAULT" : read_expr(r).sql;
            row = read_text(r, "%s%s%s", row, c, v);
            c = ", ";
        } while (read_op(r, ','));
        read_need_op(r, ')');
        sql = read_text(r, "%s%s(%s)", sql, comma, row);
        comma = ", ";
    } while (read_op(r, ','));
    return sql;
}

void
read_insert(struct reader *r)
{
    const char *columns = "", *comma = "", *rows;

    read_need(r, "INSERT");
    if (read_is(r, "ALL") || read_is(r, "FIRST"))
        read_unsupported(r, "INSERT into several tables");
    if (read_word(r, "OVERWRITE"))
        read_unsupported(r, "INSERT OVERWRITE");
    read_need(r, "INTO");
    struct object o = read_target(r);
    if (read_is_op(r, '(') && !read_starts_query(r, 0)) {
        r->at++;
        do {
            columns = read_text(r, "%s%s%s", columns, comma, read_ident(r, read_name(r)));
            comma = ", ";
        } while (read_op(r, ','));
        read_need_op(r, ')');
        columns = read_text(r, "(%s)", columns);
    }
    rows = read_is(r, "VALUES") ? read_value_rows(r) : read_query(r);
    r->plan->change = PLAN_INSERTED;
    r->plan->sql = read_text(r, "INSERT INTO %s%s %s", read_object_sql(r, &o), columns, rows);
}

static const char *
read_short_alias(struct reader *r)
{
    if (!read_word(r, "AS") && (!read_is_name(r) || read_is_reserved(read_peek(r, 0))))
        return "";
    return read_text(r, " AS %s", read_ident(r, read_name(r)));
}

void
read_update(struct reader *r)
{
    const char *sets = "", *comma = "", *sql;

    read_need(r, "UPDATE");
    struct object o = read_target(r);
    sql = read_text(r, "UPDATE %s%s", read_object_sql(r, &o), read_short_alias(r));
    read_need(r, "SET");
    do {
        const char *column = read_name(r);
        while (read_op(r, '.'))
            column = read_name(r);
        read_need_op(r, '=');
        sets = read_text(r, "%s%s%s = %s", sets, comma, read_ident(r, column), read_expr(r).sql);
        comma = ", ";
    } while (read_op(r, ','));
    sql = read_text(r, "%s SET %s", sql, sets);
    if (read_word(r, "FROM")) {
        sql = read_text(r, "%s FROM %s", sql, read_from_item(r));
        while (read_op(r, ','))
            sql = read_text(r, "%s, %s", sql, read_from_item(r));
    }
    if (read_word(r, "WHERE"))
        sql = read_text(r, "%s WHERE %s", sql, read_expr(r).sql);
    r->plan->change = PLAN_UPDATED;
    r->plan->sql = sql;
}

void
read_delete(struct reader *r)
{
    const char *sql;

    read_need(r, "DELETE");
    read_need(r, "FROM");
    struct object o = read_target(r);
    sql = read_text(r, "DELETE FROM %s%s", read_object_sql(r, &o), read_short_alias(r));
    if (read_word(r, "USING")) {
        sql = read_text(r, "%s USING %s", sql, read_from_item(r));
        while (read_op(r, ','))
            sql = read_text(r, "%s, %s", sql, read_from_item(r));
    }
    if (read_word(r, "WHERE"))
        sql = read_text(r, "%s WHERE %s", sql, read_expr(r).sql);
    r->plan->change = PLAN_DELETED;
    r->plan->sql = sql;
}

void
read_truncate(struct reader *r)
{
    read_need(r, "TRUNCATE");
    read_word(r, "TABLE");
    if (read_words(r, "IF EXISTS"))
        read_unsupported(r, "TRUNCATE IF EXISTS");
    struct object o = read_object(r);
    read_note_table(r, &o);
    r->plan->kind = PLAN_STATUS;
    r->plan->sql = read_text(r, "DELETE FROM %s", read_object_sql(r, &o));
    r->plan->status = "Statement executed successfully.";
}
