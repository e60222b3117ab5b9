/* guard_walk.h - one pass over a statement's tokens (inside the guard). */
#ifndef SQL_GUARD_WALK_H
#define SQL_GUARD_WALK_H

#include "sql/guard_functions.h"
#include "sql/sql_lex.h"

enum guard_word {
    WORD_NONE, /* any other name, and whatever is no unquoted name */
#define WORD(sym, flags) WORD_##sym,
#include "sql/guard_words.def"
#undef WORD
    WORD__COUNT
};

enum { W_OPERAND = 1, W_VERB = 2, W_RESERVED = 4 };

enum {
    GUARD_LOOKAHEAD = 4,
    GUARD_RING = 8, /* a power of two, and room for the token before */
    GUARD_DEPTH_MAX = 256,
};

struct guard_token {
    struct sql_token t;
    enum guard_word word;
};

/* One open bracket, or the statement itself. */
enum frame_state {
    FRAME_START,       /* nothing yet: a query may begin                      */
    FRAME_AFTER_CTE,   /* WITH x AS (...) so far: a comma or the query        */
    FRAME_AFTER_QUERY, /* a query in parentheses so far: UNION, ORDER BY, ... */
    FRAME_BODY,
};
enum frame_clause { CLAUSE_NONE, CLAUSE_SELECT, CLAUSE_FROM, CLAUSE_LATER };

struct guard_frame {
    char open; /* ( [ { or 0 */
    unsigned char state, clause;
    bool strict : 1;     /* START: only a query may follow                        */
    bool from : 1;       /* opened where a table may stand                        */
    bool table_arg : 1;  /* opened by TABLE(                                      */
    bool query : 1;      /* SELECT or VALUES was seen                             */
    bool want_table : 1; /* the next word names a table, or runs a table function */
    bool values : 1;     /* rows of FROM VALUES (1), (2)                          */
    bool on : 1;         /* behind ON in FROM; behind the key's colon in { }      */
    bool match : 1;      /* MATCH_RECOGNIZE(                                      */
    bool pattern : 1;    /* PATTERN( of the above                                 */
    bool need_from : 1;  /* a FROM FIRST may have been the FROM clause            */
    bool begun : 1;      /* a token was seen                                      */
};

struct guard_walk {
    const struct guard_policy *policy;
    struct guard_verdict *verdict;
    struct sql_lexer lex;
    struct guard_token ring[GUARD_RING];
    unsigned head, filled;
    size_t end; /* of the last token consumed */

    uint64_t hash;
    bool after_literal, pending_comma;

    unsigned depth;
    struct guard_frame frame[GUARD_DEPTH_MAX];
};

void guard_walk_init(
    struct guard_walk *w, const struct guard_policy *p, struct str sql, struct guard_verdict *v);

/* Reads on until the token `k` ahead is in the ring. */
void guard_fill(struct guard_walk *w, unsigned k);

/* The token `k` ahead, 0 being the current one; k < GUARD_LOOKAHEAD. */
static inline const struct guard_token *
guard_peek(struct guard_walk *w, unsigned k)
{
    if (k >= w->filled)
        guard_fill(w, k);
    return &w->ring[(w->head + k) % GUARD_RING];
}

/* The token consumed last; of kind END at the beginning. */
static inline const struct guard_token *
guard_prev(const struct guard_walk *w)
{
    return &w->ring[(w->head + GUARD_RING - 1) % GUARD_RING];
}

/* Consumes the current token. */
void guard_next(struct guard_walk *w);
unsigned guard_word_flags(enum guard_word word);

static inline bool
guard_is_op(struct guard_walk *w, unsigned k, int op)
{
    return sql_token_is_op(&guard_peek(w, k)->t, op);
}

/* Writes the verdict; false, so that `return guard_refuse(...)` reads well. */
bool guard_refuse(struct guard_walk *w, enum guard_rule r, const struct sql_token *at);

static inline bool
guard_refuse_here(struct guard_walk *w, enum guard_rule r)
{
    return guard_refuse(w, r, &guard_peek(w, 0)->t);
}

static inline struct guard_frame *
guard_top(struct guard_walk *w)
{
    return &w->frame[w->depth];
}

static inline bool
guard_is_name(const struct sql_token *t)
{
    return t->kind == SQL_NAME || t->kind == SQL_QUOTED_NAME;
}

/* Oracle's mark of an outer join, a.id = b.id (+), is no call. */
static inline bool
guard_at_outer_join_mark(struct guard_walk *w)
{
    return guard_is_op(w, 0, '(') && guard_is_op(w, 1, '+') && guard_is_op(w, 2, ')');
}

/* Consumes the opening bracket.  NULL: refused. */
struct guard_frame *guard_open(struct guard_walk *w);
/* Consumes the closing bracket.  False, here and below: refused. */
bool guard_close(struct guard_walk *w);
/* SELECT, in this frame. */
bool guard_begin_select(struct guard_walk *w);
/* UNION and its kin, after which a query is due. */
bool guard_take_set_operator(struct guard_walk *w);
/* One token, or a few that belong together, of a query's body. */
bool guard_take_body(struct guard_walk *w);
/* The rest of a statement that begins like a query, up to END or a semicolon. */
bool guard_query(struct guard_walk *w);

/* Consumes a.b.c at the current name, IDENTIFIER('a.b') being as good as a.b.  False: refused. */
bool guard_take_name(struct guard_walk *w, struct guard_name *name);
/* The name that a literal stands for: the argument of IDENTIFIER() or TABLE(). */
bool guard_literal_name(
    struct guard_walk *w, const struct sql_token *literal, struct guard_name *name);

#endif
