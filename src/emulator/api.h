/* api.h - the SQL API v2: which request means what, and what is answered.
 *
 * Event loop only. */
#ifndef EMULATOR_API_H
#define EMULATOR_API_H

#include "emulator/auth.h"
#include "emulator/faults.h"
#include "emulator/server.h"
#include "emulator/statements.h"

struct api;

struct api_options {
    struct loop *loop;
    struct auth *auth;
    struct statements *statements;
    struct faults *faults;
    struct engine *engine;
    unsigned sync_limit_ms;
    /* What a request gets that names none; NULL: nothing. */
    const char *database, *schema, *warehouse, *role;
};

struct api *api_new(const struct api_options *o);
void api_free(struct api *a);
void api_set_server(struct api *a, struct server *s);
void api_handle(void *api, struct server_call *c); /* a server_handler */

#endif
