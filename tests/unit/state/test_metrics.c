/* Counters add up over slots and lives, and the text keeps the runbook's pipelines right. */
#include "state/metrics.h"

#include "state/gauges.h"
#include "state/segment.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static struct segment *seg;
static struct buf out;
static double gauges[METRIC_GAUGE__COUNT];

static int
setup(void **state)
{
    seg = segment_create(3, NULL);
    buf_init(&out, 1 << 20);
    for (unsigned i = 0; i < METRIC_GAUGE__COUNT; i++)
        gauges[i] = 0;
    return seg ? 0 : -1;
}

static int
teardown(void **state)
{
    segment_free(seg);
    buf_fini(&out);
    return 0;
}

static const char *
text(bool comments)
{
    buf_clear(&out);
    metrics_write(seg, gauges, comments, &out);
    assert_false(out.failed);
    return buf_text(&out);
}

/* How many lines hold the string: what grep would show. */
static unsigned
grep(const char *all, const char *what)
{
    unsigned n = 0;

    for (const char *p = all; *p;) {
        size_t line = strcspn(p, "\n");
        n += memmem(p, line, what, strlen(what)) != NULL;
        p += line + (p[line] == '\n');
    }
    return n;
}

static void
assert_line(const char *all, const char *line)
{
    char want[256];

    snprintf(want, sizeof want, "\n%s\n", line);
    if (!strstr(all, want))
        fail_msg("no line \"%s\" in:\n%s", line, all);
}

static const char *const singletons[] = { "pool_connections_active", "pool_connections_max",
    "pool_connections_peak", "pool_connections_total", "mcp_requests_per_second",
    "mcp_active_sessions_total" };
static const char *const tools[] = { "list_databases", "execute_query", "other" };

static void
count_everything(void)
{
    for (unsigned c = 0; c < METRIC_COUNTER__COUNT; c++)
        for (unsigned a = 0; a < 40; a++)
            for (unsigned b = 0; b < 40; b++)
                metrics_count(c, a, b, 1);
    for (unsigned h = 0; h < METRIC_HISTOGRAM__COUNT; h++)
        for (unsigned a = 0; a < 40; a++)
            metrics_observe(h, a, 1000000000);
}

static void
singleton_names_find_one_line_each(void **state)
{
    metrics_name_dim(METRIC_DIM_TOOL, tools, 3);
    count_everything();
    for (unsigned i = 0; i < 6; i++) {
        const char *all = text(false);
        assert_int_equal(grep(all, singletons[i]), 1);
        const char *line = strstr(all, singletons[i]);
        assert_int_equal(line[strlen(singletons[i])], ' '); /* no labels */
        /* With comments: HELP, TYPE and the sample, and no other metric's help. */
        assert_int_equal(grep(text(true), singletons[i]), 3);
    }
    assert_int_equal(grep(text(false), "#"), 0);
}

static void
every_sample_has_a_value_as_its_second_word(void **state)
{
    count_everything();
    char *copy = strdup(text(false)), *save;
    for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *blank = strchr(line, ' '), *end;
        assert_non_null(blank);
        strtod(blank + 1, &end);
        assert_int_equal(*end, '\0');
    }
    free(copy);
}

static void
no_series_appears_twice(void **state)
{
    count_everything();
    const char *all = text(false);
    for (const char *p = all; *p; p += strcspn(p, "\n") + 1) {
        char series[300] = "\n";
        size_t n = strcspn(p, " ") + 1; /* with the blank, so that no longer name is meant */
        assert_true(n < sizeof series - 1);
        memcpy(series + 1, p, n);
        const char *again = strstr(p, series);
        if (again)
            fail_msg("twice:%s", series);
    }
}

static void
uncounted_metrics_have_one_line(void **state)
{
    const char *all = text(false);

    assert_int_equal(grep(all, "mcp_requests_total"), 1);
    assert_int_equal(grep(all, "mcp_tool_errors_total"), 1);
    assert_int_equal(grep(all, "mcp_request_duration_seconds_count"), 1);
}

static void
label_sets_are_counted_apart(void **state)
{
    metrics_name_dim(METRIC_DIM_TOOL, tools, 3);
    metrics_count(METRIC_REQUESTS, metrics_status(200), 1, 3);
    metrics_count(METRIC_REQUESTS, metrics_status(429), 0, 1);
    metrics_count(METRIC_REQUESTS, metrics_status(777), 99, 2);
    metrics_count(METRIC_TOOL_ERRORS, 1, RC_INTERNAL, 2);
    metrics_count(METRIC_TOOL_ERRORS, 1, RC_NO_MEMORY, 3); /* the same class */
    const char *all = text(false);
    assert_line(all, "mcp_requests_total{status=\"200\",tool=\"execute_query\"} 3");
    assert_line(all, "mcp_requests_total{status=\"429\",tool=\"list_databases\"} 1");
    assert_line(all, "mcp_requests_total{status=\"other\",tool=\"other\"} 2");
    assert_line(all, "mcp_tool_errors_total{tool=\"execute_query\",class=\"internal\"} 5");
    assert_int_equal(metrics_total(seg, METRIC_REQUESTS), 6);
}

