/* request.h - the JSON body of a submit. */
#ifndef SF_REQUEST_H
#define SF_REQUEST_H

#include "sf/sf.h"

#define REQUEST_TAG_BYTES 2000 /* Snowflake refuses longer query tags */

uint32_t request_timeout_s(const struct config *c, const struct sf_request *r);
void request_body(const struct config *c, const struct sf_request *r, struct buf *out);

#endif
