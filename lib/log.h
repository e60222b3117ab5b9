/* log.h - where finished lines go.  The builders of our line shapes are in src/state/events.h;
 * nothing in lib/ logs. */
#ifndef LOG_H
#define LOG_H

#include "buf.h"
#include "err.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct log_options {
    int fd;           /* where lines go (1 in HTTP mode, 2 in stdio mode) */
    const char *file; /* NULL: fd; else appended to, reopened by log_reopen() */
    enum log_level level;
    bool timestamps; /* RFC 3339 in front: files and containers (never under journald) */
    bool priorities; /* "<N>" in front: journald (JOURNAL_STREAM is set) */
};

int log_open(const struct log_options *o, struct err *e);
int log_reopen(struct err *e);
bool log_wants(enum log_level level);

/* One line, written with one write(2); newline added; control characters and newlines inside
 * become \xNN, so that no text can forge a second line.  Cut at 8 KiB. */
void log_line(enum log_level level, struct str line);
void log_printf(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Appends foreign text for a `key=value` field: cut to `max` bytes; blanks, '=', quotes, control
 * characters and bytes that are not UTF-8 escaped as \xNN; "-" when empty. */
void log_put_field(struct buf *line, struct str foreign, size_t max);

#endif
