/* demo.h - `--demo`: sample data from a snowflake-emulator of our own, thrown away afterwards. */
#ifndef PROC_DEMO_H
#define PROC_DEMO_H

#include "err.h"
#include "state/config.h"

#include <stdbool.h>
#include <sys/types.h>

struct demo;

/* Starts the emulator beside our own binary with a key made for this run, waits until it answers,
 * and fills *source: neither file is read, nothing named SNOWFLAKE_* is taken from the
 * environment.  NULL with a sentence that says what to do. */
struct demo *demo_start(struct config_source *source, struct err *e);
/* The key files are no longer needed once the identity is loaded: from then on there is nothing
 * to clean up, even for a supervisor that is killed. */
void demo_drop_files(struct demo *d);
/* The pid was the emulator's: it has ended. */
bool demo_exited(struct demo *d, pid_t pid);
/* What to try, on standard output. */
void demo_greet(const struct demo *d, const char *endpoint, const char *metrics);
/* In a child: closes what belongs to the supervisor. */
void demo_forget(struct demo *d);
/* Ends the emulator and waits for it.  NULL is fine. */
void demo_stop(struct demo *d);

#endif
