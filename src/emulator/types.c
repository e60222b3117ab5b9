/* types.c - turns DuckDB vectors into the cells and column descriptions of the SQL API.
 *
 * Runs in the engine's threads.  Must never let a number other than REAL pass through a double. */
#include "emulator/types.h"

#include "json_text.h"
#include "must.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define TEXT_LENGTH   16777216
#define BINARY_LENGTH 8388608

struct types_reader {
    enum types_kind kind;
    duckdb_type id;       /* how the vector stores it */
    duckdb_type internal; /* DECIMAL, ENUM: the stored integer */
    int width, scale;     /* DECIMAL */
    char **names;         /* ENUM: values; STRUCT: fields */
    struct types_reader **kids;
    size_t count;     /* of names, and of kids for STRUCT */
    idx_t array_size; /* ARRAY */
};

static bool
has_alias(duckdb_logical_type type, const char *name)
{
    char *alias = duckdb_logical_type_get_alias(type);
    bool same = alias && strcmp(alias, name) == 0;

    duckdb_free(alias);
    return same;
}

static enum types_kind
kind_of(duckdb_logical_type type)
{
    switch (duckdb_get_type_id(type)) {
    case DUCKDB_TYPE_BOOLEAN:
        return TYPES_BOOLEAN;
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER:
    case DUCKDB_TYPE_UBIGINT:
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_UHUGEINT:
    case DUCKDB_TYPE_BIGNUM:
    case DUCKDB_TYPE_DECIMAL:
        return TYPES_FIXED;
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
        return TYPES_REAL;
    case DUCKDB_TYPE_DATE:
        return TYPES_DATE;
    case DUCKDB_TYPE_TIME:
        return TYPES_TIME;
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS:
        return TYPES_TIMESTAMP_NTZ;
    case DUCKDB_TYPE_TIMESTAMP_TZ:
        return TYPES_TIMESTAMP_LTZ;
    case DUCKDB_TYPE_BLOB:
        return TYPES_BINARY;
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_ARRAY:
        return TYPES_ARRAY;
    case DUCKDB_TYPE_MAP:
        return TYPES_OBJECT;
    case DUCKDB_TYPE_STRUCT:
        return has_alias(type, TYPES_TZ) ? TYPES_TIMESTAMP_TZ : TYPES_OBJECT;
    case DUCKDB_TYPE_VARCHAR:
        return has_alias(type, "JSON") || has_alias(type, TYPES_VAR) ? TYPES_VARIANT
               : has_alias(type, TYPES_OBJ)                          ? TYPES_OBJECT
               : has_alias(type, TYPES_ARR)                          ? TYPES_ARRAY
                                                                     : TYPES_TEXT;
    default:
        return TYPES_TEXT;
    }
}

static bool
add_kid(struct types_reader *r, duckdb_logical_type type)
{
    struct types_reader **kids = realloc(r->kids, (r->count + 1) * sizeof *kids);

    if (kids) {
        r->kids = kids;
        r->kids[r->count] = types_reader_new(type);
        if (r->kids[r->count])
            r->count++;
        else
            kids = NULL;
    }
    duckdb_destroy_logical_type(&type);
    return kids != NULL;
}

static bool
add_names(struct types_reader *r, duckdb_logical_type type, size_t n)
{
    r->names = calloc(n ? n : 1, sizeof *r->names);
    if (!r->names)
        return false;
    for (size_t i = 0; i < n; i++) {
        r->names[i] = r->id == DUCKDB_TYPE_ENUM ? duckdb_enum_dictionary_value(type, i)
                                                : duckdb_struct_type_child_name(type, i);
        if (r->id == DUCKDB_TYPE_STRUCT && !add_kid(r, duckdb_struct_type_child_type(type, i)))
            return false;
    }
    r->count = n;
    return true;
}

static bool
read_details(struct types_reader *r, duckdb_logical_type type)
{
    switch (r->id) {
    case DUCKDB_TYPE_DECIMAL:
        r->internal = duckdb_decimal_internal_type(type);
        r->width = duckdb_decimal_width(type);
        r->scale = duckdb_decimal_scale(type);
        return true;
    case DUCKDB_TYPE_ENUM:
        r->internal = duckdb_enum_internal_type(type);
        return add_names(r, type, duckdb_enum_dictionary_size(type));
    case DUCKDB_TYPE_STRUCT:
        return add_names(r, type, duckdb_struct_type_child_count(type));
    case DUCKDB_TYPE_LIST:
        return add_kid(r, duckdb_list_type_child_type(type));
    case DUCKDB_TYPE_ARRAY:
        r->array_size = duckdb_array_type_array_size(type);
        return add_kid(r, duckdb_array_type_child_type(type));
    case DUCKDB_TYPE_MAP:
        return add_kid(r, duckdb_map_type_key_type(type)) &&
               add_kid(r, duckdb_map_type_value_type(type));
    case DUCKDB_TYPE_BIT:
    case DUCKDB_TYPE_BIGNUM:
    case DUCKDB_TYPE_UNION:
    case DUCKDB_TYPE_TIME_TZ:
    case DUCKDB_TYPE_TIME_NS:
    case DUCKDB_TYPE_INVALID:
        return false;
    default:
        return true;
    }
}

