/* gauges.h - the values that are derived when read: counts of holders, sums over /proc.
 *
 * The metrics child, once per scrape; ctl.  Nothing is stored but the ring of the caller. */
#ifndef STATE_GAUGES_H
#define STATE_GAUGES_H

#include "state/config.h"
#include "state/metrics.h"
#include "state/segment.h"

/* Totals of mcp_requests_total, one a second; owned by the caller, all zero at the start. */
struct gauges_rate {
    uint64_t totals[61];
    uint64_t at_ns[61];
    unsigned count, next;
};
/* Once a second. */
void gauges_tick(struct gauges_rate *r, const struct segment *s, uint64_t now_ns);
/* Requests per second over the last 60 s, or since the first tick if that is less. */
double gauges_rate_mean(const struct gauges_rate *r);

/* Fills all of out[].  `rate` may be NULL (then 0). */
void gauges_read(const struct segment *s, const struct config *c, const struct gauges_rate *rate,
    uint64_t now_ns, double out[METRIC_GAUGE__COUNT]);

#endif
