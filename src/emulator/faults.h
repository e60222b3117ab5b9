/* faults.h - trouble on demand, for tests: rules that change the answer to the next requests.
 *
 * Event loop only. */
#ifndef EMULATOR_FAULTS_H
#define EMULATOR_FAULTS_H

#include "buf.h"
#include "err.h"

enum faults_kind {
    FAULT_NONE,
    FAULT_DELAY,          /* only late                                              */
    FAULT_STATUS,         /* `status` with `body`, or a JSON error of `code`        */
    FAULT_HTML,           /* `status` with an HTML page                             */
    FAULT_GARBAGE,        /* 200 and a body that is no JSON                         */
    FAULT_DROP,           /* the request is not carried out; connection closed      */
    FAULT_DROP_AFTER,     /* the request is carried out; connection closed          */
    FAULT_HANG,           /* never answered                                         */
    FAULT_TRUNCATE,       /* carried out; half the body, well formed as HTTP (gzip or not) */
    FAULT_RESET_MID_BODY, /* carried out; half the body, then a TCP reset           */
    FAULT_SLOW,           /* carried out; the body in pieces over `ms`              */
    FAULT_FOREVER_202,    /* polls say "running" whatever the statement does        */
    FAULT_391908,         /* the result counts as too large                         */
    FAULT_JWT_REFUSED,    /* 401 390144                                             */
};

enum faults_route { FAULTS_SUBMIT, FAULTS_POLL, FAULTS_PARTITION, FAULTS_CANCEL };

struct fault {
    enum faults_kind kind;
    int status;
    unsigned ms;
    int retry_after;                   /* -1: none */
    const char *code, *body, *message; /* NULL: none; lent until the rules change */
};

struct faults;

struct faults *faults_new(void);
void faults_free(struct faults *f);
void faults_clear(struct faults *f);

/* One rule or an array of them, as snowflake-emulator(8) lists them. 0 or -1. */
int faults_add(struct faults *f, struct str json, struct err *e);

/* The first rule that matches counts down by one.  FAULT_NONE: no rule. */
struct fault faults_match(
    struct faults *f, enum faults_route route, struct str path, struct str sql);

/* The rules that are left, as JSON. */
void faults_put_json(const struct faults *f, struct buf *out);

#endif
