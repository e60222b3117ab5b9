/* guard.c - the read-only guard: which statement this is, the verdict, and the tokens to walk over.
 *
 * Runs in the workers, on every statement a caller wrote.  Must never allow what it did not
 * classify, never allocate, and never send the SQL anywhere but into the verdict. */
#include "sql/guard.h"

#include "must.h"
#include "sql/guard_walk.h"

#include <stdio.h>

enum { WORD_SHOWN_BYTES = 40 };

static const struct word_info {
    char text[16];
    unsigned char len, flags;
} words[] = {
    { "", 0, 0 },
#define WORD(sym, flags) { #sym, sizeof #sym - 1, flags },
#include "sql/guard_words.def"
#undef WORD
};

/* The first word of each letter; a letter's words follow each other. */
static const unsigned char first_word[26] = {
    ['A' - 'A'] = WORD_ALL,
    ['B' - 'A'] = WORD_BEGIN,
    ['C' - 'A'] = WORD_CALL,
    ['D' - 'A'] = WORD_DECLARE,
    ['E' - 'A'] = WORD_ELSE,
    ['F' - 'A'] = WORD_FETCH,
    ['G' - 'A'] = WORD_GET,
    ['H' - 'A'] = WORD_HAVING,
    ['I' - 'A'] = WORD_IDENTIFIER,
    ['J' - 'A'] = WORD_JOIN,
    ['L' - 'A'] = WORD_LATERAL,
    ['M' - 'A'] = WORD_MATCH_RECOGNIZE,
    ['N' - 'A'] = WORD_NAME,
    ['O' - 'A'] = WORD_OFFSET,
    ['P' - 'A'] = WORD_PATTERN,
    ['Q' - 'A'] = WORD_QUALIFY,
    ['R' - 'A'] = WORD_RECURSIVE,
    ['S' - 'A'] = WORD_SELECT,
    ['T' - 'A'] = WORD_TABLE,
    ['U' - 'A'] = WORD_UNDROP,
    ['V' - 'A'] = WORD_VALUES,
    ['W' - 'A'] = WORD_WHEN,
};

static const struct {
    const char *name, *text;
} rules[] = {
#define RULE(sym, name, text) { name, text },
#include "sql/guard_rules.def"
#undef RULE
};

const char *
guard_rule_name(enum guard_rule r)
{
    must((size_t)r < NELEM(rules));
    return rules[r].name;
}

const char *
guard_rule_text(enum guard_rule r)
{
    must((size_t)r < NELEM(rules));
    return rules[r].text;
}

unsigned
guard_word_flags(enum guard_word word)
{
    return words[word].flags;
}

static bool
spells(struct str name, const struct word_info *word)
{
    for (size_t i = 1; i < name.n; i++) {
        char c = name.p[i];
        if ((c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c) != word->text[i])
            return false;
    }
    return true;
}

static enum guard_word
find_word(struct str name)
{
    char letter = (char)(name.p[0] & ~0x20);

    if (letter < 'A' || letter > 'Z' || first_word[letter - 'A'] == 0)
        return WORD_NONE;
    for (unsigned i = first_word[letter - 'A']; i < WORD__COUNT && words[i].text[0] == letter;
         i++) {
        if (words[i].len == name.n && spells(name, &words[i]))
            return (enum guard_word)i;
    }
    return WORD_NONE;
}

/* ---- fingerprint: FNV-1a over the tokens, literals and lists of them as one ? ---- */

#define FNV_START 0xCBF29CE484222325u
#define FNV_PRIME 0x100000001B3u

static void
hash_byte(struct guard_walk *w, unsigned char c)
{
    w->hash = (w->hash ^ c) * FNV_PRIME;
}

