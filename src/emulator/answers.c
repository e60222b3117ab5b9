/* answers.c - the bodies of the SQL API: results, statuses, failures, and faults in their place.
 *
 * Runs in the event loop. */
#include "emulator/answers.h"

#include "encode.h"
#include "json_text.h"
#include "must.h"

#include <stdio.h>

#define BODY_MAX (64u << 20)

const struct fault answer_no_fault = { .kind = FAULT_NONE, .retry_after = -1 };

static enum server_spoil
spoil_of(const struct fault *f)
{
    switch (f->kind) {
    case FAULT_TRUNCATE:
        return SERVER_HALF;
    case FAULT_RESET_MID_BODY:
        return SERVER_RESET_MID_BODY;
    case FAULT_SLOW:
        return SERVER_SLOW;
    case FAULT_DROP_AFTER:
        return SERVER_DROP;
    default:
        return SERVER_WHOLE;
    }
}

void
answer_json(struct server_call *c, int status, struct str body, const char *link, bool gzip,
    const struct fault *f)
{
    struct server_reply r = { .status = status,
        .link = link,
        .gzip = gzip,
        .retry_after = f->retry_after,
        .spoil = spoil_of(f),
        .delay_ms = f->ms };

    server_reply(c, &r, body);
}

void
answer_put_code(struct buf *b, const char *code, const char *message)
{
    buf_put_z(b, "{\"code\":");
    json_put_z(b, code);
    buf_put_z(b, ",\"message\":");
    json_put_z(b, message);
}

void
answer_code(struct server_call *c, int status, const char *code, const char *message)
{
    struct buf b;

    buf_init(&b, BODY_MAX);
    answer_put_code(&b, code, message);
    buf_put_c(&b, '}');
    answer_json(c, status, buf_str(&b), NULL, false, &answer_no_fault);
    buf_fini(&b);
}

void
answer_put_handle(struct buf *b, const struct statement *s)
{
    buf_printf(b, ",\"statementHandle\":\"%s\"", statement_handle(s));
}

void
answer_put_status_url(struct buf *b, const struct statement *s)
{
    buf_printf(b, ",\"statementStatusUrl\":\"/api/v2/statements/%s?requestId=%s\"",
        statement_handle(s), statement_request_id(s));
}

void
answer_running(
    struct server_call *c, const struct statement *s, const char *code, const struct fault *f)
{
    struct buf b;

    buf_init(&b, BODY_MAX);
    answer_put_code(&b, code,
        "Asynchronous execution in progress. Use provided query id to perform query monitoring "
        "and management.");
    answer_put_handle(&b, s);
    answer_put_status_url(&b, s);
    buf_put_c(&b, '}');
    answer_json(c, 202, buf_str(&b), NULL, false, f);
    buf_fini(&b);
}

static void
answer_failed(struct server_call *c, const struct statement *s, const struct fault *fault)
{
    const struct failure *f = statement_failure(s);
    bool timed_out = statement_state(s) == STATEMENT_TIMED_OUT;
    char text[160];
    struct buf b;

    snprintf(text, sizeof text,
        "Statement reached its statement or warehouse timeout of %llu second(s) and was canceled.",
        (unsigned long long)statement_timeout_s(s));
    buf_init(&b, BODY_MAX);
    answer_put_code(&b, f->code, timed_out ? text : f->message);
    buf_put_z(&b, ",\"sqlState\":");
    json_put_z(&b, f->sqlstate);
    answer_put_handle(&b, s);
    answer_put_status_url(&b, s);
    buf_put_c(&b, '}');
    answer_json(c, timed_out ? 408 : 422, buf_str(&b), NULL, false, fault);
    buf_fini(&b);
}

static void
put_link(struct buf *b, const struct statement *s, size_t partition, const char *rel)
{
    buf_printf(b, "%s</api/v2/statements/%s?requestId=%s&partition=%zu>; rel=\"%s\"",
        b->len > 0 ? ", " : "", statement_handle(s), statement_request_id(s), partition, rel);
}

static void
put_links(struct buf *b, const struct statement *s, size_t at, size_t count)
{
    put_link(b, s, 0, "first");
    if (at > 0)
        put_link(b, s, at - 1, "prev");
    if (at + 1 < count)
        put_link(b, s, at + 1, "next");
    put_link(b, s, count - 1, "last");
}

static void
put_stats(struct buf *b, const struct result_stats *st)
{
    if (st->inserted < 0)
        return;
    buf_printf(b,
        ",\"stats\":{\"numRowsInserted\":%lld,\"numRowsUpdated\":%lld,\"numRowsDeleted\":%lld,"
        "\"numDuplicateRowsUpdated\":%lld}",
        (long long)st->inserted, (long long)st->updated, (long long)st->deleted,
        (long long)st->duplicates);
}

