/* result.c - renders and keeps the partitions of a result.
 *
 * Built by one engine thread, then read by the event loop only.  Must never hold a whole result
 * as text. */
#include "emulator/result.h"

#include "emulator/names.h"
#include "json_text.h"
#include "must.h"

#include <stdlib.h>
#include <zlib.h>

#define FIRST_ROWS     1000u
#define MOST_ROWS      64000u
#define PARTITION_TEXT (16u << 20) /* a partition ends when its text passes this */
#define BUF_MAX        (1u << 30)

struct partition {
    char *bytes; /* partition 0: rows as text; later ones: gzip of the document */
    size_t n;
    uint64_t rows;
    size_t text_bytes;
};

struct result {
    struct types_column *columns;
    struct types_reader **readers;
    size_t column_count;
    struct partition *parts;
    size_t part_count;
    uint64_t rows, max_rows;
    uint64_t fixed_rows, target_rows; /* rows of the partition being built */
    struct buf text, tmp;
    uint64_t open_rows;
    struct result_stats stats;
};

struct result *
result_new(uint64_t rows_per_partition, uint64_t max_rows)
{
    struct result *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->max_rows = max_rows;
    r->fixed_rows = rows_per_partition;
    r->target_rows = rows_per_partition ? rows_per_partition : FIRST_ROWS;
    r->stats = (struct result_stats){ -1, -1, -1, -1 };
    buf_init(&r->text, BUF_MAX);
    buf_init(&r->tmp, BUF_MAX);
    return r;
}

void
result_free(struct result *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->column_count; i++) {
        free(r->columns[i].name);
        if (r->readers)
            types_reader_free(r->readers[i]);
    }
    for (size_t i = 0; i < r->part_count; i++)
        free(r->parts[i].bytes);
    free(r->columns);
    free(r->readers);
    free(r->parts);
    buf_fini(&r->text);
    buf_fini(&r->tmp);
    free(r);
}

static int
alloc_columns(struct result *r, size_t n)
{
    r->columns = calloc(n ? n : 1, sizeof *r->columns);
    r->readers = calloc(n ? n : 1, sizeof *r->readers);
    if (!r->columns || !r->readers)
        return -1;
    r->column_count = n;
    return 0;
}

int
result_columns(struct result *r, duckdb_result *from)
{
    if (alloc_columns(r, duckdb_column_count(from)) != 0)
        return -1;
    for (size_t i = 0; i < r->column_count; i++) {
        duckdb_logical_type type = duckdb_column_logical_type(from, i);
        const char *name = duckdb_column_name(from, i);
        r->columns[i].name = strdup(name ? name : "");
        if (r->columns[i].name)
            names_show(r->columns[i].name);
        r->readers[i] = types_reader_new(type);
        duckdb_destroy_logical_type(&type);
        if (!r->columns[i].name || !r->readers[i])
            return -1;
        types_describe(r->readers[i], &r->columns[i]);
    }
    return 0;
}

int
result_rename(struct result *r, size_t column, const char *name)
{
    char *copy = strdup(name);

    must(column < r->column_count);
    if (!copy)
        return -1;
    free(r->columns[column].name);
    r->columns[column].name = copy;
    return 0;
}

