/* metrics.c - the blocks of counters and their text form, both made from metrics.def.
 *
 * Counting: every process of ours, each in its own block.  Writing: the metrics child.  Counting
 * must never lock, allocate or fail. */
#include "state/metrics.h"

#include "must.h"
#include "state/segment.h"

#include <math.h>

const double metric_bounds[METRIC_BUCKETS - 1] = { 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30,
    60, 120, 300 };
static const char *const bound_text[METRIC_BUCKETS] = { "0.01", "0.02", "0.05", "0.1", "0.2", "0.5",
    "1", "2", "5", "10", "30", "60", "120", "300", "+Inf" };

/* Writer: the process in the slot.  Readers: the metrics child and ctl.  After a SIGKILL each word
 * is whole; a histogram may lack the sum of its last observation. */
struct histogram {
    _Atomic uint64_t buckets[METRIC_BUCKETS]; /* not cumulative */
    _Atomic uint64_t sum_ns;
};

struct metrics_block {
    _Alignas(CACHE_LINE) _Atomic uint64_t first[1]; /* so that the struct is never empty */
#define DIM(sym, label, size)
#define COUNTER(sym, name, a, b, help) _Atomic uint64_t sym[METRIC_SIZE_##a * METRIC_SIZE_##b];
#define HISTOGRAM(sym, name, a, help)  struct histogram sym[METRIC_SIZE_##a];
#define GAUGE(sym, name, help)
#include "state/metrics.def"
#undef DIM
#undef COUNTER
#undef HISTOGRAM
#undef GAUGE
};
const size_t metrics_block_bytes = sizeof(struct metrics_block);