static void
answer_result(struct server_call *c, struct statement *s, const struct fault *f)
{
    struct result *r = statement_result(s);
    bool too_large = f->kind == FAULT_391908;
    struct buf b, links;

    buf_init(&b, BODY_MAX);
    buf_init(&links, 4096);
    answer_put_code(&b, too_large ? "391908" : "090001",
        too_large ? "The result set is too large." : "Statement executed successfully.");
    buf_put_z(&b, ",\"sqlState\":\"00000\"");
    answer_put_handle(&b, s);
    buf_printf(&b, ",\"createdOn\":%lld", (long long)statement_created_ms(s));
    answer_put_status_url(&b, s);
    buf_put_c(&b, ',');
    result_put_metadata(r, &b);
    put_stats(&b, result_stats(r));
    buf_put_z(&b, ",\"data\":");
    if (too_large)
        buf_put_z(&b, "[]");
    else
        buf_put_str(&b, result_first_rows(r));
    buf_put_c(&b, '}');
    put_links(&links, s, 0, result_partitions(r));
    answer_json(c, 200, buf_str(&b), buf_text(&links), false, f);
    buf_fini(&b);
    buf_fini(&links);
}

void
answer_outcome(struct server_call *c, struct statement *s, const struct fault *f)
{
    if (statement_state(s) == STATEMENT_SUCCEEDED)
        answer_result(c, s, f);
    else
        answer_failed(c, s, f);
}

void
answer_partition(struct server_call *c, struct statement *s, size_t at, const struct fault *f)
{
    struct result *r = statement_result(s);
    struct buf links;

    if (at == 0) {
        answer_result(c, s, f);
        return;
    }
    buf_init(&links, 4096);
    put_links(&links, s, at, result_partitions(r));
    answer_json(c, 200, result_partition_gzip(r, at), buf_text(&links), true, f);
    buf_fini(&links);
}

void
answer_unknown_handle(struct server_call *c, struct str handle)
{
    struct buf b, text;

    buf_init(&b, BODY_MAX);
    buf_init(&text, 1024);
    buf_printf(&text, "Statement %.*s not found", (int)(handle.n < 100 ? handle.n : 100), handle.p);
    answer_put_code(&b, "000709", buf_text(&text));
    buf_put_z(&b, ",\"sqlState\":\"02000\",\"statementHandle\":");
    json_put_string(&b, handle);
    buf_put_c(&b, '}');
    answer_json(c, 422, buf_str(&b), NULL, false, &answer_no_fault);
    buf_fini(&b);
    buf_fini(&text);
}

static void
answer_html(struct server_call *c, const struct fault *f)
{
    static const char page[] = "<html><head><title>Service Unavailable</title></head>"
                               "<body><h1>Service Unavailable</h1></body></html>";
    struct server_reply r = { .status = f->status,
        .content_type = "text/html",
        .retry_after = f->retry_after,
        .delay_ms = f->ms };

    server_reply(c, &r, str_of(f->body ? f->body : page));
}

static void
answer_status(struct server_call *c, const struct fault *f)
{
    struct server_reply r = {
        .status = f->status, .retry_after = f->retry_after, .delay_ms = f->ms
    };
    struct buf b;

    if (f->body) {
        server_reply(c, &r, str_of(f->body));
        return;
    }
    buf_init(&b, BODY_MAX);
    answer_put_code(&b,
        f->code            ? f->code
        : f->status == 429 ? "390505"
        : f->status == 401 ? "390144"
                           : "000603",
        f->message         ? f->message
        : f->status == 429 ? "Too many requests."
                           : "A fault was asked for.");
    buf_put_c(&b, '}');
    server_reply(c, &r, buf_str(&b));
    buf_fini(&b);
}

static void
answer_jwt_refused(struct server_call *c)
{
    char id[UUID_TEXT], text[80];

    uuid_v4(id);
    snprintf(text, sizeof text, "JWT token is invalid. [%s]", id);
    answer_code(c, 401, "390144", text);
}

/* True: the fault was the answer. */
bool
answered_by_fault(struct server_call *c, const struct fault *f)
{
    switch (f->kind) {
    case FAULT_STATUS:
        answer_status(c, f);
        return true;
    case FAULT_HTML:
        answer_html(c, f);
        return true;
    case FAULT_GARBAGE:
        answer_json(c, 200, str_of(f->body ? f->body : "{\"code\":\"090001\",\"data\":[[\"1\""),
            NULL, false, f);
        return true;
    case FAULT_DROP:
        server_drop(c);
        return true;
    case FAULT_HANG:
        return true;
    case FAULT_JWT_REFUSED:
        answer_jwt_refused(c);
        return true;
    default:
        return false;
    }
}
