/* proctitle.h - what ps shows for this process ("snowflake-mcp: worker 3"). */
#ifndef PROCTITLE_H
#define PROCTITLE_H

/* Once in main, before anything keeps a pointer into argv or environ (environ is moved). */
void proctitle_init(int argc, char **argv);
void proctitle_set(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
