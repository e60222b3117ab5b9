/* tool_error.c - results with isError: class, Snowflake's code and message, and what to do next.
 *
 * Workers.  The reader is a model: the next step is always named.  Never row data. */
#include "mcp/tool_error.h"

#include "mcp/reply.h"
#include "mcp/revision.h"
#include "mcp/server.h"

enum { TEXT_MAX = 64 * 1024, MESSAGE_MAX = 8 * 1024 };

static const char *
next_step(enum rc rc)
{
    switch (rc) {
    case RC_BAD_ARGUMENTS:
        return "Correct the arguments and call the tool again.";
    case RC_SQL_DENIED:
        return "Only statements that read are run. Rewrite the statement as this says.";
    case RC_RESULT_TOO_LARGE:
        return "Select fewer columns or rows.";
    case RC_STATEMENT_TIMEOUT:
        return "Narrow the statement (WHERE, LIMIT, fewer joins), or raise timeout_seconds where "
               "the "
               "tool has it.";
    case RC_UPSTREAM_AUTH:
        return "The server's operator has to mend its Snowflake credential; trying again does not "
               "help.";
    case RC_CANCELLED:
        return "The statement was stopped; call the tool again if it is still wanted.";
    default:
        return NULL;
    }
}

static struct str
the_message(enum rc rc, const struct sf_outcome *o, struct str message)
{
    if (!message.n && o)
        message = o->message;
    if (!message.n)
        message = str_of(rc_table[rc].text);
    return (struct str){ message.p, utf8_cut(message.p, message.n, MESSAGE_MAX) };
}

static struct str
the_hint(enum rc rc, const struct sf_outcome *o)
{
    const char *hint = o && o->code.n ? sf_hint(o->code, o->message) : NULL;

    return str_of(hint ? hint : next_step(rc));
}

static int64_t
the_pause(const struct sf_outcome *o, int64_t retry_after_s)
{
    return retry_after_s >= 0 || !o ? retry_after_s : o->retry_after_s;
}

void
tool_error_text(struct buf *out, const struct mcp_request *r, enum rc rc,
    const struct sf_outcome *o, struct str message, int64_t retry_after_s)
{
    struct str text = the_message(rc, o, message), hint = the_hint(rc, o);
    int64_t pause = the_pause(o, retry_after_s);

    buf_put_z(out, rc_table[rc].class);
    buf_put_z(out, ": ");
    buf_put_str(out, text);
    if (o && o->code.n) {
        buf_put_z(out, " (Snowflake error ");
        buf_put_str(out, o->code);
        if (o->sqlstate.n) {
            buf_put_z(out, ", SQLSTATE ");
            buf_put_str(out, o->sqlstate);
        }
        buf_put_c(out, ')');
    }
    if (hint.n) {
        buf_put_z(out, "\nHint: ");
        buf_put_str(out, hint);
    }
    if (rc == RC_STATEMENT_TIMEOUT)
        buf_printf(out, " The longest timeout is %llu s.",
            (unsigned long long)r->server->config->query_timeout_s);
    if (pause >= 0)
        buf_printf(out, "\nTry again in %lld s.", (long long)pause);
    else if (rc_table[rc].retry)
        buf_put_z(out, "\nTry again later.");
}

static void
put_member(struct buf *out, const char *key, struct str value)
{
    if (!value.n)
        return;
    buf_put_c(out, ',');
    json_put_z(out, key);
    buf_put_c(out, ':');
    json_put_string(out, value);
}

void
tool_error_object(struct buf *out, enum rc rc, const struct sf_outcome *o, struct str message,
    int64_t retry_after_s)
{
    int64_t pause = the_pause(o, retry_after_s);

    buf_put_z(out, "{\"class\":");
    json_put_z(out, rc_table[rc].class);
    put_member(out, "message", the_message(rc, o, message));
    if (o) {
        put_member(out, "code", o->code);
        put_member(out, "sqlstate", o->sqlstate);
        put_member(out, "query_id", o->handle);
    }
    put_member(out, "hint", the_hint(rc, o));
    if (pause >= 0) {
        buf_put_z(out, ",\"retry_after\":");
        buf_put_i64(out, pause);
    }
    buf_put_c(out, '}');
}

void
tool_error(struct mcp_request *r, struct buf *out, enum rc rc, const struct sf_outcome *o,
    struct str message, int64_t retry_after_s)
{
    struct buf text;

    buf_init(&text, TEXT_MAX);
    tool_error_text(&text, r, rc, o, message, retry_after_s);
    reply_open(r, out);
    buf_put_z(out, ",\"result\":{\"content\":[{\"type\":\"text\",\"text\":");
    json_put_string(out, buf_str(&text));
    buf_put_z(out, "}]");
    if (revision_has(r->revision, MCP_FIELD_STRUCTURED_CONTENT)) {
        /* Clients check it against outputSchema even beside isError: the required members are
         * there. */
        buf_put_z(out, ",\"structuredContent\":{\"columns\":[],\"rows\":[],\"row_count\":0,"
                       "\"truncated\":true,\"truncated_by\":\"failure\",\"query_id\":");
        json_put_string(out, o && o->handle.n ? o->handle : STR(""));
        buf_put_z(out, ",\"elapsed_ms\":");
        buf_put_u64(out, o ? o->elapsed_ns / 1000000 : 0);
        buf_put_z(out, ",\"error\":");
        tool_error_object(out, rc, o, message, retry_after_s);
        buf_put_c(out, '}');
    }
    buf_put_z(out, ",\"isError\":true");
    reply_result_tail(r->revision, out);
    buf_put_z(out, "}}");
    buf_fini(&text);
    r->rc = rc;
    r->http_status = 200;
}
