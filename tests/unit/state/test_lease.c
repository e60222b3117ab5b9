/* Leases, one process at a time: claims, the line, turns between clients, resize, sweep, orphans.
 * Several "processes" are played by changing s->me. */
#include "state/lease.h"

#include "clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct segment *seg;

static void
be(unsigned slot)
{
    segment_enter(seg, slot, OWNER(slot, 1));
    atomic_store(&seg->slots[slot].identity, OWNER(slot, 1));
}

static int
setup(void **state)
{
    seg = segment_create(4, NULL);
    if (!seg)
        return -1;
    atomic_store(&seg->control->pool_max, 2);
    atomic_store(&seg->control->pool_queue, 8);
    be(1);
    be(0);
    return 0;
}

static int
teardown(void **state)
{
    segment_free(seg);
    return 0;
}

static bool
all_wait(void *arg, int waiter)
{
    return true;
}
static bool
none_waits(void *arg, int waiter)
{
    return false;
}

static void
assert_nothing_left(void)
{
    assert_int_equal(lease_count(seg), 0);
    assert_int_equal(lease_waiting(seg), 0);
    for (unsigned i = 0; i < WAITERS_MAX; i++)
        assert_int_equal(seg->waiters[i].owner, 0);
    for (unsigned i = 0; i < WAITERS_MAX / 64; i++)
        assert_int_equal(seg->line->words[i], 0);
}

static void
a_lease_is_granted_up_to_the_maximum(void **state)
{
    struct lease_ticket a = { 0 }, b = { 0 }, c = { 0 };

    assert_int_equal(lease_request(seg, &a, 1, 10), LEASE_GRANTED);
    assert_int_equal(lease_request(seg, &b, 1, 10), LEASE_GRANTED);
    assert_int_equal(lease_request(seg, &c, 1, 10), LEASE_WAITING);
    assert_int_equal(lease_count(seg), 2);
    assert_int_equal(lease_waiting(seg), 1);
    assert_int_equal(lease_longest_wait_ns(seg, 25), 15);
    assert_false(lease_poll(seg, &c));
    lease_leave(seg, &a);
    assert_int_equal(lease_count(seg), 2); /* handed over, never free in between */
    assert_true(lease_poll(seg, &c));
    assert_true(lease_poll(seg, &c));
    assert_int_equal(lease_waiting(seg), 0);
    lease_leave(seg, &b);
    lease_leave(seg, &c);
    lease_leave(seg, &c);
    assert_int_equal(seg->totals->pool_peak, 2);
    assert_nothing_left();
}

static void
a_zero_ticket_is_left_without_effect(void **state)
{
    struct lease_ticket a = { 0 }, unused = { 0 };

    lease_request(seg, &a, 1, 0);
    assert_int_equal(a.lease, 0);
    lease_leave(seg, &unused);
    assert_false(lease_poll(seg, &unused));
    assert_int_equal(lease_count(seg), 1);
    lease_leave(seg, &a);
}

static void
a_full_line_refuses_and_a_leaver_makes_room(void **state)
{
    struct lease_ticket held[2] = { 0 }, line[8] = { 0 }, more = { 0 };

    for (int i = 0; i < 2; i++)
        lease_request(seg, &held[i], 1, 0);
    for (int i = 0; i < 8; i++)
        assert_int_equal(lease_request(seg, &line[i], 1, 0), LEASE_WAITING);
    assert_int_equal(lease_request(seg, &more, 1, 0), LEASE_QUEUE_FULL);
    lease_leave(seg, &more);
    lease_leave(seg, &line[3]);
    assert_int_equal(lease_request(seg, &more, 1, 0), LEASE_WAITING);
    lease_leave(seg, &more);
    for (int i = 0; i < 8; i++)
        lease_leave(seg, &line[i]);
    for (int i = 0; i < 2; i++)
        lease_leave(seg, &held[i]);
    assert_nothing_left();
}

