/* revision.h - which revisions there are and what each of them may be sent.  Any process. */
#ifndef MCP_REVISION_H
#define MCP_REVISION_H

#include "mcp/mcp.h"

enum mcp_field {
#define FIELD(sym, first) MCP_FIELD_##sym,
#include "mcp/fields.def"
#undef FIELD
    MCP_FIELD__COUNT
};

/* Clients of this revision know the field. */
bool revision_has(enum mcp_revision v, enum mcp_field f);

/* By its name, exactly; false: none of ours. */
bool revision_find(struct str name, enum mcp_revision *v);
static inline bool
revision_is_legacy(enum mcp_revision v)
{
    return v < MCP_2026_07_28;
}
/* The name of one of the revisions that begin with initialize. */
bool revision_names_legacy(struct str name);

#endif
