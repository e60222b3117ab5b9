/* test_rowparse.c - the same events however an answer is cut, and clean errors. */
#include "sf/rowparse.h"

#include "json_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* Every event as text, so that two runs compare with one strcmp. */
struct log {
    struct buf text;
    int width; /* what on_members answers once resultSetMetaData is there */
    unsigned rows, pause_every, enough_after;
    bool *paused;
};

static int
on_members(void *arg, struct str object, bool whole, struct err *e)
{
    struct log *l = arg;
    bool known = json_member(object, "resultSetMetaData").p != NULL;
    if (whole)
        buf_printf(&l->text, "whole %.*s\n", STR_ARG(object));
    if (str_is(json_member(object, "code"), "\"391908\"")) {
        err_set(e, "too large");
        return ROWPARSE_REFUSED;
    }
    return known ? l->width : ROWPARSE_NOT_YET;
}

static enum sf_flow
on_row(void *arg, const struct sf_cell *cells, unsigned n)
{
    struct log *l = arg;
    for (unsigned i = 0; i < n; i++) {
        if (cells[i].null)
            buf_put_z(&l->text, "NULL|");
        else
            buf_printf(&l->text, "%s<%.*s>|", cells[i].escaped ? "e" : "", STR_ARG(cells[i].json));
    }
    buf_put_c(&l->text, '\n');
    l->rows++;
    if (l->enough_after && l->rows == l->enough_after)
        return SF_ENOUGH;
    return l->pause_every && l->rows % l->pause_every == 0 ? SF_PAUSE : SF_GO;
}

static const struct rowparse_handlers handlers = { on_members, on_row };
static struct rowparse_bounds bounds = { 1 << 16, 1 << 10, 1 << 12 };

/* Feeds `doc` in pieces of `piece` bytes; the pieces lie at their exact size in their own memory,
 * so that a sanitizer sees any step beyond. */
static enum rowparse_step
run(struct log *l, const char *doc, size_t piece, struct err *e)
{
    struct rowparse *r = rowparse_new(&bounds, &handlers, l);
    assert_non_null(r);
    size_t n = strlen(doc);
    enum rowparse_step step = ROWPARSE_MORE;
    for (size_t at = 0; at < n && step == ROWPARSE_MORE;) {
        size_t take = n - at < piece ? n - at : piece, used = 0;
        char *copy = malloc(take);
        memcpy(copy, doc + at, take);
        for (size_t off = 0; off < take; off += used) {
            step = rowparse_feed(r, (struct str){ copy + off, take - off }, &used, e);
            assert_true(step == ROWPARSE_FAILED || used <= take - off);
            if (step != ROWPARSE_MORE && step != ROWPARSE_PAUSED)
                break;
            step = ROWPARSE_MORE;
        }
        memset(copy, 'x', take);
        free(copy);
        at += take;
    }
    while (step == ROWPARSE_MORE) {
        step = rowparse_end(r, e);
        if (step != ROWPARSE_PAUSED)
            break;
        step = ROWPARSE_MORE;
    }
    rowparse_free(r);
    return step;
}

static void
log_init(struct log *l, int width)
{
    *l = (struct log){ .width = width };
    buf_init(&l->text, 1 << 20);
}

#define META "\"resultSetMetaData\":{\"rowType\":[{\"name\":\"a]}\\\"\"}]}"

static const char *const documents[] = {
    "{\"code\":\"090001\"," META ",\"data\":[[\"1\",\"Ada\"],[\"2\",null],[\"3\",\"a\\\"b\\\\\"]]}",
    "{" META ",\"data\":[],\"code\":\"x\"}",
    "{" META ",\"data\":null}",
    "  {\r\n " META " ,\n \"data\" : [ [ \"1\" , null ] ,\t[ null,\"\\u00fc\\ud83d\" ] ] , "
    "\"stats\" : { \"n\" : [1, 2] } } \n ",
    "{" META ",\"data\":[[null,null]],\"message\":\"[[\\\"data\\\":\"}",
    /* rows before their description */
    "{\"data\":[[\"1\",\"]\"],[\"[\",\"\\\\\"]] ," META "}",
    "{\"data\":null," META "}",
    "{\"data\":[]," META "}",
    "{\"x\":{\"data\":[[1]]},\"y\":[{\"data\":2}],\"z\":-1.5e3,\"t\":true,\"n\":null," META
    ",\"data\":[[\"a long text that spans several pieces and more than sixteen bytes\",\"x\"]]}",
    "{\"code\":\"000000\"}",
    "{}",
    "[]",
    "{" META ",\"data\":[[\"1\",\"2\"],[\"3\"]]}",
    "{" META ",\"data\":[[\"1\",\"2\"],[\"3\",\"4\",\"5\"]]}",
    "{" META ",\"data\":[[\"1\",2]]}",
    "{" META ",\"data\":[[\"1\",\"2\"],]}",
    "{" META ",\"data\":[[\"1\",\"2\"]]} trailing",
};

