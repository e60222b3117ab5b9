/* args.c - the arguments of a tools/call, checked against the lines of tools.def.
 *
 * Workers.  The first fault is told in a sentence that a model can act on: which argument, what it
 * must be, what was given. */
#include "mcp/tools.h"

#include "must.h"

#include <stdio.h>

enum { SHOWN_MAX = 60 }; /* bytes of a foreign text repeated in a message */

static const char *
name_of_field(const void *arg, unsigned i)
{
    return ((const struct field *)arg)[i].name;
}

static int
shown(struct str s)
{
    return (int)utf8_cut(s.p, s.n, SHOWN_MAX);
}

static size_t
characters(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

static int
unknown_argument(
    const struct field *f, unsigned n, const char *path, struct str name, struct err *e)
{
    char known[256], guess[80];
    size_t at = 0;

    known[0] = '\0';
    for (unsigned i = 0; i < n && at < sizeof known; i++)
        at += (size_t)snprintf(known + at, sizeof known - at, "%s%s", i ? ", " : "", f[i].name);
    return err_set(e, "unknown argument %s%.*s%s (known: %s)", path, shown(name), name.p,
        did_you_mean(guess, sizeof guess, name, name_of_field, f, n), known);
}

static int
read_string(struct arg *a, const struct field *f, const char *path, uint64_t min, uint64_t max,
    struct err *e)
{
    if (json_type(a->value) != JSON_STRING)
        return err_set(
            e, "%s%s must be a string, got %.*s", path, f->name, shown(a->raw), a->raw.p);
    a->text = json_string(a->value);
    size_t n = f->bound == BOUND_SQL ? a->text.n : characters(a->text);
    if (n < min)
        return err_set(e, "%s%s must not be empty", path, f->name);
    if (n > max)
        return err_set(e, "%s%s is too long: %zu %s, at most %llu", path, f->name, n,
            f->bound == BOUND_SQL ? "bytes" : "characters", (unsigned long long)max);
    return 0;
}

static int
read_choice(struct arg *a, const struct field *f, const char *path, struct err *e)
{
    struct str rest = str_of(f->of), one;

    a->text = json_string(a->value);
    while (str_split(&rest, '|', &one))
        if (a->text.p && str_eq(one, a->text))
            return 0;
    return err_set(
        e, "%s%s must be one of %s, got %.*s", path, f->name, f->of, shown(a->raw), a->raw.p);
}

static int
read_integer(struct arg *a, const struct field *f, const char *path, uint64_t min, uint64_t max,
    struct err *e)
{
    int64_t n;

    if (json_type(a->value) != JSON_NUMBER || json_integer(a->value, &n) != 0 || n < 0 ||
        (uint64_t)n < min || (uint64_t)n > max)
        return err_set(e, "%s%s must be an integer from %llu to %llu, got %.*s", path, f->name,
            (unsigned long long)min, (unsigned long long)max, shown(a->raw), a->raw.p);
    a->number = (uint64_t)n;
    return 0;
}

static int
read_array(struct arg *a, const struct field *f, const char *path, uint64_t min, uint64_t max,
    struct err *e)
{
    const char *what = f->type == TYPE_NAMES ? "strings" : "objects";
    enum json_type element = f->type == TYPE_NAMES ? JSON_STRING : JSON_OBJECT;

    if (json_type(a->value) != JSON_ARRAY)
        return err_set(e, "%s%s must be an array of %s, got %.*s", path, f->name, what,
            shown(a->raw), a->raw.p);
    size_t n = json_count(a->value);
    if (n < min || n > max)
        return err_set(e, "%s%s must have %llu to %llu elements, got %zu", path, f->name,
            (unsigned long long)min, (unsigned long long)max, n);
    unsigned i = 0;
    for (const struct json *v = json_first(a->value); v; v = json_following(v), i++)
        if (json_type(v) != element || (element == JSON_STRING && json_string(v).n == 0))
            return err_set(e, "%s%s[%u] must be %s", path, f->name, i,
                element == JSON_STRING ? "a string that is not empty" : "an object");
    return 0;
}

static bool
is_scalar(const struct json *v)
{
    enum json_type t = json_type(v);

    return t == JSON_STRING || t == JSON_NUMBER || t == JSON_BOOL;
}

static int
read_value(struct arg *a, const struct field *f, const char *path, struct err *e)
{
    bool good = is_scalar(a->value) || json_type(a->value) == JSON_ARRAY;

    if (json_type(a->value) == JSON_ARRAY)
        for (const struct json *v = json_first(a->value); v; v = json_following(v))
            good = good && is_scalar(v);
    return good ? 0
                : err_set(e, "%s%s must be a string, a number, true, false, or an array of them",
                      path, f->name);
}

static int
read_field(
    struct arg *a, const struct field *f, const struct config *c, const char *path, struct err *e)
{
    uint64_t min, max, standard;

    tool_field_range(f, c, &min, &max, &standard);
    a->number = standard;
    if (!a->value)
        return f->required ? err_set(e, "%s%s is required: %s", path, f->name, f->help) : 0;
    switch (f->type) {
    case TYPE_STRING:
        return read_string(a, f, path, min, max, e);
    case TYPE_CHOICE:
        return read_choice(a, f, path, e);
    case TYPE_INTEGER:
        return read_integer(a, f, path, min, max, e);
    case TYPE_NAMES:
    case TYPE_OBJECTS:
        return read_array(a, f, path, min, max, e);
    case TYPE_VALUE:
        return read_value(a, f, path, e);
    }
    return -1;
}

int
args_read(struct args *a, enum shape s, const struct config *c, const char *path,
    const struct json *object, struct str raw, struct err *e)
{
    unsigned n;
    const struct field *f = tool_fields(s, &n);

    must(n <= ARGS_MAX);
    memset(a, 0, sizeof *a);
    a->shape = s;
    for (const struct json *v = json_first(object); v; v = json_following(v)) {
        unsigned i = 0;
        while (i < n && strcmp(f[i].name, json_key(v)) != 0)
            i++;
        if (i == n)
            return unknown_argument(f, n, path, str_of(json_key(v)), e);
        /* Some clients send null for what the model left out. */
        if (json_type(v) != JSON_NULL)
            a->at[i] = (struct arg){ .value = v, .raw = json_member(raw, f[i].name) };
    }
    for (unsigned i = 0; i < n; i++)
        if (read_field(&a->at[i], &f[i], c, path, e) != 0)
            return -1;
    return 0;
}

const struct arg *
args_at(const struct args *a, const char *name)
{
    unsigned n;
    const struct field *f = tool_fields(a->shape, &n);

    for (unsigned i = 0; i < n; i++)
        if (strcmp(f[i].name, name) == 0)
            return &a->at[i];
    must(!"a field of the tool");
    return NULL;
}
