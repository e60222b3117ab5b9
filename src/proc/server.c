/* server.c - from the command line to the first fork.
 *
 * The process that becomes the supervisor.  Everything that can be wrong with the configuration is
 * found here, before a child exists: exit code 2 means "mend it, starting again does not help". */
#include "proc/server.h"

#include "http_client.h"
#include "log.h"
#include "proc/child.h"
#include "proc/cpus.h"
#include "proc/demo.h"
#include "proc/supervisor.h"
#include "proctitle.h"
#include "state/events.h"

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    PROBLEMS_MAX = 1 << 20,
    WORKERS_MIN = 2,
    WORKERS_MAX = SLOTS_MAX / 2 - 1 /* two slots for each worker and for the metrics child */
};

/* ---- generation ------------------------------------------------------------------------------ */

void
generation_free(struct generation *g)
{
    mcp_server_free(g->mcp);
    sf_identity_free(g->identity);
    config_free(g->config);
    *g = (struct generation){ NULL };
}

static int
complain(struct buf *problems, struct generation *g, const struct err *e)
{
    buf_printf(problems, "error: %s\n", e->text);
    generation_free(g);
    return -1;
}

int
generation_load(struct generation *g, const struct config_source *source, struct buf *problems)
{
    struct err e = { "" };
    *g = (struct generation){ .config = config_load(source, problems) };
    if (g->config == NULL)
        return -1;
    g->identity = sf_identity_new(g->config, &e);
    if (g->identity == NULL)
        return complain(problems, g, &e);
    g->mcp = mcp_server_new(g->config, &e);
    if (g->mcp == NULL)
        return complain(problems, g, &e);
    return 0;
}

int
server_open_log(const struct config *c, struct err *e)
{
    bool on = c->log_timestamps == LOG_TIMESTAMPS_ON ||
              (c->log_timestamps == LOG_TIMESTAMPS_AUTO && c->log_file != NULL);
    struct log_options o = {
        .fd = STDOUT_FILENO,
        .file = c->log_file,
        .level = (enum log_level)c->log_level,
        .timestamps = on,
        .priorities = c->log_file == NULL && getenv("JOURNAL_STREAM") != NULL,
    };
    return log_open(&o, e);
}

/* ---- small jobs ------------------------------------------------------------------------------ */

static int
put_out(const struct buf *b, FILE *to)
{
    if (b->failed) {
        fprintf(stderr, "error: not enough memory\n");
        return CHILD_EXIT_FAILED;
    }
    if (b->len > 0)
        fwrite(b->p, 1, b->len, to);
    return fflush(to) == 0 ? CHILD_EXIT_CLEAN : CHILD_EXIT_FAILED;
}

static int
dump_docs(enum options_document which)
{
    struct buf out;
    buf_init(&out, 1 << 22);
    switch (which) {
    case DOCUMENT_YAML:
        config_write_yaml(&out);
        break;
    case DOCUMENT_ENV:
        config_write_env(&out);
        break;
    case DOCUMENT_MAN:
        config_write_man(&out);
        break;
    }
    int rc = put_out(&out, stdout);
    buf_fini(&out);
    return rc;
}

/* --check-config and --print-config: loads what a start would load, and starts nothing. */
static int
inspect(const struct server *s)
{
    struct generation g;
    struct buf problems, out;
    buf_init(&problems, PROBLEMS_MAX);
    buf_init(&out, 1 << 22);
    int rc =
        generation_load(&g, &s->source, &problems) == 0 ? CHILD_EXIT_CLEAN : CHILD_EXIT_NO_RESTART;
    put_out(&problems, stderr);
    if (s->options.job == JOB_PRINT_CONFIG) {
        /* Also when the key does not load: the print is what shows why. */
        struct config *c = g.config;
        if (c == NULL) {
            buf_clear(&problems);
            c = config_load(&s->source, &problems);
        }
        if (c != NULL)
            config_print(c, &out);
        if (c != g.config)
            config_free(c);
        if (put_out(&out, stdout) != 0)
            rc = CHILD_EXIT_FAILED;
    } else if (rc == CHILD_EXIT_CLEAN) {
        printf("the configuration is complete and valid\n");
    }
    generation_free(&g);
    buf_fini(&problems);
    buf_fini(&out);
    return rc;
}

/* ---- serving --------------------------------------------------------------------------------- */

/* Start-up problems go to standard error as well as people expect, one a line, all of them. */
static int
fail(const char *text, int code)
{
    fprintf(stderr, "error: %s\n", text);
    return code;
}

static unsigned
count_workers(const struct config *c)
{
    uint64_t n = c->server_workers;
    if (n == 0) {
        n = cpus_granted();
        n = n < WORKERS_MIN ? WORKERS_MIN : n;
    }
    return n < WORKERS_MAX ? (unsigned)n : WORKERS_MAX;
}

