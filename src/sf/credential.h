/* credential.h - what a worker shows at Snowflake's door, always fresh (inside of src/sf only). */
#ifndef SF_CREDENTIAL_H
#define SF_CREDENTIAL_H

#include "sf/identity.h"

struct credential;

struct credential *credential_new(const struct sf_identity *i); /* lent; NULL: no memory */
void credential_free(struct credential *c);

/* The two header lines of a request, lent until the next call; signs or reads the token again
 * when it is time.  0, or -1 with *e. */
int credential_headers(
    struct credential *c, const char **authorization, const char **type, struct err *e);

/* Counts credentials: another number means another credential, worth another try after a 401. */
unsigned credential_serial(const struct credential *c);

/* The request that went out under `serial` was answered: with 401 (refused) or otherwise.  A
 * refused one is replaced before its next use, where it can be. */
enum credential_news { CREDENTIAL_NOTHING, CREDENTIAL_LOGIN_OK, CREDENTIAL_LOGIN_REFUSED };
enum credential_news credential_answered(struct credential *c, unsigned serial, bool refused);

#endif
