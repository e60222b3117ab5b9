/* supervisor.c - carries out what the child table decides: fork, signal, reap, sweep, say.
 *
 * The first process.  It survives whatever its children do: it never parses a byte that a client
 * sent, never waits for anything but signals and time, and never uses a number from shared memory
 * as an index or a length. */
#include "proc/supervisor.h"

#include "clock.h"
#include "log.h"
#include "must.h"
#include "proc/child.h"
#include "proc/demo.h"
#include "proc/metricsd.h"
#include "proc/reload.h"
#include "proc/worker.h"
#include "proctitle.h"
#include "state/events.h"
#include "state/lease.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    KILL_AFTER_MS = 1000,
    HURRY_MS = 3000,
    DRAIN_GRACE_MS = 5000, /* past drain_time a worker still cancels its statements at Snowflake */
    QUICK_MS = 1000,
    LOOP_MS = 10000,
    BACKOFF_FIRST_MS = 200,
    BACKOFF_MAX_MS = 5000,
    LOOP_DEATHS = 5,
    SWEEP_MS = 1000
};

struct supervisor {
    struct server *server;
    struct child_table *table;
    int signals;              /* signalfd */
    uint64_t live[SLOTS_MAX]; /* identity in each slot; private memory */
    uint32_t incarnations;
    bool served[SLOTS_MAX / 2]; /* by seat */
    bool announced, stopping, reloading;
    uint64_t swept_ms;
    int code;
};

/* ---- children -------------------------------------------------------------------------------- */

static void
number_text(char text[24], unsigned long long n)
{
    snprintf(text, 24, "%llu", n);
}

static void
seat_name(const struct supervisor *v, unsigned seat, char *text, size_t size)
{
    if (child_is_metrics(v->table, seat))
        snprintf(text, size, "metrics process");
    else
        snprintf(text, size, "worker %u", seat);
}

/* The slot as its new inhabitant finds it.  The identity stands there before the fork, so that
 * nobody takes a living process for dead. */
static void
assign(struct supervisor *v, unsigned seat, unsigned slot)
{
    struct slot *s = &v->server->segment->slots[slot];
    v->live[slot] = OWNER(slot, ++v->incarnations);
    memset(s->last_words, 0, sizeof s->last_words);
    atomic_store(&s->kind, child_is_metrics(v->table, seat) ? SLOT_METRICS : SLOT_WORKER);
    atomic_store(&s->number, seat);
    atomic_store(&s->heartbeat_ns, clock_ns());
    atomic_store(&s->state, SLOT_STARTING);
    atomic_store(&s->identity, v->live[slot]);
}

/* Its inhabitant was reaped: what it counted as "now" is over. */
static void
vacate(struct supervisor *v, unsigned slot)
{
    struct slot *s = &v->server->segment->slots[slot];
    v->live[slot] = 0;
    atomic_store(&s->identity, 0);
    atomic_store(&s->state, SLOT_FREE);
    atomic_store(&s->kind, SLOT_NONE);
    atomic_store(&s->pid, 0);
    atomic_store(&s->in_flight, 0);
    atomic_store(&s->upstream_idle, 0);
    atomic_store(&s->client_connections, 0);
    atomic_store(&s->rss_bytes, 0);
}

static void
spawn(struct supervisor *v, const struct child_action *a)
{
    char text[64];
    uint64_t now = clock_ms();
    assign(v, a->seat, a->slot);
    pid_t pid = fork();
    if (pid == 0) {
        close(v->signals);
        if (child_is_metrics(v->table, a->seat))
            metrics_main(v->server, a->slot, v->live[a->slot]);
        worker_main(v->server, a->seat, a->slot, v->live[a->slot], v->served[a->seat]);
    }
    if (pid < 0) {
        event(EVENT_ERROR, "cannot fork", "reason", strerror(errno), NULL);
        vacate(v, a->slot);
        child_spawn_failed(v->table, a->slot, now);
        return;
    }
    atomic_store(&v->server->segment->slots[a->slot].pid, (uint32_t)pid);
    child_spawned(v->table, a->slot, pid, now);
    number_text(text, (unsigned long long)pid);
    event(EVENT_DEBUG,
        child_is_metrics(v->table, a->seat) ? "metrics process started" : "worker started", "pid",
        text, NULL);
}

static unsigned
leases_of(const struct supervisor *v, uint64_t identity)
{
    unsigned n = 0;
    for (unsigned i = 0; i < LEASES_MAX; i++) {
        uint64_t owner = atomic_load(&v->server->segment->leases[i].owner);
        n += owner != 0 && OWNER_PROCESS(owner) == identity;
    }
    return n;
}

