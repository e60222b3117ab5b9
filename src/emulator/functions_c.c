/* functions_c.c - exact division, casts and the slow table, written against DuckDB's C API.
 *
 * Called by DuckDB in the engine's threads.  Must never be reachable by a caller's own spelling:
 * the translator only lets the functions of functions.def be called. */
#include "emulator/functions_c.h"

#include "clock.h"
#include "json_text.h"
#include "must.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MOST_DECIMALS 37

/* 10 * r divided by b, with r < b < 2^127: the next decimal digit, and *r the new remainder. */
static unsigned
next_digit(unsigned __int128 *r, unsigned __int128 b)
{
    unsigned __int128 part = *r, sum = 0;
    unsigned digit = 0, weight = 0;

    for (int bit = 1; bit <= 8; bit *= 2) { /* part = bit * r mod b, weight = bit * r div b */
        if (bit > 1) {
            part *= 2;
            weight *= 2;
            if (part >= b) {
                part -= b;
                weight++;
            }
        }
        if (bit == 2 || bit == 8) {
            sum += part;
            digit += weight;
            if (sum >= b) {
                sum -= b;
                digit++;
            }
        }
    }
    *r = sum;
    return digit;
}

int
functions_c_divide(__int128 a, int a_scale, __int128 b, int b_scale, int scale, __int128 *q)
{
    const unsigned __int128 most =
        (unsigned __int128)UINT64_C(10000000000000000000) * UINT64_C(10000000000000000000);
    bool negative = (a < 0) != (b < 0);
    unsigned __int128 n = a < 0 ? -(unsigned __int128)a : (unsigned __int128)a;
    unsigned __int128 d = b < 0 ? -(unsigned __int128)b : (unsigned __int128)b;
    int digits = scale + b_scale - a_scale; /* of n/d, after the point, that are wanted */

    for (; digits < 0; digits++) { /* then the divisor grows */
        if (d >= most / 10) {
            *q = 0;
            return 0;
        }
        d *= 10;
    }
    unsigned __int128 out = n / d, r = n % d;
    for (; digits > 0; digits--) {
        if (out >= most / 10)
            return -1;
        out = out * 10 + next_digit(&r, d);
    }
    if (r >= d - r)
        out++;
    if (out >= most)
        return -1;
    *q = negative ? -(__int128)out : (__int128)out;
    return 0;
}

struct decimals {
    duckdb_type stored;
    int scale;
    const void *data;
    uint64_t *validity;
};

static void
open_decimals(struct decimals *d, duckdb_vector v)
{
    duckdb_logical_type type = duckdb_vector_get_column_type(v);

    d->stored = duckdb_get_type_id(type);
    d->scale = 0;
    if (d->stored == DUCKDB_TYPE_DECIMAL) {
        d->stored = duckdb_decimal_internal_type(type);
        d->scale = duckdb_decimal_scale(type);
    }
    duckdb_destroy_logical_type(&type);
    d->data = duckdb_vector_get_data(v);
    d->validity = duckdb_vector_get_validity(v);
}

static __int128
decimal_at(const struct decimals *d, idx_t row)
{
    switch (d->stored) {
    case DUCKDB_TYPE_TINYINT:
        return ((const int8_t *)d->data)[row];
    case DUCKDB_TYPE_SMALLINT:
        return ((const int16_t *)d->data)[row];
    case DUCKDB_TYPE_INTEGER:
        return ((const int32_t *)d->data)[row];
    case DUCKDB_TYPE_HUGEINT: {
        duckdb_hugeint h = ((const duckdb_hugeint *)d->data)[row];
        return (__int128)(((unsigned __int128)(uint64_t)h.upper << 64) | h.lower);
    }
    default:
        return ((const int64_t *)d->data)[row];
    }
}

