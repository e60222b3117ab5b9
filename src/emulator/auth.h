/* auth.h - who a request comes from: key-pair JWT, programmatic access token or OAuth token.
 *
 * Everything known is given at start; checking only reads, apart from the count of logins.
 * Event loop only. */
#ifndef EMULATOR_AUTH_H
#define EMULATOR_AUTH_H

#include "err.h"
#include "str.h"

struct auth;

struct auth_refusal { /* always HTTP 401 */
    char code[8];
    char message[200];
};

struct auth *auth_new(const char *account); /* as the operator writes it; NULL: no memory */
void auth_free(struct auth *a);
const char *auth_account(const struct auth *a); /* upper case */

/* A login name and the public keys (PEM, SubjectPublicKeyInfo) that may sign for it, at most two.
 */
int auth_add_user(struct auth *a, const char *login, struct err *e);
int auth_add_key(struct auth *a, const char *login, const char *pem_file, struct err *e);
/* Tokens belong to the first user added. */
int auth_add_pat(struct auth *a, const char *token);
int auth_add_oauth(struct auth *a, const char *token);

/* `authorization` and `token_type` are header values, STR_NONE when absent.  Returns the user's
 * name (lent), or NULL with *why. */
const char *auth_check(struct auth *a, struct str authorization, struct str token_type,
    int64_t now_s, struct auth_refusal *why);

uint64_t auth_logins(const struct auth *a); /* different credentials accepted so far */
/* From now on every JWT is refused with 390144 until called again with false. */
void auth_refuse_jwts(struct auth *a, bool refuse);

#endif
