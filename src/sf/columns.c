/* columns.c - rowType and partitionInfo into our own structs.
 *
 * Runs in workers, once per result.  Works on the text itself: a result of thousands of columns or
 * partitions never becomes a tree.  What Snowflake may leave out is never required. */
#include "sf/columns.h"

#include "json_text.h"

#include <inttypes.h>
#include <limits.h>

static const struct {
    const char *wire, *sql;
    enum sf_type type;
} types[] = {
    { "fixed", "NUMBER", SF_FIXED },
    { "real", "FLOAT", SF_REAL },
    { "decfloat", "DECFLOAT", SF_DECFLOAT },
    { "text", "VARCHAR", SF_TEXT },
    { "binary", "BINARY", SF_BINARY },
    { "boolean", "BOOLEAN", SF_BOOLEAN },
    { "date", "DATE", SF_DATE },
    { "time", "TIME", SF_TIME },
    { "timestamp_ntz", "TIMESTAMP_NTZ", SF_TIMESTAMP_NTZ },
    { "timestamp_ltz", "TIMESTAMP_LTZ", SF_TIMESTAMP_LTZ },
    { "timestamp_tz", "TIMESTAMP_TZ", SF_TIMESTAMP_TZ },
    { "variant", "VARIANT", SF_VARIANT },
    { "object", "OBJECT", SF_OBJECT },
    { "array", "ARRAY", SF_ARRAY },
    { "geography", "GEOGRAPHY", SF_GEOGRAPHY },
    { "geometry", "GEOMETRY", SF_GEOMETRY },
    { "vector", "VECTOR", SF_VECTOR },
};

/* A member that is a string, decoded into the arena; STR_NONE when it is not one. */
static struct str
text_member(struct str object, const char *key, struct arena *a, struct buf *scratch)
{
    struct str raw = json_member(object, key);
    if (json_type_of(raw) != JSON_STRING)
        return STR_NONE;
    buf_clear(scratch);
    json_unescape(scratch, raw);
    return arena_str(a, buf_str(scratch));
}

static int64_t
number_member(struct str object, const char *key, int64_t absent)
{
    struct str raw = json_member(object, key);
    int64_t v;
    return json_type_of(raw) == JSON_NUMBER && str_to_i64(str_trim(raw), &v) == 0 ? v : absent;
}

static int
small_member(struct str object, const char *key)
{
    int64_t v = number_member(object, key, -1);
    return v < 0 || v > INT_MAX ? -1 : (int)v;
}

static const char *
type_text(struct str object, const struct sf_column *col, const char *sql, struct arena *a)
{
    int64_t length = number_member(object, "length", -1);
    switch (col->type) {
    case SF_FIXED:
        if (col->precision >= 0)
            return arena_printf(
                a, "NUMBER(%d,%d)", col->precision, col->scale < 0 ? 0 : col->scale);
        break;
    case SF_TEXT:
    case SF_BINARY:
        if (length >= 0)
            return arena_printf(a, "%s(%" PRId64 ")", sql, length);
        break;
    case SF_TIME:
    case SF_TIMESTAMP_NTZ:
    case SF_TIMESTAMP_LTZ:
    case SF_TIMESTAMP_TZ:
        if (col->scale >= 0)
            return arena_printf(a, "%s(%d)", sql, col->scale);
        break;
    case SF_VECTOR: {
        int64_t dimension = number_member(object, "vectorDimension", -1);
        struct str fields = json_member(object, "fields"), field = STR_NONE;
        size_t at = 0;
        if (dimension >= 0 && json_type_of(fields) == JSON_ARRAY &&
            json_next_element(fields, &at, &field) && json_type_of(field) == JSON_OBJECT)
            return arena_printf(a, "VECTOR(%s, %" PRId64 ")",
                str_is_nocase(json_member(field, "type"), "\"fixed\"") ? "INT" : "FLOAT",
                dimension);
        break;
    }
    default:
        break;
    }
    return sql;
}

static int
column_read(struct str object, struct arena *a, struct buf *scratch, struct sf_column *col)
{
    col->name = text_member(object, "name", a, scratch);
    struct str wire = text_member(object, "type", a, scratch);
    /* Geography and geometry come under another type's name, with their own beside it. */
    struct str ext = text_member(object, "extTypeName", a, scratch);
    if (str_is_nocase(ext, "GEOGRAPHY") || str_is_nocase(ext, "GEOMETRY"))
        wire = ext;
    if (!col->name.p || !wire.p)
        return -1;

    col->type = SF_UNKNOWN;
    char *sql = arena_copy(a, wire);
    if (!sql)
        return -1;
    for (char *p = sql; *p; p++)
        if (*p >= 'a' && *p <= 'z')
            *p = (char)(*p - 'a' + 'A');
    const char *name = sql;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (str_is_nocase(wire, types[i].wire)) {
            col->type = types[i].type;
            name = types[i].sql;
        }
    }
    col->precision = small_member(object, "precision");
    col->scale = small_member(object, "scale");
    col->nullable = json_type_of(json_member(object, "nullable")) != JSON_BOOL ||
                    str_starts(json_member(object, "nullable"), "true");
    col->type_text = str_of(type_text(object, col, name, a));
    return col->type_text.p ? 0 : -1;
}

static unsigned
count_elements(struct str array)
{
    unsigned n = 0;
    struct str element;
    for (size_t at = 0; json_next_element(array, &at, &element);)
        n++;
    return n;
}

int
columns_read(struct str meta, struct arena *a, struct columns *c, struct err *e)
{
    *c = (struct columns){ 0 };
    struct str row_type = json_member(meta, "rowType");
    if (json_type_of(row_type) != JSON_ARRAY)
        return err_set(e, "the answer does not describe its columns (rowType is missing)");

    c->n = count_elements(row_type);
    c->list = arena_alloc(a, ((size_t)c->n + 1) * sizeof *c->list);
    if (!c->list)
        return err_set(e, "the description of %u columns does not fit into memory", c->n);
    struct buf scratch;
    buf_init(&scratch, meta.n + 16);
    struct str element;
    unsigned i = 0;
    for (size_t at = 0; json_next_element(row_type, &at, &element); i++) {
        if (json_type_of(element) != JSON_OBJECT ||
            column_read(element, a, &scratch, &c->list[i]) != 0) {
            buf_fini(&scratch);
            return err_set(e, "the description of column %u has no name or no type", i + 1);
        }
    }
    buf_fini(&scratch);

    int64_t total = number_member(meta, "numRows", -1);
    c->total_known = total >= 0;
    c->total_rows = total >= 0 ? (uint64_t)total : 0;

    struct str parts = json_member(meta, "partitionInfo");
    if (json_type_of(parts) != JSON_ARRAY)
        return 0;
    c->n_partitions = count_elements(parts);
    c->partition_rows = arena_alloc(a, ((size_t)c->n_partitions + 1) * sizeof(uint64_t));
    if (!c->partition_rows)
        return err_set(
            e, "the description of %u partitions does not fit into memory", c->n_partitions);
    i = 0;
    for (size_t at = 0; json_next_element(parts, &at, &element); i++) {
        int64_t rows =
            json_type_of(element) == JSON_OBJECT ? number_member(element, "rowCount", -1) : -1;
        if (rows < 0)
            return err_set(e, "the description of partition %u has no rowCount", i);
        c->partition_rows[i] = (uint64_t)rows;
    }
    return 0;
}
