/* credential.c - signs login tokens, reads token files again, and forgets what was refused.
 *
 * One per worker, used for every request.  Files are looked at once a second at most; what a
 * token says never leaves this file except as a header line. */
#include "sf/credential.h"

#include "clock.h"

#include <stdlib.h>
#include <sys/stat.h>

enum {
    LIFETIME_S = 59 * 60, /* Snowflake allows an hour */
    RENEW_S = 50 * 60,
    CLOCK_JUMP_S = 60, /* the wall clock was set: what we signed may lie in the future */
    LOOK_MS = 1000
};

static const char *const type_lines[] = {
    [SF_AUTH_KEY_PAIR] = "X-Snowflake-Authorization-Token-Type: KEYPAIR_JWT",
    [SF_AUTH_TOKEN] = "X-Snowflake-Authorization-Token-Type: PROGRAMMATIC_ACCESS_TOKEN",
    [SF_AUTH_OAUTH] = "X-Snowflake-Authorization-Token-Type: OAUTH",
};

struct credential {
    const struct sf_identity *identity;
    struct buf line;   /* Authorization: Bearer ... */
    unsigned serial;   /* counts new credentials */
    bool stale;        /* refused: make or read a new one before the next use */
    bool judged, good; /* what its first answer was */
    int64_t wall_s;    /* when it was signed, on both clocks */
    uint64_t mono_ms;
    uint64_t looked_ms;
    struct stat seen; /* the token file when it was read */
};

struct credential *
credential_new(const struct sf_identity *i)
{
    struct credential *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->identity = i;
    buf_init(&c->line, 128 * 1024);
    return c;
}

void
credential_free(struct credential *c)
{
    if (!c)
        return;
    buf_wipe(&c->line);
    free(c);
}

static void
begin_line(struct credential *c)
{
    buf_wipe(&c->line);
    buf_put_z(&c->line, "Authorization: Bearer ");
}

static void
renewed(struct credential *c)
{
    c->serial++;
    c->stale = false;
    c->judged = false;
    c->wall_s = clock_wall_s();
    c->mono_ms = clock_ms();
}

/* ---- key pair ------------------------------------------------------------------------------ */

static bool
must_sign(const struct credential *c)
{
    if (c->line.len == 0 || c->stale)
        return true;
    int64_t age = (int64_t)((clock_ms() - c->mono_ms) / 1000);
    int64_t jump = clock_wall_s() - c->wall_s - age;
    return age >= RENEW_S || jump > CLOCK_JUMP_S || jump < -CLOCK_JUMP_S;
}

static int
sign(struct credential *c, struct err *e)
{
    int64_t now = clock_wall_s();
    begin_line(c);
    if (key_sign_jwt(c->identity->key, c->identity->issuer, c->identity->subject, now,
            now + LIFETIME_S, &c->line, e) != 0) {
        buf_wipe(&c->line);
        return -1;
    }
    renewed(c);
    return 0;
}

/* ---- tokens -------------------------------------------------------------------------------- */

static int
use_token(struct credential *c, const struct secret *token, struct err *e)
{
    begin_line(c);
    buf_put_str(&c->line, secret_str(token));
    if (c->line.failed)
        return err_set(e, "the token is too long");
    renewed(c);
    return 0;
}

static bool
file_changed(struct credential *c, struct stat *now)
{
    if (stat(c->identity->token_file, now) != 0)
        return false; /* being replaced: what we have may still do */
    const struct stat *was = &c->seen;
    return now->st_ino != was->st_ino || now->st_size != was->st_size ||
           now->st_mtim.tv_sec != was->st_mtim.tv_sec ||
           now->st_mtim.tv_nsec != was->st_mtim.tv_nsec;
}

/* Reads the file again if it changed.  A file that cannot be read or holds no token leaves the old
 * one in place: it is most likely being written. */
static void
look_at_file(struct credential *c)
{
    uint64_t now_ms = clock_ms();
    if (!c->stale && c->looked_ms != 0 && now_ms - c->looked_ms < LOOK_MS)
        return;
    c->looked_ms = now_ms;
    struct stat now;
    if (!file_changed(c, &now))
        return;
    struct secret *text = secret_read_file(c->identity->token_file, NULL);
    struct secret *token = text ? identity_token(secret_str(text), "", NULL) : NULL;
    if (token) {
        struct buf line;
        buf_init(&line, c->line.max);
        buf_put_z(&line, "Authorization: Bearer ");
        buf_put_str(&line, secret_str(token));
        /* Touched, but the same: nothing new to try. */
        if (!str_eq(buf_str(&line), buf_str(&c->line)) && use_token(c, token, NULL) != 0)
            buf_wipe(&c->line);
        buf_wipe(&line);
        c->seen = now;
    }
    secret_free(token);
    secret_free(text);
}

/* ---- use ----------------------------------------------------------------------------------- */

int
credential_headers(
    struct credential *c, const char **authorization, const char **type, struct err *e)
{
    const struct sf_identity *i = c->identity;
    if (i->auth == SF_AUTH_KEY_PAIR) {
        if (must_sign(c) && sign(c, e) != 0)
            return -1;
    } else {
        if (i->token_file)
            look_at_file(c);
        if (c->line.len == 0 && use_token(c, i->token, e) != 0)
            return -1;
    }
    *authorization = buf_text(&c->line);
    *type = type_lines[i->auth];
    return 0;
}

unsigned
credential_serial(const struct credential *c)
{
    return c->serial;
}

enum credential_news
credential_answered(struct credential *c, unsigned serial, bool refused)
{
    if (serial != c->serial)
        return CREDENTIAL_NOTHING; /* an older one: its successor will be judged by itself */
    if (refused)
        c->stale = true;
    bool news = !c->judged || (c->good && refused);
    c->judged = true;
    c->good = !refused;
    if (!news)
        return CREDENTIAL_NOTHING;
    return refused ? CREDENTIAL_LOGIN_REFUSED : CREDENTIAL_LOGIN_OK;
}
