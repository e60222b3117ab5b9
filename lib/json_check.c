/* json_check.c - the strict JSON checker that every text from outside passes first.  Any process.
 *
 * One pass; memory is allocated only for objects with many keys or with escaped keys.  Keys are
 * compared with each other while an object has few of them and sorted when it has many, so that
 * no choice of keys costs more than n log n. */
#include "json_text.h"

#include "json_scan.h"

#include <stdlib.h>

enum {
    DEEPEST = 1000, /* recursion; cJSON's own limit, too */
    FEW_KEYS = 32,  /* up to here each key is compared with all before it */
    KEYS_ON_STACK = 48
};

struct key {
    uint32_t hash, n;
    size_t at;     /* where its bytes are: in the text, or in `unescaped` */
    size_t offset; /* in the text, for the fault */
    bool escaped;
};

/* The keys of all open objects, innermost last. */
struct keys {
    struct key *k;
    size_t count, cap;
    struct buf unescaped;
    struct key *on_stack; /* where k points until that is full */
};

struct check {
    const char *p;
    size_t n, i;
    unsigned max_depth, dup_depth;
    struct keys keys;
    struct json_fault fault;
};

static bool
fail(struct check *c, enum json_fault_kind kind, size_t offset, const char *message)
{
    c->fault = (struct json_fault){ kind, offset, message };
    return false;
}

static void
skip_blanks(struct check *c)
{
    while (c->i < c->n && json_is_blank(c->p[c->i]))
        c->i++;
}

static bool
check_escape(struct check *c)
{
    size_t at = c->i, left = c->n - at;
    const char *p = c->p + at;
    if (left >= 2 && p[1] != 'u' && p[1] && strchr("\"\\/bfnrt", p[1])) {
        c->i += 2;
        return true;
    }
    int v = left >= 2 && p[1] == 'u' ? json_hex4(p + 2, left - 2) : -1;
    if (v < 0)
        return fail(c, JSON_SYNTAX, at, "bad escape in a string");
    if (v == 0)
        return fail(c, JSON_NUL, at, "NUL character in a string");
    c->i += 6;
    if (v < 0xd800 || v > 0xdfff)
        return true;
    int low =
        v < 0xdc00 && left >= 12 && p[6] == '\\' && p[7] == 'u' ? json_hex4(p + 8, left - 8) : -1;
    if (low < 0xdc00 || low > 0xdfff)
        return fail(c, JSON_UTF8, at, "lone surrogate in a string");
    c->i += 6;
    return true;
}

/* From the opening quote on; *escaped tells whether a backslash occurred. */
static bool
check_string(struct check *c, bool *escaped)
{
    size_t start = c->i++;
    *escaped = false;
    for (;;) {
        c->i += json_plain_run(c->p + c->i, c->n - c->i);
        if (c->i >= c->n)
            return fail(c, JSON_SYNTAX, start, "string without an end");
        unsigned char b = (unsigned char)c->p[c->i];
        if (b == '"') {
            c->i++;
            return true;
        }
        if (b == '\\') {
            *escaped = true;
            if (!check_escape(c))
                return false;
        } else if (b < 0x20) {
            return fail(c, JSON_SYNTAX, c->i, "control character in a string");
        } else {
            size_t len = utf8_char(c->p + c->i, c->n - c->i);
            if (len == 0)
                return fail(c, JSON_UTF8, c->i, "invalid UTF-8");
            c->i += len;
        }
    }
}

static const char *
key_bytes(const struct check *c, const struct key *k)
{
    return (k->escaped ? c->keys.unescaped.p : c->p) + k->at;
}

static bool
key_room(struct keys *s)
{
    if (s->count < s->cap)
        return true;
    size_t cap = s->cap * 2;
    struct key *k = s->k == s->on_stack ? malloc(cap * sizeof *k) : realloc(s->k, cap * sizeof *k);
    if (!k)
        return false;
    if (s->k == s->on_stack)
        memcpy(k, s->on_stack, s->count * sizeof *k);
    s->k = k;
    s->cap = cap;
    return true;
}

/* Notes the key whose raw text is [from, to) for the object whose first key is number `base`. */
static bool
note_key(struct check *c, size_t base, size_t from, size_t to, bool escaped)
{
    struct keys *s = &c->keys;
    struct key k = { .at = from + 1, .offset = from, .escaped = escaped };
    size_t n = to - from - 2;
    if (escaped) {
        k.at = s->unescaped.len;
        json_unescape(&s->unescaped, (struct str){ c->p + from, to - from });
        n = s->unescaped.len - k.at;
    }
    if (s->unescaped.failed || n > UINT32_MAX || !key_room(s))
        return fail(c, JSON_OK, from, "out of memory");
    k.n = (uint32_t)n;
    const char *bytes = key_bytes(c, &k);
    /* Enough to tell most keys apart without touching their bytes. */
    k.hash = k.n * 31u;
    for (size_t i = 0; i < n && i < 16; i++)
        k.hash = (k.hash ^ (unsigned char)bytes[i]) * 0x01000193u;
    if (s->count - base < FEW_KEYS)
        for (size_t i = base; i < s->count; i++) {
            const struct key *o = &s->k[i];
            if (o->hash == k.hash && o->n == k.n && memcmp(key_bytes(c, o), bytes, n) == 0)
                return fail(c, JSON_DUPLICATE, from, "duplicate key");
        }
    s->k[s->count++] = k;
    return true;
}

