/* probes.c - functions that note the types of their arguments while a statement is prepared.
 *
 * Bound by DuckDB in the engine's threads; each thread probes one statement at a time.  Must never
 * be executed: a statement with probes in it is only prepared. */
#include "emulator/probes.h"

#include "must.h"

static _Thread_local struct sites *probing;

void
probes_note_into(struct sites *sites)
{
    probing = sites;
}

static enum site_type
site_type_of(duckdb_logical_type type)
{
    switch (duckdb_get_type_id(type)) {
    case DUCKDB_TYPE_SQLNULL:
        return SITE_NULL;
    case DUCKDB_TYPE_BOOLEAN:
        return SITE_BOOLEAN;
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
    case DUCKDB_TYPE_INTEGER_LITERAL:
        return SITE_INTEGER;
    case DUCKDB_TYPE_DECIMAL:
        return SITE_DECIMAL;
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
        return SITE_REAL;
    case DUCKDB_TYPE_DATE:
        return SITE_DATE;
    case DUCKDB_TYPE_TIME:
        return SITE_TIME;
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS:
        return SITE_TIMESTAMP;
    case DUCKDB_TYPE_TIMESTAMP_TZ:
        return SITE_TIMESTAMP_LTZ;
    case DUCKDB_TYPE_BLOB:
        return SITE_BINARY;
    case DUCKDB_TYPE_INTERVAL:
        return SITE_INTERVAL;
    case DUCKDB_TYPE_STRING_LITERAL:
        return SITE_TEXT;
    case DUCKDB_TYPE_VARCHAR:
    case DUCKDB_TYPE_STRUCT: {
        char *alias = duckdb_logical_type_get_alias(type);
        enum site_type t = duckdb_get_type_id(type) == DUCKDB_TYPE_VARCHAR ? SITE_TEXT : SITE_OTHER;
        if (alias)
            t = strcmp(alias, TYPES_TZ) == 0 ? SITE_TIMESTAMP_TZ : SITE_JSON;
        duckdb_free(alias);
        return t;
    }
    default:
        return SITE_OTHER;
    }
}

static int64_t
constant_argument(duckdb_bind_info info, idx_t index)
{
    duckdb_client_context context;
    duckdb_expression expr = duckdb_scalar_function_bind_get_argument(info, index);
    duckdb_value value = NULL;
    duckdb_error_data error;
    int64_t n = -1;

    duckdb_scalar_function_get_client_context(info, &context);
    error = duckdb_expression_fold(context, expr, &value);
    if (!duckdb_error_data_has_error(error))
        n = duckdb_get_int64(value);
    duckdb_destroy_error_data(&error);
    if (value)
        duckdb_destroy_value(&value);
    duckdb_destroy_expression(&expr);
    duckdb_destroy_client_context(&context);
    return n;
}

static void
probe_bind(duckdb_bind_info info)
{
    int64_t n = constant_argument(info, 0);
    idx_t count = duckdb_scalar_function_bind_get_argument_count(info);

    if (!probing || n < 0 || n >= SITE_MAX)
        return;
    for (idx_t i = 1; i < count && i <= SITE_ARGS; i++) {
        duckdb_expression expr = duckdb_scalar_function_bind_get_argument(info, i);
        duckdb_logical_type type = duckdb_expression_return_type(expr);
        probing->site[n].arg[i - 1].type = site_type_of(type);
        probing->site[n].arg[i - 1].scale =
            duckdb_get_type_id(type) == DUCKDB_TYPE_DECIMAL ? duckdb_decimal_scale(type) : 0;
        duckdb_destroy_logical_type(&type);
        duckdb_destroy_expression(&expr);
    }
    probing->site[n].known = true;
}

static void
probe_run(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output)
{
    (void)input;
    (void)output;
    duckdb_scalar_function_set_error(info, "a probe was executed");
}

static int
register_probe(duckdb_connection con, const char *name, duckdb_type returns)
{
    duckdb_scalar_function f = duckdb_create_scalar_function();
    duckdb_logical_type any = duckdb_create_logical_type(DUCKDB_TYPE_ANY);
    duckdb_logical_type type = duckdb_create_logical_type(returns);

    duckdb_scalar_function_set_name(f, name);
    duckdb_scalar_function_set_varargs(f, any);
    duckdb_scalar_function_set_special_handling(f);
    duckdb_scalar_function_set_return_type(f, type);
    duckdb_scalar_function_set_bind(f, probe_bind);
    duckdb_scalar_function_set_function(f, probe_run);
    duckdb_state rc = duckdb_register_scalar_function(con, f);
    duckdb_destroy_logical_type(&type);
    duckdb_destroy_logical_type(&any);
    duckdb_destroy_scalar_function(&f);
    return rc == DuckDBSuccess ? 0 : -1;
}

int
probes_register(duckdb_connection con, struct err *e)
{
    static const struct {
        const char *name;
        duckdb_type returns;
    } probes[] = {
        { "_site_real", DUCKDB_TYPE_DOUBLE },
        { "_site_text", DUCKDB_TYPE_VARCHAR },
        { "_site_int", DUCKDB_TYPE_BIGINT },
        { "_site_date", DUCKDB_TYPE_DATE },
        { "_site_ts", DUCKDB_TYPE_TIMESTAMP },
        { "_site_bool", DUCKDB_TYPE_BOOLEAN },
        { "_site_time", DUCKDB_TYPE_TIME },
        { "_site_ltz", DUCKDB_TYPE_TIMESTAMP_TZ },
        { "_site_blob", DUCKDB_TYPE_BLOB },
    };
    int rc = 0;

    for (size_t i = 0; i < NELEM(probes); i++)
        rc |= register_probe(con, probes[i].name, probes[i].returns);
    return rc == 0 ? 0 : err_set(e, "DuckDB does not take the emulator's probes");
}