static void
pieces_of_any_size_give_the_same_events(void **state)
{
    for (size_t d = 0; d < sizeof documents / sizeof *documents; d++) {
        struct log whole;
        struct err e = { "" };
        log_init(&whole, 2);
        enum rowparse_step want = run(&whole, documents[d], 1 << 20, &e);
        for (size_t piece = 1; piece <= 64; piece++) {
            struct log l;
            struct err e2 = { "" };
            log_init(&l, 2);
            l.pause_every = piece % 3;
            assert_int_equal(run(&l, documents[d], piece, &e2), want);
            assert_string_equal(buf_text(&l.text), buf_text(&whole.text));
            assert_string_equal(e2.text, e.text);
            buf_fini(&l.text);
        }
        buf_fini(&whole.text);
    }
}

static void
expect(const char *doc, const char *events)
{
    struct log l;
    struct err e = { "" };
    log_init(&l, 2);
    if (run(&l, doc, 7, &e) != ROWPARSE_MORE)
        fail_msg("%s: %s", doc, e.text);
    assert_string_equal(buf_text(&l.text), events);
    buf_fini(&l.text);
}

static void
rows_come_as_they_were_sent(void **state)
{
    expect(documents[0], "<1>|<Ada>|\n<2>|NULL|\n<3>|e<a\\\"b\\\\>|\n"
                         "whole {\"code\":\"090001\"," META ",\"data\":null}\n");
    expect(documents[1], "whole {" META ",\"data\":null,\"code\":\"x\"}\n");
    expect(documents[4], "NULL|NULL|\n"
                         "whole {" META ",\"data\":null,\"message\":\"[[\\\"data\\\":\"}\n");
}

static void
rows_before_their_description_wait_for_it(void **state)
{
    expect(documents[5], "whole {\"data\":null," META "}\n<1>|<]>|\n<[>|e<\\\\>|\n");
    expect(documents[6], "whole {\"data\":null," META "}\n");
}

static void
refuse(const char *doc, const char *why)
{
    struct log l;
    struct err e = { "" };
    log_init(&l, 2);
    assert_int_equal(run(&l, doc, 5, &e), ROWPARSE_FAILED);
    if (!strstr(e.text, why))
        fail_msg("%s: got '%s', wanted '%s'", doc, e.text, why);
    buf_fini(&l.text);
}

static void
faults_are_named(void **state)
{
    refuse("<html>", "got '<'");
    refuse("", "ended in the middle");
    refuse("[]", "'{' expected");
    refuse("{", "ended in the middle");
    refuse("{" META ",\"data\":[[\"1\",\"2\"]", "ended in the middle of its rows");
    refuse("{" META ",\"data\":[[\"1\",\"2\"]]", "ended in the middle");
    refuse("{" META ",\"data\":[[\"1\"]]}", "only 1 cells, but 2 columns");
    refuse("{" META ",\"data\":[[]]}", "only 0 cells");
    refuse(
        "{" META ",\"data\":[[\"1\",\"2\"],[\"1\",\"2\",null]]}", "row 2 of the result has more");
    refuse("{" META ",\"data\":[[\"1\",[]]]}", "row 1, cell 2: a string or null expected, got '['");
    refuse("{" META ",\"data\":[[\"1\",nul]]}", "null expected");
    refuse("{" META ",\"data\":[[\"1\",\"\\x\"]]}", "a valid escape expected");
    refuse("{" META ",\"data\":[[\"1\",\"\\u12g4\"]]}", "a hexadecimal digit expected");
    refuse("{" META ",\"data\":[[\"1\",\"a\nb\"]]}", "got byte 0a");
    refuse("{" META ",\"data\":[[\"1\",\"2\"],]}", "'[' expected");
    refuse("{" META ",\"data\":[[\"1\",]]}", "a string or null expected");
    refuse("{" META ",\"data\":[[\"1\",\"2\"][", "',' or ']' expected");
    refuse("{" META ",\"data\":{}}", "'[' or null expected");
    refuse("{" META ",\"data\":\"x\"}", "'[' or null expected");
    refuse("{" META ",\"data\":[],\"data\":[]}", "two members named data");
    refuse("{\"code\":1,\"code\":2," META ",\"data\":[]}", "duplicate");
    refuse("{" META ",\"data\":[]}x", "nothing after the end");
    refuse("{" META " \"data\":[]}", "not the JSON it should be");
    refuse("{\"data\":[[\"1\",\"2\"]]}", "does not describe their columns");
    refuse("{\"data\":[[\"1\",2]]," META "}", "a string or null expected");
    refuse("{\"data\":[]x," META "}", "malformed");
    refuse("{\"a\":}", "not the JSON it should be");
    refuse("{\"a\":1,}", "a member's name expected");
    refuse("{\"code\":\"391908\"," META ",\"data\":[[\"1\",\"2\"]]}", "too large");
}

