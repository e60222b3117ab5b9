/* fuzz_rows.c - any bytes as an answer of Snowflake: cut at pseudo-random points they must give the
 * same events as in one piece, and every cell must come out as valid JSON. */
#include "sf/rowparse.h"

#include "arena.h"
#include "json_text.h"
#include "must.h"
#include "sf/columns.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
    struct buf events;
    struct arena *arena;
    struct columns columns;
    uint32_t random;
    bool pauses;
};

static uint32_t
next_random(struct run *r)
{
    r->random = r->random * 1664525u + 1013904223u;
    return r->random >> 8;
}

static int
on_members(void *arg, struct str object, bool whole, struct err *e)
{
    struct run *r = arg;
    if (whole)
        buf_put_str(&r->events, object);
    struct str meta = json_member(object, "resultSetMetaData");
    if (json_type_of(meta) != JSON_OBJECT)
        return ROWPARSE_NOT_YET;
    if (columns_read(meta, r->arena, &r->columns, e) != 0)
        return ROWPARSE_REFUSED;
    for (unsigned i = 0; i < r->columns.n; i++)
        buf_put_str(&r->events, r->columns.list[i].type_text);
    return (int)r->columns.n;
}

static enum sf_flow
on_row(void *arg, const struct sf_cell *cells, unsigned n)
{
    struct run *r = arg;
    must(n == r->columns.n);
    for (unsigned i = 0; i < n; i++) {
        size_t before = r->events.len;
        sf_cell_json(&r->columns.list[i], &cells[i], &r->events);
        struct json_fault fault;
        must(r->events.failed ||
             json_check(str_from(buf_str(&r->events), before), 4, 1, &fault) == 0 ||
             fault.kind == JSON_NUL);
        sf_cell_text(&r->columns.list[i], &cells[i], &r->events);
    }
    buf_put_c(&r->events, '\n');
    return r->pauses && next_random(r) % 4 == 0 ? SF_PAUSE : SF_GO;
}

static enum rowparse_step
parse(struct run *r, const uint8_t *data, size_t size, bool cut, struct err *e)
{
    static const struct rowparse_handlers handlers = { on_members, on_row };
    static const struct rowparse_bounds bounds = { 4096, 512, 1024 };
    *r = (struct run){ .random = (uint32_t)size * 2654435761u + 1, .pauses = cut };
    buf_init(&r->events, 1 << 22);
    r->arena = arena_new(1 << 20);
    struct rowparse *p = rowparse_new(&bounds, &handlers, r);
    must(r->arena && p);

    enum rowparse_step step = ROWPARSE_MORE;
    size_t at = 0;
    while (at < size && step == ROWPARSE_MORE) {
        size_t n = cut ? 1 + next_random(r) % 24 : size, used = 0;
        if (n > size - at)
            n = size - at;
        char *piece = malloc(n);
        must(piece);
        memcpy(piece, data + at, n);
        step = rowparse_feed(p, (struct str){ piece, n }, &used, e);
        must(step == ROWPARSE_FAILED || used <= n);
        if (step == ROWPARSE_PAUSED)
            step = ROWPARSE_MORE;
        else
            must(step != ROWPARSE_MORE || used == n);
        at += used;
        free(piece);
    }
    if (step == ROWPARSE_MORE) {
        do
            step = rowparse_end(p, e);
        while (step == ROWPARSE_PAUSED);
    }
    rowparse_free(p);
    return step;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run whole, cut;
    struct err e1 = { "" }, e2 = { "" };
    enum rowparse_step a = parse(&whole, data, size, false, &e1);
    enum rowparse_step b = parse(&cut, data, size, true, &e2);
    must(a == b);
    must(a != ROWPARSE_FAILED || e1.text[0]);
    /* A row may be found too long before its next fault is seen, or after. */
    must(strcmp(e1.text, e2.text) == 0 || strstr(e1.text, "does not fit") ||
         strstr(e2.text, "does not fit"));
    must(str_eq(buf_str(&whole.events), buf_str(&cut.events)));
    buf_fini(&whole.events);
    buf_fini(&cut.events);
    arena_free(whole.arena);
    arena_free(cut.arena);
    return 0;
}
