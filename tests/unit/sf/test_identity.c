/* test_identity.c - hosts, names, keys and what is shown at Snowflake's door. */
#include "sf/credential.h"
#include "sf/identity.h"

#include "clock.h"
#include "encode.h"
#include "json_text.h"
#include "sf/account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

static EVP_PKEY *pkey; /* made once: RSA keys are slow to come by */

static char *
pem_of(const EVP_CIPHER *cipher, const char *pass)
{
    BIO *b = BIO_new(BIO_s_mem());
    char *p = NULL;
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(
                         b, pkey, cipher, pass, pass ? (int)strlen(pass) : 0, NULL, NULL),
        1);
    long n = BIO_get_mem_data(b, &p);
    char *text = strndup(p, (size_t)n);
    BIO_free(b);
    return text;
}

static int
make_key(void **state)
{
    pkey = EVP_RSA_gen(2048);
    return pkey ? 0 : -1;
}

static int
free_key(void **state)
{
    EVP_PKEY_free(pkey);
    return 0;
}

static struct config
plain_config(void)
{
    return (struct config){ .sf_account = "org-acc", .sf_user = "svc", .sf_port = 443 };
}

/* ---- names --------------------------------------------------------------------------------- */

static void
hosts_follow_the_table(void **state)
{
    static const struct {
        const char *account, *host;
    } rows[] = {
        { "org-account", "org-account.snowflakecomputing.com" },
        { "ORG-Account", "org-account.snowflakecomputing.com" },
        { "org-my_account_1", "org-my-account-1.snowflakecomputing.com" },
        { "ab12345", "ab12345.snowflakecomputing.com" },
        { "ab12345.eu-west-1", "ab12345.eu-west-1.snowflakecomputing.com" },
        { "ab12345.east-us-2.azure", "ab12345.east-us-2.azure.snowflakecomputing.com" },
        { "ab12345.us-gov-west-1", "ab12345.us-gov-west-1.snowflakecomputing.com" },
        { "ab12345.us-east-2.aws", "ab12345.us-east-2.aws.snowflakecomputing.com" },
        { "ab12345.cn-northwest-1", "ab12345.cn-northwest-1.snowflakecomputing.cn" },
        { "org-account.privatelink", "org-account.privatelink.snowflakecomputing.com" },
        { "ab12345.eu-west-1.privatelink", "ab12345.eu-west-1.privatelink.snowflakecomputing.com" },
        { "org-conn", "org-conn.snowflakecomputing.com" },
        { "conn-xyz.global", "conn-xyz.global.snowflakecomputing.com" },
        { "org.account", "org-account.snowflakecomputing.com" },
        { "org.my_account", "org-my-account.snowflakecomputing.com" },
        { " https://org-account.snowflakecomputing.com/ ", "org-account.snowflakecomputing.com" },
        { "ab12345.cn-northwest-1.snowflakecomputing.cn",
            "ab12345.cn-northwest-1.snowflakecomputing.cn" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b;
        struct err e;
        buf_init(&b, 512);
        assert_int_equal(account_host(str_of(rows[i].account), &b, &e), 0);
        assert_string_equal(buf_text(&b), rows[i].host);
        buf_fini(&b);
    }
}

static void
account_claims_follow_the_rules(void **state)
{
    static const struct {
        const char *account, *claim;
    } rows[] = {
        { "org-account", "ORG-ACCOUNT" },
        { "my_org-acc_1", "MY_ORG-ACC_1" },
        { "ab12345.eu-west-1", "AB12345" },
        { "ab12345.east-us-2.azure", "AB12345" },
        { "org-account.privatelink", "ORG-ACCOUNT" },
        { "conn-xyz.global", "CONN" },
        { "conn-a-b.global", "CONN" },
        { "org.account", "ORG-ACCOUNT" },
        { "org-account.snowflakecomputing.com", "ORG-ACCOUNT" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b;
        struct err e;
        buf_init(&b, 512);
        assert_int_equal(account_claim(str_of(rows[i].account), &b, &e), 0);
        assert_string_equal(buf_text(&b), rows[i].claim);
        buf_fini(&b);
    }
}

static void
what_is_no_identifier_is_refused(void **state)
{
    static const char *const wrong[] = { "", "  ", "org account", "org/account", "a@b",
        "org-account:443", "-org", "org.", "x\ny" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct buf b;
        struct err e = { "" };
        buf_init(&b, 512);
        assert_int_equal(account_host(str_of(wrong[i]), &b, &e), -1);
        assert_non_null(strstr(e.text, "snowflake.account"));
        buf_fini(&b);
    }
}

/* ---- settings ------------------------------------------------------------------------------ */

static void
expect_url(struct config *c, const char *url)
{
    struct err e;
    c->sf_password = secret_new(STR("pat"));
    struct sf_identity *i = sf_identity_new(c, &e);
    if (!i)
        fail_msg("%s", e.text);
    assert_string_equal(sf_identity_base_url(i), url);
    assert_null(sf_identity_fingerprint(i));
    sf_identity_free(i);
    secret_free(c->sf_password);
    c->sf_password = NULL;
}

static void
expect_refused(const struct config *c, const char *why)
{
    struct err e = { "" };
    assert_null(sf_identity_new(c, &e));
    if (!strstr(e.text, why))
        fail_msg("got '%s', wanted '%s'", e.text, why);
}

static void
an_explicit_host_wins(void **state)
{
    struct config c = plain_config();
    expect_url(&c, "https://org-acc.snowflakecomputing.com");
    c.sf_host = "proxy.example";
    expect_url(&c, "https://proxy.example");
    c.sf_port = 8443;
    expect_url(&c, "https://proxy.example:8443");
    c.sf_protocol = SF_PROTOCOL_HTTP;
    c.sf_host = "127.0.0.1";
    expect_url(&c, "http://127.0.0.1:8443");
    c.sf_host = "[::1]";
    expect_url(&c, "http://[::1]:8443");
    c.sf_account = NULL; /* a token needs no names */
    c.sf_user = NULL;
    expect_url(&c, "http://[::1]:8443");
}

static void
wrong_settings_are_named(void **state)
{
    struct config c = plain_config();
    expect_refused(&c, "no credential is set");
    c.sf_password = secret_new(STR("  "));
    expect_refused(&c, "snowflake.token: the token is empty");
    secret_free(c.sf_password);
    c.sf_password = secret_new(STR("a\r\nX-Evil: 1"));
    expect_refused(&c, "snowflake.token: byte 2");
    secret_free(c.sf_password);
    c.sf_password = secret_new(STR("t"));
    c.sf_protocol = SF_PROTOCOL_HTTP;
    expect_refused(&c, "loopback hosts only");
    c.sf_host = "http://127.0.0.1";
    expect_refused(&c, "snowflake.host: 'http://127.0.0.1' is not a host name");
    c.sf_host = "127.0.0.1:80";
    expect_refused(&c, "scheme and port are");
    c.sf_host = NULL;
    c.sf_account = NULL;
    expect_refused(&c, "snowflake.account is not set");
    c = (struct config){ .sf_account = "a-b", .sf_port = 443, .sf_password = c.sf_password };
    c.sf_authenticator = SF_AUTH_KEY_PAIR;
    expect_refused(&c, "snowflake.private_key_path is not set");
    c.sf_authenticator = SF_AUTH_OAUTH;
    expect_refused(&c, "snowflake.oauth_token_file is not set");
    c.sf_oauth_token_file = "/nonexistent/token";
    expect_refused(&c, "snowflake.oauth_token_file");
    secret_free(c.sf_password);

    c = plain_config();
    char *pem = pem_of(NULL, NULL);
    c.sf_private_key = secret_new(str_of(pem));
    c.sf_user = NULL;
    expect_refused(&c, "snowflake.user is not set");
    secret_free(c.sf_private_key);
    free(pem);
    c.sf_private_key = NULL;
    c.sf_private_key_path = "/nonexistent/key.pem";
    expect_refused(&c, "snowflake.private_key_path");
}

/* ---- keys ---------------------------------------------------------------------------------- */

static void
expect_key(const char *text, const char *pass)
{
    struct err e;
    struct key *k = key_parse(str_of(text), str_of(pass), &e);
    if (!k)
        fail_msg("%s", e.text);
    unsigned char *der = NULL, hash[32];
    int n = i2d_PUBKEY(pkey, &der);
    sha256(hash, der, (size_t)n);
    OPENSSL_free(der);
    struct buf want;
    buf_init(&want, 128);
    buf_put_z(&want, "SHA256:");
    base64_put(&want, hash, sizeof hash);
    assert_string_equal(key_fingerprint(k), buf_text(&want));
    buf_fini(&want);
    key_free(k);
}

static void
refuse_key(const char *text, const char *pass, const char *why)
{
    struct err e = { "" };
    assert_null(key_parse(str_of(text), str_of(pass), &e));
    if (!strstr(e.text, why))
        fail_msg("got '%s', wanted '%s'", e.text, why);
}

static void
keys_are_read_in_every_form(void **state)
{
    char *plain = pem_of(NULL, NULL), *locked = pem_of(EVP_aes_256_cbc(), "s3cret");
    expect_key(plain, NULL);
    expect_key(plain, "not needed");
    expect_key(locked, "s3cret");
    refuse_key(locked, "wrong", "cannot be decrypted");
    refuse_key(locked, NULL, "is encrypted: set snowflake.private_key_passphrase");

    struct buf b;
    buf_init(&b, 1 << 16);
    base64_put(&b, plain, strlen(plain));
    expect_key(buf_text(&b), NULL);
    buf_clear(&b);
    base64_put(&b, locked, strlen(locked));
    buf_put_c(&b, '\n');
    expect_key(buf_text(&b), "s3cret");
    buf_clear(&b);
    for (const char *p = plain; *p; p++) { /* line ends written out, as in an environment */
        if (*p == '\n')
            buf_put_z(&b, "\\n");
        else
            buf_put_c(&b, *p);
    }
    expect_key(buf_text(&b), NULL);
    buf_fini(&b);
    free(plain);
    free(locked);
}

static void
what_is_no_private_rsa_key_is_refused(void **state)
{
    refuse_key("hello", NULL, "neither a PEM text");
    refuse_key("", NULL, "neither a PEM text");
    refuse_key("aGVsbG8=", NULL, "neither a PEM text");
    refuse_key("-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----\n", NULL,
        "cannot be read");
    BIO *b = BIO_new(BIO_s_mem());
    char *p;
    PEM_write_bio_PUBKEY(b, pkey);
    BIO_write(b, "", 1);
    BIO_get_mem_data(b, &p);
    refuse_key(p, NULL, "public key");
    BIO_free(b);

    EVP_PKEY *mine = pkey;
    pkey = EVP_RSA_gen(1024);
    char *text = pem_of(NULL, NULL);
    refuse_key(text, NULL, "only 1024 bits");
    free(text);
    EVP_PKEY_free(pkey);
    pkey = EVP_EC_gen("P-256");
    text = pem_of(NULL, NULL);
    refuse_key(text, NULL, "not an RSA key");
    free(text);
    EVP_PKEY_free(pkey);
    pkey = mine;
}

static void
keys_and_pass_phrases_come_from_files(void **state)
{
    char key_file[] = "/tmp/test_identity_key_XXXXXX", pass_file[] = "/tmp/test_identity_pp_XXXXXX";
    int fd = mkstemp(key_file), fd2 = mkstemp(pass_file);
    char *locked = pem_of(EVP_aes_256_cbc(), "from file");
    assert_int_equal(write(fd, locked, strlen(locked)), strlen(locked));
    assert_int_equal(write(fd2, "from file\n", 10), 10);
    close(fd);
    close(fd2);
    struct config c = plain_config();
    struct err e = { "" };
    c.sf_private_key_path = key_file;
    expect_refused(&c, "snowflake.private_key_path: the key is encrypted");
    c.sf_private_key_passphrase_file = pass_file;
    struct sf_identity *i = sf_identity_new(&c, &e);
    assert_string_equal(e.text, "");
    assert_true(strncmp(sf_identity_fingerprint(i), "SHA256:", 7) == 0);
    sf_identity_free(i);
    free(locked);
    unlink(key_file);
    unlink(pass_file);
}

/* ---- credentials --------------------------------------------------------------------------- */

static void
decode(struct str part, struct buf *out)
{
    buf_clear(out);
    assert_int_equal(base64url_decode(out, part), 0);
}

static void
tokens_are_signed_by_the_key_with_the_right_claims(void **state)
{
    struct config c = plain_config();
    c.sf_account = "my_org-acc_1.privatelink";
    c.sf_user = "u.x@y";
    char *pem = pem_of(NULL, NULL);
    c.sf_private_key = secret_new(str_of(pem));
    struct err e = { "" };
    struct sf_identity *i = sf_identity_new(&c, &e);
    assert_string_equal(e.text, "");
    struct credential *cred = credential_new(i);
    const char *authorization, *type;
    assert_int_equal(credential_headers(cred, &authorization, &type, &e), 0);
    assert_string_equal(type, "X-Snowflake-Authorization-Token-Type: KEYPAIR_JWT");
    const char *prefix = "Authorization: Bearer ";
    assert_int_equal(strncmp(authorization, prefix, strlen(prefix)), 0);

    struct str token = str_of(authorization + strlen(prefix)), rest = token, head, body;
    assert_true(str_split(&rest, '.', &head));
    assert_true(str_split(&rest, '.', &body));
    struct buf b;
    buf_init(&b, 4096);
    decode(rest, &b);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, pkey), 1);
    assert_int_equal(EVP_DigestVerify(md, (const unsigned char *)b.p, b.len,
                         (const unsigned char *)token.p, head.n + 1 + body.n),
        1);
    EVP_MD_CTX_free(md);

    decode(head, &b);
    assert_true(str_is(json_member(buf_str(&b), "alg"), "\"RS256\""));
    decode(body, &b);
    char want[256];
    snprintf(want, sizeof want, "\"MY_ORG-ACC_1.U.X@Y.%s\"", sf_identity_fingerprint(i));
    struct json_fault fault;
    assert_int_equal(json_check(buf_str(&b), 4, 1, &fault), 0);
    struct buf iss; /* a slash may come escaped */
    buf_init(&iss, 256);
    buf_put_c(&iss, '"');
    json_unescape(&iss, json_member(buf_str(&b), "iss"));
    buf_put_c(&iss, '"');
    assert_string_equal(buf_text(&iss), want);
    buf_fini(&iss);
    assert_true(str_is(json_member(buf_str(&b), "sub"), "\"MY_ORG-ACC_1.U.X@Y\""));
    int64_t iat, exp;
    assert_int_equal(str_to_i64(json_member(buf_str(&b), "iat"), &iat), 0);
    assert_int_equal(str_to_i64(json_member(buf_str(&b), "exp"), &exp), 0);
    assert_true(llabs(iat - clock_wall_s()) <= 1);
    assert_int_equal(exp - iat, 59 * 60);
    buf_fini(&b);

    /* The same one for 50 minutes, then another; another too when the wall clock was set. */
    char *first = strdup(authorization);
    clock_skip_ms(49 * 60 * 1000);
    assert_int_equal(credential_headers(cred, &authorization, &type, &e), 0);
    assert_string_equal(authorization, first);
    clock_skip_ms(2 * 60 * 1000);
    assert_int_equal(credential_headers(cred, &authorization, &type, &e), 0);
    assert_string_not_equal(authorization, first);
    free(first);

    /* A refused one is replaced at once; news come once for each. */
    unsigned serial = credential_serial(cred);
    assert_int_equal(credential_answered(cred, serial, false), CREDENTIAL_LOGIN_OK);
    assert_int_equal(credential_answered(cred, serial, false), CREDENTIAL_NOTHING);
    assert_int_equal(credential_answered(cred, serial, true), CREDENTIAL_LOGIN_REFUSED);
    assert_int_equal(credential_answered(cred, serial, true), CREDENTIAL_NOTHING);
    assert_int_equal(credential_headers(cred, &authorization, &type, &e), 0);
    assert_int_equal(credential_serial(cred), serial + 1);
    assert_int_equal(credential_answered(cred, serial, true), CREDENTIAL_NOTHING);
    assert_int_equal(credential_headers(cred, &authorization, &type, &e), 0);
    assert_int_equal(credential_serial(cred), serial + 1);

    credential_free(cred);
    sf_identity_free(i);
    secret_free(c.sf_private_key);
    free(pem);
}

