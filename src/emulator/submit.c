/* submit.c - reads a statement request and refuses what Snowflake refuses.
 *
 * Runs in the event loop. */
#include "emulator/submit.h"

#include "json_dom.h"
#include "json_text.h"
#include "must.h"

#include <stdlib.h>

#define MAX_DEPTH 16
#define MAX_BINDS 10000
#define LONGEST_S 604800

static int
refuse(struct submit *s, int status, const char *code, const char *text)
{
    s->status = status;
    return failure_set(&s->failure, code, "", "%s", text);
}

static int
refuse_name(struct submit *s, struct str name)
{
    s->status = 400;
    return failure_set(&s->failure, "391917", "",
        "Request parameter '%.*s' is not allowed or invalid for SQL API", STR_ARG(name));
}

/* A string, number or boolean as text. */
static struct str
scalar_text(struct str raw)
{
    switch (json_type_of(raw)) {
    case JSON_STRING:
        return (struct str){ raw.p + 1, raw.n - 2 };
    case JSON_NUMBER:
    case JSON_BOOL:
        return raw;
    default:
        return STR_NONE;
    }
}

static bool
is_format_parameter(struct str name)
{
    static const char *const names[] = { "binary_output_format", "date_output_format",
        "time_output_format", "timestamp_output_format", "timestamp_ltz_output_format",
        "timestamp_ntz_output_format", "timestamp_tz_output_format" };

    for (size_t i = 0; i < NELEM(names); i++)
        if (str_is_nocase(name, names[i]))
            return true;
    return false;
}

static int
read_parameter(struct submit *s, struct str name, const struct json *v, struct str raw)
{
    struct str text = json_type(v) == JSON_STRING ? json_string(v) : scalar_text(raw);
    uint64_t n;

    if (!text.p)
        return refuse_name(s, name);
    if (str_is_nocase(name, "query_tag")) {
        s->spec.query_tag = text;
    } else if (str_is_nocase(name, "timezone")) {
        s->spec.timezone = text;
    } else if (str_is_nocase(name, "rows_per_resultset")) {
        if (str_to_u64(text, &s->spec.max_rows) != 0)
            return refuse_name(s, name);
    } else if (str_is_nocase(name, "multi_statement_count")) {
        if (str_to_u64(text, &s->statement_count) != 0)
            return refuse_name(s, name);
    } else if (str_is_nocase(name, "client_result_chunk_size")) {
        if (str_to_u64(text, &n) != 0)
            return refuse_name(s, name);
    } else if (str_is_nocase(name, "use_cached_result")) {
        if (!str_is_nocase(text, "true") && !str_is_nocase(text, "false"))
            return refuse_name(s, name);
    } else if (is_format_parameter(name)) {
        s->status = 422;
        return failure_unsupported(&s->failure, "output format parameters");
    } else {
        return refuse_name(s, name);
    }
    return 0;
}

static int
read_parameters(struct submit *s, const struct json *parameters)
{
    size_t at = 0;
    struct str key, value;

    if (!parameters || json_type(parameters) == JSON_NULL)
        return 0;
    if (json_type(parameters) != JSON_OBJECT)
        return refuse(s, 400, "390142", "Incoming request does not contain a valid payload.");
    for (const struct json *v = json_first(parameters); v; v = json_following(v)) {
        if (!json_next_member(s->spec.parameters, &at, &key, &value))
            break;
        if (read_parameter(s, str_of(json_key(v)), v, value) != 0)
            return -1;
    }
    return 0;
}

static bool
is_bind_type(struct str type)
{
    static const char *const types[] = { "FIXED", "REAL", "DECFLOAT", "TEXT", "BINARY", "BOOLEAN",
        "DATE", "TIME", "TIMESTAMP_LTZ", "TIMESTAMP_NTZ", "TIMESTAMP_TZ" };

    for (size_t i = 0; i < NELEM(types); i++)
        if (str_is_nocase(type, types[i]))
            return true;
    return false;
}