static void
divide_run(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    int scale = (int)(intptr_t)duckdb_scalar_function_get_extra_info(info);
    idx_t n = duckdb_data_chunk_get_size(input);
    duckdb_hugeint *out = duckdb_vector_get_data(output);
    struct decimals a, b;

    open_decimals(&a, duckdb_data_chunk_get_vector(input, 0));
    open_decimals(&b, duckdb_data_chunk_get_vector(input, 1));
    for (idx_t row = 0; row < n; row++) {
        __int128 q = 0;
        if ((a.validity && !duckdb_validity_row_is_valid(a.validity, row)) ||
            (b.validity && !duckdb_validity_row_is_valid(b.validity, row))) {
            duckdb_vector_ensure_validity_writable(output);
            duckdb_validity_set_row_invalid(duckdb_vector_get_validity(output), row);
            continue;
        }
        if (decimal_at(&b, row) == 0) {
            duckdb_scalar_function_set_error(info, "Division by zero");
            return;
        }
        if (functions_c_divide(
                decimal_at(&a, row), a.scale, decimal_at(&b, row), b.scale, scale, &q) != 0) {
            duckdb_scalar_function_set_error(info, "Number out of representable range");
            return;
        }
        out[row].lower = (uint64_t)(unsigned __int128)q;
        out[row].upper = (int64_t)(q >> 64);
    }
}

static int
register_division(duckdb_connection con, int scale)
{
    duckdb_scalar_function f = duckdb_create_scalar_function();
    duckdb_logical_type any = duckdb_create_logical_type(DUCKDB_TYPE_ANY);
    duckdb_logical_type type = duckdb_create_decimal_type(38, (uint8_t)scale);
    char name[24];

    snprintf(name, sizeof name, "_div_%d", scale);
    duckdb_scalar_function_set_name(f, name);
    duckdb_scalar_function_add_parameter(f, any);
    duckdb_scalar_function_add_parameter(f, any);
    duckdb_scalar_function_set_return_type(f, type);
    duckdb_scalar_function_set_extra_info(f, (void *)(intptr_t)scale, NULL);
    duckdb_scalar_function_set_function(f, divide_run);
    duckdb_state rc = duckdb_register_scalar_function(con, f);
    duckdb_destroy_logical_type(&type);
    duckdb_destroy_logical_type(&any);
    duckdb_destroy_scalar_function(&f);
    return rc == DuckDBSuccess ? 0 : -1;
}

static int
register_plain(duckdb_connection con, const char *name, duckdb_type parameter, unsigned count,
    duckdb_type returns, duckdb_scalar_function_t run)
{
    duckdb_scalar_function f = duckdb_create_scalar_function();
    duckdb_logical_type in = duckdb_create_logical_type(parameter);
    duckdb_logical_type out = duckdb_create_logical_type(returns);

    duckdb_scalar_function_set_name(f, name);
    for (unsigned i = 0; i < count; i++)
        duckdb_scalar_function_add_parameter(f, in);
    duckdb_scalar_function_set_return_type(f, out);
    duckdb_scalar_function_set_function(f, run);
    duckdb_state rc = duckdb_register_scalar_function(con, f);
    duckdb_destroy_logical_type(&in);
    duckdb_destroy_logical_type(&out);
    duckdb_destroy_scalar_function(&f);
    return rc == DuckDBSuccess ? 0 : -1;
}

/* NULL in any argument is NULL out. */
static bool
skip_null(duckdb_data_chunk input, idx_t row, duckdb_vector output)
{
    for (idx_t i = 0; i < duckdb_data_chunk_get_column_count(input); i++) {
        uint64_t *valid = duckdb_vector_get_validity(duckdb_data_chunk_get_vector(input, i));
        if (valid && !duckdb_validity_row_is_valid(valid, row)) {
            duckdb_vector_ensure_validity_writable(output);
            duckdb_validity_set_row_invalid(duckdb_vector_get_validity(output), row);
            return true;
        }
    }
    return false;
}

static void
real_divide_run(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    const double *a = duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 0));
    const double *b = duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 1));
    double *out = duckdb_vector_get_data(output);

    for (idx_t row = 0; row < duckdb_data_chunk_get_size(input); row++) {
        if (skip_null(input, row, output))
            continue;
        if (b[row] == 0) {
            duckdb_scalar_function_set_error(info, "Division by zero");
            return;
        }
        out[row] = a[row] / b[row];
    }
}

