/* config.c - loads the configuration: reads the files, lets the strongest source win, checks the
 * whole, and prints it.
 *
 * The supervisor, at start and at reload, and the commands that only look.  Must never stop at the
 * first problem, print a secret, or change a configuration that is in force. */
#include "state/config_table.h"

#include "log.h"
#include "must.h"

#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 1 << 20, ARENA_MAX_BYTES = 32 << 20, QUOTE_MAX_BYTES = 80 };

/* Problems ------------------------------------------------------------------------------------- */

static void __attribute__((format(printf, 6, 0))) put_problem(struct config_load *l,
    const char *word, const char *file, unsigned line, const char *key, const char *fmt, va_list ap)
{
    buf_put_z(l->problems, word);
    if (file)
        buf_put_z(l->problems, file);
    if (file && line)
        buf_printf(l->problems, ":%u", line);
    if (file)
        buf_put_z(l->problems, ": ");
    if (key)
        buf_printf(l->problems, "%s: ", key);
    buf_vprintf(l->problems, fmt, ap);
    buf_put_c(l->problems, '\n');
}

void
config_error(
    struct config_load *l, const char *file, unsigned line, const char *key, const char *fmt, ...)
{
    va_list ap;

    l->failed = true;
    l->errors++;
    va_start(ap, fmt);
    put_problem(l, "error: ", file, line, key, fmt, ap);
    va_end(ap);
}

void
config_warning(
    struct config_load *l, const char *file, unsigned line, const char *key, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    put_problem(l, "warning: ", file, line, key, fmt, ap);
    va_end(ap);
}

void *
config_alloc(struct config_load *l, size_t n)
{
    void *p = arena_alloc(l->arena, n);

    l->out_of_memory |= p == NULL;
    return p;
}

char *
config_copy(struct config_load *l, struct str s)
{
    char *p = arena_copy(l->arena, s);

    l->out_of_memory |= p == NULL;
    return p;
}

const char *
config_quote(struct config_load *l, struct str text)
{
    struct buf b;

    buf_init(&b, 4 * QUOTE_MAX_BYTES + 16);
    buf_put_c(&b, '"');
    size_t n = text.p ? utf8_cut(text.p, text.n, QUOTE_MAX_BYTES) : 0;
    for (size_t i = 0, step; i < n; i += step) {
        step = utf8_char(text.p + i, n - i);
        if (step == 0 || (unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f) {
            buf_printf(&b, "\\x%02x", (unsigned char)text.p[i]);
            step = 1;
        } else {
            buf_put(&b, text.p + i, step);
        }
    }
    buf_put_z(&b, n < text.n ? "...\"" : "\"");
    const char *quoted = config_copy(l, buf_str(&b));
    buf_fini(&b);
    return quoted ? quoted : "?";
}

/* Files ---------------------------------------------------------------------------------------- */

/* The whole of a file, in the arena; *mode its permissions.  False when it is not there (that is an
 * error only if it was asked for by name) or cannot be read (always one). */
static bool
read_file(struct config_load *l, const char *path, bool required, struct str *text, mode_t *mode)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0) {
        if (required || (errno != ENOENT && errno != ENOTDIR))
            config_error(l, path, 0, NULL, "cannot be read: %s; check the name and its permissions",
                strerror(errno));
        return false;
    }
    bool ok = false;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        config_error(l, path, 0, NULL, "is not a regular file; name a file");
    } else if (st.st_size > FILE_MAX_BYTES) {
        config_error(l, path, 0, NULL, "is larger than 1 MiB; this cannot be a configuration");
    } else {
        char *p = config_alloc(l, (size_t)st.st_size + 1);
        ssize_t n = p ? read(fd, p, (size_t)st.st_size) : -1;
        if (p && n < 0)
            config_error(l, path, 0, NULL, "cannot be read: %s; check the disk", strerror(errno));
        ok = n >= 0;
        *text = (struct str){ p, ok ? (size_t)n : 0 };
        *mode = st.st_mode;
    }
    close(fd);
    return ok;
}

