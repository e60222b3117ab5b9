/* answers.h - what the SQL API says about a statement, as HTTP replies.
 *
 * Each function that takes a call answers it; `f` is the fault to work into the answer. */
#ifndef EMULATOR_ANSWERS_H
#define EMULATOR_ANSWERS_H

#include "emulator/faults.h"
#include "emulator/server.h"
#include "emulator/statements.h"

extern const struct fault answer_no_fault;

void answer_json(struct server_call *c, int status, struct str body, const char *link, bool gzip,
    const struct fault *f);
void answer_code(struct server_call *c, int status, const char *code, const char *message);
void answer_running(
    struct server_call *c, const struct statement *s, const char *code, const struct fault *f);
/* Of a statement that has ended: its rows or its failure. */
void answer_outcome(struct server_call *c, struct statement *s, const struct fault *f);
/* Of a statement that has succeeded. */
void answer_partition(struct server_call *c, struct statement *s, size_t at, const struct fault *f);
void answer_unknown_handle(struct server_call *c, struct str handle);
/* True: the fault was the answer (or there will be none). */
bool answered_by_fault(struct server_call *c, const struct fault *f);

/* Pieces: `{"code":..,"message":..` still open, and members to follow it. */
void answer_put_code(struct buf *b, const char *code, const char *message);
void answer_put_handle(struct buf *b, const struct statement *s);
void answer_put_status_url(struct buf *b, const struct statement *s);

#endif
