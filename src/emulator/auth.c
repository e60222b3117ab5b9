/* auth.c - checks bearer credentials the way Snowflake does.
 *
 * Runs in the event loop.  Must never trust a claim before the signature of the one algorithm we
 * know (RS256) was verified with a key of the user it names. */
#include "emulator/auth.h"

#include "encode.h"
#include "json_dom.h"
#include "must.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_USERS       16
#define MAX_KEYS        2
#define MAX_TOKENS      16
#define SEEN            64
#define TOKEN_BYTES     (64u << 10)
#define CLOCK_LEEWAY_S  60
#define LONGEST_S       3600
#define MILLISECONDS_AT INT64_C(100000000000) /* claims above this count milliseconds */

struct key {
    EVP_PKEY *pkey;
    char fingerprint[64]; /* base64 of SHA-256 over the DER SubjectPublicKeyInfo */
};

struct user {
    char *name; /* upper case */
    struct key keys[MAX_KEYS];
    size_t key_count;
};

struct token {
    char *text;
    bool pat;
};

struct auth {
    char *account;
    struct user users[MAX_USERS];
    size_t user_count;
    struct token tokens[MAX_TOKENS];
    size_t token_count;
    uint64_t seen[SEEN]; /* hashes of the credentials accepted last */
    size_t seen_next;
    uint64_t logins;
    bool refuse_jwts;
};

static char *
upper_copy(const char *s)
{
    char *copy = strdup(s);

    for (char *p = copy; p && *p; p++)
        *p = (char)toupper((unsigned char)*p);
    return copy;
}

struct auth *
auth_new(const char *account)
{
    struct auth *a = calloc(1, sizeof *a);

    if (!a)
        return NULL;
    a->account = upper_copy(account);
    if (!a->account) {
        free(a);
        return NULL;
    }
    return a;
}

void
auth_free(struct auth *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->user_count; i++) {
        for (size_t k = 0; k < a->users[i].key_count; k++)
            EVP_PKEY_free(a->users[i].keys[k].pkey);
        free(a->users[i].name);
    }
    for (size_t i = 0; i < a->token_count; i++)
        free(a->tokens[i].text);
    free(a->account);
    free(a);
}

const char *
auth_account(const struct auth *a)
{
    return a->account;
}

static struct user *
find_user(struct auth *a, struct str name)
{
    for (size_t i = 0; i < a->user_count; i++)
        if (str_is(name, a->users[i].name))
            return &a->users[i];
    return NULL;
}

int
auth_add_user(struct auth *a, const char *login, struct err *e)
{
    char *name = upper_copy(login);

    if (!name)
        return err_set(e, "no memory");
    if (find_user(a, str_of(name))) {
        free(name);
        return 0;
    }
    if (a->user_count == MAX_USERS) {
        free(name);
        return err_set(e, "more than %d users", MAX_USERS);
    }
    a->users[a->user_count++].name = name;
    return 0;
}

static int
fingerprint(EVP_PKEY *pkey, char out[64])
{
    unsigned char *der = NULL, digest[32];
    int n = i2d_PUBKEY(pkey, &der);

    if (n <= 0)
        return -1;
    sha256(digest, der, (size_t)n);
    OPENSSL_free(der);
    EVP_EncodeBlock((unsigned char *)out, digest, sizeof digest);
    return 0;
}

int
auth_add_key(struct auth *a, const char *login, const char *pem_file, struct err *e)
{
    char *name = upper_copy(login);
    struct user *u = name ? find_user(a, str_of(name)) : NULL;
    FILE *f = fopen(pem_file, "re");
    EVP_PKEY *pkey = f ? PEM_read_PUBKEY(f, NULL, NULL, NULL) : NULL;
    int rc = 0;

    if (f)
        fclose(f);
    free(name);
    if (!u)
        rc = err_set(e, "no user %s for the key %s", login, pem_file);
    else if (!pkey)
        rc = err_set(e, "%s is no public key in PEM form", pem_file);
    else if (u->key_count == MAX_KEYS)
        rc = err_set(e, "user %s has two keys already", login);
    else if (fingerprint(pkey, u->keys[u->key_count].fingerprint) != 0)
        rc = err_set(e, "%s cannot be encoded", pem_file);
    if (!u || rc != 0) {
        EVP_PKEY_free(pkey);
        return rc;
    }
    u->keys[u->key_count++].pkey = pkey;
    return 0;
}

