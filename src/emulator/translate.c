/* translate.c - the way into the reader: cuts the text into tokens and picks the statement.
 *
 * Engine threads. */
#include "emulator/read.h"

#include "emulator/catalog.h"
#include "must.h"

#define MOST_TOKENS 400000

static const struct {
    const char *word;
    void (*read)(struct reader *r);
} statements[] = {
    { "SHOW", read_show },
    { "DESC", read_describe },
    { "DESCRIBE", read_describe },
    { "CREATE", read_create },
    { "DROP", read_drop },
    { "ALTER", read_alter },
    { "COMMENT", read_comment },
    { "INSERT", read_insert },
    { "UPDATE", read_update },
    { "DELETE", read_delete },
    { "TRUNCATE", read_truncate },
    { "EXPLAIN", read_explain },
    { "CALL", read_system_call },
};

/* What Snowflake knows at the beginning of a statement and we refuse. */
static const char *const known_words[] = { "USE", "SET", "UNSET", "BEGIN", "START", "COMMIT",
    "ROLLBACK", "MERGE", "COPY", "PUT", "GET", "LIST", "LS", "REMOVE", "RM", "GRANT", "REVOKE",
    "UNDROP", "EXECUTE", "DECLARE", "LET" };

static size_t
count_tokens(struct str sql)
{
    struct sql_lexer lexer;
    struct sql_token t;
    size_t n = 1;

    sql_lex_init(&lexer, sql);
    while (sql_lex_next(&lexer, &t) && n < MOST_TOKENS)
        n++;
    return n;
}

static const struct sql_token *
read_tokens(struct reader *r, struct str sql)
{
    size_t n = count_tokens(sql), i = 0;
    struct sql_token *list = n < MOST_TOKENS ? arena_alloc(r->arena, (n + 1) * sizeof *list) : NULL;
    struct sql_lexer lexer;

    if (!list)
        read_no_memory(r);
    sql_lex_init(&lexer, sql);
    while (sql_lex_next(&lexer, &list[i]))
        i++;
    if (list[i].kind == SQL_ERROR) {
        failure_set(r->f, "001003", "42000",
            "SQL compilation error:\nparse error line %u at position %u near '%s'.", list[i].line,
            list[i].column - 1, sql_lex_error_text(list[i].error));
        read_fail(r);
    }
    return list;
}

/* One statement, with any number of empty ones behind it. */
static void
check_statement_count(struct reader *r)
{
    uint64_t count = 1, wanted = r->job->statement_count;
    bool open = false;

    for (size_t i = r->at; r->tokens[i].kind != SQL_END; i++) {
        if (sql_token_is_op(&r->tokens[i], ';')) {
            open = true;
        } else if (open) {
            count++;
            open = false;
        }
    }
    if (wanted != 0 && wanted != count) {
        failure_set(r->f, "000008", "0A000",
            "Actual statement count %llu did not match the desired statement count %llu.",
            (unsigned long long)count, (unsigned long long)wanted);
        read_fail(r);
    }
    if (count > 1)
        read_unsupported(r, "several statements in one request");
}

/* SELECT SYSTEM$CANCEL_QUERY('handle'), or the same behind CALL. */
static bool
read_cancel(struct reader *r)
{
    size_t start = r->at;

    if ((read_word(r, "SELECT") || read_word(r, "CALL")) && read_is_name(r) &&
        sql_token_is_op(read_peek(r, 1), '(')) {
        const char *name = read_name(r);
        if (strcmp(name, "SYSTEM$CANCEL_QUERY") == 0) {
            read_need_op(r, '(');
            r->plan->cancel = read_string(r);
            read_need_op(r, ')');
            r->plan->kind = PLAN_CANCEL;
            r->plan->column =
                read_text(r, "SYSTEM$CANCEL_QUERY('%s')", read_upper(r, str_of(r->plan->cancel)));
            r->plan->status = read_text(r, "query [%s] terminated.", r->plan->cancel);
            return true;
        }
    }
    r->at = start;
    return false;
}

