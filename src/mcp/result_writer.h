/* result_writer.h - one result on its way: shared by result.c (rows) and result_end.c (what stands
 * behind them).  Workers. */
#ifndef MCP_RESULT_WRITER_H
#define MCP_RESULT_WRITER_H

#include "mcp/mcp.h"

struct result_writer {
    struct mcp_request *r;
    const struct tool_plan *plan;
    const struct config *config;
    struct buf *out; /* the caller drains it at any time: only lengths within one call count */
    size_t start;    /* out->len when nothing of ours was in it */
    bool structured; /* this revision knows structuredContent */
    bool drained;    /* bytes left for the client: no way back */
    bool opened;     /* the columns are written */
    bool ended;

    unsigned statement; /* of the plan, running now */
    uint64_t begun_ns;
    struct sf_column *columns; /* as they arrive, in the arena */
    unsigned n_columns;
    unsigned *map; /* which of them are shown; NULL: all */
    unsigned n_shown;

    uint64_t rows, row_bytes, text_rows, cut_cells;
    bool more;     /* rows exist past the limit */
    bool full;     /* the next row did not fit into query_max_bytes */
    enum rc fault; /* ours; told at the end */

    struct buf text; /* the table beside structuredContent, or one row of it */
    bool text_full;
    struct buf value; /* a long value, decoded */
    struct buf definition;
    bool has_definition;
};

/* Why rows or parts of values are missing, as told in truncated_by; NULL: nothing is. */
const char *result_truncated_by(const struct result_writer *w);

#endif
