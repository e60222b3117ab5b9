/* ident.h - names and literals written into SQL so that they cannot become anything else.
 *
 * All functions return 0, or -1 with a sentence for the caller in `e` and nothing usable in the
 * buffer (a full buffer is seen in b->failed as always).  Any process. */
#ifndef SQL_IDENT_H
#define SQL_IDENT_H

#include "buf.h"
#include "err.h"
#include "str.h"

enum { SQL_NAME_MAX = 255, SQL_NAME_PARTS_MAX = 3 };

/* A name as a caller gives it, written in double quotes:
 *   customer       "CUSTOMER"   a plain identifier means what it means in SQL: upper case
 *   "Customer"     "Customer"   quoted by the caller already: taken exactly
 *   my table-1     "my table-1" anything else cannot stand unquoted: taken exactly
 * 1 to 255 characters of valid UTF-8 without NUL. */
int sql_put_ident(struct buf *b, struct str name, struct err *e);

/* The names joined by dots, each by the rule above. */
int sql_put_qualified(struct buf *b, const struct str *parts, size_t n, struct err *e);

/* A string literal with this value: quotes and backslashes doubled, NUL as \x00. */
int sql_put_string(struct buf *b, struct str value, struct err *e);

/* Splits db.schema."My Table" at the dots outside quotes into 1 to SQL_NAME_PARTS_MAX names, as
 * written (quotes kept, blanks around them cut): sql_put_ident() takes each as it is.  The parts
 * lie in `text`. */
int sql_split_qualified(
    struct str text, struct str parts[SQL_NAME_PARTS_MAX], size_t *n, struct err *e);

#endif
