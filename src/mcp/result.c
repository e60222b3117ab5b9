/* result.c - rows in, bytes of a JSON-RPC reply out: columns and rows.
 *
 * Workers; the hot path of the server.  Rows go straight into the output, never into a tree.  The
 * output belongs to the caller, who takes bytes away between calls: no pointer into it is kept.
 *
 * Newer revisions get structuredContent first, while the text table is collected up to its bound
 * and written behind it.  Older ones get the table alone, as a JSON string that grows. */
#include "mcp/result_text.h"
#include "mcp/result_writer.h"

#include "clock.h"
#include "mcp/reply.h"
#include "mcp/revision.h"
#include "must.h"

#include <stdlib.h>

struct result_writer *
result_new(
    struct mcp_request *r, const struct tool_plan *plan, const struct config *c, struct buf *out)
{
    struct result_writer *w = calloc(1, sizeof *w);

    if (!w)
        return NULL;
    w->r = r;
    w->plan = plan;
    w->config = c;
    w->out = out;
    w->start = out->len;
    w->structured = revision_has(r->revision, MCP_FIELD_STRUCTURED_CONTENT);
    w->begun_ns = clock_ns();
    /* A row is cut off before it is much longer than what is left of these bounds. */
    size_t cell = 4 * c->query_max_cell + 4096;
    buf_init(&w->text, (w->structured ? c->query_max_text : c->query_max_bytes) + cell + 65536);
    buf_init(&w->value, c->sf_max_cell + 4096);
    buf_init(&w->definition, cell);
    return w;
}

void
result_free(struct result_writer *w)
{
    if (!w)
        return;
    buf_fini(&w->text);
    buf_fini(&w->value);
    buf_fini(&w->definition);
    free(w);
}

size_t
result_room(const struct config *c)
{
    return c->query_max_bytes + 7 * (c->query_max_cell + c->query_max_text) +
           7 * c->sf_max_metadata + 256 * 1024;
}

void
result_drained(struct result_writer *w)
{
    w->drained = true;
}

uint64_t
result_rows(const struct result_writer *w)
{
    return w->rows;
}

uint64_t
result_row_bytes(const struct result_writer *w)
{
    return w->row_bytes;
}

void
result_begin(struct result_writer *w, unsigned statement)
{
    must(statement < w->plan->n_statements);
    w->statement = statement;
}

/* ---- columns ----------------------------------------------------------------------------------
 */

/* Columns of plan->keep that the answer really has, in the plan's order. */
static bool
project(struct result_writer *w)
{
    const char *const *keep = w->plan->keep;

    w->n_shown = w->n_columns;
    if (!keep || !(w->map = arena_alloc(w->r->arena, w->n_columns * sizeof *w->map + 1)))
        return !keep;
    unsigned n = 0;
    for (unsigned k = 0; keep[k] && n < w->n_columns; k++)
        for (unsigned i = 0; i < w->n_columns; i++)
            if (str_is_nocase(w->columns[i].name, keep[k])) {
                if (w->plan->rename)
                    w->columns[i].name = str_of(w->plan->rename[k]);
                w->map[n++] = i;
                break;
            }
    if (n == 0) /* an answer unlike any that is known: show what there is */
        w->map = NULL;
    else
        w->n_shown = n;
    return true;
}

static bool
remember_columns(struct result_writer *w, const struct sf_column *cols, unsigned n)
{
    w->columns = arena_alloc(w->r->arena, n * sizeof *cols + 1);
    if (!w->columns)
        return false;
    for (unsigned i = 0; i < n; i++) {
        w->columns[i] = cols[i];
        w->columns[i].name = arena_str(w->r->arena, cols[i].name);
        w->columns[i].type_text = arena_str(w->r->arena, cols[i].type_text);
        if ((cols[i].name.n && !w->columns[i].name.p) ||
            (cols[i].type_text.n && !w->columns[i].type_text.p))
            return false;
    }
    w->n_columns = n;
    return project(w);
}

