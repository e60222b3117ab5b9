/* reload.c - takes over an edited configuration without dropping a call.
 *
 * Supervisor.  Parses only what the operator wrote.  Must never leave a half-new state: everything
 * that can fail happens before anything is changed. */
#include "proc/reload.h"

#include "log.h"
#include "state/events.h"

#include <stdio.h>
#include <string.h>

enum { RELOAD, RESTART }; /* the `when` column of config.def */

static bool
same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool
same_list(const char *const *a, const char *const *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    while (*a != NULL && *b != NULL)
        if (strcmp(*a++, *b++) != 0)
            return false;
    return *a == *b;
}

static bool
same_secret(const struct secret *a, const struct secret *b)
{
    struct str x = secret_str(a), y = secret_str(b);
    return str_eq(x, y) && (x.p == NULL) == (y.p == NULL);
}

void
reload_compare(const struct config *was, const struct config *is,
    void (*changed)(void *arg, const char *path, bool restart), void *arg)
{
#define COMPARE(same, path, when)                                                                  \
    do {                                                                                           \
        if (!(same))                                                                               \
            changed(arg, path, (when) == RESTART);                                                 \
    } while (0);
#define SECTION(name, help)
#define OPT_TEXT(f, path, env, dflt, when, help)                COMPARE(same_text(was->f, is->f), path, when)
#define OPT_PATH(f, path, env, dflt, when, help)                COMPARE(same_text(was->f, is->f), path, when)
#define OPT_SECRET(f, path, env, when, help)                    COMPARE(same_secret(was->f, is->f), path, when)
#define OPT_FLAG(f, path, env, dflt, when, help)                COMPARE(was->f == is->f, path, when)
#define OPT_LIST(f, path, env, dflt, when, help)                COMPARE(same_list(was->f, is->f), path, when)
#define OPT_CHOICE(f, path, env, choices, dflt, when, help)     COMPARE(was->f == is->f, path, when)
#define OPT_NUM(f, path, env, unit, dflt, min, max, when, help) COMPARE(was->f == is->f, path, when)
#include "state/config.def"
#undef SECTION
#undef OPT_TEXT
#undef OPT_PATH
#undef OPT_SECRET
#undef OPT_FLAG
#undef OPT_CHOICE
#undef OPT_LIST
#undef OPT_NUM
#undef COMPARE
}

static void
report(void *arg, const char *path, bool restart)
{
    unsigned *n = arg;
    (*n)++;
    if (restart)
        event(EVENT_WARNING, "this setting changes only at a restart", "setting", path, NULL);
    else
        event(EVENT_INFO, "setting changed", "setting", path, NULL);
}

static void
report_problems(struct buf *problems)
{
    struct str rest = { buf_text(problems), problems->len }, line;
    while (str_split(&rest, '\n', &line)) {
        if (line.n == 0)
            continue;
        bool bad = str_starts(line, "error: ");
        log_line(bad ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, line);
    }
}

int
reload_generation(struct server *s)
{
    struct generation next;
    struct buf problems;
    struct err e = { "" };
    char count[24];
    unsigned n = 0;
    buf_init(&problems, 1 << 20);
    int rc = generation_load(&next, &s->source, &problems);
    report_problems(&problems);
    buf_fini(&problems);
    if (rc == 0 && server_open_log(next.config, &e) != 0) {
        event(EVENT_ERROR, e.text, NULL);
        generation_free(&next);
        rc = -1;
    }
    if (rc != 0) {
        event(EVENT_ERROR, "reload failed: the configuration in force stays as it was", NULL);
        return -1;
    }

    mcp_server_inherit(next.mcp, s->now.mcp);
    reload_compare(s->now.config, next.config, report, &n);
    atomic_store(&s->segment->control->pool_max, (uint32_t)next.config->pool_max);
    atomic_store(&s->segment->control->pool_queue, (uint32_t)next.config->pool_queue);
    generation_free(&s->now);
    s->now = next;
    snprintf(count, sizeof count, "%u", n);
    event(EVENT_INFO, "configuration read again", "changed", count, NULL);
    return 0;
}
