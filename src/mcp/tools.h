/* tools.h - the tools of tools.def as tables, and the arguments of a call checked against them.
 *
 * Any process reads the tables; arguments are checked in workers. */
#ifndef MCP_TOOLS_H
#define MCP_TOOLS_H

#include "mcp/mcp.h"

enum shape {
#define TOOL(name, title, open_world, description) SHAPE_##name,
#define SHAPE(name)                                SHAPE_##name,
#define FIELD(shape, name, type, needed, bound, of, help)
#include "mcp/tools.def"
#undef TOOL
#undef SHAPE
#undef FIELD
    SHAPE__COUNT
};

enum field_type { TYPE_STRING, TYPE_INTEGER, TYPE_CHOICE, TYPE_NAMES, TYPE_OBJECTS, TYPE_VALUE };

enum field_bound {
    BOUND_NONE,
    BOUND_NAME,
    BOUND_PATTERN,
    BOUND_SQL, /* characters */
    BOUND_COLUMNS,
    BOUND_ITEMS, /* elements   */
    BOUND_SHOW_LIMIT,
    BOUND_LIMIT,
    BOUND_VIEW_LIMIT,
    BOUND_TIMEOUT /* value      */
};

struct field {
    enum shape shape;
    const char *name;
    enum field_type type;
    bool required;
    enum field_bound bound;
    const char *of;
    const char *help;
};

/* The fields of a shape, in order. */
const struct field *tool_fields(enum shape s, unsigned *count);
/* What an OBJECTS field holds. */
enum shape tool_item_shape(const struct field *f);
/* What a setting or the field's kind allows; *standard is the default of a number. */
void tool_field_range(const struct field *f, const struct config *c, uint64_t *min, uint64_t *max,
    uint64_t *standard);

struct planning;
struct tool {
    const char *name, *title, *description;
    bool open_world;
    enum shape shape;
    enum rc (*plan)(struct planning *p);
};
const struct tool *tool_find(struct str name);
/* "list_databases, list_schemas, ..." into at most `size` bytes. */
void tool_list_names(char *to, size_t size);

/* The whole tools/list result for a revision, from the comma behind the id to the last brace. */
void tools_write_list(const struct config *c, enum mcp_revision v, struct buf *out);

/* ---- arguments ------------------------------------------------------------------------------- */

enum { ARGS_MAX = 8 };

struct arg {
    const struct json *value; /* NULL: not given */
    struct str raw;           /* its text */
    struct str text;          /* of a STRING or CHOICE */
    uint64_t number;          /* of an INTEGER; its default when not given */
};

struct args {
    enum shape shape;
    struct arg at[ARGS_MAX]; /* in the order of tool_fields() */
};

/* Checks an object (NULL: empty) and its raw text.  `path` names it in messages: "" or
 * "filters[2].". 0, or -1 with a sentence for the caller in *e. */
int args_read(struct args *a, enum shape s, const struct config *c, const char *path,
    const struct json *object, struct str raw, struct err *e);
/* By name; must be a field of the shape. */
const struct arg *args_at(const struct args *a, const char *name);
static inline bool
args_has(const struct args *a, const char *name)
{
    return args_at(a, name)->value != NULL;
}

/* "; did you mean x?" for the nearest of the names, or "". */
const char *did_you_mean(char *to, size_t size, struct str wrong,
    const char *(*name)(const void *, unsigned), const void *arg, unsigned n);

#endif