static void
one_clients_calls_go_in_order(void **state)
{
    struct lease_ticket held[2] = { 0 }, line[6] = { 0 };

    for (int i = 0; i < 2; i++)
        lease_request(seg, &held[i], 1, 0);
    for (int i = 0; i < 6; i++)
        lease_request(seg, &line[i], 1, 0);
    lease_leave(seg, &line[2]);
    for (int i = 0; i < 6; i++) {
        if (i == 2)
            continue;
        lease_leave(seg, &held[0]);
        for (int j = i + 1; j < 6; j++)
            assert_false(lease_poll(seg, &line[j]));
        assert_true(lease_poll(seg, &line[i]));
        held[0] = line[i];
    }
    lease_leave(seg, &held[0]);
    lease_leave(seg, &held[1]);
    assert_nothing_left();
}

static void
a_light_client_goes_before_a_heavy_ones_line(void **state)
{
    struct lease_ticket held[2] = { 0 }, heavy[5] = { 0 }, light = { 0 };

    for (int i = 0; i < 2; i++)
        lease_request(seg, &held[i], 111, 0);
    for (int i = 0; i < 5; i++)
        lease_request(seg, &heavy[i], 111, 0);
    be(1); /* the light one came to another worker */
    assert_int_equal(lease_request(seg, &light, 222, 0), LEASE_WAITING);
    be(0);
    lease_leave(seg, &held[0]);
    for (int i = 0; i < 5; i++)
        assert_false(lease_poll(seg, &heavy[i]));
    be(1);
    assert_true(lease_poll(seg, &light));
    assert_int_equal(OWNER_PROCESS(seg->leases[light.lease].owner), OWNER(1, 1));
    lease_leave(seg, &light);
    be(0);
    assert_true(lease_poll(seg, &heavy[0]));
    lease_leave(seg, &heavy[0]);
    for (int i = 1; i < 5; i++)
        lease_leave(seg, &heavy[i]);
    lease_leave(seg, &held[1]);
    assert_nothing_left();
}

/* Somebody else is on the way into the line, or died there: who comes next must not wait for a
 * release that nobody owes. */
static void
a_free_lease_is_found_behind_a_half_entered_waiter(void **state)
{
    struct lease_ticket a = { 0 };

    atomic_store(&seg->waiters[0].owner, OWNER(1, 1));
    atomic_store(&seg->line->words[0], 1);
    assert_int_equal(lease_request(seg, &a, 1, 0), LEASE_GRANTED);
    lease_leave(seg, &a);
    uint64_t live[4] = { OWNER(0, 1) };
    assert_int_equal(lease_sweep(seg, live, 4), 1);
    assert_nothing_left();
}

static void
a_grant_to_a_leaver_is_passed_on(void **state)
{
    struct lease_ticket held[2] = { 0 }, a = { 0 }, b = { 0 };

    for (int i = 0; i < 2; i++)
        lease_request(seg, &held[i], 1, 0);
    lease_request(seg, &a, 1, 0);
    lease_request(seg, &b, 1, 0);
    lease_leave(seg, &held[0]); /* a has it now, but does not know yet */
    lease_leave(seg, &a);
    assert_true(lease_poll(seg, &b));
    lease_leave(seg, &b);
    lease_leave(seg, &held[1]);
    assert_nothing_left();
}

static void
a_late_grant_is_taken_back_by_the_tick(void **state)
{
    struct lease_ticket held = { 0 };

    lease_request(seg, &held, 1, 0);
    /* A slow process hands to entry 5 after the call there has left. */
    atomic_store(&seg->leases[held.lease].owner, OWNER(0, 1) | 6u << 16);
    lease_tend(seg, none_waits, NULL);
    assert_nothing_left();
}

