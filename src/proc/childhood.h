/* childhood.h - what every child does first, and how it learns that it should go. */
#ifndef PROC_CHILDHOOD_H
#define PROC_CHILDHOOD_H

#include "loop.h"
#include "proc/server.h"

/* Leaves at once if the supervisor is gone already.  Afterwards: signals as in a fresh process
 * (INT, HUP and PIPE ignored: a terminal sends the first two to the whole group, and only the
 * supervisor decides), the slot entered, last words led into it, foreign descriptors closed. */
void childhood_begin(struct server *s, uint32_t slot, uint64_t identity);

/* `leave` is called for TERM (again for each further one) and once when the supervisor is gone
 * (`orphaned`).  0 or -1. */
struct leash;
struct leash *leash_new(struct loop *l, struct server *s, void (*leave)(void *arg, bool orphaned),
    void *arg); /* NULL: no memory */
void leash_free(struct leash *x);

/* Says that this process lives, and what it does. */
void childhood_beat(struct server *s, enum slot_state state);
/* Last words that do not come from must(): they end up in the obituary. */
void childhood_last_words(const char *line);

#endif
