/* rowscan.c - a state machine over the bytes of the row array.
 *
 * Runs in workers, in the callback that receives bytes, for every byte of every result: nothing
 * here allocates per row.  It never looks inside a value and never keeps a whole result: at most
 * one row that was cut by the end of a piece. */
#include "sf/rowscan.h"

#include <ctype.h>
#include <stdlib.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum state {
    OPEN,       /* before the array: '[' or null */
    LITERAL,    /* inside "null" */
    FIRST_ROW,  /* after '[': a row or ']' */
    ROW,        /* after ',': a row */
    AFTER_ROW,  /* ',' or ']' */
    FIRST_CELL, /* after a row's '[': a cell or ']' */
    CELL,       /* after ',': a cell */
    AFTER_CELL, /* ',' or ']' */
    STRING,     /* inside a cell's text */
    ESCAPE,     /* after a backslash */
    HEX,        /* inside \uXXXX */
    CLOSED
};

struct rowscan {
    enum state state;
    unsigned literal_at; /* next letter of "null" */
    bool literal_is_cell;
    unsigned hex_left;
    bool escaped;
    unsigned width, filled;
    struct sf_cell *cells; /* [width]; json.p is set when the row is complete */
    size_t *begin;         /* [width]: where each cell begins, counted from the row's '[' */
    size_t cell_begin;
    size_t max_cell, max_row;
    struct buf carry; /* the part of a cut row that has gone by */
    uint64_t rows;
    bool too_large;
    rowscan_on_row *on_row;
    void *arg;
};

struct rowscan *
rowscan_new(unsigned width, size_t max_cell, size_t max_row, rowscan_on_row *on_row, void *arg)
{
    struct rowscan *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    /* One more, so that a width of 0 allocates too. */
    r->cells = calloc((size_t)width + 1, sizeof *r->cells);
    r->begin = calloc((size_t)width + 1, sizeof *r->begin);
    buf_init(&r->carry, max_row);
    if (!r->cells || !r->begin) {
        rowscan_free(r);
        return NULL;
    }
    r->width = width;
    r->max_cell = max_cell;
    r->max_row = max_row;
    r->on_row = on_row;
    r->arg = arg;
    return r;
}

void
rowscan_free(struct rowscan *r)
{
    if (!r)
        return;
    buf_fini(&r->carry);
    free(r->cells);
    free(r->begin);
    free(r);
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* First byte that ends a plain run: a quote, a backslash or a control character. */
static const char *
plain_end(const char *p, const char *end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i slash = _mm_set1_epi8('\\');
    const __m128i control = _mm_set1_epi8(0x1f);
    while (end - p >= 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i hit = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(x, quote), _mm_cmpeq_epi8(x, slash)),
            _mm_cmpeq_epi8(_mm_min_epu8(x, control), x));
        int mask = _mm_movemask_epi8(hit);
        if (mask)
            return p + __builtin_ctz((unsigned)mask);
        p += 16;
    }
#endif
    while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
        p++;
    return p;
}

static enum rowscan_step
fail_at(const struct rowscan *r, char c, const char *expected, struct err *e)
{
    char got[8] = { '\'', c, '\'' };
    if (!isprint((unsigned char)c)) {
        const char *hex = "0123456789abcdef";
        memcpy(got, "byte ", 5);
        got[5] = hex[(unsigned char)c >> 4];
        got[6] = hex[c & 15];
    }
    err_set(e, "the result is malformed in row %llu, cell %u: %s expected, got %s",
        (unsigned long long)r->rows + 1, r->filled + 1, expected, got);
    return ROWSCAN_FAILED;
}

static enum rowscan_step
fail_cell_size(struct rowscan *r, struct err *e)
{
    r->too_large = true;
    err_set(e, "row %llu, cell %u is longer than %zu bytes (snowflake.max_cell)",
        (unsigned long long)r->rows + 1, r->filled + 1, r->max_cell);
    return ROWSCAN_FAILED;
}

static enum rowscan_step
fail_width(const struct rowscan *r, bool too_many, struct err *e)
{
    err_set(e, "row %llu of the result has %s %u cells, but %u columns were announced",
        (unsigned long long)r->rows + 1, too_many ? "more than" : "only",
        too_many ? r->width : r->filled, r->width);
    return ROWSCAN_FAILED;
}

bool
rowscan_too_large(const struct rowscan *r)
{
    return r->too_large;
}

/* The row's bytes stand at `base`: point the cells there and hand it out. */
static enum sf_flow
emit(struct rowscan *r, const char *base)
{
    for (unsigned i = 0; i < r->width; i++)
        r->cells[i].json.p = base + r->begin[i];
    r->rows++;
    return r->on_row(r->arg, r->cells, r->width);
}

