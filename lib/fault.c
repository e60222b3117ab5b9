/* fault.c - dies where a crash test wants it.  Any process, but only in builds for crash tests. */
#include "fault.h"

#ifdef WITH_FAULT_POINTS
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
fault_point(const char *name)
{
    static unsigned long passes; /* only the one named place counts, so one counter is enough */
    const char *wanted = getenv("SNOWFLAKE_MCP_FAULT");
    size_t n = strlen(name);
    if (!wanted || strncmp(wanted, name, n) != 0 || (wanted[n] != '\0' && wanted[n] != ':'))
        return;
    if (wanted[n] == ':' && ++passes != strtoul(wanted + n + 1, NULL, 10))
        return;
    const char *once = getenv("SNOWFLAKE_MCP_FAULT_ONCE");
    if (once) {
        int fd = open(once, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
            return;
        close(fd);
    }
    kill(getpid(), SIGKILL);
}
#else
/* ISO C wants something in every file. */
typedef int fault_points_are_off;
#endif
