/* rowparse.h - the body of an answer: its members as one small text, its rows one by one.
 *
 * Takes the body in any pieces.  The top-level member `data` is streamed, every other member is
 * kept (up to a bound) and handed out as the text of a JSON object that passed json_check().  Rows
 * that arrive before their description wait for it, within the same bound. */
#ifndef SF_ROWPARSE_H
#define SF_ROWPARSE_H

#include "sf/rowscan.h"

struct rowparse;

struct rowparse_bounds {
    size_t members; /* bytes of all members but data; also of rows that came before them */
    size_t cell, row;
};

#define ROWPARSE_NOT_YET (-1)
#define ROWPARSE_REFUSED (-2)

struct rowparse_handlers {
    /* The members known so far (with "data":null), when rows are due, and all of them at the end
     * (`whole`).  Returns the number of cells of a row, ROWPARSE_NOT_YET when they do not tell, or
     * ROWPARSE_REFUSED with *e. */
    int (*on_members)(void *arg, struct str object, bool whole, struct err *e);
    rowscan_on_row *on_row;
};

enum rowparse_step { ROWPARSE_MORE, ROWPARSE_PAUSED, ROWPARSE_ENOUGH, ROWPARSE_FAILED };

struct rowparse *rowparse_new(
    const struct rowparse_bounds *b, const struct rowparse_handlers *h, void *arg);
void rowparse_free(struct rowparse *r);

enum rowparse_step rowparse_feed(
    struct rowparse *r, struct str bytes, size_t *taken, struct err *e);
/* The body is over.  ROWPARSE_MORE: it was whole.  ROWPARSE_PAUSED: rows that had to wait are
 * being handed out; call again. */
enum rowparse_step rowparse_end(struct rowparse *r, struct err *e);
/* It failed on one of its bounds, not on the bytes. */
bool rowparse_too_large(const struct rowparse *r);

#endif
