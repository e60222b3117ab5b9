/* api.c - routes of the SQL API and of the control endpoints, statuses and bodies.
 *
 * Runs in the event loop.  Must never wait: a synchronous statement keeps its call until it ends
 * or the limit passes. */
#include "emulator/api.h"

#include "clock.h"
#include "emulator/answers.h"
#include "emulator/catalog.h"
#include "emulator/submit.h"
#include "encode.h"
#include "json_text.h"
#include "must.h"

#include <stdio.h>
#include <stdlib.h>

#define BODY_MAX (64u << 20)

enum route {
    ROUTE_SUBMIT,
    ROUTE_POLL,
    ROUTE_PARTITION,
    ROUTE_CANCEL,
    ROUTE_CONTROL,
    ROUTE_OTHER,
    ROUTE__COUNT
};

struct api {
    struct api_options o;
    struct server *server;
    uint64_t requests[ROUTE__COUNT];
    struct waiting *waiting;
};

/* A synchronous submit whose statement still runs. */
struct waiting {
    struct waiting *next;
    struct api *api;
    struct server_call *call;
    struct statement *statement;
    struct loop_timer *limit;
    struct fault fault;
};

struct api *
api_new(const struct api_options *o)
{
    struct api *a = calloc(1, sizeof *a);

    if (a)
        a->o = *o;
    return a;
}

void
api_free(struct api *a)
{
    if (!a)
        return;
    while (a->waiting) {
        struct waiting *w = a->waiting;
        a->waiting = w->next;
        statement_unwait(w->statement, w);
        loop_timer_free(w->limit);
        free(w);
    }
    free(a);
}

void
api_set_server(struct api *a, struct server *s)
{
    a->server = s;
}

/* ---- submit --------------------------------------------------------------------------- */

static void
end_waiting(struct waiting *w)
{
    struct waiting **at = &w->api->waiting;

    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    loop_timer_free(w->limit);
    free(w);
}

static void
on_statement_ended(void *arg, struct statement *s)
{
    struct waiting *w = arg;

    if (statement_ended(s))
        answer_outcome(w->call, s, &w->fault);
    else
        answer_running(w->call, s, "333333", &w->fault);
    end_waiting(w);
}

static void
on_sync_limit(void *arg)
{
    struct waiting *w = arg;

    statement_unwait(w->statement, w);
    answer_running(w->call, w->statement, "333333", &w->fault);
    end_waiting(w);
}

static void
answer_submit(
    struct api *a, struct server_call *c, struct statement *s, bool async, const struct fault *f)
{
    struct waiting *w;

    if (statement_ended(s)) {
        answer_outcome(c, s, f);
        return;
    }
    if (async || !(w = calloc(1, sizeof *w))) {
        answer_running(c, s, "333334", f);
        return;
    }
    *w = (struct waiting){ .next = a->waiting, .api = a, .call = c, .statement = s, .fault = *f };
    a->waiting = w;
    w->limit = loop_timer_new(a->o.loop, on_sync_limit, w);
    if (w->limit)
        loop_timer_set(w->limit, a->o.sync_limit_ms);
    statement_wait(s, on_statement_ended, w);
}

/* Absent: false.  -1: neither true nor false. */
static int
bool_query(const struct server_call *c, const char *name)
{
    struct str v = server_query(c, name);

    if (!v.p || str_is_nocase(v, "false"))
        return 0;
    return str_is_nocase(v, "true") ? 1 : -1;
}

static bool
is_uuid(struct str s)
{
    if (s.n != UUID_TEXT - 1)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? s.p[i] != '-' : !strchr("0123456789abcdefABCDEF", s.p[i]))
            return false;
    }
    return true;
}

static void
refuse_query(struct server_call *c, const char *name)
{
    char text[120];

    snprintf(
        text, sizeof text, "Request parameter '%s' is not allowed or invalid for SQL API", name);
    answer_code(c, 400, "391917", text);
}

