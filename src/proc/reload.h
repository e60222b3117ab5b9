/* reload.h - SIGHUP: the configuration is read again, whole or not at all. */
#ifndef PROC_RELOAD_H
#define PROC_RELOAD_H

#include "proc/server.h"

/* Reads the configuration again from where it came, reports every problem, and if there is none
 * puts it in force: limits at once, the rest with the next generation of workers.  Says what
 * changed and what needs a restart.  0, or -1: the old one stays in force as it was. */
int reload_generation(struct server *s);

/* Calls `changed` for each setting that differs; `restart`: it only takes effect at a start. */
void reload_compare(const struct config *was, const struct config *is,
    void (*changed)(void *arg, const char *path, bool restart), void *arg);

#endif
