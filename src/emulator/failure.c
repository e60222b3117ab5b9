/* failure.c - words for what went wrong, from our own checks and from DuckDB's errors.
 *
 * Any thread.  Must never let a DuckDB text pass as if it were Snowflake's without a code that
 * says so (000603 for what we cannot place). */
#include "emulator/failure.h"

#include "emulator/names.h"
#include "must.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

int
failure_set(struct failure *f, const char *code, const char *sqlstate, const char *fmt, ...)
{
    va_list ap;

    str_copy(f->code, sizeof f->code, str_of(code));
    str_copy(f->sqlstate, sizeof f->sqlstate, str_of(sqlstate));
    va_start(ap, fmt);
    vsnprintf(f->message, sizeof f->message, fmt, ap);
    va_end(ap);
    f->message[utf8_cut(f->message, strlen(f->message), sizeof f->message)] = '\0';
    return -1;
}

int
failure_unsupported(struct failure *f, const char *feature)
{
    return failure_set(f, "000002", "0A000", "Unsupported feature '%s'.", feature);
}

int
failure_syntax(struct failure *f, unsigned line, unsigned column, struct str unexpected)
{
    if (unexpected.n == 0)
        unexpected = STR("<EOF>");
    return failure_set(f, "001003", "42000",
        "SQL compilation error:\nsyntax error line %u at position %u unexpected '%.*s'.", line,
        column > 0 ? column - 1 : 0, (int)utf8_cut(unexpected.p, unexpected.n, 120), unexpected.p);
}

/* What stands between `before` and `after` in a text, cut to fit. */
static bool
between(const char *text, const char *before, const char *after, char *out, size_t size)
{
    const char *from = strstr(text, before);
    const char *to = from ? strstr(from + strlen(before), after) : NULL;

    if (!to)
        return false;
    from += strlen(before);
    str_copy(out, size, (struct str){ from, (size_t)(to - from) });
    return true;
}

static void
upper(char *s)
{
    for (; *s; s++)
        *s = (char)toupper((unsigned char)*s);
}

static int
from_conversion(struct failure *f, const char *m)
{
    char what[200], to[40];

    if (between(m, "Could not convert string '", "' to ", what, sizeof what)) {
        const char *target = strstr(m, "' to ") + 5;
        str_copy(to, sizeof to, str_of(target));
        if (strncmp(to, "BOOL", 4) == 0)
            return failure_set(f, "100037", "22018", "Boolean value '%s' is not recognized", what);
        return failure_set(f, "100038", "22018", "Numeric value '%s' is not recognized", what);
    }
    if (between(m, "Could not convert string \"", "\" to ", what, sizeof what))
        return failure_set(f, "100038", "22018", "Numeric value '%s' is not recognized", what);
    if (strstr(m, "timestamp field value") || strstr(m, "invalid timestamp")) {
        if (!between(m, "\"", "\"", what, sizeof what))
            what[0] = '\0';
        return failure_set(f, "100035", "22007", "Timestamp '%s' is not recognized", what);
    }
    if (strstr(m, "date field value") || strstr(m, "invalid date")) {
        if (!between(m, "\"", "\"", what, sizeof what))
            what[0] = '\0';
        return failure_set(f, "100040", "22007", "Date '%s' is not recognized", what);
    }
    if (strstr(m, "time field value")) {
        if (!between(m, "\"", "\"", what, sizeof what))
            what[0] = '\0';
        return failure_set(f, "100108", "22007", "Time '%s' is not recognized", what);
    }
    if (strstr(m, "alformed JSON"))
        return failure_set(f, "100069", "22P02", "Error parsing JSON: %s", m);
    if (strstr(m, "ould not cast value") || strstr(m, "out of range") || strstr(m, "Overflow"))
        return failure_set(f, "100039", "22003", "Numeric value is out of range: %s", m);
    return failure_set(f, "100038", "22018", "%s", m);
}

static int
from_catalog(struct failure *f, const char *m)
{
    char name[300];

    if (between(m, "Table with name ", " does not exist", name, sizeof name) ||
        between(m, "View with name ", " does not exist", name, sizeof name)) {
        names_show(name);
        return failure_set(f, "002003", "42S02",
            "SQL compilation error:\nObject '%s' does not exist or not authorized.", name);
    }
    if (between(m, "Schema with name ", " does not exist", name, sizeof name)) {
        names_show(name);
        return failure_set(f, "002003", "02000",
            "SQL compilation error:\nSchema '%s' does not exist or not authorized.", name);
    }
    if (between(m, "Function with name ", " does not exist", name, sizeof name)) {
        upper(name);
        return failure_set(
            f, "002140", "42601", "SQL compilation error:\nUnknown function %s", name);
    }
    if (between(m, "with name \"", "\" already exists", name, sizeof name)) {
        names_show(name);
        return failure_set(
            f, "002002", "42710", "SQL compilation error:\nObject '%s' already exists.", name);
    }
    if (between(m, "Type with name ", " does not exist", name, sizeof name))
        return failure_set(
            f, "002040", "42601", "SQL compilation error:\nUnsupported data type '%s'.", name);
    return failure_set(f, "002043", "02000",
        "SQL compilation error:\nObject does not exist, or operation cannot be performed.");
}