static bool
query_is_fine(struct server_call *c, bool submit)
{
    struct str id = server_query(c, "requestId");

    if (id.p && !is_uuid(id))
        refuse_query(c, "requestId");
    else if (server_query(c, "nullable").p)
        refuse_query(c, "nullable");
    else if (bool_query(c, "async") < 0 || (!submit && server_query(c, "async").p))
        refuse_query(c, "async");
    else if (bool_query(c, "retry") < 0 || (!submit && server_query(c, "retry").p))
        refuse_query(c, "retry");
    else
        return true;
    return false;
}

static void
fill_context(struct api *a, struct statement_spec *spec)
{
    if (!spec->database.p && a->o.database) {
        spec->database = str_of(a->o.database);
        if (!spec->schema.p && a->o.schema)
            spec->schema = str_of(a->o.schema);
    }
    if (!spec->warehouse.p && a->o.warehouse)
        spec->warehouse = str_of(a->o.warehouse);
    if (!spec->role.p && a->o.role)
        spec->role = str_of(a->o.role);
}

static bool
role_is_known(struct str role)
{
    char name[256];

    return !role.p || (str_copy(name, sizeof name, role) && catalog_has_role(name));
}

static void
handle_submit(struct api *a, struct server_call *c, const char *user)
{
    struct submit in;
    struct fault f;
    struct str id = server_query(c, "requestId");
    bool async = bool_query(c, "async") == 1, retry = bool_query(c, "retry") == 1;
    struct statement *s = NULL;
    char made[UUID_TEXT], text[400];

    if (submit_read(&in, server_body(c)) != 0) {
        answer_code(c, in.status, in.failure.code, in.failure.message);
        submit_fini(&in);
        return;
    }
    f = faults_match(a->o.faults, FAULTS_SUBMIT, server_path(c), in.spec.sql);
    if (answered_by_fault(c, &f)) {
        submit_fini(&in);
        return;
    }
    if (!role_is_known(in.spec.role)) {
        snprintf(text, sizeof text,
            "Role '%.*s' specified in the connect string does not exist or not authorized. Contact "
            "your local system administrator, or attempt to login with another role, e.g. PUBLIC.",
            (int)(in.spec.role.n < 100 ? in.spec.role.n : 100), in.spec.role.p);
        answer_code(c, 422, "390189", text);
        submit_fini(&in);
        return;
    }
    if (retry && id.p) {
        s = statements_find_request(a->o.statements, id);
        if (s && strcmp(statement_user(s), user) != 0)
            s = NULL;
    }
    if (!s) {
        uuid_v4(made);
        in.spec.request_id = id.p ? id : str_of(made);
        in.spec.user = str_of(user);
        in.spec.account = str_of(auth_account(a->o.auth));
        in.spec.async = async;
        fill_context(a, &in.spec);
        in.spec.statement_count = in.statement_count;
        s = statements_submit(a->o.statements, &in.spec);
        in.spec.binds = NULL;
    }
    if (s)
        answer_submit(a, c, s, async, &f);
    else
        answer_code(c, 500, "000603", "no memory");
    submit_fini(&in);
}

/* ---- poll, partition, cancel ---------------------------------------------------------- */

static struct statement *
find_own(struct api *a, struct str handle, const char *user)
{
    struct statement *s = statements_find(a->o.statements, handle);

    return s && strcmp(statement_user(s), user) == 0 ? s : NULL;
}

static void
handle_get(struct api *a, struct server_call *c, struct str handle, const char *user)
{
    struct str at = server_query(c, "partition");
    uint64_t partition = 0;
    struct statement *s = find_own(a, handle, user);
    struct fault f = faults_match(a->o.faults, at.p ? FAULTS_PARTITION : FAULTS_POLL,
        server_path(c), str_of(s ? statement_sql(s) : ""));

    if (answered_by_fault(c, &f))
        return;
    if (at.p && str_to_u64(at, &partition) != 0)
        refuse_query(c, "partition");
    else if (!s)
        answer_unknown_handle(c, handle);
    else if (!statement_ended(s) || f.kind == FAULT_FOREVER_202)
        answer_running(c, s, "333334", &f);
    else if (statement_state(s) != STATEMENT_SUCCEEDED)
        answer_outcome(c, s, &f);
    else if (partition >= result_partitions(statement_result(s)))
        refuse_query(c, "partition");
    else
        answer_partition(c, s, partition, &f);
}

