/* revision.c - the names of the protocol's revisions and what each of them brought.
 *
 * Any process; constant tables only. */
#include "mcp/revision.h"

#include "must.h"

const char *const mcp_revision_names[MCP_REVISION__COUNT] = {
    [MCP_2024_11_05] = "2024-11-05",
    [MCP_2025_03_26] = "2025-03-26",
    [MCP_2025_06_18] = "2025-06-18",
    [MCP_2025_11_25] = "2025-11-25",
    [MCP_2026_07_28] = "2026-07-28",
};

static const enum mcp_revision first[MCP_FIELD__COUNT] = {
#define FIELD(sym, revision) [MCP_FIELD_##sym] = (revision),
#include "mcp/fields.def"
#undef FIELD
};

bool
revision_has(enum mcp_revision v, enum mcp_field f)
{
    return v >= first[f];
}

bool
revision_find(struct str name, enum mcp_revision *v)
{
    for (unsigned i = 0; i < MCP_REVISION__COUNT; i++)
        if (str_is(name, mcp_revision_names[i])) {
            *v = (enum mcp_revision)i;
            return true;
        }
    return false;
}

bool
revision_names_legacy(struct str name)
{
    enum mcp_revision v;

    return revision_find(name, &v) && revision_is_legacy(v);
}