enum rowscan_step
rowscan_feed(struct rowscan *r, struct str bytes, size_t *taken, struct err *e)
{
    const char *p = bytes.p, *end = bytes.p + bytes.n;
    /* Offsets inside the current row: of p it is base_off + (p - base). */
    const char *base = p;
    size_t base_off = r->carry.len;

#define NEED(what) return fail_at(r, *p, what, e)
    while (p < end) {
        switch (r->state) {
        case OPEN:
            if (is_blank(*p)) {
                p++;
            } else if (*p == '[') {
                p++;
                r->state = FIRST_ROW;
            } else if (*p == 'n') {
                p++;
                r->literal_at = 1;
                r->literal_is_cell = false;
                r->state = LITERAL;
            } else {
                NEED("'[' or null");
            }
            break;
        case LITERAL:
            if (*p != "null"[r->literal_at])
                NEED("null");
            p++;
            if (++r->literal_at < 4)
                break;
            if (!r->literal_is_cell) {
                r->state = CLOSED;
                break;
            }
            r->cells[r->filled] = (struct sf_cell){ .null = true };
            r->begin[r->filled++] = base_off + (size_t)(p - base);
            r->state = AFTER_CELL;
            break;
        case FIRST_ROW:
        case ROW:
            if (is_blank(*p)) {
                p++;
            } else if (*p == '[') {
                base = p++;
                base_off = 0;
                r->filled = 0;
                r->state = FIRST_CELL;
            } else if (*p == ']' && r->state == FIRST_ROW) {
                p++;
                r->state = CLOSED;
            } else {
                NEED(r->state == ROW ? "'['" : "'[' or ']'");
            }
            break;
        case AFTER_ROW:
            if (is_blank(*p)) {
                p++;
            } else if (*p == ',') {
                p++;
                r->state = ROW;
            } else if (*p == ']') {
                p++;
                r->state = CLOSED;
            } else {
                NEED("',' or ']'");
            }
            break;
        case FIRST_CELL:
        case CELL:
            if (is_blank(*p)) {
                p++;
                break;
            }
            if (*p == ']' && r->state == FIRST_CELL) {
                r->state = AFTER_CELL; /* an empty row: its width is judged there */
                break;
            }
            if (*p != '"' && *p != 'n')
                NEED("a string or null");
            if (r->filled == r->width)
                return fail_width(r, true, e);
            if (*p++ == 'n') {
                r->literal_at = 1;
                r->literal_is_cell = true;
                r->state = LITERAL;
                break;
            }
        next_string:
            r->cell_begin = base_off + (size_t)(p - base);
            r->escaped = false;
            r->state = STRING;
            /* fallthrough */
        case STRING:
            p = plain_end(p, end);
            if (base_off + (size_t)(p - base) - r->cell_begin > r->max_cell)
                return fail_cell_size(r, e);
            if (p == end)
                break;
            if (*p == '\\') {
                p++;
                r->escaped = true;
                r->state = ESCAPE;
                break;
            }
            if (*p != '"')
                NEED("no control character in a string");
            {
                size_t n = base_off + (size_t)(p - base) - r->cell_begin;
                r->cells[r->filled] = (struct sf_cell){ .json.n = n, .escaped = r->escaped };
                r->begin[r->filled++] = r->cell_begin;
                p++;
                r->state = AFTER_CELL;
                /* `,"` follows nearly always: straight on to the next text. */
                if (end - p >= 2 && p[0] == ',' && p[1] == '"' && r->filled < r->width) {
                    p += 2;
                    goto next_string;
                }
            }
            break;
        case ESCAPE:
            if (*p == 'u') {
                r->hex_left = 4;
                r->state = HEX;
            } else if (*p && strchr("\"\\/bfnrt", *p)) {
                r->state = STRING;
            } else {
                NEED("a valid escape");
            }
            p++;
            break;
        case HEX:
            if (!isxdigit((unsigned char)*p))
                NEED("a hexadecimal digit");
            p++;
            if (--r->hex_left == 0)
                r->state = STRING;
            break;
        case AFTER_CELL:
            if (is_blank(*p)) {
                p++;
            } else if (*p == ',') {
                p++;
                r->state = CELL;
            } else if (*p == ']') {
                p++;
                if (r->filled != r->width)
                    return fail_width(r, false, e);
                if (base_off + (size_t)(p - base) > r->max_row)
                    goto row_size;
                if (r->carry.len > 0) {
                    buf_put(&r->carry, base, (size_t)(p - base));
                    if (r->carry.failed)
                        goto row_size;
                    base = r->carry.p;
                }
                r->state = AFTER_ROW;
                enum sf_flow flow = emit(r, base);
                buf_clear(&r->carry);
                base = p;
                base_off = 0;
                if (flow != SF_GO) {
                    *taken = (size_t)(p - bytes.p);
                    return flow == SF_PAUSE ? ROWSCAN_PAUSED : ROWSCAN_ENOUGH;
                }
            } else {
                NEED("',' or ']'");
            }
            break;
        case CLOSED:
            *taken = (size_t)(p - bytes.p);
            return ROWSCAN_CLOSED;
        }
    }
#undef NEED

    *taken = bytes.n;
    if (r->state == CLOSED)
        return ROWSCAN_CLOSED;
    bool in_row =
        (r->state >= FIRST_CELL && r->state <= HEX) || (r->state == LITERAL && r->literal_is_cell);
    if (!in_row)
        return ROWSCAN_MORE;
    buf_put(&r->carry, base, (size_t)(end - base));
    if (r->carry.failed)
        goto row_size;
    return ROWSCAN_MORE;

row_size:
    r->too_large = true;
    err_set(e, "row %llu of the result does not fit into %zu bytes",
        (unsigned long long)r->rows + 1, r->max_row);
    return ROWSCAN_FAILED;
}
