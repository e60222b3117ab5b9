/* guard_name.c - the guard's reading of names: a.b.c, "a"."b", IDENTIFIER('a.b'), db..t.
 *
 * Runs in the workers.  Must never accept a name whose text is not in the statement itself. */
#include "sql/guard_walk.h"

enum { LITERAL_NAME_BYTES = 2048 };

static bool
add_part(struct guard_name *name, const struct sql_token *t)
{
    if (name->n == GUARD_PARTS_MAX)
        return false;
    long n = sql_decode(t, name->text + name->used, sizeof name->text - name->used);
    if (n < 0)
        return false;
    name->part[name->n++] = (struct str){ name->text + name->used, (size_t)n };
    name->used += (size_t)n;
    return true;
}

/* db..t: the schema between is PUBLIC. */
static bool
add_default_schema(struct guard_name *name)
{
    const struct sql_token t = { .kind = SQL_NAME, .raw = STR("PUBLIC") };

    return add_part(name, &t);
}

/* The names in a literal's value, appended to `name`. */
static bool
add_literal(struct guard_name *name, const struct sql_token *literal)
{
    char text[LITERAL_NAME_BYTES];
    struct sql_lexer l;
    struct sql_token t;
    bool after_dot = true;

    long n = sql_decode(literal, text, sizeof text);
    if (n <= 0)
        return false;
    sql_lex_init(&l, (struct str){ text, (size_t)n });
    while (sql_lex_next(&l, &t)) {
        if (guard_is_name(&t) != after_dot) {
            if (!after_dot || !sql_token_is_op(&t, '.') || name->n == 0 ||
                !add_default_schema(name))
                return false;
            continue;
        }
        if (after_dot ? !add_part(name, &t) : !sql_token_is_op(&t, '.'))
            return false;
        after_dot = !after_dot;
    }
    return t.kind == SQL_END && !after_dot;
}

static bool
names_a_stage(const struct sql_token *literal)
{
    char text[LITERAL_NAME_BYTES];
    long n = sql_decode(literal, text, sizeof text);

    return n > 0 && text[0] == '@';
}

bool
guard_literal_name(struct guard_walk *w, const struct sql_token *literal, struct guard_name *name)
{
    bool text = literal->kind == SQL_STRING || literal->kind == SQL_DOLLAR_STRING;

    if (text && names_a_stage(literal))
        return guard_refuse(w, GUARD_STAGE, literal);
    if (!text || !add_literal(name, literal))
        return guard_refuse(w, GUARD_DYNAMIC_NAME, literal);
    return true;
}

/* IDENTIFIER ( 'name' ) */
static bool
take_identifier(struct guard_walk *w, struct guard_name *name)
{
    const struct guard_token *literal = guard_peek(w, 2);

    if (!guard_is_op(w, 3, ')'))
        return guard_refuse(w, GUARD_DYNAMIC_NAME, &guard_peek(w, 0)->t);
    if (!guard_literal_name(w, &literal->t, name))
        return false;
    for (int i = 0; i < 4; i++)
        guard_next(w);
    return true;
}

/* "IDENTIFIER"('x') as well: nobody needs a function of that name. */
static bool
at_identifier_call(struct guard_walk *w)
{
    const struct guard_token *g = guard_peek(w, 0);

    return guard_is_op(w, 1, '(') &&
           (g->word == WORD_IDENTIFIER ||
               (g->t.kind == SQL_QUOTED_NAME && str_is_nocase(g->t.raw, "\"IDENTIFIER\"")));
}

bool
guard_take_name(struct guard_walk *w, struct guard_name *name)
{
    name->n = 0;
    name->used = 0;
    for (;;) {
        const struct sql_token *t = &guard_peek(w, 0)->t;

        if (at_identifier_call(w)) {
            if (!take_identifier(w, name))
                return false;
        } else if (add_part(name, t)) {
            guard_next(w);
        } else {
            return guard_refuse(w, GUARD_UNCLASSIFIED, t);
        }
        if (!guard_is_op(w, 0, '.'))
            return true;
        if (guard_is_op(w, 1, '.') && guard_is_name(&guard_peek(w, 2)->t)) {
            if (!add_default_schema(name))
                return guard_refuse(w, GUARD_UNCLASSIFIED, &guard_peek(w, 0)->t);
            guard_next(w);
        } else if (!guard_is_name(&guard_peek(w, 1)->t)) {
            return true; /* t.*, t.$1 */
        }
        guard_next(w);
    }
}
