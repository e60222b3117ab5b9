/* str.h - a borrowed run of bytes: never owned, never NUL-terminated by promise. */
#ifndef STR_H
#define STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p;
    size_t n;
};

#define STR(literal) ((struct str){ "" literal, sizeof(literal) - 1 })
#define STR_NONE     ((struct str){ NULL, 0 })
#define STR_ARG(s)   (int)(s).n, (s).p /* for printf's %.*s */

static inline struct str
str_of(const char *z)
{
    return z ? (struct str){ z, strlen(z) } : STR_NONE;
}

bool str_eq(struct str a, struct str b);
bool str_eq_nocase(struct str a, struct str b); /* ASCII only */
bool str_is(struct str a, const char *z);
bool str_is_nocase(struct str a, const char *z);
bool str_starts(struct str a, const char *prefix);
struct str str_trim(struct str s);              /* blanks and tabs at both ends */
struct str str_from(struct str s, size_t skip); /* what follows the first `skip` bytes */

/* Cuts off and returns what stands before the first `sep`; *rest keeps what follows it.
 * False when *rest was exhausted (p NULL). */
bool str_split(struct str *rest, char sep, struct str *part);

/* Whole text as a number; 0, or -1 on anything else (signs, blanks, overflow). */
int str_to_u64(struct str s, uint64_t *value);
int str_to_i64(struct str s, int64_t *value);

/* Copies with a NUL; cuts to fit.  Returns true when all of it fitted. */
bool str_copy(char *to, size_t size, struct str s);

/* The same bytes are valid UTF-8 (RFC 3629: no surrogates, no overlong forms, no U+110000..). */
bool utf8_is_valid(const char *p, size_t n);
/* Length of the character that p begins with: 1 to 4, or 0 when that is not valid UTF-8. */
size_t utf8_char(const char *p, size_t n);
/* Longest prefix of at most `max` bytes that does not end inside a character. */
size_t utf8_cut(const char *p, size_t n, size_t max);

/* Levenshtein distance, both at most 64 bytes (longer: 64). For "did you mean". */
unsigned str_distance(struct str a, struct str b);

#endif
