/* engine.c - the threads that run statements on DuckDB.
 *
 * The event loop hands over jobs, the threads translate, run and render them, an eventfd brings
 * them back.  Must never touch an HTTP object or the statement table. */
#include "emulator/engine.h"

#include "clock.h"
#include "emulator/catalog.h"
#include "emulator/functions_c.h"
#include "emulator/probes.h"
#include "emulator/run.h"
#include "emulator/sample.h"
#include "must.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define METADATA_THREADS 4  /* beyond max_running: SHOW and the like always find one */
#define NUDGE_MS         20 /* an interrupt that came too early is repeated */

struct engine {
    struct engine_options o;
    duckdb_database db;
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct engine_job *first, *last; /* in line */
    struct engine_job *ended;        /* to be told of in the loop */
    struct engine_job **running;     /* one place per thread; NULL: idle */
    duckdb_connection *connections;  /* of the running jobs; NULL: not executing */
    pthread_t *threads;
    unsigned thread_count, active; /* active: running jobs that need a warehouse */
    unsigned peak;
    bool quit;
    int event_fd;
    struct loop_fd *watch;
    struct loop_timer *nudge;
};

struct worker {
    struct engine *en;
    unsigned index;
};

/* Words that need no warehouse; decided before translation, so a quick look is enough. */
static bool
is_metadata(const char *sql)
{
    static const char *const words[] = { "show", "desc", "describe", "list", "call" };
    struct str s = str_of(sql);

    while (s.n && strchr(" \t\r\n(", s.p[0]))
        s = str_from(s, 1);
    for (size_t i = 0; i < NELEM(words); i++) {
        size_t n = strlen(words[i]);
        if (s.n > n && str_eq_nocase((struct str){ s.p, n }, str_of(words[i])) &&
            strchr(" \t\r\n", s.p[n]))
            return true;
    }
    return false;
}

/* With the lock: the first job that may run now, taken out of the line; NULL: none. */
static struct engine_job *
next_job(struct engine *en)
{
    struct engine_job **at = &en->first, *prev = NULL;

    for (; *at; prev = *at, at = &(*at)->next) {
        struct engine_job *j = *at;
        if (j->needs_warehouse && en->active >= en->o.max_running)
            continue;
        *at = j->next;
        if (en->last == j)
            en->last = prev;
        j->next = NULL;
        return j;
    }
    return NULL;
}

/* With the lock. */
static void
end_job(struct engine *en, struct engine_job *j)
{
    uint64_t one = 1;

    atomic_store(&j->state, ENGINE_ENDED);
    j->next = en->ended;
    en->ended = j;
    if (write(en->event_fd, &one, sizeof one) < 0)
        must(errno == EAGAIN); /* the counter is full: the loop is awake anyway */
}

static void
wait_latency(const struct engine *en, const struct engine_job *j)
{
    uint64_t until = clock_ms() + en->o.latency_ms;

    while (clock_ms() < until && atomic_load(&j->stop) == ENGINE_RUNS)
        nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
}

static void
settle(struct engine_job *j)
{
    int stop = atomic_load(&j->stop);

    if (j->failure.code[0] == '\0' && j->result)
        return;
    result_free(j->result);
    j->result = NULL;
    if (stop != ENGINE_RUNS)
        failure_set(&j->failure, stop == ENGINE_CANCELED ? "000604" : "000630", "57014",
            "SQL execution canceled");
    else if (j->failure.code[0] == '\0')
        failure_set(&j->failure, "000603", "XX000", "SQL execution internal error: no memory");
}

static void
run_job(struct engine *en, unsigned index, struct engine_job *j)
{
    duckdb_connection con = NULL;

    if (en->o.latency_ms > 0)
        wait_latency(en, j);
    if (duckdb_connect(en->db, &con) == DuckDBSuccess) {
        pthread_mutex_lock(&en->lock);
        en->connections[index] = con;
        pthread_mutex_unlock(&en->lock);
        run_statement(con, j, en->o.rows_per_partition);
        pthread_mutex_lock(&en->lock);
        en->connections[index] = NULL;
        pthread_mutex_unlock(&en->lock);
        duckdb_disconnect(&con);
    }
    settle(j);
}

/* Statements that use a warehouse and were not told to stop: once a cancel was answered, its
 * statement has ended for everyone outside, though a thread may need a moment more. */
static unsigned
count_active(const struct engine *en)
{
    unsigned n = 0;

    for (unsigned i = 0; i < en->thread_count; i++) {
        const struct engine_job *j = en->running[i];
        n += j && j->needs_warehouse && atomic_load(&j->stop) == ENGINE_RUNS;
    }
    return n;
}

