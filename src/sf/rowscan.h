/* rowscan.h - the array of rows inside an answer, piece by piece.
 *
 * Reads `[ ["1","Ada"], ["2",null] ]` in whatever pieces it arrives and hands out each row as
 * slices: of the piece itself where the row lies whole in it, of a bounded copy where it was cut.
 * The pieces never change what comes out. */
#ifndef SF_ROWSCAN_H
#define SF_ROWSCAN_H

#include "buf.h"
#include "err.h"
#include "sf/sf.h"

struct rowscan;

enum rowscan_step {
    ROWSCAN_MORE,   /* all bytes taken, the array goes on */
    ROWSCAN_PAUSED, /* on_row said SF_PAUSE: feed the rest later */
    ROWSCAN_ENOUGH, /* on_row said SF_ENOUGH */
    ROWSCAN_CLOSED, /* the array ended (or was null); what follows it is not taken */
    ROWSCAN_FAILED  /* *e says which row and why */
};

typedef enum sf_flow rowscan_on_row(void *arg, const struct sf_cell *cells, unsigned n);

/* Every row must have `width` cells, each at most max_cell bytes, all at most max_row. */
struct rowscan *rowscan_new(
    unsigned width, size_t max_cell, size_t max_row, rowscan_on_row *on_row, void *arg);
void rowscan_free(struct rowscan *r);

/* *taken tells how many bytes were used; all of them with ROWSCAN_MORE. */
enum rowscan_step rowscan_feed(struct rowscan *r, struct str bytes, size_t *taken, struct err *e);
/* It failed on one of its bounds, not on the bytes. */
bool rowscan_too_large(const struct rowscan *r);

#endif
