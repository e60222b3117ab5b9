/* Log lines have the shapes that operators cut, and nobody can forge one. */
#include "state/events.h"

#include "clock.h"
#include "log.h"
#include "state/rc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>
#include <cmocka.h>

static int ends[2];
static char line[16384];

static const char *
logged(void)
{
    ssize_t n = read(ends[0], line, sizeof line - 1);

    line[n > 0 ? n : 0] = '\0';
    return line;
}

static int
setup(void **state)
{
    struct log_options o = { .level = LOG_LEVEL_INFO };

    if (pipe(ends) != 0)
        return -1;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    o.fd = ends[1];
    return log_open(&o, NULL);
}

static int
teardown(void **state)
{
    close(ends[0]);
    close(ends[1]);
    return 0;
}

static void
the_tool_line_ends_with_the_bare_tool(void **state)
{
    struct event_tool_call e = { .request_id = STR("7f3a"),
        .client = STR("alice"),
        .status = 200,
        .duration_ms = 412,
        .rows = 100,
        .tool = "execute_query" };

    event_tool_call(&e);
    assert_string_equal(logged(), "info: tool_call id=7f3a client=alice status=200 duration_ms=412 "
                                  "rows=100 tool execute_query\n");
}

static void
a_client_cannot_forge_a_field_or_a_line(void **state)
{
    struct event_tool_call e = { .request_id = STR("1\ninfo: tool_call id=2 tool x"),
        .client = STR("a b=c\"\t\xff"),
        .status = 404,
        .tool = "unknown",
        .traceparent = STR("00-a b") };

    event_tool_call(&e);
    const char *text = logged();
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    unsigned blanks = 0;
    for (const char *p = text; *p; p++)
        blanks += *p == ' ';
    assert_int_equal(blanks, 9); /* info: tool_call, five fields, traceparent, tool, name */
    assert_non_null(strstr(text, " tool unknown\n"));
    char longest[5000];
    memset(longest, 'x', sizeof longest);
    e.client = (struct str){ longest, sizeof longest };
    event_tool_call(&e);
    assert_true(strlen(logged()) < 600);
}

static void
the_query_line_begins_with_the_number(void **state)
{
    event_query(412.34, STR("01b2"), STR("alice"), "execute_query", 100, "success");
    assert_string_equal(logged(), "412.3 query_duration_ms query_id=01b2 client=alice "
                                  "tool=execute_query rows=100 state=success\n");
}

static void
the_limit_line_begins_with_the_client(void **state)
{
    event_rate_limit(STR("alice"), "client", STR("60/min"), 12);
    assert_string_equal(logged(), "alice rate_limit level=warning scope=client limit=60/min "
                                  "retry_after=12\n");
    event_rate_limit(STR("a b"), "client", STR("60/min"), 12);
    assert_null(strstr(logged(), "a b"));
}

static void
pool_exhaustion_has_the_runbooks_words(void **state)
{
    event_pool_exhausted(30000, STR("alice"), STR("7f"));
    assert_string_equal(logged(),
        "error: connection timeout after 30000 ms waiting for a free slot "
        "(Connection pool exhausted) client=alice id=7f\n");
}

static void
no_outcome_puts_a_trouble_word_into_a_routine_line(void **state)
{
    static const char *const trouble[] = { "error", "warning", "failed", "timeout", "connection",
        "pool", "memory", "leak", "authentication", "authorization", "security", "rate_limit " };

    for (unsigned rc = 0; rc < RC__COUNT; rc++) {
        struct event_tool_call e = { .request_id = STR("1"),
            .client = STR("c"),
            .tool = "execute_query",
            .class_ = rc_table[rc].class };
        event_tool_call(&e);
        event_query(1, STR("q"), STR("c"), "execute_query", 0, rc_table[rc].class);
        logged();
        for (unsigned i = 0; i < sizeof trouble / sizeof *trouble; i++)
            if (strcasestr(line, trouble[i]))
                fail_msg("\"%s\" in: %s", trouble[i], line);
    }
}

static void
pairs_follow_the_constant_text(void **state)
{
    event(EVENT_ERROR, "worker exited", "worker", "3", "why", "a b", NULL);
    assert_string_equal(logged(), "error: worker exited worker=3 why=a\\x20b\n");
    event(EVENT_DEBUG, "not at this level", NULL);
    assert_string_equal(logged(), "");
}

static void
a_throttled_event_tells_what_it_left_out(void **state)
{
    for (int i = 0; i < 5; i++)
        event_throttled(EVENT_WARNING, "key", 1000, "security origin refused", "peer", "::1", NULL);
    assert_string_equal(logged(), "warning: security origin refused peer=::1\n");
    event_throttled(EVENT_WARNING, "another", 1000, "text", NULL);
    assert_string_equal(logged(), "warning: text\n");
    clock_skip_ms(1001);
    event_throttled(EVENT_WARNING, "key", 1000, "security origin refused", "peer", "::1", NULL);
    assert_string_equal(logged(), "warning: security origin refused peer=::1 left_out=4\n");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_tool_line_ends_with_the_bare_tool),
        T(a_client_cannot_forge_a_field_or_a_line),
        T(the_query_line_begins_with_the_number),
        T(the_limit_line_begins_with_the_client),
        T(pool_exhaustion_has_the_runbooks_words),
        T(no_outcome_puts_a_trouble_word_into_a_routine_line),
        T(pairs_follow_the_constant_text),
        T(a_throttled_event_tells_what_it_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