static void
note_peak(struct engine *en)
{
    unsigned now = count_active(en);

    if (now > en->peak)
        en->peak = now;
}

static void *
worker_main(void *arg)
{
    struct worker w = *(struct worker *)arg;
    struct engine *en = w.en;

    free(arg);
    pthread_mutex_lock(&en->lock);
    while (!en->quit) {
        struct engine_job *j = next_job(en);
        if (!j) {
            pthread_cond_wait(&en->work, &en->lock);
            continue;
        }
        en->running[w.index] = j;
        en->active += j->needs_warehouse;
        note_peak(en);
        atomic_store(&j->started_ms, clock_wall_ms());
        atomic_store(&j->state, ENGINE_RUNNING);
        pthread_mutex_unlock(&en->lock);
        run_job(en, w.index, j);
        pthread_mutex_lock(&en->lock);
        en->running[w.index] = NULL;
        en->active -= j->needs_warehouse;
        end_job(en, j);
        pthread_cond_broadcast(&en->work);
    }
    pthread_mutex_unlock(&en->lock);
    return NULL;
}

static void
on_ended(void *arg, unsigned events)
{
    struct engine *en = arg;
    struct engine_job *list, *in_order = NULL;
    uint64_t count;

    (void)events;
    if (read(en->event_fd, &count, sizeof count) < 0)
        must(errno == EAGAIN);
    pthread_mutex_lock(&en->lock);
    list = en->ended;
    en->ended = NULL;
    pthread_mutex_unlock(&en->lock);
    while (list) {
        struct engine_job *next = list->next;
        list->next = in_order;
        in_order = list;
        list = next;
    }
    while (in_order) {
        struct engine_job *next = in_order->next;
        in_order->next = NULL;
        in_order->done(in_order);
        in_order = next;
    }
}

/* DuckDB forgets an interrupt that arrives before the query has begun. */
static void
on_nudge(void *arg)
{
    struct engine *en = arg;
    bool again = false;

    pthread_mutex_lock(&en->lock);
    for (unsigned i = 0; i < en->thread_count; i++) {
        if (!en->running[i] || atomic_load(&en->running[i]->stop) == ENGINE_RUNS)
            continue;
        again = true;
        if (en->connections[i])
            duckdb_interrupt(en->connections[i]);
    }
    pthread_mutex_unlock(&en->lock);
    if (again)
        loop_timer_set(en->nudge, NUDGE_MS);
}

static int
open_database(struct engine *en, struct err *e)
{
    duckdb_config config;
    char threads[16], *why = NULL;
    int rc = 0;

    if (duckdb_create_config(&config) != DuckDBSuccess)
        return err_set(e, "DuckDB gives no configuration");
    snprintf(threads, sizeof threads, "%u", en->o.duckdb_threads);
    duckdb_set_config(config, "autoinstall_known_extensions", "false");
    duckdb_set_config(config, "autoload_known_extensions", "false");
    duckdb_set_config(config, "threads", threads);
    if (duckdb_open_ext(NULL, &en->db, config, &why) != DuckDBSuccess)
        rc = err_set(e, "DuckDB does not open: %s", why ? why : "no reason given");
    duckdb_free(why);
    duckdb_destroy_config(&config);
    return rc;
}

static int
run_init_file(duckdb_connection con, const char *path, struct err *e)
{
    FILE *f = fopen(path, "re");
    struct buf text;
    char piece[4096];
    size_t n;

    if (!f)
        return err_set(e, "%s cannot be opened", path);
    buf_init(&text, 16u << 20);
    while ((n = fread(piece, 1, sizeof piece, f)) > 0)
        buf_put(&text, piece, n);
    fclose(f);
    int rc = catalog_run(con, buf_text(&text), e);
    buf_fini(&text);
    return rc;
}

static int
fill_database(struct engine *en, struct err *e)
{
    duckdb_connection con;

    if (duckdb_connect(en->db, &con) != DuckDBSuccess)
        return err_set(e, "DuckDB gives no connection");
    int rc = functions_c_register(con, e);
    if (rc == 0)
        rc = probes_register(con, e);
    if (rc == 0)
        rc = catalog_create(con, e);
    if (rc == 0)
        rc = sample_create(con, en->o.scale, e);
    if (rc == 0 && en->o.init_file)
        rc = run_init_file(con, en->o.init_file, e);
    if (rc == 0)
        rc = catalog_lock_down(con, e);
    duckdb_disconnect(&con);
    return rc;
}