struct types_reader *
types_reader_new(duckdb_logical_type type)
{
    struct types_reader *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->id = duckdb_get_type_id(type);
    r->kind = kind_of(type);
    if (!read_details(r, type)) {
        types_reader_free(r);
        return NULL;
    }
    return r;
}

void
types_reader_free(struct types_reader *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->count; i++) {
        if (r->names)
            duckdb_free(r->names[i]);
        if (r->kids)
            types_reader_free(r->kids[i]);
    }
    free(r->names);
    free(r->kids);
    free(r);
}

void
types_describe(const struct types_reader *r, struct types_column *c)
{
    c->kind = r->kind;
    c->precision = r->id == DUCKDB_TYPE_DECIMAL ? r->width : 38;
    c->scale = r->scale;
}

void
types_put_int128(struct buf *out, __int128 v, int scale)
{
    char digits[48];
    int n = 0;
    unsigned __int128 u = v < 0 ? -(unsigned __int128)v : (unsigned __int128)v;

    while (u > 0 || n <= scale) {
        digits[n++] = (char)('0' + (int)(u % 10));
        u /= 10;
    }
    if (v < 0)
        buf_put_c(out, '-');
    while (n > 0) {
        buf_put_c(out, digits[--n]);
        if (n == scale && n > 0)
            buf_put_c(out, '.');
    }
}

void
types_put_real(struct buf *out, double v)
{
    char text[40];

    if (isnan(v) || isinf(v)) {
        buf_put_z(out, isnan(v) ? "NaN" : v < 0 ? "-inf" : "inf");
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    buf_put_z(out, text);
}

void
types_put_seconds(struct buf *out, __int128 nanoseconds)
{
    types_put_int128(out, nanoseconds, 9);
}

static __int128
hugeint(const duckdb_hugeint *h)
{
    return (__int128)(((unsigned __int128)(uint64_t)h->upper << 64) | h->lower);
}

#define AT(type) (((const type *)data)[row])

static __int128
stored_integer(duckdb_type id, const void *data, idx_t row)
{
    switch (id) {
    case DUCKDB_TYPE_TINYINT:
        return AT(int8_t);
    case DUCKDB_TYPE_SMALLINT:
        return AT(int16_t);
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_DATE:
        return AT(int32_t);
    case DUCKDB_TYPE_UTINYINT:
        return AT(uint8_t);
    case DUCKDB_TYPE_USMALLINT:
        return AT(uint16_t);
    case DUCKDB_TYPE_UINTEGER:
        return AT(uint32_t);
    case DUCKDB_TYPE_UBIGINT:
        return AT(uint64_t);
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_UHUGEINT:
        return hugeint(&AT(duckdb_hugeint));
    default: /* BIGINT and all that counts ticks */
        return AT(int64_t);
    }
}

static __int128
ticks_ns(duckdb_type id)
{
    return id == DUCKDB_TYPE_TIMESTAMP_S    ? 1000000000
           : id == DUCKDB_TYPE_TIMESTAMP_MS ? 1000000
           : id == DUCKDB_TYPE_TIMESTAMP_NS ? 1
                                            : 1000;
}

static struct str
stored_text(const void *data, idx_t row)
{
    duckdb_string_t s = AT(duckdb_string_t);
    const duckdb_string_t *in_place = &AT(duckdb_string_t);
    const char *p =
        duckdb_string_is_inlined(s) ? in_place->value.inlined.inlined : in_place->value.pointer.ptr;

    return (struct str){ p, duckdb_string_t_length(s) };
}

static void
put_hex(struct buf *out, struct str s)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < s.n; i++) {
        buf_put_c(out, hex[(unsigned char)s.p[i] >> 4]);
        buf_put_c(out, hex[(unsigned char)s.p[i] & 15]);
    }
}

