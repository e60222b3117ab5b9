/* config_yaml.c - settings from the YAML file: nested mappings to dotted paths (libyaml).
 *
 * The supervisor, at start and reload.  Must never accept a secret that stands in the file itself:
 * backups and support bundles copy YAML files. */
#include "state/config_table.h"

#include "must.h"

#include <stdio.h>
#include <yaml.h>

enum { DEPTH_MAX = 16, PATH_MAX_BYTES = 256, ITEMS_MAX = 4096 };

struct reader {
    struct config_load *l;
    const char *file;
    yaml_parser_t parser;
    bool broken;                             /* a syntax error was told: nothing more can be read */
    unsigned section_lines[CONFIG_I__COUNT]; /* by index in config_lines; 0: not seen */
};

static void
tell_syntax(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    bool at_mark = p->error == YAML_SCANNER_ERROR || p->error == YAML_PARSER_ERROR;

    r->broken = true;
    if (p->error == YAML_MEMORY_ERROR) {
        r->l->out_of_memory = true;
        return;
    }
    config_error(r->l, r->file, at_mark ? (unsigned)p->problem_mark.line + 1 : 0, NULL,
        "not valid YAML: %s%s%s; correct it (tabs must not indent)",
        p->problem ? p->problem : "unreadable", p->context ? " " : "",
        p->context ? p->context : "");
}

/* The next event, which the caller deletes; false at a syntax error. */
static bool
next(struct reader *r, yaml_event_t *ev)
{
    if (r->broken || r->l->out_of_memory)
        return false;
    if (yaml_parser_parse(&r->parser, ev))
        return true;
    tell_syntax(r);
    return false;
}

static unsigned
line_of(const yaml_event_t *ev)
{
    return (unsigned)ev->start_mark.line + 1;
}

/* The rest of a value whose first event was `ev`: nothing in it can be used. */
static bool
skip_value(struct reader *r, const yaml_event_t *ev)
{
    yaml_event_t inner;
    unsigned depth = ev->type == YAML_MAPPING_START_EVENT || ev->type == YAML_SEQUENCE_START_EVENT;

    while (depth > 0) {
        if (!next(r, &inner))
            return false;
        depth += inner.type == YAML_MAPPING_START_EVENT || inner.type == YAML_SEQUENCE_START_EVENT;
        depth -= inner.type == YAML_MAPPING_END_EVENT || inner.type == YAML_SEQUENCE_END_EVENT;
        yaml_event_delete(&inner);
    }
    return true;
}

static struct str
scalar(const yaml_event_t *ev)
{
    return (struct str){ (const char *)ev->data.scalar.value, ev->data.scalar.length };
}

static bool
is_null(const yaml_event_t *ev)
{
    struct str s = scalar(ev);

    return ev->type == YAML_SCALAR_EVENT && ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (s.n == 0 || str_is(s, "~") || str_is_nocase(s, "null"));
}

/* ${NAME} references; "$${" stands for "${".  Lent from the arena.  False after a complaint. */
static bool
expand(struct reader *r, unsigned line, const char *key, struct str in, struct str *out)
{
    struct buf b;
    bool ok = true;

    buf_init(&b, 1 << 20);
    for (size_t i = 0; i < in.n && ok;) {
        struct str rest = str_from(in, i);
        if (str_starts(rest, "$${")) {
            buf_put_z(&b, "${");
            i += 3;
        } else if (str_starts(rest, "${")) {
            const char *end = memchr(rest.p, '}', rest.n);
            struct str name = { rest.p + 2, end ? (size_t)(end - rest.p) - 2 : 0 }, value;
            if (!end || name.n == 0) {
                config_error(r->l, r->file, line, key,
                    "a ${ reference without a name or its }; write ${NAME}");
                ok = false;
            } else if (!config_lookup(r->l, name, &value)) {
                config_error(r->l, r->file, line, key,
                    "the variable %s is not set; set it in the environment or in .env",
                    config_quote(r->l, name));
                ok = false;
            } else {
                buf_put_str(&b, value);
                i += name.n + 3;
            }
        } else {
            buf_put_c(&b, in.p[i++]);
        }
    }
    if (b.failed)
        r->l->out_of_memory = true;
    if (ok)
        *out = (struct str){ config_copy(r->l, buf_str(&b)), b.len };
    buf_wipe(&b);
    return ok && out->p;
}

