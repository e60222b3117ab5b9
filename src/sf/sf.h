/* sf.h - the Snowflake SQL API v2 as statements with rows (documented by Snowflake)
 *
 * One sf_client per worker, made after fork.  A statement is submitted, polled, its partitions
 * fetched (some ahead, delivered in order), its rows handed out one by one as slices of the text
 * that arrived: no tree is ever built of rows.  Every statement ends with exactly one on_done,
 * unless it was dropped with sf_statement_free().  Nothing blocks.
 *
 * Knows nothing of MCP, leases or evhttp: the caller holds the lease and writes down what on_handle
 * says. */
#ifndef SF_SF_H
#define SF_SF_H

#include "buf.h"
#include "loop.h"
#include "state/config.h"
#include "state/rc.h"

struct sf_client;
struct sf_statement;

/* Before fork: parses the key, derives host, account and user names, reads tokens.  Shared by all
 * workers as inherited memory.  NULL with *e: a sentence naming the setting to mend. */
struct sf_identity;
struct sf_identity *sf_identity_new(const struct config *c, struct err *e);
void sf_identity_free(struct sf_identity *i);
/* "https://org-account.snowflakecomputing.com" and friends; lent. */
const char *sf_identity_base_url(const struct sf_identity *i);
/* "SHA256:..." of the key pair, or NULL. */
const char *sf_identity_fingerprint(const struct sf_identity *i);

struct sf_client *sf_client_new(
    struct loop *l, const struct config *c, struct sf_identity *i, struct err *e);
void sf_client_free(struct sf_client *c); /* drops what runs, without callbacks */
unsigned sf_client_idle_connections(const struct sf_client *c);

/* What happened since sf_client_new(), for the worker to publish.  A login is the first use of a
 * newly signed or newly read credential, or the refusal of one that was good before. */
struct sf_counters {
    uint64_t logins_ok, logins_refused;
    uint64_t retries; /* requests sent again */
    uint64_t cancels_confirmed, cancels_unconfirmed;
};
const struct sf_counters *sf_client_counters(const struct sf_client *c); /* lent */

/* ---- columns and cells ---------------------------------------------------------------------- */

enum sf_type {
    SF_FIXED,
    SF_REAL,
    SF_DECFLOAT,
    SF_TEXT,
    SF_BINARY,
    SF_BOOLEAN,
    SF_DATE,
    SF_TIME,
    SF_TIMESTAMP_NTZ,
    SF_TIMESTAMP_LTZ,
    SF_TIMESTAMP_TZ,
    SF_VARIANT,
    SF_OBJECT,
    SF_ARRAY,
    SF_GEOGRAPHY,
    SF_GEOMETRY,
    SF_VECTOR,
    SF_UNKNOWN
};

struct sf_column {
    struct str name;
    enum sf_type type;
    struct str type_text; /* as SQL spells it: NUMBER(38,0), VARCHAR(80), TIMESTAMP_NTZ(9) */
    bool nullable;
    int precision, scale; /* -1: absent */
};

struct sf_cell {
    bool null;
    struct str json; /* the inside of the JSON string as it arrived (escapes and all) */
    bool escaped;    /* json contains a backslash: decode before use as text */
};

/* Appends the cell's value as people read it: numbers exactly as sent, DATE 2024-02-29,
 * TIME 23:01:59.5, TIMESTAMP_NTZ 2024-02-29T23:01:59.123, LTZ ...Z, TZ ...+02:00, BINARY hex,
 * BOOLEAN true/false, text decoded.  Fractions keep the digits of the column's scale.  What does
 * not parse is appended as it came.  NULL appends nothing. */
void sf_cell_text(const struct sf_column *col, const struct sf_cell *cell, struct buf *out);

/* Appends the value as JSON: numbers as number literals when a double holds them exactly (at most
 * 15 significant digits), else as strings with every digit; NaN and infinities as strings;
 * booleans; everything else as the string sf_cell_text() would give; null. */
