/* tools_list.c - writes the result of tools/list, once per revision, before fork.
 *
 * Supervisor.  Schemas come from the same lines that args.c checks a call against. */
#include "mcp/plan.h"
#include "mcp/reply.h"
#include "mcp/revision.h"
#include "mcp/tools.h"

enum { TOOLS_TTL_MS = 300000 };

static void write_object_schema(const struct config *c, enum shape s, struct buf *out);

static void
put_range(struct buf *out, const char *min_key, uint64_t min, const char *max_key, uint64_t max)
{
    buf_printf(out, ",\"%s\":%llu", min_key, (unsigned long long)min);
    if (max)
        buf_printf(out, ",\"%s\":%llu", max_key, (unsigned long long)max);
}

static void
put_choices(struct buf *out, const char *choices)
{
    struct str rest = str_of(choices), one;

    buf_put_z(out, ",\"enum\":[");
    for (bool first = true; str_split(&rest, '|', &one); first = false) {
        if (!first)
            buf_put_c(out, ',');
        json_put_string(out, one);
    }
    buf_put_c(out, ']');
}

static void
write_field(const struct config *c, const struct field *f, struct buf *out)
{
    uint64_t min, max, standard;

    tool_field_range(f, c, &min, &max, &standard);
    json_put_z(out, f->name);
    switch (f->type) {
    case TYPE_STRING:
        buf_put_z(out, ":{\"type\":\"string\"");
        put_range(out, "minLength", min, "maxLength", max);
        break;
    case TYPE_CHOICE:
        buf_put_z(out, ":{\"type\":\"string\"");
        put_choices(out, f->of);
        break;
    case TYPE_INTEGER:
        buf_put_z(out, ":{\"type\":\"integer\"");
        put_range(out, "minimum", min, "maximum", max);
        buf_printf(out, ",\"default\":%llu", (unsigned long long)standard);
        break;
    case TYPE_NAMES:
        buf_put_z(out, ":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"minLength\":1}");
        put_range(out, "minItems", min, "maxItems", max);
        break;
    case TYPE_OBJECTS:
        buf_put_z(out, ":{\"type\":\"array\",\"items\":");
        write_object_schema(c, tool_item_shape(f), out);
        put_range(out, "minItems", min, "maxItems", max);
        break;
    case TYPE_VALUE:
        buf_put_z(out, ":{\"type\":[\"string\",\"number\",\"boolean\",\"array\"],"
                       "\"items\":{\"type\":[\"string\",\"number\",\"boolean\"]}");
        break;
    }
    buf_put_z(out, ",\"description\":");
    json_put_z(out, f->help);
    buf_put_c(out, '}');
}

static void
write_object_schema(const struct config *c, enum shape s, struct buf *out)
{
    unsigned n, required = 0;
    const struct field *f = tool_fields(s, &n);

    buf_put_z(out, "{\"type\":\"object\",\"properties\":{");
    for (unsigned i = 0; i < n; i++) {
        if (i)
            buf_put_c(out, ',');
        write_field(c, &f[i], out);
    }
    buf_put_c(out, '}');
    for (unsigned i = 0; i < n; i++)
        if (f[i].required) {
            buf_put_z(out, required++ ? "," : ",\"required\":[");
            json_put_z(out, f[i].name);
        }
    buf_put_z(
        out, required ? "],\"additionalProperties\":false}" : ",\"additionalProperties\":false}");
}

