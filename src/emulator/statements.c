/* statements.c - the table of statements: submit, wait, cancel, time out, forget.
 *
 * Runs in the event loop.  Must never free a statement while the engine holds its job or a call
 * waits for it. */
#include "emulator/statements.h"

#include "clock.h"
#include "encode.h"
#include "json_text.h"
#include "log.h"
#include "must.h"

#include <stdio.h>
#include <stdlib.h>

#define SWEEP_MS    1000
#define HISTORY_MAX 1000
#define MOST_WAITS  8

struct statement {
    struct engine_job job;
    struct statements *table;
    struct statement *newer, *older;
    char handle[UUID_TEXT];
    char *sql, *request_id, *user, *role, *warehouse, *database, *schema, *account, *query_tag;
    char *timezone, *parameters, *bindings, *history;
    struct engine_bind *binds;
    uint64_t timeout_s;
    int64_t created_ms, ended_ms;
    uint64_t ended_at; /* monotonic ms */
    bool async, ended, forgotten;
    struct loop_timer *timeout;
    struct {
        statement_cb *cb;
        void *arg;
    } waits[MOST_WAITS];
};

struct statements {
    struct statements_options o;
    struct statement *newest, *oldest;
    size_t count;
    struct loop_timer *sweep;
    struct statements_totals totals;
};

static void
free_binds(struct engine_bind *binds, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(binds[i].key);
        free(binds[i].type);
        free(binds[i].value);
    }
    free(binds);
}

static void
statement_free(struct statement *s)
{
    free_binds(s->binds, s->job.bind_count);
    loop_timer_free(s->timeout);
    result_free(s->job.result);
    free(s->job.cancel_handle);
    free(s->sql);
    free(s->request_id);
    free(s->user);
    free(s->role);
    free(s->warehouse);
    free(s->database);
    free(s->schema);
    free(s->account);
    free(s->query_tag);
    free(s->timezone);
    free(s->parameters);
    free(s->bindings);
    free(s->history);
    free(s);
}

static void
unlink_statement(struct statement *s)
{
    struct statements *t = s->table;

    *(s->newer ? &s->newer->older : &t->newest) = s->older;
    *(s->older ? &s->older->newer : &t->oldest) = s->newer;
    t->count--;
}

/* What nobody waits for and the engine does not hold any more. */
static bool
can_go(const struct statement *s)
{
    if (!s->ended)
        return false;
    for (size_t i = 0; i < MOST_WAITS; i++)
        if (s->waits[i].cb)
            return false;
    return true;
}

static void
sweep(struct statements *t)
{
    uint64_t now = clock_ms();
    size_t bytes = 0, count = 0;
    struct statement *older;

    for (struct statement *s = t->newest; s; s = older) {
        older = s->older;
        bytes += s->ended && s->job.result ? result_bytes(s->job.result) : 0;
        count++;
        bool old = s->ended && now - s->ended_at >= t->o.ttl_s * 1000;
        bool full = bytes > t->o.max_bytes || count > t->o.max_count;
        if (can_go(s) && (old || s->forgotten || (full && s != t->newest))) {
            unlink_statement(s);
            statement_free(s);
        }
    }
}

static void
on_sweep(void *arg)
{
    struct statements *t = arg;

    sweep(t);
    loop_timer_set(t->sweep, SWEEP_MS);
}

struct statements *
statements_new(const struct statements_options *o)
{
    struct statements *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->o = *o;
    t->sweep = loop_timer_new(o->loop, on_sweep, t);
    if (!t->sweep) {
        free(t);
        return NULL;
    }
    loop_timer_set(t->sweep, SWEEP_MS);
    return t;
}

void
statements_free(struct statements *t)
{
    if (!t)
        return;
    while (t->newest) {
        struct statement *s = t->newest;
        unlink_statement(s);
        statement_free(s);
    }
    loop_timer_free(t->sweep);
    free(t);
}

