/* faults.c - the list of fault rules and their reader.
 *
 * Runs in the event loop. */
#include "emulator/faults.h"

#include "json_dom.h"
#include "must.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

#define FOREVER (-1)

struct rule {
    struct rule *next;
    char *match; /* a route's name, "any", or NULL */
    char *sql_contains;
    regex_t path, sql;
    bool has_path, has_sql;
    int64_t count; /* left; FOREVER */
    struct fault fault;
    char *code, *body, *message;
};

struct faults {
    struct rule *first;
};

static const struct {
    const char *name;
    enum faults_kind kind;
} kinds[] = {
    { "delay", FAULT_DELAY },
    { "status", FAULT_STATUS },
    { "html", FAULT_HTML },
    { "garbage", FAULT_GARBAGE },
    { "drop", FAULT_DROP },
    { "drop_after", FAULT_DROP_AFTER },
    { "hang", FAULT_HANG },
    { "truncate", FAULT_TRUNCATE },
    { "truncate_gzip", FAULT_TRUNCATE },
    { "reset_mid_body", FAULT_RESET_MID_BODY },
    { "slow", FAULT_SLOW },
    { "forever_202", FAULT_FOREVER_202 },
    { "code_391908", FAULT_391908 },
    { "jwt_refused", FAULT_JWT_REFUSED },
    { "expire_credentials", FAULT_JWT_REFUSED },
};

static const char *const routes[] = {
    [FAULTS_SUBMIT] = "submit",
    [FAULTS_POLL] = "poll",
    [FAULTS_PARTITION] = "partition",
    [FAULTS_CANCEL] = "cancel",
};

struct faults *
faults_new(void)
{
    return calloc(1, sizeof(struct faults));
}

static void
rule_free(struct rule *r)
{
    if (r->has_path)
        regfree(&r->path);
    if (r->has_sql)
        regfree(&r->sql);
    free(r->match);
    free(r->sql_contains);
    free(r->code);
    free(r->body);
    free(r->message);
    free(r);
}

void
faults_clear(struct faults *f)
{
    while (f->first) {
        struct rule *r = f->first;
        f->first = r->next;
        rule_free(r);
    }
}

void
faults_free(struct faults *f)
{
    if (!f)
        return;
    faults_clear(f);
    free(f);
}

static char *
text_of(const struct json *rule, const char *key)
{
    struct str s = json_string(json_get(rule, key));

    return s.p ? strndup(s.p, s.n) : NULL;
}

static int64_t
number_of(const struct json *rule, const char *key, int64_t otherwise)
{
    int64_t n;

    return json_integer(json_get(rule, key), &n) == 0 ? n : otherwise;
}