/* .env holds something that others must not read. */
static const struct config_env_line *
secret_line(const struct config_load *l)
{
    const struct config_env_line *found = NULL;
    enum config_plain plain;
    bool alias;

    for (const struct config_env_line *e = l->env_lines; e; e = e->next) {
        const struct config_option *o = config_by_env(str_of(e->name), &plain, &alias);
        if (e->value.n && ((o && o->kind == CONFIG_SECRET) || strcmp(e->name, "API_KEYS") == 0))
            found = e;
    }
    return found;
}

static void
check_mode(struct config_load *l)
{
    const char *path = l->env_file;
    unsigned mode = l->env_mode;
    const struct config_env_line *e = secret_line(l);
    const struct config_option *o = config_option(CONFIG_I_env_mode);

    if (!e || (mode & 077) == 0)
        return;
    /* What a setting in a file of doubtful hands says about that file counts nevertheless: who can
     * write it can do worse. */
    struct config_given *g = NULL;
    for (unsigned from = 0; from < CONFIG_FROM__COUNT; from++)
        if (l->given[o->index][from].set)
            g = &l->given[o->index][from];
    if (g && str_is_nocase(g->text, "warn"))
        config_warning(l, path, e->line, e->name,
            "others can read this secret (mode %03o); run chmod 600 on the file", mode & 0777);
    else
        config_error(l, path, e->line, e->name,
            "others can read this secret (mode %03o); run chmod 600 on the file", mode & 0777);
}

/* The folder of a path, "." if it names none. */
static const char *
folder_of(struct config_load *l, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return ".";
    return config_copy(l, (struct str){ path, slash == path ? 1 : (size_t)(slash - path) });
}

static void
read_files(struct config_load *l, const struct config_source *s)
{
    const char *yaml = s->yaml_file ? s->yaml_file : INSTALL_PREFIX "/config.yaml";
    const char *env = s->env_file;
    struct str text;
    mode_t mode;

    l->base = folder_of(l, yaml);
    if (!env && l->base)
        env = arena_printf(l->arena, "%s/.env", l->base);
    if (!env || !l->base) {
        l->out_of_memory = true;
        return;
    }
    /* .env first: references in the YAML file are looked up in it. */
    if (read_file(l, env, s->env_file != NULL, &text, &mode)) {
        config_read_env(l, env, text);
        config_take_env_file(l, env);
    } else {
        mode = 0;
    }
    struct str yaml_text;
    mode_t yaml_mode;
    if (read_file(l, yaml, s->yaml_file != NULL, &yaml_text, &yaml_mode))
        config_read_yaml(l, yaml, yaml_text);
    l->env_file = env;
    l->env_mode = mode;
}

static void
take_overrides(struct config_load *l, const char *const *overrides)
{
    for (; overrides && *overrides; overrides++) {
        struct str rest = str_of(*overrides), path;
        if (!str_split(&rest, '=', &path) || !rest.p) {
            config_error(l, "command line", 0, *overrides, "is not of the form yaml.path=value");
            continue;
        }
        const struct config_option *o = config_by_path(path);
        if (!o) {
            const char *near = config_nearest_path(path);
            config_error(l, "command line", 0, config_copy(l, path), "no such setting%s%s%s",
                near ? "; did you mean " : "; see snowflake-mcp.yaml(5)", near ? near : "",
                near ? "?" : "");
            continue;
        }
        l->given[o->index][CONFIG_FROM_OVERRIDE] = (struct config_given){
            .set = true, .file = "command line", .key = o->path, .text = rest
        };
    }
}

/* Load ----------------------------------------------------------------------------------------- */

