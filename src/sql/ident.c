/* ident.c - writes names and string literals into SQL.
 *
 * Runs in the workers.  Must never put a byte of a caller's name outside the quotes it opens. */
#include "sql/ident.h"

static bool
is_plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '$')))
            return false;
    }
    return s.n > 0;
}

static size_t
count_chars(struct str s)
{
    size_t chars = 0;

    for (size_t i = 0; i < s.n; i++)
        chars += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return chars;
}

/* The text between a caller's own double quotes, where each inner quote must be doubled. */
static int
check_quoted(struct str inner, size_t *chars, struct err *e)
{
    *chars = count_chars(inner);
    for (size_t i = 0; i < inner.n; i++) {
        if (inner.p[i] != '"')
            continue;
        if (i + 1 == inner.n || inner.p[i + 1] != '"')
            return err_set(e, "a quoted name has a lone double quote inside; write \"\" for it");
        i++;
        (*chars)--;
    }
    return 0;
}

int
sql_put_ident(struct buf *b, struct str name, struct err *e)
{
    bool quoted = name.n > 0 && name.p[0] == '"', plain = is_plain(name);
    size_t chars = count_chars(name);

    if (!utf8_is_valid(name.p, name.n))
        return err_set(e, "a name is not valid UTF-8");
    if (name.n > 0 && memchr(name.p, 0, name.n) != NULL)
        return err_set(e, "a name must not contain a NUL character");
    if (quoted) {
        if (name.n < 2 || name.p[name.n - 1] != '"')
            return err_set(e, "a name begins with a double quote but does not end with one; write "
                              "\"name\", or \"\"\" for a quote inside");
        name = (struct str){ name.p + 1, name.n - 2 };
        if (check_quoted(name, &chars, e) != 0)
            return -1;
    }
    if (chars == 0)
        return err_set(e, "a name is empty; give a name of 1 to %d characters", SQL_NAME_MAX);
    if (chars > SQL_NAME_MAX)
        return err_set(e, "a name has %zu characters; Snowflake allows %d", chars, SQL_NAME_MAX);

    buf_put_c(b, '"');
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (c == '"' && !quoted)
            buf_put_c(b, '"');
        buf_put_c(b, plain && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c);
    }
    buf_put_c(b, '"');
    return 0;
}

int
sql_put_qualified(struct buf *b, const struct str *parts, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_put_c(b, '.');
        if (sql_put_ident(b, parts[i], e) != 0)
            return -1;
    }
    return 0;
}

int
sql_put_string(struct buf *b, struct str value, struct err *e)
{
    if (!utf8_is_valid(value.p, value.n))
        return err_set(e, "a text is not valid UTF-8");
    buf_put_c(b, '\'');
    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i];
        if (c == '\0') {
            buf_put_z(b, "\\x00");
            continue;
        }
        if (c == '\'' || c == '\\')
            buf_put_c(b, c);
        buf_put_c(b, c);
    }
    buf_put_c(b, '\'');
    return 0;
}

/* Where the part that begins at `from` ends: at a dot outside quotes, or at the end.  Only a part
 * that begins with a quote is quoted: in a"b.c the quote is a character of the name. */
static size_t
part_end(struct str text, size_t from)
{
    bool in_quotes = false;

    while (from < text.n && (text.p[from] == ' ' || text.p[from] == '\t'))
        from++;
    bool quoted = from < text.n && text.p[from] == '"';
    for (size_t i = from; i < text.n; i++) {
        if (text.p[i] == '"' && quoted)
            in_quotes = !in_quotes;
        else if (text.p[i] == '.' && !in_quotes)
            return i;
    }
    return text.n;
}

int
sql_split_qualified(struct str text, struct str parts[SQL_NAME_PARTS_MAX], size_t *n, struct err *e)
{
    *n = 0;
    for (size_t from = 0;; from++) {
        size_t end = part_end(text, from);
        struct str part = str_trim((struct str){ text.p + from, end - from });

        if (part.n == 0)
            return err_set(e, "a name is empty; write name, schema.name or database.schema.name");
        if (*n == SQL_NAME_PARTS_MAX)
            return err_set(e, "a name has more than three parts; write database.schema.name, and "
                              "double quotes around a name that contains a dot");
        parts[(*n)++] = part;
        if (end == text.n)
            return 0;
        from = end;
    }
}