static int
by_length_and_bytes(const void *a, const void *b, void *arg)
{
    const struct key *x = a, *y = b;
    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    return memcmp(key_bytes(arg, x), key_bytes(arg, y), x->n);
}

/* At an object's end: finds what was left open for an object of many keys, forgets its keys. */
static bool
close_keys(struct check *c, size_t base)
{
    struct keys *s = &c->keys;
    size_t count = s->count - base;
    struct key *k = s->k + base;
    bool good = true;
    if (count > FEW_KEYS) {
        qsort_r(k, count, sizeof *k, by_length_and_bytes, c);
        for (size_t i = 1; i < count && good; i++)
            if (by_length_and_bytes(&k[i - 1], &k[i], c) == 0) {
                size_t a = k[i - 1].offset, b = k[i].offset;
                good = fail(c, JSON_DUPLICATE, a > b ? a : b, "duplicate key");
            }
    }
    size_t unescaped = s->unescaped.len;
    for (size_t i = 0; i < count; i++)
        if (k[i].escaped && k[i].at < unescaped)
            unescaped = k[i].at;
    buf_truncate(&s->unescaped, unescaped);
    s->count = base;
    return good;
}

static bool check_value(struct check *c, unsigned depth);

static bool
check_object(struct check *c, unsigned depth)
{
    bool compare = depth <= c->dup_depth;
    size_t base = c->keys.count;
    c->i++;
    skip_blanks(c);
    if (c->i < c->n && c->p[c->i] == '}') {
        c->i++;
        return true;
    }
    for (;;) {
        size_t from = c->i;
        bool escaped;
        if (from >= c->n || c->p[from] != '"')
            return fail(c, JSON_SYNTAX, from, "expected a key in quotes");
        if (!check_string(c, &escaped))
            return false;
        if (compare && !note_key(c, base, from, c->i, escaped))
            return false;
        skip_blanks(c);
        if (c->i >= c->n || c->p[c->i] != ':')
            return fail(c, JSON_SYNTAX, c->i, "expected a colon");
        c->i++;
        if (!check_value(c, depth))
            return false;
        skip_blanks(c);
        char next = c->i < c->n ? c->p[c->i] : '\0';
        if (next != ',' && next != '}')
            return fail(c, JSON_SYNTAX, c->i, "expected a comma or a closing brace");
        c->i++;
        if (next == '}')
            return !compare || close_keys(c, base);
        skip_blanks(c);
    }
}

static bool
check_array(struct check *c, unsigned depth)
{
    c->i++;
    skip_blanks(c);
    if (c->i < c->n && c->p[c->i] == ']') {
        c->i++;
        return true;
    }
    for (;;) {
        if (!check_value(c, depth))
            return false;
        skip_blanks(c);
        char next = c->i < c->n ? c->p[c->i] : '\0';
        if (next != ',' && next != ']')
            return fail(c, JSON_SYNTAX, c->i, "expected a comma or a closing bracket");
        c->i++;
        if (next == ']')
            return true;
    }
}

static bool
check_word(struct check *c, const char *word, size_t n)
{
    if (c->n - c->i < n || memcmp(c->p + c->i, word, n) != 0)
        return fail(c, JSON_SYNTAX, c->i, "expected a value");
    c->i += n;
    return true;
}

/* depth: how many arrays and objects are open around the value. */
static bool
check_value(struct check *c, unsigned depth)
{
    bool escaped;
    skip_blanks(c);
    if (c->i >= c->n)
        return fail(c, JSON_SYNTAX, c->i, "expected a value");
    switch (c->p[c->i]) {
    case '"':
        return check_string(c, &escaped);
    case '{':
    case '[':
        if (depth >= c->max_depth)
            return fail(c, JSON_DEPTH, c->i, "nested too deeply");
        return c->p[c->i] == '{' ? check_object(c, depth + 1) : check_array(c, depth + 1);
    case 't':
        return check_word(c, "true", 4);
    case 'f':
        return check_word(c, "false", 5);
    case 'n':
        return check_word(c, "null", 4);
    default: {
        size_t len = json_number_length(c->p + c->i, c->n - c->i);
        if (len == 0)
            return fail(c, JSON_SYNTAX, c->i, "expected a value");
        c->i += len;
        return true;
    }
    }
}

int
json_check(struct str text, unsigned max_depth, unsigned dup_depth, struct json_fault *fault)
{
    struct key on_stack[KEYS_ON_STACK]; /* not cleared for each request */
    struct check c = {
        .p = text.p ? text.p : "",
        .n = text.n,
        .max_depth = max_depth < DEEPEST ? max_depth : DEEPEST,
        .dup_depth = dup_depth,
        .keys = { .k = on_stack, .cap = KEYS_ON_STACK, .on_stack = on_stack },
        .fault = { .kind = JSON_OK, .message = "" },
    };
    buf_init(&c.keys.unescaped, text.n);

    bool good = check_value(&c, 0);
    if (good) {
        skip_blanks(&c);
        if (c.i < c.n)
            good = fail(&c, JSON_SYNTAX, c.i, "more text behind the value");
    }
    if (c.keys.k != on_stack)
        free(c.keys.k);
    buf_fini(&c.keys.unescaped);
    if (fault)
        *fault = c.fault;
    return good ? 0 : -1;
}
