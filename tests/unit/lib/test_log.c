/* test_log.c - log, must, proctitle. */
#include "log.h"
#include "must.h"
#include "proctitle.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static int ends[2];

static void
open_pipe(enum log_level level, bool timestamps, bool priorities)
{
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    struct log_options o = {
        .fd = ends[1], .level = level, .timestamps = timestamps, .priorities = priorities
    };
    assert_int_equal(log_open(&o, NULL), 0);
}

static void
close_pipe(void)
{
    struct log_options o = { .fd = STDERR_FILENO, .level = LOG_LEVEL_INFO };
    assert_int_equal(log_open(&o, NULL), 0);
    close(ends[0]);
    close(ends[1]);
}

static const char *
got(void)
{
    static char text[100000];
    ssize_t n = read(ends[0], text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void
a_line_is_written_as_it_is(void **state)
{
    open_pipe(LOG_LEVEL_INFO, false, false);
    log_line(LOG_LEVEL_INFO, STR("info: tool_call id=1 tool x"));
    assert_string_equal(got(), "info: tool_call id=1 tool x\n");
    log_printf(LOG_LEVEL_ERROR, "error: %d", 5);
    assert_string_equal(got(), "error: 5\n");
    log_line(LOG_LEVEL_INFO, STR_NONE);
    assert_string_equal(got(), "\n");
    close_pipe();
}

static void
levels_filter(void **state)
{
    open_pipe(LOG_LEVEL_WARNING, false, false);
    assert_true(log_wants(LOG_LEVEL_WARNING));
    assert_false(log_wants(LOG_LEVEL_INFO));
    log_line(LOG_LEVEL_INFO, STR("no"));
    log_printf(LOG_LEVEL_DEBUG, "no");
    log_line(LOG_LEVEL_WARNING, STR("yes"));
    assert_string_equal(got(), "yes\n");
    close_pipe();
}

static void
priorities_stand_before_timestamps(void **state)
{
    open_pipe(LOG_LEVEL_DEBUG, false, true);
    log_line(LOG_LEVEL_ERROR, STR("a"));
    log_line(LOG_LEVEL_WARNING, STR("b"));
    log_line(LOG_LEVEL_INFO, STR("c"));
    log_line(LOG_LEVEL_DEBUG, STR("d"));
    assert_string_equal(got(), "<3>a\n<4>b\n<6>c\n<7>d\n");
    close_pipe();
    open_pipe(LOG_LEVEL_DEBUG, true, true);
    log_line(LOG_LEVEL_INFO, STR("c"));
    const char *text = got();
    assert_int_equal(strlen(text), strlen("<6>2026-01-02T03:04:05.678Z c\n"));
    assert_memory_equal(text, "<6>2", 4);
    assert_string_equal(text + 26, "Z c\n");
    close_pipe();
}

static void
no_text_forges_a_second_line(void **state)
{
    open_pipe(LOG_LEVEL_INFO, false, false);
    log_line(LOG_LEVEL_INFO, STR("a\nerror: b\r\x1b[2J\x7f\0\xc2\x9b\xff\xe2\x82\xac."));
    assert_string_equal(
        got(), "a\\x0aerror: b\\x0d\\x1b[2J\\x7f\\x00\\xc2\\x9b\\xff\xe2\x82\xac.\n");
    close_pipe();
}

static void
a_long_line_is_cut_at_8_kib(void **state)
{
    static char text[20000];
    open_pipe(LOG_LEVEL_INFO, false, true);
    memset(text, 'a', sizeof text);
    log_line(LOG_LEVEL_INFO, (struct str){ text, sizeof text });
    const char *line = got();
    assert_int_equal(strlen(line), 8192);
    assert_string_equal(line + 8190, "a\n");
    memset(text, '\n', sizeof text);
    log_line(LOG_LEVEL_INFO, (struct str){ text, sizeof text });
    line = got();
    assert_in_range(strlen(line), 8180, 8192);
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
    close_pipe();
}

static void
a_full_pipe_drops_lines_and_says_how_many(void **state)
{
    open_pipe(LOG_LEVEL_INFO, false, false);
    int blocking = fcntl(ends[1], F_GETFL);
    static char text[4000];
    memset(text, 'a', sizeof text);
    for (int i = 0; i < 100; i++) /* a pipe holds 64 KiB: this would block for ever */
        log_line(LOG_LEVEL_INFO, (struct str){ text, sizeof text });
    size_t lines = 0;
    for (const char *t; (t = got())[0];)
        for (; *t; t++)
            lines += *t == '\n';
    assert_in_range(lines, 10, 17);
    log_line(LOG_LEVEL_INFO, STR("after"));
    char expected[100];
    snprintf(
        expected, sizeof expected, "warning: log lines dropped count=%zu\nafter\n", 100 - lines);
    assert_string_equal(got(), expected);
    log_line(LOG_LEVEL_INFO, STR("later"));
    assert_string_equal(got(), "later\n");
    assert_int_equal(fcntl(ends[1], F_GETFL), blocking); /* shared: left as it was */
    close_pipe();
}

static void
a_dead_reader_is_survived(void **state)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    struct log_options o = { .fd = pair[1], .level = LOG_LEVEL_INFO };
    assert_int_equal(log_open(&o, NULL), 0);
    log_line(LOG_LEVEL_INFO, STR("one"));
    char text[10];
    assert_int_equal(read(pair[0], text, sizeof text), 4);
    close(pair[0]);
    log_line(LOG_LEVEL_INFO, STR("two")); /* EPIPE without the signal */
    close(pair[1]);
    open_pipe(LOG_LEVEL_INFO, false, false);
    log_line(LOG_LEVEL_INFO, STR("three"));
    assert_string_equal(got(), "warning: log lines dropped count=1\nthree\n");
    close_pipe();
}

static void
a_torn_line_is_ended_before_the_next(void **state)
{
    int pair[2], small = 1;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    struct log_options o = { .fd = pair[1], .level = LOG_LEVEL_INFO };
    assert_int_equal(log_open(&o, NULL), 0);
    static char text[8000], in[200000];
    memset(text, 'a', sizeof text);
    for (int i = 0; i < 20; i++)
        log_line(LOG_LEVEL_INFO, (struct str){ text, sizeof text });
    size_t n = 0;
    ssize_t r;
    while ((r = recv(pair[0], in + n, sizeof in - n, MSG_DONTWAIT)) > 0)
        n += (size_t)r;
    log_line(LOG_LEVEL_INFO, STR("after"));
    while ((r = recv(pair[0], in + n, sizeof in - n, MSG_DONTWAIT)) > 0)
        n += (size_t)r;
    assert_true(n > 7 && memcmp(in + n - 7, "\nafter\n", 7) == 0);
    assert_null(memmem(in, n, "aw", 2)); /* the report did not continue the torn line */
    o.fd = STDERR_FILENO;
    assert_int_equal(log_open(&o, NULL), 0);
    close(pair[0]);
    close(pair[1]);
}

static void
a_file_is_appended_to_and_reopened(void **state)
{
    char dir[] = "/tmp/test_log.XXXXXX", path[64], old[64], text[100] = "";
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/log", dir);
    snprintf(old, sizeof old, "%s/log.1", dir);
    struct log_options o = { .file = path, .level = LOG_LEVEL_INFO };
    assert_int_equal(log_open(&o, NULL), 0);
    log_line(LOG_LEVEL_INFO, STR("one"));
    assert_int_equal(log_open(&o, NULL), 0); /* a restart */
    log_line(LOG_LEVEL_INFO, STR("two"));
    assert_int_equal(rename(path, old), 0);
    log_line(LOG_LEVEL_INFO, STR("three"));
    assert_int_equal(log_reopen(NULL), 0);
    log_line(LOG_LEVEL_INFO, STR("four"));
    FILE *f = fopen(old, "r");
    assert_int_equal(fread(text, 1, sizeof text - 1, f), 14);
    assert_string_equal(text, "one\ntwo\nthree\n");
    fclose(f);
    f = fopen(path, "r");
    memset(text, 0, sizeof text);
    assert_int_equal(fread(text, 1, sizeof text - 1, f), 5);
    assert_string_equal(text, "four\n");
    fclose(f);

    unlink(path);
    unlink(old);
    rmdir(dir);
    struct err e;
    assert_int_equal(log_reopen(&e), -1); /* the folder is gone: goes on with what it has */
    assert_non_null(strstr(e.text, path));
    log_line(LOG_LEVEL_INFO, STR("five"));
    o = (struct log_options){ .fd = STDERR_FILENO, .level = LOG_LEVEL_INFO };
    assert_int_equal(log_open(&o, NULL), 0);
    assert_int_equal(log_reopen(NULL), 0);
}

static void
fields_cannot_be_forged(void **state)
{
    struct buf b;
    buf_init(&b, 1000);
    log_put_field(&b, STR("a b=c\"d'e\\f\n\xff\xe2\x82\xac"), 100);
    assert_string_equal(buf_text(&b), "a\\x20b\\x3dc\\x22d\\x27e\\x5cf\\x0a\\xff\xe2\x82\xac");
    buf_clear(&b);
    log_put_field(&b, STR(""), 10);
    log_put_field(&b, STR_NONE, 10);
    log_put_field(&b, STR("abcdef"), 3);
    log_put_field(&b, STR("ab\xe2\x82\xac"), 4);
    assert_string_equal(buf_text(&b), "--abcab");
    buf_fini(&b);
}

static int words_fd;

static void
last_words(const char *line)
{
    ssize_t n = write(words_fd, line, strlen(line));
    (void)n;
}

static void
must_leaves_last_words_and_aborts(void **state)
{
    must(1 + 1 == 2);
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t p = fork();
    if (p == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        words_fd = fds[1];
        must_last_words = last_words;
        must(1 + 1 == 3);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(p, &status, 0), p);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    char text[300] = "";
    assert_true(read(fds[0], text, sizeof text - 1) > 0);
    assert_non_null(strstr(text, "must(1 + 1 == 3)"));
    assert_non_null(strstr(text, "test_log.c:"));
    close(fds[0]);
    close(fds[1]);
}

static void
read_proc(const char *name, char *to, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/%s", name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    to[fread(to, 1, size - 1, f)] = '\0';
    fclose(f);
}

static const char *second_argument;

static void
the_title_is_what_ps_shows(void **state)
{
    char text[400];
    proctitle_set("snowflake-mcp: worker %d", 3);
    read_proc("cmdline", text, sizeof text);
    assert_string_equal(text, "snowflake-mcp: worker 3");
    read_proc("comm", text, sizeof text);
    assert_string_equal(text, "snowflake-mcp: \n");
    proctitle_set("short");
    read_proc("cmdline", text, sizeof text);
    assert_string_equal(text, "short");
    char wide[300];
    memset(wide, 'x', sizeof wide - 1);
    wide[sizeof wide - 1] = '\0';
    proctitle_set("%s", wide); /* cut to the room there is, whatever that may be */
    assert_string_equal(second_argument, "a second argument"); /* still readable */
    assert_string_equal(getenv("TEST_LOG_VARIABLE"), "kept");
}

int
main(int argc, char **argv)
{
    /* Start again with known arguments and environment, so that there is room for a title. */
    if (!getenv("TEST_LOG_VARIABLE")) {
        setenv("TEST_LOG_VARIABLE", "kept", 1);
        execl(argv[0], argv[0], "a second argument", (char *)NULL);
        return 1;
    }
    proctitle_init(argc, argv);
    proctitle_init(argc, argv); /* once is enough, twice does no harm */
    second_argument = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_written_as_it_is),
        cmocka_unit_test(levels_filter),
        cmocka_unit_test(priorities_stand_before_timestamps),
        cmocka_unit_test(no_text_forges_a_second_line),
        cmocka_unit_test(a_long_line_is_cut_at_8_kib),
        cmocka_unit_test(a_full_pipe_drops_lines_and_says_how_many),
        cmocka_unit_test(a_dead_reader_is_survived),
        cmocka_unit_test(a_torn_line_is_ended_before_the_next),
        cmocka_unit_test(a_file_is_appended_to_and_reopened),
        cmocka_unit_test(fields_cannot_be_forged),
        cmocka_unit_test(must_leaves_last_words_and_aborts),
        cmocka_unit_test(the_title_is_what_ps_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