static const char *
state_word(enum statement_state state)
{
    static const char *const words[] = { "queued", "running", "succeeded", "failed", "cancelled",
        "failed" };
    must((size_t)state < NELEM(words));
    return words[state];
}

/* What the engine left: its own until the statement has ended. */
static const char *
code_of(const struct statement *s)
{
    return s->ended && s->job.failure.code[0] ? s->job.failure.code : NULL;
}

static void
log_statement(const struct statement *s)
{
    log_printf(LOG_LEVEL_INFO, "statement %s %s %lld ms %s", s->handle,
        state_word(statement_state(s)), (long long)(s->ended_ms - s->created_ms),
        code_of(s) ? code_of(s) : "-");
}

static void
on_done(struct engine_job *job)
{
    struct statement *s = (struct statement *)(void *)job;
    struct statements *t = s->table;

    s->ended = true;
    s->ended_ms = clock_wall_ms();
    s->ended_at = clock_ms();
    loop_timer_clear(s->timeout);
    log_statement(s);
    switch (statement_state(s)) {
    case STATEMENT_SUCCEEDED:
        t->totals.succeeded++;
        break;
    case STATEMENT_CANCELED:
        t->totals.canceled++;
        break;
    default:
        t->totals.failed++;
    }
    if (job->cancel_handle) {
        struct statement *other = statements_find(t, str_of(job->cancel_handle));
        if (other)
            statements_cancel(t, other);
    }
    for (size_t i = 0; i < MOST_WAITS; i++) {
        statement_cb *cb = s->waits[i].cb;
        void *arg = s->waits[i].arg;
        s->waits[i].cb = NULL;
        if (cb)
            cb(arg, s);
    }
}

static void
on_timeout(void *arg)
{
    struct statement *s = arg;

    engine_stop_job(s->table->o.engine, &s->job, ENGINE_TIMED_OUT);
}

static char *
copy(struct str s)
{
    return s.p ? strndup(s.p, s.n) : NULL;
}

static void
make_handle(char handle[UUID_TEXT])
{
    uuid_v4(handle);
    memcpy(handle, "01be", 4); /* the shape Snowflake's have */
    memcpy(handle + 19, "0000", 4);
}

static const char *
history_word(enum statement_state state)
{
    static const char *const words[] = { "QUEUED", "RUNNING", "SUCCESS", "FAILED_WITH_ERROR",
        "FAILED_WITH_ERROR", "FAILED_WITH_ERROR" };
    must((size_t)state < NELEM(words));
    return words[state];
}

static void
put_member(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, ",\"%s\":", name);
    if (value)
        json_put_z(out, value);
    else
        buf_put_z(out, "null");
}

/* QUERY_HISTORY as it was when the statement that asks for it was submitted. */
static char *
make_history(struct statements *t, struct str user)
{
    struct buf out;
    size_t n = 0;

    buf_init(&out, 8u << 20);
    buf_put_c(&out, '[');
    for (const struct statement *s = t->newest; s && n < HISTORY_MAX; s = s->older) {
        enum statement_state state = statement_state(s);
        if (!str_is(user, s->user))
            continue;
        buf_printf(&out, "%s{\"start_ms\":%lld,\"end_ms\":%lld", n++ > 0 ? "," : "",
            (long long)s->created_ms, (long long)s->ended_ms);
        put_member(&out, "query_id", s->handle);
        put_member(&out, "query_text", s->sql);
        put_member(&out, "database_name", s->database);
        put_member(&out, "schema_name", s->schema);
        put_member(&out, "user_name", s->user);
        put_member(&out, "role_name", s->role);
        put_member(&out, "warehouse_name", s->warehouse);
        put_member(&out, "query_tag", s->query_tag ? s->query_tag : "");
        put_member(&out, "execution_status", history_word(state));
        put_member(&out, "error_code", code_of(s));
        put_member(&out, "error_message", code_of(s) ? s->job.failure.message : NULL);
        buf_put_c(&out, '}');
    }
    buf_put_c(&out, ']');
    return buf_take(&out, NULL);
}

