/* proctitle.c - writes this process's title over its own argv and environ area.  Any process;
 * main calls it before anything else looks at its arguments. */
#include "proctitle.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static char *area; /* what /proc/PID/cmdline shows */
static size_t area_size;
static char **moved_environ, **moved_args; /* kept reachable: they live as long as the process */

static char **
copy_strings(char **from, size_t n)
{
    char **to = calloc(n + 1, sizeof *to);
    if (!to)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        to[i] = strdup(from[i]);
        if (!to[i]) {
            while (i > 0)
                free(to[--i]);
            free(to);
            return NULL;
        }
    }
    return to;
}

void
proctitle_init(int argc, char **argv)
{
    if (area || argc < 1 || !argv[0])
        return;
    size_t args = (size_t)argc, vars = 0;
    while (environ && environ[vars])
        vars++;

    /* The kernel lays the strings out end to end; anything moved since then ends the area. */
    char *end = argv[0];
    for (size_t i = 0; i < args; i++)
        if (argv[i] == end)
            end += strlen(end) + 1;
    for (size_t i = 0; i < vars; i++)
        if (environ[i] == end)
            end += strlen(end) + 1;

    /* Without memory the title stays as it was: nothing depends on it. */
    moved_args = copy_strings(argv, args);
    moved_environ = moved_args ? copy_strings(environ, vars) : NULL;
    if (!moved_environ)
        return;
    area = argv[0];
    area_size = (size_t)(end - area);
    for (size_t i = 0; i < args; i++)
        argv[i] = moved_args[i];
    environ = moved_environ;
}

void
proctitle_set(const char *fmt, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    prctl(PR_SET_NAME, text); /* the kernel cuts at 15 bytes */
    if (area_size < 2)
        return;
    size_t len = strlen(text);
    if (len > area_size - 1)
        len = area_size - 1;
    memcpy(area, text, len);
    memset(area + len, 0, area_size - len);
}
