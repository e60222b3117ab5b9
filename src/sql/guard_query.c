/* guard_query.c - the guard's walk over a query: where one may begin, go on and end.
 *
 * Runs in the workers.  Brackets, WITH, UNION; what stands inside a query is guard_body.c.  Must
 * never let anything but a query stand where one is due. */
#include "sql/guard_walk.h"

/* ---- brackets ---- */

/* Consumes the bracket; NULL: refused. */
struct guard_frame *
guard_open(struct guard_walk *w)
{
    int open = guard_peek(w, 0)->t.op;

    if (w->depth + 1 == GUARD_DEPTH_MAX) {
        guard_refuse_here(w, GUARD_TOO_DEEP);
        return NULL;
    }
    guard_next(w);
    w->depth++;
    *guard_top(w) = (struct guard_frame){ .open = (char)open, .state = FRAME_START };
    return guard_top(w);
}

/* Nothing may end where a query is still due. */
static bool
frame_may_end(struct guard_walk *w)
{
    const struct guard_frame *f = guard_top(w);

    if (f->state == FRAME_AFTER_CTE)
        return guard_refuse_here(w, GUARD_WITH_SELECT);
    if (f->state == FRAME_START && f->strict)
        return guard_refuse_here(w, GUARD_SUBQUERY);
    if (f->need_from)
        return guard_refuse_here(w, GUARD_UNCLASSIFIED);
    return true;
}

bool
guard_close(struct guard_walk *w)
{
    int op = guard_peek(w, 0)->t.op;
    char open = op == ')' ? '(' : op == ']' ? '[' : '{';

    if (w->depth == 0 || guard_top(w)->open != open)
        return guard_refuse_here(w, GUARD_PARENTHESES);
    if (guard_top(w)->table_arg && guard_top(w)->want_table)
        return guard_refuse_here(w, GUARD_DYNAMIC_NAME);
    if (!frame_may_end(w))
        return false;
    w->depth--;
    guard_next(w);
    return true;
}

/* ---- WITH ---- */

/* name (a, b) of a WITH clause, up to AS. */
static bool
take_cte_head(struct guard_walk *w)
{
    if (!guard_is_name(&guard_peek(w, 0)->t))
        return guard_refuse_here(w, GUARD_WITH_SELECT);
    guard_next(w);
    if (!guard_is_op(w, 0, '('))
        return true;
    guard_next(w);
    while (guard_is_name(&guard_peek(w, 0)->t) && guard_is_op(w, 1, ',')) {
        guard_next(w);
        guard_next(w);
    }
    if (guard_is_name(&guard_peek(w, 0)->t))
        guard_next(w);
    if (!guard_is_op(w, 0, ')')) /* none at all is p() AS PROCEDURE: refused at that word */
        return guard_refuse_here(w, GUARD_WITH_SELECT);
    guard_next(w);
    return true;
}

/* AS MODEL db.schema.name [VERSION v] */
static bool
take_model(struct guard_walk *w)
{
    struct guard_name name;

    guard_next(w);
    if (!guard_is_name(&guard_peek(w, 0)->t))
        return guard_refuse_here(w, GUARD_WITH_SELECT);
    if (!guard_take_name(w, &name))
        return false;
    if (guard_peek(w, 0)->word != WORD_VERSION)
        return true;
    guard_next(w);
    if (!guard_is_name(&guard_peek(w, 0)->t))
        return guard_refuse_here(w, GUARD_WITH_SELECT);
    guard_next(w);
    return true;
}

/* One item of a WITH clause, up to and into the parenthesis of its query. */
static bool
take_cte(struct guard_walk *w)
{
    guard_top(w)->state = FRAME_AFTER_CTE;
    if (!take_cte_head(w))
        return false;
    if (guard_peek(w, 0)->word != WORD_AS)
        return guard_refuse_here(w, GUARD_WITH_SELECT);
    guard_next(w);
    if (guard_peek(w, 0)->word == WORD_PROCEDURE)
        return guard_refuse_here(w, GUARD_WITH_PROCEDURE);
    if (guard_peek(w, 0)->word == WORD_MODEL)
        return take_model(w);
    if (!guard_is_op(w, 0, '('))
        return guard_refuse_here(w, GUARD_WITH_SELECT);
    struct guard_frame *f = guard_open(w);
    if (f == NULL)
        return false;
    f->strict = true;
    return true;
}

static bool
take_with(struct guard_walk *w)
{
    guard_next(w);
    if (guard_peek(w, 0)->word == WORD_RECURSIVE && guard_peek(w, 1)->word != WORD_AS &&
        !guard_is_op(w, 1, '('))
        guard_next(w);
    return take_cte(w);
}

/* ---- where a query may begin or go on ---- */

