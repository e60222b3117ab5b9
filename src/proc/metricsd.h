/* metricsd.h - the metrics child: /metrics from a read-only mapping, and the voice of the endpoint
 * while no worker takes clients (none lives, or all are draining). */
#ifndef PROC_METRICSD_H
#define PROC_METRICSD_H

#include "proc/server.h"

/* In the child, right after fork. */
_Noreturn void metrics_main(struct server *s, uint32_t slot, uint64_t identity);

#endif
