/* guard_body.c - what stands inside a query: tables, functions, words that write.
 *
 * Runs in the workers.  It follows the structure just far enough to know where a table and a
 * function stand; it must never skip a token unlooked at. */
#include "sql/guard_walk.h"

/* f(x)(y), 'f'(x), $f(x): calls of something that has no name to check. */
static bool
calls_a_value(const struct guard_walk *w)
{
    const struct sql_token *t = &guard_prev(w)->t;

    switch (t->kind) {
    case SQL_STRING:
    case SQL_DOLLAR_STRING:
    case SQL_NUMBER:
    case SQL_VARIABLE:
    case SQL_POSITION:
    case SQL_BIND:
        return true;
    case SQL_OPERATOR:
        return t->op == ')' || t->op == ']' || t->op == '}';
    default:
        return false;
    }
}

static bool
open_parenthesis(struct guard_walk *w)
{
    struct guard_frame *f = guard_top(w);
    bool pattern = f->pattern;
    bool table = f->want_table;

    f->want_table = false;
    f = guard_open(w);
    if (f == NULL)
        return false;
    f->pattern = pattern;
    f->from = table;
    if (pattern)
        f->state = FRAME_BODY; /* a group of rows, never a subquery */
    return true;
}

/* ---- names and words in the body ---- */

static bool
takes_from_sequence(const struct guard_name *name)
{
    for (unsigned i = 1; i < name->n; i++) {
        if (str_is_nocase(name->part[i], "NEXTVAL"))
            return true;
    }
    return false;
}

/* A name: column, table, alias or function.  What it calls is checked here. */
static bool
take_reference(struct guard_walk *w)
{
    struct guard_frame *f = guard_top(w);
    struct guard_token first = *guard_peek(w, 0);
    bool as_table = f->want_table;
    struct guard_name name;

    f->want_table = false;
    if (!guard_is_op(w, 1, '.') && !guard_is_op(w, 1, '(')) {
        guard_next(w); /* most names: nothing to look up */
        return true;
    }
    if (!as_table && guard_is_op(w, 1, '(') && (guard_word_flags(first.word) & W_OPERAND) != 0) {
        guard_next(w); /* IN (...), AND (...) */
        return true;
    }
    if (!guard_take_name(w, &name))
        return false;
    if (!w->policy->allow_sequences && takes_from_sequence(&name))
        return guard_refuse(w, GUARD_SEQUENCE, &first.t);
    if (!guard_is_op(w, 0, '(') || guard_at_outer_join_mark(w))
        return true;
    enum guard_rule r = guard_function_rule(w->policy, &name, as_table);
    return r == GUARD_OK ? open_parenthesis(w) : guard_refuse(w, r, &first.t);
}

/* TABLE( 'name' | name | f(x) | SELECT ... ) */
static bool
take_table_call(struct guard_walk *w)
{
    guard_top(w)->want_table = false;
    guard_next(w);
    struct guard_frame *f = guard_open(w);
    if (f == NULL)
        return false;
    f->from = true;
    f->table_arg = true;
    return true;
}

/* A verb where it can only be a verb: INSERT INTO, DELETE FROM, (CALL p()). */
static bool
begins_a_write(struct guard_walk *w, enum guard_word word, bool first)
{
    const struct guard_token *next = guard_peek(w, 1);
    unsigned flags = guard_word_flags(word);

    if (!guard_is_name(&next->t) || (guard_word_flags(next->word) & W_OPERAND) != 0)
        return false;
    if ((flags & W_RESERVED) != 0)
        return guard_prev(w)->word != WORD_AS;
    return (flags & W_VERB) != 0 && first && next->word != WORD_FROM && next->word != WORD_SELECT;
}

/* NTH_VALUE(a, 2) FROM FIRST [IGNORE NULLS] OVER (...) */
static bool
at_nth_value_from(struct guard_walk *w)
{
    const struct sql_token *end = &guard_peek(w, 1)->t;
    enum guard_word nulls = guard_peek(w, 2)->word;

    if (!sql_token_is_op(&guard_prev(w)->t, ')') ||
        (!sql_token_is(end, "FIRST") && !sql_token_is(end, "LAST")))
        return false;
    if (nulls == WORD_IGNORE || nulls == WORD_RESPECT)
        return guard_peek(w, 3)->word == WORD_NULLS;
    return sql_token_is(&guard_peek(w, 2)->t, "OVER") && guard_is_op(w, 3, '(');
}

static bool
take_from(struct guard_walk *w)
{
    struct guard_frame *f = guard_top(w);

    if (f->clause == CLAUSE_SELECT && at_nth_value_from(w)) {
        f->need_from = true; /* else this was the FROM clause, with a table named FIRST */
        guard_next(w);
        return true;
    }

    if (guard_prev(w)->word != WORD_DISTINCT && (f->query || f->clause == CLAUSE_FROM)) {
        if (f->clause != CLAUSE_SELECT) /* one FROM to a SELECT */
            return guard_refuse_here(w, GUARD_UNCLASSIFIED);
        f->clause = CLAUSE_FROM;
        f->want_table = true;
        f->on = f->need_from = false;
    }
    guard_next(w);
    return true;
}

