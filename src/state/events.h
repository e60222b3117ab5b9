/* events.h - the shapes of our log lines, one builder each (runbook-contract.md R5-R9, section 6).
 *
 * Operators cut these lines by word position: no call site writes its own tool, query, limit or
 * trouble line.  Everything a client supplied is cut and escaped here.  Any process. */
#ifndef STATE_EVENTS_H
#define STATE_EVENTS_H

#include "str.h"

#include <stdint.h>

struct event_tool_call {
    struct str request_id, client;
    int status;
    uint64_t duration_ms;
    uint64_t rows;
    const char *tool;       /* a known tool's name, or "unknown" */
    const char *class_;     /* of a tool error; NULL */
    struct str traceparent; /* STR_NONE: left out */
};
/* info: tool_call id=7f3a client=alice status=200 duration_ms=412 rows=100 tool execute_query */
void event_tool_call(const struct event_tool_call *e);

/* 412.3 query_duration_ms query_id=01b2... client=alice tool=execute_query rows=100 state=success
 */
void event_query(double duration_ms, struct str query_id, struct str client, const char *tool,
    uint64_t rows, const char *state);

/* alice rate_limit level=warning scope=client limit=60/min retry_after=12 */
void event_rate_limit(
    struct str client, const char *scope, struct str limit, uint64_t retry_after_s);

/* error: connection timeout after 30000 ms waiting for a free slot (Connection pool exhausted) ...
 */
void event_pool_exhausted(uint64_t waited_ms, struct str client, struct str request_id);

/* "error: " / "warning: " / "info: " + constant text + " key=value" pairs; values are escaped.
 * Pairs end with NULL: event(EVENT_ERROR, "worker exited", "worker", "3", "status", "1", NULL) */
enum event_kind { EVENT_ERROR, EVENT_WARNING, EVENT_INFO, EVENT_DEBUG };
void event(enum event_kind kind, const char *text, ...) __attribute__((sentinel));

/* The same, at most once per `every_ms` and call site key; tells how many were left out. */
void event_throttled(enum event_kind kind, const char *key, uint64_t every_ms, const char *text,
    ...) __attribute__((sentinel));

#endif
