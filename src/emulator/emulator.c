/* emulator.c - options and life of snowflake-emulator.
 *
 * The process's main thread: builds the parts, runs the loop, takes them down in reverse order. */
#include "emulator/emulator.h"

#include "config.h"
#include "emulator/api.h"
#include "log.h"
#include "must.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define WATCH_MS   250
#define KEEP_BYTES ((size_t)512 << 20)
#define KEEP_COUNT 10000
#define MAX_INPUTS 16

struct options {
    const char *address;
    uint16_t port;
    const char *port_file, *account, *init_file, *log_file;
    const char *database, *schema, *warehouse, *role;
    const char *users[MAX_INPUTS];
    struct {
        const char *user, *file;
    } keys[MAX_INPUTS];
    const char *pats[MAX_INPUTS], *oauths[MAX_INPUTS];
    size_t user_count, key_count, pat_count, oauth_count;
    double scale;
    uint64_t rows_per_partition, sync_limit_ms, result_ttl_s, threads, max_running, latency_ms;
    uint64_t parent_pid;
    bool exit_on_eof;
    char address_text[64];
};

struct emulator {
    struct options o;
    struct loop *loop;
    struct auth *auth;
    struct faults *faults;
    struct engine *engine;
    struct statements *statements;
    struct api *api;
    struct server *server;
    struct loop_timer *watch;
    struct loop_fd *eof;
};

static const char usage[] =
    "usage: snowflake-emulator [options]\n"
    "\n"
    "  --listen HOST:PORT        where to listen (127.0.0.1:0; port 0 takes a free one)\n"
    "  --port-file FILE          write the port there once ready\n"
    "  --account NAME            account in the JWT (demo)\n"
    "  --user LOGIN              a user (demo); may be repeated\n"
    "  --public-key FILE.pem     a key of the user named last, at most two each\n"
    "  --pat TOKEN               a programmatic access token of the first user\n"
    "  --oauth-token TOKEN       an OAuth token of the first user (also --oauth)\n"
    "  --database NAME           the users' default database (DEMO_DB; - for none)\n"
    "  --schema NAME             the users' default schema (PUBLIC; - for none)\n"
    "  --warehouse NAME          the users' default warehouse (COMPUTE_WH; - for none)\n"
    "  --role NAME               the users' default role (ANALYST)\n"
    "  --scale N                 size of the sample data (0.01)\n"
    "  --rows-per-partition N    rows of each partition (0: growing from 1,000 to 64,000)\n"
    "  --sync-limit-ms N         a synchronous request is answered 202 after this (45000)\n"
    "  --result-ttl-s N          how long results are kept (86400)\n"
    "  --latency-ms N            added to the run time of each statement (0)\n"
    "  --max-concurrency N       statements running at a time, others are queued (8)\n"
    "  --threads N               DuckDB threads (1)\n"
    "  --init FILE.sql           DuckDB SQL to run at start\n"
    "  --log FILE                write a line for each statement there\n"
    "  --parent-pid PID          leave when this process is gone\n"
    "  --exit-on-eof             leave when standard input is closed\n"
    "  --help, --version\n";

enum {
    OPT_LISTEN = 256,
    OPT_PORT_FILE,
    OPT_ACCOUNT,
    OPT_USER,
    OPT_PUBLIC_KEY,
    OPT_PAT,
    OPT_OAUTH,
    OPT_DATABASE,
    OPT_SCHEMA,
    OPT_WAREHOUSE,
    OPT_ROLE,
    OPT_SCALE,
    OPT_ROWS,
    OPT_SYNC,
    OPT_TTL,
    OPT_LATENCY,
    OPT_MAX,
    OPT_THREADS,
    OPT_INIT,
    OPT_LOG,
    OPT_PARENT,
    OPT_EOF,
    OPT_HELP,
    OPT_VERSION,
};

