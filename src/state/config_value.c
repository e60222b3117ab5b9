/* config_value.c - texts into typed settings and back.
 *
 * The supervisor, at start and reload; --print-config.  Must never put a secret into a message. */
#include "state/config_table.h"

#include "must.h"

struct suffix {
    const char *text;
    uint64_t factor;
};

/* Durations in milliseconds. */
static const struct suffix time_suffixes[] = { { "ms", 1 }, { "s", 1000 }, { "sec", 1000 },
    { "second", 1000 }, { "seconds", 1000 }, { "m", 60000 }, { "min", 60000 }, { "minute", 60000 },
    { "minutes", 60000 }, { "h", 3600000 }, { "hour", 3600000 }, { "hours", 3600000 },
    { "d", 86400000 }, { "day", 86400000 }, { "days", 86400000 } };
static const struct suffix byte_suffixes[] = { { "b", 1 }, { "k", 1 << 10 }, { "kb", 1 << 10 },
    { "kib", 1 << 10 }, { "m", 1 << 20 }, { "mb", 1 << 20 }, { "mib", 1 << 20 }, { "g", 1 << 30 },
    { "gb", 1 << 30 }, { "gib", 1 << 30 } };

static uint64_t
unit_ms(enum config_unit u)
{
    return u == CONFIG_SEC ? 1000 : u == CONFIG_MINUTE ? 60000 : 1;
}

static bool
is_time(enum config_unit u)
{
    return u == CONFIG_MSEC || u == CONFIG_SEC || u == CONFIG_MINUTE;
}

/* Factor of the suffix in ms or bytes, 0 for none known. */
static uint64_t
suffix_factor(enum config_unit u, struct str suffix)
{
    const struct suffix *s = is_time(u) ? time_suffixes : byte_suffixes;
    size_t n = is_time(u) ? NELEM(time_suffixes) : u == CONFIG_BYTES ? NELEM(byte_suffixes) : 0;

    for (size_t i = 0; i < n; i++)
        if (str_is_nocase(suffix, s[i].text))
            return s[i].factor;
    return 0;
}

static uint64_t
plain_factor(const struct config_option *o, enum config_plain plain, uint64_t digits)
{
    switch (plain) {
    case CONFIG_PLAIN_SEC:
        return 1000;
    case CONFIG_PLAIN_MIN:
        return 60000;
    case CONFIG_PLAIN_MIB:
        return digits < 1024 ? 1 << 20 : 1;
    case CONFIG_PLAIN_OWN:
        break;
    }
    return is_time(o->unit) ? unit_ms(o->unit) : 1;
}

static const char *
unit_hint(const struct config_option *o, enum config_plain plain)
{
    if (plain == CONFIG_PLAIN_SEC)
        return "; a number without a unit means seconds here";
    if (plain == CONFIG_PLAIN_MIN)
        return "; a number without a unit means minutes here";
    switch (o->unit) {
    case CONFIG_MSEC:
        return "; a number without a unit means milliseconds";
    case CONFIG_SEC:
        return "; a number without a unit means seconds";
    case CONFIG_MINUTE:
        return "; a number without a unit means minutes";
    case CONFIG_BYTES:
        return " (k, M and G may follow)";
    case CONFIG_COUNT:
        break;
    }
    return "";
}

void
config_put_number(struct buf *out, enum config_unit unit, uint64_t v)
{
    static const struct suffix times[] = { { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 },
        { "s", 1000 }, { "ms", 1 } };
    static const struct suffix bytes[] = { { "G", 1 << 30 }, { "M", 1 << 20 }, { "k", 1 << 10 } };
    const struct suffix *s = is_time(unit) ? times : bytes;
    size_t n = is_time(unit) ? NELEM(times) : unit == CONFIG_BYTES ? NELEM(bytes) : 0;
    uint64_t base = is_time(unit) ? v * unit_ms(unit) : v;

    for (size_t i = 0; i < n && base != 0; i++) {
        if (base % s[i].factor == 0) {
            buf_put_u64(out, base / s[i].factor);
            buf_put_z(out, s[i].text);
            return;
        }
    }
    buf_put_u64(out, v);
}