static void
a_lost_ticket_is_restored_by_the_tick(void **state)
{
    struct lease_ticket held[2] = { 0 }, a = { 0 };

    for (int i = 0; i < 2; i++)
        lease_request(seg, &held[i], 1, 0);
    lease_request(seg, &a, 1, 0);
    atomic_store(&seg->waiters[a.waiter].ticket, 0); /* the taker died before it granted */
    lease_leave(seg, &held[0]);
    assert_false(lease_poll(seg, &a));
    assert_int_equal(lease_count(seg), 1);
    lease_tend(seg, all_wait, NULL);
    assert_true(lease_poll(seg, &a));
    lease_leave(seg, &a);
    lease_leave(seg, &held[1]);
    assert_nothing_left();
}

static void
a_lost_hint_is_restored_by_the_tick(void **state)
{
    struct lease_ticket held[2] = { 0 }, a = { 0 };

    for (int i = 0; i < 2; i++)
        lease_request(seg, &held[i], 1, 0);
    lease_request(seg, &a, 1, 0);
    lease_leave(seg, &held[0]);
    atomic_store(&seg->waiters[a.waiter].granted, 0); /* killed between the grant and the hint */
    assert_false(lease_poll(seg, &a));
    lease_tend(seg, all_wait, NULL);
    assert_true(lease_poll(seg, &a));
    lease_leave(seg, &a);
    lease_leave(seg, &held[1]);
    assert_nothing_left();
}

static void
a_wrong_hint_grants_nothing(void **state)
{
    struct lease_ticket held[2] = { 0 }, a = { 0 };

    for (int i = 0; i < 2; i++)
        lease_request(seg, &held[i], 1, 0);
    lease_request(seg, &a, 1, 0);
    atomic_store(&seg->waiters[a.waiter].granted, 1); /* lease 0 is held by another call */
    assert_false(lease_poll(seg, &a));
    atomic_store(&seg->waiters[a.waiter].granted, 70000);
    assert_false(lease_poll(seg, &a));
    lease_leave(seg, &held[0]);
    assert_true(lease_poll(seg, &a));
    lease_leave(seg, &a);
    lease_leave(seg, &held[1]);
    assert_nothing_left();
}

static void
growing_lets_waiters_in_at_the_tick(void **state)
{
    struct lease_ticket held[2] = { 0 }, line[4] = { 0 };

    for (int i = 0; i < 2; i++)
        lease_request(seg, &held[i], 1, 0);
    for (int i = 0; i < 4; i++)
        lease_request(seg, &line[i], 1, 0);
    atomic_store(&seg->control->pool_max, 5);
    lease_tend(seg, all_wait, NULL);
    assert_int_equal(lease_count(seg), 5);
    assert_true(
        lease_poll(seg, &line[0]) && lease_poll(seg, &line[1]) && lease_poll(seg, &line[2]));
    assert_false(lease_poll(seg, &line[3]));
    assert_int_equal(seg->totals->pool_peak, 5);
    for (int i = 0; i < 4; i++)
        lease_leave(seg, &line[i]);
    for (int i = 0; i < 2; i++)
        lease_leave(seg, &held[i]);
    assert_nothing_left();
}

static void
shrinking_drains_without_going_above_the_new_maximum(void **state)
{
    struct lease_ticket held[6] = { 0 }, late = { 0 };

    atomic_store(&seg->control->pool_max, 6);
    for (int i = 0; i < 6; i++)
        assert_int_equal(lease_request(seg, &held[i], 1, 0), LEASE_GRANTED);
    atomic_store(&seg->control->pool_max, 2);
    assert_int_equal(lease_request(seg, &late, 2, 0), LEASE_WAITING);
    lease_leave(seg, &held[0]); /* lowest ones first: those above the maximum still run */
    lease_leave(seg, &held[1]);
    assert_false(lease_poll(seg, &late));
    lease_leave(seg, &held[5]);
    lease_leave(seg, &held[2]);
    lease_tend(seg, all_wait, NULL);
    assert_false(lease_poll(seg, &late));
    assert_int_equal(lease_count(seg), 2); /* 3 and 4: as many as the maximum allows */
    lease_leave(seg, &held[3]);
    assert_true(lease_poll(seg, &late));
    assert_true(late.lease < 2);
    lease_leave(seg, &held[4]);
    lease_leave(seg, &late);
    assert_nothing_left();
}