static const struct sf_column *
shown_column(const struct result_writer *w, unsigned i)
{
    return &w->columns[w->map ? w->map[i] : i];
}

/* The header of the text table. */
static void
put_header_line(struct result_writer *w)
{
    for (unsigned i = 0; i < w->n_shown; i++) {
        if (i)
            buf_put_z(&w->text, TEXT_SEPARATOR);
        text_put_value(&w->text, shown_column(w, i)->name);
    }
    buf_put_c(&w->text, '\n');
}

static void
open_structured(struct result_writer *w)
{
    struct buf *out = w->out;

    buf_put_z(out, ",\"result\":{\"structuredContent\":{\"columns\":[");
    for (unsigned i = 0; i < w->n_shown; i++) {
        const struct sf_column *c = shown_column(w, i);
        buf_put_z(out, i ? ",{\"name\":" : "{\"name\":");
        json_put_string(out, c->name);
        buf_put_z(out, ",\"type\":");
        json_put_string(out, c->type_text);
        buf_put_z(out, c->nullable ? ",\"nullable\":true}" : ",\"nullable\":false}");
    }
    buf_put_z(out, "],\"rows\":[");
    put_header_line(w);
    if (w->text.len > w->config->query_max_text || w->text.failed) {
        buf_clear(&w->text);
        w->text_full = true;
    }
}

