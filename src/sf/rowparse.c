/* rowparse.c - the outer object of an answer, with its rows taken out in passing.
 *
 * Runs in workers, in the callback that receives bytes.  It never builds a tree and never holds
 * more than the bounds it was given; what it hands out as members has passed json_check(). */
#include "sf/rowparse.h"

#include "json_text.h"

#include <ctype.h>
#include <stdlib.h>

enum { MEMBERS_DEPTH = 32 };

enum state {
    OPEN,      /* before '{' */
    FIRST_KEY, /* after '{': a key or '}' */
    KEY,       /* after ',': a key */
    IN_KEY,
    COLON,
    VALUE,        /* before a value */
    IN_VALUE,     /* inside a member that is kept */
    IN_DATA,      /* rows, going to the scanner */
    IN_DATA_KEPT, /* rows that wait for their description */
    AFTER_VALUE,  /* ',' or '}' */
    CLOSED
};

struct rowparse {
    enum state state;
    struct rowparse_bounds bounds;
    struct rowparse_handlers handlers;
    void *arg;
    struct buf members, kept;
    size_t key_at; /* where the current key begins in members */
    bool had_data, ended, too_large;
    /* where we are inside a kept value */
    unsigned depth;
    bool in_string, escape;
    bool kept_open; /* kept rows are being replayed */
    size_t kept_at;
    struct rowscan *rows;
};

struct rowparse *
rowparse_new(const struct rowparse_bounds *b, const struct rowparse_handlers *h, void *arg)
{
    struct rowparse *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->bounds = *b;
    r->handlers = *h;
    r->arg = arg;
    buf_init(&r->members, b->members);
    buf_init(&r->kept, b->members);
    return r;
}