static void
the_dead_are_swept_and_the_living_left_alone(void **state)
{
    struct lease_ticket a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };
    uint64_t live[4] = { OWNER(0, 1), OWNER(1, 1) };

    lease_request(seg, &a, 1, 0);
    be(1);
    lease_request(seg, &b, 1, 0);
    lease_request(seg, &c, 1, 0);
    be(0);
    lease_request(seg, &d, 1, 0);
    assert_int_equal(lease_sweep(seg, live, 4), 0);
    live[1] = OWNER(1, 2); /* its successor */
    atomic_store(&seg->slots[1].identity, OWNER(1, 2));
    assert_int_equal(lease_sweep(seg, live, 4), 2); /* a lease and a place in line */
    assert_int_equal(lease_sweep(seg, live, 4), 0);
    assert_int_equal(lease_count(seg), 1);
    lease_tend(seg, all_wait, NULL);
    assert_true(lease_poll(seg, &d));
    lease_leave(seg, &a);
    lease_leave(seg, &d);
    assert_nothing_left();
}

static void
nobody_is_handed_a_lease_after_death(void **state)
{
    struct lease_ticket held[2] = { 0 }, dead = { 0 }, mine = { 0 };

    for (int i = 0; i < 2; i++)
        lease_request(seg, &held[i], 1, 0);
    be(1);
    lease_request(seg, &dead, 2, 0);
    be(0);
    lease_request(seg, &mine, 1, 0);
    atomic_store(&seg->slots[1].identity, 0); /* reaped, not swept yet */
    lease_leave(seg, &held[0]);
    assert_true(lease_poll(seg, &mine));
    lease_leave(seg, &mine);
    lease_leave(seg, &held[1]);
    uint64_t live[4] = { OWNER(0, 1) };
    assert_int_equal(lease_sweep(seg, live, 4), 1);
    assert_nothing_left();
}

static void
an_orphaned_statement_is_adopted_once_and_survives_its_adopter(void **state)
{
    struct lease_ticket a = { 0 };
    char id[40], handle[64];
    uint64_t live[4] = { OWNER(0, 1) };

    be(1);
    lease_request(seg, &a, 1, 0);
    lease_note_request(seg, a.lease, "6ba7b810-9dad-11d1-80b4-00c04fd430c8");
    lease_note_handle(seg, a.lease, "01b2c3d4-0000-1111-0000-000000000001");
    be(0);
    assert_int_equal(lease_adopt_orphan(seg, id, handle), LEASE_NONE); /* it lives */
    assert_int_equal(lease_sweep(seg, live, 4), 0);
    assert_int_equal(lease_sweep(seg, live, 4), 0);
    assert_int_equal(lease_count(seg), 1); /* the statement still runs: it counts */
    assert_int_equal(lease_adopt_orphan(seg, id, handle), 0);
    assert_string_equal(id, "6ba7b810-9dad-11d1-80b4-00c04fd430c8");
    assert_string_equal(handle, "01b2c3d4-0000-1111-0000-000000000001");
    assert_int_equal(lease_adopt_orphan(seg, id, handle), LEASE_NONE);
    live[0] = OWNER(0, 2); /* the adopter dies, too */
    assert_int_equal(lease_sweep(seg, live, 4), 0);
    segment_enter(seg, 0, OWNER(0, 2));
    int again = lease_adopt_orphan(seg, id, handle);
    assert_int_equal(again, 0);
    assert_string_equal(handle, "01b2c3d4-0000-1111-0000-000000000001");
    lease_give_back(seg, again);
    assert_nothing_left();
}