static const struct counter_info {
    const char *name, *help;
    enum metric_dim a, b;
    size_t offset;
} counters[] = {
#define DIM(sym, label, size)
#define COUNTER(sym, name, a, b, help)                                                             \
    { name, help, METRIC_DIM_##a, METRIC_DIM_##b, offsetof(struct metrics_block, sym) },
#define HISTOGRAM(sym, name, a, help)
#define GAUGE(sym, name, help)
#include "state/metrics.def"
#undef COUNTER
#undef HISTOGRAM
};

static const struct histogram_info {
    const char *name, *help;
    enum metric_dim a;
    size_t offset;
} histograms[] = {
#define COUNTER(sym, name, a, b, help)
#define HISTOGRAM(sym, name, a, help)                                                              \
    { name, help, METRIC_DIM_##a, offsetof(struct metrics_block, sym) },
#include "state/metrics.def"
#undef HISTOGRAM
#undef GAUGE
};

static const struct gauge_info {
    const char *name, *help;
} gauge_infos[] = {
#define HISTOGRAM(sym, name, a, help)
#define GAUGE(sym, name, help) { name, help },
#include "state/metrics.def"
#undef DIM
#undef HISTOGRAM
#undef GAUGE
};

static const struct {
    const char *label;
    unsigned size;
} dims[METRIC_DIM__COUNT] = {
#define DIM(sym, label, size) { label, METRIC_SIZE_##sym },
#define HISTOGRAM(sym, name, a, help)
#define GAUGE(sym, name, help)
#include "state/metrics.def"
#undef DIM
#undef COUNTER
#undef HISTOGRAM
#undef GAUGE
};

static const int statuses[] = { 200, 400, 401, 403, 404, 413, 429, 499, 500, 502, 503, 504 };
static const char *const status_names[] = { "200", "400", "401", "403", "404", "413", "429", "499",
    "500", "502", "503", "504", "other" };
_Static_assert(NELEM(status_names) == NELEM(statuses) + 1, "one name per status, and other");
_Static_assert(NELEM(status_names) <= METRIC_SIZE_STATUS, "the statuses fit");
static const char *const class_names[] = {
#define RC(sym, status, http, rpc, cls, retry, text) cls,
#include "state/rc.def"
#undef RC
};
static const char *const result_names[] = { "ok", "sql_error", "timeout", "cancelled", "auth",
    "throttled", "failed" };
_Static_assert(NELEM(result_names) == RESULT_FAILED + 1, "one name per result");
static const char *const statement_names[] = { "select", "show", "describe", "explain", "other" };
_Static_assert(NELEM(statement_names) == STATEMENT_OTHER + 1, "one name per statement");
static const char *const scope_names[] = { "client", "tool", "global" };
_Static_assert(NELEM(scope_names) == SCOPE_GLOBAL + 1, "one name per scope");
static const char *const reason_names[] = { "malformed", "too_large", "host", "origin", "method",
    "path", "media_type", "accept", "timeout", "connections", "auth" };
_Static_assert(NELEM(reason_names) == REASON_AUTH + 1, "one name per reason");
static const char *const no_names[] = { "other" };

static struct {
    const char *const *names;
    unsigned count;
} names_of[METRIC_DIM__COUNT] = {
    [METRIC_DIM_NONE] = { no_names, 1 },
    [METRIC_DIM_STATUS] = { status_names, NELEM(status_names) },
    [METRIC_DIM_TOOL] = { no_names, 1 },
    [METRIC_DIM_CLASS] = { class_names, NELEM(class_names) },
    [METRIC_DIM_RESULT] = { result_names, NELEM(result_names) },
    [METRIC_DIM_STATEMENT] = { statement_names, NELEM(statement_names) },
    [METRIC_DIM_SCOPE] = { scope_names, NELEM(scope_names) },
    [METRIC_DIM_REASON] = { reason_names, NELEM(reason_names) },
};

static struct metrics_block *own;

void
metrics_name_dim(enum metric_dim dim, const char *const *names, unsigned count)
{
    must(dim < METRIC_DIM__COUNT && count > 0 && count <= dims[dim].size);
    names_of[dim].names = names;
    names_of[dim].count = count;
}

void
metrics_use(struct metrics_block *mine)
{
    own = mine;
}

struct metrics_block *
metrics_block_of(const struct segment *s, uint32_t slot)
{
    must(slot <= s->n_slots);
    return s->metrics + slot;
}

static unsigned
bounded(enum metric_dim dim, unsigned i)
{
    return i < names_of[dim].count ? i : names_of[dim].count - 1;
}

static _Atomic uint64_t *
counter_at(const struct metrics_block *b, enum metric_counter c, unsigned i, unsigned j)
{
    const _Atomic uint64_t *cells = (const void *)((const char *)b + counters[c].offset);

    return (_Atomic uint64_t *)(uintptr_t)(cells + (size_t)i * dims[counters[c].b].size + j);
}

static struct histogram *
histogram_at(const struct metrics_block *b, enum metric_histogram h, unsigned i)
{
    const struct histogram *cells = (const void *)((const char *)b + histograms[h].offset);

    return (struct histogram *)(uintptr_t)(cells + i);
}

static void
add(_Atomic uint64_t *cell, uint64_t n)
{
    /* One writer: no need for a locked instruction. */
    atomic_store_explicit(
        cell, atomic_load_explicit(cell, memory_order_relaxed) + n, memory_order_relaxed);
}

void
metrics_count(enum metric_counter c, unsigned a, unsigned b, uint64_t n)
{
    must(c < METRIC_COUNTER__COUNT);
    if (own)
        add(counter_at(own, c, bounded(counters[c].a, a), bounded(counters[c].b, b)), n);
}

void
metrics_observe(enum metric_histogram h, unsigned a, uint64_t duration_ns)
{
    must(h < METRIC_HISTOGRAM__COUNT);
    if (!own)
        return;
    struct histogram *cell = histogram_at(own, h, bounded(histograms[h].a, a));
    double seconds = (double)duration_ns / 1e9;
    unsigned i = 0;

    while (i < METRIC_BUCKETS - 1 && seconds > metric_bounds[i])
        i++;
    add(&cell->buckets[i], 1);
    add(&cell->sum_ns, duration_ns);
}

unsigned
metrics_status(int status)
{
    unsigned i = 0;

    while (i < NELEM(statuses) && statuses[i] != status)
        i++;
    return i;
}

static uint64_t
counter_sum(const struct segment *s, enum metric_counter c, unsigned i, unsigned j)
{
    uint64_t n = 0;

    for (uint32_t slot = 0; slot <= s->n_slots; slot++)
        n += atomic_load_explicit(
            counter_at(metrics_block_of(s, slot), c, i, j), memory_order_relaxed);
    return n;
}

uint64_t
metrics_total(const struct segment *s, enum metric_counter c)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < names_of[counters[c].a].count; i++)
        for (unsigned j = 0; j < names_of[counters[c].b].count; j++)
            n += counter_sum(s, c, i, j);
    return n;
}

