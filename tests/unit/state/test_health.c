/* What /health and /readyz say, and who probes. */
#include "state/health.h"

#include "json_dom.h"
#include "state/lease.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define SECOND UINT64_C(1000000000)
static struct segment *seg;
static struct config conf = { .server_heartbeat_limit_ms = 5000, .health_probe_ms = 60000 };
static const uint64_t now = 1000 * SECOND;
static const uint64_t interval = 60 * SECOND;
static struct buf out;
static struct json *doc;

static void
worker(unsigned slot, enum slot_state state)
{
    atomic_store(&seg->slots[slot].identity, OWNER(slot, 1));
    atomic_store(&seg->slots[slot].kind, SLOT_WORKER);
    atomic_store(&seg->slots[slot].state, state);
    atomic_store(&seg->slots[slot].heartbeat_ns, now);
}

static int
setup(void **state)
{
    seg = segment_create(4, NULL);
    buf_init(&out, 65536);
    doc = NULL;
    if (!seg)
        return -1;
    atomic_store(&seg->control->pool_max, 2);
    atomic_store(&seg->control->pool_queue, 1);
    atomic_store(&seg->control->workers_configured, 2);
    atomic_store(&seg->control->started_ns, now - 7 * SECOND);
    return 0;
}

static int
teardown(void **state)
{
    json_free(doc);
    segment_free(seg);
    buf_fini(&out);
    return 0;
}

static int
ask(void)
{
    struct json_fault fault;

    buf_clear(&out);
    int status = health_write(seg, &conf, now, &out);
    json_free(doc);
    doc = json_parse(buf_str(&out), 8, &fault);
    assert_non_null(doc);
    assert_int_equal(out.p[out.len - 1], '\n');
    return status;
}

static void
assert_says(const char *key, const char *value)
{
    assert_true(str_is(json_string(json_get(doc, key)), value));
}

static void
a_working_server_is_healthy(void **state)
{
    worker(0, SLOT_SERVING);
    worker(1, SLOT_SERVING);
    health_success(seg, now - SECOND);
    assert_int_equal(ask(), 200);
    assert_says("status", "healthy");
    assert_says("snowflake_connection", "healthy");
    int64_t n;
    assert_int_equal(json_integer(json_get(doc, "uptime_seconds"), &n), 0);
    assert_int_equal(n, 7);
    const struct json *pool = json_get(doc, "connection_pool");
    assert_int_equal(json_integer(json_get(pool, "max"), &n), 0);
    assert_int_equal(n, 2);
    assert_int_equal(json_count(pool), 5);
    assert_int_equal(json_count(json_get(doc, "reasons")), 0);
}

static void
a_missing_or_stuck_worker_degrades(void **state)
{
    worker(0, SLOT_SERVING);
    worker(1, SLOT_SERVING);
    atomic_store(&seg->slots[1].heartbeat_ns, now - 6 * SECOND);
    health_success(seg, now);
    assert_int_equal(ask(), 200);
    assert_says("status", "degraded");
    assert_says("snowflake_connection", "healthy");
    assert_int_equal(json_count(json_get(doc, "reasons")), 1);
}

static void
without_a_worker_it_answers_503(void **state)
{
    health_success(seg, now);
    assert_int_equal(ask(), 503);
    assert_says("status", "unhealthy");
    worker(0, SLOT_STARTING);
    assert_int_equal(ask(), 503);
    assert_says("status", "starting");
    worker(0, SLOT_SERVING);
    assert_int_equal(ask(), 200);
    atomic_store(&seg->control->draining, 1);
    assert_int_equal(ask(), 503);
    assert_says("status", "draining");
}

static void
snowflake_health_follows_the_last_outcomes(void **state)
{
    worker(0, SLOT_SERVING);
    worker(1, SLOT_SERVING);
    assert_int_equal(ask(), 200); /* starts with Snowflake unknown */
    assert_says("snowflake_connection", "unknown");
    assert_says("status", "degraded");
    health_failure(seg, now, false);
    assert_int_equal(health_of_snowflake(seg, interval, now), HEALTH_DEGRADED);
    health_success(seg, now);
    health_failure(seg, now, false); /* one failure after a fresh success changes nothing */
    assert_int_equal(health_of_snowflake(seg, interval, now), HEALTH_HEALTHY);
    assert_int_equal(health_of_snowflake(seg, interval, now + 121 * SECOND), HEALTH_DEGRADED);
    for (int i = 0; i < 4; i++)
        health_failure(seg, now, false);
    assert_int_equal(health_of_snowflake(seg, interval, now), HEALTH_UNHEALTHY);
    health_success(seg, now);
    assert_int_equal(health_of_snowflake(seg, interval, now), HEALTH_HEALTHY);
    health_failure(seg, now, true);
    assert_int_equal(ask(), 200); /* the truth is in the body */
    assert_says("status", "unhealthy");
    assert_says("snowflake_connection", "unhealthy");
    health_success(seg, now);
    assert_int_equal(ask(), 200);
    assert_says("status", "healthy");
}

static void
one_worker_probes_and_a_dead_prober_gives_way(void **state)
{
    assert_true(health_claim_probe(seg, now, interval)); /* at start, at once */
    assert_false(health_claim_probe(seg, now, interval));
    assert_true(health_claim_probe(seg, now + 31 * SECOND, interval));
    health_success(seg, now + 32 * SECOND);
    health_probe_done(seg);
    assert_false(health_claim_probe(seg, now + 33 * SECOND, interval));
    assert_false(health_claim_probe(seg, now + 91 * SECOND, interval));
    assert_true(health_claim_probe(seg, now + 92 * SECOND, interval));
}

static void
ready_until_the_line_is_full(void **state)
{
    struct lease_ticket t[3] = { 0 };

    assert_int_equal(health_write_ready(seg, &conf, now, &out), 503);
    worker(0, SLOT_SERVING);
    segment_enter(seg, 0, OWNER(0, 1));
    assert_int_equal(health_write_ready(seg, &conf, now, &out), 200);
    for (int i = 0; i < 3; i++)
        assert_int_not_equal(lease_request(seg, &t[i], 1, now), LEASE_QUEUE_FULL);
    assert_int_equal(health_write_ready(seg, &conf, now, &out), 503);
    lease_leave(seg, &t[2]);
    assert_int_equal(health_write_ready(seg, &conf, now, &out), 200);
    atomic_store(&seg->control->draining, 1);
    buf_clear(&out);
    assert_int_equal(health_write_ready(seg, &conf, now, &out), 503);
    assert_string_equal(buf_text(&out), "{\"ready\":false,\"reason\":\"draining\"}\n");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_working_server_is_healthy),
        T(a_missing_or_stuck_worker_degrades),
        T(without_a_worker_it_answers_503),
        T(snowflake_health_follows_the_last_outcomes),
        T(one_worker_probes_and_a_dead_prober_gives_way),
        T(ready_until_the_line_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
