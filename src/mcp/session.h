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

/* The key, and what this process has verified lately, so that the requests of one session cost one
 * signature between them.  One per mcp_server; after fork each worker's pages are its own. */
struct session_book;

/* Key from the configured file, or random.  NULL with *e. */
struct session_book *session_book_new(const struct config *c, struct err *e);
void session_book_free(struct session_book *b); /* wipes; NULL is fine */
void session_book_inherit(struct session_book *b, const struct session_book *from); /* its key */

/* The text of a new id: visible ASCII, at most 200 bytes. */
void session_issue(struct session_book *b, const struct session_facts *f, struct buf *out);

/* Checks signature, principal (f->principal, set by the caller) and age, and fills the rest of *f;
 * f->client is lent until the next call.  False: refuse it as unknown. */
bool session_open(
    struct session_book *b, struct str id, uint64_t lifetime_s, struct session_facts *f);

#endif