static bool
is_known_key(const char *key)
{
    static const char *const keys[] = { "match", "path", "sql", "sql_contains", "kind", "status",
        "code", "message", "count", "ms", "delay_ms", "retry_after", "body", "html" };

    for (size_t i = 0; i < NELEM(keys); i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

static int
read_kind(struct rule *r, const struct json *rule, struct err *e)
{
    struct str kind = json_string(json_get(rule, "kind"));

    for (size_t i = 0; i < NELEM(kinds); i++)
        if (str_is(kind, kinds[i].name))
            r->fault.kind = kinds[i].kind;
    if (kind.p && r->fault.kind == FAULT_NONE)
        return err_set(e, "unknown kind '%.*s'", STR_ARG(kind));
    if (!kind.p)
        r->fault.kind = json_get(rule, "html")     ? FAULT_HTML
                        : json_get(rule, "status") ? FAULT_STATUS
                                                   : FAULT_DELAY;
    return 0;
}

static int
read_regex(regex_t *re, bool *has, const struct json *rule, const char *key, struct err *e)
{
    char *text = text_of(rule, key);

    if (!text)
        return 0;
    *has = regcomp(re, text, REG_EXTENDED | REG_ICASE | REG_NOSUB) == 0;
    free(text);
    return *has ? 0 : err_set(e, "'%s' is no regular expression", key);
}

static int
read_rule(struct rule *r, const struct json *rule, struct err *e)
{
    if (json_type(rule) != JSON_OBJECT)
        return err_set(e, "a rule is an object");
    for (const struct json *m = json_first(rule); m; m = json_following(m))
        if (!is_known_key(json_key(m)))
            return err_set(e, "unknown key '%s'", json_key(m));
    if (read_kind(r, rule, e) != 0 || read_regex(&r->path, &r->has_path, rule, "path", e) != 0 ||
        read_regex(&r->sql, &r->has_sql, rule, "sql", e) != 0)
        return -1;
    r->match = text_of(rule, "match");
    if (r->match && strcmp(r->match, "any") != 0) {
        bool known = false;
        for (size_t i = 0; i < NELEM(routes); i++)
            known |= strcmp(r->match, routes[i]) == 0;
        if (!known)
            return err_set(e, "unknown route '%s'", r->match);
    }
    r->sql_contains = text_of(rule, "sql_contains");
    r->code = text_of(rule, "code");
    r->message = text_of(rule, "message");
    r->body = text_of(rule, "body");
    if (!r->body)
        r->body = text_of(rule, "html");
    r->count = number_of(rule, "count", 1);
    if (r->count <= 0)
        r->count = FOREVER;
    r->fault.status = (int)number_of(rule, "status", r->fault.kind == FAULT_HTML ? 503 : 500);
    r->fault.ms = (unsigned)number_of(rule, "ms", number_of(rule, "delay_ms", 0));
    r->fault.retry_after = (int)number_of(rule, "retry_after", -1);
    r->fault.code = r->code;
    r->fault.body = r->body;
    r->fault.message = r->message;
    return 0;
}

static int
append_rule(struct faults *f, const struct json *rule, struct err *e)
{
    struct rule *r = calloc(1, sizeof *r), **last = &f->first;

    if (!r)
        return err_set(e, "no memory");
    if (read_rule(r, rule, e) != 0) {
        rule_free(r);
        return -1;
    }
    while (*last)
        last = &(*last)->next;
    *last = r;
    return 0;
}

int
faults_add(struct faults *f, struct str json, struct err *e)
{
    struct json_fault fault;
    struct json *doc = json_parse(json, 8, &fault);
    int rc = 0;

    if (!doc)
        return err_set(e, "no JSON");
    if (json_type(doc) == JSON_ARRAY) {
        for (const struct json *v = json_first(doc); v && rc == 0; v = json_following(v))
            rc = append_rule(f, v, e);
    } else {
        rc = append_rule(f, doc, e);
    }
    json_free(doc);
    return rc;
}

static bool
contains_nocase(struct str text, const char *part)
{
    struct str p = str_of(part);

    for (size_t i = 0; i + p.n <= text.n; i++)
        if (str_eq_nocase((struct str){ text.p + i, p.n }, p))
            return true;
    return false;
}

static bool
regex_matches(const regex_t *re, struct str text)
{
    char *z = strndup(text.p ? text.p : "", text.n);
    bool yes = z && regexec(re, z, 0, NULL, 0) == 0;

    free(z);
    return yes;
}

static bool
rule_matches(const struct rule *r, enum faults_route route, struct str path, struct str sql)
{
    if (r->match && strcmp(r->match, "any") != 0 && strcmp(r->match, routes[route]) != 0)
        return false;
    if (r->sql_contains && !contains_nocase(sql, r->sql_contains))
        return false;
    if (r->has_sql && !regex_matches(&r->sql, sql))
        return false;
    return !r->has_path || regex_matches(&r->path, path);
}

struct fault
faults_match(struct faults *f, enum faults_route route, struct str path, struct str sql)
{
    for (struct rule *r = f->first; r; r = r->next) {
        if (r->count == 0 || !rule_matches(r, route, path, sql))
            continue;
        if (r->count != FOREVER)
            r->count--;
        return r->fault;
    }
    return (struct fault){ .kind = FAULT_NONE, .retry_after = -1 };
}

void
faults_put_json(const struct faults *f, struct buf *out)
{
    const char *comma = "";

    buf_put_c(out, '[');
    for (const struct rule *r = f->first; r; r = r->next) {
        for (size_t i = 0; i < NELEM(kinds); i++) {
            if (kinds[i].kind == r->fault.kind) {
                buf_printf(out, "%s{\"kind\":\"%s\",\"count\":%lld}", comma, kinds[i].name,
                    (long long)r->count);
                comma = ",";
                break;
            }
        }
    }
    buf_put_c(out, ']');
}