/* The whole text is one reference. */
static bool
is_reference(struct str s)
{
    return s.n > 3 && str_starts(s, "${") && memchr(s.p, '}', s.n) == s.p + s.n - 1;
}

/* A place for the value of a setting, or NULL after a complaint about a second one. */
static struct config_given *
claim(struct reader *r, const struct config_option *o, unsigned line)
{
    struct config_given *g = &r->l->given[o->index][CONFIG_FROM_YAML];

    if (g->line) {
        config_error(r->l, r->file, line, o->path,
            "given a second time (first in line %u); remove one of the two", g->line);
        return NULL;
    }
    *g = (struct config_given){ .file = r->file, .line = line, .key = o->path };
    return g;
}

static void
take_scalar(struct reader *r, const struct config_option *o, const yaml_event_t *ev)
{
    unsigned line = line_of(ev);
    struct config_given *g = claim(r, o, line);

    if (!g || is_null(ev))
        return;
    if (o->kind == CONFIG_SECRET && scalar(ev).n && !is_reference(scalar(ev))) {
        config_error(r->l, r->file, line, o->path,
            "a secret must not stand in this file; write ${%s} and put the value into .env, or "
            "name "
            "a file",
            o->env);
        return;
    }
    if (!expand(r, line, o->path, scalar(ev), &g->text))
        return;
    /* An empty string is a value only where it can mean something: an empty list. */
    g->set = g->text.n > 0 || o->kind == CONFIG_LIST;
}

static bool
take_sequence(struct reader *r, const struct config_option *o, const yaml_event_t *start)
{
    struct config_given *g = claim(r, o, line_of(start));
    struct str *items = config_alloc(r->l, ITEMS_MAX * sizeof *items);
    yaml_event_t ev;
    size_t n = 0;

    while (items && next(r, &ev)) {
        bool ok = true;
        if (ev.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&ev);
            if (g) {
                g->set = true;
                g->items = items;
                g->n_items = n;
            }
            return true;
        }
        if (ev.type != YAML_SCALAR_EVENT) {
            config_error(r->l, r->file, line_of(&ev), o->path,
                "a list of plain values is expected; write one value a line behind a dash");
            ok = skip_value(r, &ev);
        } else if (n == ITEMS_MAX) {
            config_error(r->l, r->file, line_of(&ev), o->path, "more than %d values; remove some",
                ITEMS_MAX);
            ok = skip_value(r, start);
            yaml_event_delete(&ev);
            return ok;
        } else if (!is_null(&ev) && scalar(&ev).n) {
            n += expand(r, line_of(&ev), o->path, scalar(&ev), &items[n]);
        }
        yaml_event_delete(&ev);
        if (!ok)
            return false;
    }
    return false;
}

static void
tell_unknown(struct reader *r, unsigned line, const char *path)
{
    const char *near = NULL;

    if (r->l->unknown++ < CONFIG_SUGGESTIONS_MAX)
        near = config_nearest_path(str_of(path));
    config_error(r->l, r->file, line, path, "no such setting%s%s%s",
        near ? "; did you mean " : "; snowflake-mcp.yaml(5) lists them", near ? near : "",
        near ? "?" : "");
}

/* A section's key: twice is as wrong as a setting's. */
static void
note_section(struct reader *r, const char *path, unsigned line)
{
    for (unsigned k = 0; k < config_lines_count && k < NELEM(r->section_lines); k++) {
        if (!config_lines[k].section || strcmp(config_lines[k].section, path) != 0)
            continue;
        if (r->section_lines[k])
            config_error(r->l, r->file, line, path,
                "given a second time (first in line %u); put all of it in one place",
                r->section_lines[k]);
        else
            r->section_lines[k] = line;
    }
}

static bool take_mapping(struct reader *r, const char *path, unsigned depth);