void sf_cell_json(const struct sf_column *col, const struct sf_cell *cell, struct buf *out);

/* ---- statements ----------------------------------------------------------------------------- */

struct sf_bind {
    const char *type; /* "TEXT", "FIXED", "REAL", "BOOLEAN", ... (snowflake-api.md 3.1) */
    struct str value; /* p NULL: SQL NULL */
};

struct sf_request {
    struct str sql;
    const struct sf_bind *binds; /* [n_binds], for ?, in order */
    unsigned n_binds;
    const char *database, *schema; /* NULL: the configured ones */
    uint32_t timeout_s;            /* 0: the configured one */
    uint64_t row_limit;     /* rows wanted at most; rows_per_resultset is one more. 0: no cap */
    bool metadata;          /* SHOW, DESCRIBE, GET_DDL: submitted synchronously under "auto" */
    const char *request_id; /* UUID; the caller made it and wrote it into its lease */
    struct str query_tag;
};

enum sf_flow { SF_GO, SF_PAUSE, SF_ENOUGH };

/* rc: RC_OK, RC_SQL_FAILED, RC_STATEMENT_TIMEOUT, RC_CANCELLED, RC_UPSTREAM_FAILED,
 * RC_UPSTREAM_AUTH, RC_UPSTREAM_BUSY, RC_RESULT_TOO_LARGE, RC_NO_MEMORY, RC_INTERNAL. */
struct sf_outcome {
    enum rc rc;
    struct str code, sqlstate; /* Snowflake's, when it sent them */
    struct str message;        /* Snowflake's text, or ours */
    struct str handle;
    uint64_t elapsed_ns; /* from submit to the first answer that was not "running" */
    bool more;           /* rows exist past row_limit (exact) */
    uint64_t total_rows; /* numRows as told; at most row_limit + 1 when capped */
    bool may_be_running; /* the statement may still run upstream: cancel it */
    uint32_t retries;
    int64_t retry_after_s; /* -1 */
};

/* All slices are valid during the callback only. */
struct sf_handlers {
    void (*on_handle)(void *arg, const char *handle); /* at most once */
    void (*on_columns)(void *arg, const struct sf_column *cols, unsigned n);
    /* SF_PAUSE: the row WAS taken; no further one until sf_statement_resume().
     * SF_ENOUGH: no further row is wanted; further partitions are not fetched, on_done follows. */
    enum sf_flow (*on_row)(void *arg, const struct sf_cell *cells, unsigned n);
    void (*on_done)(void *arg, const struct sf_outcome *o);
};

/* Copies what it needs of the request.  Callbacks never run inside.  NULL: no memory.
 * The statement is gone after on_done; dropping it inside any callback is fine. */
struct sf_statement *sf_statement_start(
    struct sf_client *c, const struct sf_request *r, const struct sf_handlers *h, void *arg);
void sf_statement_resume(struct sf_statement *s); /* callbacks may run inside */
/* Frees it without any further callback.  If it may still run upstream it is cancelled there in
 * the background (once its handle is known): on_cancelled tells how that ended (true: Snowflake
 * confirmed or it had ended), so that the lease can be given back; may be NULL.  It comes once,
 * later from the loop (inside this call only when memory is out). */
void sf_statement_drop(
    struct sf_statement *s, void (*on_cancelled)(void *arg, bool confirmed), void *arg);
/* Cancels a statement by handle (an orphan's). */
void sf_cancel_handle(struct sf_client *c, const char *handle,
    void (*on_cancelled)(void *arg, bool confirmed), void *arg);
/* Finds what was submitted under this request id and cancels it (3.3).  Works when the statement's
 * query tag contained the request id. */
void sf_cancel_request(struct sf_client *c, const char *request_id,
    void (*on_cancelled)(void *arg, bool confirmed), void *arg);

/* Texts for a model: what to do about an error code ("check the name with list_tables"), or NULL.
 */
const char *sf_hint(struct str code, struct str message);

#endif