static int
from_binder(struct failure *f, const char *m)
{
    char name[300];

    if (between(m, "column \"", "\" not found", name, sizeof name) ||
        between(m, "column \"", "\" was not found", name, sizeof name) ||
        between(m, "column named \"", "\"", name, sizeof name) ||
        between(m, "Referenced table \"", "\" not found", name, sizeof name)) {
        names_show(name);
        return failure_set(f, "000904", "42000",
            "SQL compilation error: error line 1 at position 0\ninvalid identifier '%s'", name);
    }
    if (between(m, "column \"", "\" must appear in the GROUP BY", name, sizeof name)) {
        names_show(name);
        return failure_set(f, "000979", "42601",
            "SQL compilation error:\n[%s] is not a valid group by expression", name);
    }
    if (between(m, "Ambiguous reference to column name \"", "\"", name, sizeof name)) {
        names_show(name);
        return failure_set(
            f, "002028", "42601", "SQL compilation error:\nambiguous column name '%s'", name);
    }
    if (between(m, "argument types '", "(", name, sizeof name)) {
        upper(name);
        return failure_set(f, "001044", "42P13",
            "SQL compilation error: error line 1 at position 0\nInvalid argument types for "
            "function '%s'",
            name);
    }
    if (between(m, "Catalog \"", "\" does not exist", name, sizeof name)) {
        return failure_set(f, "002003", "02000",
            "SQL compilation error:\nDatabase '%s' does not exist or not authorized.", name);
    }
    if (strstr(m, "Cannot compare values") || strstr(m, "Cannot mix values"))
        return failure_set(
            f, "002016", "22000", "SQL compilation error:\nCan not compare values of these types");
    return failure_set(f, "002000", "42601", "SQL compilation error:\n%.600s", m);
}

static int
from_range(struct failure *f, const char *m)
{
    return failure_set(f, "100039", "22003", "Numeric value is out of range: %s", m);
}

static int
from_parser(struct failure *f, const char *m)
{
    return failure_set(f, "001003", "42000", "SQL compilation error:\n%s", m);
}

static int
from_interrupt(struct failure *f, const char *m)
{
    (void)m;
    return failure_set(f, "000604", "57014", "SQL execution canceled");
}

static int
from_constraint(struct failure *f, const char *m)
{
    return failure_set(f, "100072", "22000", "%s", m);
}

static int
from_invalid_input(struct failure *f, const char *m)
{
    return failure_set(f, "100035", "22018", "%s", m);
}

static const struct {
    const char *type; /* as DuckDB begins its texts: "Catalog Error: ..." */
    int (*map)(struct failure *f, const char *m);
} by_type[] = {
    { "Conversion", from_conversion },
    { "Out of Range", from_range },
    { "Catalog", from_catalog },
    { "Binder", from_binder },
    { "Parser", from_parser },
    { "Syntax", from_parser },
    { "INTERRUPT", from_interrupt },
    { "Interrupt", from_interrupt },
    { "Constraint", from_constraint },
    { "Not implemented", failure_unsupported },
    { "Invalid Input", from_invalid_input },
};

static int
own_error(struct failure *f, const char *m)
{
    struct str rest = str_of(m + 1), code, state;
    char code_text[8], state_text[8];

    str_split(&rest, '~', &code);
    str_split(&rest, '~', &state);
    str_copy(code_text, sizeof code_text, code);
    str_copy(state_text, sizeof state_text, state);
    return failure_set(f, code_text, state_text, "%.*s", STR_ARG(rest));
}

/* "Catalog Error: Table with name X ...\nDid you mean ...\n\nLINE 1: ..." */
int
failure_from_duckdb(struct failure *f, const char *text)
{
    char type[32] = "", m[800];
    const char *end = strstr(text, " Error: ");

    if (end && str_copy(type, sizeof type, (struct str){ text, (size_t)(end - text) }))
        text = end + strlen(" Error: ");
    end = *text == '~' ? NULL : strchr(text, '\n');
    str_copy(m, sizeof m, (struct str){ text, end ? (size_t)(end - text) : strlen(text) });
    names_show(m);
    if (m[0] == '~') /* made by our own error(): ~code~sqlstate~message */
        return own_error(f, m);
    if (strstr(m, "Division by zero"))
        return failure_set(f, "100051", "22012", "Division by zero");
    for (size_t i = 0; i < NELEM(by_type); i++)
        if (strcmp(type, by_type[i].type) == 0)
            return by_type[i].map(f, m);
    return failure_set(f, "000603", "XX000", "SQL execution internal error: %s", m);
}