static void
hash_token(struct guard_walk *w, const struct sql_token *t)
{
    bool literal = t->kind == SQL_STRING || t->kind == SQL_DOLLAR_STRING || t->kind == SQL_NUMBER ||
                   t->kind == SQL_BIND;

    if (literal && w->pending_comma) { /* 1, 2, 3 is as good as 1 */
        w->pending_comma = false;
        w->after_literal = true;
        return;
    }
    if (w->pending_comma)
        hash_byte(w, ',');
    w->pending_comma = w->after_literal && sql_token_is_op(t, ',');
    w->after_literal = literal;
    if (w->pending_comma)
        return;
    hash_byte(w, (unsigned char)(0x80 | (literal ? SQL_STRING : t->kind)));
    if (literal)
        return;
    bool fold = t->kind != SQL_QUOTED_NAME;
    uint64_t h = w->hash;
    for (size_t i = 0; i < t->raw.n; i++) {
        unsigned char c = (unsigned char)t->raw.p[i];
        unsigned char lower = (unsigned char)(c - 'a') < 26;
        h = (h ^ (unsigned char)(c - (fold ? lower << 5 : 0))) * FNV_PRIME;
    }
    w->hash = h;
}

/* ---- tokens ---- */

void
guard_walk_init(
    struct guard_walk *w, const struct guard_policy *p, struct str sql, struct guard_verdict *v)
{
    w->policy = p;
    w->verdict = v;
    sql_lex_init(&w->lex, sql);
    w->head = w->filled = 0;
    w->ring[GUARD_RING - 1] = (struct guard_token){ .word = WORD_NONE };
    w->end = 0;
    w->hash = FNV_START;
    w->after_literal = w->pending_comma = false;
    w->depth = 0;
}

void
guard_fill(struct guard_walk *w, unsigned k)
{
    must(k < GUARD_LOOKAHEAD);
    for (; w->filled <= k; w->filled++) {
        struct guard_token *g = &w->ring[(w->head + w->filled) % GUARD_RING];
        sql_lex_next(&w->lex, &g->t);
        g->word = g->t.kind == SQL_NAME ? find_word(g->t.raw) : WORD_NONE;
    }
}

void
guard_next(struct guard_walk *w)
{
    const struct sql_token *t = &guard_peek(w, 0)->t;

    w->end = t->offset + t->raw.n;
    hash_token(w, t);
    w->head = (w->head + 1) % GUARD_RING;
    w->filled--;
}

/* ---- the verdict ---- */

/* The refused word for the message: cut, without line breaks. */
static void
show_word(char *to, size_t size, struct str word)
{
    size_t n = utf8_cut(word.p, word.n, size - 4);

    for (size_t i = 0; i < n; i++)
        to[i] = (unsigned char)word.p[i] < ' ' || word.p[i] == 0x7F ? ' ' : word.p[i];
    if (!utf8_is_valid(to, n))
        n = 0;
    memcpy(to + n, n < word.n ? "..." : "", n < word.n ? 4 : 1);
}

bool
guard_refuse(struct guard_walk *w, enum guard_rule r, const struct sql_token *at)
{
    struct guard_verdict *v = w->verdict;
    char word[WORD_SHOWN_BYTES];
    char lexical[320];
    const char *text = guard_rule_text(r);

    if (at->kind == SQL_ERROR) {
        r = GUARD_LEXICAL;
        snprintf(lexical, sizeof lexical, "this is %s. Correct the text there.",
            sql_lex_error_text(at->error));
        text = lexical;
    }
    v->allowed = false;
    v->rule = r;
    v->line = at->line;
    v->column = at->column;
    v->fingerprint = 0;
    show_word(word, sizeof word, at->raw);
    if (at->kind == SQL_END)
        snprintf(v->message, sizeof v->message, "Refused (%s) at the end of the statement: %s",
            guard_rule_name(r), text);
    else
        snprintf(v->message, sizeof v->message, "Refused (%s) at line %u, column %u, at `%s`: %s",
            guard_rule_name(r), at->line, at->column, word, text);
    return false;
}

