/* result_end.c - what stands behind the rows of a result, and failures at any point of it.
 *
 * Workers.  Before a byte has left, a failure replaces everything by a clean error; afterwards the
 * same JSON is brought to its end and says that the rows are incomplete. */
#include "mcp/result_writer.h"

#include "clock.h"
#include "mcp/reply.h"
#include "mcp/tool_error.h"
#include "mcp/tools.h"

enum { NOTE_MAX = 16 * 1024, TEXT_TAIL_MAX = 8 * 1024 * 1024 };

static bool
at_ceiling(const struct result_writer *w)
{
    return w->plan->ceiling && w->rows >= w->plan->ceiling;
}

const char *
result_truncated_by(const struct result_writer *w)
{
    if (w->full)
        return "bytes";
    if (w->more || at_ceiling(w))
        return "limit";
    return w->cut_cells ? "cell" : NULL;
}

/* ---- the note: what is missing and how to get it ----------------------------------------------
 */

static bool
tool_takes(const struct tool *t, const char *argument)
{
    unsigned n;
    const struct field *f = tool_fields(t->shape, &n);

    for (unsigned i = 0; i < n; i++)
        if (strcmp(f[i].name, argument) == 0)
            return true;
    return false;
}

static const char *
how_to_narrow(const struct tool *t)
{
    if (tool_takes(t, "sql"))
        return "narrow with WHERE";
    if (tool_takes(t, "filters"))
        return "narrow with filters";
    return tool_takes(t, "pattern") ? "narrow with pattern" : "no tool returns more of them";
}

static void
put_count(struct buf *note, uint64_t n, const char *what)
{
    buf_printf(note, "%llu %s%s", (unsigned long long)n, what, n == 1 ? "" : "s");
}

static void
put_note(const struct result_writer *w, struct buf *note)
{
    const struct tool *t = w->r->tool;

    if (w->full && w->rows == 0) {
        buf_printf(note,
            "0 rows shown: the first row alone is longer than an answer may be (%llu "
            "bytes): select fewer columns or parts of long values",
            (unsigned long long)w->config->query_max_bytes);
    } else if (w->full) {
        put_count(note, w->rows, "row");
        buf_printf(note, " shown, more exist: the answer reached its limit of %llu bytes: %s%s",
            (unsigned long long)w->config->query_max_bytes, how_to_narrow(t),
            tool_takes(t, "sql") || tool_takes(t, "columns") ? " or select fewer columns" : "");
    } else if (w->more) {
        put_count(note, w->rows, "row");
        buf_printf(note, " shown, more exist: %s", how_to_narrow(t));
        uint64_t max = w->config->query_limit_max;
        if (w->plan->ceiling && w->plan->ceiling < max)
            max = w->plan->ceiling;
        if (tool_takes(t, "limit") && w->plan->row_limit < max)
            buf_printf(note, " or raise limit (max %llu)", (unsigned long long)max);
    } else if (at_ceiling(w)) {
        put_count(note, w->rows, "row");
        buf_printf(note, " shown; Snowflake lists no more than that, more may exist: %s",
            how_to_narrow(t));
    }
    if (w->cut_cells) {
        if (note->len)
            buf_put_z(note, "; ");
        put_count(note, w->cut_cells, "value");
        buf_printf(note, " cut to %llu bytes%s", (unsigned long long)w->config->query_max_cell,
            tool_takes(t, "sql") ? ": select parts with SUBSTR" : "");
    }
}

/* ---- the end of both forms ----------------------------------------------------------------------
 */

/* Behind the table: how many rows, what is missing, the definition, why it failed. */
static void
put_text_tail(const struct result_writer *w, struct buf *text, struct str note, struct str failure)
{
    if (w->structured && w->text_rows < w->rows) {
        buf_printf(text,
            "%llu rows, of which this text shows %s%llu: the others are in "
            "structuredContent only",
            (unsigned long long)w->rows, w->text_rows ? "the first " : "",
            (unsigned long long)w->text_rows);
        if (note.n)
            buf_put_z(text, "; ");
    } else if (!note.n || (!w->full && !w->more && !at_ceiling(w))) {
        put_count(text, w->rows, "row");
        if (note.n)
            buf_put_z(text, "; ");
    }
    buf_put_str(text, note);
    if (w->has_definition) {
        buf_put_z(text, "\n\nDefinition:\n");
        buf_put_str(text, buf_str(&w->definition));
    }
    if (failure.n) {
        buf_put_z(text, "\nThe rows are incomplete. ");
        buf_put_str(text, failure);
    }
}

static uint64_t
elapsed_ms(const struct result_writer *w, const struct sf_outcome *o)
{
    /* Of two statements the outcome tells only the last one's time. */
    uint64_t ns = o && w->plan->n_statements == 1 ? o->elapsed_ns : clock_ns() - w->begun_ns;

    return ns / 1000000;
}

