/* fault.h - named places where a crash test kills the process.
 *
 * FAULT("name") is nothing at all unless configured with --enable-fault-points.  Then the process
 * dies by SIGKILL when SNOWFLAKE_MCP_FAULT is "name", or at the N-th pass of this process with
 * "name:N".  With SNOWFLAKE_MCP_FAULT_ONCE=FILE only the process that succeeds in creating FILE
 * dies, so that its successor, which inherits the environment, lives. */
#ifndef FAULT_H
#define FAULT_H

#include "config.h"

#ifdef WITH_FAULT_POINTS
#define FAULT(name) fault_point(name)
void fault_point(const char *name);
#else
#define FAULT(name) ((void)0)
#endif

#endif