static bool
take_inner_frame(struct guard_walk *w, bool match)
{
    guard_next(w);
    struct guard_frame *f = guard_open(w);
    if (f == NULL)
        return false;
    f->state = FRAME_BODY;
    f->match = match;
    f->pattern = !match;
    return true;
}

/* Words that mean something here; *plain: this one is only a name after all. */
static bool
take_word(struct guard_walk *w, bool first, bool *plain)
{
    struct guard_frame *f = guard_top(w);
    enum guard_word word = guard_peek(w, 0)->word;
    bool in_from = f->clause == CLAUSE_FROM;

    *plain = false;
    switch (word) {
    case WORD_SELECT: /* f(input => SELECT ...), and nowhere else in a body */
        if (!f->query && sql_token_is_op(&guard_prev(w)->t, SQL_OP_NAMED))
            return guard_begin_select(w);
        return guard_refuse_here(w, GUARD_UNCLASSIFIED);
    case WORD_INTO:
        return guard_refuse_here(w, GUARD_INTO);
    case WORD_FROM:
        return take_from(w);
    case WORD_FOR:
        if (guard_peek(w, 1)->word == WORD_UPDATE)
            return guard_refuse_here(w, GUARD_FOR_UPDATE);
        break;
    case WORD_TABLE:
        if (guard_is_op(w, 1, '('))
            return take_table_call(w);
        break;
    case WORD_JOIN:
        if (in_from) {
            f->want_table = true;
            f->on = f->values = false;
            guard_next(w);
            return true;
        }
        break;
    case WORD_LATERAL:
        if (f->want_table) {
            guard_next(w);
            return true;
        }
        break;
    case WORD_VALUES:
        if (f->want_table && !guard_is_op(w, 1, '('))
            return guard_refuse_here(w, GUARD_UNCLASSIFIED);
        if (f->want_table) {
            f->want_table = false;
            f->values = true;
            guard_next(w);
            return true;
        }
        break;
    case WORD_ON:
        f->on = f->on || in_from;
        break;
    case WORD_WHERE:
    case WORD_GROUP:
    case WORD_HAVING:
    case WORD_QUALIFY:
    case WORD_ORDER:
    case WORD_CONNECT:
    case WORD_START:
        if (in_from && !f->want_table)
            f->clause = CLAUSE_LATER;
        break;
    case WORD_UNION:
    case WORD_INTERSECT:
    case WORD_EXCEPT:
    case WORD_MINUS:
        if ((f->query || sql_token_is_op(&guard_prev(w)->t, ')')) && guard_prev(w)->word != WORD_AS)
            return guard_take_set_operator(w);
        break;
    case WORD_MATCH_RECOGNIZE:
        if (in_from && !f->want_table && !f->on && guard_is_op(w, 1, '('))
            return take_inner_frame(w, true);
        break;
    case WORD_PATTERN:
        if (f->match && guard_is_op(w, 1, '('))
            return take_inner_frame(w, false);
        break;
    default:
        if (begins_a_write(w, word, first))
            return guard_refuse_here(w, GUARD_WRITE_WORD);
        break;
    }
    *plain = true;
    return true;
}

/* The symbols of a row pattern are free names: nothing that a query could hide behind. */
static bool
may_name_rows(enum guard_word word)
{
    switch (word) {
    case WORD_SELECT:
    case WORD_WITH:
    case WORD_FROM:
    case WORD_TABLE:
    case WORD_INTO:
    case WORD_FOR:
    case WORD_UNION:
    case WORD_INTERSECT:
    case WORD_EXCEPT:
    case WORD_MINUS:
        return false;
    default:
        return (guard_word_flags(word) & W_RESERVED) == 0;
    }
}

static bool
take_name_token(struct guard_walk *w, bool first)
{
    const struct guard_token *g = guard_peek(w, 0);
    bool plain = true;

    if (sql_token_is_op(&guard_peek(w, 1)->t, SQL_OP_NAMED)) { /* f(into => 1) */
        guard_next(w);
        return true;
    }
    if (guard_top(w)->pattern && !may_name_rows(g->word))
        return guard_refuse_here(w, GUARD_UNCLASSIFIED);
    if (g->word != WORD_NONE && !guard_top(w)->pattern && !guard_is_op(w, 1, '.')) {
        if (!take_word(w, first, &plain))
            return false;
        if (!plain)
            return true;
    }
    if (g->t.kind == SQL_QUOTED_NAME && guard_is_op(w, 1, '(') &&
        str_is_nocase(g->t.raw, "\"TABLE\"")) /* nobody needs a function of that name */
        return take_table_call(w);
    return take_reference(w);
}

/* ---- operators and literals ---- */

