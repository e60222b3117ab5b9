/* gauges.c - derives every gauge of metrics.def from shared memory and /proc.
 *
 * The metrics child.  Must never write to the segment; what it reads there is at most a number to
 * print or a process id to look up. */
#include "state/gauges.h"

#include "must.h"
#include "state/active.h"
#include "state/health.h"
#include "state/lease.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Requests per second -------------------------------------------------------------------------- */

void
gauges_tick(struct gauges_rate *r, const struct segment *s, uint64_t now_ns)
{
    r->totals[r->next] = metrics_total(s, METRIC_REQUESTS);
    r->at_ns[r->next] = now_ns;
    r->next = (r->next + 1) % NELEM(r->totals);
    if (r->count < NELEM(r->totals))
        r->count++;
}

double
gauges_rate_mean(const struct gauges_rate *r)
{
    if (r->count < 2)
        return 0;
    unsigned newest = (r->next + NELEM(r->totals) - 1) % NELEM(r->totals);
    unsigned oldest = (r->next + NELEM(r->totals) - r->count) % NELEM(r->totals);
    double seconds = (double)(r->at_ns[newest] - r->at_ns[oldest]) / 1e9;

    return seconds > 0 ? (double)(r->totals[newest] - r->totals[oldest]) / seconds : 0;
}

/* /proc ---------------------------------------------------------------------------------------- */

/* The start of a small file as text; false when it cannot be read. */
static bool
read_text(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, text, size - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    return n > 0;
}

static double
resident_bytes(uint32_t pid)
{
    char path[64], text[128];
    unsigned long long size, resident;

    snprintf(path, sizeof path, "/proc/%u/statm", pid);
    if (!read_text(path, text, sizeof text) || sscanf(text, "%llu %llu", &size, &resident) != 2)
        return 0;
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

/* CPU seconds of a process; with those of its reaped children for the supervisor, so that the sum
 * does not go back when a worker dies. */
static double
cpu_seconds(uint32_t pid, bool with_children)
{
    char path[64], text[1024];
    unsigned long long user, sys;
    long long child_user, child_sys;

    snprintf(path, sizeof path, "/proc/%u/stat", pid);
    if (!read_text(path, text, sizeof text))
        return 0;
    const char *p = strrchr(text, ')'); /* the name before it may hold anything */
    if (!p || sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %lld %lld",
                  &user, &sys, &child_user, &child_sys) != 4)
        return 0;
    double ticks = (double)(user + sys);
    if (with_children)
        ticks += (double)(child_user + child_sys);
    return ticks / (double)sysconf(_SC_CLK_TCK);
}

static double
open_fds(uint32_t pid)
{
    char path[64];
    unsigned n = 0;

    snprintf(path, sizeof path, "/proc/%u/fd", pid);
    DIR *d = opendir(path);
    if (!d)
        return 0;
    while (readdir(d))
        n++;
    closedir(d);
    return n > 2 ? n - 2 : 0; /* . and .. */
}

/* The memory limit of our control group, 0 if none. */
static double
memory_limit(void)
{
    char text[4096], path[4200];
    char *group = NULL;

    if (read_text("/proc/self/cgroup", text, sizeof text)) {
        group = strncmp(text, "0::", 3) == 0 ? text + 3 : strstr(text, "\n0::");
        if (group && group[0] == '\n')
            group += 4;
    }
    if (group) {
        group[strcspn(group, "\n")] = '\0';
        /* The least limit on the way up; inside a container the path may not be there. */
        double least = 0;
        for (;;) {
            char limit[64];
            snprintf(path, sizeof path, "/sys/fs/cgroup%s/memory.max", group);
            if (read_text(path, limit, sizeof limit) && limit[0] >= '0' && limit[0] <= '9') {
                double v = strtod(limit, NULL);
                if (least == 0 || v < least)
                    least = v;
            }
            char *slash = strrchr(group, '/');
            if (!slash)
                return least;
            *slash = '\0';
        }
    }
    if (read_text("/sys/fs/cgroup/memory/memory.limit_in_bytes", text, sizeof text)) {
        double v = strtod(text, NULL);
        return v < 9e18 ? v : 0;
    }
    return 0;
}

/* All ------------------------------------------------------------------------------------------ */

static void
add_process(double out[METRIC_GAUGE__COUNT], uint32_t pid, bool supervisor)
{
    if (pid == 0)
        return;
    out[METRIC_RSS] += resident_bytes(pid);
    out[METRIC_CPU] += cpu_seconds(pid, supervisor);
    out[METRIC_OPEN_FDS] += open_fds(pid);
}

void
gauges_read(const struct segment *s, const struct config *c, const struct gauges_rate *rate,
    uint64_t now_ns, double out[METRIC_GAUGE__COUNT])
{
    for (unsigned i = 0; i < METRIC_GAUGE__COUNT; i++)
        out[i] = 0;
    add_process(out, atomic_load(&s->control->supervisor_pid), true);
    for (uint32_t i = 0; i < s->n_slots; i++) {
        const struct slot *l = &s->slots[i];
        if (atomic_load(&l->identity) == 0)
            continue;
        add_process(out, atomic_load(&l->pid), false);
        if (atomic_load(&l->kind) != SLOT_WORKER)
            continue;
        out[METRIC_WORKERS] +=
            atomic_load(&l->heartbeat_ns) + c->server_heartbeat_limit_ms * 1000000 > now_ns;
        out[METRIC_IN_FLIGHT] += atomic_load(&l->in_flight);
        out[METRIC_CLIENT_CONNECTIONS] += atomic_load(&l->client_connections);
        out[METRIC_POOL_IDLE] += atomic_load(&l->upstream_idle);
    }
    out[METRIC_MEMORY] = out[METRIC_RSS];
    out[METRIC_MEMORY_LIMIT] = memory_limit();
    out[METRIC_POOL_ACTIVE] = lease_count(s);
    out[METRIC_POOL_MAX] = atomic_load(&s->control->pool_max);
    out[METRIC_POOL_PEAK] = atomic_load(&s->totals->pool_peak);
    out[METRIC_POOL_TOTAL] = out[METRIC_POOL_ACTIVE] + out[METRIC_POOL_IDLE];
    out[METRIC_POOL_WAITING] = lease_waiting(s);
    out[METRIC_POOL_LONGEST_WAIT] = (double)lease_longest_wait_ns(s, now_ns) / 1e9;
    out[METRIC_SESSIONS] =
        active_count(s->actives, now_ns, c->session_timeout_min * UINT64_C(60000000000));
    out[METRIC_RPS] = rate ? gauges_rate_mean(rate) : 0;
    out[METRIC_WORKERS_CONFIGURED] = atomic_load(&s->control->workers_configured);
    out[METRIC_HEALTH] =
        health_of_snowflake(s, c->health_probe_ms * 1000000, now_ns) == HEALTH_HEALTHY;
    out[METRIC_START_TIME] = (double)atomic_load(&s->control->started_wall_ms) / 1e3;
}
