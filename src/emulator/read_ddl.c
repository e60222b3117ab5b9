/* read_ddl.c - CREATE, DROP, ALTER and COMMENT, and the notes they leave in the catalogue.
 *
 * Engine threads. */
#include "emulator/read.h"

#include "must.h"

struct making {
    struct object object;
    bool replace, if_not_exists;
};

static void
status(struct reader *r, const char *sql, const char *text)
{
    r->plan->kind = PLAN_STATUS;
    r->plan->sql = sql;
    r->plan->status = text;
}

/* The whole statement's text: what SHOW VIEWS and GET_DDL give back. */
static const char *
whole_text(struct reader *r)
{
    size_t end = r->at;

    return read_quote(r, read_source(r, 0, end));
}

static const char *
quoted_or_null(struct reader *r, const char *s)
{
    return s ? read_quote(r, str_of(s)) : "NULL";
}

static void
note_object(struct reader *r, const struct making *m, const char *kind, const char *comment,
    const char *text)
{
    const struct object *o = &m->object;
    const char *where = read_text(r, "%s AND kind = '%s'", read_object_where(r, o, "name"), kind);

    if (!m->if_not_exists)
        read_after(r, read_text(r, "DELETE FROM _objects WHERE %s", where));
    read_after(
        r, read_text(r,
               "INSERT INTO _objects(database_name, schema_name, name, kind, owner, comment, text) "
               "SELECT %s, %s, %s, '%s', %s, %s, %s WHERE NOT EXISTS (SELECT 1 FROM _objects WHERE "
               "%s)",
               read_mangled(r, o->database), o->schema ? read_mangled(r, o->schema) : "NULL",
               o->name ? read_mangled(r, o->name) : "NULL", kind, quoted_or_null(r, r->job->role),
               quoted_or_null(r, comment), text ? text : "NULL", where));
}

/* ---- tables --------------------------------------------------------------------------- */

struct column {
    const char *name, *declared, *default_text, *comment;
    bool not_null, primary, unique;
};

static void
skip_reference(struct reader *r)
{
    read_object(r);
    if (read_is_op(r, '('))
        r->at = read_behind_parens(r, r->at);
}

/* Behind the type.  Returns what DuckDB is told of it. */
static const char *
read_column_options(struct reader *r, struct column *c, const struct sql_type *type)
{
    const char *sql = "";

    for (;;) {
        if (read_words(r, "NOT NULL")) {
            c->not_null = true;
        } else if (read_word(r, "NULL")) {
            continue;
        } else if (read_word(r, "DEFAULT")) {
            size_t from = r->at;
            struct expr e = read_expr(r);
            c->default_text = read_copy(r, read_source(r, from, r->at));
            sql = read_text(r, " DEFAULT %s", e.sql);
        } else if (read_words(r, "PRIMARY KEY")) {
            c->primary = c->not_null = true;
        } else if (read_word(r, "UNIQUE")) {
            c->unique = true;
        } else if (read_word(r, "CONSTRAINT")) {
            read_name(r);
        } else if (read_word(r, "REFERENCES")) {
            skip_reference(r);
        } else if (read_word(r, "COMMENT")) {
            c->comment = read_string(r);
        } else if (read_is(r, "AUTOINCREMENT") || read_is(r, "IDENTITY") || read_is(r, "COLLATE") ||
                   read_is(r, "MASKING") || read_is(r, "WITH") || read_is(r, "AS")) {
            read_unsupported(r, read_upper(r, read_peek(r, 0)->raw));
        } else {
            break;
        }
    }
    c->declared = type->declared;
    return read_text(r, "%s%s", sql, c->not_null ? " NOT NULL" : "");
}

static void
note_column(struct reader *r, const struct making *m, const struct column *c)
{
    const struct object *o = &m->object;

    read_after(
        r, read_text(r,
               "INSERT INTO _columns SELECT %s, %s, %s, %s, %s, %s, %s, %s, %s, false WHERE NOT "
               "EXISTS "
               "(SELECT 1 FROM _columns WHERE %s AND name = %s)",
               read_mangled(r, o->database), read_mangled(r, o->schema), read_mangled(r, o->name),
               read_mangled(r, c->name), quoted_or_null(r, c->declared),
               quoted_or_null(r, c->default_text), quoted_or_null(r, c->comment),
               c->primary ? "true" : "false", c->unique ? "true" : "false",
               read_object_where(r, o, "table_name"), read_mangled(r, c->name)));
}