/* Connections need descriptors; the soft limit is a default of long ago. */
static void
raise_descriptor_limit(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur == r.rlim_max)
        return;
    r.rlim_cur = r.rlim_max;
    setrlimit(RLIMIT_NOFILE, &r);
}

static int
open_listeners(struct server *s, struct err *e)
{
    const struct config *c = s->now.config;
    struct listen_options endpoint = { c->server_host, (uint16_t)c->server_port, s->n_workers,
        "server.port (MCP_SERVER_PORT)" };
    struct listen_options metrics = { c->metrics_host, (uint16_t)c->metrics_port, 1,
        "metrics.port (METRICS_PORT)" };
    if (listen_open(&s->endpoint, &endpoint, e) != 0)
        return -1;
    if (c->metrics_enabled && listen_open(&s->metrics, &metrics, e) != 0)
        return -1;
    if (s->endpoint.skipped[0] != '\0')
        event(EVENT_DEBUG, "this machine lacks an address to listen on", "address",
            s->endpoint.skipped, NULL);
    return 0;
}

static int
make_segment(struct server *s, struct err *e)
{
    const struct config *c = s->now.config;
    s->segment = segment_create(2 * (s->n_workers + 1), e);
    if (s->segment == NULL)
        return -1;
    struct control *control = s->segment->control;
    atomic_store(&control->pool_max, (uint32_t)c->pool_max);
    atomic_store(&control->pool_queue, (uint32_t)c->pool_queue);
    atomic_store(&control->workers_configured, s->n_workers);
    return 0;
}

/* Everything before the first fork.  The exit code, or -1: go on. */
static int
prepare(struct server *s)
{
    struct err e = { "" };
    struct buf problems;
    unsigned n;
    buf_init(&problems, PROBLEMS_MAX);
    int rc = generation_load(&s->now, &s->source, &problems);
    put_out(&problems, stderr);
    buf_fini(&problems);
    demo_drop_files(s->demo);
    if (rc != 0)
        return CHILD_EXIT_NO_RESTART;
    if (server_open_log(s->now.config, &e) != 0)
        return fail(e.text, CHILD_EXIT_NO_RESTART);
    s->n_workers = count_workers(s->now.config);
    raise_descriptor_limit();
    const char *const *names = tool_names(&n);
    metrics_name_dim(METRIC_DIM_TOOL, names, n);
    if (http_client_global_init(&e) != 0 || make_segment(s, &e) != 0)
        return fail(e.text, CHILD_EXIT_FAILED);
    if (open_listeners(s, &e) != 0)
        return fail(e.text, CHILD_EXIT_NO_RESTART);
    if (pipe2(s->leash, O_CLOEXEC | O_NONBLOCK) != 0)
        return fail(strerror(errno), CHILD_EXIT_FAILED);
    return -1;
}

static void
hold_stop_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

static int
serve(struct server *s)
{
    struct err e = { "" };
    signal(SIGPIPE, SIG_IGN);
    if (s->options.job == JOB_DEMO) {
        hold_stop_signals(); /* from here on there is something to clean up */
        s->demo = demo_start(&s->source, &e);
        if (s->demo == NULL)
            return fail(e.text, CHILD_EXIT_FAILED);
    }
    int rc = prepare(s);
    if (rc < 0) {
        fflush(NULL); /* nothing buffered may be printed once per child */
        rc = supervise(s);
    }
    demo_stop(s->demo);
    listen_close(&s->endpoint);
    listen_close(&s->metrics);
    if (s->segment != NULL)
        segment_free(s->segment);
    generation_free(&s->now);
    return rc;
}

int
server_main(int argc, char **argv)
{
    struct server s = { .leash = { -1, -1 }, .supervisor = getpid() };
    struct err e = { "" };
    proctitle_init(argc, argv);
    if (options_parse(&s.options, argc, argv, &e) != 0) {
        fprintf(stderr, "snowflake-mcp: %s\n", e.text);
        return CHILD_EXIT_NO_RESTART;
    }
    s.source = (struct config_source){
        .yaml_file = s.options.config_file,
        .environ_ = environ,
        .files = true,
    };
    switch (s.options.job) {
    case JOB_VERSION:
        printf("snowflake-mcp %s\n", PACKAGE_VERSION);
        return CHILD_EXIT_CLEAN;
    case JOB_HELP:
        fputs(options_help, stdout);
        return CHILD_EXIT_CLEAN;
    case JOB_DUMP_DOCS:
        return dump_docs(s.options.document);
    case JOB_CHECK_CONFIG:
    case JOB_PRINT_CONFIG:
        return inspect(&s);
    case JOB_SERVE:
    case JOB_DEMO:
        break;
    }
    return serve(&s);
}
