/* events.c - builds the log lines whose shape operators rely on.
 *
 * Any process.  Must never write SQL, bind values or rows, nor let foreign text add a word, a field
 * or a line.  Routine lines must not hold the words that mean trouble (runbook-contract.md, R7). */
#include "state/events.h"

#include "buf.h"
#include "clock.h"
#include "encode.h"
#include "log.h"
#include "must.h"

enum { LINE_MAX_BYTES = 4096, CLIENT_MAX = 128, ID_MAX = 96, VALUE_MAX = 512 };

/* Outcomes that a routine line must name in other words. */
static const char *const plain_words[][2] = {
    { "parse_error", "parse" },
    { "sql_error", "sql_rejected" },
    { "timeout", "time_limit" },
    { "pool_exhausted", "no_slot" },
    { "upstream_failed", "upstream_down" },
    { "failed", "unsuccessful" },
    { "error", "rejected" },
};

static const char *
plain_word(const char *word)
{
    for (size_t i = 0; i < NELEM(plain_words); i++)
        if (strcmp(word, plain_words[i][0]) == 0)
            return plain_words[i][1];
    return word;
}

static void
put_foreign(struct buf *line, const char *key, struct str value, size_t max)
{
    buf_put_c(line, ' ');
    buf_put_z(line, key);
    buf_put_c(line, '=');
    log_put_field(line, value, max);
}

static void
emit(enum log_level level, struct buf *line)
{
    log_line(level, buf_str(line));
    buf_fini(line);
}

void
event_tool_call(const struct event_tool_call *e)
{
    struct buf line;

    if (!log_wants(LOG_LEVEL_INFO))
        return;
    buf_init(&line, LINE_MAX_BYTES);
    buf_put_z(&line, "info: tool_call");
    put_foreign(&line, "id", e->request_id, ID_MAX);
    put_foreign(&line, "client", e->client, CLIENT_MAX);
    buf_printf(&line, " status=%d duration_ms=%llu rows=%llu", e->status,
        (unsigned long long)e->duration_ms, (unsigned long long)e->rows);
    if (e->class_)
        put_foreign(&line, "class", str_of(plain_word(e->class_)), ID_MAX);
    if (e->traceparent.p)
        put_foreign(&line, "traceparent", e->traceparent, ID_MAX);
    buf_put_z(&line, " tool ");
    buf_put_z(&line, e->tool);
    emit(LOG_LEVEL_INFO, &line);
}

void
event_query(double duration_ms, struct str query_id, struct str client, const char *tool,
    uint64_t rows, const char *state)
{
    struct buf line;

    if (!log_wants(LOG_LEVEL_INFO))
        return;
    buf_init(&line, LINE_MAX_BYTES);
    buf_printf(&line, "%.1f query_duration_ms", duration_ms);
    put_foreign(&line, "query_id", query_id, ID_MAX);
    put_foreign(&line, "client", client, CLIENT_MAX);
    buf_printf(
        &line, " tool=%s rows=%llu state=%s", tool, (unsigned long long)rows, plain_word(state));
    emit(LOG_LEVEL_INFO, &line);
}

void
event_rate_limit(struct str client, const char *scope, struct str limit, uint64_t retry_after_s)
{
    struct buf line;

    if (!log_wants(LOG_LEVEL_WARNING))
        return;
    buf_init(&line, LINE_MAX_BYTES);
    log_put_field(&line, client, CLIENT_MAX);
    buf_printf(&line, " rate_limit level=warning scope=%s", scope);
    put_foreign(&line, "limit", limit, ID_MAX);
    buf_printf(&line, " retry_after=%llu", (unsigned long long)retry_after_s);
    emit(LOG_LEVEL_WARNING, &line);
}

void
event_pool_exhausted(uint64_t waited_ms, struct str client, struct str request_id)
{
    struct buf line;

    buf_init(&line, LINE_MAX_BYTES);
    buf_printf(&line,
        "error: connection timeout after %llu ms waiting for a free slot "
        "(Connection pool exhausted)",
        (unsigned long long)waited_ms);
    put_foreign(&line, "client", client, CLIENT_MAX);
    put_foreign(&line, "id", request_id, ID_MAX);
    emit(LOG_LEVEL_ERROR, &line);
}

/* Free text with pairs ------------------------------------------------------------------------- */

static const struct {
    const char *word;
    enum log_level level;
} kinds[] = {
    [EVENT_ERROR] = { "error: ", LOG_LEVEL_ERROR },
    [EVENT_WARNING] = { "warning: ", LOG_LEVEL_WARNING },
    [EVENT_INFO] = { "info: ", LOG_LEVEL_INFO },
    [EVENT_DEBUG] = { "debug: ", LOG_LEVEL_DEBUG },
};

static void
put_pairs(struct buf *line, va_list ap)
{
    for (const char *key; (key = va_arg(ap, const char *)) != NULL;) {
        const char *value = va_arg(ap, const char *);
        if (!value)
            break;
        put_foreign(line, key, str_of(value), VALUE_MAX);
    }
}

static void
begin(struct buf *line, enum event_kind kind, const char *text)
{
    buf_init(line, LINE_MAX_BYTES);
    buf_put_z(line, kinds[kind].word);
    buf_put_z(line, text);
}

void
event(enum event_kind kind, const char *text, ...)
{
    struct buf line;
    va_list ap;

    if (!log_wants(kinds[kind].level))
        return;
    begin(&line, kind, text);
    va_start(ap, text);
    put_pairs(&line, ap);
    va_end(ap);
    emit(kinds[kind].level, &line);
}

/* Process-wide; a key that finds its place taken by another forgets that one's count. */
static struct {
    uint64_t key, next_ms, left_out;
} throttles[64];

void
event_throttled(enum event_kind kind, const char *key, uint64_t every_ms, const char *text, ...)
{
    uint64_t hash = hash64(str_of(key)), now = clock_ms();
    size_t i = hash % NELEM(throttles);
    struct buf line;
    va_list ap;

    if (!log_wants(kinds[kind].level))
        return;
    if (throttles[i].key == hash && now < throttles[i].next_ms) {
        throttles[i].left_out++;
        return;
    }
    begin(&line, kind, text);
    va_start(ap, text);
    put_pairs(&line, ap);
    va_end(ap);
    if (throttles[i].key == hash && throttles[i].left_out > 0)
        buf_printf(&line, " left_out=%llu", (unsigned long long)throttles[i].left_out);
    throttles[i].key = hash;
    throttles[i].next_ms = now + every_ms;
    throttles[i].left_out = 0;
    emit(kinds[kind].level, &line);
}
