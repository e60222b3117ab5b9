/* test_encode.c - encode and secret. */
#include "encode.h"
#include "must.h"
#include "secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* RFC 4648 §10. */
static const struct {
    const char *plain, *padded, *bare;
} vectors[] = {
    { "", "", "" },
    { "f", "Zg==", "Zg" },
    { "fo", "Zm8=", "Zm8" },
    { "foo", "Zm9v", "Zm9v" },
    { "foob", "Zm9vYg==", "Zm9vYg" },
    { "fooba", "Zm9vYmE=", "Zm9vYmE" },
    { "foobar", "Zm9vYmFy", "Zm9vYmFy" },
};

static void
base64_matches_the_rfc(void **state)
{
    struct buf b;
    buf_init(&b, 100);
    for (size_t i = 0; i < NELEM(vectors); i++) {
        buf_clear(&b);
        base64_put(&b, vectors[i].plain, strlen(vectors[i].plain));
        assert_string_equal(buf_text(&b), vectors[i].padded);
        buf_clear(&b);
        base64url_put(&b, vectors[i].plain, strlen(vectors[i].plain));
        assert_string_equal(buf_text(&b), vectors[i].bare);
        buf_clear(&b);
        assert_int_equal(base64_decode(&b, str_of(vectors[i].padded)), 0);
        assert_string_equal(buf_text(&b), vectors[i].plain);
        buf_clear(&b);
        assert_int_equal(base64url_decode(&b, str_of(vectors[i].bare)), 0);
        assert_string_equal(buf_text(&b), vectors[i].plain);
    }
    buf_clear(&b);
    base64_put(&b, "\xfb\xff\xbf", 3);
    base64url_put(&b, "\xfb\xff\xbf", 3);
    assert_string_equal(buf_text(&b), "+/+/-_-_");
    buf_fini(&b);
}

static void
decoding_is_canonical_only(void **state)
{
    static const char *const bad[] = { "Zg", "Zg=", "Zg===", "Z===", "====", "=",
        "Zh==", "Zm9=", "Zm9v\n", "Zm9 ", "Zg==Zg==", "-_-_", "Z", "Zm9vY" };
    static const char *const bad_url[] = { "Zg==", "Zh", "Zm9", "+/+/", "Z", "Zm9v " };
    struct buf b;
    buf_init(&b, 100);
    buf_put_z(&b, "kept");
    for (size_t i = 0; i < NELEM(bad); i++)
        if (base64_decode(&b, str_of(bad[i])) != -1)
            fail_msg("accepted %s", bad[i]);
    for (size_t i = 0; i < NELEM(bad_url); i++)
        if (base64url_decode(&b, str_of(bad_url[i])) != -1)
            fail_msg("accepted %s", bad_url[i]);
    assert_string_equal(buf_text(&b), "kept");
    buf_fini(&b);
}

static void
every_length_survives_the_round_trip(void **state)
{
    struct buf text, back;
    unsigned char bytes[200];
    buf_init(&text, 1000);
    buf_init(&back, 1000);
    random_bytes(bytes, sizeof bytes);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        buf_clear(&text);
        buf_clear(&back);
        base64_put(&text, bytes, n);
        assert_int_equal(base64_decode(&back, buf_str(&text)), 0);
        buf_clear(&text);
        base64url_put(&text, bytes, n);
        assert_int_equal(base64url_decode(&back, buf_str(&text)), 0);
        assert_int_equal(back.len, 2 * n);
        if (n) {
            assert_memory_equal(back.p, bytes, n);
            assert_memory_equal(back.p + n, bytes, n);
        }
    }
    buf_fini(&text);
    buf_fini(&back);
}

static void
a_full_buffer_is_reported(void **state)
{
    struct buf b;
    buf_init(&b, 3);
    base64_put(&b, "foo", 3);
    assert_true(b.failed);
    buf_clear(&b);
    hex_put(&b, "fo", 2);
    assert_true(b.failed);
    assert_int_equal(b.len, 0);
    buf_fini(&b);
    buf_init(&b, 3);
    assert_int_equal(base64_decode(&b, STR("Zm9vYmFy")), -1);
    buf_fini(&b);
}

static void
assert_hex(const unsigned char *p, size_t n, const char *expected)
{
    struct buf b;
    buf_init(&b, 1000);
    hex_put(&b, p, n);
    assert_string_equal(buf_text(&b), expected);
    buf_fini(&b);
}

