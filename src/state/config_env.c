/* config_env.c - settings from the environment and from .env.
 *
 * The supervisor, at start and reload.  Must never expand, execute or print what .env holds: it is
 * read as text, although it looks like shell. */
#include "state/config_table.h"

#include "must.h"

enum { ENV_LINES_MAX = 10000 };

struct str
config_strip(struct str value)
{
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '#' && i > 0 && (value.p[i - 1] == ' ' || value.p[i - 1] == '\t')) {
            value.n = i;
            break;
        }
    }
    return str_trim(value);
}

/* .env ----------------------------------------------------------------------------------------- */

struct cursor {
    struct config_load *l;
    const char *file;
    const char *p, *end;
    unsigned line;
};

static bool
is_name_char(char c, bool first)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           (!first && c >= '0' && c <= '9');
}

static struct str
rest_of_line(const struct cursor *c)
{
    const char *nl = memchr(c->p, '\n', (size_t)(c->end - c->p));
    size_t n = (size_t)((nl ? nl : c->end) - c->p);

    if (n && c->p[n - 1] == '\r')
        n--;
    return (struct str){ c->p, n };
}

static void
next_line(struct cursor *c)
{
    const char *nl = memchr(c->p, '\n', (size_t)(c->end - c->p));

    c->p = nl ? nl + 1 : c->end;
    c->line++;
}

static void
skip_blanks(struct cursor *c)
{
    while (c->p < c->end && (*c->p == ' ' || *c->p == '\t'))
        c->p++;
}

/* A quoted value may run over several lines (a PEM key).  False when its end is missing. */
static bool
take_quoted(struct cursor *c, struct buf *out)
{
    char quote = *c->p++;

    for (; c->p < c->end && *c->p != quote; c->p++) {
        if (*c->p == '\n')
            c->line++;
        if (quote == '"' && *c->p == '\\' && c->p + 1 < c->end) {
            c->p++;
            if (*c->p == '\n')
                c->line++;
            switch (*c->p) {
            case 'n':
                buf_put_c(out, '\n');
                break;
            case 't':
                buf_put_c(out, '\t');
                break;
            case 'r':
                buf_put_c(out, '\r');
                break;
            case '"':
            case '\\':
            case '$':
                buf_put_c(out, *c->p);
                break;
            default:
                buf_put_c(out, '\\');
                buf_put_c(out, *c->p);
            }
        } else {
            buf_put_c(out, *c->p);
        }
    }
    if (c->p >= c->end)
        return false;
    c->p++;
    return true;
}

/* The value behind NAME=; the cursor ends somewhere on the value's last line. */
static bool
take_env_value(struct cursor *c, const char *name, unsigned line, struct str *value)
{
    struct config_load *l = c->l;

    skip_blanks(c);
    if (c->p >= c->end || (*c->p != '"' && *c->p != '\'')) {
        /* A blank was skipped, so a '#' right here begins a comment unless it touches the '='. */
        struct str text = rest_of_line(c);
        bool comment = text.n && text.p[0] == '#' && text.p[-1] != '=';
        text = comment ? STR("") : config_strip(text);
        *value = (struct str){ config_copy(l, text), text.n };
        return value->p != NULL;
    }
    struct buf b;
    buf_init(&b, 1 << 20);
    const char *start = c->p;
    if (!take_quoted(c, &b)) {
        buf_wipe(&b);
        config_error(l, c->file, line, name, "the quote is not closed; add a %c", *start);
        return false;
    }
    struct str behind = str_trim(rest_of_line(c));
    if (behind.n && behind.p[0] != '#')
        config_error(l, c->file, c->line, name,
            "there is text behind the closing quote; remove it or quote all of the value");
    l->out_of_memory |= b.failed;
    *value = (struct str){ config_copy(l, buf_str(&b)), b.len };
    buf_wipe(&b);
    return value->p != NULL;
}

static void
take_env_line(struct cursor *c)
{
    struct config_load *l = c->l;
    unsigned line = c->line;

    skip_blanks(c);
    if (str_starts(rest_of_line(c), "export ") || str_starts(rest_of_line(c), "export\t")) {
        c->p += 7;
        skip_blanks(c);
    }
    struct str text = rest_of_line(c);
    if (text.n == 0 || text.p[0] == '#')
        return;
    size_t n = 0;
    while (n < text.n && is_name_char(text.p[n], n == 0))
        n++;
    size_t at = n;
    while (at < text.n && (text.p[at] == ' ' || text.p[at] == '\t'))
        at++;
    if (n == 0 || at >= text.n || text.p[at] != '=') {
        /* The line itself is not shown: it may be the second half of a secret. */
        config_error(l, c->file, line, NULL, "is not of the form NAME=value; correct the line");
        return;
    }
    if (++l->env_count > ENV_LINES_MAX) {
        config_error(
            l, c->file, line, NULL, "more than %d settings; this cannot be a .env", ENV_LINES_MAX);
        c->p = c->end;
        return;
    }
    struct config_env_line *e = config_alloc(l, sizeof *e);
    if (!e)
        return;
    e->name = config_copy(l, (struct str){ text.p, n });
    e->line = line;
    c->p += at + 1;
    if (!e->name || !take_env_value(c, e->name, line, &e->value))
        return;
    for (const struct config_env_line *was = l->env_lines; was; was = was->next) {
        if (strcmp(was->name, e->name) == 0) {
            config_warning(l, c->file, line, e->name,
                "replaces the value of line %u; remove one of the two", was->line);
            break;
        }
    }
    e->next = l->env_lines;
    l->env_lines = e;
}

