/* identity.h - who we are at Snowflake, as settled before fork (inside of src/sf only). */
#ifndef SF_IDENTITY_H
#define SF_IDENTITY_H

#include "secret.h"
#include "sf/key.h"
#include "sf/sf.h"

struct sf_identity {
    char *base_url;
    int auth;        /* SF_AUTH_KEY_PAIR, SF_AUTH_TOKEN or SF_AUTH_OAUTH */
    struct key *key; /* key pair */
    char *issuer, *subject;
    struct secret *token; /* token or OAuth: as read at start */
    char *token_file;     /* where it came from, to be read again; NULL: a setting */
};

/* A token fit for a header: printable ASCII without blanks.  Blanks around it are dropped.  NULL
 * with *e; `from` names the setting. */
struct secret *identity_token(struct str text, const char *from, struct err *e);

#endif