static bool
take_value(
    struct reader *r, const char *path, unsigned key_line, const yaml_event_t *ev, unsigned depth)
{
    const struct config_option *o = config_by_path(str_of(path));
    bool section = config_is_section(str_of(path));

    if (section)
        note_section(r, path, key_line);
    switch (ev->type) {
    case YAML_SCALAR_EVENT:
        if (o)
            take_scalar(r, o, ev);
        else if (!section)
            tell_unknown(r, key_line, path);
        else if (!is_null(ev))
            config_error(r->l, r->file, key_line, path,
                "is a section; write its settings indented below it");
        return true;
    case YAML_SEQUENCE_START_EVENT:
        if (o && o->kind == CONFIG_LIST)
            return take_sequence(r, o, ev);
        if (!o && !section)
            tell_unknown(r, key_line, path);
        else
            config_error(r->l, r->file, line_of(ev), path, "a list is not expected here; %s",
                o ? "write one value" : "write settings indented below it");
        return skip_value(r, ev);
    case YAML_MAPPING_START_EVENT:
        if (section && depth < DEPTH_MAX)
            return take_mapping(r, path, depth + 1);
        if (o)
            config_error(
                r->l, r->file, line_of(ev), path, "is a setting and no section; write one value");
        else
            tell_unknown(r, key_line, path);
        return skip_value(r, ev);
    default:
        config_error(r->l, r->file, line_of(ev), path,
            "YAML references (*) are not read here; write the value out");
        return true;
    }
}

/* The members of a mapping whose start was read, up to its end. */
static bool
take_mapping(struct reader *r, const char *path, unsigned depth)
{
    yaml_event_t key, value;

    while (next(r, &key)) {
        if (key.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&key);
            return true;
        }
        char full[PATH_MAX_BYTES];
        unsigned line = line_of(&key);
        bool usable = key.type == YAML_SCALAR_EVENT && scalar(&key).n < PATH_MAX_BYTES / 2 &&
                      strlen(path) < PATH_MAX_BYTES / 2 - 1 &&
                      utf8_is_valid(scalar(&key).p, scalar(&key).n);
        if (usable)
            for (size_t i = 0; i < scalar(&key).n; i++)
                usable &= (unsigned char)scalar(&key).p[i] >= 0x20;
        if (usable)
            snprintf(full, sizeof full, "%s%s%.*s", path, *path ? "." : "", STR_ARG(scalar(&key)));
        else
            config_error(r->l, r->file, line, NULL, "a name of a setting is expected; correct it");
        bool ok = skip_value(r, &key);
        yaml_event_delete(&key);
        if (!ok || !next(r, &value))
            return false;
        ok = usable ? take_value(r, config_copy(r->l, str_of(full)), line, &value, depth)
                    : skip_value(r, &value);
        yaml_event_delete(&value);
        if (!ok)
            return false;
    }
    return false;
}

static void
take_document(struct reader *r, const yaml_event_t *ev)
{
    if (ev->type == YAML_MAPPING_START_EVENT)
        take_mapping(r, "", 0);
    else if (!is_null(ev)) {
        config_error(r->l, r->file, line_of(ev), NULL,
            "settings are expected: lines like \"server:\" with settings indented below");
        skip_value(r, ev);
    }
}

void
config_read_yaml(struct config_load *l, const char *file, struct str text)
{
    struct reader r = { .l = l, .file = file };
    yaml_event_t ev;
    unsigned documents = 0;

    if (!yaml_parser_initialize(&r.parser)) {
        l->out_of_memory = true;
        return;
    }
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.p, text.n);
    for (bool end = false; !end && next(&r, &ev);) {
        end = ev.type == YAML_STREAM_END_EVENT;
        documents += ev.type == YAML_DOCUMENT_START_EVENT;
        if (documents > 1) {
            config_error(l, file, line_of(&ev), NULL,
                "a second document begins here; keep all settings in one");
            end = true;
        } else if (ev.type == YAML_MAPPING_START_EVENT || ev.type == YAML_SEQUENCE_START_EVENT ||
                   ev.type == YAML_SCALAR_EVENT) {
            take_document(&r, &ev);
        }
        yaml_event_delete(&ev);
    }
    yaml_parser_delete(&r.parser);
}
