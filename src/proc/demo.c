/* demo.c - `--demo`: an emulator of our own, a key for this run, and a word on what to try.
 *
 * The process that becomes the supervisor, before the first fork.  The server takes the same way
 * to the emulator as to Snowflake (key pair, HTTP, polling); nothing in it knows of a demo.  Must
 * leave nothing behind: no process, no file. */
#include "proc/demo.h"

#include "clock.h"
#include "must.h"
#include "str.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    KEY_BITS = 2048,
    READY_MS = 60000, /* making the sample data takes a few seconds on a slow machine */
    LOOK_MS = 20,
    LEAVE_MS = 2000,
    PATH_BYTES = 512,
    OVERRIDES = 16
};

struct demo {
    char folder[PATH_BYTES]; /* "": removed */
    char private_key[PATH_BYTES + 32], public_key[PATH_BYTES + 32], port_file[PATH_BYTES + 32];
    char emulator[PATH_BYTES + 32];
    pid_t pid; /* 0: not running */
    int leash; /* its standard input: EOF there ends it */
    char **environ_;
    char *overrides[OVERRIDES];
    unsigned n_overrides;
};

/* ---- files ----------------------------------------------------------------------------------- */

static int
make_folder(struct demo *d, struct err *e)
{
    const char *tmp = getenv("TMPDIR");
    int n = snprintf(d->folder, sizeof d->folder, "%s/snowflake-mcp-demo.XXXXXX",
        tmp != NULL && *tmp == '/' ? tmp : "/tmp");
    if (n >= (int)sizeof d->folder || mkdtemp(d->folder) == NULL) { /* mode 0700 */
        d->folder[0] = '\0';
        return err_set(e, "cannot make a folder for the demo's key: %s", strerror(errno));
    }
    snprintf(d->private_key, sizeof d->private_key, "%s/key.pem", d->folder);
    snprintf(d->public_key, sizeof d->public_key, "%s/key.pub", d->folder);
    snprintf(d->port_file, sizeof d->port_file, "%s/port", d->folder);
    return 0;
}

static FILE *
create(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return fd < 0 ? NULL : fdopen(fd, "w");
}

static int
make_key(const struct demo *d, struct err *e)
{
    FILE *private = NULL, *public = NULL;
    bool ok = false;
    EVP_PKEY *key = EVP_RSA_gen(KEY_BITS);
    if (key == NULL)
        return err_set(e, "cannot make an RSA key for the demo");
    private = create(d->private_key);
    public = create(d->public_key);
    if (private != NULL && public != NULL)
        ok = PEM_write_PKCS8PrivateKey(private, key, NULL, NULL, 0, NULL, NULL) == 1 &&
             PEM_write_PUBKEY(public, key) == 1;
    if (private != NULL)
        ok = fclose(private) == 0 && ok;
    if (public != NULL)
        ok = fclose(public) == 0 && ok;
    EVP_PKEY_free(key);
    return ok ? 0 : err_set(e, "cannot write the demo's key in %s: %s", d->folder, strerror(errno));
}

void
demo_drop_files(struct demo *d)
{
    if (d == NULL || d->folder[0] == '\0')
        return;
    unlink(d->private_key);
    unlink(d->public_key);
    unlink(d->port_file);
    rmdir(d->folder);
    d->folder[0] = '\0';
}

/* ---- the emulator ---------------------------------------------------------------------------- */

static int
find_emulator(struct demo *d, struct err *e)
{
    char self[PATH_BYTES];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0)
        return err_set(e, "cannot find the own program: %s", strerror(errno));
    self[n] = '\0';
    char *slash = strrchr(self, '/');
    if (slash != NULL)
        *slash = '\0';
    snprintf(d->emulator, sizeof d->emulator, "%s/snowflake-emulator", self);
    if (access(d->emulator, X_OK) != 0)
        return err_set(e,
            "the demo needs %s, which is not there: \"make duckdb all\" builds it "
            "(make demo does everything)",
            d->emulator);
    return 0;
}

