/* clock.c - the two clocks, with an offset that only tests set.  Any process. */
#include "clock.h"

#include <stdio.h>
#include <time.h>

static int64_t skipped_ms;

uint64_t
clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec +
           (uint64_t)(skipped_ms * 1000000);
}

uint64_t
clock_ms(void)
{
    return clock_ns() / 1000000u;
}

int64_t
clock_wall_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + skipped_ms;
}

int64_t
clock_wall_s(void)
{
    int64_t ms = clock_wall_ms();
    return ms / 1000 - (ms % 1000 < 0);
}

void
clock_rfc3339(char out[32], int64_t wall_ms)
{
    int64_t ms = wall_ms % 1000;
    if (ms < 0)
        ms += 1000;
    time_t s = (time_t)((wall_ms - ms) / 1000);
    struct tm tm;
    char text[64];
    if (!gmtime_r(&s, &tm))
        s = 0, gmtime_r(&s, &tm);
    size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + n, sizeof text - n, ".%03dZ", (int)ms);
    /* A year of more than four digits has no RFC 3339 form; what is cut is no use anyway. */
    snprintf(out, 32, "%.31s", text);
}

void
clock_skip_ms(int64_t ms)
{
    skipped_ms += ms;
}
