/* config_docs.c - the sample files and the manual page, generated from the table.
 *
 * --dump-docs; the copies in the repository are compared with this by a test.  Must never say
 * anything of a single setting that does not stand in config.def. */
#include "state/config_table.h"

#include "must.h"

enum { COMMENT_COLUMNS = 96 };

/* Words of a text as comment lines of bounded width. */
static void
put_comment(struct buf *out, const char *indent, const char *text)
{
    size_t room = COMMENT_COLUMNS - strlen(indent) - 2, column = 0;
    struct str rest = str_of(text), word;

    while (str_split(&rest, ' ', &word)) {
        if (column && column + 1 + word.n > room)
            column = 0;
        if (column == 0)
            buf_printf(out, "%s%s# ", out->len && out->p[out->len - 1] != '\n' ? "\n" : "", indent);
        else
            buf_put_c(out, ' ');
        column += word.n + (column != 0);
        buf_put_str(out, word);
    }
    buf_put_c(out, '\n');
}

static void
put_default(struct buf *out, const struct config_option *o)
{
    struct str rest = str_of(o->text), choice;

    switch (o->kind) {
    case CONFIG_TEXT:
    case CONFIG_PATH:
    case CONFIG_LIST:
        buf_put_z(out, o->text ? o->text : "");
        break;
    case CONFIG_SECRET:
        break;
    case CONFIG_FLAG:
        buf_put_z(out, o->dflt ? "true" : "false");
        break;
    case CONFIG_CHOICE:
        for (uint64_t i = 0; str_split(&rest, '|', &choice); i++)
            if (i == o->dflt)
                buf_put_str(out, choice);
        break;
    case CONFIG_NUM:
        config_put_number(out, o->unit, o->dflt);
        break;
    }
}

/* What a number without a unit means in the environment, if that differs from the YAML file. */
static const char *
env_plain(const struct config_option *o)
{
    static const char *const texts[] = { [CONFIG_PLAIN_OWN] = NULL,
        [CONFIG_PLAIN_SEC] = " (plain: s)",
        [CONFIG_PLAIN_MIN] = " (plain: m)",
        [CONFIG_PLAIN_MIB] = " (plain: MiB below 1024, else bytes)" };
    enum config_plain plain;
    bool alias;

    config_by_env(str_of(o->env), &plain, &alias);
    return texts[plain];
}

/* "1 to 4096", "one of https, http", ... */
static void
put_values(struct buf *out, const struct config_option *o, bool env)
{
    static const char *const plain[] = { [CONFIG_COUNT] = "",
        [CONFIG_BYTES] = " (plain: bytes)",
        [CONFIG_MSEC] = " (plain: ms)",
        [CONFIG_SEC] = " (plain: s)",
        [CONFIG_MINUTE] = " (plain: m)" };

    switch (o->kind) {
    case CONFIG_TEXT:
        buf_put_z(out, "text");
        break;
    case CONFIG_PATH:
        buf_put_z(out, "a file");
        break;
    case CONFIG_SECRET:
        buf_put_z(out, "a secret");
        break;
    case CONFIG_FLAG:
        buf_put_z(out, "true or false");
        break;
    case CONFIG_CHOICE:
        buf_put_z(out, "one of ");
        for (const char *p = o->text; *p; p++)
            buf_put_z(out, *p == '|' ? ", " : (char[]){ *p, 0 });
        break;
    case CONFIG_LIST:
        buf_put_z(out, "a list");
        break;
    case CONFIG_NUM:
        config_put_number(out, o->unit, o->min);
        buf_put_z(out, " to ");
        config_put_number(out, o->unit, o->max);
        buf_put_z(out, env && env_plain(o) ? env_plain(o) : plain[o->unit]);
        break;
    }
}

/* The two lines of text that stand above a setting in both samples. */
static void
put_facts(struct buf *out, const char *indent, const struct config_option *o, bool env)
{
    struct buf facts;

    put_comment(out, indent, o->help);
    buf_init(&facts, 1024);
    buf_put_c(&facts, '(');
    put_values(&facts, o, env);
    buf_printf(&facts, "; %s; %s)", env ? o->path : o->env, o->reload ? "reload" : "restart");
    put_comment(out, indent, buf_text(&facts));
    buf_fini(&facts);
}