/* A text where a table is due: TABLE('name'), FROM '@stage/a b'. */
static bool
take_table_literal(struct guard_walk *w)
{
    struct guard_frame *f = guard_top(w);
    const struct guard_token *g = guard_peek(w, 0);
    struct guard_name name = { .n = 0 };
    char first;

    f->want_table = false;
    if (w->policy->allow_stage_reads && sql_decode(&g->t, name.text, sizeof name.text) > 0) {
        first = name.text[0];
        if (first == '@') {
            guard_next(w);
            return true;
        }
    }
    if (!guard_literal_name(w, &g->t, &name))
        return false;
    if (!f->table_arg || !guard_is_op(w, 1, ')'))
        return guard_refuse_here(w, GUARD_DYNAMIC_NAME);
    guard_next(w);
    return true;
}

/* The names of a path, which are keys, whatever they spell.  Nothing can be called through one. */
static bool
take_path(struct guard_walk *w, bool nextval_is_key)
{
    while (guard_is_name(&guard_peek(w, 0)->t)) {
        const struct sql_token *t = &guard_peek(w, 0)->t;
        if (!nextval_is_key &&
            (str_is_nocase(t->raw, "NEXTVAL") || str_is_nocase(t->raw, "\"NEXTVAL\"")))
            return guard_refuse_here(w, GUARD_SEQUENCE);
        guard_next(w);
        if (!guard_is_op(w, 0, '.') || !guard_is_name(&guard_peek(w, 1)->t))
            break;
        guard_next(w);
    }
    if (guard_is_op(w, 0, '(') && guard_is_name(&guard_prev(w)->t) && !guard_at_outer_join_mark(w))
        return guard_refuse_here(w, GUARD_UNCLASSIFIED);
    return true;
}

/* v:a.b.c, where words are keys; {'key': value}, where they are not. */
static bool
take_colon(struct guard_walk *w)
{
    struct guard_frame *f = guard_top(w);
    enum sql_token_kind before = guard_prev(w)->t.kind;
    bool literal = before == SQL_STRING || before == SQL_DOLLAR_STRING || before == SQL_NUMBER;

    guard_next(w);
    if (literal || (f->open == '{' && !f->on)) {
        f->on = f->on || f->open == '{';
        return true;
    }
    return take_path(w, true);
}

/* A dot that is no part of a name: behind a value, as in $1.a or v:a[0].b. */
static bool
take_dot(struct guard_walk *w)
{
    bool path = sql_token_is_op(&guard_prev(w)->t, ']');

    guard_next(w);
    return take_path(w, path || w->policy->allow_sequences);
}

static bool
take_comma(struct guard_walk *w)
{
    struct guard_frame *f = guard_top(w);

    guard_next(w);
    if (f->open == '{')
        f->on = false;
    if (f->clause != CLAUSE_FROM)
        return true;
    f->on = false;
    f->values = f->values && guard_is_op(w, 0, '(');
    f->want_table = !f->values;
    return true;
}

static bool
take_operator(struct guard_walk *w)
{
    struct guard_frame *f = guard_top(w);
    int op = guard_peek(w, 0)->t.op;

    switch (op) {
    case '(':
        if (!f->pattern && calls_a_value(w) && !guard_at_outer_join_mark(w))
            return guard_refuse_here(w, GUARD_UNCLASSIFIED);
        return open_parenthesis(w);
    case '[':
    case '{':
        f = guard_open(w);
        if (f != NULL)
            f->state = FRAME_BODY;
        return f != NULL;
    case ')':
    case ']':
    case '}':
        return guard_close(w);
    case ',':
        return take_comma(w);
    case ':':
        return take_colon(w);
    case '.':
        return take_dot(w);
    case '!':
        return guard_refuse_here(w, GUARD_METHOD);
    case SQL_OP_FLOW:
        return guard_refuse_here(w, GUARD_FLOW);
    case SQL_OP_ARROW:
    case '-':
        if (guard_is_op(w, 1, '>') || guard_is_op(w, 1, SQL_OP_GE)) /* ->> with something in it */
            return guard_refuse_here(w, GUARD_FLOW);
        break;
    case SQL_OP_ASSIGN:
        return guard_refuse_here(w, GUARD_UNCLASSIFIED);
    case '$':
        if (!f->pattern)
            return guard_refuse_here(w, GUARD_UNCLASSIFIED);
        break;
    default:
        break;
    }
    if (f->table_arg && f->want_table)
        return guard_refuse_here(w, GUARD_DYNAMIC_NAME);
    f->want_table = false;
    guard_next(w);
    return true;
}

bool
guard_take_body(struct guard_walk *w)
{
    struct guard_frame *f = guard_top(w);
    const struct guard_token *g = guard_peek(w, 0);
    bool first = !f->begun;

    f->begun = true;
    switch (g->t.kind) {
    case SQL_NAME:
    case SQL_QUOTED_NAME:
        return take_name_token(w, first);
    case SQL_OPERATOR:
        return take_operator(w);
    case SQL_STRING:
    case SQL_DOLLAR_STRING:
        if (f->want_table)
            return take_table_literal(w);
        break;
    case SQL_STAGE:
        if (!w->policy->allow_stage_reads)
            return guard_refuse_here(w, GUARD_STAGE);
        f->want_table = false;
        break;
    default:
        if (f->want_table)
            return guard_refuse_here(w, GUARD_DYNAMIC_NAME);
        break;
    }
    guard_next(w);
    return true;
}
