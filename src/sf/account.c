/* account.c - the naming rules of snowflake-api.md, sections 1 and 2.
 *
 * Runs in the supervisor, before fork, on what stands in the settings.  Pure text: it never looks
 * anything up. */
#include "sf/account.h"

#include <ctype.h>

enum { MAX_IDENTIFIER = 253 };

static bool
ends_nocase(struct str s, const char *suffix)
{
    size_t n = strlen(suffix);
    return s.n >= n && str_is_nocase(str_from(s, s.n - n), suffix);
}

/* Strips what people copy along with the identifier, and checks its letters. */
static int
identifier(struct str written, struct str *id, struct err *e)
{
    struct str s = str_trim(written);
    if (s.n >= 8 && str_is_nocase((struct str){ s.p, 8 }, "https://"))
        s = str_from(s, 8);
    while (s.n > 0 && s.p[s.n - 1] == '/')
        s.n--;
    static const char *const suffixes[] = { ".snowflakecomputing.com", ".snowflakecomputing.cn" };
    for (size_t i = 0; i < 2; i++)
        if (ends_nocase(s, suffixes[i]))
            s.n -= strlen(suffixes[i]);
    if (s.n == 0)
        return err_set(e, "snowflake.account is empty: give it as org-account");
    if (s.n > MAX_IDENTIFIER)
        return err_set(e, "snowflake.account is longer than %d bytes", MAX_IDENTIFIER);
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool edge = i == 0 || i == s.n - 1;
        if (!isalnum((unsigned char)c) && (edge || !strchr("-_.", c) || !c))
            return err_set(e,
                "snowflake.account: '%.*s' is not an account identifier: give it as org-account "
                "or locator.region",
                STR_ARG(s));
    }
    *id = s;
    return 0;
}

/* eu-west-1, us-gov-west-1, ap-northeast-3, us-gov-west-1-dod: two letters, words, a number. */
static bool
is_region(struct str s)
{
    struct str rest = s, part;
    unsigned i = 0;
    bool number = false;
    while (str_split(&rest, '-', &part)) {
        bool digits = part.n > 0, letters = part.n > 0;
        for (size_t k = 0; k < part.n; k++) {
            digits = digits && isdigit((unsigned char)part.p[k]);
            letters = letters && isalpha((unsigned char)part.p[k]);
        }
        if (i == 0 && (part.n != 2 || !letters))
            return false;
        if (i > 0 && !digits && !letters)
            return false;
        number = number || (i > 1 && digits);
        i++;
    }
    return number;
}

/* "org.account" means org-account; "locator.region" and the like keep their dot. */
static bool
dot_joins_organisation(struct str id)
{
    const char *dot = memchr(id.p, '.', id.n);
    if (!dot)
        return false;
    struct str second = str_from(id, (size_t)(dot - id.p) + 1);
    if (memchr(second.p, '.', second.n) || memchr(id.p, '-', (size_t)(dot - id.p)))
        return false;
    return !is_region(second) && !str_is_nocase(second, "privatelink") &&
           !str_is_nocase(second, "global") && !str_is_nocase(second, "aws") &&
           !str_is_nocase(second, "azure") && !str_is_nocase(second, "gcp");
}

int
account_host(struct str written, struct buf *host, struct err *e)
{
    struct str id;
    if (identifier(written, &id, e) != 0)
        return -1;
    bool join = dot_joins_organisation(id);
    bool first_label = true;
    struct str region = STR_NONE;
    for (size_t i = 0; i < id.n; i++) {
        char c = (char)tolower((unsigned char)id.p[i]);
        if (c == '.' && join)
            c = '-';
        else if (c == '.' && first_label) {
            first_label = false;
            region = str_from(id, i + 1);
        }
        /* Underscores are legal in account names and not in host names. */
        buf_put_c(host, c == '_' ? '-' : c);
    }
    bool china = region.n >= 3 && str_is_nocase((struct str){ region.p, 3 }, "cn-");
    buf_put_z(host, china ? ".snowflakecomputing.cn" : ".snowflakecomputing.com");
    return 0;
}

int
account_claim(struct str written, struct buf *name, struct err *e)
{
    struct str id;
    if (identifier(written, &id, e) != 0)
        return -1;
    if (!dot_joins_organisation(id)) {
        bool global = false;
        for (struct str rest = id, label; str_split(&rest, '.', &label);)
            global = global || str_is_nocase(label, "global");
        const char *dot = memchr(id.p, '.', id.n);
        if (dot)
            id.n = (size_t)(dot - id.p);
        const char *dash = global ? memchr(id.p, '-', id.n) : NULL;
        if (dash)
            id.n = (size_t)(dash - id.p);
    }
    for (size_t i = 0; i < id.n; i++)
        buf_put_c(name, id.p[i] == '.' ? '-' : (char)toupper((unsigned char)id.p[i]));
    return 0;
}