static void
put_uuid(struct buf *out, const duckdb_hugeint *h)
{
    uint64_t hi = (uint64_t)h->upper ^ (UINT64_C(1) << 63), lo = h->lower;

    buf_printf(out, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(hi >> 32),
        (unsigned)(hi >> 16) & 0xffff, (unsigned)hi & 0xffff, (unsigned)(lo >> 48),
        (unsigned long long)(lo & 0xffffffffffffULL));
}

static void
put_interval(struct buf *out, const duckdb_interval *v)
{
    buf_printf(out, "%d months %d days %lld us", v->months, v->days, (long long)v->micros);
}

static void put_plain(
    const struct types_reader *r, duckdb_vector vector, idx_t row, struct buf *out);

static bool
is_null(duckdb_vector vector, idx_t row)
{
    uint64_t *validity = duckdb_vector_get_validity(vector);

    return validity && !duckdb_validity_row_is_valid(validity, row);
}

/* One value inside an ARRAY or OBJECT. */
static void
put_json(const struct types_reader *r, duckdb_vector vector, idx_t row, struct buf *out)
{
    struct buf text;

    if (is_null(vector, row)) {
        buf_put_z(out, "null");
        return;
    }
    if (r->kind == TYPES_FIXED || r->kind == TYPES_BOOLEAN || r->kind >= TYPES_VARIANT) {
        put_plain(r, vector, row, out);
        return;
    }
    buf_init(&text, out->max);
    put_plain(r, vector, row, &text);
    if (r->kind == TYPES_REAL && json_is_number(buf_str(&text)))
        buf_put_str(out, buf_str(&text));
    else
        json_put_string(out, buf_str(&text));
    buf_fini(&text);
}

static void
put_list(const struct types_reader *r, duckdb_vector vector, idx_t row, struct buf *out)
{
    duckdb_list_entry e = { row * r->array_size, r->array_size };
    duckdb_vector kids;

    if (r->id == DUCKDB_TYPE_LIST) {
        e = ((duckdb_list_entry *)duckdb_vector_get_data(vector))[row];
        kids = duckdb_list_vector_get_child(vector);
    } else {
        kids = duckdb_array_vector_get_child(vector);
    }
    buf_put_c(out, '[');
    for (idx_t i = 0; i < e.length; i++) {
        if (i > 0)
            buf_put_c(out, ',');
        put_json(r->kids[0], kids, e.offset + i, out);
    }
    buf_put_c(out, ']');
}

static void
put_map(const struct types_reader *r, duckdb_vector vector, idx_t row, struct buf *out)
{
    duckdb_list_entry e = ((duckdb_list_entry *)duckdb_vector_get_data(vector))[row];
    duckdb_vector pair = duckdb_list_vector_get_child(vector);
    duckdb_vector keys = duckdb_struct_vector_get_child(pair, 0);
    duckdb_vector values = duckdb_struct_vector_get_child(pair, 1);

    buf_put_c(out, '{');
    for (idx_t i = 0; i < e.length; i++) {
        struct buf key;
        if (i > 0)
            buf_put_c(out, ',');
        buf_init(&key, out->max);
        put_plain(r->kids[0], keys, e.offset + i, &key);
        json_put_string(out, buf_str(&key));
        buf_fini(&key);
        buf_put_c(out, ':');
        put_json(r->kids[1], values, e.offset + i, out);
    }
    buf_put_c(out, '}');
}

static void
put_struct(const struct types_reader *r, duckdb_vector vector, idx_t row, struct buf *out)
{
    buf_put_c(out, '{');
    for (size_t i = 0; i < r->count; i++) {
        if (i > 0)
            buf_put_c(out, ',');
        json_put_string(out, str_of(r->names[i]));
        buf_put_c(out, ':');
        put_json(r->kids[i], duckdb_struct_vector_get_child(vector, i), row, out);
    }
    buf_put_c(out, '}');
}

static void
put_timestamp_tz(duckdb_vector vector, idx_t row, struct buf *out)
{
    const int64_t *us = duckdb_vector_get_data(duckdb_struct_vector_get_child(vector, 0));
    const int16_t *east = duckdb_vector_get_data(duckdb_struct_vector_get_child(vector, 1));

    types_put_seconds(out, (__int128)us[row] * 1000);
    buf_printf(out, " %d", east[row] + 1440);
}

