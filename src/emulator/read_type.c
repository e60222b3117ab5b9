/* read_type.c - Snowflake's types: what DuckDB stores and what the catalogue declares.
 *
 * Engine threads. */
#include "emulator/read.h"

#include "must.h"

enum type_shape { PLAIN, NUMBER, TEXT, TICKS };

static const struct {
    const char *name, *duck, *declared;
    enum site_type kind;
    enum type_shape shape;
} types[] = {
    { "NUMBER", "", "", SITE_DECIMAL, NUMBER },
    { "DECIMAL", "", "", SITE_DECIMAL, NUMBER },
    { "NUMERIC", "", "", SITE_DECIMAL, NUMBER },
    { "DEC", "", "", SITE_DECIMAL, NUMBER },
    { "INT", "DECIMAL(38,0)", "NUMBER(38,0)", SITE_DECIMAL, PLAIN },
    { "INTEGER", "DECIMAL(38,0)", "NUMBER(38,0)", SITE_DECIMAL, PLAIN },
    { "BIGINT", "DECIMAL(38,0)", "NUMBER(38,0)", SITE_DECIMAL, PLAIN },
    { "SMALLINT", "DECIMAL(38,0)", "NUMBER(38,0)", SITE_DECIMAL, PLAIN },
    { "TINYINT", "DECIMAL(38,0)", "NUMBER(38,0)", SITE_DECIMAL, PLAIN },
    { "BYTEINT", "DECIMAL(38,0)", "NUMBER(38,0)", SITE_DECIMAL, PLAIN },
    { "FLOAT", "DOUBLE", "FLOAT", SITE_REAL, PLAIN },
    { "FLOAT4", "DOUBLE", "FLOAT", SITE_REAL, PLAIN },
    { "FLOAT8", "DOUBLE", "FLOAT", SITE_REAL, PLAIN },
    { "DOUBLE", "DOUBLE", "FLOAT", SITE_REAL, PLAIN },
    { "REAL", "DOUBLE", "FLOAT", SITE_REAL, PLAIN },
    { "VARCHAR", "VARCHAR", "VARCHAR(16777216)", SITE_TEXT, TEXT },
    { "STRING", "VARCHAR", "VARCHAR(16777216)", SITE_TEXT, TEXT },
    { "TEXT", "VARCHAR", "VARCHAR(16777216)", SITE_TEXT, TEXT },
    { "NVARCHAR", "VARCHAR", "VARCHAR(16777216)", SITE_TEXT, TEXT },
    { "NVARCHAR2", "VARCHAR", "VARCHAR(16777216)", SITE_TEXT, TEXT },
    { "CHAR", "VARCHAR", "VARCHAR(1)", SITE_TEXT, TEXT },
    { "CHARACTER", "VARCHAR", "VARCHAR(1)", SITE_TEXT, TEXT },
    { "NCHAR", "VARCHAR", "VARCHAR(1)", SITE_TEXT, TEXT },
    { "BINARY", "BLOB", "BINARY(8388608)", SITE_BINARY, TEXT },
    { "VARBINARY", "BLOB", "BINARY(8388608)", SITE_BINARY, TEXT },
    { "BOOLEAN", "BOOLEAN", "BOOLEAN", SITE_BOOLEAN, PLAIN },
    { "DATE", "DATE", "DATE", SITE_DATE, PLAIN },
    { "TIME", "TIME", "TIME(9)", SITE_TIME, TICKS },
    { "TIMESTAMP", "TIMESTAMP", "TIMESTAMP_NTZ(9)", SITE_TIMESTAMP, TICKS },
    { "DATETIME", "TIMESTAMP", "TIMESTAMP_NTZ(9)", SITE_TIMESTAMP, TICKS },
    { "TIMESTAMP_NTZ", "TIMESTAMP", "TIMESTAMP_NTZ(9)", SITE_TIMESTAMP, TICKS },
    { "TIMESTAMPNTZ", "TIMESTAMP", "TIMESTAMP_NTZ(9)", SITE_TIMESTAMP, TICKS },
    { "TIMESTAMP_LTZ", "TIMESTAMPTZ", "TIMESTAMP_LTZ(9)", SITE_TIMESTAMP_LTZ, TICKS },
    { "TIMESTAMPLTZ", "TIMESTAMPTZ", "TIMESTAMP_LTZ(9)", SITE_TIMESTAMP_LTZ, TICKS },
    { "TIMESTAMP_TZ", TYPES_TZ, "TIMESTAMP_TZ(9)", SITE_TIMESTAMP_TZ, TICKS },
    { "TIMESTAMPTZ", TYPES_TZ, "TIMESTAMP_TZ(9)", SITE_TIMESTAMP_TZ, TICKS },
    { "VARIANT", TYPES_VAR, "VARIANT", SITE_JSON, PLAIN },
    { "OBJECT", TYPES_OBJ, "OBJECT", SITE_JSON, PLAIN },
    { "ARRAY", TYPES_ARR, "ARRAY", SITE_JSON, PLAIN },
};