static void
complain_range(struct config_load *l, const struct config_option *o, const struct config_given *g)
{
    struct buf range;

    buf_init(&range, 256);
    config_put_number(&range, o->unit, o->min);
    buf_put_z(&range, " to ");
    config_put_number(&range, o->unit, o->max);
    config_error(l, g->file, g->line, g->key, "%s is out of range; give %s%s",
        config_quote(l, g->text), buf_text(&range), unit_hint(o, g->plain));
    buf_fini(&range);
}

static void
take_number(struct config_load *l, const struct config_option *o, const struct config_given *g)
{
    struct str text = str_trim(g->text);
    uint64_t digits, factor;
    size_t n = 0;

    while (n < text.n && text.p[n] >= '0' && text.p[n] <= '9')
        n++;
    struct str suffix = str_trim(str_from(text, n));
    if (n == 0 || (suffix.n && (factor = suffix_factor(o->unit, suffix)) == 0)) {
        config_error(l, g->file, g->line, g->key, "%s is not a %s; give a whole number%s",
            config_quote(l, g->text),
            is_time(o->unit)          ? "duration"
            : o->unit == CONFIG_BYTES ? "size"
                                      : "number",
            is_time(o->unit) ? " with ms, s, m, h or d" : unit_hint(o, g->plain));
        return;
    }
    if (str_to_u64((struct str){ text.p, n }, &digits) != 0) {
        complain_range(l, o, g);
        return;
    }
    if (suffix.n == 0)
        factor = plain_factor(o, g->plain, digits);
    uint64_t unit = is_time(o->unit) ? unit_ms(o->unit) : 1, value;
    if (__builtin_mul_overflow(digits, factor, &value) || value / unit > o->max ||
        value / unit < o->min) {
        complain_range(l, o, g);
        return;
    }
    if (value % unit != 0) {
        config_error(l, g->file, g->line, g->key, "%s is not a whole number of %s; round it",
            config_quote(l, g->text), o->unit == CONFIG_SEC ? "seconds" : "minutes");
        return;
    }
    *(uint64_t *)config_field(l->c, o) = value / unit;
}

static void
take_flag(struct config_load *l, const struct config_option *o, const struct config_given *g)
{
    static const char *const yes[] = { "true", "yes", "on", "1" };
    static const char *const no[] = { "false", "no", "off", "0" };

    for (size_t i = 0; i < NELEM(yes); i++) {
        if (str_is_nocase(g->text, yes[i]) || str_is_nocase(g->text, no[i])) {
            *(bool *)config_field(l->c, o) = str_is_nocase(g->text, yes[i]);
            return;
        }
    }
    config_error(l, g->file, g->line, g->key, "%s is neither true nor false; write one of them",
        config_quote(l, g->text));
}

static void
take_choice(struct config_load *l, const struct config_option *o, const struct config_given *g)
{
    const char *synonym = config_synonym(o->index, g->text);
    struct str wanted = synonym ? str_of(synonym) : g->text, rest = str_of(o->text), choice;
    struct str nearest = STR_NONE;
    unsigned distance = 3;

    for (int i = 0; str_split(&rest, '|', &choice); i++) {
        if (str_eq_nocase(choice, wanted)) {
            *(int *)config_field(l->c, o) = i;
            return;
        }
        unsigned d = str_distance(choice, wanted);
        if (d < distance) {
            distance = d;
            nearest = choice;
        }
    }
    config_error(l, g->file, g->line, g->key, "%s is not one of %s%s%.*s%s",
        config_quote(l, g->text), o->text, nearest.n ? "; did you mean " : "; choose one",
        STR_ARG(nearest.n ? nearest : STR("")), nearest.n ? "?" : "");
}

static void
take_list(struct config_load *l, const struct config_option *o, const struct config_given *g)
{
    size_t n = g->n_items, room = 1;

    for (size_t i = 0; !g->items && i < g->text.n; i++)
        room += g->text.p[i] == ',';
    const char **list = config_alloc(l, ((g->items ? n : room) + 1) * sizeof *list);
    if (!list)
        return;
    if (g->items) {
        for (size_t i = 0; i < n; i++)
            list[i] = config_copy(l, g->items[i]);
    } else {
        struct str rest = g->text, item;
        n = 0;
        while (str_split(&rest, ',', &item)) {
            item = str_trim(item);
            if (item.n)
                list[n++] = config_copy(l, item);
        }
    }
    list[n] = NULL;
    *(const char *const **)config_field(l->c, o) = list;
}