static void
a_programmatic_token_goes_out_as_it_is(void **state)
{
    struct config c = plain_config();
    struct err e;
    c.sf_password = secret_new(STR(" tok-1\n"));
    struct sf_identity *i = sf_identity_new(&c, &e);
    struct credential *cred = credential_new(i);
    const char *authorization, *type;
    assert_int_equal(credential_headers(cred, &authorization, &type, &e), 0);
    assert_string_equal(authorization, "Authorization: Bearer tok-1");
    assert_string_equal(type, "X-Snowflake-Authorization-Token-Type: PROGRAMMATIC_ACCESS_TOKEN");
    /* Refused: there is no other one to try. */
    unsigned serial = credential_serial(cred);
    credential_answered(cred, serial, true);
    assert_int_equal(credential_headers(cred, &authorization, &type, &e), 0);
    assert_int_equal(credential_serial(cred), serial);
    credential_free(cred);
    sf_identity_free(i);
    secret_free(c.sf_password);
}

static void
put_file(const char *path, const char *text)
{
    char next[128];
    snprintf(next, sizeof next, "%s.new", path);
    FILE *f = fopen(next, "w");
    fputs(text, f);
    fclose(f);
    assert_int_equal(rename(next, path), 0);
}

static void
an_oauth_file_is_read_again_when_it_changes(void **state)
{
    char path[] = "/tmp/test_identity_oauth_XXXXXX";
    close(mkstemp(path));
    put_file(path, "one\n");
    struct config c = plain_config();
    c.sf_oauth_token_file = path;
    struct err e;
    struct sf_identity *i = sf_identity_new(&c, &e);
    struct credential *cred = credential_new(i);
    const char *authorization, *type;
    assert_int_equal(credential_headers(cred, &authorization, &type, &e), 0);
    assert_string_equal(authorization, "Authorization: Bearer one");
    assert_string_equal(type, "X-Snowflake-Authorization-Token-Type: OAUTH");
    put_file(path, "two");
    clock_skip_ms(1500);
    assert_int_equal(credential_headers(cred, &authorization, &type, &e), 0);
    assert_string_equal(authorization, "Authorization: Bearer two");
    /* A refusal looks at once; a file that holds no token leaves the old one in place. */
    unsigned serial = credential_serial(cred);
    put_file(path, "three");
    assert_int_equal(credential_headers(cred, &authorization, &type, &e), 0);
    assert_string_equal(authorization, "Authorization: Bearer two");
    credential_answered(cred, serial, true);
    assert_int_equal(credential_headers(cred, &authorization, &type, &e), 0);
    assert_string_equal(authorization, "Authorization: Bearer three");
    put_file(path, "");
    clock_skip_ms(1500);
    assert_int_equal(credential_headers(cred, &authorization, &type, &e), 0);
    assert_string_equal(authorization, "Authorization: Bearer three");
    unlink(path);
    clock_skip_ms(1500);
    assert_int_equal(credential_headers(cred, &authorization, &type, &e), 0);
    assert_string_equal(authorization, "Authorization: Bearer three");
    credential_free(cred);
    sf_identity_free(i);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_follow_the_table),
        cmocka_unit_test(account_claims_follow_the_rules),
        cmocka_unit_test(what_is_no_identifier_is_refused),
        cmocka_unit_test(an_explicit_host_wins),
        cmocka_unit_test(wrong_settings_are_named),
        cmocka_unit_test(keys_are_read_in_every_form),
        cmocka_unit_test(what_is_no_private_rsa_key_is_refused),
        cmocka_unit_test(keys_and_pass_phrases_come_from_files),
        cmocka_unit_test(tokens_are_signed_by_the_key_with_the_right_claims),
        cmocka_unit_test(a_programmatic_token_goes_out_as_it_is),
        cmocka_unit_test(an_oauth_file_is_read_again_when_it_changes),
    };
    return cmocka_run_group_tests(tests, make_key, free_key);
}
