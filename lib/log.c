/* log.c - writes finished lines, one write(2) each, to a descriptor or a file.  Any process;
 * never blocks on a reader that has stopped reading (the line is dropped and counted), never
 * decides what is logged. */
#include "log.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LONGEST_LINE = 8192, LONGEST_PATH = 4096 };

static struct {
    int fd;
    bool owns_fd;
    mode_t kind; /* of the descriptor: how to write without blocking */
    char file[LONGEST_PATH];
    enum log_level level;
    bool timestamps, priorities;
    bool torn; /* a line got out in part: end it before the next one */
    uint64_t dropped;
} out = { .fd = STDERR_FILENO, .level = LOG_LEVEL_INFO };

static void
adopt(int fd, bool owns)
{
    struct stat st;
    if (out.owns_fd)
        close(out.fd);
    out.fd = fd;
    out.owns_fd = owns;
    out.kind = fstat(fd, &st) == 0 ? st.st_mode & S_IFMT : 0;
    out.torn = false;
}

static int
open_file(const char *path, struct err *e)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
    if (fd < 0)
        return err_set(e, "cannot open the log file %s: %s", path, strerror(errno));
    adopt(fd, true);
    return 0;
}

int
log_open(const struct log_options *o, struct err *e)
{
    if (o->file) {
        if (strlen(o->file) >= sizeof out.file)
            return err_set(e, "the log file's name is longer than %d bytes", LONGEST_PATH - 1);
        if (open_file(o->file, e) != 0)
            return -1;
        snprintf(out.file, sizeof out.file, "%s", o->file);
    } else {
        adopt(o->fd, false);
        out.file[0] = '\0';
    }
    out.level = o->level;
    out.timestamps = o->timestamps;
    out.priorities = o->priorities;
    return 0;
}

int
log_reopen(struct err *e)
{
    return out.file[0] ? open_file(out.file, e) : 0;
}

bool
log_wants(enum log_level level)
{
    return level <= out.level;
}

/* One try.  The descriptor is shared with other processes, so O_NONBLOCK cannot be set on it. */
static ssize_t
write_now(const char *p, size_t n)
{
    if (out.kind == S_IFSOCK)
        return send(out.fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (out.kind != S_IFREG) {
        struct pollfd ready = { .fd = out.fd, .events = POLLOUT };
        int r = poll(&ready, 1, 0);
        if (r == 0)
            errno = EAGAIN;
        if (r <= 0)
            return -1;
    }
    return write(out.fd, p, n);
}

/* False: not a byte of it got out. */
static bool
write_line(const char *p, size_t n)
{
    size_t done = 0;
    while (done < n) {
        ssize_t put = write_now(p + done, n - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            break;
        done += (size_t)put;
    }
    if (done > 0)
        out.torn = done < n;
    return done > 0;
}

static void
put_hex(struct buf *b, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    char text[4] = { '\\', 'x', digits[c >> 4], digits[c & 15] };
    buf_put(b, text, sizeof text);
}

static bool
is_plain(unsigned char c, bool field)
{
    if (c < 0x20 || c >= 0x7f)
        return false;
    return !field || !(c == ' ' || c == '=' || c == '"' || c == '\'' || c == '\\' || c == '`');
}

static void
put_escaped(struct buf *b, struct str s, bool field)
{
    for (size_t i = 0; i < s.n;) {
        size_t run = i;
        while (run < s.n && is_plain((unsigned char)s.p[run], field))
            run++;
        buf_put(b, s.p + i, run - i);
        i = run;
        if (i == s.n)
            break;
        size_t len = (unsigned char)s.p[i] >= 0x80 ? utf8_char(s.p + i, s.n - i) : 0;
        /* U+0080..U+009F are control characters too: some terminals obey them. */
        bool c1 = len == 2 && s.p[i] == '\xc2' && (unsigned char)s.p[i + 1] < 0xa0;
        if (len > 1 && !c1) {
            buf_put(b, s.p + i, len);
            i += len;
        } else {
            put_hex(b, (unsigned char)s.p[i]);
            i++;
        }
    }
}

static size_t
put_prefix(char *to, size_t size, enum log_level level)
{
    static const char priority[] = { '3', '4', '6', '7' };
    size_t n = 0;
    if (out.torn)
        to[n++] = '\n';
    if (out.priorities)
        n += (size_t)snprintf(to + n, size - n, "<%c>", priority[level]);
    if (out.timestamps) {
        char when[32];
        clock_rfc3339(when, clock_wall_ms());
        n += (size_t)snprintf(to + n, size - n, "%s ", when);
    }
    return n;
}

static bool
emit(enum log_level level, struct str line)
{
    char text[LONGEST_LINE];
    size_t n = put_prefix(text, sizeof text, level);
    size_t room = sizeof text - 1 - n;

    bool plain = line.n <= room;
    for (size_t i = 0; plain && i < line.n; i++)
        plain = is_plain((unsigned char)line.p[i], false);
    if (plain) {
        if (line.n)
            memcpy(text + n, line.p, line.n);
        n += line.n;
    } else {
        /* Escaping makes four bytes of one: bounded before it is cut to the line's length. */
        struct buf b;
        buf_init(&b, 4 * LONGEST_LINE);
        line.n = utf8_cut(line.p, line.n, LONGEST_LINE);
        put_escaped(&b, line, false);
        size_t cut = utf8_cut(buf_text(&b), b.len, room);
        memcpy(text + n, buf_text(&b), cut);
        n += cut;
        buf_fini(&b);
    }
    text[n++] = '\n';
    return write_line(text, n);
}

void
log_line(enum log_level level, struct str line)
{
    if (!log_wants(level))
        return;
    if (out.dropped) {
        char text[64];
        snprintf(text, sizeof text, "warning: log lines dropped count=%llu",
            (unsigned long long)out.dropped);
        if (!emit(LOG_LEVEL_WARNING, str_of(text))) {
            out.dropped++;
            return;
        }
        out.dropped = 0;
    }
    if (!emit(level, line))
        out.dropped++;
}

void
log_printf(enum log_level level, const char *fmt, ...)
{
    if (!log_wants(level))
        return;
    char text[LONGEST_LINE];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    log_line(level, str_of(text));
}

void
log_put_field(struct buf *line, struct str foreign, size_t max)
{
    foreign.n = utf8_cut(foreign.p, foreign.n, max);
    if (foreign.n == 0)
        buf_put_c(line, '-');
    else
        put_escaped(line, foreign, true);
}