/* The cell's text; the row is not null. */
static void
put_plain(const struct types_reader *r, duckdb_vector vector, idx_t row, struct buf *out)
{
    const void *data = duckdb_vector_get_data(vector);

    switch (r->id) {
    case DUCKDB_TYPE_SQLNULL:
        return;
    case DUCKDB_TYPE_BOOLEAN:
        buf_put_z(out, AT(bool) ? "true" : "false");
        return;
    case DUCKDB_TYPE_FLOAT:
        types_put_real(out, (double)AT(float));
        return;
    case DUCKDB_TYPE_DOUBLE:
        types_put_real(out, AT(double));
        return;
    case DUCKDB_TYPE_DECIMAL:
        types_put_int128(out, stored_integer(r->internal, data, row), r->scale);
        return;
    case DUCKDB_TYPE_TIME:
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
        types_put_seconds(out, stored_integer(r->id, data, row) * ticks_ns(r->id));
        return;
    case DUCKDB_TYPE_VARCHAR:
        buf_put_str(out, stored_text(data, row));
        return;
    case DUCKDB_TYPE_BLOB:
        put_hex(out, stored_text(data, row));
        return;
    case DUCKDB_TYPE_UUID:
        put_uuid(out, &AT(duckdb_hugeint));
        return;
    case DUCKDB_TYPE_INTERVAL:
        put_interval(out, &AT(duckdb_interval));
        return;
    case DUCKDB_TYPE_ENUM:
        buf_put_z(out, r->names[stored_integer(r->internal, data, row)]);
        return;
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_ARRAY:
        put_list(r, vector, row, out);
        return;
    case DUCKDB_TYPE_MAP:
        put_map(r, vector, row, out);
        return;
    case DUCKDB_TYPE_STRUCT:
        if (r->kind == TYPES_TIMESTAMP_TZ)
            put_timestamp_tz(vector, row, out);
        else
            put_struct(r, vector, row, out);
        return;
    default:
        types_put_int128(out, stored_integer(r->id, data, row), 0);
    }
}

void
types_put_cell(
    const struct types_reader *r, duckdb_vector vector, idx_t row, struct buf *out, struct buf *tmp)
{
    if (is_null(vector, row)) {
        buf_put_z(out, "null");
        return;
    }
    if (r->kind == TYPES_TEXT || r->kind >= TYPES_VARIANT) { /* what may need escapes */
        buf_clear(tmp);
        put_plain(r, vector, row, tmp);
        json_put_string(out, buf_str(tmp));
        return;
    }
    buf_put_c(out, '"');
    put_plain(r, vector, row, out);
    buf_put_c(out, '"');
}

const char *
types_name(enum types_kind k)
{
    static const char *const names[] = {
        [TYPES_FIXED] = "fixed",
        [TYPES_REAL] = "real",
        [TYPES_TEXT] = "text",
        [TYPES_BINARY] = "binary",
        [TYPES_BOOLEAN] = "boolean",
        [TYPES_DATE] = "date",
        [TYPES_TIME] = "time",
        [TYPES_TIMESTAMP_NTZ] = "timestamp_ntz",
        [TYPES_TIMESTAMP_LTZ] = "timestamp_ltz",
        [TYPES_TIMESTAMP_TZ] = "timestamp_tz",
        [TYPES_VARIANT] = "variant",
        [TYPES_OBJECT] = "object",
        [TYPES_ARRAY] = "array",
    };
    must((size_t)k < NELEM(names));
    return names[k];
}

void
types_put_rowtype(const struct types_column *c, struct buf *out)
{
    buf_put_z(out, "{\"name\":");
    json_put_string(out, str_of(c->name));
    buf_printf(out, ",\"database\":\"\",\"schema\":\"\",\"table\":\"\",\"type\":\"%s\"",
        types_name(c->kind));
    buf_put_z(out, ",\"nullable\":true");
    if (c->kind == TYPES_FIXED)
        buf_printf(out, ",\"precision\":%d,\"scale\":%d", c->precision, c->scale);
    else if (c->kind >= TYPES_TIME && c->kind <= TYPES_TIMESTAMP_TZ)
        buf_put_z(out, ",\"precision\":0,\"scale\":9");
    else
        buf_put_z(out, ",\"precision\":null,\"scale\":null");
    if (c->kind == TYPES_TEXT || c->kind == TYPES_BINARY)
        buf_printf(out, ",\"length\":%d,\"byteLength\":%d",
            c->kind == TYPES_TEXT ? TEXT_LENGTH : BINARY_LENGTH,
            c->kind == TYPES_TEXT ? TEXT_LENGTH : BINARY_LENGTH);
    else
        buf_put_z(out, ",\"length\":null,\"byteLength\":null");
    buf_put_z(out, ",\"collation\":null}");
}
