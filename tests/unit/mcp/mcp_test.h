/* mcp_test.h - one message after the other against a server with default settings. */
#ifndef MCP_TEST_H
#define MCP_TEST_H

#include "mcp/mcp.h"
#include "mcp/server.h"
#include "unit/mcp/mcp_defaults.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define MODERN "2026-07-28"
#define META                                                                                       \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                       \
    "\"io.modelcontextprotocol/clientCapabilities\":{}}"

struct fixture {
    struct config config;
    struct mcp_server *server;
    struct arena *arena;
    struct mcp_request r;
    struct mcp_headers headers; /* for the next message; cleared after it */
    enum mcp_transport transport;
    const char *principal;
    unsigned negotiated;
    struct buf out;
    struct json *reply; /* of the last message, NULL if there was none */
    enum mcp_next next;
    char session[256];
};

static inline void
restart_server(struct fixture *f)
{
    struct err e = { "" };
    mcp_server_free(f->server);
    f->server = mcp_server_new(&f->config, &e);
    assert_string_equal(e.text, "");
    assert_non_null(f->server);
}

static inline int
fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    default_config(&f->config);
    f->principal = "anonymous";
    buf_init(&f->out, 64 << 20);
    restart_server(f);
    *state = f;
    return 0;
}

static inline void
forget_message(struct fixture *f)
{
    mcp_request_fini(&f->r);
    json_free(f->reply);
    f->reply = NULL;
    arena_free(f->arena);
    f->arena = NULL;
    memset(&f->r, 0, sizeof f->r);
    buf_clear(&f->out);
}

static inline int
fixture_teardown(void **state)
{
    struct fixture *f = *state;
    forget_message(f);
    buf_fini(&f->out);
    mcp_server_free(f->server);
    free(f);
    return 0;
}

static inline void
read_reply(struct fixture *f)
{
    static struct json_fault fault;
    json_free(f->reply);
    f->reply = NULL;
    if (f->out.len == 0)
        return;
    assert_false(f->out.failed);
    f->reply = json_parse(buf_str(&f->out), 64, &fault);
    if (!f->reply)
        print_error("%s at %zu in: %s\n", fault.message, fault.offset, buf_text(&f->out));
    assert_non_null(f->reply);
}

/* decode and dispatch. */
static inline enum mcp_next
say_bytes(struct fixture *f, struct str body)
{
    forget_message(f);
    f->arena = arena_new(8 << 20);
    f->r = (struct mcp_request){ .server = f->server,
        .arena = f->arena,
        .transport = f->transport,
        .headers = f->headers,
        .principal = str_of(f->principal),
        .negotiated = f->negotiated,
        .body = body };
    memset(&f->headers, 0, sizeof f->headers);
    f->next = mcp_decode(&f->r, &f->out);
    if (f->next == MCP_RUN)
        f->next = mcp_dispatch(&f->r, &f->out);
    read_reply(f);
    return f->next;
}

static inline enum mcp_next
say(struct fixture *f, const char *body)
{
    return say_bytes(f, str_of(body));
}

/* A value of the reply by a path such as "result/tools". */
static inline const struct json *
at(const struct fixture *f, const char *path)
{
    const struct json *v = f->reply;
    struct str rest = str_of(path), one;
    char key[128];

    while (str_split(&rest, '/', &one)) {
        assert_true(str_copy(key, sizeof key, one));
        uint64_t index;
        if (json_type(v) == JSON_ARRAY && str_to_u64(one, &index) == 0) {
            v = json_first(v);
            while (index--)
                v = json_following(v);
        } else {
            v = json_get(v, key);
        }
    }
    return v;
}

static inline bool
text_is(const struct fixture *f, const char *path, const char *want)
{
    struct str s = json_string(at(f, path));
    if (s.p && str_is(s, want))
        return true;
    print_error("%s is %.*s\n  wanted %s\n", path, STR_ARG(s.p ? s : STR("(absent)")), want);
    return false;
}

static inline bool
contains(struct str s, const char *part)
{
    return s.p && memmem(s.p, s.n, part, strlen(part)) != NULL;
}

static inline bool
text_has(const struct fixture *f, const char *path, const char *part)
{
    struct str s = json_string(at(f, path));
    if (contains(s, part))
        return true;
    print_error("%s is %.*s\n  lacks %s\n", path, STR_ARG(s.p ? s : STR("(absent)")), part);
    return false;
}

static inline int64_t
number_at(const struct fixture *f, const char *path)
{
    int64_t n;
    return json_integer(at(f, path), &n) == 0 ? n : INT64_MIN;
}

/* The reply is this JSON-RPC error with this HTTP status. */
#define assert_error(f, http, code)                                                                \
    do {                                                                                           \
        assert_int_equal((f)->next, MCP_REPLY);                                                    \
        assert_int_equal(number_at(f, "error/code"), code);                                        \
        assert_int_equal((f)->r.http_status, http);                                                \
        assert_null(at(f, "result"));                                                              \
        assert_true(json_string(at(f, "error/message")).n > 0);                                    \
    } while (0)

#define assert_accepted(f)                                                                         \
    do {                                                                                           \
        assert_int_equal((f)->next, MCP_ACCEPTED);                                                 \
        assert_int_equal((f)->r.http_status, 202);                                                 \
        assert_int_equal((f)->out.len, 0);                                                         \
    } while (0)

/* Opens a legacy session of this revision; its id is in f->session afterwards. */
static inline void
open_session_of(struct fixture *f, const char *revision)
{
    char body[256];
    snprintf(body, sizeof body,
        "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
        "\"%s\",\"capabilities\":{},\"clientInfo\":{\"name\":\"probe\",\"version\":\"1\"}}}",
        revision);
    assert_int_equal(say(f, body), MCP_REPLY);
    assert_true(str_copy(f->session, sizeof f->session, f->r.session_id));
}

/* A request inside that session. */
static inline enum mcp_next
say_in_session(struct fixture *f, const char *body)
{
    f->headers.session_id = str_of(f->session);
    return say(f, body);
}

/* A modern request with the headers that its body asks for. */
static inline enum mcp_next
say_modern(struct fixture *f, const char *method, const char *name, const char *params)
{
    static char body[1 << 17];
    snprintf(body, sizeof body,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":{%s%s" META "}}", method,
        params, *params ? "," : "");
    f->headers.protocol_version = STR(MODERN);
    f->headers.method = str_of(method);
    f->headers.name = str_of(name);
    return say(f, body);
}

#endif