static bool
asks_for_history(struct str sql)
{
    static const struct str word = STR("query_history");

    for (size_t i = 0; i + word.n <= sql.n; i++)
        if (str_eq_nocase((struct str){ sql.p + i, word.n }, word))
            return true;
    return false;
}

static void
fill_job(struct statement *s, const struct statement_spec *spec)
{
    s->job.sql = s->sql;
    s->job.database = s->database;
    s->job.schema = s->schema;
    s->job.warehouse = s->warehouse;
    s->job.role = s->role;
    s->job.user = s->user;
    s->job.account = s->account;
    s->job.timezone = s->timezone;
    s->job.handle = s->handle;
    s->job.binds = s->binds;
    s->job.history = s->history;
    s->job.max_rows = spec->max_rows;
    s->job.statement_count = spec->statement_count;
    s->job.done = on_done;
}

struct statement *
statements_submit(struct statements *t, const struct statement_spec *spec)
{
    struct statement *s = calloc(1, sizeof *s);

    if (!s) {
        free_binds(spec->binds, spec->bind_count);
        return NULL;
    }
    s->table = t;
    s->binds = spec->binds;
    s->job.bind_count = spec->bind_count;
    s->sql = copy(spec->sql);
    s->request_id = copy(spec->request_id);
    s->user = copy(spec->user);
    s->role = copy(spec->role);
    s->warehouse = copy(spec->warehouse);
    s->database = copy(spec->database);
    s->schema = copy(spec->schema);
    s->account = copy(spec->account);
    s->query_tag = copy(spec->query_tag);
    s->timezone = copy(spec->timezone);
    s->parameters = copy(spec->parameters);
    s->bindings = copy(spec->bindings);
    s->timeout = loop_timer_new(t->o.loop, on_timeout, s);
    if (!s->sql || !s->request_id || !s->user || !s->timeout) {
        statement_free(s);
        return NULL;
    }
    if (asks_for_history(spec->sql))
        s->history = make_history(t, spec->user);
    make_handle(s->handle);
    s->created_ms = clock_wall_ms();
    s->timeout_s = spec->timeout_s;
    s->async = spec->async;
    fill_job(s, spec);
    s->older = t->newest;
    *(t->newest ? &t->newest->newer : &t->oldest) = s;
    t->newest = s;
    t->count++;
    t->totals.submitted++;
    if (s->timeout_s > 0)
        loop_timer_set(s->timeout, s->timeout_s * 1000);
    engine_start(t->o.engine, &s->job);
    return s;
}

struct statement *
statements_find(struct statements *t, struct str handle)
{
    for (struct statement *s = t->newest; s; s = s->older)
        if (!s->forgotten && str_is_nocase(handle, s->handle))
            return s;
    return NULL;
}

struct statement *
statements_find_request(struct statements *t, struct str request_id)
{
    for (struct statement *s = t->newest; s; s = s->older)
        if (!s->forgotten && str_is_nocase(request_id, s->request_id))
            return s;
    return NULL;
}

bool
statements_cancel(struct statements *t, struct statement *s)
{
    if (s->ended)
        return false;
    engine_stop_job(t->o.engine, &s->job, ENGINE_CANCELED);
    return true;
}

enum statement_state
statement_state(const struct statement *s)
{
    if (!s->ended)
        return atomic_load(&s->job.state) == ENGINE_QUEUED ? STATEMENT_QUEUED : STATEMENT_RUNNING;
    if (s->job.result)
        return STATEMENT_SUCCEEDED;
    if (strcmp(s->job.failure.code, "000604") == 0)
        return STATEMENT_CANCELED;
    return strcmp(s->job.failure.code, "000630") == 0 ? STATEMENT_TIMED_OUT : STATEMENT_FAILED;
}

bool
statement_ended(const struct statement *s)
{
    return s->ended;
}