static int
add_token(struct auth *a, const char *token, bool pat)
{
    char *copy = a->token_count < MAX_TOKENS ? strdup(token) : NULL;

    if (!copy)
        return -1;
    a->tokens[a->token_count++] = (struct token){ copy, pat };
    return 0;
}

int
auth_add_pat(struct auth *a, const char *token)
{
    return add_token(a, token, true);
}

int
auth_add_oauth(struct auth *a, const char *token)
{
    return add_token(a, token, false);
}

uint64_t
auth_logins(const struct auth *a)
{
    return a->logins;
}

void
auth_refuse_jwts(struct auth *a, bool refuse)
{
    a->refuse_jwts = refuse;
}

static const char *
accepted(struct auth *a, struct str credential, const char *user)
{
    uint64_t h = hash64(credential);

    for (size_t i = 0; i < SEEN; i++)
        if (a->seen[i] == h)
            return user;
    a->seen[a->seen_next++ % SEEN] = h;
    a->logins++;
    return user;
}

static const char *
refuse(struct auth_refusal *why, const char *code, const char *text)
{
    snprintf(why->code, sizeof why->code, "%s", code);
    snprintf(why->message, sizeof why->message, "%s", text);
    return NULL;
}

static const char *
refuse_jwt(struct auth_refusal *why, const char *code, const char *detail)
{
    char id[UUID_TEXT];

    uuid_v4(id);
    snprintf(why->code, sizeof why->code, "%s", code);
    snprintf(why->message, sizeof why->message, "JWT token is invalid%s%s. [%s]",
        *detail ? ": " : "", detail, id);
    return NULL;
}

/* The three parts of a compact JWS, and what the first two say. */
struct jwt {
    struct str signed_part;
    struct buf signature;
    struct json *header, *claims;
};

static struct json *
decode_part(struct str part)
{
    struct buf text;
    struct json_fault fault;
    struct json *doc = NULL;

    buf_init(&text, TOKEN_BYTES);
    if (base64url_decode(&text, part) == 0)
        doc = json_parse(buf_str(&text), 8, &fault);
    buf_fini(&text);
    return doc;
}

static bool
jwt_decode_parts(struct jwt *j, struct str token)
{
    struct str rest = token, header, claims;

    if (!str_split(&rest, '.', &header) || !str_split(&rest, '.', &claims) || !rest.p ||
        memchr(rest.p, '.', rest.n))
        return false;
    j->signed_part = (struct str){ token.p, header.n + 1 + claims.n };
    j->header = decode_part(header);
    j->claims = decode_part(claims);
    return j->header && j->claims && base64url_decode(&j->signature, rest) == 0;
}

static bool
signature_holds(const struct jwt *j, EVP_PKEY *pkey)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, pkey) == 1 &&
              EVP_DigestVerify(ctx, (const unsigned char *)buf_str(&j->signature).p,
                  j->signature.len, (const unsigned char *)j->signed_part.p, j->signed_part.n) == 1;

    EVP_MD_CTX_free(ctx);
    return ok;
}

/* ACCOUNT.USER.SHA256:fingerprint: the account ends at the first dot, the fingerprint starts
 * behind the last ".SHA256:", and a user name may contain either character in between. */
static bool
split_issuer(struct str iss, struct str *account, struct str *user, struct str *print)
{
    static const char mark[] = ".SHA256:";
    const size_t mark_n = sizeof mark - 1;
    const char *dot = iss.n ? memchr(iss.p, '.', iss.n) : NULL;

    if (!dot)
        return false;
    *account = (struct str){ iss.p, (size_t)(dot - iss.p) };
    for (size_t at = iss.n; at >= mark_n + account->n + 1; at--) {
        const char *p = iss.p + at - mark_n;
        if (p > dot && memcmp(p, mark, mark_n) == 0) {
            *user = (struct str){ dot + 1, (size_t)(p - dot - 1) };
            *print = str_from(iss, at);
            return user->n > 0;
        }
    }
    return false;
}

static bool
subject_agrees(struct str sub, struct str account, struct str user)
{
    return sub.n == account.n + 1 + user.n && memcmp(sub.p, account.p, account.n) == 0 &&
           sub.p[account.n] == '.' && memcmp(sub.p + account.n + 1, user.p, user.n) == 0;
}

static bool
time_claim(const struct json *claims, const char *name, int64_t *seconds)
{
    if (json_integer(json_get(claims, name), seconds) != 0)
        return false;
    if (*seconds > MILLISECONDS_AT)
        *seconds /= 1000;
    return true;
}