static int
read_bind(struct submit *s, const struct json *v)
{
    const struct json *value = json_get(v, "value");
    struct str type = json_string(json_get(v, "type"));
    struct str key = str_of(json_key(v));
    struct engine_bind *b = &s->spec.binds[s->spec.bind_count];

    if (json_type(v) != JSON_OBJECT || !is_bind_type(type) ||
        (json_type(value) != JSON_STRING && json_type(value) != JSON_NULL))
        return refuse(s, 400, "390142", "Incoming request does not contain a valid payload.");
    b->key = strndup(key.p, key.n);
    b->type = strndup(type.p, type.n);
    b->value = json_type(value) == JSON_STRING ? strndup(json_string(value).p, json_string(value).n)
                                               : NULL;
    s->spec.bind_count++;
    return b->key && b->type ? 0 : refuse(s, 500, "000603", "no memory");
}

static int
read_bindings(struct submit *s, const struct json *bindings)
{
    if (!bindings || json_type(bindings) == JSON_NULL)
        return 0;
    if (json_type(bindings) != JSON_OBJECT || json_count(bindings) > MAX_BINDS)
        return refuse(s, 400, "390142", "Incoming request does not contain a valid payload.");
    s->spec.binds = calloc(json_count(bindings) + 1, sizeof *s->spec.binds);
    if (!s->spec.binds)
        return refuse(s, 500, "000603", "no memory");
    for (const struct json *v = json_first(bindings); v; v = json_following(v))
        if (read_bind(s, v) != 0)
            return -1;
    return 0;
}

/* A text member, absent or null: STR_NONE. */
static int
read_text(struct submit *s, const char *key, struct str *out)
{
    const struct json *v = json_get(s->doc, key);

    if (!v || json_type(v) == JSON_NULL)
        return 0;
    *out = json_string(v);
    return out->p ? 0
                  : refuse(s, 400, "390142", "Incoming request does not contain a valid payload.");
}

static int
read_timeout(struct submit *s)
{
    const struct json *v = json_get(s->doc, "timeout");
    int64_t n;

    if (!v || json_type(v) == JSON_NULL)
        return 0;
    if (json_integer(v, &n) != 0 || n < 0 || n > LONGEST_S)
        return refuse_name(s, STR("timeout"));
    s->spec.timeout_s = n == 0 ? LONGEST_S : (uint64_t)n;
    return 0;
}

static int
check_members(struct submit *s)
{
    static const char *const known[] = { "statement", "timeout", "database", "schema", "warehouse",
        "role", "bindings", "parameters" };

    for (const struct json *v = json_first(s->doc); v; v = json_following(v)) {
        bool found = false;
        for (size_t i = 0; i < NELEM(known); i++)
            found |= strcmp(json_key(v), known[i]) == 0;
        if (!found)
            return refuse_name(s, str_of(json_key(v)));
    }
    return 0;
}

int
submit_read(struct submit *s, struct str body)
{
    struct json_fault fault;

    *s = (struct submit){ .statement_count = 1 };
    buf_init(&s->text, 16u << 20);
    buf_put_str(&s->text, body);
    s->doc = json_parse(buf_str(&s->text), MAX_DEPTH, &fault);
    if (!s->doc || json_type(s->doc) != JSON_OBJECT)
        return refuse(s, 400, "390142", "Incoming request does not contain a valid payload.");
    if (check_members(s) != 0 || read_text(s, "statement", &s->spec.sql) != 0)
        return -1;
    if (str_trim(s->spec.sql).n == 0)
        return refuse(s, 400, "390142", "Incoming request does not contain a valid payload.");
    s->spec.parameters = json_member(str_trim(buf_str(&s->text)), "parameters");
    s->spec.bindings = json_member(str_trim(buf_str(&s->text)), "bindings");
    if (read_text(s, "database", &s->spec.database) != 0 ||
        read_text(s, "schema", &s->spec.schema) != 0 ||
        read_text(s, "warehouse", &s->spec.warehouse) != 0 ||
        read_text(s, "role", &s->spec.role) != 0 || read_timeout(s) != 0)
        return -1;
    if (read_parameters(s, json_get(s->doc, "parameters")) != 0)
        return -1;
    return read_bindings(s, json_get(s->doc, "bindings"));
}

void
submit_fini(struct submit *s)
{
    for (size_t i = 0; s->spec.binds && i < s->spec.bind_count; i++) {
        free(s->spec.binds[i].key);
        free(s->spec.binds[i].type);
        free(s->spec.binds[i].value);
    }
    free(s->spec.binds);
    json_free(s->doc);
    buf_fini(&s->text);
}