static void
run_emulator(const struct demo *d, int input, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0); /* Ctrl-C is for the supervisor: it stops us when the workers are done */
    if (getppid() != parent)
        _exit(1);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    dup2(input, STDIN_FILENO);
    /* Its chatter is not the server's log: only what goes wrong is shown. */
    int null = open("/dev/null", O_WRONLY);
    if (null >= 0)
        dup2(null, STDOUT_FILENO);
    execl(d->emulator, d->emulator, "--listen", "127.0.0.1:0", "--port-file", d->port_file,
        "--account", "demo", "--user", "demo", "--public-key", d->public_key, "--exit-on-eof",
        (char *)NULL);
    _exit(127);
}

static int
start_emulator(struct demo *d, struct err *e)
{
    int ends[2];
    pid_t parent = getpid();
    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_set(e, "cannot start the emulator: %s", strerror(errno));
    fflush(NULL);
    d->pid = fork();
    if (d->pid == 0)
        run_emulator(d, ends[0], parent);
    close(ends[0]);
    d->leash = ends[1];
    if (d->pid < 0) {
        d->pid = 0;
        return err_set(e, "cannot start the emulator: %s", strerror(errno));
    }
    return 0;
}

static unsigned
read_port(const char *path)
{
    char text[16] = "";
    uint64_t port = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0 || text[n - 1] != '\n') /* not written whole yet */
        return 0;
    if (str_to_u64((struct str){ text, (size_t)n - 1 }, &port) != 0 || port > 65535)
        return 0;
    return (unsigned)port;
}

static bool
told_to_stop(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 &&
           (sigismember(&pending, SIGTERM) || sigismember(&pending, SIGINT) ||
               sigismember(&pending, SIGHUP));
}

/* The port, once the emulator has written it: it listens then.  0 with *e otherwise. */
static unsigned
await_emulator(struct demo *d, struct err *e)
{
    int status;
    uint64_t end = clock_ms() + READY_MS;
    while (clock_ms() < end) {
        unsigned port = read_port(d->port_file);
        if (port != 0)
            return port;
        if (waitpid(d->pid, &status, WNOHANG) == d->pid) {
            d->pid = 0;
            if (WIFSIGNALED(status))
                err_set(e, "the emulator was killed by signal %d while starting", WTERMSIG(status));
            else
                err_set(e, "the emulator ended with status %d while starting; run %s --help",
                    WEXITSTATUS(status), d->emulator);
            return 0;
        }
        if (told_to_stop()) {
            err_set(e, "stopped while the emulator was starting");
            return 0;
        }
        poll(NULL, 0, LOOK_MS);
    }
    err_set(e, "the emulator was not ready after %d s", READY_MS / 1000);
    return 0;
}

/* ---- configuration --------------------------------------------------------------------------- */

static int
override(struct demo *d, const char *path, const char *value)
{
    char line[2 * PATH_BYTES];
    must(d->n_overrides + 1 < OVERRIDES);
    snprintf(line, sizeof line, "%s=%s", path, value);
    d->overrides[d->n_overrides] = strdup(line);
    return d->overrides[d->n_overrides++] != NULL ? 0 : -1;
}

/* The caller's real account has no business in a demo. */
static int
copy_environment(struct demo *d)
{
    size_t n = 0, kept = 0;
    while (environ[n] != NULL)
        n++;
    d->environ_ = calloc(n + 1, sizeof *d->environ_);
    if (d->environ_ == NULL)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (!str_starts(str_of(environ[i]), "SNOWFLAKE_"))
            d->environ_[kept++] = environ[i];
    return 0;
}