static void
put_cause(char *text, size_t size, const struct child_end *end, int status)
{
    if (!WIFSIGNALED(status)) {
        snprintf(text, size, "exited with status %d", WEXITSTATUS(status));
        return;
    }
    const char *remark = "";
    if (end->killed_by_us)
        remark = end->why == CHILD_WHY_HUNG ? " (its heartbeat had stopped)"
                                            : " (its time to leave was over)";
    else if (WTERMSIG(status) == SIGKILL)
        remark = " (possible out of memory)";
    snprintf(text, size, "killed by signal %d%s", WTERMSIG(status), remark);
}

/* One line for each death, with what the dead left behind. */
static void
obituary(struct supervisor *v, const struct child_end *end, pid_t pid, int status)
{
    char name[32], cause[96], text[192], held[24], lived[24], words[256];
    bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    seat_name(v, end->seat, name, sizeof name);
    put_cause(cause, sizeof cause, end, status);
    snprintf(text, sizeof text, "%s (pid %ld) %s", name, (long)pid, cause);
    number_text(held, leases_of(v, v->live[end->slot]));
    number_text(lived, end->lived_ms);
    memcpy(words, v->server->segment->slots[end->slot].last_words, sizeof words);
    words[sizeof words - 1] = '\0';
    if (end->expected && (clean || WTERMSIG(status) == SIGTERM))
        event(EVENT_DEBUG, text, "lived_ms", lived, NULL);
    else if (clean)
        event(EVENT_INFO, text, "lived_ms", lived, NULL);
    else if (words[0] != '\0')
        event(EVENT_ERROR, text, "lived_ms", lived, "slots_held", held, "last_words", words, NULL);
    else
        event(EVENT_ERROR, text, "lived_ms", lived, "slots_held", held, NULL);
}

static void
sweep(struct supervisor *v)
{
    lease_sweep(v->server->segment, v->live, child_slots(v->table));
    v->swept_ms = clock_ms();
}

static void
reap(struct supervisor *v)
{
    int status;
    pid_t pid;
    bool any = false;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        struct child_end end;
        if (v->server->demo != NULL && demo_exited(v->server->demo, pid)) {
            if (!v->stopping)
                event(EVENT_ERROR, "the emulator has ended: so does the demo", NULL);
            child_drain(v->table, CHILD_EXIT_FAILED, clock_ms());
            continue;
        }
        if (!child_exited(v->table, pid, status, clock_ms(), &end))
            continue;
        obituary(v, &end, pid, status);
        vacate(v, end.slot);
        any = true;
    }
    if (any)
        sweep(v);
}

/* ---- stop and reload ------------------------------------------------------------------------- */

/* From here on the metrics process answers for the endpoint (503, draining) while the workers
 * finish their calls; without one nobody would, so new clients are turned away at once. */
static void
say_draining(struct supervisor *v)
{
    v->stopping = true;
    atomic_store(&v->server->segment->control->draining, 1);
    for (unsigned i = 0; i < v->server->n_workers && v->server->metrics.fds == NULL; i++)
        listen_shut(&v->server->endpoint, i);
}

static void
stop(struct supervisor *v, const char *why, uint32_t sender)
{
    char from[24];
    uint64_t now = clock_ms();
    number_text(from, sender);
    if (v->stopping) {
        event(EVENT_INFO, "stopping at once", "signal", why, "from_pid", from, NULL);
        child_hurry(v->table, now);
        return;
    }
    say_draining(v);
    event(EVENT_INFO, "stopping", "signal", why, "from_pid", from, NULL);
    child_drain(v->table, CHILD_EXIT_CLEAN, now);
}

static void
reload(struct supervisor *v)
{
    const struct config *c;
    if (v->stopping)
        return;
    if (reload_generation(v->server) != 0)
        return;
    c = v->server->now.config;
    child_table_retune(v->table, c->server_heartbeat_limit_ms, c->server_drain_ms + DRAIN_GRACE_MS);
    child_replace(v->table, clock_ms());
    v->reloading = true;
}

static void
on_signal(struct supervisor *v, int signo, uint32_t sender)
{
    switch (signo) {
    case SIGTERM:
        stop(v, "TERM", sender);
        break;
    case SIGINT:
        stop(v, "INT", sender);
        break;
    case SIGHUP:
        if (v->server->demo != NULL) /* the terminal is gone, and a demo has nothing to reload */
            stop(v, "HUP", sender);
        else
            reload(v);
        break;
    default:
        break; /* CHLD: reap() looks at every turn anyway */
    }
}

/* ---- the loop -------------------------------------------------------------------------------- */

static void
look(struct supervisor *v)
{
    uint64_t now = clock_ms();
    for (unsigned i = 0; i < child_slots(v->table); i++) {
        const struct slot *s = &v->server->segment->slots[i];
        bool serving = atomic_load(&s->state) == SLOT_SERVING;
        if (child_pid(v->table, i) == 0)
            continue;
        child_look(v->table, i, atomic_load(&s->heartbeat_ns), serving, now);
        v->served[i / 2] |= serving;
    }
}

