/* answer.h - what an HTTP answer of the SQL API means (snowflake-api.md 3.2). */
#ifndef SF_ANSWER_H
#define SF_ANSWER_H

#include "buf.h"
#include "state/rc.h"

#define ANSWER_HANDLE 64

/* What Snowflake says about a statement, decoded; empty where it says nothing. */
struct answer {
    char code[16], sqlstate[16], handle[ANSWER_HANDLE];
    struct buf message;
};

void answer_init(struct answer *a);
void answer_fini(struct answer *a);
/* Fills in from the text of a checked JSON object.  A handle that does not look like one is left
 * out: it will be part of a URL. */
void answer_read(struct answer *a, struct str object);

enum answer_kind {
    ANSWER_RUNNING, /* poll */
    ANSWER_AGAIN,   /* back off and send it again */
    ANSWER_FAILED   /* final */
};

struct verdict {
    enum answer_kind kind;
    enum rc rc;   /* AGAIN: when the retries are used up */
    bool unknown; /* AGAIN: it may have begun to run */
};

/* Letters, digits, '-' and '_' only, and not too many: fit for a URL. */
bool answer_is_handle(const char *z);

/* For every status but 200.  Reads what the body says into *a; where it says nothing, a->message
 * becomes a sentence of ours.  `handle_known`: a statement is being polled. */
struct verdict answer_judge(int status, struct str body, bool handle_known, struct answer *a);

#endif
