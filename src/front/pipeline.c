/* The steps of a call, top to bottom.  Workers. */
#include "front/call.h"

#include "must.h"

static enum step_result
answered(enum mcp_next next)
{
    return next == MCP_RUN ? STEP_NEXT : STEP_DONE;
}

/* Text to message: type, era, JSON-RPC. */
static enum step_result
step_decode(struct call *c)
{
    enum mcp_next next = mcp_decode(&c->mcp, &c->out);

    if (next == MCP_RUN && c->front->refusing) {
        mcp_error(&c->mcp, &c->out, RC_DRAINING, str_of(rc_table[RC_DRAINING].text), STR_NONE);
        c->retry_later = true;
        return STEP_DONE;
    }
    return answered(next);
}

/* Everything but a tools/call is answered here. */
static enum step_result
step_dispatch(struct call *c)
{
    return answered(mcp_dispatch(&c->mcp, &c->out));
}

/* Schema of the arguments, policy on the SQL. */
static enum step_result
step_guard(struct call *c)
{
    c->tool_result = true;
    return tool_plan(&c->mcp, &c->plan, &c->out) == RC_OK ? STEP_NEXT : STEP_DONE;
}

const struct step call_steps[] = {
    { "decode", step_decode },
    { "dispatch", step_dispatch },
    { "guard", step_guard },
    { "admit", step_admit },
    { "query", step_query },
};
const unsigned call_n_steps = NELEM(call_steps);