/* Text exposition ------------------------------------------------------------------------------ */

static void
put_comments(struct buf *out, const char *name, const char *help, const char *type)
{
    buf_put_z(out, "# HELP ");
    buf_put_z(out, name);
    buf_put_c(out, ' ');
    for (const char *p = help; *p; p++) {
        if (*p == '\\' || *p == '\n')
            buf_put_z(out, *p == '\n' ? "\\n" : "\\\\");
        else
            buf_put_c(out, *p);
    }
    buf_printf(out, "\n# TYPE %s %s\n", name, type);
}

/* name="value", with the comma or brace before it. */
static void
put_label(struct buf *out, char before, const char *name, const char *value)
{
    buf_put_c(out, before);
    buf_put_z(out, name);
    buf_put_z(out, "=\"");
    for (const char *p = value; *p; p++) {
        if (*p == '\\' || *p == '"')
            buf_put_c(out, '\\');
        if (*p == '\n')
            buf_put_z(out, "\\n");
        else /* R3: blanks would shift the columns of awk */
            buf_put_c(out, *p == ' ' || *p == '\t' ? '_' : *p);
    }
    buf_put_c(out, '"');
}

/* The first index with the same name: two outcomes may share a class, and a label set must not
 * appear twice. */
static unsigned
first_alike(enum metric_dim dim, unsigned i)
{
    for (unsigned j = 0; j < i; j++)
        if (strcmp(names_of[dim].names[i], names_of[dim].names[j]) == 0)
            return j;
    return i;
}

static uint64_t
counter_alike_sum(const struct segment *s, enum metric_counter c, unsigned i, unsigned j)
{
    enum metric_dim a = counters[c].a, b = counters[c].b;
    uint64_t n = 0;

    for (unsigned x = i; x < names_of[a].count; x++) {
        if (first_alike(a, x) != i)
            continue;
        for (unsigned y = j; y < names_of[b].count; y++)
            if (first_alike(b, y) == j)
                n += counter_sum(s, c, x, y);
    }
    return n;
}

static void
put_counter_line(struct buf *out, enum metric_counter c, unsigned i, unsigned j, uint64_t n)
{
    enum metric_dim a = counters[c].a, b = counters[c].b;
    char before = '{';

    buf_put_z(out, counters[c].name);
    if (a != METRIC_DIM_NONE) {
        put_label(out, before, dims[a].label, names_of[a].names[i]);
        before = ',';
    }
    if (b != METRIC_DIM_NONE) {
        put_label(out, before, dims[b].label, names_of[b].names[j]);
        before = ',';
    }
    if (before == ',')
        buf_put_c(out, '}');
    buf_put_c(out, ' ');
    buf_put_u64(out, n);
    buf_put_c(out, '\n');
}

static void
put_counter(const struct segment *s, enum metric_counter c, bool comments, struct buf *out)
{
    enum metric_dim a = counters[c].a, b = counters[c].b;
    bool any = false;

    if (comments)
        put_comments(out, counters[c].name, counters[c].help, "counter");
    for (unsigned i = 0; i < names_of[a].count; i++) {
        for (unsigned j = 0; j < names_of[b].count; j++) {
            if (first_alike(a, i) != i || first_alike(b, j) != j)
                continue;
            uint64_t n = counter_alike_sum(s, c, i, j);
            if (n > 0)
                put_counter_line(out, c, i, j, n);
            any |= n > 0;
        }
    }
    if (!any)
        put_counter_line(out, c, 0, 0, 0);
}

struct histogram_sums {
    uint64_t buckets[METRIC_BUCKETS];
    uint64_t sum_ns, count;
};