static void
real_text_run(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    const double *a = duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 0));
    struct buf text;

    (void)info;
    buf_init(&text, 64);
    for (idx_t row = 0; row < duckdb_data_chunk_get_size(input); row++) {
        if (skip_null(input, row, output))
            continue;
        buf_clear(&text);
        types_put_real(&text, a[row]);
        duckdb_vector_assign_string_element_len(output, row, text.p, text.len);
    }
    buf_fini(&text);
}

/* A JSON object without its members that are null. */
static void
without_nulls_run(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    duckdb_string_t *in = duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, 0));
    struct buf json;

    (void)info;
    buf_init(&json, 64u << 20);
    for (idx_t row = 0; row < duckdb_data_chunk_get_size(input); row++) {
        size_t at = 0;
        struct str key, value;
        if (skip_null(input, row, output))
            continue;
        struct str object = { duckdb_string_t_data(&in[row]), duckdb_string_t_length(in[row]) };
        buf_clear(&json);
        while (json_next_member(object, &at, &key, &value)) {
            if (json_type_of(value) == JSON_NULL)
                continue;
            buf_put_c(&json, json.len > 0 ? ',' : '{');
            buf_put_str(&json, key);
            buf_put_c(&json, ':');
            buf_put_str(&json, value);
        }
        buf_put_z(&json, json.len > 0 ? "}" : "{}");
        duckdb_vector_assign_string_element_len(output, row, buf_text(&json), json.len);
    }
    buf_fini(&json);
}

/* ---- casts between text, JSON and the semi-structured types: a text becomes a JSON string, JSON
 * stays as it is.  Without them DuckDB would take any text for JSON. */

static bool
cast_texts(idx_t count, duckdb_vector input, duckdb_vector output, bool quote)
{
    uint64_t *valid = duckdb_vector_get_validity(input);
    duckdb_string_t *in = duckdb_vector_get_data(input);
    struct buf json;

    buf_init(&json, 64u << 20);
    for (idx_t row = 0; row < count; row++) {
        if (valid && !duckdb_validity_row_is_valid(valid, row)) {
            duckdb_vector_ensure_validity_writable(output);
            duckdb_validity_set_row_invalid(duckdb_vector_get_validity(output), row);
            continue;
        }
        struct str s = { duckdb_string_t_data(&in[row]), duckdb_string_t_length(in[row]) };
        buf_clear(&json);
        if (quote)
            json_put_string(&json, s);
        else
            buf_put_str(&json, s);
        duckdb_vector_assign_string_element_len(output, row, buf_text(&json), json.len);
    }
    buf_fini(&json);
    return true;
}

static bool
cast_quoting(duckdb_function_info info, idx_t count, duckdb_vector input, duckdb_vector output)
{
    (void)info;
    return cast_texts(count, input, output, true);
}

static bool
cast_as_is(duckdb_function_info info, idx_t count, duckdb_vector input, duckdb_vector output)
{
    (void)info;
    return cast_texts(count, input, output, false);
}

static int
register_cast(duckdb_connection con, const char *from, const char *to, duckdb_cast_function_t run)
{
    duckdb_cast_function f = duckdb_create_cast_function();
    duckdb_logical_type a = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
    duckdb_logical_type b = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);

    if (*from)
        duckdb_logical_type_set_alias(a, from);
    duckdb_logical_type_set_alias(b, to);
    duckdb_cast_function_set_source_type(f, a);
    duckdb_cast_function_set_target_type(f, b);
    duckdb_cast_function_set_implicit_cast_cost(f, *from ? 1 : 200);
    duckdb_cast_function_set_function(f, run);
    duckdb_state rc = duckdb_register_cast_function(con, f);
    duckdb_destroy_logical_type(&a);
    duckdb_destroy_logical_type(&b);
    duckdb_destroy_cast_function(&f);
    return rc == DuckDBSuccess ? 0 : -1;
}