void
statement_wait(struct statement *s, statement_cb *cb, void *arg)
{
    for (size_t i = 0; i < MOST_WAITS; i++) {
        if (!s->waits[i].cb) {
            s->waits[i].cb = cb;
            s->waits[i].arg = arg;
            return;
        }
    }
    cb(arg, s); /* too many wait: this one is told 202 at once */
}

void
statement_unwait(struct statement *s, void *arg)
{
    for (size_t i = 0; i < MOST_WAITS; i++)
        if (s->waits[i].arg == arg)
            s->waits[i].cb = NULL;
}

const char *
statement_handle(const struct statement *s)
{
    return s->handle;
}

const char *
statement_request_id(const struct statement *s)
{
    return s->request_id;
}

const char *
statement_sql(const struct statement *s)
{
    return s->sql;
}

const char *
statement_user(const struct statement *s)
{
    return s->user;
}

int64_t
statement_created_ms(const struct statement *s)
{
    return s->created_ms;
}

uint64_t
statement_timeout_s(const struct statement *s)
{
    return s->timeout_s;
}

struct result *
statement_result(struct statement *s)
{
    must(s->ended && s->job.result);
    return s->job.result;
}

const struct failure *
statement_failure(const struct statement *s)
{
    return &s->job.failure;
}

static void
put_times(const struct statement *s, struct buf *out)
{
    const struct {
        const char *at, *ms;
        int64_t when;
    } times[] = {
        { "submitted_at", "submitted_ms", s->created_ms },
        { "started_at", "started_ms", atomic_load(&s->job.started_ms) },
        { "ended_at", "ended_ms", s->ended_ms },
    };

    for (size_t i = 0; i < NELEM(times); i++) {
        char text[32] = "";
        if (times[i].when > 0)
            clock_rfc3339(text, times[i].when);
        put_member(out, times[i].at, times[i].when > 0 ? text : NULL);
        buf_printf(out, ",\"%s\":", times[i].ms);
        if (times[i].when > 0)
            buf_put_i64(out, times[i].when);
        else
            buf_put_z(out, "null");
    }
}

static void
put_statement(const struct statement *s, struct buf *out)
{
    buf_put_z(out, "{\"handle\":");
    json_put_z(out, s->handle);
    put_member(out, "request_id", s->request_id);
    put_member(out, "state", state_word(statement_state(s)));
    put_member(out, "sql", s->sql);
    put_member(out, "query_tag", s->query_tag);
    put_member(out, "user", s->user);
    put_member(out, "role", s->role);
    put_member(out, "warehouse", s->warehouse);
    put_member(out, "database", s->database);
    put_member(out, "schema", s->schema);
    put_member(out, "code", code_of(s));
    put_times(s, out);
    buf_printf(out, ",\"async\":%s,\"timeout\":%llu,\"max_rows\":%llu,\"rows\":%llu",
        s->async ? "true" : "false", (unsigned long long)s->timeout_s,
        (unsigned long long)s->job.max_rows,
        (unsigned long long)(s->ended && s->job.result ? result_rows(s->job.result) : 0));
    buf_printf(out, ",\"parameters\":%s,\"bindings\":%s}", s->parameters ? s->parameters : "{}",
        s->bindings ? s->bindings : "{}");
}

void
statements_put_json(struct statements *t, struct buf *out)
{
    const char *comma = "";

    buf_put_c(out, '[');
    for (const struct statement *s = t->oldest; s; s = s->newer) {
        if (s->forgotten)
            continue;
        buf_put_z(out, comma);
        put_statement(s, out);
        comma = ",";
    }
    buf_put_c(out, ']');
}

void
statements_totals(const struct statements *t, struct statements_totals *out)
{
    *out = t->totals;
}

void
statements_forget_all(struct statements *t)
{
    for (struct statement *s = t->newest; s; s = s->older) {
        s->forgotten = true;
        statements_cancel(t, s);
    }
    t->totals = (struct statements_totals){ 0 };
    sweep(t);
}