static int
start_threads(struct engine *en, struct err *e)
{
    unsigned n = en->o.max_running + METADATA_THREADS;

    en->threads = calloc(n, sizeof *en->threads);
    en->running = calloc(n, sizeof(struct engine_job *));
    en->connections = calloc(n, sizeof *en->connections);
    if (!en->threads || !en->running || !en->connections)
        return err_set(e, "no memory");
    for (unsigned i = 0; i < n; i++) {
        struct worker *w = malloc(sizeof *w);
        if (!w)
            return err_set(e, "no memory");
        *w = (struct worker){ en, i };
        if (pthread_create(&en->threads[i], NULL, worker_main, w) != 0) {
            free(w);
            return err_set(e, "no more threads");
        }
        en->thread_count++;
    }
    return 0;
}

struct engine *
engine_new(const struct engine_options *o, struct err *e)
{
    struct engine *en = calloc(1, sizeof *en);

    if (!en) {
        err_set(e, "no memory");
        return NULL;
    }
    en->o = *o;
    pthread_mutex_init(&en->lock, NULL);
    pthread_cond_init(&en->work, NULL);
    en->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (en->event_fd < 0) {
        err_set(e, "no eventfd: %s", strerror(errno));
        engine_free(en);
        return NULL;
    }
    en->watch = loop_fd_new(o->loop, en->event_fd, LOOP_READ, on_ended, en);
    en->nudge = loop_timer_new(o->loop, on_nudge, en);
    if (open_database(en, e) != 0 || fill_database(en, e) != 0 || start_threads(en, e) != 0) {
        engine_free(en);
        return NULL;
    }
    return en;
}

void
engine_free(struct engine *en)
{
    if (!en)
        return;
    pthread_mutex_lock(&en->lock);
    en->quit = true;
    for (unsigned i = 0; i < en->thread_count; i++)
        if (en->running[i])
            atomic_store(&en->running[i]->stop, ENGINE_CANCELED);
    pthread_cond_broadcast(&en->work);
    pthread_mutex_unlock(&en->lock);
    for (unsigned i = 0; i < en->thread_count; i++) {
        struct timespec until;
        do {
            on_nudge(en);
            clock_gettime(CLOCK_REALTIME, &until);
            until.tv_nsec += NUDGE_MS * 1000000L;
            until.tv_sec += until.tv_nsec / 1000000000L;
            until.tv_nsec %= 1000000000L;
        } while (pthread_timedjoin_np(en->threads[i], NULL, &until) != 0);
    }
    if (en->db)
        duckdb_close(&en->db);
    loop_fd_free(en->watch);
    loop_timer_free(en->nudge);
    if (en->event_fd >= 0)
        close(en->event_fd);
    free(en->threads);
    free(en->running);
    free(en->connections);
    pthread_cond_destroy(&en->work);
    pthread_mutex_destroy(&en->lock);
    free(en);
}

void
engine_start(struct engine *en, struct engine_job *j)
{
    atomic_store(&j->state, ENGINE_QUEUED);
    j->needs_warehouse = !is_metadata(j->sql);
    j->next = NULL;
    pthread_mutex_lock(&en->lock);
    if (en->first)
        en->last->next = j;
    else
        en->first = j;
    en->last = j;
    pthread_cond_signal(&en->work);
    pthread_mutex_unlock(&en->lock);
}

void
engine_stop_job(struct engine *en, struct engine_job *job, enum engine_stop why)
{
    int none = ENGINE_RUNS;
    struct engine_job **at, *prev = NULL;

    pthread_mutex_lock(&en->lock);
    if (atomic_load(&job->state) != ENGINE_ENDED)
        atomic_compare_exchange_strong(&job->stop, &none, (int)why);
    for (at = &en->first; *at; prev = *at, at = &(*at)->next) {
        if (*at != job)
            continue;
        *at = job->next;
        if (en->last == job)
            en->last = prev;
        settle(job);
        end_job(en, job);
        break;
    }
    pthread_mutex_unlock(&en->lock);
    on_nudge(en);
}

void
engine_count(struct engine *en, struct engine_counts *c)
{
    *c = (struct engine_counts){ 0 };
    pthread_mutex_lock(&en->lock);
    for (unsigned i = 0; i < en->thread_count; i++)
        c->running += en->running[i] != NULL;
    for (const struct engine_job *j = en->first; j; j = j->next)
        c->queued++;
    c->peak_running = en->peak;
    pthread_mutex_unlock(&en->lock);
}

void
engine_reset_peak(struct engine *en)
{
    pthread_mutex_lock(&en->lock);
    en->peak = count_active(en);
    pthread_mutex_unlock(&en->lock);
}