static void
settle(struct config_load *l)
{
    for (unsigned k = 0; k < config_lines_count; k++) {
        const struct config_option *o = &config_lines[k];
        const struct config_given *g = NULL;
        if (o->section)
            continue;
        for (unsigned from = 0; from < CONFIG_FROM__COUNT; from++) {
            if (!l->given[o->index][from].set)
                continue;
            g = &l->given[o->index][from];
            l->c->priv->origins[o->index] = (struct config_origin){
                .from = (enum config_from)from, .file = g->file, .line = g->line, .key = g->key
            };
        }
        config_take_default(l, o);
        unsigned before = l->errors;
        if (g)
            config_take_value(l, o, g);
        l->c->priv->origins[o->index].wrong = l->errors > before;
    }
}

/* NULL on lack of memory, which is then the one problem that is told. */
static struct config_load *
begin(char *const *environ_, struct buf *problems)
{
    static char *const no_environment[] = { NULL };
    struct config_load *l = calloc(1, sizeof *l);
    struct arena *arena = arena_new(ARENA_MAX_BYTES);
    struct config *c = calloc(1, sizeof *c);

    if (c)
        c->priv = calloc(1, sizeof *c->priv);
    if (!l || !arena || !c || !c->priv) {
        buf_put_z(problems, "error: not enough memory to read the configuration\n");
        arena_free(arena);
        if (c)
            free(c->priv);
        free(c);
        free(l);
        return NULL;
    }
    c->priv->arena = arena;
    l->c = c;
    l->arena = arena;
    l->problems = problems;
    l->environ_ = environ_ ? environ_ : no_environment;
    return l;
}

static struct config *
finish(struct config_load *l)
{
    struct config *c = l->c;

    if (!l->out_of_memory)
        settle(l);
    if (!l->out_of_memory)
        config_check(l);
    if (l->out_of_memory)
        config_error(l, NULL, 0, NULL, "not enough memory to read the configuration");
    if (l->failed) {
        config_free(c);
        c = NULL;
    }
    free(l);
    return c;
}

struct config *
config_load(const struct config_source *s, struct buf *problems)
{
    struct config_load *l = begin(s->environ_, problems);

    if (!l)
        return NULL;
    if (s->files)
        read_files(l, s);
    take_overrides(l, s->overrides);
    config_take_environment(l);
    check_mode(l); /* now that it is known what files.env_mode says */
    return finish(l);
}

struct config *
config_load_texts(const char *yaml, size_t yaml_bytes, const char *env, size_t env_bytes,
    char *const *environ_, struct buf *problems)
{
    struct config_load *l = begin(environ_, problems);

    if (!l)
        return NULL;
    if (env) {
        config_read_env(l, ".env", (struct str){ env, env_bytes });
        config_take_env_file(l, ".env");
    }
    if (yaml)
        config_read_yaml(l, "config.yaml", (struct str){ yaml, yaml_bytes });
    config_take_environment(l);
    return finish(l);
}

void
config_free(struct config *c)
{
    if (!c)
        return;
    for (unsigned k = 0; k < config_lines_count; k++)
        if (!config_lines[k].section && config_lines[k].kind == CONFIG_SECRET)
            secret_free(*(struct secret **)config_field(c, &config_lines[k]));
    arena_free(c->priv->arena);
    free(c->priv);
    free(c);
}

/* Print ---------------------------------------------------------------------------------------- */

void
config_print(const struct config *c, struct buf *out)
{
    for (unsigned k = 0; k < config_lines_count; k++) {
        const struct config_option *o = &config_lines[k];
        if (o->section)
            continue;
        const struct config_origin *from = &c->priv->origins[o->index];
        size_t start = out->len;
        buf_printf(out, "%s: ", o->path);
        config_put_value(out, c, o);
        while (out->len - start < 48 && !out->failed)
            buf_put_c(out, ' ');
        if (from->adapted)
            buf_put_z(out, "  # default, lowered to fit");
        else if (from->from == CONFIG_FROM_DEFAULT)
            buf_put_z(out, "  # default");
        else if (from->line)
            buf_printf(out, "  # %s:%u", from->file, from->line);
        else
            buf_printf(out, "  # %s", from->file);
        if (from->key && strcmp(from->key, o->path) != 0)
            buf_printf(out, " %s", from->key);
        buf_put_c(out, '\n');
    }
}
