/* cpus.c - how many CPUs this process may use: the default number of workers.
 *
 * Supervisor, once at start.  Must never fail: what cannot be read means "no limit known". */
#include "proc/cpus.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

static struct str
read_small(const char *path, char *buf, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return STR_NONE;
    ssize_t n = read(fd, buf, size);
    close(fd);
    if (n <= 0)
        return STR_NONE;
    while (n > 0 && (buf[n - 1] == '\n' || buf[n - 1] == ' '))
        n--;
    return (struct str){ buf, (size_t)n };
}

unsigned
cpus_of_quota(struct str cpu_max)
{
    struct str quota;
    uint64_t q, period;
    if (!str_split(&cpu_max, ' ', &quota) || cpu_max.p == NULL)
        return 0;
    if (str_to_u64(quota, &q) != 0 || str_to_u64(cpu_max, &period) != 0 || period == 0 || q == 0)
        return 0;
    uint64_t n = q / period + (q % period != 0);
    return n < 100000 ? (unsigned)n : 0;
}

struct str
cpus_cgroup_path(struct str proc_cgroup, const char *controller)
{
    struct str line, hierarchy, controllers, one;
    while (str_split(&proc_cgroup, '\n', &line)) {
        if (!str_split(&line, ':', &hierarchy) || !str_split(&line, ':', &controllers))
            continue;
        if (controller == NULL) {
            if (controllers.n == 0)
                return line;
            continue;
        }
        while (str_split(&controllers, ',', &one))
            if (str_is(one, controller))
                return line;
    }
    return STR_NONE;
}

static unsigned
quota_in(const char *root, struct str path, bool v2)
{
    char file[4096], text[128], period[64];
    if (!v2) {
        snprintf(file, sizeof file, "%s%.*s/cpu.cfs_quota_us", root, STR_ARG(path));
        struct str q = read_small(file, text, sizeof text / 2);
        snprintf(file, sizeof file, "%s%.*s/cpu.cfs_period_us", root, STR_ARG(path));
        struct str p = read_small(file, period, sizeof period);
        if (q.p == NULL || p.p == NULL)
            return 0;
        int n = snprintf(file, sizeof file, "%.*s %.*s", STR_ARG(q), STR_ARG(p));
        return cpus_of_quota((struct str){ file, (size_t)n });
    }
    snprintf(file, sizeof file, "%s%.*s/cpu.max", root, STR_ARG(path));
    return cpus_of_quota(read_small(file, text, sizeof text));
}

/* The tightest quota from our own group up to the root; 0: none. */
static unsigned
quota(void)
{
    static const struct {
        const char *root, *controller;
    } hierarchies[] = { { "/sys/fs/cgroup", NULL }, { "/sys/fs/cgroup/cpu", "cpu" } };
    char buf[8192];
    unsigned least = 0;
    struct str groups = read_small("/proc/self/cgroup", buf, sizeof buf);
    for (unsigned i = 0; i < 2; i++) {
        struct str path = cpus_cgroup_path(groups, hierarchies[i].controller);
        while (path.p != NULL) {
            if (path.n == 1 && path.p[0] == '/')
                path.n = 0;
            unsigned n = quota_in(hierarchies[i].root, path, i == 0);
            if (n > 0 && (least == 0 || n < least))
                least = n;
            if (path.n == 0)
                break;
            while (path.n > 0 && path.p[path.n - 1] != '/')
                path.n--;
            path.n -= path.n > 0;
        }
    }
    return least;
}

unsigned
cpus_granted(void)
{
    cpu_set_t set;
    unsigned n = 1;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        n = (unsigned)CPU_COUNT(&set);
    unsigned q = quota();
    if (q > 0 && q < n)
        n = q;
    return n > 0 ? n : 1;
}
