/* active.h - clients seen lately: a shared set of (hash, minute) words that only estimates a count.
 * Any worker writes; full sets replace the oldest. */
#ifndef STATE_ACTIVE_H
#define STATE_ACTIVE_H

#include <stddef.h>
#include <stdint.h>

struct active_table; /* in the segment */
extern const size_t active_table_bytes;

void active_seen(struct active_table *t, uint64_t client_hash, uint64_t now_ns);
unsigned active_count(const struct active_table *t, uint64_t now_ns, uint64_t timeout_ns);

#endif
