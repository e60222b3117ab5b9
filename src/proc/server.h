/* server.h - the program snowflake-mcp as one function, and what its processes inherit. */
#ifndef PROC_SERVER_H
#define PROC_SERVER_H

#include "mcp/mcp.h"
#include "proc/listen.h"
#include "proc/options.h"
#include "state/segment.h"

#include <sys/types.h>

struct demo;

/* What a reload replaces.  Children keep the copy that they inherited. */
struct generation {
    struct config *config;
    struct sf_identity *identity;
    struct mcp_server *mcp;
};

/* Made before the first fork; owned by the supervisor. */
struct server {
    struct options options;
    struct config_source source; /* where the configuration came from: read again by a reload */
    struct generation now;
    struct segment *segment;
    struct listeners endpoint; /* one seat per worker */
    struct listeners metrics;  /* one seat; fds NULL without a metrics child */
    unsigned n_workers;
    pid_t supervisor;
    int leash[2];      /* [1] is the supervisor's alone: EOF on [0] says it is gone */
    struct demo *demo; /* NULL: no --demo */
};

/* The exit code: 0 clean, 1 failed, 2 configuration ("do not restart me"). */
int server_main(int argc, char **argv);

/* Loads and checks everything a generation needs.  Problems, one a line, go to *problems; on -1
 * *g is empty. */
int generation_load(struct generation *g, const struct config_source *source, struct buf *problems);
void generation_free(struct generation *g);

/* Where log lines go according to the configuration. */
int server_open_log(const struct config *c, struct err *e);

#endif