static void
buckets_are_cumulative_and_agree_with_the_count(void **state)
{
    metrics_observe(METRIC_REQUEST_SECONDS, 0, 10000000); /* exactly the first bound */
    metrics_observe(METRIC_REQUEST_SECONDS, 0, 10000001);
    metrics_observe(METRIC_REQUEST_SECONDS, 0, 7000000000);
    metrics_observe(METRIC_REQUEST_SECONDS, 0, 900000000000);
    const char *all = text(false);
    assert_line(all, "mcp_request_duration_seconds_bucket{le=\"0.01\"} 1");
    assert_line(all, "mcp_request_duration_seconds_bucket{le=\"0.02\"} 2");
    assert_line(all, "mcp_request_duration_seconds_bucket{le=\"5\"} 2");
    assert_line(all, "mcp_request_duration_seconds_bucket{le=\"10\"} 3");
    assert_line(all, "mcp_request_duration_seconds_bucket{le=\"300\"} 3");
    assert_line(all, "mcp_request_duration_seconds_bucket{le=\"+Inf\"} 4");
    assert_line(all, "mcp_request_duration_seconds_sum 907.020000001");
    assert_line(all, "mcp_request_duration_seconds_count 4");
}

static void
label_values_are_escaped_and_hold_no_blank(void **state)
{
    static const char *const odd[] = { "a \"b\"\\\n", "other" };

    metrics_name_dim(METRIC_DIM_TOOL, odd, 2);
    metrics_count(METRIC_ROWS, 0, 0, 1);
    assert_line(text(false), "mcp_rows_total{tool=\"a_\\\"b\\\"\\\\\\n\"} 1");
    metrics_name_dim(METRIC_DIM_TOOL, tools, 3);
}

static void
totals_survive_a_process_and_its_successor_goes_on(void **state)
{
    for (unsigned life = 1; life <= 3; life++) {
        pid_t p = fork();
        if (p == 0) {
            segment_enter(seg, 1, OWNER(1, life));
            for (unsigned i = 0; i < 1000; i++)
                metrics_count(METRIC_RETRIES, 0, 0, 1);
            kill(getpid(), SIGKILL);
        }
        waitpid(p, NULL, 0);
    }
    metrics_count(METRIC_RETRIES, 0, 0, 5); /* the supervisor's own block */
    assert_int_equal(metrics_total(seg, METRIC_RETRIES), 3005);
}

static void
gauges_print_whole_numbers_and_fractions(void **state)
{
    gauges[METRIC_POOL_ACTIVE] = 7;
    gauges[METRIC_RSS] = 123456789012.0;
    gauges[METRIC_RPS] = 0.25;
    const char *all = text(false);
    assert_int_equal(strncmp(all, "pool_connections_active 7\n", 26), 0);
    assert_line(all, "process_resident_memory_bytes 123456789012");
    assert_line(all, "mcp_requests_per_second 0.25");
    assert_int_equal(grep(text(true), "# TYPE process_cpu_seconds_total counter"), 1);
    assert_int_equal(grep(text(true), "# TYPE mcp_requests_total counter"), 1);
}

static void
the_rate_is_the_mean_of_a_minute(void **state)
{
    struct gauges_rate r = { .count = 0 };
    uint64_t now = 5;

    assert_true(gauges_rate_mean(&r) == 0);
    for (unsigned i = 0; i < 200; i++, now += 1000000000) {
        gauges_tick(&r, seg, now);
        metrics_count(METRIC_REQUESTS, 0, 0, i < 100 ? 1000 : 3);
    }
    assert_true(gauges_rate_mean(&r) == 3);
    struct gauges_rate young = { .count = 0 };
    gauges_tick(&young, seg, now);
    assert_true(gauges_rate_mean(&young) == 0);
    metrics_count(METRIC_REQUESTS, 0, 0, 8);
    gauges_tick(&young, seg, now + 2000000000);
    assert_true(gauges_rate_mean(&young) == 4);
}

static void
gauges_are_read_from_the_living(void **state)
{
    struct config c = {
        .server_heartbeat_limit_ms = 5000, .health_probe_ms = 60000, .session_timeout_min = 30
    };
    uint64_t now = UINT64_C(100000000000);

    for (unsigned i = 0; i < 2; i++) {
        struct slot *l = &seg->slots[i];
        atomic_store(&l->identity, i == 0 ? OWNER(0, 1) : 0);
        atomic_store(&l->kind, SLOT_WORKER);
        atomic_store(&l->heartbeat_ns, now);
        atomic_store(&l->upstream_idle, 3);
    }
    atomic_store(&seg->leases[2].owner, OWNER(0, 1));
    atomic_store(&seg->totals->leases_high, 3);
    atomic_store(&seg->control->pool_max, 10);
    gauges_read(seg, &c, NULL, now, gauges);
    assert_true(gauges[METRIC_POOL_ACTIVE] == 1);
    assert_true(gauges[METRIC_POOL_IDLE] == 3);
    assert_true(gauges[METRIC_POOL_TOTAL] == 4);
    assert_true(gauges[METRIC_POOL_MAX] == 10);
    assert_true(gauges[METRIC_WORKERS] == 1);
    assert_true(gauges[METRIC_RSS] > 100000); /* at least this process, the "supervisor" */
    assert_true(gauges[METRIC_OPEN_FDS] >= 3);
    assert_true(gauges[METRIC_START_TIME] > 1.7e9);
    assert_true(gauges[METRIC_MEMORY_LIMIT] >= 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(singleton_names_find_one_line_each),
        T(every_sample_has_a_value_as_its_second_word),
        T(no_series_appears_twice),
        T(uncounted_metrics_have_one_line),
        T(label_sets_are_counted_apart),
        T(buckets_are_cumulative_and_agree_with_the_count),
        T(label_values_are_escaped_and_hold_no_blank),
        T(totals_survive_a_process_and_its_successor_goes_on),
        T(gauges_print_whole_numbers_and_fractions),
        T(the_rate_is_the_mean_of_a_minute),
        T(gauges_are_read_from_the_living),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