static void
take_path(struct config_load *l, const struct config_option *o, const struct config_given *g)
{
    const char *path = NULL;

    if (g->text.n && g->text.p[0] != '/' && l->base) {
        path = arena_printf(l->arena, "%s/%.*s", l->base, STR_ARG(g->text));
        l->out_of_memory |= path == NULL;
    } else if (g->text.n) {
        path = config_copy(l, g->text);
    }
    *(const char **)config_field(l->c, o) = path;
}

/* Text that may go into a log line, a header or a file name. */
static bool
is_plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return false;
    return s.n == 0 || utf8_is_valid(s.p, s.n);
}

void
config_take_value(
    struct config_load *l, const struct config_option *o, const struct config_given *g)
{
    bool plain = o->kind == CONFIG_SECRET || is_plain(g->text);

    for (size_t i = 0; i < g->n_items; i++)
        plain &= is_plain(g->items[i]);
    if (!plain || (g->text.n && memchr(g->text.p, '\0', g->text.n))) {
        config_error(l, g->file, g->line, g->key,
            "the value holds control characters or bytes that are not UTF-8; remove them");
        return;
    }
    switch (o->kind) {
    case CONFIG_TEXT:
        *(const char **)config_field(l->c, o) = g->text.n ? config_copy(l, g->text) : NULL;
        break;
    case CONFIG_PATH:
        take_path(l, o, g);
        break;
    case CONFIG_SECRET:
        *(struct secret **)config_field(l->c, o) = secret_new(g->text);
        l->out_of_memory |= *(struct secret **)config_field(l->c, o) == NULL;
        break;
    case CONFIG_FLAG:
        take_flag(l, o, g);
        break;
    case CONFIG_CHOICE:
        take_choice(l, o, g);
        break;
    case CONFIG_LIST:
        take_list(l, o, g);
        break;
    case CONFIG_NUM:
        take_number(l, o, g);
        break;
    }
}

void
config_take_default(struct config_load *l, const struct config_option *o)
{
    static const char *const none[] = { NULL };
    struct config_given g = { .file = "default", .key = o->path, .text = str_of(o->text) };

    switch (o->kind) {
    case CONFIG_TEXT:
    case CONFIG_PATH:
        *(const char **)config_field(l->c, o) = o->text;
        break;
    case CONFIG_SECRET:
        break;
    case CONFIG_FLAG:
        *(bool *)config_field(l->c, o) = o->dflt != 0;
        break;
    case CONFIG_CHOICE:
        *(int *)config_field(l->c, o) = (int)o->dflt;
        break;
    case CONFIG_LIST:
        *(const char *const **)config_field(l->c, o) = none;
        if (o->text)
            take_list(l, o, &g);
        break;
    case CONFIG_NUM:
        *(uint64_t *)config_field(l->c, o) = o->dflt;
        break;
    }
}

/* Back to text --------------------------------------------------------------------------------- */

static void
put_choice(struct buf *out, const char *choices, int index)
{
    struct str rest = str_of(choices), choice;

    for (int i = 0; str_split(&rest, '|', &choice); i++)
        if (i == index)
            buf_put_str(out, choice);
}

/* Control characters of a value must not shift the lines of a print. */
static void
put_text(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            buf_printf(out, "\\x%02x", (unsigned char)*text);
        else
            buf_put_c(out, *text);
    }
}

void
config_put_value(struct buf *out, const struct config *c, const struct config_option *o)
{
    const void *field = config_field_const(c, o);

    switch (o->kind) {
    case CONFIG_TEXT:
    case CONFIG_PATH:
        if (*(const char *const *)field)
            put_text(out, *(const char *const *)field);
        break;
    case CONFIG_SECRET:
        if (*(struct secret *const *)field)
            buf_put_z(out, "***");
        break;
    case CONFIG_FLAG:
        buf_put_z(out, *(const bool *)field ? "true" : "false");
        break;
    case CONFIG_CHOICE:
        put_choice(out, o->text, *(const int *)field);
        break;
    case CONFIG_LIST:
        for (const char *const *p = *(const char *const *const *)field; *p; p++) {
            put_text(out, *p);
            if (p[1])
                buf_put_c(out, ',');
        }
        break;
    case CONFIG_NUM:
        config_put_number(out, o->unit, *(const uint64_t *)field);
        break;
    }
}