static void
read_number_shape(struct reader *r, struct sql_type *t)
{
    uint64_t precision = 38, scale = 0;

    if (read_op(r, '(')) {
        precision = read_count(r);
        if (read_op(r, ','))
            scale = read_count(r);
        read_need_op(r, ')');
    }
    if (precision < 1 || precision > 38 || scale > 37 || scale > precision) {
        failure_set(r->f, "001039", "42601", "SQL compilation error:\ninvalid number type");
        read_fail(r);
    }
    t->duck = read_text(r, "DECIMAL(%u,%u)", (unsigned)precision, (unsigned)scale);
    t->declared = read_text(r, "NUMBER(%u,%u)", (unsigned)precision, (unsigned)scale);
    t->scale = (int)scale;
}

struct sql_type
read_type(struct reader *r)
{
    const struct sql_token *name = read_peek(r, 0);
    struct sql_type t = { 0 };
    size_t i = 0;

    while (i < NELEM(types) && !sql_token_is(name, types[i].name))
        i++;
    if (i == NELEM(types)) {
        if (!read_is_name(r))
            read_syntax(r);
        failure_set(r->f, "002040", "42601",
            "SQL compilation error:\nUnsupported data type '%.*s'.",
            (int)(name->raw.n < 100 ? name->raw.n : 100), name->raw.p);
        read_fail(r);
    }
    r->at++;
    t = (struct sql_type){
        .duck = types[i].duck, .declared = types[i].declared, .kind = types[i].kind
    };
    if (sql_token_is(name, "DOUBLE"))
        read_word(r, "PRECISION");
    if (types[i].shape == NUMBER) {
        read_number_shape(r, &t);
    } else if (types[i].shape == TEXT && read_op(r, '(')) {
        t.length = read_count(r);
        read_need_op(r, ')');
        t.declared = read_text(r, "%s(%llu)", t.kind == SITE_TEXT ? "VARCHAR" : "BINARY",
            (unsigned long long)t.length);
    } else if (types[i].shape == TICKS && read_op(r, '(')) {
        uint64_t digits = read_count(r);
        read_need_op(r, ')');
        t.declared =
            read_text(r, "%.*s(%u)", (int)strcspn(t.declared, "("), t.declared, (unsigned)digits);
    } else if (strcmp(t.declared, "VARCHAR(1)") == 0) {
        t.length = 1;
    }
    return t;
}

struct sql_type
read_type_of(enum site_type kind)
{
    for (size_t i = 0; i < NELEM(types); i++)
        if (types[i].kind == kind && types[i].duck[0])
            return (struct sql_type){
                .duck = types[i].duck, .declared = types[i].declared, .kind = kind
            };
    must(false);
    return (struct sql_type){ 0 };
}
