/* arena.h - memory that dies with a request: bump allocation, one free.
 *
 * Blocks of 4 KiB and up; bounded by `max_bytes`.  Alloc returns zeroed memory aligned for any
 * type, or NULL past the bound or without memory.  Not shared between threads. */
#ifndef ARENA_H
#define ARENA_H

#include "str.h"

#include <stdarg.h>

struct arena;

struct arena *arena_new(size_t max_bytes); /* NULL: no memory */
void arena_free(struct arena *a);
void arena_reset(struct arena *a); /* forget everything, keep the first block */

void *arena_alloc(struct arena *a, size_t n);
char *arena_copy(struct arena *a, struct str s); /* NUL-terminated */
struct str arena_str(struct arena *a, struct str s);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
