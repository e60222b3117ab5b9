/* The first line of a request, a byte at a time: method, target, version.  Same rules as
 * http_scan.c. */
#include "front/http_scan_internal.h"

/* Classes of bytes: RFC 9110 token and field value, RFC 3986 URI without fragment, reg-name. */
#define T_ (TOKEN | VALUE)
#define A_ (TOKEN | VALUE | TARGET | HOST)
#define D_ (VALUE | TARGET | HOST)
/* clang-format off */
const uint8_t scan_classes[256] = {
    ['\t'] = VALUE, [' '] = VALUE,
    ['!'] = A_, ['"'] = VALUE, ['#'] = T_, ['$' ... '\''] = A_, ['(' ... ')'] = D_, ['*' ... '+'] = A_,
    [','] = D_, ['-' ... '.'] = A_, ['/'] = VALUE | TARGET, ['0' ... '9'] = A_, [':' ... ';'] = D_,
    ['<'] = VALUE, ['='] = D_, ['>'] = VALUE, ['?' ... '@'] = VALUE | TARGET, ['A' ... 'Z'] = A_,
    ['['] = D_, ['\\'] = VALUE, [']'] = D_, ['^'] = T_, ['_'] = A_, ['`'] = T_, ['a' ... 'z'] = A_,
    ['{'] = VALUE, ['|'] = T_, ['}'] = VALUE, ['~'] = A_,
    [0x80 ... 0xff] = VALUE,
};
/* clang-format on */
#undef D_
#undef T_
#undef A_

static const struct {
    const char *name;
    uint8_t len, method;
} methods[] = {
    { "POST", 4, SCAN_POST },
    { "GET", 3, SCAN_GET },
    { "HEAD", 4, SCAN_HEAD },
    { "PUT", 3, SCAN_PUT },
    { "PATCH", 5, SCAN_PATCH },
    { "DELETE", 6, SCAN_DELETE },
    { "OPTIONS", 7, SCAN_OPTIONS },
    { "TRACE", 5, SCAN_TRACE },
    { "CONNECT", 7, SCAN_CONNECT },
};

void
scan_end_method(struct http_scan *s)
{
    size_t i;

    for (i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (s->name_len == methods[i].len && memcmp(s->name, methods[i].name, s->name_len) == 0)
            s->method = methods[i].method;
    if (s->name_len == 0)
        scan_refuse(s, 400, "malformed request line");
    else if (s->method == SCAN_UNKNOWN_METHOD || s->method == SCAN_TRACE ||
             s->method == SCAN_CONNECT)
        scan_refuse(s, 405, "method not allowed");
    else
        s->state = S_TARGET;
    s->name_len = 0;
}

/* One byte of the target.  `name` collects the scheme of an absolute one. */
void
scan_target_byte(struct http_scan *s, unsigned char c)
{
    int digit;

    if (!(scan_classes[c] & TARGET)) {
        scan_refuse(s, 400, "character not allowed in the request target");
        return;
    }
    if (s->percent) {
        digit = scan_hex(c);
        s->percent_value = (uint8_t)(s->percent_value << 4 | (digit & 15));
        if (digit < 0 || (--s->percent == 0 && s->percent_value == 0))
            scan_refuse(s, 400, "bad percent encoding in the request target");
        return;
    }
    if (c == '%') {
        s->percent = 2;
        s->percent_value = 0;
    }
    switch (s->target) {
    case TARGET_NONE:
        s->target = c == '/' ? TARGET_PATH : c == '*' ? TARGET_STAR : TARGET_ABSOLUTE;
        break;
    case TARGET_PATH:
        return;
    case TARGET_STAR:
        scan_refuse(s, 400, "malformed request target");
        return;
    }
    if (s->target != TARGET_ABSOLUTE)
        return;
    if (s->value_len == 0) { /* still in "http://" */
        s->name[s->name_len++] = (char)(c | 0x20);
        if ((s->name_len == 7 && memcmp(s->name, "http://", 7) == 0) ||
            (s->name_len == 8 && memcmp(s->name, "https://", 8) == 0))
            s->value_len = 1;
        else if (s->name_len >= 8)
            scan_refuse(s, 400, "malformed request target");
    } else if (s->value_len == 1) { /* in the authority */
        if (c == '/' || c == '?')
            s->value_len = 2;
        else if (!(scan_classes[c] & HOST))
            scan_refuse(s, 400, "malformed request target");
        else
            s->authority = true;
    }
}

void
scan_end_target(struct http_scan *s)
{
    bool whole = s->target == TARGET_PATH ||
                 (s->target == TARGET_STAR && s->method == SCAN_OPTIONS) ||
                 (s->target == TARGET_ABSOLUTE && s->authority);

    if (!whole || s->percent)
        scan_refuse(s, 400, "malformed request target");
    else
        s->state = S_VERSION;
    s->name_len = s->value_len = 0;
}

void
scan_version_byte(struct http_scan *s, unsigned char c)
{
    static const char prefix[] = "HTTP/";
    unsigned at = s->version_at++;
    bool digit = c >= '0' && c <= '9';

    if (at < 5 ? c == (unsigned char)prefix[at] : at == 6 ? c == '.' : at <= 7 && digit) {
        if (at == 5)
            s->major = (uint8_t)(c - '0');
        else if (at == 7)
            s->minor = (uint8_t)(c - '0');
    } else if (c == '\r' && at == 8) {
        s->state = S_LINE_LF;
    } else {
        scan_refuse(s, 400, "malformed request line");
    }
}
