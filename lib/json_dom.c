/* json_dom.c - cJSON behind our own names.  Any process; parses nothing that json_check() has not
 * passed, because cJSON is far more generous than RFC 8259. */
#include "json_dom.h"

#include "json_scan.h"

#include <cjson/cJSON.h>
#include <limits.h>

/* A struct json is a cJSON that only this file knows. */
static const cJSON *
inside(const struct json *v)
{
    return (const cJSON *)(const void *)v;
}

static const struct json *
outside(const cJSON *c)
{
    return (const struct json *)(const void *)c;
}

/* cJSON before 1.7.19, unless patched, reads at most 63 bytes of a number and stumbles over the
 * rest. */
static bool
stopped_in_a_long_number(struct str text, const char *end)
{
    size_t at = end ? (size_t)(end - text.p) : text.n;
    size_t from = at, to = at;
    while (from > 0 && (json_is_digit(text.p[from - 1]) || strchr("+-.eE", text.p[from - 1])))
        from--;
    while (to < text.n && (json_is_digit(text.p[to]) || strchr("+-.eE", text.p[to])))
        to++;
    return to - from > 63;
}

static bool
only_blanks(const char *p, const char *end)
{
    while (p < end && json_is_blank(*p))
        p++;
    return p == end;
}

struct json *
json_parse(struct str text, unsigned max_depth, struct json_fault *fault)
{
    struct json_fault ignored;
    if (!fault)
        fault = &ignored;
    if (json_check(text, max_depth, UINT_MAX, fault) != 0)
        return NULL;
    const char *end = NULL;
    cJSON *doc = cJSON_ParseWithLengthOpts(text.p, text.n, &end, 0);
    if (doc && !only_blanks(end, text.p + text.n)) {
        cJSON_Delete(doc);
        doc = NULL;
    }
    if (!doc) {
        *fault = (struct json_fault){ .kind = JSON_OK, .message = "out of memory" };
        if (stopped_in_a_long_number(text, end))
            *fault = (struct json_fault){ JSON_SYNTAX, end ? (size_t)(end - text.p) : 0,
                "number of more than 63 characters" };
    }
    return (struct json *)(void *)doc;
}

void
json_free(struct json *doc)
{
    cJSON_Delete((cJSON *)(void *)doc);
}

enum json_type
json_type(const struct json *v)
{
    const cJSON *c = inside(v);
    if (!c)
        return JSON_ABSENT;
    switch (c->type & 0xff) {
    case cJSON_NULL:
        return JSON_NULL;
    case cJSON_False:
    case cJSON_True:
        return JSON_BOOL;
    case cJSON_Number:
        return JSON_NUMBER;
    case cJSON_String:
        return JSON_STRING;
    case cJSON_Array:
        return JSON_ARRAY;
    case cJSON_Object:
        return JSON_OBJECT;
    default:
        return JSON_ABSENT;
    }
}

const struct json *
json_get(const struct json *object, const char *key)
{
    /* Not for arrays: cJSON would walk them and compare keys that are NULL. */
    return cJSON_IsObject(inside(object))
               ? outside(cJSON_GetObjectItemCaseSensitive(inside(object), key))
               : NULL;
}

static bool
is_container(const struct json *v)
{
    return cJSON_IsObject(inside(v)) || cJSON_IsArray(inside(v));
}

const struct json *
json_first(const struct json *v)
{
    return is_container(v) ? outside(inside(v)->child) : NULL;
}

const struct json *
json_following(const struct json *v)
{
    return v ? outside(inside(v)->next) : NULL;
}

const char *
json_key(const struct json *v)
{
    return v && inside(v)->string ? inside(v)->string : "";
}

size_t
json_count(const struct json *v)
{
    size_t n = 0;
    for (const struct json *m = json_first(v); m; m = json_following(m))
        n++;
    return n;
}

struct str
json_string(const struct json *v)
{
    return cJSON_IsString(inside(v)) ? str_of(inside(v)->valuestring) : STR_NONE;
}

bool
json_bool(const struct json *v, bool dflt)
{
    return cJSON_IsBool(inside(v)) ? cJSON_IsTrue(inside(v)) != 0 : dflt;
}

int
json_integer(const struct json *v, int64_t *value)
{
    static const double exact = 9007199254740992.0; /* 2^53 */
    if (!cJSON_IsNumber(inside(v)))
        return -1;
    double d = inside(v)->valuedouble;
    /* 2^53 itself is what 2^53 + 1 is rounded to. */
    if (!(d > -exact && d < exact) || d != (double)(int64_t)d)
        return -1;
    *value = (int64_t)d;
    return 0;
}
