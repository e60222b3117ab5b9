/* health.h - what /health says: derived from shared memory, never by asking Snowflake. */
#ifndef STATE_HEALTH_H
#define STATE_HEALTH_H

#include "state/config.h"
#include "state/segment.h"

/* Workers: outcomes of statements, logins and probes. */
void health_success(struct segment *s, uint64_t now_ns);
void health_failure(struct segment *s, uint64_t now_ns, bool credential_refused);

/* True for the one worker that should probe now (nothing succeeded for an interval, no probe
 * claimed); the claim expires by itself. */
bool health_claim_probe(struct segment *s, uint64_t now_ns, uint64_t interval_ns);
void health_probe_done(struct segment *s);

enum health_level { HEALTH_HEALTHY, HEALTH_DEGRADED, HEALTH_UNHEALTHY, HEALTH_UNKNOWN };
extern const char *const health_names[]; /* "healthy", "degraded", "unhealthy", "unknown" */

enum health_level health_of_snowflake(
    const struct segment *s, uint64_t interval_ns, uint64_t now_ns);

/* The JSON document of /health (contract 1.2-1.5), with its newline.  Returns the HTTP status:
 * 200, or 503 while starting, draining or without a living worker.  Any process. */
int health_write(const struct segment *s, const struct config *c, uint64_t now_ns, struct buf *out);
/* /readyz: 200 or 503 with a short JSON reason. */
int health_write_ready(
    const struct segment *s, const struct config *c, uint64_t now_ns, struct buf *out);

#endif