/* SHOW, DESCRIBE, LIST: no expressions, so every token but a chain, a stage or a dynamic name. */
static bool
walk_metadata(struct guard_walk *w, bool stages)
{
    for (;;) {
        const struct guard_token *g = guard_peek(w, 0);
        struct guard_name name;

        if (g->t.kind == SQL_END || sql_token_is_op(&g->t, ';'))
            return true;
        if (g->t.kind == SQL_ERROR)
            return guard_refuse(w, GUARD_LEXICAL, &g->t);
        if (sql_token_is_op(&g->t, SQL_OP_FLOW))
            return guard_refuse(w, GUARD_FLOW, &g->t);
        if (g->t.kind == SQL_STAGE && !stages)
            return guard_refuse(w, GUARD_LIST_FILES, &g->t);
        if (g->word == WORD_IDENTIFIER && guard_is_op(w, 1, '(')) {
            if (!guard_take_name(w, &name))
                return false;
            continue;
        }
        guard_next(w);
    }
}

static bool
walk_list(struct guard_walk *w)
{
    const struct guard_token *g = guard_peek(w, 0);

    if (!w->policy->allow_list_files)
        return guard_refuse(w, GUARD_LIST_FILES, &g->t);
    guard_next(w);
    g = guard_peek(w, 0);
    if (g->t.kind != SQL_STAGE && g->t.kind != SQL_STRING)
        return guard_refuse(w, GUARD_LIST_FILES, &g->t);
    return walk_metadata(w, true);
}

static bool
walk_explain(struct guard_walk *w)
{
    guard_next(w);
    enum guard_word format = guard_peek(w, 1)->word;
    if (guard_peek(w, 0)->word == WORD_USING &&
        (format == WORD_TABULAR || format == WORD_JSON || format == WORD_TEXT)) {
        guard_next(w);
        guard_next(w);
    }
    const struct guard_token *g = guard_peek(w, 0);
    if (g->word != WORD_SELECT && g->word != WORD_WITH && !sql_token_is_op(&g->t, '('))
        return guard_refuse(w, GUARD_NOT_A_READ, &g->t);
    return guard_query(w);
}

static bool
walk_statement(struct guard_walk *w)
{
    const struct guard_token *g = guard_peek(w, 0);

    w->verdict->kind = GUARD_SELECT;
    if (g->t.kind == SQL_END)
        return guard_refuse(w, GUARD_EMPTY, &g->t);
    if (sql_token_is_op(&g->t, '('))
        return guard_query(w);
    switch (g->word) {
    case WORD_SELECT:
    case WORD_WITH:
        return guard_query(w);
    case WORD_SHOW:
        w->verdict->kind = GUARD_SHOW;
        return walk_metadata(w, false);
    case WORD_DESC:
    case WORD_DESCRIBE:
        w->verdict->kind = GUARD_DESCRIBE;
        return walk_metadata(w, false);
    case WORD_EXPLAIN:
        w->verdict->kind = GUARD_EXPLAIN;
        return walk_explain(w);
    case WORD_LIST:
    case WORD_LS:
        w->verdict->kind = GUARD_LIST;
        return walk_list(w);
    default:
        return guard_refuse(w, GUARD_NOT_A_READ, &g->t);
    }
}

/* Behind the statement: semicolons, blanks and comments only. */
static bool
walk_tail(struct guard_walk *w)
{
    for (;; guard_next(w)) {
        const struct guard_token *g = guard_peek(w, 0);
        if (g->t.kind == SQL_END)
            return true;
        if (!sql_token_is_op(&g->t, ';'))
            return guard_refuse(w, GUARD_ONE_STATEMENT, &g->t);
    }
}

void
guard_check(const struct guard_policy *p, struct str sql, struct guard_verdict *v)
{
    struct guard_walk w;

    memset(v, 0, offsetof(struct guard_verdict, message) + 1);
    guard_walk_init(&w, p, sql, v);
    if (!walk_statement(&w))
        return;
    v->statement_bytes = w.end;
    v->fingerprint = w.hash;
    if (!walk_tail(&w))
        return;
    v->allowed = true;
    v->rule = GUARD_OK;
}