static const struct option long_options[] = {
    { "listen", required_argument, NULL, OPT_LISTEN },
    { "port-file", required_argument, NULL, OPT_PORT_FILE },
    { "account", required_argument, NULL, OPT_ACCOUNT },
    { "user", required_argument, NULL, OPT_USER },
    { "public-key", required_argument, NULL, OPT_PUBLIC_KEY },
    { "pat", required_argument, NULL, OPT_PAT },
    { "oauth", required_argument, NULL, OPT_OAUTH },
    { "oauth-token", required_argument, NULL, OPT_OAUTH },
    { "database", required_argument, NULL, OPT_DATABASE },
    { "schema", required_argument, NULL, OPT_SCHEMA },
    { "warehouse", required_argument, NULL, OPT_WAREHOUSE },
    { "role", required_argument, NULL, OPT_ROLE },
    { "scale", required_argument, NULL, OPT_SCALE },
    { "rows-per-partition", required_argument, NULL, OPT_ROWS },
    { "sync-limit-ms", required_argument, NULL, OPT_SYNC },
    { "result-ttl-s", required_argument, NULL, OPT_TTL },
    { "latency-ms", required_argument, NULL, OPT_LATENCY },
    { "max-concurrency", required_argument, NULL, OPT_MAX },
    { "threads", required_argument, NULL, OPT_THREADS },
    { "init", required_argument, NULL, OPT_INIT },
    { "log", required_argument, NULL, OPT_LOG },
    { "parent-pid", required_argument, NULL, OPT_PARENT },
    { "exit-on-eof", no_argument, NULL, OPT_EOF },
    { "help", no_argument, NULL, OPT_HELP },
    { "version", no_argument, NULL, OPT_VERSION },
    { 0 },
};

static int
complain(const char *option, const char *what)
{
    fprintf(stderr, "snowflake-emulator: --%s %s (--help lists the options)\n", option, what);
    return -1;
}

static int
read_number(const char *option, const char *text, uint64_t least, uint64_t most, uint64_t *n)
{
    if (str_to_u64(str_of(text), n) == 0 && *n >= least && *n <= most)
        return 0;
    fprintf(stderr, "snowflake-emulator: --%s wants a number from %llu to %llu, not '%s'\n", option,
        (unsigned long long)least, (unsigned long long)most, text);
    return -1;
}

static int
read_listen(struct options *o, const char *text)
{
    const char *colon = strrchr(text, ':');
    uint64_t port;

    if (!colon || str_to_u64(str_of(colon + 1), &port) != 0 || port > 65535 ||
        !str_copy(
            o->address_text, sizeof o->address_text, (struct str){ text, (size_t)(colon - text) }))
        return complain("listen", "wants HOST:PORT");
    o->address = o->address_text;
    o->port = (uint16_t)port;
    return 0;
}

static int
read_scale(struct options *o, const char *text)
{
    char *end;

    o->scale = strtod(text, &end);
    if (*end || end == text || !(o->scale > 0 && o->scale <= 10))
        return complain("scale", "wants a number above 0 and up to 10");
    return 0;
}

static int
add_input(const char *option, const char **list, size_t *count, const char *text)
{
    if (*count == MAX_INPUTS)
        return complain(option, "was given too often");
    list[(*count)++] = text;
    return 0;
}

static int
add_key(struct options *o, const char *file)
{
    if (o->key_count == MAX_INPUTS)
        return complain("public-key", "was given too often");
    o->keys[o->key_count].user = o->user_count > 0 ? o->users[o->user_count - 1] : NULL;
    o->keys[o->key_count++].file = file;
    return 0;
}

static const char *
name_or_none(const char *text)
{
    return strcmp(text, "-") == 0 ? NULL : text;
}

static int
take_option(struct options *o, int opt, const char *name)
{
    switch (opt) {
    case OPT_LISTEN:
        return read_listen(o, optarg);
    case OPT_PORT_FILE:
        o->port_file = optarg;
        return 0;
    case OPT_ACCOUNT:
        o->account = optarg;
        return 0;
    case OPT_USER:
        return add_input(name, o->users, &o->user_count, optarg);
    case OPT_PUBLIC_KEY:
        return add_key(o, optarg);
    case OPT_PAT:
        return add_input(name, o->pats, &o->pat_count, optarg);
    case OPT_OAUTH:
        return add_input(name, o->oauths, &o->oauth_count, optarg);
    case OPT_DATABASE:
        o->database = name_or_none(optarg);
        return 0;
    case OPT_SCHEMA:
        o->schema = name_or_none(optarg);
        return 0;
    case OPT_WAREHOUSE:
        o->warehouse = name_or_none(optarg);
        return 0;
    case OPT_ROLE:
        o->role = optarg;
        return 0;
    case OPT_SCALE:
        return read_scale(o, optarg);
    case OPT_ROWS:
        return read_number(name, optarg, 0, 10000000, &o->rows_per_partition);
    case OPT_SYNC:
        return read_number(name, optarg, 0, 86400000, &o->sync_limit_ms);
    case OPT_TTL:
        return read_number(name, optarg, 1, 31 * 86400, &o->result_ttl_s);
    case OPT_LATENCY:
        return read_number(name, optarg, 0, 3600000, &o->latency_ms);
    case OPT_MAX:
        return read_number(name, optarg, 1, 256, &o->max_running);
    case OPT_THREADS:
        return read_number(name, optarg, 1, 64, &o->threads);
    case OPT_INIT:
        o->init_file = optarg;
        return 0;
    case OPT_LOG:
        o->log_file = optarg;
        return 0;
    case OPT_PARENT:
        return read_number(name, optarg, 1, INT32_MAX, &o->parent_pid);
    case OPT_EOF:
        o->exit_on_eof = true;
        return 0;
    default:
        fputs("snowflake-emulator: --help lists the options\n", stderr);
        return -1;
    }
}