static int
configure(struct demo *d, unsigned port, struct config_source *source)
{
    char text[16];
    snprintf(text, sizeof text, "%u", port);
    if (copy_environment(d) != 0 || override(d, "snowflake.account", "demo") != 0 ||
        override(d, "snowflake.host", "127.0.0.1") != 0 ||
        override(d, "snowflake.port", text) != 0 ||
        override(d, "snowflake.protocol", "http") != 0 ||
        override(d, "snowflake.user", "demo") != 0 ||
        override(d, "snowflake.role", "ANALYST") != 0 ||
        override(d, "snowflake.warehouse", "COMPUTE_WH") != 0 ||
        override(d, "snowflake.database", "SNOWFLAKE_SAMPLE_DATA") != 0 ||
        override(d, "snowflake.schema", "TPCH_SF1") != 0 ||
        override(d, "snowflake.private_key_path", d->private_key) != 0)
        return -1;
    *source = (struct config_source){
        .environ_ = d->environ_,
        .files = false,
        .overrides = (const char *const *)d->overrides,
    };
    return 0;
}

/* ---- public ---------------------------------------------------------------------------------- */

struct demo *
demo_start(struct config_source *source, struct err *e)
{
    struct demo *d = calloc(1, sizeof *d);
    if (d == NULL) {
        err_set(e, "no memory for the demo");
        return NULL;
    }
    d->leash = -1;
    unsigned port = 0;
    if (find_emulator(d, e) == 0 && make_folder(d, e) == 0 && make_key(d, e) == 0 &&
        start_emulator(d, e) == 0)
        port = await_emulator(d, e);
    if (port != 0 && configure(d, port, source) != 0) {
        err_set(e, "no memory for the demo");
        port = 0;
    }
    if (port == 0) {
        demo_stop(d);
        return NULL;
    }
    return d;
}

bool
demo_exited(struct demo *d, pid_t pid)
{
    if (d->pid == 0 || pid != d->pid)
        return false;
    d->pid = 0;
    return true;
}

void
demo_greet(const struct demo *d, const char *endpoint, const char *metrics)
{
    printf("\n"
           "  MCP endpoint   http://%s/mcp\n",
        endpoint);
    if (metrics != NULL)
        printf("  metrics        http://%s/metrics\n", metrics);
    printf("  sample data    SNOWFLAKE_SAMPLE_DATA.TPCH_SF1, DEMO_DB\n"
           "\n"
           "Try it (Ctrl-C ends the demo and leaves nothing behind):\n"
           "\n"
           "curl -s http://%s/mcp -H 'Content-Type: application/json' "
           "-H 'MCP-Protocol-Version: 2026-07-28' -H 'Mcp-Method: tools/call' "
           "-H 'Mcp-Name: execute_query' "
           "-d '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{"
           "\"name\":\"execute_query\",\"arguments\":{"
           "\"sql\":\"SELECT r_name, COUNT(*) AS nations FROM nation JOIN region "
           "ON n_regionkey = r_regionkey GROUP BY r_name ORDER BY r_name\"},"
           "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
           "\"io.modelcontextprotocol/clientCapabilities\":{}}}}'\n\n",
        endpoint);
    fflush(stdout);
}

void
demo_forget(struct demo *d)
{
    if (d != NULL && d->leash >= 0)
        close(d->leash);
}

void
demo_stop(struct demo *d)
{
    if (d == NULL)
        return;
    if (d->leash >= 0)
        close(d->leash);
    if (d->pid != 0) {
        kill(d->pid, SIGTERM);
        uint64_t end = clock_ms() + LEAVE_MS;
        while (waitpid(d->pid, NULL, WNOHANG) == 0) {
            if (clock_ms() >= end) {
                kill(d->pid, SIGKILL);
                waitpid(d->pid, NULL, 0);
                break;
            }
            poll(NULL, 0, LOOK_MS);
        }
    }
    demo_drop_files(d);
    for (unsigned i = 0; i < d->n_overrides; i++)
        free(d->overrides[i]);
    free(d->environ_);
    free(d);
}
