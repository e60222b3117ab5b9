/* secret.h - a secret that cannot be printed by accident and is wiped when freed.
 *
 * No function here gives a text for logs; secret_str() is the one place that lends the bytes. */
#ifndef SECRET_H
#define SECRET_H

#include "err.h"
#include "str.h"

struct secret; /* heap, one owner */

struct secret *secret_new(struct str bytes); /* copies; NULL: no memory */
/* The whole file without one trailing newline; at most 64 KiB. */
struct secret *secret_read_file(const char *path, struct err *e);
void secret_free(struct secret *s);
struct str secret_str(const struct secret *s); /* lent; STR_NONE for NULL */

#endif
