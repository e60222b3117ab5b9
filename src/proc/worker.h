/* worker.h - one worker process, from fork to exit. */
#ifndef PROC_WORKER_H
#define PROC_WORKER_H

#include "proc/server.h"

/* In the child, right after fork.  `number`: seat, for titles and logs; `again`: a process of this
 * seat has served before, so what fails now is not the configuration. */
_Noreturn void worker_main(
    struct server *s, unsigned number, uint32_t slot, uint64_t identity, bool again);

#endif
