/* No statement without a caller: statements whose call is over are cancelled at Snowflake, ours and
 * those that a dead process left behind.  Workers.  A lease stays taken until Snowflake confirms or
 * a short grace ends, so that the account never runs more statements than allowed. */
#include "front/call.h"

#include "clock.h"

#include <stdlib.h>

enum { ADOPT_PER_TICK = 8 };

static void
let_go(struct cancelling *x)
{
    struct segment *s = x->front->o.segment;

    lease_leave(s, &x->ticket);
    if (x->adopted != LEASE_NONE)
        lease_give_back(s, x->adopted);
    x->adopted = LEASE_NONE;
}

struct cancelling *
cancelling_new(struct front *f, struct lease_ticket *t)
{
    struct cancelling *x = calloc(1, sizeof *x);

    if (!x)
        return NULL;
    x->front = f;
    x->adopted = LEASE_NONE;
    if (t) {
        x->ticket = *t;
        *t = (struct lease_ticket){ .lease = LEASE_NONE, .waiter = LEASE_NONE };
    }
    x->deadline_ns = clock_ns() + CANCEL_GRACE_MS * UINT64_C(1000000);
    x->next = f->cancelling;
    f->cancelling = x;
    return x;
}

void
cancelling_done(void *arg, bool confirmed)
{
    struct cancelling *x = arg, **at;

    let_go(x);
    for (at = &x->front->cancelling; *at != x; at = &(*at)->next)
        ;
    *at = x->next;
    free(x);
}

void
cancel_named(struct front *f, struct lease_ticket *t, const char *uuid, const char *handle)
{
    struct cancelling *x = cancelling_new(f, t);

    /* Without memory the lease goes back with its call; the cancel is tried all the same. */
    if (handle[0])
        sf_cancel_handle(f->sf, handle, x ? cancelling_done : NULL, x);
    else
        sf_cancel_request(f->sf, uuid, x ? cancelling_done : NULL, x);
}

static void
adopt_orphans(struct front *f)
{
    char uuid[40], handle[64];
    struct cancelling *x;
    int i, lease;

    for (i = 0; i < ADOPT_PER_TICK; i++) {
        lease = lease_adopt_orphan(f->o.segment, uuid, handle);
        if (lease == LEASE_NONE)
            return;
        x = f->sf ? cancelling_new(f, NULL) : NULL;
        if (!x) {
            lease_give_back(f->o.segment, lease);
            continue;
        }
        x->adopted = lease;
        if (handle[0])
            sf_cancel_handle(f->sf, handle, cancelling_done, x);
        else
            sf_cancel_request(f->sf, uuid, cancelling_done, x);
    }
}

void
cancel_tick(struct front *f)
{
    struct cancelling *x;

    for (x = f->cancelling; x; x = x->next)
        if (f->now_ns >= x->deadline_ns)
            let_go(x);
    adopt_orphans(f);
}

void
cancel_free(struct front *f)
{
    struct cancelling *x;

    while ((x = f->cancelling)) {
        f->cancelling = x->next;
        let_go(x);
        free(x);
    }
}
