/* answer.c - the status table of the SQL API.
 *
 * Runs in workers.  Pure: it looks at a status and a small body and says what to do.  A body that
 * is not JSON is never guessed at. */
#include "sf/answer.h"

#include "json_text.h"

#include <ctype.h>

enum { BODY_DEPTH = 32, MESSAGE_BYTES = 8192 };

void
answer_init(struct answer *a)
{
    *a = (struct answer){ .code = "" };
    buf_init(&a->message, MESSAGE_BYTES * 4);
}

void
answer_fini(struct answer *a)
{
    buf_fini(&a->message);
}

static void
read_text(struct str object, const char *key, char *to, size_t size)
{
    struct str raw = json_member(object, key);
    if (json_type_of(raw) == JSON_STRING) {
        struct buf b;
        buf_init(&b, raw.n + 16);
        json_unescape(&b, raw);
        str_copy(to, size, buf_str(&b));
        buf_fini(&b);
    } else if (json_type_of(raw) == JSON_NUMBER) {
        str_copy(to, size, str_trim(raw));
    }
}

bool
answer_is_handle(const char *z)
{
    if (!*z || strlen(z) >= ANSWER_HANDLE)
        return false;
    for (; *z; z++)
        if (!isalnum((unsigned char)*z) && *z != '-' && *z != '_')
            return false;
    return true;
}

void
answer_read(struct answer *a, struct str object)
{
    read_text(object, "code", a->code, sizeof a->code);
    read_text(object, "sqlState", a->sqlstate, sizeof a->sqlstate);
    char handle[ANSWER_HANDLE + 1] = "";
    read_text(object, "statementHandle", handle, sizeof handle);
    if (answer_is_handle(handle))
        memcpy(a->handle, handle, strlen(handle) + 1);
    struct str message = json_member(object, "message");
    buf_clear(&a->message);
    if (json_type_of(message) == JSON_STRING && message.n < MESSAGE_BYTES * 3) {
        json_unescape(&a->message, message);
        buf_truncate(
            &a->message, utf8_cut(a->message.p ? a->message.p : "", a->message.len, MESSAGE_BYTES));
    }
}

static enum rc
failure_of(const struct answer *a, bool handle_known)
{
    if (strcmp(a->code, "000604") == 0)
        return RC_CANCELLED;
    if (strcmp(a->code, "000630") == 0)
        return RC_STATEMENT_TIMEOUT;
    /* The handle came from Snowflake: that it is gone is not the caller's mistake. */
    if (strcmp(a->code, "000709") == 0 && handle_known)
        return RC_UPSTREAM_FAILED;
    return RC_SQL_FAILED;
}

struct verdict
answer_judge(int status, struct str body, bool handle_known, struct answer *a)
{
    struct json_fault fault;
    bool json = json_type_of(body) == JSON_OBJECT && json_check(body, BODY_DEPTH, 1, &fault) == 0;
    a->code[0] = a->sqlstate[0] = a->handle[0] = '\0';
    buf_clear(&a->message);
    if (json)
        answer_read(a, body);
    if (a->message.len == 0)
        buf_printf(&a->message, "Snowflake answered with HTTP status %d%s", status,
            json ? "" : " and no JSON");
    bool has_handle = a->handle[0] || handle_known;

    switch (status) {
    case 202:
        if (has_handle)
            return (struct verdict){ ANSWER_RUNNING, RC_OK, false };
        buf_clear(&a->message);
        buf_put_z(
            &a->message, "Snowflake says that the statement runs, but not under which handle");
        return (struct verdict){ ANSWER_FAILED, RC_UPSTREAM_FAILED, true };
    case 400:
        if (strcmp(a->code, "390142") == 0 || strcmp(a->code, "391917") == 0)
            return (struct verdict){ ANSWER_FAILED, RC_INTERNAL, false }; /* our body was wrong */
        return (struct verdict){ ANSWER_FAILED, a->code[0] ? RC_SQL_FAILED : RC_UPSTREAM_FAILED,
            false };
    case 401:
    case 403:
        return (struct verdict){ ANSWER_FAILED, RC_UPSTREAM_AUTH, false };
    case 408:
        return (struct verdict){ ANSWER_FAILED, RC_STATEMENT_TIMEOUT, false };
    case 422:
        return (struct verdict){ ANSWER_FAILED,
            json ? failure_of(a, handle_known) : RC_UPSTREAM_FAILED, false };
    case 429:
        if (a->handle[0])
            return (struct verdict){ ANSWER_RUNNING, RC_OK, false };
        return (struct verdict){ ANSWER_AGAIN, RC_UPSTREAM_BUSY, false };
    case 500:
    case 502:
    case 503:
    case 504:
        return (struct verdict){ ANSWER_AGAIN, RC_UPSTREAM_FAILED, true };
    }
    if (status >= 520 && status <= 527) /* gateways in front of Snowflake */
        return (struct verdict){ ANSWER_AGAIN, RC_UPSTREAM_FAILED, true };
    return (struct verdict){ ANSWER_FAILED, RC_UPSTREAM_FAILED, false };
}