/* 0: go on; 1: --help or --version was answered; -1: wrong. */
static int
read_options(struct options *o, int argc, char **argv)
{
    int opt, index = 0;

    *o = (struct options){ .address = "127.0.0.1",
        .account = "demo",
        .database = "DEMO_DB",
        .schema = "PUBLIC",
        .warehouse = "COMPUTE_WH",
        .role = "ANALYST",
        .scale = 0.01,
        .sync_limit_ms = 45000,
        .result_ttl_s = 86400,
        .threads = 1,
        .max_running = 8 };
    while ((opt = getopt_long(argc, argv, "", long_options, &index)) != -1) {
        if (opt == OPT_HELP || opt == OPT_VERSION) {
            fputs(opt == OPT_HELP ? usage : "snowflake-emulator " PACKAGE_VERSION "\n", stdout);
            return 1;
        }
        if (take_option(o, opt, long_options[index].name) != 0)
            return -1;
    }
    if (optind < argc) {
        fprintf(
            stderr, "snowflake-emulator: what is '%s'? (--help lists the options)\n", argv[optind]);
        return -1;
    }
    if (o->user_count == 0)
        o->users[o->user_count++] = "demo";
    return 0;
}

static int
make_auth(struct emulator *em, struct err *e)
{
    const struct options *o = &em->o;

    em->auth = auth_new(o->account);
    if (!em->auth)
        return err_set(e, "no memory");
    for (size_t i = 0; i < o->user_count; i++)
        if (auth_add_user(em->auth, o->users[i], e) != 0)
            return -1;
    for (size_t i = 0; i < o->key_count; i++)
        if (auth_add_key(
                em->auth, o->keys[i].user ? o->keys[i].user : o->users[0], o->keys[i].file, e) != 0)
            return -1;
    for (size_t i = 0; i < o->pat_count; i++)
        if (auth_add_pat(em->auth, o->pats[i]) != 0)
            return err_set(e, "too many tokens");
    for (size_t i = 0; i < o->oauth_count; i++)
        if (auth_add_oauth(em->auth, o->oauths[i]) != 0)
            return err_set(e, "too many tokens");
    return 0;
}

static void
on_signal(void *arg, int signo)
{
    struct emulator *em = arg;

    (void)signo;
    loop_stop(em->loop);
}

static void
on_stdin(void *arg, unsigned events)
{
    struct emulator *em = arg;
    char piece[256];

    (void)events;
    if (read(STDIN_FILENO, piece, sizeof piece) <= 0)
        loop_stop(em->loop);
}

static void
on_watch(void *arg)
{
    struct emulator *em = arg;

    if (kill((pid_t)em->o.parent_pid, 0) != 0 && errno == ESRCH)
        loop_stop(em->loop);
    loop_timer_set(em->watch, WATCH_MS);
}

static int
watch_for_the_end(struct emulator *em, struct err *e)
{
    if (loop_on_signal(em->loop, SIGTERM, on_signal, em) != 0 ||
        loop_on_signal(em->loop, SIGINT, on_signal, em) != 0)
        return err_set(e, "no signal handlers");
    if (em->o.exit_on_eof) {
        em->eof = loop_fd_new(em->loop, STDIN_FILENO, LOOP_READ, on_stdin, em);
        if (!em->eof)
            return err_set(e, "standard input cannot be watched");
    }
    if (em->o.parent_pid > 0) {
        em->watch = loop_timer_new(em->loop, on_watch, em);
        if (!em->watch)
            return err_set(e, "no memory");
        loop_timer_set(em->watch, WATCH_MS);
    }
    return 0;
}

