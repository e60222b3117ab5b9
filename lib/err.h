/* err.h - a sentence that says what went wrong, where, and what to do next.
 *
 * Functions in lib/ return 0 or -1; on -1 the caller's `struct err` holds one line of text
 * (no newline, cut to fit).  A NULL err is accepted everywhere.  Any process. */
#ifndef ERR_H
#define ERR_H

struct err {
    char text[512];
};

/* Sets the text and returns -1, so that `return err_set(e, ...)` reads well. */
int err_set(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "prefix: " before the text that is there.  Returns -1. */
int err_prefix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