static int
register_casts(duckdb_connection con)
{
    static const char *const ours[] = { TYPES_VAR, TYPES_OBJ, TYPES_ARR };
    int rc = register_cast(con, "", TYPES_VAR, cast_quoting);

    for (size_t i = 0; i < NELEM(ours); i++) {
        rc |= register_cast(con, "JSON", ours[i], cast_as_is);
        rc |= register_cast(con, ours[i], "JSON", cast_as_is);
        if (i > 0)
            rc |= register_cast(con, ours[i], TYPES_VAR, cast_as_is);
    }
    return rc;
}

/* ---- _ticks: an empty chunk would end the table, so each call gives a row and sleeps a little;
 * between two calls DuckDB looks whether it was interrupted. */

static void
ticks_bind(duckdb_bind_info info)
{
    duckdb_value v = duckdb_bind_get_parameter(info, 0);
    duckdb_logical_type type = duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
    double *seconds = malloc(sizeof *seconds);

    if (seconds) {
        *seconds = duckdb_get_double(v);
        duckdb_bind_set_bind_data(info, seconds, free);
    } else {
        duckdb_bind_set_error(info, "no memory");
    }
    duckdb_bind_add_result_column(info, "N", type);
    duckdb_destroy_logical_type(&type);
    duckdb_destroy_value(&v);
}

static void
ticks_init(duckdb_init_info info)
{
    const double *seconds = duckdb_init_get_bind_data(info);
    uint64_t *until = malloc(sizeof *until);

    if (!until) {
        duckdb_init_set_error(info, "no memory");
        return;
    }
    *until = clock_ns() + (uint64_t)(*seconds > 0 ? *seconds * 1e9 : 0);
    duckdb_init_set_init_data(info, until, free);
    duckdb_init_set_max_threads(info, 1);
}

static void
ticks_run(duckdb_function_info info, duckdb_data_chunk output)
{
    const uint64_t *until = duckdb_function_get_init_data(info);
    uint64_t now = clock_ns();
    int64_t *n = duckdb_vector_get_data(duckdb_data_chunk_get_vector(output, 0));

    if (now >= *until) {
        duckdb_data_chunk_set_size(output, 0);
        return;
    }
    uint64_t left = *until - now;
    nanosleep(&(struct timespec){ .tv_nsec = left < 1000000 ? (long)left : 1000000 }, NULL);
    n[0] = (int64_t)(left / 1000000);
    duckdb_data_chunk_set_size(output, 1);
}

static int
register_ticks(duckdb_connection con)
{
    duckdb_table_function f = duckdb_create_table_function();
    duckdb_logical_type type = duckdb_create_logical_type(DUCKDB_TYPE_DOUBLE);

    duckdb_table_function_set_name(f, "_ticks");
    duckdb_table_function_add_parameter(f, type);
    duckdb_table_function_set_bind(f, ticks_bind);
    duckdb_table_function_set_init(f, ticks_init);
    duckdb_table_function_set_function(f, ticks_run);
    duckdb_state rc = duckdb_register_table_function(con, f);
    duckdb_destroy_logical_type(&type);
    duckdb_destroy_table_function(&f);
    return rc == DuckDBSuccess ? 0 : -1;
}

int
functions_c_register(duckdb_connection con, struct err *e)
{
    int rc = 0;

    for (int scale = 0; scale <= MOST_DECIMALS; scale++)
        rc |= register_division(con, scale);
    rc |= register_plain(con, "_fdiv", DUCKDB_TYPE_DOUBLE, 2, DUCKDB_TYPE_DOUBLE, real_divide_run);
    rc |= register_plain(
        con, "_real_text", DUCKDB_TYPE_DOUBLE, 1, DUCKDB_TYPE_VARCHAR, real_text_run);
    rc |= register_plain(
        con, "_without_nulls", DUCKDB_TYPE_VARCHAR, 1, DUCKDB_TYPE_VARCHAR, without_nulls_run);
    rc |= register_ticks(con);
    rc |= register_casts(con);
    return rc == 0 ? 0 : err_set(e, "DuckDB does not take the emulator's functions");
}