static void
open_text(struct result_writer *w)
{
    buf_put_z(w->out, ",\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"");
    put_header_line(w);
    json_put_string_body(w->out, buf_str(&w->text));
    buf_clear(&w->text);
}

void
result_columns(struct result_writer *w, const struct sf_column *cols, unsigned n)
{
    if (w->plan->statements[w->statement].gives != TOOL_ROWS || w->opened)
        return;
    if (!remember_columns(w, cols, n)) {
        w->n_columns = w->n_shown = 0;
        w->fault = RC_NO_MEMORY;
        return;
    }
    reply_open(w->r, w->out);
    if (w->structured)
        open_structured(w);
    else
        open_text(w);
    w->opened = true;
    if (w->out->failed)
        w->fault = RC_NO_MEMORY;
}

/* ---- rows -------------------------------------------------------------------------------------
 */

/* The value's text, cut to the bound and marked, in w->value.  False: it is not too long. */
static bool
cut_value(struct result_writer *w, const struct sf_column *col, const struct sf_cell *cell)
{
    size_t max = w->config->query_max_cell;

    if (cell->null || cell->json.n <= max)
        return false; /* decoded it is no longer than its escapes, but for binary and dates */
    buf_clear(&w->value);
    sf_cell_text(col, cell, &w->value);
    if (w->value.len <= max && !w->value.failed)
        return false;
    size_t whole = w->value.len;
    buf_truncate(&w->value, utf8_cut(w->value.p, whole, max));
    buf_printf(&w->value, "\xe2\x80\xa6[cut: %zu bytes]", whole);
    return true;
}

static bool
is_long(const struct result_writer *w, const struct sf_cell *cell)
{
    return __builtin_expect(cell->json.n > w->config->query_max_cell, 0);
}

/* buf_put_c() without a call: a row has more commas than anything else. */
static inline void
put_char(struct buf *b, char c)
{
    if (__builtin_expect(b->failed || b->cap - b->len < 2, 0)) {
        buf_put_c(b, c);
        return;
    }
    b->p[b->len++] = c;
    b->p[b->len] = '\0';
}

/* One row of structuredContent.  False: it is longer than `room`; what was written is of no use. */
static bool
put_json_row(struct result_writer *w, const struct sf_cell *cells, size_t room, uint64_t *cut)
{
    struct buf *out = w->out;
    size_t start = out->len;

    if (w->rows)
        put_char(out, ',');
    put_char(out, '[');
    for (unsigned i = 0; i < w->n_shown; i++) {
        unsigned at = w->map ? w->map[i] : i;
        const struct sf_cell *cell = &cells[at];
        if (i)
            put_char(out, ',');
        if (is_long(w, cell) && cut_value(w, &w->columns[at], cell)) {
            json_put_string(out, buf_str(&w->value));
            (*cut)++;
        } else {
            sf_cell_json(&w->columns[at], cell, out);
        }
        if (out->len - start >= room)
            return false;
    }
    put_char(out, ']');
    return out->len - start <= room;
}

/* One line of the text table behind what is in w->text.  False: longer than `room`. */
static bool
put_text_row(struct result_writer *w, const struct sf_cell *cells, size_t room, uint64_t *cut)
{
    struct buf *text = &w->text;
    size_t start = text->len;

    for (unsigned i = 0; i < w->n_shown; i++) {
        unsigned at = w->map ? w->map[i] : i;
        const struct sf_cell *cell = &cells[at];
        if (i)
            buf_put_z(text, TEXT_SEPARATOR);
        if (is_long(w, cell) && cut_value(w, &w->columns[at], cell)) {
            text_put_value(text, buf_str(&w->value));
            (*cut)++;
        } else {
            text_put_cell(text, &w->columns[at], cell);
        }
        if (text->len - start > room || text->failed)
            return false;
    }
    buf_put_c(text, '\n');
    return !text->failed;
}

static void
collect_text(struct result_writer *w, const struct sf_cell *cells)
{
    size_t was = w->text.len, max = w->config->query_max_text;
    uint64_t ignored = 0;

    if (put_text_row(w, cells, max - was, &ignored) && w->text.len <= max) {
        w->text_rows++;
        return;
    }
    w->text.failed = false;
    buf_truncate(&w->text, was);
    w->text_full = true;
}

static bool
put_row(struct result_writer *w, const struct sf_cell *cells, size_t room, uint64_t *cut)
{
    if (w->structured)
        return put_json_row(w, cells, room, cut);
    size_t start = w->out->len;
    bool fits = put_text_row(w, cells, room, cut);
    w->text.failed = false;
    if (fits)
        json_put_string_body(w->out, buf_str(&w->text));
    buf_clear(&w->text);
    return fits && w->out->len - start <= room;
}

static enum sf_flow
definition_row(struct result_writer *w, const struct sf_cell *cells, unsigned n)
{
    static const struct sf_column text = { .type = SF_TEXT };

    if (w->has_definition || n == 0 || cells[0].null)
        return SF_GO;
    w->has_definition = true;
    if (is_long(w, &cells[0]) && cut_value(w, &text, &cells[0])) {
        buf_put_str(&w->definition, buf_str(&w->value));
        w->cut_cells++;
    } else {
        sf_cell_text(&text, &cells[0], &w->definition);
    }
    return SF_GO;
}

enum sf_flow
result_row(struct result_writer *w, const struct sf_cell *cells, unsigned n)
{
    uint64_t cut = 0;

    if (w->plan->statements[w->statement].gives == TOOL_DEFINITION)
        return definition_row(w, cells, n);
    if (w->fault != RC_OK || !w->opened || n != w->n_columns) {
        if (w->fault == RC_OK)
            w->fault = RC_UPSTREAM_FAILED;
        return SF_ENOUGH;
    }
    if (w->plan->row_limit && w->rows == w->plan->row_limit) {
        w->more = true;
        return SF_ENOUGH;
    }

    size_t start = w->out->len;
    bool fits = put_row(w, cells, w->config->query_max_bytes - w->row_bytes, &cut);
    if (w->out->failed) {
        w->out->failed = false;
        w->fault = RC_NO_MEMORY;
        fits = false;
    }
    if (!fits) {
        buf_truncate(w->out, start);
        w->full = w->fault == RC_OK;
        return SF_ENOUGH;
    }
    w->row_bytes += w->out->len - start;
    w->rows++;
    w->cut_cells += cut;
    if (w->structured && !w->text_full)
        collect_text(w, cells);
    return SF_GO;
}