void
config_read_env(struct config_load *l, const char *file, struct str text)
{
    struct cursor c = { .l = l, .file = file, .p = text.p, .end = text.p + text.n, .line = 1 };

    if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
        c.p += 3;
    while (c.p < c.end && !l->out_of_memory) {
        take_env_line(&c);
        next_line(&c);
    }
}

/* Names ---------------------------------------------------------------------------------------- */

static bool
says_no(struct str value)
{
    static const char *const words[] = { "", "0", "false", "off", "no", "none", "text" };

    for (size_t i = 0; i < NELEM(words); i++)
        if (str_is_nocase(value, words[i]))
            return true;
    return false;
}

/* A name that is not a setting: a feature to come, a typo, or somebody else's. */
static void
remark_unknown(struct config_load *l, const char *file, unsigned line, const char *name,
    struct str value, bool ours)
{
    const struct config_absence *absent = config_absent(str_of(name));
    const char *near = NULL;

    if (absent && says_no(value))
        return;
    if (!absent && (ours || config_has_prefix(str_of(name))) &&
        l->unknown++ < CONFIG_SUGGESTIONS_MAX)
        near = config_nearest_env(str_of(name));
    if (absent)
        config_warning(
            l, file, line, name, "not supported in this version: %s; remove it", absent->remark);
    else if (near)
        config_warning(l, file, line, name, "no such setting; did you mean %s?", near);
    else if (ours || config_has_prefix(str_of(name)))
        config_warning(
            l, file, line, name, "no such setting; snowflake-mcp.yaml(5) lists them, or remove it");
}

static void
take_named(struct config_load *l, enum config_from from, const char *file, unsigned line,
    const char *name, struct str value)
{
    enum config_plain plain;
    bool alias;
    const struct config_option *o = config_by_env(str_of(name), &plain, &alias);

    if (!o) {
        remark_unknown(l, file, line, name, value, from == CONFIG_FROM_ENV_FILE);
        return;
    }
    /* docker --env-file and systemd keep a trailing comment; a '#' in a secret may be its own. */
    if (from == CONFIG_FROM_ENVIRONMENT && o->kind != CONFIG_SECRET)
        value = config_strip(value);
    if (value.n == 0)
        return;
    struct config_given *g = &l->given[o->index][from];
    if (g->set && (alias || g->alias) && strcmp(g->key, name) != 0) {
        /* Two names of one setting: its own name counts. */
        bool keep = alias;
        config_warning(l, file, keep ? line : g->line, keep ? name : g->key,
            "ignored, since %s is set, too; remove one of the two", keep ? g->key : name);
        if (keep)
            return;
    }
    *g = (struct config_given){ .set = true,
        .alias = alias,
        .plain = plain,
        .file = file,
        .line = line,
        .key = name,
        .text = value };
}

/* Lines in the order of the file, so that the last one wins. */
static void
take_env_lines(struct config_load *l, const char *file, const struct config_env_line *e)
{
    /* The list runs backwards; its length is bounded by the file's size, so no recursion. */
    size_t n = 0;
    for (const struct config_env_line *p = e; p; p = p->next)
        n++;
    const struct config_env_line **lines = config_alloc(l, (n + 1) * sizeof *lines);
    if (!lines)
        return;
    for (size_t i = n; e; e = e->next)
        lines[--i] = e;
    for (size_t i = 0; i < n; i++)
        take_named(l, CONFIG_FROM_ENV_FILE, file, lines[i]->line, lines[i]->name, lines[i]->value);
}

void
config_take_env_file(struct config_load *l, const char *file)
{
    take_env_lines(l, file, l->env_lines);
}

void
config_take_environment(struct config_load *l)
{
    for (char *const *p = l->environ_; *p && !l->out_of_memory; p++) {
        const char *eq = strchr(*p, '=');
        if (!eq || eq == *p)
            continue;
        char *name = config_copy(l, (struct str){ *p, (size_t)(eq - *p) });
        if (name)
            take_named(l, CONFIG_FROM_ENVIRONMENT, "environment", 0, name, str_of(eq + 1));
    }
}

bool
config_lookup(const struct config_load *l, struct str name, struct str *value)
{
    for (char *const *p = l->environ_; *p; p++) {
        if (strncmp(*p, name.p, name.n) == 0 && (*p)[name.n] == '=') {
            *value = str_of(*p + name.n + 1);
            return true;
        }
    }
    for (const struct config_env_line *e = l->env_lines; e; e = e->next) {
        if (str_is(name, e->name)) {
            *value = e->value;
            return true;
        }
    }
    return false;
}