void
rowparse_free(struct rowparse *r)
{
    if (!r)
        return;
    rowscan_free(r->rows);
    buf_fini(&r->members);
    buf_fini(&r->kept);
    free(r);
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

bool
rowparse_too_large(const struct rowparse *r)
{
    return r->too_large || (r->rows && rowscan_too_large(r->rows));
}

static enum rowparse_step
fail_at(char c, const char *expected, struct err *e)
{
    if (isprint((unsigned char)c))
        err_set(e, "the answer is not the JSON it should be: %s expected, got '%c'", expected, c);
    else
        err_set(e, "the answer is not the JSON it should be: %s expected, got byte %02x", expected,
            (unsigned char)c);
    return ROWPARSE_FAILED;
}

static enum rowparse_step
fail_size(struct rowparse *r, struct err *e)
{
    r->too_large = true;
    err_set(e, "the description of the result is longer than %zu bytes (snowflake.max_metadata)",
        r->bounds.members);
    return ROWPARSE_FAILED;
}

/* Shows the members to the handler; returns its answer. */
static int
show_members(struct rowparse *r, bool whole, struct err *e)
{
    size_t len = r->members.len;
    if (!whole)
        buf_put_c(&r->members, '}');
    if (r->members.failed) {
        fail_size(r, e);
        return ROWPARSE_REFUSED;
    }
    struct json_fault fault;
    struct str text = buf_str(&r->members);
    if (json_check(text, MEMBERS_DEPTH, 1, &fault) != 0) {
        err_set(e, "the answer is not the JSON it should be: %s", fault.message);
        return ROWPARSE_REFUSED;
    }
    int width = r->handlers.on_members(r->arg, text, whole, e);
    buf_truncate(&r->members, len);
    return width;
}

static int
start_rows(struct rowparse *r, int width, struct err *e)
{
    r->rows =
        rowscan_new((unsigned)width, r->bounds.cell, r->bounds.row, r->handlers.on_row, r->arg);
    return r->rows ? 0 : err_set(e, "out of memory");
}

/* Follows brackets and strings inside a value; true when the byte ends or follows it. */
static bool
value_ends(struct rowparse *r, char c, bool *byte_belongs)
{
    *byte_belongs = true;
    if (r->in_string) {
        if (r->escape)
            r->escape = false;
        else if (c == '\\')
            r->escape = true;
        else if (c == '"')
            r->in_string = false;
        return false;
    }
    switch (c) {
    case '"':
        r->in_string = true;
        return false;
    case '{':
    case '[':
        r->depth++;
        return false;
    case '}':
    case ']':
        if (r->depth > 0) {
            r->depth--;
            return false;
        }
        *byte_belongs = false;
        return true;
    case ',':
        if (r->depth > 0)
            return false;
        *byte_belongs = false;
        return true;
    }
    return false;
}

/* At the first byte of the value whose key has just gone by. */
static enum rowparse_step
begin_value(struct rowparse *r, struct err *e)
{
    r->depth = 0;
    r->in_string = r->escape = false;
    struct str key = str_from(buf_str(&r->members), r->key_at);
    if (!str_starts(key, "\"data\"")) {
        r->state = IN_VALUE;
        return ROWPARSE_MORE;
    }
    if (r->had_data) {
        err_set(e, "the answer has two members named data");
        return ROWPARSE_FAILED;
    }
    r->had_data = true;
    buf_put_z(&r->members, "null");
    int width = show_members(r, false, e);
    if (width == ROWPARSE_REFUSED)
        return ROWPARSE_FAILED;
    if (width == ROWPARSE_NOT_YET) {
        r->state = IN_DATA_KEPT;
        return ROWPARSE_MORE;
    }
    if (start_rows(r, width, e) != 0)
        return ROWPARSE_FAILED;
    r->state = IN_DATA;
    return ROWPARSE_MORE;
}

/* Copies a value up to the byte after it into `to`.  Returns how many bytes were taken. */
static size_t
keep_value(struct rowparse *r, struct buf *to, const char *p, const char *end)
{
    const char *from = p;
    for (; p < end; p++) {
        bool belongs;
        if (value_ends(r, *p, &belongs)) {
            r->state = AFTER_VALUE;
            break;
        }
    }
    buf_put(to, from, (size_t)(p - from));
    return (size_t)(p - from);
}

static enum rowparse_step
feed_rows(struct rowparse *r, struct str bytes, size_t *taken, struct err *e)
{
    switch (rowscan_feed(r->rows, bytes, taken, e)) {
    case ROWSCAN_MORE:
        return ROWPARSE_MORE;
    case ROWSCAN_PAUSED:
        return ROWPARSE_PAUSED;
    case ROWSCAN_ENOUGH:
        return ROWPARSE_ENOUGH;
    case ROWSCAN_CLOSED:
        r->state = AFTER_VALUE;
        return ROWPARSE_MORE;
    case ROWSCAN_FAILED:
        break;
    }
    return ROWPARSE_FAILED;
}

enum rowparse_step
rowparse_feed(struct rowparse *r, struct str bytes, size_t *taken, struct err *e)
{
    const char *p = bytes.p, *end = bytes.p + bytes.n;
    while (p < end) {
        char c = *p;
        bool blank = is_blank(c);
        switch (r->state) {
        case OPEN:
            p++;
            if (blank)
                break;
            if (c != '{')
                return fail_at(c, "'{'", e);
            buf_put_c(&r->members, c);
            r->state = FIRST_KEY;
            break;
        case FIRST_KEY:
        case KEY:
            p++;
            if (blank)
                break;
            if (c == '}' && r->state == FIRST_KEY) {
                buf_put_c(&r->members, c);
                r->state = CLOSED;
                break;
            }
            if (c != '"')
                return fail_at(c, "a member's name", e);
            r->key_at = r->members.len;
            r->escape = false;
            buf_put_c(&r->members, c);
            r->state = IN_KEY;
            break;
        case IN_KEY:
            p++;
            buf_put_c(&r->members, c);
            if (r->escape)
                r->escape = false;
            else if (c == '\\')
                r->escape = true;
            else if (c == '"')
                r->state = COLON;
            break;
        case COLON:
            p++;
            if (blank)
                break;
            if (c != ':')
                return fail_at(c, "':'", e);
            buf_put_c(&r->members, c);
            r->state = VALUE;
            break;
        case VALUE:
            if (blank) {
                p++;
                break;
            }
            if (begin_value(r, e) == ROWPARSE_FAILED)
                return ROWPARSE_FAILED;
            break;
        case IN_VALUE:
            p += keep_value(r, &r->members, p, end);
            break;
        case IN_DATA_KEPT:
            p += keep_value(r, &r->kept, p, end);
            if (r->kept.failed)
                return fail_size(r, e);
            break;
        case IN_DATA: {
            size_t n = 0;
            enum rowparse_step step = feed_rows(r, (struct str){ p, (size_t)(end - p) }, &n, e);
            p += n;
            if (step != ROWPARSE_MORE) {
                *taken = (size_t)(p - bytes.p);
                return step;
            }
            break;
        }
        case AFTER_VALUE:
            p++;
            if (blank)
                break;
            if (c != ',' && c != '}')
                return fail_at(c, "',' or '}'", e);
            buf_put_c(&r->members, c);
            r->state = c == ',' ? KEY : CLOSED;
            break;
        case CLOSED:
            p++;
            if (!blank)
                return fail_at(c, "nothing after the end", e);
            break;
        }
        if (r->members.failed)
            return fail_size(r, e);
    }
    *taken = bytes.n;
    return ROWPARSE_MORE;
}

/* Hands out rows that came before their description. */
static enum rowparse_step
replay_kept(struct rowparse *r, struct err *e)
{
    size_t n = 0;
    enum rowparse_step step = feed_rows(r, str_from(buf_str(&r->kept), r->kept_at), &n, e);
    r->kept_at += n;
    if (step != ROWPARSE_MORE)
        return step;
    while (r->kept_at < r->kept.len && is_blank(r->kept.p[r->kept_at]))
        r->kept_at++;
    if (r->state != AFTER_VALUE || r->kept_at < r->kept.len) {
        err_set(e, "the rows of the answer are malformed");
        return ROWPARSE_FAILED;
    }
    r->kept_open = false;
    return ROWPARSE_MORE;
}

enum rowparse_step
rowparse_end(struct rowparse *r, struct err *e)
{
    if (!r->ended) {
        if (r->state != CLOSED) {
            err_set(e, "the answer ended in the middle%s",
                r->state == IN_DATA || r->state == IN_DATA_KEPT ? " of its rows" : "");
            return ROWPARSE_FAILED;
        }
        r->ended = true;
        int width = show_members(r, true, e);
        if (width == ROWPARSE_REFUSED)
            return ROWPARSE_FAILED;
        if (r->had_data && !r->rows) {
            if (width == ROWPARSE_NOT_YET) {
                err_set(e, "the answer has rows, but does not describe their columns");
                return ROWPARSE_FAILED;
            }
            if (start_rows(r, width, e) != 0)
                return ROWPARSE_FAILED;
            r->state = IN_DATA;
            r->kept_open = true;
        }
    }
    return r->kept_open ? replay_kept(r, e) : ROWPARSE_MORE;
}
