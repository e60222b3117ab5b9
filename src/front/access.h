/* access.h - which hosts, browser origins and media types the endpoint talks to: pure functions
 * over header values (mcp-server.md 1 and 11). */
#ifndef FRONT_ACCESS_H
#define FRONT_ACCESS_H

#include "state/config.h"

/* Host names this server answers to: loopback names with any port, and the configured ones. */
bool access_host_allowed(const struct config *c, struct str host);
/* A browser's Origin: configured, or a page from this machine talking to this machine. */
bool access_origin_allowed(const struct config *c, struct str origin, struct str host);

/* Exactly application/json, parameters ignored. */
bool media_is_json(struct str content_type);

#define ACCEPTS_JSON 1u
#define ACCEPTS_SSE  2u
/* What one Accept value admits; the most specific range decides, q=0 excludes. */
unsigned media_accepts(struct str accept);

#endif
