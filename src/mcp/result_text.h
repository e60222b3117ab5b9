/* result_text.h - rows as a compact text table.  Workers. */
#ifndef MCP_RESULT_TEXT_H
#define MCP_RESULT_TEXT_H

#include "sf/sf.h"

/* Cells stand between " | "; a newline, tab or other control character inside one is written as an
 * escape, a | as \|, SQL NULL as NULL. */
#define TEXT_SEPARATOR " | "

void text_put_null(struct buf *line);
/* Appends a decoded value; escapes it where it lies. */
void text_put_value(struct buf *line, struct str value);
/* The same straight from a cell. */
void text_put_cell(struct buf *line, const struct sf_column *col, const struct sf_cell *cell);

#endif
