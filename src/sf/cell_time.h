/* cell_time.h - dates and times as people read them, from the numbers Snowflake sends.
 *
 * Proleptic Gregorian calendar, years 0001 to 9999.  Each function appends to `out` and returns
 * true, or appends nothing and returns false when the text is not what it should be. */
#ifndef SF_CELL_TIME_H
#define SF_CELL_TIME_H

#include "buf.h"

bool cell_date(struct str days, struct buf *out);               /* 2024-02-29 */
bool cell_time(struct str seconds, int scale, struct buf *out); /* 23:01:59.5 */

enum cell_zone { CELL_NTZ, CELL_LTZ, CELL_TZ };
/* 2024-02-29T23:01:59.123, with Z or +02:00 behind it as the kind of timestamp wants. */
bool cell_timestamp(struct str text, int scale, enum cell_zone zone, struct buf *out);

#endif