/* PRIMARY KEY (a, b) and its like behind the columns: Snowflake does not enforce them. */
static bool
read_constraint(struct reader *r, const struct making *m)
{
    bool primary;

    if (read_word(r, "CONSTRAINT"))
        read_name(r);
    if (read_words(r, "FOREIGN KEY")) {
        r->at = read_behind_parens(r, r->at);
        read_need(r, "REFERENCES");
        skip_reference(r);
        return true;
    }
    primary = read_words(r, "PRIMARY KEY");
    if (!primary && !read_word(r, "UNIQUE"))
        return false;
    read_need_op(r, '(');
    do {
        read_after(
            r, read_text(r, "UPDATE _columns SET %s = true WHERE %s AND name = %s",
                   primary ? "primary_key" : "unique_key",
                   read_object_where(r, &m->object, "table_name"), read_mangled(r, read_name(r))));
    } while (read_op(r, ','));
    read_need_op(r, ')');
    return true;
}

static const char *
read_columns(struct reader *r, const struct making *m)
{
    const char *list = "", *comma = "";

    do {
        if (read_is(r, "CONSTRAINT") || read_is(r, "PRIMARY") || read_is(r, "UNIQUE") ||
            read_is(r, "FOREIGN")) {
            if (!read_constraint(r, m))
                read_syntax(r);
            continue;
        }
        struct column c = { .name = read_name(r) };
        struct sql_type t = read_type(r);
        const char *options = read_column_options(r, &c, &t);
        list = read_text(r, "%s%s%s %s%s", list, comma, read_ident(r, c.name), t.duck, options);
        note_column(r, m, &c);
        comma = ", ";
    } while (read_op(r, ','));
    return list;
}

static const char *
read_table_options(struct reader *r)
{
    const char *comment = NULL;

    for (;;) {
        if (read_word(r, "COMMENT")) {
            read_op(r, '=');
            comment = read_string(r);
        } else if (read_words(r, "CLUSTER BY")) {
            r->at = read_behind_parens(r, r->at);
        } else if (read_word(r, "DATA_RETENTION_TIME_IN_DAYS") || read_word(r, "CHANGE_TRACKING")) {
            read_need_op(r, '=');
            r->at++;
        } else {
            return comment;
        }
    }
}

static void
create_table(struct reader *r, struct making *m)
{
    const char *head, *comment, *name;

    read_after(r, m->if_not_exists ? "SELECT 1"
                                   : read_text(r, "DELETE FROM _columns WHERE %s",
                                         read_object_where(r, &m->object, "table_name")));
    head = read_text(r, "CREATE %sTABLE %s%s", m->replace ? "OR REPLACE " : "",
        m->if_not_exists ? "IF NOT EXISTS " : "", read_object_sql(r, &m->object));
    name = m->object.name;
    if (read_op(r, '(')) {
        head = read_text(r, "%s (%s)", head, read_columns(r, m));
        read_need_op(r, ')');
        comment = read_table_options(r);
        if (read_is(r, "AS"))
            read_unsupported(r, "CREATE TABLE with columns AS SELECT");
    } else {
        comment = read_table_options(r);
        if (read_is(r, "LIKE") || read_is(r, "CLONE"))
            read_unsupported(r, "CREATE TABLE LIKE or CLONE");
        read_need(r, "AS");
        r->plan->needs_warehouse = true;
        r->definition = true;
        head = read_text(r, "%s AS %s", head, read_query(r));
    }
    note_object(r, m, "TABLE", comment, NULL);
    status(r, head, read_text(r, "Table %s successfully created.", name));
}

static void
create_view(struct reader *r, struct making *m)
{
    const char *columns = "", *comma = "", *comment = NULL;

    if (read_op(r, '(')) {
        do {
            columns = read_text(r, "%s%s%s", columns, comma, read_ident(r, read_name(r)));
            if (read_word(r, "COMMENT"))
                read_string(r);
            comma = ", ";
        } while (read_op(r, ','));
        read_need_op(r, ')');
        columns = read_text(r, "(%s)", columns);
    }
    if (read_word(r, "COMMENT")) {
        read_need_op(r, '=');
        comment = read_string(r);
    }
    read_need(r, "AS");
    r->definition = true;
    const char *query = read_query(r);
    note_object(r, m, "VIEW", comment, whole_text(r));
    status(r,
        read_text(r, "CREATE %sVIEW %s%s%s AS %s", m->replace ? "OR REPLACE " : "",
            m->if_not_exists ? "IF NOT EXISTS " : "", read_object_sql(r, &m->object), columns,
            query),
        read_text(r, "View %s successfully created.", m->object.name));
}

