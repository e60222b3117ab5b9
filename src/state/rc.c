/* rc.c - the table behind rc.h, made from rc.def.
 *
 * Any process.  Must never hold a line of its own: a new outcome is a line in rc.def. */
#include "state/rc.h"

const struct rc_info rc_table[RC__COUNT] = {
#define RC(sym, status, http, rpc, cls, retry, text)                                               \
    { #sym, (status), (http), (rpc), (cls), (retry) != 0, (text) },
#include "state/rc.def"
#undef RC
};