static void
a_lease_without_a_running_statement_is_freed_at_once(void **state)
{
    struct lease_ticket a = { 0 };
    uint64_t live[4] = { 0 };

    lease_request(seg, &a, 1, 0);
    lease_note_request(seg, a.lease, "id");
    lease_note_ended(seg, a.lease);
    assert_int_equal(lease_sweep(seg, live, 4), 1);
    assert_nothing_left();
}

static void
names_are_cut_to_their_room(void **state)
{
    struct lease_ticket a = { 0 };
    char id[40], handle[64], longer[200];
    uint64_t live[4] = { 0 };

    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    lease_request(seg, &a, 1, 0);
    lease_note_request(seg, a.lease, longer);
    lease_note_handle(seg, a.lease, longer);
    lease_sweep(seg, live, 4);
    be(1);
    int i = lease_adopt_orphan(seg, id, handle);
    assert_int_equal(i, 0);
    assert_int_equal(strlen(id), 39);
    assert_int_equal(strlen(handle), 63);
    lease_give_back(seg, i);
}

static void
nonsense_in_the_segment_does_no_harm_to_the_sweep(void **state)
{
    uint64_t live[4] = { OWNER(0, 1) };

    atomic_store(&seg->leases[7].owner, UINT64_C(0xdeadbeefdeadbe0f));
    atomic_store(&seg->leases[8].owner, 0x10000);
    atomic_store(&seg->leases[4095].owner, OWNER(65000, 1));
    memset(seg->leases[4095].request_id, 'x', sizeof seg->leases[0].request_id);
    atomic_store(&seg->waiters[9].owner, UINT64_C(0xffffffff12345678));
    assert_int_equal(lease_sweep(seg, live, 4), 4);
    assert_int_equal(lease_sweep(seg, live, 4), 0);
    for (unsigned i = 0; i < LEASES_MAX; i++)
        assert_int_equal(seg->leases[i].owner, 0);
    assert_nothing_left();
}

/* Not a test of speed by itself: the bound is wide enough for any machine and any sanitizer. */
static void
request_and_leave_are_cheap(void **state)
{
    enum { N = 200000 };
    struct lease_ticket t = { 0 };

    atomic_store(&seg->control->pool_max, 10);
    uint64_t from = clock_ns();
    for (int i = 0; i < N; i++) {
        lease_request(seg, &t, 1, from);
        lease_leave(seg, &t);
    }
    uint64_t each = (clock_ns() - from) / N;
    print_message("request and leave: %llu ns\n", (unsigned long long)each);
    assert_true(each < 20000);
    assert_nothing_left();
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_lease_is_granted_up_to_the_maximum),
        T(a_zero_ticket_is_left_without_effect),
        T(a_full_line_refuses_and_a_leaver_makes_room),
        T(one_clients_calls_go_in_order),
        T(a_light_client_goes_before_a_heavy_ones_line),
        T(a_free_lease_is_found_behind_a_half_entered_waiter),
        T(a_grant_to_a_leaver_is_passed_on),
        T(a_late_grant_is_taken_back_by_the_tick),
        T(a_lost_ticket_is_restored_by_the_tick),
        T(a_lost_hint_is_restored_by_the_tick),
        T(a_wrong_hint_grants_nothing),
        T(growing_lets_waiters_in_at_the_tick),
        T(shrinking_drains_without_going_above_the_new_maximum),
        T(the_dead_are_swept_and_the_living_left_alone),
        T(nobody_is_handed_a_lease_after_death),
        T(an_orphaned_statement_is_adopted_once_and_survives_its_adopter),
        T(a_lease_without_a_running_statement_is_freed_at_once),
        T(names_are_cut_to_their_room),
        T(nonsense_in_the_segment_does_no_harm_to_the_sweep),
        T(request_and_leave_are_cheap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