/* What result.c writes. */
static void
write_output_schema(const struct tool *t, struct buf *out)
{
    buf_put_z(out,
        "{\"type\":\"object\",\"properties\":{"
        "\"columns\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
        "\"name\":{\"type\":\"string\"},\"type\":{\"type\":\"string\",\"description\":\"Snowflake "
        "data type\"},\"nullable\":{\"type\":\"boolean\"}},\"required\":[\"name\",\"type\","
        "\"nullable\"]}},"
        "\"rows\":{\"type\":\"array\",\"description\":\"One array per row, in the order of "
        "columns. "
        "Numbers that a double cannot hold exactly are strings with all digits.\","
        "\"items\":{\"type\":\"array\",\"items\":{\"type\":[\"string\",\"number\",\"boolean\","
        "\"null\"]}}},"
        "\"row_count\":{\"type\":\"integer\",\"minimum\":0,\"description\":\"Rows in this "
        "result\"},"
        "\"truncated\":{\"type\":\"boolean\",\"description\":\"Rows or parts of values are "
        "missing\"},"
        "\"truncated_by\":{\"type\":\"string\",\"enum\":[\"limit\",\"bytes\",\"cell\",\"failure\"],"
        "\"description\":\"Why: the row limit, the size of the answer, the size of single values, "
        "or "
        "a failure under way\"},"
        "\"truncated_cells\":{\"type\":\"integer\",\"minimum\":1,\"description\":\"Values that "
        "were "
        "cut\"},"
        "\"note\":{\"type\":\"string\",\"description\":\"What is missing and how to get it\"},"
        "\"query_id\":{\"type\":\"string\",\"description\":\"Snowflake's id of the statement\"},"
        "\"elapsed_ms\":{\"type\":\"integer\",\"minimum\":0},"
        "\"error\":{\"type\":\"object\",\"description\":\"Only if the call failed; the rows are "
        "missing or incomplete then\",\"properties\":{\"class\":{\"type\":\"string\"},"
        "\"message\":{\"type\":\"string\"},\"code\":{\"type\":\"string\",\"description\":"
        "\"Snowflake's error code\"},\"sqlstate\":{\"type\":\"string\"},\"query_id\":{\"type\":"
        "\"string\"},\"hint\":{\"type\":\"string\"},\"retry_after\":{\"type\":\"integer\","
        "\"description\":\"Seconds\"}},\"required\":[\"class\",\"message\"]}");
    if (t->shape == SHAPE_describe_view)
        buf_put_z(out,
            ",\"definition\":{\"type\":[\"string\",\"null\"],\"description\":\"The CREATE "
            "VIEW statement; null when the role may not see it\"}");
    buf_put_z(out, "},\"required\":[\"columns\",\"rows\",\"row_count\",\"truncated\",\"query_id\","
                   "\"elapsed_ms\"]}");
}

static void
write_tool(const struct config *c, enum mcp_revision v, const struct tool *t, struct buf *out)
{
    buf_put_z(out, "{\"name\":");
    json_put_z(out, t->name);
    if (revision_has(v, MCP_FIELD_TITLE)) {
        buf_put_z(out, ",\"title\":");
        json_put_z(out, t->title);
    }
    buf_put_z(out, ",\"description\":");
    json_put_z(out, t->description);
    buf_put_z(out, ",\"inputSchema\":");
    write_object_schema(c, t->shape, out);
    if (revision_has(v, MCP_FIELD_OUTPUT_SCHEMA)) {
        buf_put_z(out, ",\"outputSchema\":");
        write_output_schema(t, out);
    }
    if (revision_has(v, MCP_FIELD_ANNOTATIONS)) {
        buf_put_z(out, ",\"annotations\":{\"title\":");
        json_put_z(out, t->title);
        buf_printf(out,
            ",\"readOnlyHint\":true,\"destructiveHint\":false,\"idempotentHint\":true,"
            "\"openWorldHint\":%s}",
            t->open_world ? "true" : "false");
    }
    buf_put_c(out, '}');
}

void
tools_write_list(const struct config *c, enum mcp_revision v, struct buf *out)
{
    unsigned n;
    const char *const *names = tool_names(&n);

    buf_put_z(out, ",\"result\":{\"tools\":[");
    for (unsigned i = 0; i + 1 < n; i++) {
        if (i)
            buf_put_c(out, ',');
        write_tool(c, v, tool_find(str_of(names[i])), out);
    }
    buf_put_c(out, ']');
    if (revision_has(v, MCP_FIELD_CACHING))
        buf_printf(out, ",\"ttlMs\":%d,\"cacheScope\":\"public\"", TOOLS_TTL_MS);
    reply_result_tail(v, out);
    buf_put_z(out, "}}");
}