void
config_write_yaml(struct buf *out)
{
    put_comment(out, "",
        "Sample configuration of snowflake-mcp: copy it to config.yaml and take away the # of what "
        "you change. All settings and their defaults are here; snowflake-mcp.yaml(5) explains the "
        "form. Values of .env and of the environment win over this file; their names stand in "
        "brackets, with the values allowed, and whether a reload (SIGHUP) takes a change over or a "
        "restart is needed. No secret may stand here: use a file or a ${VARIABLE}.");
    for (unsigned k = 0; k < config_lines_count; k++) {
        const struct config_option *o = &config_lines[k];
        if (o->section) {
            buf_put_c(out, '\n');
            put_comment(out, "", o->help);
            buf_printf(out, "%s:\n", o->section);
            continue;
        }
        put_facts(out, "  ", o, false);
        buf_printf(out, "  #%s:", strchr(o->path, '.') + 1);
        if (o->kind == CONFIG_SECRET)
            buf_printf(out, " ${%s}", o->env);
        else if (o->kind == CONFIG_LIST && !o->text)
            buf_put_z(out, " []");
        else if (o->kind == CONFIG_LIST)
            buf_printf(out, " \"%s\"", o->text);
        else if ((o->kind != CONFIG_TEXT && o->kind != CONFIG_PATH) || o->text)
            buf_put_c(out, ' ');
        if (o->kind != CONFIG_LIST && o->kind != CONFIG_SECRET)
            put_default(out, o);
        buf_put_c(out, '\n');
    }
}

/* The contract's five: an installation without them does not start. */
static bool
is_needed(const struct config_option *o)
{
    return o->index == CONFIG_I_sf_account || o->index == CONFIG_I_sf_user ||
           o->index == CONFIG_I_sf_warehouse || o->index == CONFIG_I_sf_database ||
           o->index == CONFIG_I_sf_schema;
}

void
config_write_env(struct buf *out)
{
    put_comment(out, "",
        "Sample .env of snowflake-mcp: copy it beside config.yaml, chmod 600, and fill it in. It "
        "is "
        "read by the server itself at start and at every reload, as text and not by a shell. An "
        "empty value counts as not set. Text behind a blank and # is a comment; quote a value that "
        "holds one. Quoted values may have several lines.");
    for (unsigned k = 0; k < config_lines_count; k++) {
        const struct config_option *o = &config_lines[k];
        buf_put_c(out, '\n');
        if (o->section) {
            buf_printf(out, "# ==== %s: %s\n", o->section, o->help);
            continue;
        }
        put_facts(out, "", o, true);
        buf_printf(out, "%s%s=", is_needed(o) ? "" : "#", o->env);
        put_default(out, o);
        buf_put_c(out, '\n');
    }
}

/* The manual page ------------------------------------------------------------------------------ */

/* Text of ours for roff: backslashes and hyphens escaped, and no line may begin with a dot. */
static void
put_roff(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\\')
            buf_put_z(out, "\\e");
        else if (*text == '-')
            buf_put_z(out, "\\-");
        else if (*text == '\'')
            buf_put_z(out, "\\(aq");
        else if (*text == '.' && (out->len == 0 || out->p[out->len - 1] == '\n'))
            buf_put_z(out, "\\&.");
        else
            buf_put_c(out, *text);
    }
}

static void
put_para(struct buf *out, const char *text)
{
    buf_put_z(out, ".PP\n");
    put_roff(out, text);
    buf_put_c(out, '\n');
}

static void
put_man_option(struct buf *out, const struct config_option *o)
{
    struct buf text;

    buf_init(&text, 4096);
    buf_put_z(out, ".TP\n.B ");
    put_roff(out, o->path);
    buf_put_c(out, '\n');
    put_roff(out, o->help);
    buf_put_z(out, ".\n.br\n");
    buf_printf(&text, "Environment: %s. Values: ", o->env);
    put_values(&text, o, false);
    if (env_plain(o))
        buf_printf(&text, ", in the environment%s", env_plain(o));
    buf_put_z(&text, ". Default: ");
    size_t before = text.len;
    put_default(&text, o);
    if (text.len == before)
        buf_put_z(&text, "none");
    buf_put_z(&text, o->reload ? ". Taken over by a reload." : ". Needs a restart.");
    put_roff(out, buf_text(&text));
    buf_put_c(out, '\n');
    buf_fini(&text);
}