/* Gzips head + text + tail into a partition. */
static int
compress_text(struct partition *p, struct str head, struct str text, struct str tail)
{
    z_stream z = { 0 };
    const struct str pieces[] = { head, text, tail };
    int rc = Z_OK;

    if (deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return -1;
    size_t bound = deflateBound(&z, head.n + text.n + tail.n);
    p->bytes = malloc(bound);
    if (!p->bytes) {
        deflateEnd(&z);
        return -1;
    }
    z.next_out = (unsigned char *)p->bytes;
    z.avail_out = (unsigned)bound;
    for (size_t i = 0; i < NELEM(pieces) && rc == Z_OK; i++) {
        z.next_in = (unsigned char *)(uintptr_t)pieces[i].p; /* zlib only reads it */
        z.avail_in = (unsigned)pieces[i].n;
        rc = deflate(&z, i + 1 == NELEM(pieces) ? Z_FINISH : Z_NO_FLUSH);
    }
    p->n = z.total_out;
    deflateEnd(&z);
    if (rc != Z_STREAM_END)
        return -1;
    char *smaller = realloc(p->bytes, p->n);
    if (smaller)
        p->bytes = smaller;
    return 0;
}

static int
close_partition(struct result *r)
{
    struct partition *parts = realloc(r->parts, (r->part_count + 1) * sizeof *parts);
    struct partition p = { .rows = r->open_rows };

    if (!parts)
        return -1;
    r->parts = parts;
    buf_put_c(&r->text, ']');
    if (r->text.failed)
        return -1;
    p.text_bytes = r->text.len;
    if (r->part_count == 0) {
        p.bytes = buf_take(&r->text, &p.n);
        if (!p.bytes)
            return -1;
    } else if (compress_text(&p, STR("{\"data\":"), buf_str(&r->text), STR("}")) != 0) {
        return -1;
    }
    r->parts[r->part_count++] = p;
    buf_clear(&r->text);
    r->open_rows = 0;
    if (r->fixed_rows == 0 && r->target_rows < MOST_ROWS)
        r->target_rows *= 2;
    return 0;
}

static void
begin_row(struct result *r)
{
    buf_put_z(&r->text, r->open_rows == 0 ? "[[" : ",[");
    r->open_rows++;
    r->rows++;
}

int
result_add(struct result *r, duckdb_data_chunk chunk)
{
    idx_t rows = duckdb_data_chunk_get_size(chunk);

    for (idx_t row = 0; row < rows && !result_full(r); row++) {
        if (r->open_rows >= r->target_rows || r->text.len >= PARTITION_TEXT) {
            if (close_partition(r) != 0)
                return -1;
        }
        begin_row(r);
        for (size_t i = 0; i < r->column_count; i++) {
            if (i > 0)
                buf_put_c(&r->text, ',');
            types_put_cell(
                r->readers[i], duckdb_data_chunk_get_vector(chunk, i), row, &r->text, &r->tmp);
        }
        buf_put_c(&r->text, ']');
    }
    return r->text.failed || r->tmp.failed ? -1 : 0;
}

bool
result_full(const struct result *r)
{
    return r->max_rows > 0 && r->rows >= r->max_rows;
}

int
result_one_row(struct result *r, size_t n, const char *const *names, const char *const *values,
    enum types_kind kind)
{
    if (alloc_columns(r, n) != 0)
        return -1;
    begin_row(r);
    for (size_t i = 0; i < n; i++) {
        r->columns[i] = (struct types_column){ strdup(names[i]), kind, 38, 0 };
        if (!r->columns[i].name)
            return -1;
        if (i > 0)
            buf_put_c(&r->text, ',');
        json_put_string(&r->text, str_of(values[i]));
    }
    buf_put_c(&r->text, ']');
    return r->text.failed ? -1 : 0;
}

int
result_finish(struct result *r)
{
    if (r->rows == 0)
        buf_put_c(&r->text, '[');
    if ((r->open_rows > 0 || r->part_count == 0) && close_partition(r) != 0)
        return -1;
    buf_fini(&r->text);
    buf_fini(&r->tmp);
    return 0;
}

struct result_stats *
result_stats(struct result *r)
{
    return &r->stats;
}

uint64_t
result_rows(const struct result *r)
{
    return r->rows;
}

size_t
result_bytes(const struct result *r)
{
    size_t n = 0;

    for (size_t i = 0; i < r->part_count; i++)
        n += r->parts[i].n;
    return n;
}

size_t
result_partitions(const struct result *r)
{
    return r->part_count;
}

void
result_put_metadata(const struct result *r, struct buf *out)
{
    buf_put_z(out, "\"resultSetMetaData\":{\"numRows\":");
    buf_put_u64(out, r->rows);
    buf_put_z(out, ",\"format\":\"jsonv2\",\"partitionInfo\":[");
    for (size_t i = 0; i < r->part_count; i++) {
        const struct partition *p = &r->parts[i];
        buf_printf(out, "%s{\"rowCount\":%llu,\"uncompressedSize\":%zu", i > 0 ? "," : "",
            (unsigned long long)p->rows, p->text_bytes);
        if (i > 0)
            buf_printf(out, ",\"compressedSize\":%zu", p->n);
        buf_put_c(out, '}');
    }
    buf_put_z(out, "],\"rowType\":[");
    for (size_t i = 0; i < r->column_count; i++) {
        if (i > 0)
            buf_put_c(out, ',');
        types_put_rowtype(&r->columns[i], out);
    }
    buf_put_z(out, "]}");
}

struct str
result_first_rows(const struct result *r)
{
    return (struct str){ r->parts[0].bytes, r->parts[0].n };
}

struct str
result_partition_gzip(const struct result *r, size_t partition)
{
    must(partition > 0 && partition < r->part_count);
    return (struct str){ r->parts[partition].bytes, r->parts[partition].n };
}
