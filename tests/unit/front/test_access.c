/* Hosts, origins and media types: pure functions over header values. */
#include "front/access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *const hosts[] = { "mcp.example", "other.example:8443", NULL };
static const char *const any[] = { "*", NULL };
static const char *const origins[] = { "https://app.example", NULL };

static bool
host(const struct config *c, const char *h)
{
    return access_host_allowed(c, str_of(h));
}

static void
loopback_names_are_always_allowed(void **state)
{
    static const char *const good[] = { "localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:8000",
        "[::1]", "[::1]:65535", "localhost:" };
    static const char *const bad[] = { "", ":80", "localhost.", "localhost.evil.example",
        "evil-localhost", "127.0.0.1.evil.example", "127.0.0.2", "::1", "[::1", "[::1]x",
        "localhost:80x", "localhost:65536", "localhost:-1", "127.1", "0", "[::1]:8:0" };
    struct config c = { 0 };
    size_t i;

    for (i = 0; i < sizeof good / sizeof good[0]; i++)
        if (!host(&c, good[i]))
            fail_msg("refused: %s", good[i]);
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (host(&c, bad[i]))
            fail_msg("allowed: %s", bad[i]);
    assert_false(access_host_allowed(&c, STR_NONE));
}

static void
configured_hosts_are_allowed(void **state)
{
    struct config c = { .server_allowed_hosts = hosts };

    assert_true(host(&c, "MCP.example"));
    assert_true(host(&c, "mcp.example:9"));
    assert_true(host(&c, "other.example:8443"));
    assert_false(host(&c, "other.example:1"));
    assert_false(host(&c, "x.mcp.example"));
    c.server_allowed_hosts = any;
    assert_true(host(&c, "anything.example:1"));
    assert_false(host(&c, ""));
}

static bool
origin(const struct config *c, const char *o, const char *h)
{
    return access_origin_allowed(c, str_of(o), str_of(h));
}

static void
origins_are_listed_or_local_to_a_local_host(void **state)
{
    struct config c = { .server_allowed_origins = origins };

    assert_true(origin(&c, "https://app.example", "mcp.example"));
    assert_false(origin(&c, "http://app.example", "mcp.example"));
    assert_false(origin(&c, "https://app.example:1", "mcp.example"));
    assert_true(origin(&c, "http://localhost:6274", "127.0.0.1:8000"));
    assert_true(origin(&c, "https://[::1]", "localhost"));
    assert_false(origin(&c, "http://localhost:6274", "mcp.example"));
    assert_false(origin(&c, "http://localhost.evil.example", "localhost"));
    assert_false(origin(&c, "http://localhost/x", "localhost"));
    assert_false(origin(&c, "file://localhost", "localhost"));
    assert_false(origin(&c, "null", "localhost"));
    assert_false(origin(&c, "", "localhost"));
}

static void
only_json_bodies_are_taken(void **state)
{
    assert_true(media_is_json(STR("application/json")));
    assert_true(media_is_json(STR("Application/JSON ; charset=utf-8")));
    assert_false(media_is_json(STR("application/json-rpc")));
    assert_false(media_is_json(STR("text/json")));
    assert_false(media_is_json(STR("")));
    assert_false(media_is_json(STR_NONE));
}

static void
accept_is_read_as_http_says(void **state)
{
    static const struct {
        const char *text;
        unsigned accepts;
    } rows[] = {
        { "application/json, text/event-stream", ACCEPTS_JSON | ACCEPTS_SSE },
        { "text/event-stream , application/json", ACCEPTS_JSON | ACCEPTS_SSE },
        { "*/*", ACCEPTS_JSON | ACCEPTS_SSE }, { "application/json", ACCEPTS_JSON },
        { "APPLICATION/*;q=0.5", ACCEPTS_JSON }, { "text/*", ACCEPTS_SSE },
        { "text/event-stream;q=0.001", ACCEPTS_SSE }, { "*/*;q=0", 0 },
        { "*/*, application/json;q=0", ACCEPTS_SSE },
        { "application/json;q=0.0, */*", ACCEPTS_SSE },
        { "application/json;charset=utf-8;q=1", ACCEPTS_JSON }, { "text/html, image/png", 0 },
        { "", 0 }, { ",,;,", 0 }, { "application/json;q=", ACCEPTS_JSON }, /* says nothing */
    };
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (media_accepts(str_of(rows[i].text)) != rows[i].accepts)
            fail_msg("%s: %u", rows[i].text, media_accepts(str_of(rows[i].text)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loopback_names_are_always_allowed),
        cmocka_unit_test(configured_hosts_are_allowed),
        cmocka_unit_test(origins_are_listed_or_local_to_a_local_host),
        cmocka_unit_test(only_json_bodies_are_taken),
        cmocka_unit_test(accept_is_read_as_http_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
