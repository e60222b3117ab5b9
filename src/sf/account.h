/* account.h - what an account identifier means: a host name and a name in a JWT. */
#ifndef SF_ACCOUNT_H
#define SF_ACCOUNT_H

#include "buf.h"
#include "err.h"

/* Both take what the operator wrote, with or without https:// and .snowflakecomputing.com.
 * 0, or -1 with *e. */
int account_host(struct str written, struct buf *host, struct err *e);  /* lower case */
int account_claim(struct str written, struct buf *name, struct err *e); /* upper case */

#endif
