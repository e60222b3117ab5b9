/* metrics.h - counters and histograms: one block per slot, one writer each, added up when read.
 *
 * Adding one is a line in metrics.def and its use.  The next process in a slot continues the block,
 * so totals never go backwards; supervisor events are counted in the supervisor's own block. */
#ifndef STATE_METRICS_H
#define STATE_METRICS_H

#include "buf.h"
#include "state/rc.h"

#include <stdatomic.h>

struct segment;

enum metric_dim {
#define DIM(sym, label, size) METRIC_DIM_##sym,
#define COUNTER(sym, name, a, b, help)
#define HISTOGRAM(sym, name, a, help)
#define GAUGE(sym, name, help)
#include "state/metrics.def"
#undef DIM
#undef COUNTER
#undef HISTOGRAM
#undef GAUGE
    METRIC_DIM__COUNT
};

enum {
#define DIM(sym, label, size) METRIC_SIZE_##sym = (size),
#define COUNTER(sym, name, a, b, help)
#define HISTOGRAM(sym, name, a, help)
#define GAUGE(sym, name, help)
#include "state/metrics.def"
#undef DIM
#undef COUNTER
#undef HISTOGRAM
#undef GAUGE
};

enum metric_counter {
#define DIM(sym, label, size)
#define COUNTER(sym, name, a, b, help) METRIC_##sym,
#define HISTOGRAM(sym, name, a, help)
#define GAUGE(sym, name, help)
#include "state/metrics.def"
#undef DIM
#undef COUNTER
#undef HISTOGRAM
#undef GAUGE
    METRIC_COUNTER__COUNT
};

enum metric_histogram {
#define DIM(sym, label, size)
#define COUNTER(sym, name, a, b, help)
#define HISTOGRAM(sym, name, a, help) METRIC_##sym,
#define GAUGE(sym, name, help)
#include "state/metrics.def"
#undef DIM
#undef COUNTER
#undef HISTOGRAM
#undef GAUGE
    METRIC_HISTOGRAM__COUNT
};

enum metric_gauge {
#define DIM(sym, label, size)
#define COUNTER(sym, name, a, b, help)
#define HISTOGRAM(sym, name, a, help)
#define GAUGE(sym, name, help) METRIC_##sym,
#include "state/metrics.def"
#undef DIM
#undef COUNTER
#undef HISTOGRAM
#undef GAUGE
    METRIC_GAUGE__COUNT
};

/* The label values that are indices elsewhere. */
enum metric_result {
    RESULT_OK,
    RESULT_SQL_ERROR,
    RESULT_TIMEOUT,
    RESULT_CANCELLED,
    RESULT_AUTH,
    RESULT_THROTTLED,
    RESULT_FAILED
};
enum metric_statement {
    STATEMENT_SELECT,
    STATEMENT_SHOW,
    STATEMENT_DESCRIBE,
    STATEMENT_EXPLAIN,
    STATEMENT_OTHER
};
enum metric_scope { SCOPE_CLIENT, SCOPE_TOOL, SCOPE_GLOBAL };
enum metric_reason {
    REASON_MALFORMED,
    REASON_TOO_LARGE,
    REASON_HOST,
    REASON_ORIGIN,
    REASON_METHOD,
    REASON_PATH,
    REASON_MEDIA_TYPE,
    REASON_ACCEPT,
    REASON_TIMEOUT,
    REASON_CONNECTIONS,
    REASON_AUTH
};

#define METRIC_BUCKETS 15 /* the 14 bounds of R4 and +Inf */
extern const double metric_bounds[METRIC_BUCKETS - 1];

struct metrics_block; /* in the segment; its size comes from metrics.def */
extern const size_t metrics_block_bytes;
/* slot == n_slots: the supervisor's. */
struct metrics_block *metrics_block_of(const struct segment *s, uint32_t slot);

/* Before fork: values of a dimension ("execute_query", ...), lent for ever; the last is "other". */
void metrics_name_dim(enum metric_dim dim, const char *const *names, unsigned count);

/* The process's own block: plain relaxed load and store, no lock prefix.  Index 0 for NONE.
 * Indices past a dimension's names count as its last one.  Before metrics_use(), or after it with
 * NULL, nothing is counted.  segment_create() and segment_enter() call it. */
void metrics_use(struct metrics_block *mine);
void metrics_count(enum metric_counter c, unsigned a, unsigned b, uint64_t n);
void metrics_observe(enum metric_histogram h, unsigned a, uint64_t duration_ns);
unsigned metrics_status(int status); /* 200 -> its index in the STATUS dimension */

/* Sum over all slots of one counter, all labels. */
uint64_t metrics_total(const struct segment *s, enum metric_counter c);

/* Text exposition.  `comments`: with HELP and TYPE lines.  gauges[] are the caller's readings.
 * Label sets that were never counted are left out, except that each metric has one line. */
void metrics_write(const struct segment *s, const double gauges[METRIC_GAUGE__COUNT], bool comments,
    struct buf *out);

#endif
