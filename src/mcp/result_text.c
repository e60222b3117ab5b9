/* result_text.c - one cell of the text table.
 *
 * Workers, for each cell of the first rows of a result (or of all, for old clients). */
#include "mcp/result_text.h"

static bool
must_escape(unsigned char c)
{
    return c == '|' || c < 0x20 || c == 0x7f;
}

void
text_put_null(struct buf *line)
{
    buf_put_z(line, "NULL");
}

static void
put_escaped(struct buf *line, unsigned char c)
{
    switch (c) {
    case '|':
        buf_put_z(line, "\\|");
        break;
    case '\n':
        buf_put_z(line, "\\n");
        break;
    case '\r':
        buf_put_z(line, "\\r");
        break;
    case '\t':
        buf_put_z(line, "\\t");
        break;
    default:
        buf_printf(line, "\\x%02x", c);
        break;
    }
}

void
text_put_value(struct buf *line, struct str value)
{
    size_t from = 0;

    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        if (!must_escape(c))
            continue;
        buf_put(line, value.p + from, i - from);
        put_escaped(line, c);
        from = i + 1;
    }
    buf_put(line, value.p + from, value.n - from);
}

void
text_put_cell(struct buf *line, const struct sf_column *col, const struct sf_cell *cell)
{
    if (cell->null) {
        text_put_null(line);
        return;
    }
    size_t at = line->len;
    sf_cell_text(col, cell, line);
    size_t i = at;
    while (i < line->len && !must_escape((unsigned char)line->p[i]))
        i++;
    if (i == line->len)
        return; /* nearly always */

    struct buf value;
    buf_init(&value, line->len - at + 1);
    buf_put(&value, line->p + at, line->len - at);
    buf_truncate(line, at);
    if (value.failed)
        line->failed = true;
    text_put_value(line, buf_str(&value));
    buf_fini(&value);
}
