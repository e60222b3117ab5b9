/* submit.h - the body of POST /api/v2/statements, checked and taken apart. */
#ifndef EMULATOR_SUBMIT_H
#define EMULATOR_SUBMIT_H

#include "emulator/statements.h"

struct submit {
    struct statement_spec spec; /* texts lie in `text`; binds are the reader's to take */
    uint64_t statement_count;   /* MULTI_STATEMENT_COUNT; 0: any */
    struct failure failure;     /* what to answer when reading failed */
    int status;                 /* HTTP status for it */
    struct buf text;
    struct json *doc;
};

/* 0, or -1 with failure and status.  submit_fini() in either case. */
int submit_read(struct submit *s, struct str body);
void submit_fini(struct submit *s);

#endif
