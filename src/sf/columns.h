/* columns.h - the description of a result: columns, partitions, row count. */
#ifndef SF_COLUMNS_H
#define SF_COLUMNS_H

#include "arena.h"
#include "err.h"
#include "sf/sf.h"

struct columns {
    struct sf_column *list;
    unsigned n;
    uint64_t *partition_rows; /* [n_partitions]; NULL when the answer does not tell */
    unsigned n_partitions;
    bool total_known;
    uint64_t total_rows;
};

/* Reads the text of `resultSetMetaData` (checked JSON).  What it fills in lives in `a`.
 * 0, or -1 with *e. */
int columns_read(struct str meta, struct arena *a, struct columns *c, struct err *e);

#endif
