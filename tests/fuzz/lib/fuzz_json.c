/* fuzz_json.c - the JSON checker, the raw walk, cJSON behind it and the writer, each against the
 * others: what passes the check must look the same to all of them. */
#include "json_dom.h"
#include "json_text.h"
#include "must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_DEPTH = 40 };

/* The text decoded, written, checked and decoded again. */
static void
check_string(struct str raw, struct str decoded_by_dom)
{
    struct buf plain, again, back;
    struct json_fault f;
    buf_init(&plain, raw.n);
    buf_init(&again, 6 * raw.n + 2);
    buf_init(&back, raw.n);
    json_unescape(&plain, raw);
    must(!plain.failed && utf8_is_valid(buf_text(&plain), plain.len));
    must(str_eq(buf_str(&plain), decoded_by_dom));
    json_put_string(&again, buf_str(&plain));
    must(!again.failed && json_check(buf_str(&again), 0, 0, &f) == 0);
    json_unescape(&back, buf_str(&again));
    must(str_eq(buf_str(&back), buf_str(&plain)));
    buf_fini(&plain);
    buf_fini(&again);
    buf_fini(&back);
}

/* The raw text and the tree are walked side by side. */
static void
compare(struct str raw, const struct json *dom)
{
    struct str key, value;
    size_t at = 0, n = 0;
    const struct json *child = json_first(dom);
    must(json_type_of(raw) == json_type(dom));
    switch (json_type(dom)) {
    case JSON_STRING:
        check_string(raw, json_string(dom));
        break;
    case JSON_NUMBER:
        must(json_is_number(raw));
        break;
    case JSON_ARRAY:
        for (; json_next_element(raw, &at, &value); child = json_following(child), n++)
            compare(value, child);
        must(child == NULL && n == json_count(dom));
        break;
    case JSON_OBJECT:
        for (; json_next_member(raw, &at, &key, &value); child = json_following(child), n++) {
            check_string(key, str_of(json_key(child)));
            struct str found = json_member(raw, json_key(child));
            must(found.p == value.p && found.n == value.n);
            must(json_get(dom, json_key(child)) == child);
            compare(value, child);
        }
        must(child == NULL && n == json_count(dom));
        break;
    default:
        break;
    }
}

/* On unchecked text the answers mean nothing, but they stay inside it and come to an end. */
static void
walk_unchecked(struct str text)
{
    struct str key, value;
    size_t at = 0, rounds = 0;
    struct buf b;
    while (json_next_element(text, &at, &value)) {
        must(value.p >= text.p && value.p + value.n <= text.p + text.n);
        must(++rounds <= text.n);
    }
    at = rounds = 0;
    while (json_next_member(text, &at, &key, &value)) {
        must(key.p >= text.p && value.p + value.n <= text.p + text.n);
        must(++rounds <= text.n);
    }
    json_member(text, "id");
    json_type_of(text);
    json_is_number(text);
    buf_init(&b, 3 * text.n); /* a bad escape becomes U+FFFD */
    json_unescape(&b, text);
    buf_fini(&b);
}

/* Any bytes, written as a string, are a JSON string. */
static void
write_anything(struct str bytes)
{
    struct buf b, back;
    struct json_fault f;
    buf_init(&b, 6 * bytes.n + 2);
    buf_init(&back, 6 * bytes.n + 2);
    json_put_string(&b, bytes);
    must(!b.failed);
    bool has_nul = bytes.n && memchr(bytes.p, '\0', bytes.n);
    must(json_check(buf_str(&b), 0, 0, &f) == (has_nul ? -1 : 0));
    must(f.kind == (has_nul ? JSON_NUL : JSON_OK));
    json_unescape(&back, buf_str(&b));
    if (utf8_is_valid(bytes.p, bytes.n))
        must(str_eq(buf_str(&back), bytes));
    buf_fini(&b);
    buf_fini(&back);
}

static struct str
without_blanks(struct str s)
{
    while (s.n && strchr(" \t\r\n", s.p[0]))
        s = str_from(s, 1);
    while (s.n && strchr(" \t\r\n", s.p[s.n - 1]))
        s.n--;
    return s;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = { (const char *)data, size };
    struct json_fault all, top, parsed;
    int strict = json_check(text, MAX_DEPTH, MAX_DEPTH, &all);
    int loose = json_check(text, MAX_DEPTH, 1, &top);
    must((strict == 0) == (all.kind == JSON_OK));
    must(all.offset <= size && top.offset <= size);
    must(strict != 0 || loose == 0);
    if (loose == 0)
        must(utf8_is_valid(text.p, text.n));

    struct json *doc = json_parse(text, MAX_DEPTH, &parsed);
    if (strict != 0)
        must(doc == NULL && parsed.kind == all.kind && parsed.offset == all.offset);
    else if (doc)
        compare(without_blanks(text), doc);
    else
        must(parsed.kind == JSON_SYNTAX); /* a number of more than 63 characters */
    json_free(doc);

    walk_unchecked(text);
    write_anything(text);
    return 0;
}
