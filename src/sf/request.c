/* request.c - what is asked of Snowflake, as JSON.
 *
 * Runs in workers, once per statement.  Only parameters of the documented list are sent, as
 * strings; the number of statements is always one. */
#include "sf/request.h"

#include "json_text.h"

#include <inttypes.h>

uint32_t
request_timeout_s(const struct config *c, const struct sf_request *r)
{
    return r->timeout_s ? r->timeout_s : (uint32_t)c->query_timeout_s;
}

static void
put_text_member(struct buf *out, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    buf_printf(out, ",\"%s\":", name);
    json_put_z(out, value);
}

void
request_body(const struct config *c, const struct sf_request *r, struct buf *out)
{
    buf_put_z(out, "{\"statement\":");
    json_put_string(out, r->sql);
    buf_printf(out, ",\"timeout\":%" PRIu32, request_timeout_s(c, r));
    put_text_member(out, "database", r->database ? r->database : c->sf_database);
    put_text_member(out, "schema", r->schema ? r->schema : c->sf_schema);
    put_text_member(out, "warehouse", c->sf_warehouse);
    put_text_member(out, "role", c->sf_role);

    for (unsigned i = 0; i < r->n_binds; i++) {
        const struct sf_bind *b = &r->binds[i];
        buf_printf(out, "%s\"%u\":{\"type\":", i ? "," : ",\"bindings\":{", i + 1);
        /* Snowflake takes null with type TEXT only. */
        json_put_z(out, b->value.p ? b->type : "TEXT");
        buf_put_z(out, ",\"value\":");
        if (b->value.p)
            json_put_string(out, b->value);
        else
            buf_put_z(out, "null");
        buf_put_c(out, '}');
    }
    if (r->n_binds)
        buf_put_c(out, '}');

    buf_put_z(out, ",\"parameters\":{\"MULTI_STATEMENT_COUNT\":\"1\"");
    put_text_member(out, "TIMEZONE", c->sf_timezone);
    if (r->row_limit)
        buf_printf(out, ",\"ROWS_PER_RESULTSET\":\"%" PRIu64 "\"", r->row_limit + 1);
    if (r->query_tag.n) {
        struct str tag = r->query_tag;
        tag.n = utf8_cut(tag.p, tag.n, REQUEST_TAG_BYTES);
        buf_put_z(out, ",\"QUERY_TAG\":");
        json_put_string(out, tag);
    }
    buf_put_z(out, "}}");
}
