/* supervisor.h - starts the children, waits, counts and replaces; see child.h for the decisions. */
#ifndef PROC_SUPERVISOR_H
#define PROC_SUPERVISOR_H

#include "proc/server.h"

/* From the first fork to the last wait; returns the exit code.  SIGTERM and SIGINT stop within
 * the drain time, a second one at once; SIGHUP reloads (with --demo: stops).  In a child this
 * function does not return. */
int supervise(struct server *s);

#endif
