/* bench_rows.c - CPU time of a row of ten short cells, from the bytes of an answer to slices
 * ("parse") and on to JSON text ("parse+json").  Prints one line per way: nanoseconds per row,
 * the median of 15 runs.  Usage: bench_rows [ROWS] */
#include "sf/rowparse.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CELLS = 10, RUNS = 15, PIECE = 16384 };

struct sink {
    struct buf out;
    struct sf_column columns[CELLS];
    bool json;
    uint64_t bytes;
};

static int
on_members(void *arg, struct str object, bool whole, struct err *e)
{
    return CELLS;
}

static enum sf_flow
on_row(void *arg, const struct sf_cell *cells, unsigned n)
{
    struct sink *s = arg;
    if (!s->json) {
        s->bytes += cells[n - 1].json.n;
        return SF_GO;
    }
    buf_put_c(&s->out, '[');
    for (unsigned i = 0; i < n; i++) {
        if (i)
            buf_put_c(&s->out, ',');
        sf_cell_json(&s->columns[i], &cells[i], &s->out);
    }
    buf_put_c(&s->out, ']');
    if (s->out.len > 4 * PIECE) {
        s->bytes += s->out.len;
        buf_clear(&s->out);
    }
    return SF_GO;
}

static double
cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double
run(struct sink *s, struct str doc)
{
    static const struct rowparse_handlers handlers = { on_members, on_row };
    static const struct rowparse_bounds bounds = { 1 << 20, 1 << 20, 1 << 21 };
    double began = cpu_ns();
    struct rowparse *p = rowparse_new(&bounds, &handlers, s);
    struct err e;
    for (size_t at = 0; at < doc.n; at += PIECE) {
        struct str piece = str_from(doc, at);
        size_t used;
        if (piece.n > PIECE)
            piece.n = PIECE;
        if (rowparse_feed(p, piece, &used, &e) != ROWPARSE_MORE)
            exit(1);
    }
    if (rowparse_end(p, &e) != ROWPARSE_MORE)
        exit(1);
    rowparse_free(p);
    return cpu_ns() - began;
}

int
main(int argc, char **argv)
{
    int rows = argc > 1 ? atoi(argv[1]) : 10000;
    if (rows <= 0)
        return 2;
    struct buf doc;
    buf_init(&doc, (size_t)1 << 32);
    buf_put_z(&doc, "{\"resultSetMetaData\":{},\"data\":[");
    for (int r = 0; r < rows; r++) {
        buf_printf(&doc,
            "%s[\"%d\",\"name %d\",\"%d.%02d\",null,\"true\",\"19%03d\",\"row %d of it\"",
            r ? "," : "", r, r * 7, r % 1000, r % 100, r % 1000, r);
        buf_printf(&doc, ",\"17092%05d.%09d\",\"x\",\"EMEA-%d\"]", r % 100000, r, r % 10);
    }
    buf_put_z(&doc, "]}");

    static const enum sf_type types[CELLS] = { SF_FIXED, SF_TEXT, SF_FIXED, SF_TEXT, SF_BOOLEAN,
        SF_DATE, SF_TEXT, SF_TIMESTAMP_NTZ, SF_TEXT, SF_TEXT };
    struct sink s = { .json = false };
    buf_init(&s.out, 1 << 20);
    for (int i = 0; i < CELLS; i++)
        s.columns[i] = (struct sf_column){ .type = types[i], .scale = 3 };
    for (int json = 0; json < 2; json++) {
        double took[RUNS];
        s.json = json;
        for (int i = 0; i < RUNS; i++)
            took[i] = run(&s, buf_str(&doc));
        qsort(took, RUNS, sizeof *took, by_value);
        printf("%-10s %6.1f ns per row, %5.0f MB/s (%zu bytes)\n", json ? "parse+json" : "parse",
            took[RUNS / 2] / rows, (double)doc.len / took[RUNS / 2] * 1e3, doc.len);
    }
    buf_fini(&s.out);
    buf_fini(&doc);
    return s.bytes == 0;
}