static void
a_result_too_large_shows_no_row(void **state)
{
    struct log l;
    struct err e = { "" };
    log_init(&l, 2);
    run(&l, "{\"code\":\"391908\"," META ",\"data\":[[\"1\",\"2\"]]}", 1 << 20, &e);
    assert_int_equal(l.rows, 0);
    buf_fini(&l.text);
}

static void
no_bound_is_passed(void **state)
{
    struct rowparse_bounds was = bounds;
    char doc[4096];
    bounds = (struct rowparse_bounds){ 200, 20, 60 };

    snprintf(doc, sizeof doc, "{\"m\":\"%0300d\"}", 0);
    refuse(doc, "snowflake.max_metadata");
    snprintf(doc, sizeof doc, "{\"data\":[[\"%0300d\"]]," META "}", 0);
    refuse(doc, "snowflake.max_metadata");
    snprintf(doc, sizeof doc, "{" META ",\"data\":[[\"%020d\",\"\"]]}", 0);
    struct log l;
    struct err e = { "" };
    log_init(&l, 2);
    assert_int_equal(run(&l, doc, 3, &e), ROWPARSE_MORE);
    buf_fini(&l.text);
    snprintf(doc, sizeof doc, "{" META ",\"data\":[[\"%021d\",\"\"]]}", 0);
    refuse(doc, "row 1, cell 1 is longer than 20 bytes (snowflake.max_cell)");
    bounds.cell = 100;
    snprintf(doc, sizeof doc, "{" META ",\"data\":[[\"%040d\",\"%040d\"]]}", 0, 0);
    refuse(doc, "does not fit into 60 bytes");
    for (size_t piece = 1; piece < 200; piece += 13) { /* whole in a piece or cut: no matter */
        log_init(&l, 2);
        assert_int_equal(run(&l, doc, piece, &e), ROWPARSE_FAILED);
        buf_fini(&l.text);
    }
    bounds = was;
}

static void
pause_takes_the_row_and_nothing_after_it(void **state)
{
    const char *doc = "{" META ",\"data\":[[\"1\",\"2\"],[\"3\",\"4\"],[\"5\",\"6\"]]}";
    struct log l;
    struct err e;
    log_init(&l, 2);
    l.pause_every = 1;
    struct rowparse *r = rowparse_new(&bounds, &handlers, &l);
    size_t used, at = 0;
    for (unsigned want = 1; want <= 3; want++) {
        assert_int_equal(rowparse_feed(r, str_of(doc + at), &used, &e), ROWPARSE_PAUSED);
        at += used;
        assert_int_equal(l.rows, want);
        assert_int_equal(doc[at - 1], ']');
    }
    assert_int_equal(rowparse_feed(r, str_of(doc + at), &used, &e), ROWPARSE_MORE);
    assert_int_equal(rowparse_end(r, &e), ROWPARSE_MORE);
    rowparse_free(r);
    buf_fini(&l.text);
}

static void
enough_stops_at_the_row(void **state)
{
    struct log l;
    struct err e;
    log_init(&l, 2);
    l.enough_after = 2;
    const char *doc = "{" META ",\"data\":[[\"1\",\"2\"],[\"3\",\"4\"],[\"5\",\"6\"]]}";
    assert_int_equal(run(&l, doc, 1000, &e), ROWPARSE_ENOUGH);
    assert_int_equal(l.rows, 2);
    buf_fini(&l.text);
}

static void
pause_works_for_rows_that_waited(void **state)
{
    const char *doc = "{\"data\":[[\"1\",\"2\"],[\"3\",\"4\"]]," META "}";
    struct log l;
    struct err e;
    log_init(&l, 2);
    l.pause_every = 1;
    struct rowparse *r = rowparse_new(&bounds, &handlers, &l);
    size_t used;
    assert_int_equal(rowparse_feed(r, str_of(doc), &used, &e), ROWPARSE_MORE);
    assert_int_equal(l.rows, 0);
    assert_int_equal(rowparse_end(r, &e), ROWPARSE_PAUSED);
    assert_int_equal(l.rows, 1);
    assert_int_equal(rowparse_end(r, &e), ROWPARSE_PAUSED);
    assert_int_equal(l.rows, 2);
    assert_int_equal(rowparse_end(r, &e), ROWPARSE_MORE);
    rowparse_free(r);
    buf_fini(&l.text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_of_any_size_give_the_same_events),
        cmocka_unit_test(rows_come_as_they_were_sent),
        cmocka_unit_test(rows_before_their_description_wait_for_it),
        cmocka_unit_test(faults_are_named),
        cmocka_unit_test(a_result_too_large_shows_no_row),
        cmocka_unit_test(no_bound_is_passed),
        cmocka_unit_test(pause_takes_the_row_and_nothing_after_it),
        cmocka_unit_test(enough_stops_at_the_row),
        cmocka_unit_test(pause_works_for_rows_that_waited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