static void
end_structured(struct result_writer *w, const struct sf_outcome *o, struct str note, enum rc rc,
    struct str message, int64_t retry_after_s, struct str failure)
{
    struct buf *out = w->out;
    const char *by = rc == RC_OK ? result_truncated_by(w) : "failure";

    buf_put_z(out, "],\"row_count\":");
    buf_put_u64(out, w->rows);
    buf_put_z(out, by ? ",\"truncated\":true,\"truncated_by\":" : ",\"truncated\":false");
    if (by)
        json_put_z(out, by);
    if (w->cut_cells) {
        buf_put_z(out, ",\"truncated_cells\":");
        buf_put_u64(out, w->cut_cells);
    }
    if (note.n) {
        buf_put_z(out, ",\"note\":");
        json_put_string(out, note);
    }
    buf_put_z(out, ",\"query_id\":");
    json_put_string(out, o && o->handle.n ? o->handle : STR(""));
    buf_put_z(out, ",\"elapsed_ms\":");
    buf_put_u64(out, elapsed_ms(w, o));
    if (w->plan->n_statements > 1) {
        buf_put_z(out, ",\"definition\":");
        if (w->has_definition)
            json_put_string(out, buf_str(&w->definition));
        else
            buf_put_z(out, "null");
    }
    if (rc != RC_OK) {
        buf_put_z(out, ",\"error\":");
        tool_error_object(out, rc, o, message, retry_after_s);
    }
    buf_put_z(out, "},\"content\":[{\"type\":\"text\",\"text\":\"");
    json_put_string_body(out, buf_str(&w->text));
    struct buf tail;
    buf_init(&tail, TEXT_TAIL_MAX);
    put_text_tail(w, &tail, note, failure);
    json_put_string_body(out, buf_str(&tail));
    buf_fini(&tail);
}

static void
end_text(struct result_writer *w, struct str note, struct str failure)
{
    buf_clear(&w->text);
    put_text_tail(w, &w->text, note, failure);
    json_put_string_body(w->out, buf_str(&w->text));
}

/* Brings the JSON to its end. */
static void
end(struct result_writer *w, const struct sf_outcome *o, enum rc rc, struct str message,
    int64_t retry_after_s, struct str remark)
{
    struct buf note, failure;

    buf_init(&note, NOTE_MAX);
    buf_init(&failure, NOTE_MAX);
    put_note(w, &note);
    if (remark.n) {
        buf_put_z(&note, note.len ? "; " : "");
        buf_put_str(&note, remark);
    }
    if (rc != RC_OK)
        tool_error_text(&failure, w->r, rc, o, message, retry_after_s);
    if (w->structured)
        end_structured(w, o, buf_str(&note), rc, message, retry_after_s, buf_str(&failure));
    else
        end_text(w, buf_str(&note), buf_str(&failure));
    buf_put_z(w->out, rc == RC_OK ? "\"}],\"isError\":false" : "\"}],\"isError\":true");
    reply_result_tail(w->r->revision, w->out);
    buf_put_z(w->out, "}}");
    buf_fini(&note);
    buf_fini(&failure);
    w->ended = true;
    w->r->rc = rc;
    w->r->http_status = 200;
}

void
result_finish(struct result_writer *w, const struct sf_outcome *o)
{
    if (w->ended)
        return;
    if (w->fault == RC_OK && !w->opened)
        w->fault = RC_UPSTREAM_FAILED;
    if (w->fault != RC_OK) {
        result_fail(w, w->fault, NULL, STR_NONE, -1);
        return;
    }
    if (w->plan->n_statements == 1 && o->more && !w->full)
        w->more = true;
    end(w, o, RC_OK, STR_NONE, -1, STR_NONE);
}

/* Columns of a view are worth having even where the role may not see its definition. */
static bool
only_definition_missing(const struct result_writer *w, enum rc rc, const struct sf_outcome *o)
{
    return rc == RC_SQL_FAILED && o && w->opened && w->fault == RC_OK &&
           w->plan->statements[w->statement].gives == TOOL_DEFINITION;
}

void
result_fail(struct result_writer *w, enum rc rc, const struct sf_outcome *o, struct str message,
    int64_t retry_after_s)
{
    if (w->ended)
        return;
    w->out->failed = false;
    if (only_definition_missing(w, rc, o)) {
        struct buf remark;
        buf_init(&remark, NOTE_MAX);
        buf_put_z(&remark, "the definition cannot be read: ");
        buf_put(&remark, o->message.p, utf8_cut(o->message.p, o->message.n, 1024));
        end(w, o, RC_OK, STR_NONE, -1, buf_str(&remark));
        buf_fini(&remark);
        return;
    }
    if (w->opened && w->drained) {
        end(w, o, rc, message, retry_after_s, STR_NONE);
        return;
    }
    buf_truncate(w->out, w->start);
    tool_error(w->r, w->out, rc, o, message, retry_after_s);
    w->ended = true;
}
