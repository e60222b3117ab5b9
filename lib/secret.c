/* secret.c - keys and tokens in memory.  Any process; never puts the bytes into a text of its
 * own, not even into an error. */
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { LARGEST_FILE = 64 * 1024 };

struct secret {
    size_t n;
    char bytes[];
};

struct secret *
secret_new(struct str bytes)
{
    struct secret *s = malloc(sizeof *s + bytes.n + 1);
    if (!s)
        return NULL;
    s->n = bytes.n;
    if (bytes.n)
        memcpy(s->bytes, bytes.p, bytes.n);
    s->bytes[bytes.n] = '\0'; /* for libraries that insist on C strings */
    return s;
}

static int
read_all(int fd, const char *path, char *to, size_t size, size_t *len, struct err *e)
{
    size_t n = 0;
    while (n < size) {
        ssize_t got = read(fd, to + n, size - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set(e, "cannot read %s: %s", path, strerror(errno));
        if (got == 0)
            break;
        n += (size_t)got;
    }
    if (n == size)
        return err_set(e, "%s is larger than 64 KiB: not a key or token file", path);
    *len = n;
    return 0;
}

struct secret *
secret_read_file(const char *path, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        err_set(e, "cannot open %s: %s", path, strerror(errno));
        return NULL;
    }
    char text[LARGEST_FILE + 1];
    size_t n = 0;
    struct secret *s = NULL;
    if (read_all(fd, path, text, sizeof text, &n, e) == 0) {
        if (n && text[n - 1] == '\n') {
            n--;
            if (n && text[n - 1] == '\r')
                n--;
        }
        s = secret_new((struct str){ text, n });
        if (!s)
            err_set(e, "cannot read %s: out of memory", path);
    }
    explicit_bzero(text, sizeof text);
    close(fd);
    return s;
}

void
secret_free(struct secret *s)
{
    if (!s)
        return;
    explicit_bzero(s->bytes, s->n);
    free(s);
}

struct str
secret_str(const struct secret *s)
{
    return s ? (struct str){ s->bytes, s->n } : STR_NONE;
}