static void
handle_cancel(struct api *a, struct server_call *c, struct str handle, const char *user)
{
    struct statement *s = find_own(a, handle, user);
    struct fault f =
        faults_match(a->o.faults, FAULTS_CANCEL, server_path(c), str_of(s ? statement_sql(s) : ""));
    struct buf b;

    if (answered_by_fault(c, &f))
        return;
    if (!s) {
        answer_unknown_handle(c, handle);
        return;
    }
    buf_init(&b, BODY_MAX);
    if (statements_cancel(a->o.statements, s)) {
        answer_put_code(&b, "000604", "SQL execution canceled");
        buf_put_z(&b, ",\"sqlState\":\"57014\"");
    } else {
        answer_put_code(&b, "000605", "Identified SQL statement is not currently executing.");
        buf_put_z(&b, ",\"sqlState\":\"02000\"");
    }
    bool canceled = !statement_ended(s);
    answer_put_handle(&b, s);
    answer_put_status_url(&b, s);
    buf_put_c(&b, '}');
    answer_json(c, canceled ? 200 : 422, buf_str(&b), NULL, false, &f);
    buf_fini(&b);
}

/* ---- control endpoints for tests ------------------------------------------------------ */

static void
put_stats_json(struct api *a, struct buf *b)
{
    static const char *const names[] = { [ROUTE_SUBMIT] = "submit",
        [ROUTE_POLL] = "poll",
        [ROUTE_PARTITION] = "partition",
        [ROUTE_CANCEL] = "cancel",
        [ROUTE_CONTROL] = "control",
        [ROUTE_OTHER] = "other" };
    struct engine_counts now;
    struct statements_totals t;
    unsigned open_now;
    uint64_t opened;

    engine_count(a->o.engine, &now);
    statements_totals(a->o.statements, &t);
    server_connections(a->server, &open_now, &opened);
    buf_printf(b, "{\"running\":%u,\"queued\":%u,\"peak_running\":%u", now.running, now.queued,
        now.peak_running);
    buf_printf(b, ",\"submitted\":%llu,\"statements_total\":%llu", (unsigned long long)t.submitted,
        (unsigned long long)t.submitted);
    buf_printf(b, ",\"succeeded\":%llu,\"failed\":%llu,\"cancelled\":%llu",
        (unsigned long long)t.succeeded, (unsigned long long)t.failed,
        (unsigned long long)t.canceled);
    buf_printf(b, ",\"logins\":%llu", (unsigned long long)auth_logins(a->o.auth));
    buf_printf(b, ",\"connections_open\":%u,\"connections_total\":%llu,\"requests\":{", open_now,
        (unsigned long long)opened);
    for (size_t i = 0; i < ROUTE__COUNT; i++)
        buf_printf(
            b, "%s\"%s\":%llu", i > 0 ? "," : "", names[i], (unsigned long long)a->requests[i]);
    buf_put_z(b, "}}");
}

static void
reset(struct api *a)
{
    faults_clear(a->o.faults);
    statements_forget_all(a->o.statements);
    engine_reset_peak(a->o.engine);
    memset(a->requests, 0, sizeof a->requests);
}

static void
handle_control(struct api *a, struct server_call *c, struct str what)
{
    const char *method = server_method(c);
    bool get = strcmp(method, "GET") == 0, post = strcmp(method, "POST") == 0;
    struct err e;
    struct buf b;
    int status = 200;

    buf_init(&b, BODY_MAX);
    if (!server_from_loopback(c)) {
        status = 403;
        answer_put_code(&b, "403", "loopback only");
        buf_put_c(&b, '}');
    } else if (get && str_is(what, "statements")) {
        statements_put_json(a->o.statements, &b);
    } else if (get && str_is(what, "stats")) {
        put_stats_json(a, &b);
    } else if (get && str_is(what, "faults")) {
        faults_put_json(a->o.faults, &b);
    } else if (post && str_is(what, "faults")) {
        if (faults_add(a->o.faults, server_body(c), &e) == 0) {
            buf_put_z(&b, "{}");
        } else {
            status = 400;
            answer_put_code(&b, "400", e.text);
            buf_put_c(&b, '}');
        }
    } else if (strcmp(method, "DELETE") == 0 && str_is(what, "faults")) {
        faults_clear(a->o.faults);
        buf_put_z(&b, "{}");
    } else if (post && str_is(what, "reset")) {
        reset(a);
        buf_put_z(&b, "{}");
    } else {
        status = 404;
        answer_put_code(&b, "404", "no such control endpoint");
        buf_put_c(&b, '}');
    }
    answer_json(c, status, buf_str(&b), NULL, false, &answer_no_fault);
    buf_fini(&b);
}

