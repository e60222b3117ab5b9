/* session.h - session ids of the older revisions: signed, self-contained, valid on any worker.
 *
 * An id says which revision was negotiated, for whom, when, and what the client calls itself; the
 * signature makes that true.  It is not an authentication.  Deletion and idle times are facts that
 * several workers share and do not belong here. */
#ifndef MCP_SESSION_H
#define MCP_SESSION_H

#include "mcp/mcp.h"

enum { SESSION_KEY_BYTES = 32, SESSION_CLIENT_MAX = 40 };

struct session_facts {
    enum mcp_revision revision;
    int64_t issued_s;     /* wall clock */
    struct str principal; /* who was authenticated */
    struct str client;    /* clientInfo.name, cut to SESSION_CLIENT_MAX; may be empty */
};

/* Key from the configured file, or random.  0 or -1 with *e. */
int session_key_init(unsigned char key[SESSION_KEY_BYTES], const struct config *c, struct err *e);

/* The text of a new id: visible ASCII, at most 200 bytes. */
void session_issue(
    const unsigned char key[SESSION_KEY_BYTES], const struct session_facts *f, struct buf *out);

/* Checks signature, principal (f->principal, set by the caller) and age, and fills the rest of *f;
 * the client's name is appended to *client and lent from there.  False: refuse it as unknown. */
bool session_open(const unsigned char key[SESSION_KEY_BYTES], struct str id, uint64_t lifetime_s,
    struct session_facts *f, struct buf *client);

#endif