static void
create_schema(struct reader *r, struct making *m)
{
    m->object = read_schema_name(r);
    const char *comment = read_table_options(r);

    if (m->replace)
        read_unsupported(r, "CREATE OR REPLACE SCHEMA");
    read_check_scope(r, &(struct object){ m->object.database, NULL, NULL });
    note_object(r, m, "SCHEMA", comment, NULL);
    status(r,
        read_text(r, "CREATE SCHEMA %s%s", m->if_not_exists ? "IF NOT EXISTS " : "",
            read_object_sql(r, &m->object)),
        read_text(r, "Schema %s successfully created.", m->object.schema));
}

static void
create_database(struct reader *r, struct making *m)
{
    m->object.database = read_name(r);
    const char *comment = read_table_options(r), *name = read_ident(r, m->object.database);

    if (m->replace)
        read_unsupported(r, "CREATE OR REPLACE DATABASE");
    note_object(r, m, "DATABASE", comment, NULL);
    read_after(r, read_text(r, "CREATE SCHEMA IF NOT EXISTS %s.\"PUBLIC\"", name));
    status(r,
        read_text(r, "ATTACH %s':memory:' AS %s", m->if_not_exists ? "IF NOT EXISTS " : "", name),
        read_text(r, "Database %s successfully created.", m->object.database));
}

void
read_create(struct reader *r)
{
    struct making m = { 0 };

    read_need(r, "CREATE");
    m.replace = read_words(r, "OR REPLACE");
    if (read_is(r, "TEMPORARY") || read_is(r, "TEMP") || read_is(r, "VOLATILE"))
        read_unsupported(r, "temporary objects outside of a session");
    read_word(r, "TRANSIENT");
    read_word(r, "SECURE");
    const struct sql_token *kind = read_peek(r, 0);
    if (kind->kind != SQL_NAME)
        read_syntax(r);
    r->at++;
    m.if_not_exists = read_words(r, "IF NOT EXISTS");
    if (sql_token_is(kind, "TABLE") || sql_token_is(kind, "VIEW")) {
        m.object = read_object(r);
        read_check_scope(r, &m.object);
        if (sql_token_is(kind, "TABLE"))
            create_table(r, &m);
        else
            create_view(r, &m);
    } else if (sql_token_is(kind, "SCHEMA")) {
        create_schema(r, &m);
    } else if (sql_token_is(kind, "DATABASE")) {
        create_database(r, &m);
    } else {
        read_unsupported(r, read_text(r, "CREATE %s", read_upper(r, kind->raw)));
    }
}

void
read_drop(struct reader *r)
{
    struct object o = { 0 };
    const char *kind, *shown;
    bool if_exists;

    read_need(r, "DROP");
    kind = read_upper(r, read_peek(r, 0)->raw);
    if (!read_word(r, "TABLE") && !read_word(r, "VIEW") && !read_word(r, "SCHEMA") &&
        !read_word(r, "DATABASE"))
        read_unsupported(r, read_text(r, "DROP %s", kind));
    if_exists = read_words(r, "IF EXISTS");
    const char *maybe = if_exists ? "IF EXISTS " : "";
    if (*kind == 'D') {
        o.database = read_name(r);
        shown = o.database;
        r->plan->sql = read_text(r, "DETACH DATABASE %s%s", maybe, read_ident(r, o.database));
    } else if (*kind == 'S') {
        o = read_schema_name(r);
        shown = o.schema;
        r->plan->sql = read_text(r, "DROP SCHEMA %s%s CASCADE", maybe, read_object_sql(r, &o));
    } else {
        o = read_object(r);
        shown = o.name;
        r->plan->sql = read_text(r, "DROP %s %s%s", kind, maybe, read_object_sql(r, &o));
        read_note_table(r, &o);
    }
    if (!read_word(r, "CASCADE"))
        read_word(r, "RESTRICT");
    if (*kind == 'D' || *kind == 'S') {
        if (!if_exists)
            read_check_scope(r, &o);
    }
    read_after(r, read_text(r, "DELETE FROM _objects WHERE %s", read_object_where(r, &o, "name")));
    read_after(
        r, read_text(r, "DELETE FROM _columns WHERE %s", read_object_where(r, &o, "table_name")));
    status(r, r->plan->sql, read_text(r, "%s successfully dropped.", shown));
}

