/* statements.h - every statement the emulator knows: running, in line, or finished and kept.
 *
 * Event loop only.  A statement is lent until the next call that may forget one (statements_sweep,
 * statements_forget_all). */
#ifndef EMULATOR_STATEMENTS_H
#define EMULATOR_STATEMENTS_H

#include "buf.h"
#include "emulator/engine.h"

struct statements;

struct statements_options {
    struct loop *loop;
    struct engine *engine;
    uint64_t ttl_s;   /* results are kept so long */
    size_t max_bytes; /* of kept results; the oldest go first */
    size_t max_count;
};

struct statement_spec { /* all copied */
    struct str sql, request_id, user, role, warehouse, database, schema, account;
    struct str query_tag, timezone;
    struct str parameters, bindings; /* raw JSON, for the tests' view */
    uint64_t timeout_s;              /* 0: none */
    uint64_t statement_count;        /* how many statements the text may hold; 0: any */
    uint64_t max_rows;
    bool async;
    struct engine_bind *binds; /* taken over, malloc'd */
    size_t bind_count;
};

struct statement;
typedef void statement_cb(void *arg, struct statement *s);

struct statements *statements_new(const struct statements_options *o);
void statements_free(struct statements *t);

/* Starts it.  NULL without memory (the binds are freed then). */
struct statement *statements_submit(struct statements *t, const struct statement_spec *spec);
struct statement *statements_find(struct statements *t, struct str handle);
struct statement *statements_find_request(struct statements *t, struct str request_id);
bool statements_cancel(struct statements *t, struct statement *s); /* false: it had ended */

enum statement_state {
    STATEMENT_QUEUED,
    STATEMENT_RUNNING,
    STATEMENT_SUCCEEDED,
    STATEMENT_FAILED,
    STATEMENT_CANCELED,
    STATEMENT_TIMED_OUT,
};
enum statement_state statement_state(const struct statement *s);
bool statement_ended(const struct statement *s);
/* Calls back once, in the loop, when it has ended.  One waiter per call; unwait before it. */
void statement_wait(struct statement *s, statement_cb *cb, void *arg);
void statement_unwait(struct statement *s, void *arg);

const char *statement_handle(const struct statement *s);
const char *statement_request_id(const struct statement *s);
const char *statement_sql(const struct statement *s);
const char *statement_user(const struct statement *s);
int64_t statement_created_ms(const struct statement *s);
uint64_t statement_timeout_s(const struct statement *s);
struct result *statement_result(struct statement *s); /* SUCCEEDED only */
const struct failure *statement_failure(const struct statement *s);

void statements_put_json(struct statements *t, struct buf *out);
struct statements_totals {
    uint64_t submitted, canceled, failed, succeeded;
};
void statements_totals(const struct statements *t, struct statements_totals *out);
void statements_forget_all(struct statements *t); /* running ones are canceled first */

#endif