static void
put_man_aliases(struct buf *out)
{
    static const char *const plain[] = { [CONFIG_PLAIN_OWN] = "",
        [CONFIG_PLAIN_SEC] = "; a number without a unit means seconds",
        [CONFIG_PLAIN_MIN] = "; a number without a unit means minutes",
        [CONFIG_PLAIN_MIB] = "; a number below 1024 without a unit means MiB" };
    struct buf text;

    buf_put_z(out, ".SH OTHER NAMES\n");
    put_para(out, "These variables of other Snowflake MCP servers are read, too. Where a setting's "
                  "own variable is set as well, that one counts.");
    for (unsigned i = 0; i < config_aliases_count; i++) {
        buf_init(&text, 512);
        buf_printf(&text, "%s%s.", config_option(config_aliases[i].index)->path,
            plain[config_aliases[i].plain]);
        buf_printf(out, ".TP\n.B %s\n", config_aliases[i].name);
        put_roff(out, buf_text(&text));
        buf_put_c(out, '\n');
        buf_fini(&text);
    }
    put_para(out, "These are known, but what they set does not exist in this version; they cause a "
                  "warning.");
    for (unsigned i = 0; i < config_absences_count; i++) {
        const char *name = config_absences[i].name;
        buf_printf(out, ".TP\n.B %s%s\n", name, name[strlen(name) - 1] == '_' ? "*" : "");
        put_roff(out, config_absences[i].remark);
        buf_put_z(out, ".\n");
    }
}

void
config_write_man(struct buf *out)
{
    buf_put_z(out, ".\\\" Generated by snowflake-mcp --dump-docs man from src/state/config.def.\n"
                   ".TH SNOWFLAKE-MCP.YAML 5 \"\" \"snowflake-mcp\" \"File formats\"\n"
                   ".SH NAME\nsnowflake-mcp.yaml, .env \\- settings of snowflake-mcp\n"
                   ".SH DESCRIPTION\n");
    put_para(out,
        "snowflake-mcp reads config.yaml and, beside it, .env. Each setting has a name in the YAML "
        "file, written below with dots for the nesting, and an environment variable, which may "
        "stand in .env or in the real environment. The real environment wins over .env, that over "
        "config.yaml, and that over the default. Neither file has to exist.");
    put_para(out,
        "All problems are listed at once with file, line and name; a name that is not known is an "
        "error in config.yaml and a warning elsewhere. snowflake-mcp --check-config only checks; "
        "snowflake-mcp --print-config shows each value and where it came from, secrets masked.");
    buf_put_z(out, ".SS Values\n");
    put_para(out,
        "A duration is a whole number with ms, s, m, h or d behind it, a size one with k, M or G "
        "(1k is 1024). What a number without a unit means stands behind the range of the setting "
        "as "
        "\"plain\". A list is separated by commas; in YAML it may be a sequence. Relative file "
        "names "
        "start from the folder of config.yaml.");
    buf_put_z(out, ".SS References\n");
    put_para(out,
        "In config.yaml, ${NAME} stands for a variable of the environment or of .env; $${ is a "
        "plain ${. A secret must not stand in config.yaml itself.");
    buf_put_z(out, ".SS The file .env\n");
    put_para(out,
        "Lines NAME=value, with or without export before them. Text behind a blank and # is a "
        "comment unless it is quoted. In double quotes \\n, \\t, \\r, \\\", \\$ and \\\\ are "
        "understood; quoted values may have several lines. Nothing is expanded. The last of "
        "several lines with the same name counts. An empty value counts as not set. The file must "
        "not be readable for others when it holds a secret; see files.env_mode.");
    for (unsigned k = 0; k < config_lines_count; k++) {
        const struct config_option *o = &config_lines[k];
        if (!o->section) {
            put_man_option(out, o);
            continue;
        }
        buf_put_z(out, ".SH ");
        for (const char *p = o->section; *p; p++)
            buf_put_c(out, (char)(*p - ('a' <= *p && *p <= 'z' ? 'a' - 'A' : 0)));
        buf_put_c(out, '\n');
        put_para(out, o->help);
    }
    put_man_aliases(out);
    buf_put_z(out, ".SH SEE ALSO\n.BR snowflake\\-mcp (8)\n");
}
