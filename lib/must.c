/* must.c - the last line of a process that found a bug in itself.  Any process; allocates nothing
 * and takes no lock, because nothing can be relied upon any more. */
#include "must.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void (*must_last_words)(const char *line);

_Noreturn void
must_fail(const char *cond, const char *file, int line)
{
    char text[256];
    snprintf(text, sizeof text - 1, "error: bug at %s:%d: must(%s)", file, line, cond);
    /* Shared memory first: stderr may be a pipe that nobody empties. */
    if (must_last_words)
        must_last_words(text);
    size_t n = strlen(text);
    text[n] = '\n';
    ssize_t ignored = write(STDERR_FILENO, text, n + 1);
    (void)ignored;
    abort();
}