void
read_system_call(struct reader *r)
{
    read_need(r, "CALL");
    if (!read_is_name(r) || !sql_token_is_op(read_peek(r, 1), '(') ||
        !str_starts(str_of(read_upper(r, read_peek(r, 0)->raw)), "SYSTEM$"))
        read_unsupported(r, "CALL");
    const char *name = read_name(r);
    r->at--;
    r->plan->kind = PLAN_ROWS;
    r->plan->sql = read_text(r, "SELECT %s AS %s", read_call(r).sql, read_ident(r, name));
}

/* Compiles what follows and never runs it. */
void
read_explain(struct reader *r)
{
    bool text = false;
    const char *objects = "";

    read_need(r, "EXPLAIN");
    if (read_word(r, "USING")) {
        if (read_word(r, "JSON"))
            read_unsupported(r, "EXPLAIN USING JSON");
        text = read_word(r, "TEXT");
        if (!text)
            read_need(r, "TABULAR");
    }
    if (!read_starts_query(r, 0))
        read_unsupported(r, "EXPLAIN of anything but a query");
    const char *query = read_query(r);
    for (size_t i = 0; i < r->plan->table_count; i++)
        objects = read_text(r, "%s, (%zu, 'TableScan', %s)", objects, i + 2,
            read_quote(r, str_of(r->plan->tables[i].shown)));
    const char *steps = read_text(r,
        "(VALUES (1, 'Result', NULL)%s) AS _s(id, operation, objects) WHERE NOT EXISTS (SELECT 1 "
        "FROM (%s) LIMIT 0)",
        objects, query);
    r->plan->kind = PLAN_ROWS;
    if (text)
        r->plan->sql = read_text(r,
            "SELECT string_agg('1:' || id || '     ->' || operation || coalesce('  ' || objects, "
            "''), chr(10) ORDER BY id) AS content FROM %s",
            steps);
    else
        r->plan->sql = read_text(r,
            "SELECT 1 AS step, id, CASE WHEN id > 1 THEN '[1]' END AS \"parentOperators\", "
            "operation, objects, NULL::VARCHAR AS alias, NULL::VARCHAR AS expressions, "
            "NULL::BIGINT AS \"partitionsTotal\", NULL::BIGINT AS \"partitionsAssigned\", "
            "NULL::BIGINT AS \"bytesAssigned\" FROM %s ORDER BY id",
            steps);
}

static void
read_statement(struct reader *r)
{
    if (read_cancel(r))
        return;
    if (read_starts_query(r, 0)) {
        r->plan->kind = PLAN_ROWS;
        r->plan->sql = read_query(r);
        for (size_t i = 0; i < r->plan->table_count; i++)
            r->plan->needs_warehouse |= r->plan->tables[i].name != NULL;
        return;
    }
    for (size_t i = 0; i < NELEM(statements); i++) {
        if (read_is(r, statements[i].word)) {
            statements[i].read(r);
            return;
        }
    }
    for (size_t i = 0; i < NELEM(known_words); i++)
        if (read_is(r, known_words[i]))
            read_unsupported(r, known_words[i]);
    read_syntax(r);
}

static void
check_warehouse(struct reader *r)
{
    if (!r->plan->needs_warehouse ||
        (r->job->warehouse && catalog_has_warehouse(r->job->warehouse)))
        return;
    failure_set(r->f, "000606", "57P03",
        "No active warehouse selected in the current session.  Select an active warehouse with the "
        "'use warehouse' command.");
    read_fail(r);
}

int
translate(struct arena *a, const struct engine_job *job, const struct sites *known,
    struct plan *plan, struct failure *f)
{
    struct reader *r = arena_alloc(a, sizeof *r);
    jmp_buf out;

    if (!r)
        return failure_set(f, "000603", "XX000", "SQL execution internal error: no memory");
    *r = (struct reader){
        .arena = a, .job = job, .known = known, .plan = plan, .f = f, .out = &out
    };
    if (setjmp(out) != 0)
        return -1;
    r->tokens = read_tokens(r, str_of(job->sql));
    while (read_op(r, ';'))
        ;
    if (read_peek(r, 0)->kind == SQL_END) {
        failure_set(f, "000900", "42601", "SQL compilation error:\nEmpty SQL statement.");
        read_fail(r);
    }
    check_statement_count(r);
    read_statement(r);
    while (read_op(r, ';'))
        ;
    if (read_peek(r, 0)->kind != SQL_END)
        read_syntax(r);
    check_warehouse(r);
    return 0;
}