bool
guard_begin_select(struct guard_walk *w)
{
    struct guard_frame *f = guard_top(w);

    f->state = FRAME_BODY;
    f->clause = CLAUSE_SELECT;
    f->query = f->begun = true;
    guard_next(w);
    return true;
}

static bool
begin_parenthesised_query(struct guard_walk *w)
{
    guard_top(w)->state = FRAME_AFTER_QUERY;
    struct guard_frame *f = guard_open(w);
    if (f == NULL)
        return false;
    f->strict = true;
    return true;
}

/* UNION ALL BY NAME and its kin: a query must follow. */
bool
guard_take_set_operator(struct guard_walk *w)
{
    struct guard_frame *f = guard_top(w);

    if (!frame_may_end(w))
        return false;
    guard_next(w);
    if (guard_peek(w, 0)->word == WORD_ALL || guard_peek(w, 0)->word == WORD_DISTINCT)
        guard_next(w);
    if (guard_peek(w, 0)->word == WORD_BY && guard_peek(w, 1)->word == WORD_NAME) {
        guard_next(w);
        guard_next(w);
    }
    f->state = FRAME_START;
    f->clause = CLAUSE_NONE;
    f->strict = true;
    f->want_table = f->values = f->on = false;
    return true;
}

/* *done: the token was dealt with here; else it belongs to the body. */
static bool
at_start(struct guard_walk *w, bool *done)
{
    struct guard_frame *f = guard_top(w);
    const struct guard_token *g = guard_peek(w, 0);

    *done = true;
    if (g->word == WORD_SELECT)
        return guard_begin_select(w);
    if (g->word == WORD_WITH)
        return take_with(w);
    if (g->word == WORD_VALUES) {
        f->state = FRAME_BODY;
        f->clause = CLAUSE_LATER;
        f->query = true;
        guard_next(w);
        return true;
    }
    if (f->strict)
        return sql_token_is_op(&g->t, '(') ? begin_parenthesised_query(w)
                                           : guard_refuse_here(w, GUARD_SUBQUERY);
    f->state = FRAME_BODY;
    f->clause = f->from ? CLAUSE_FROM : CLAUSE_NONE;
    f->want_table = f->from;
    *done = false;
    return true;
}

static bool
at_after_cte(struct guard_walk *w)
{
    const struct guard_token *g = guard_peek(w, 0);

    if (sql_token_is_op(&g->t, ',')) {
        guard_next(w);
        return take_cte(w);
    }
    if (g->word == WORD_SELECT)
        return guard_begin_select(w);
    if (sql_token_is_op(&g->t, '('))
        return begin_parenthesised_query(w);
    return guard_refuse_here(w, GUARD_WITH_SELECT);
}

static bool
at_after_query(struct guard_walk *w)
{
    const struct guard_token *g = guard_peek(w, 0);

    switch (g->word) {
    case WORD_UNION:
    case WORD_INTERSECT:
    case WORD_EXCEPT:
    case WORD_MINUS:
        return guard_take_set_operator(w);
    case WORD_ORDER:
    case WORD_LIMIT:
    case WORD_OFFSET:
    case WORD_FETCH:
        guard_top(w)->state = FRAME_BODY;
        guard_top(w)->clause = CLAUSE_LATER;
        guard_top(w)->query = true;
        guard_next(w);
        return true;
    case WORD_INTO:
        return guard_refuse_here(w, GUARD_INTO);
    case WORD_FOR:
        return guard_refuse_here(w, GUARD_FOR_UPDATE);
    default:
        break;
    }
    if (sql_token_is_op(&g->t, ')'))
        return guard_close(w);
    return guard_refuse_here(
        w, sql_token_is_op(&g->t, SQL_OP_FLOW) ? GUARD_FLOW : GUARD_UNCLASSIFIED);
}

static bool
take_token(struct guard_walk *w)
{
    bool done = true;

    switch ((enum frame_state)guard_top(w)->state) {
    case FRAME_START:
        if (!at_start(w, &done))
            return false;
        return done || guard_take_body(w);
    case FRAME_AFTER_CTE:
        return at_after_cte(w);
    case FRAME_AFTER_QUERY:
        return at_after_query(w);
    case FRAME_BODY:
        break;
    }
    return guard_take_body(w);
}

bool
guard_query(struct guard_walk *w)
{
    w->depth = 0;
    *guard_top(w) = (struct guard_frame){ .state = FRAME_START, .strict = true };
    for (;;) {
        const struct sql_token *t = &guard_peek(w, 0)->t;

        if (t->kind == SQL_END || sql_token_is_op(t, ';'))
            break;
        if (t->kind == SQL_ERROR)
            return guard_refuse(w, GUARD_LEXICAL, t);
        if (!take_token(w))
            return false;
    }
    if (w->depth > 0)
        return guard_refuse_here(w, GUARD_PARENTHESES);
    return frame_may_end(w);
}