static int
make_engine(struct emulator *em, struct err *e)
{
    const struct engine_options o = {
        .loop = em->loop,
        .scale = em->o.scale,
        .duckdb_threads = (unsigned)em->o.threads,
        .max_running = (unsigned)em->o.max_running,
        .latency_ms = (unsigned)em->o.latency_ms,
        .rows_per_partition = em->o.rows_per_partition,
        .init_file = em->o.init_file,
    };
    const struct statements_options so = {
        .loop = em->loop,
        .ttl_s = em->o.result_ttl_s,
        .max_bytes = KEEP_BYTES,
        .max_count = KEEP_COUNT,
    };
    struct statements_options with_engine = so;

    em->engine = engine_new(&o, e);
    if (!em->engine)
        return -1;
    with_engine.engine = em->engine;
    em->statements = statements_new(&with_engine);
    em->faults = faults_new();
    return em->statements && em->faults ? 0 : err_set(e, "no memory");
}

static int
make_api(struct emulator *em, struct err *e)
{
    const struct api_options o = {
        .loop = em->loop,
        .auth = em->auth,
        .statements = em->statements,
        .faults = em->faults,
        .engine = em->engine,
        .sync_limit_ms = (unsigned)em->o.sync_limit_ms,
        .database = em->o.database,
        .schema = em->o.schema,
        .warehouse = em->o.warehouse,
        .role = em->o.role,
    };

    em->api = api_new(&o);
    if (!em->api)
        return err_set(e, "no memory");
    em->server = server_new(em->loop, em->o.address, em->o.port, api_handle, em->api, e);
    if (!em->server)
        return -1;
    api_set_server(em->api, em->server);
    return 0;
}

/* Under its final name only when complete, so that a reader never sees half a number. */
static int
write_port_file(const struct emulator *em, struct err *e)
{
    char temporary[4096];
    FILE *f;

    if (!em->o.port_file)
        return 0;
    snprintf(temporary, sizeof temporary, "%s.new", em->o.port_file);
    f = fopen(temporary, "we");
    if (!f)
        return err_set(e, "%s cannot be written: %s", temporary, strerror(errno));
    fprintf(f, "%u\n", server_port(em->server));
    if (fclose(f) != 0 || rename(temporary, em->o.port_file) != 0)
        return err_set(e, "%s cannot be written: %s", em->o.port_file, strerror(errno));
    return 0;
}

static int
open_log(const struct emulator *em, struct err *e)
{
    const struct log_options o = { .fd = STDERR_FILENO,
        .file = em->o.log_file,
        .level = em->o.log_file ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING,
        .timestamps = true };

    return log_open(&o, e);
}

static int
start(struct emulator *em, struct err *e)
{
    em->loop = loop_new();
    if (!em->loop)
        return err_set(e, "no event loop");
    if (open_log(em, e) != 0 || make_auth(em, e) != 0 || watch_for_the_end(em, e) != 0 ||
        make_engine(em, e) != 0 || make_api(em, e) != 0 || write_port_file(em, e) != 0)
        return -1;
    printf("snowflake-emulator: ready on %s:%u (account %s, user %s)\n", em->o.address,
        server_port(em->server), em->o.account, em->o.users[0]);
    fflush(stdout);
    return 0;
}

/* The engine goes first: nothing it could still report has a receiver afterwards. */
static void
stop(struct emulator *em)
{
    api_free(em->api);
    server_free(em->server);
    engine_free(em->engine);
    statements_free(em->statements);
    faults_free(em->faults);
    auth_free(em->auth);
    loop_fd_free(em->eof);
    loop_timer_free(em->watch);
    if (em->loop)
        loop_free(em->loop);
}

int
emulator_main(int argc, char **argv)
{
    struct emulator em = { 0 };
    struct err e;
    int rc = read_options(&em.o, argc, argv);

    if (rc != 0)
        return rc < 0 ? 2 : 0;
    signal(SIGPIPE, SIG_IGN);
    rc = start(&em, &e);
    if (rc == 0)
        loop_run(em.loop);
    else
        fprintf(stderr, "snowflake-emulator: %s\n", e.text);
    stop(&em);
    return rc == 0 ? 0 : 1;
}
