/* cpus.h - how many CPUs this process may use. */
#ifndef PROC_CPUS_H
#define PROC_CPUS_H

#include "str.h"

/* Affinity mask and control-group quota (v2 and v1), whichever is less; at least 1. */
unsigned cpus_granted(void);

/* "50000 100000" (cpu.max) -> 1, "max 100000" -> 0 (no quota); rounded up, 0 on anything else. */
unsigned cpus_of_quota(struct str cpu_max);
/* The path in /proc/self/cgroup text: of the unified hierarchy (controller NULL), or of the v1
 * hierarchy that has this controller.  STR_NONE when there is none. */
struct str cpus_cgroup_path(struct str proc_cgroup, const char *controller);

#endif
