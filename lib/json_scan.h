/* json_scan.h - the inner loops that json_text.c and json_check.c share; nobody else includes
 * this. */
#ifndef JSON_SCAN_H
#define JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static inline bool
json_is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline bool
json_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* How many bytes from p on mean themselves inside a string: ASCII that is neither a control
 * character nor a quote nor a backslash. */
static inline size_t
json_plain_run(const char *p, size_t n)
{
    size_t i = 0;
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
    const __m128i space = _mm_set1_epi8(0x20);
    for (; n - i >= 16; i += 16) {
        const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        /* Signed: bytes from 0x80 on are below the blank, too. */
        const __m128i hit = _mm_or_si128(_mm_cmplt_epi8(v, space),
            _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)));
        unsigned mask = (unsigned)_mm_movemask_epi8(hit);
        if (mask)
            return i + (size_t)__builtin_ctz(mask);
    }
#endif
    while (i < n && (signed char)p[i] >= 0x20 && p[i] != '"' && p[i] != '\\')
        i++;
    return i;
}

/* Four hexadecimal digits, or -1. */
static inline int
json_hex4(const char *p, size_t n)
{
    int v = 0;
    if (n < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int d = json_is_digit(c)       ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
        if (d < 0)
            return -1;
        v = v << 4 | d;
    }
    return v;
}

/* Length of the number that p begins with, 0 when it is none. */
static inline size_t
json_number_length(const char *p, size_t n)
{
    size_t i = n && p[0] == '-';
    if (i >= n || !json_is_digit(p[i]))
        return 0;
    if (p[i++] != '0')
        while (i < n && json_is_digit(p[i]))
            i++;
    if (i < n && p[i] == '.') {
        if (++i >= n || !json_is_digit(p[i]))
            return 0;
        while (i < n && json_is_digit(p[i]))
            i++;
    }
    if (i < n && (p[i] == 'e' || p[i] == 'E')) {
        i++;
        if (i < n && (p[i] == '+' || p[i] == '-'))
            i++;
        if (i >= n || !json_is_digit(p[i]))
            return 0;
        while (i < n && json_is_digit(p[i]))
            i++;
    }
    return i;
}

#endif