static void
alter_rename(struct reader *r, const struct object *o, const char *head)
{
    struct object to = read_object(r);

    if (strcmp(to.database, o->database) != 0 || strcmp(to.schema, o->schema) != 0)
        read_unsupported(r, "renaming into another schema");
    read_after(r, read_text(r, "UPDATE _objects SET name = %s WHERE %s", read_mangled(r, to.name),
                      read_object_where(r, o, "name")));
    read_after(r, read_text(r, "UPDATE _columns SET table_name = %s WHERE %s",
                      read_mangled(r, to.name), read_object_where(r, o, "table_name")));
    status(r, read_text(r, "%s RENAME TO %s", head, read_ident(r, to.name)),
        "Statement executed successfully.");
}

void
read_alter(struct reader *r)
{
    const char *head;

    read_need(r, "ALTER");
    if (!read_word(r, "TABLE"))
        read_unsupported(r, read_text(r, "ALTER %s", read_upper(r, read_peek(r, 0)->raw)));
    struct making m = { .object = read_object(r) };
    const struct object *o = &m.object;
    head = read_text(r, "ALTER TABLE %s", read_object_sql(r, o));
    read_note_table(r, o);
    if (read_words(r, "RENAME TO")) {
        alter_rename(r, o, head);
    } else if (read_words(r, "RENAME COLUMN")) {
        const char *from = read_name(r);
        read_need(r, "TO");
        const char *to = read_name(r);
        read_after(r,
            read_text(r, "UPDATE _columns SET name = %s WHERE %s AND name = %s",
                read_mangled(r, to), read_object_where(r, o, "table_name"), read_mangled(r, from)));
        status(r,
            read_text(r, "%s RENAME COLUMN %s TO %s", head, read_ident(r, from), read_ident(r, to)),
            "Statement executed successfully.");
    } else if (read_word(r, "ADD")) {
        read_word(r, "COLUMN");
        struct column c = { .name = read_name(r) };
        struct sql_type t = read_type(r);
        const char *options = read_column_options(r, &c, &t);
        note_column(r, &m, &c);
        status(r,
            read_text(r, "%s ADD COLUMN %s %s%s", head, read_ident(r, c.name), t.duck, options),
            "Statement executed successfully.");
    } else if (read_word(r, "DROP")) {
        read_word(r, "COLUMN");
        const char *name = read_name(r);
        read_after(r, read_text(r, "DELETE FROM _columns WHERE %s AND name = %s",
                          read_object_where(r, o, "table_name"), read_mangled(r, name)));
        status(r, read_text(r, "%s DROP COLUMN %s", head, read_ident(r, name)),
            "Statement executed successfully.");
    } else {
        read_unsupported(r, "this form of ALTER TABLE");
    }
}

void
read_comment(struct reader *r)
{
    const char *what;

    read_need(r, "COMMENT");
    bool if_exists = read_words(r, "IF EXISTS");
    read_need(r, "ON");
    if (if_exists)
        read_unsupported(r, "COMMENT IF EXISTS");
    what = read_upper(r, read_peek(r, 0)->raw);
    if (!read_word(r, "TABLE") && !read_word(r, "VIEW") && !read_word(r, "COLUMN"))
        read_unsupported(r, read_text(r, "COMMENT ON %s", what));
    const char *name;
    if (*what == 'C') {
        const char *parts[4];
        size_t n = 0;
        do {
            if (n == 4)
                read_syntax(r);
            parts[n++] = read_name(r);
        } while (read_op(r, '.'));
        if (n < 2 || !r->job->database || !r->job->schema)
            read_syntax(r);
        name = read_text(r, "%s.%s.%s.%s", read_ident(r, n > 3 ? parts[0] : r->job->database),
            read_ident(r, n > 2 ? parts[n - 3] : r->job->schema), read_ident(r, parts[n - 2]),
            read_ident(r, parts[n - 1]));
    } else {
        struct object o = read_object(r);
        read_note_table(r, &o);
        name = read_object_sql(r, &o);
    }
    read_need(r, "IS");
    status(r,
        read_text(r, "COMMENT ON %s %s IS %s", what, name, read_quote(r, str_of(read_string(r)))),
        "Statement executed successfully.");
}
