/* mcp_defaults.h - settings for tests that load no file. */
#ifndef MCP_DEFAULTS_H
#define MCP_DEFAULTS_H

#include "state/config.h"

#include <string.h>

/* Every setting at its default; lists and secrets absent. */
static inline void
default_config(struct config *c)
{
    memset(c, 0, sizeof *c);
#define SECTION(name, help)
#define OPT_TEXT(f, path, env, dflt, when, help) c->f = dflt;
#define OPT_PATH(f, path, env, dflt, when, help) c->f = dflt;
#define OPT_SECRET(f, path, env, when, help)
#define OPT_FLAG(f, path, env, dflt, when, help)            c->f = dflt;
#define OPT_CHOICE(f, path, env, choices, dflt, when, help) c->f = dflt;
#define OPT_LIST(f, path, env, dflt, when, help)
#define OPT_NUM(f, path, env, unit, dflt, min, max, when, help) c->f = dflt;
#include "state/config.def"
#undef SECTION
#undef OPT_TEXT
#undef OPT_PATH
#undef OPT_SECRET
#undef OPT_FLAG
#undef OPT_CHOICE
#undef OPT_LIST
#undef OPT_NUM
}

#endif
