/* must.h - for our own bugs only: always compiled in, leaves a last line and aborts. */
#ifndef MUST_H
#define MUST_H

#define must(cond) ((cond) ? (void)0 : must_fail(#cond, __FILE__, __LINE__))
#define NELEM(a)   (sizeof(a) / sizeof((a)[0]))

/* Where the last line goes besides stderr (a worker points it at its slot in the segment). */
extern void (*must_last_words)(const char *line);

_Noreturn void must_fail(const char *cond, const char *file, int line);

#endif
