/* err.c - builds the one-line sentences of struct err.  Any process; never logs. */
#include "err.h"

#include "str.h"

#include <stdarg.h>
#include <stdio.h>

/* Cuts at a character's edge and keeps it one line: these texts end up in logs and replies. */
static void
store(struct err *e, const char *text, size_t n)
{
    n = utf8_cut(text, n, sizeof e->text - 1);
    for (size_t i = 0; i < n; i++)
        e->text[i] = text[i] == '\n' || text[i] == '\r' ? ' ' : text[i];
    e->text[n] = '\0';
}

int
err_set(struct err *e, const char *fmt, ...)
{
    if (!e)
        return -1;
    /* Not straight into e->text: the arguments may point there. */
    char text[sizeof e->text + 4];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    store(e, text, strlen(text));
    return -1;
}

int
err_prefix(struct err *e, const char *fmt, ...)
{
    if (!e)
        return -1;
    char text[2 * sizeof e->text + 4];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof e->text, fmt, ap);
    va_end(ap);
    size_t n = strlen(text);
    snprintf(text + n, sizeof text - n, ": %s", e->text);
    store(e, text, strlen(text));
    return -1;
}