static void
sum_histogram(
    const struct segment *s, enum metric_histogram h, unsigned i, struct histogram_sums *sums)
{
    *sums = (struct histogram_sums){ .count = 0 };
    for (uint32_t slot = 0; slot <= s->n_slots; slot++) {
        const struct histogram *cell = histogram_at(metrics_block_of(s, slot), h, i);
        for (unsigned k = 0; k < METRIC_BUCKETS; k++)
            sums->buckets[k] += atomic_load_explicit(&cell->buckets[k], memory_order_relaxed);
        sums->sum_ns += atomic_load_explicit(&cell->sum_ns, memory_order_relaxed);
    }
    /* _count is the sum of the buckets just read, so that it always agrees with them. */
    for (unsigned k = 0; k < METRIC_BUCKETS; k++)
        sums->count += sums->buckets[k];
}

static void
put_histogram_lines(
    struct buf *out, enum metric_histogram h, unsigned i, const struct histogram_sums *sums)
{
    const char *name = histograms[h].name;
    enum metric_dim a = histograms[h].a;
    uint64_t running = 0;

    for (unsigned k = 0; k < METRIC_BUCKETS; k++) {
        running += sums->buckets[k];
        buf_printf(out, "%s_bucket", name);
        if (a != METRIC_DIM_NONE)
            put_label(out, '{', dims[a].label, names_of[a].names[i]);
        put_label(out, a == METRIC_DIM_NONE ? '{' : ',', "le", bound_text[k]);
        buf_put_z(out, "} ");
        buf_put_u64(out, running);
        buf_put_c(out, '\n');
    }
    for (unsigned k = 0; k < 2; k++) {
        buf_printf(out, "%s_%s", name, k == 0 ? "sum" : "count");
        if (a != METRIC_DIM_NONE) {
            put_label(out, '{', dims[a].label, names_of[a].names[i]);
            buf_put_c(out, '}');
        }
        if (k == 0)
            buf_printf(out, " %llu.%09llu\n", (unsigned long long)(sums->sum_ns / 1000000000u),
                (unsigned long long)(sums->sum_ns % 1000000000u));
        else
            buf_printf(out, " %llu\n", (unsigned long long)sums->count);
    }
}

static void
put_histogram(const struct segment *s, enum metric_histogram h, bool comments, struct buf *out)
{
    struct histogram_sums sums;
    bool any = false;

    if (comments)
        put_comments(out, histograms[h].name, histograms[h].help, "histogram");
    for (unsigned i = 0; i < names_of[histograms[h].a].count; i++) {
        sum_histogram(s, h, i, &sums);
        if (sums.count > 0)
            put_histogram_lines(out, h, i, &sums);
        any |= sums.count > 0;
    }
    if (!any) {
        sum_histogram(s, h, 0, &sums);
        put_histogram_lines(out, h, 0, &sums);
    }
}

static void
put_gauge(enum metric_gauge g, double v, bool comments, struct buf *out)
{
    if (comments) {
        /* The counter among the derived values; the names that end in _total are gauges (R2). */
        put_comments(
            out, gauge_infos[g].name, gauge_infos[g].help, g == METRIC_CPU ? "counter" : "gauge");
    }
    if (!isfinite(v))
        v = 0;
    if (fabs(v) < 1e15 && v == (double)(int64_t)v)
        buf_printf(out, "%s %.0f\n", gauge_infos[g].name, v);
    else
        buf_printf(out, "%s %.9g\n", gauge_infos[g].name, v);
}

void
metrics_write(const struct segment *s, const double gauges[METRIC_GAUGE__COUNT], bool comments,
    struct buf *out)
{
    for (unsigned g = 0; g < METRIC_GAUGE__COUNT; g++)
        put_gauge(g, gauges[g], comments, out);
    for (unsigned c = 0; c < METRIC_COUNTER__COUNT; c++)
        put_counter(s, c, comments, out);
    for (unsigned h = 0; h < METRIC_HISTOGRAM__COUNT; h++)
        put_histogram(s, h, comments, out);
}