static void
digests_match_published_vectors(void **state)
{
    unsigned char d[32];
    sha256(d, "abc", 3); /* FIPS 180-2 */
    assert_hex(d, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256(d, NULL, 0);
    assert_hex(d, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    /* RFC 4231, case 2 */
    hmac_sha256(d, STR("Jefe"), "what do ya want for nothing?", 28);
    assert_hex(d, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    hmac_sha256(d, STR_NONE, "", 0);
    assert_hex(d, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void
uuids_are_version_4_and_differ(void **state)
{
    char a[UUID_TEXT], b[UUID_TEXT];
    for (int i = 0; i < 100; i++) {
        uuid_v4(a);
        uuid_v4(b);
        assert_int_equal(strlen(a), 36);
        assert_int_equal(a[14], '4');
        assert_non_null(strchr("89ab", a[19]));
        for (size_t k = 0; k < 36; k++)
            if (k == 8 || k == 13 || k == 18 || k == 23)
                assert_int_equal(a[k], '-');
            else
                assert_non_null(strchr("0123456789abcdef", a[k]));
        assert_string_not_equal(a, b);
    }
    assert_true(random_u64() != random_u64());
}

static void
secrets_compare_by_content(void **state)
{
    assert_true(secret_eq(STR("abc"), STR("abc")));
    assert_false(secret_eq(STR("abc"), STR("abd")));
    assert_false(secret_eq(STR("abc"), STR("ab")));
    assert_true(secret_eq(STR(""), STR_NONE));
}

static void
hash_spreads_over_both_ends(void **state)
{
    unsigned low[16] = { 0 }, high[16] = { 0 };
    for (unsigned i = 0; i < 16000; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%u", i);
        uint64_t h = hash64(str_of(key));
        low[h & 15]++;
        high[h >> 60]++;
    }
    for (int i = 0; i < 16; i++) {
        assert_in_range(low[i], 850, 1150);
        assert_in_range(high[i], 850, 1150);
    }
}

static void
a_secret_file_loses_one_newline(void **state)
{
    static const struct {
        const char *content, *secret;
    } cases[] = { { "key\n", "key" }, { "key", "key" }, { "key\r\n", "key" },
        { "key\n\n", "key\n" }, { " k \n", " k " }, { "", "" }, { "\n", "" } };
    char path[] = "/tmp/test_secret.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    struct err e;
    for (size_t i = 0; i < NELEM(cases); i++) {
        assert_int_equal(ftruncate(fd, 0), 0);
        size_t n = strlen(cases[i].content);
        assert_int_equal(pwrite(fd, cases[i].content, n, 0), n);
        struct secret *s = secret_read_file(path, &e);
        assert_non_null(s);
        assert_true(str_is(secret_str(s), cases[i].secret));
        secret_free(s);
    }
    assert_int_equal(ftruncate(fd, 65536), 0);
    struct secret *s = secret_read_file(path, &e);
    assert_non_null(s);
    assert_int_equal(secret_str(s).n, 65536);
    secret_free(s);
    assert_int_equal(ftruncate(fd, 65537), 0);
    assert_null(secret_read_file(path, &e));
    assert_non_null(strstr(e.text, "64 KiB"));
    close(fd);
    unlink(path);
    assert_null(secret_read_file(path, &e));
    assert_non_null(strstr(e.text, path));
    assert_null(secret_read_file(path, NULL));
}

static void
no_secret_lends_nothing(void **state)
{
    assert_null(secret_str(NULL).p);
    secret_free(NULL);
    struct secret *s = secret_new(STR("a\0b"));
    assert_int_equal(secret_str(s).n, 3);
    secret_free(s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_matches_the_rfc),
        cmocka_unit_test(decoding_is_canonical_only),
        cmocka_unit_test(every_length_survives_the_round_trip),
        cmocka_unit_test(a_full_buffer_is_reported),
        cmocka_unit_test(digests_match_published_vectors),
        cmocka_unit_test(uuids_are_version_4_and_differ),
        cmocka_unit_test(secrets_compare_by_content),
        cmocka_unit_test(hash_spreads_over_both_ends),
        cmocka_unit_test(a_secret_file_loses_one_newline),
        cmocka_unit_test(no_secret_lends_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
