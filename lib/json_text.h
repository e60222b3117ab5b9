/* json_text.h - strict JSON: check a text, find raw values in a checked text, write escaped text.
 *
 * cJSON accepts what a server must not (trailing bytes, bad UTF-8, NUL, duplicate keys, leading
 * zeros, control characters) and rounds numbers: so every text from outside passes json_check()
 * first, and ids, progress tokens and numbers are taken as raw bytes from the text. */
#ifndef JSON_TEXT_H
#define JSON_TEXT_H

#include "buf.h"

enum json_fault_kind {
    JSON_OK,
    JSON_SYNTAX,    /* not RFC 8259 */
    JSON_UTF8,      /* invalid UTF-8, or a lone surrogate escape */
    JSON_NUL,       /* \u0000 in a string */
    JSON_DEPTH,     /* nested deeper than allowed */
    JSON_DUPLICATE, /* the same key twice in one object (compared after unescaping) */
};

struct json_fault {
    enum json_fault_kind kind;
    size_t offset;       /* byte where it was noticed */
    const char *message; /* constant text, e.g. "duplicate key" */
};

/* RFC 8259, one value, nothing but blanks around it; objects deeper than `dup_depth` levels are
 * not searched for duplicate keys (1: the outermost object only).  Depth counts arrays and objects
 * alike and ends at 1000 in any case.  0, or -1 with *fault (kind JSON_OK: out of memory; a NULL
 * fault is accepted). */
int json_check(struct str text, unsigned max_depth, unsigned dup_depth, struct json_fault *fault);

/* The rest needs checked text (on any other the answers mean nothing, but stay inside it). ---- */

/* Raw value of a member (quotes and all), or STR_NONE; `object` is the raw text of an object. */
struct str json_member(struct str object, const char *key);

/* First byte tells the type; blanks before it are skipped. */
enum json_type {
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
    JSON_ABSENT
};
enum json_type json_type_of(struct str raw);

/* Steps through the elements of a raw array / members of a raw object; start with *at = 0.
 * False at the end. */
bool json_next_element(struct str array, size_t *at, struct str *element);
bool json_next_member(struct str object, size_t *at, struct str *key_raw, struct str *value);

/* Decodes a raw string (with its quotes) and appends it; the result may hold any byte but NUL
 * unless the text was never checked for NUL. */
void json_unescape(struct buf *out, struct str raw_string);

/* Writing ------------------------------------------------------------------------------------ */

/* "text" with quotes; invalid UTF-8 becomes U+FFFD, control characters \n and the like or \u00XX.
 * For JSON inside a JSON string: write the inner text, then pass it here. */
void json_put_string(struct buf *out, struct str s);
void json_put_string_body(struct buf *out, struct str s); /* without the quotes */
static inline void
json_put_z(struct buf *out, const char *z)
{
    json_put_string(out, str_of(z));
}

/* The text is a JSON number literal (RFC 8259). */
bool json_is_number(struct str s);

#endif