static const struct key *
key_named(const struct user *u, struct str print)
{
    for (size_t i = 0; i < u->key_count; i++)
        if (str_is(print, u->keys[i].fingerprint))
            return &u->keys[i];
    return NULL;
}

static const char *
judge_jwt(struct auth *a, const struct jwt *j, int64_t now_s, struct auth_refusal *why)
{
    struct str account, print, name = STR_NONE;
    struct str iss = json_string(json_get(j->claims, "iss"));
    int64_t iat, exp;

    if (!str_is(json_string(json_get(j->header, "alg")), "RS256"))
        return refuse_jwt(why, "394305", "the algorithm is not RS256");
    if (!split_issuer(iss, &account, &name, &print))
        return refuse_jwt(why, "394300", "the issuer names no user");
    if (!str_is(account, a->account))
        return refuse_jwt(why, "394307", "the issuer names another account");
    struct user *u = find_user(a, name);
    if (!u)
        return refuse_jwt(why, "394300", "the issuer names an unknown user");
    if (!subject_agrees(json_string(json_get(j->claims, "sub")), account, name))
        return refuse_jwt(why, "390144", "");
    const struct key *k = key_named(u, print);
    if (!k)
        return refuse_jwt(why, "394304", "the fingerprint belongs to no key of the user");
    if (!signature_holds(j, k->pkey))
        return refuse_jwt(why, "394306", "the signature is wrong");
    if (!time_claim(j->claims, "iat", &iat) || !time_claim(j->claims, "exp", &exp))
        return refuse_jwt(why, "394301", "iat or exp is missing");
    if (iat > now_s + CLOCK_LEEWAY_S)
        return refuse_jwt(why, "394302", "issued in the future");
    if (exp > iat + LONGEST_S)
        exp = iat + LONGEST_S;
    if (exp <= now_s)
        return refuse_jwt(why, "394303", "expired");
    return u->name;
}

static const char *
check_jwt(struct auth *a, struct str token, int64_t now_s, struct auth_refusal *why)
{
    struct jwt j = { 0 };
    const char *user;

    if (a->refuse_jwts)
        return refuse_jwt(why, "390144", "");
    buf_init(&j.signature, TOKEN_BYTES);
    if (jwt_decode_parts(&j, token))
        user = judge_jwt(a, &j, now_s, why);
    else
        user = refuse_jwt(why, "390144", "");
    buf_fini(&j.signature);
    json_free(j.header);
    json_free(j.claims);
    return user;
}

static bool
token_is_known(const struct auth *a, struct str text, bool pat)
{
    for (size_t i = 0; i < a->token_count; i++)
        if (a->tokens[i].pat == pat && secret_eq(text, str_of(a->tokens[i].text)))
            return true;
    return false;
}

static bool
looks_like_jwt(struct str s)
{
    return str_starts(s, "eyJ") && memchr(s.p, '.', s.n);
}

const char *
auth_check(struct auth *a, struct str authorization, struct str token_type, int64_t now_s,
    struct auth_refusal *why)
{
    struct str token;
    const char *user = NULL;

    if (authorization.n < 8 || !str_eq_nocase((struct str){ authorization.p, 7 }, STR("Bearer ")))
        return refuse(why, "390101", "Authorization header not found in the request data.");
    token = str_trim(str_from(authorization, 7));
    if (a->user_count == 0)
        return refuse(why, "390100", "Incorrect username or password was specified.");
    if (str_is(token_type, "KEYPAIR_JWT")) {
        user = check_jwt(a, token, now_s, why);
    } else if (str_is(token_type, "PROGRAMMATIC_ACCESS_TOKEN")) {
        if (token_is_known(a, token, true))
            user = a->users[0].name;
        else
            refuse(why, "394400", "Programmatic access token is invalid.");
    } else if (str_is(token_type, "OAUTH")) {
        if (token_is_known(a, token, false))
            user = a->users[0].name;
        else
            refuse(why, "390303", "Invalid OAuth access token.");
    } else if (token_type.p) {
        refuse(why, "390101", "Unsupported X-Snowflake-Authorization-Token-Type.");
    } else if (token_is_known(a, token, true) || token_is_known(a, token, false)) {
        user = a->users[0].name; /* no type given: by its looks */
    } else if (looks_like_jwt(token)) {
        user = check_jwt(a, token, now_s, why);
    } else {
        refuse(why, "390303", "Invalid OAuth access token.");
    }
    return user ? accepted(a, token, user) : NULL;
}