/* ---- routing -------------------------------------------------------------------------- */

static struct str
behind(struct str path, const char *prefix)
{
    return str_starts(path, prefix) ? str_from(path, strlen(prefix)) : STR_NONE;
}

static bool
media_type_is_json(struct str type)
{
    struct str first = type;

    return type.p && str_split(&type, ';', &first) &&
           str_is_nocase(str_trim(first), "application/json");
}

static bool
accepts_json(struct str accept)
{
    struct str item, first;

    while (str_split(&accept, ',', &item)) {
        if (str_split(&item, ';', &first) &&
            (str_is_nocase(str_trim(first), "application/json") || str_is(str_trim(first), "*/*")))
            return true;
    }
    return false;
}

static bool
headers_are_fine(struct server_call *c, bool post)
{
    if (!accepts_json(server_header(c, "Accept")))
        answer_code(c, 400, "391902", "Unsupported Accept header; use application/json.");
    else if (server_header(c, "User-Agent").n == 0)
        answer_code(c, 400, "391903", "The User-Agent header is missing.");
    else if (post && !media_type_is_json(server_header(c, "Content-Type")))
        answer_code(c, 415, "391901", "Unsupported Content-Type; use application/json.");
    else
        return true;
    return false;
}

static enum route
route_of(struct str path, const char *method, struct str *handle, bool *wrong_method)
{
    struct str rest = behind(path, "/api/v2/statements");
    enum route r = ROUTE_OTHER;

    *handle = STR_NONE;
    *wrong_method = false;
    if (!rest.p)
        return ROUTE_OTHER;
    if (rest.n == 0 || str_is(rest, "/")) {
        r = ROUTE_SUBMIT;
    } else if (rest.p[0] == '/') {
        struct str tail = str_from(rest, 1);
        if (!str_split(&tail, '/', handle) || handle->n == 0)
            return ROUTE_OTHER;
        r = !tail.p ? ROUTE_POLL : str_is(tail, "cancel") ? ROUTE_CANCEL : ROUTE_OTHER;
    }
    *wrong_method = r != ROUTE_OTHER && strcmp(method, r == ROUTE_POLL ? "GET" : "POST") != 0;
    return r;
}

void
api_handle(void *api, struct server_call *c)
{
    struct api *a = api;
    struct str path = server_path(c), handle, control = behind(path, "/__emulator/");
    struct auth_refusal why;
    bool wrong_method;

    if (!control.p)
        control = behind(path, "/emulator/");
    if (control.p) {
        a->requests[ROUTE_CONTROL]++;
        handle_control(a, c, control);
        return;
    }
    enum route r = route_of(path, server_method(c), &handle, &wrong_method);
    a->requests[r == ROUTE_POLL && server_query(c, "partition").p ? ROUTE_PARTITION : r]++;
    if (r == ROUTE_OTHER) {
        answer_code(c, 404, "390404", "Not Found");
        return;
    }
    if (wrong_method) {
        answer_code(c, 405, "390405", "Method Not Allowed");
        return;
    }
    const char *user = auth_check(a->o.auth, server_header(c, "Authorization"),
        server_header(c, "X-Snowflake-Authorization-Token-Type"), clock_wall_s(), &why);
    if (!user) {
        answer_code(c, 401, why.code, why.message);
        return;
    }
    if (!headers_are_fine(c, r == ROUTE_SUBMIT) || !query_is_fine(c, r == ROUTE_SUBMIT))
        return;
    if (r == ROUTE_SUBMIT)
        handle_submit(a, c, user);
    else if (r == ROUTE_POLL)
        handle_get(a, c, handle, user);
    else
        handle_cancel(a, c, handle, user);
}