static void
announce(struct supervisor *v)
{
    struct server *s = v->server;
    char endpoint[128], metrics[128] = "-", workers[24];
    if (v->reloading && !child_replacing(v->table)) {
        v->reloading = false;
        event(EVENT_INFO, "reload finished", NULL);
    }
    if (v->announced || v->stopping || !child_all_serving(v->table))
        return;
    v->announced = true;
    snprintf(endpoint, sizeof endpoint, "http://%s/mcp", s->endpoint.shown);
    if (s->metrics.fds != NULL)
        snprintf(metrics, sizeof metrics, "http://%s/metrics", s->metrics.shown);
    number_text(workers, s->n_workers);
    event(EVENT_INFO, "ready", "endpoint", endpoint, "metrics", metrics, "workers", workers, NULL);
    if (s->demo != NULL)
        demo_greet(s->demo, s->endpoint.shown, s->metrics.fds != NULL ? s->metrics.shown : NULL);
}

static void
tell(struct supervisor *v, const struct child_action *a)
{
    char name[32], text[192], delay[24];
    seat_name(v, a->seat, name, sizeof name);
    switch (a->what) {
    case CHILD_TELL_LOOP:
        number_text(delay, a->delay_ms);
        snprintf(text, sizeof text, "%s keeps dying soon after its start (the lines above say why)",
            name);
        event(EVENT_ERROR, text, "next_try_ms", delay, NULL);
        break;
    case CHILD_TELL_GONE:
        snprintf(text, sizeof text,
            "%s cannot run with this configuration and is not started "
            "again before a reload",
            name);
        event(EVENT_ERROR, text, NULL);
        break;
    default:
        event(EVENT_ERROR, "no worker could be brought to serve: giving up", NULL);
        break;
    }
}

/* False: everything has ended. */
static bool
obey(struct supervisor *v)
{
    struct child_action a;
    while (child_next(v->table, clock_ms(), &a)) {
        switch (a.what) {
        case CHILD_SPAWN:
            spawn(v, &a);
            break;
        case CHILD_TERM:
            kill(a.pid, SIGTERM);
            break;
        case CHILD_KILL:
            kill(a.pid, SIGKILL);
            break;
        case CHILD_LEAVE:
            v->code = a.code;
            return false;
        default:
            tell(v, &a);
            break;
        }
    }
    /* The table itself may have decided to stop (no worker can run). */
    if (child_draining(v->table) && !v->stopping)
        say_draining(v);
    return true;
}

static void
wait_for_signals(struct supervisor *v)
{
    struct signalfd_siginfo info;
    struct pollfd p = { .fd = v->signals, .events = POLLIN };
    uint64_t now = clock_ms(), ms = child_wait_ms(v->table, now);
    if (v->swept_ms + SWEEP_MS > now && v->swept_ms + SWEEP_MS - now < ms)
        ms = v->swept_ms + SWEEP_MS - now;
    if (poll(&p, 1, (int)ms) <= 0)
        return;
    while (read(v->signals, &info, sizeof info) == (ssize_t)sizeof info)
        on_signal(v, (int)info.ssi_signo, info.ssi_pid);
}

static int
open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    signal(SIGCHLD, SIG_DFL); /* "ignored" may have been inherited, and would reap for us */
    sigprocmask(SIG_SETMASK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int
supervise(struct server *s)
{
    const struct config *c = s->now.config;
    struct child_policy policy = {
        .n_workers = s->n_workers,
        .metrics = s->metrics.fds != NULL,
        .heartbeat_limit_ms = c->server_heartbeat_limit_ms,
        .drain_ms = c->server_drain_ms + DRAIN_GRACE_MS,
        .hurry_ms = HURRY_MS,
        .kill_after_ms = KILL_AFTER_MS,
        .quick_ms = QUICK_MS,
        .loop_ms = LOOP_MS,
        .backoff_first_ms = BACKOFF_FIRST_MS,
        .backoff_max_ms = BACKOFF_MAX_MS,
        .loop_deaths = LOOP_DEATHS,
    };
    struct supervisor v = { .server = s, .signals = open_signals() };
    v.table = child_table_new(&policy);
    if (v.signals < 0 || v.table == NULL) {
        event(EVENT_ERROR, "cannot start", "reason", strerror(errno), NULL);
        child_table_free(v.table);
        return CHILD_EXIT_FAILED;
    }
    proctitle_set("snowflake-mcp: supervisor");
    while (obey(&v)) {
        wait_for_signals(&v);
        reap(&v);
        look(&v);
        announce(&v);
        if (clock_ms() - v.swept_ms >= SWEEP_MS)
            sweep(&v);
    }
    event(EVENT_INFO, "stopped", NULL);
    close(v.signals);
    child_table_free(v.table);
    return v.code;
}
