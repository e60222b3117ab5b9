/* http_request.c - tells curl what an exchange sends and how.  Worker only; never lets a caller's
 * text add a header of its own. */
#include "http_private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool
http_header_is(struct str line, const char *name, struct str *value)
{
    size_t n = strlen(name);
    if (line.n <= n || line.p[n] != ':' || strncasecmp(line.p, name, n) != 0)
        return false;
    *value = str_trim(str_from(line, n + 1));
    return true;
}

static int
add_header(struct http_exchange *x, const char *line)
{
    struct curl_slist *more = curl_slist_append(x->headers, line);
    if (!more)
        return -1;
    x->headers = more;
    return 0;
}

static int
set_headers(struct http_exchange *x, const struct http_send *s, struct err *e)
{
    bool type = false, encoding = false;
    struct str value;
    for (const char *const *h = s->headers; h && *h; h++) {
        if (strpbrk(*h, "\r\n"))
            return err_set(e, "line break in a request header");
        type |= http_header_is(str_of(*h), "content-type", &value);
        encoding |= http_header_is(str_of(*h), "accept-encoding", &value);
        if (add_header(x, *h) != 0)
            return err_set(e, "out of memory");
    }
    /* "Name:" keeps curl from adding its own. */
    if (add_header(x, "Expect:") != 0 || (!type && add_header(x, "Content-Type:") != 0) ||
        (!encoding && add_header(x, "Accept-Encoding: gzip") != 0))
        return err_set(e, "out of memory");
    return 0;
}

/* "host:port" of the URL, without what may stand before an '@'. */
static int
set_url(struct http_exchange *x, const char *url, struct err *e)
{
    const char *at = strncmp(url, "http://", 7) == 0    ? url + 7
                     : strncmp(url, "https://", 8) == 0 ? url + 8
                                                        : NULL;
    if (!at)
        return err_set(e, "the URL does not begin with http:// or https://");
    x->tls = url[4] == 's';
    size_t n = strcspn(at, "/?#");
    const char *user = n ? memrchr(at, '@', n) : NULL;
    if (user) {
        n -= (size_t)(user + 1 - at);
        at = user + 1;
    }
    str_copy(x->host, sizeof x->host, (struct str){ at, n });
    return curl_easy_setopt(x->easy, CURLOPT_URL, url) == CURLE_OK ? 0
                                                                   : err_set(e, "out of memory");
}

static size_t
on_read(char *to, size_t size, size_t n, void *exchange)
{
    struct http_exchange *x = exchange;
    n *= size;
    if (n > x->unsent.n)
        n = x->unsent.n;
    if (n)
        memcpy(to, x->unsent.p, n);
    x->unsent = str_from(x->unsent, n);
    return n;
}

static int
set_method(struct http_exchange *x, const struct http_send *s)
{
    CURL *h = x->easy;
    if (strcmp(s->method, "GET") == 0 && s->body.n == 0)
        return curl_easy_setopt(h, CURLOPT_HTTPGET, 1L);
    if (strcmp(s->method, "HEAD") == 0)
        return curl_easy_setopt(h, CURLOPT_NOBODY, 1L);
    if (strcmp(s->method, "POST") != 0 && curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, s->method))
        return -1;
    if (strcmp(s->method, "POST") != 0 && s->body.n == 0)
        return 0;
    /* Not CURLOPT_POSTFIELDS: when a kept connection dies under a request curl would send such a
     * body once more by itself, and only the caller knows whether that is harmless.  A body that
     * cannot be rewound makes it an ordinary loss. */
    x->unsent = s->body;
    return curl_easy_setopt(h, CURLOPT_POST, 1L) ||
           curl_easy_setopt(h, CURLOPT_READFUNCTION, on_read) ||
           curl_easy_setopt(h, CURLOPT_READDATA, x) ||
           curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)s->body.n);
}

static int
set_options(struct http_exchange *x)
{
    CURL *h = x->easy;
    struct http_client *c = x->c;
    /* Absent in a libcurl without HTTP/2, and then not needed. */
    curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    return curl_easy_setopt(h, CURLOPT_PRIVATE, x) ||
           curl_easy_setopt(h, CURLOPT_ERRORBUFFER, x->curl_error) ||
           curl_easy_setopt(h, CURLOPT_HTTPHEADER, x->headers) ||
           curl_easy_setopt(h, CURLOPT_USERAGENT, c->user_agent) ||
           curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, http_exchange_on_write) ||
           curl_easy_setopt(h, CURLOPT_WRITEDATA, x) ||
           curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, http_exchange_on_header) ||
           curl_easy_setopt(h, CURLOPT_HEADERDATA, x) ||
           curl_easy_setopt(h, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) ||
           curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, http_client_open_socket) ||
           curl_easy_setopt(h, CURLOPT_OPENSOCKETDATA, c) ||
           curl_easy_setopt(h, CURLOPT_CLOSESOCKETFUNCTION, http_client_close_socket) ||
           curl_easy_setopt(h, CURLOPT_CLOSESOCKETDATA, c) ||
           curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L) ||
           /* Without this the removal of a handle waits for a resolver thread that still runs. */
           curl_easy_setopt(h, CURLOPT_QUICK_EXIT, 1L) ||
           curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https") ||
           curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L) ||
           curl_easy_setopt(h, CURLOPT_PROXY, c->proxy) ||
           curl_easy_setopt(h, CURLOPT_NOPROXY, c->no_proxy) ||
           curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)c->connect_timeout_ms) ||
           /* Only where TLS soon tells whether the peer multiplexes: without TLS curl knows that
            * from the first answer, and one slow answer would hold up all other requests. */
           curl_easy_setopt(h, CURLOPT_PIPEWAIT, x->tls ? 1L : 0L) ||
           curl_easy_setopt(h, CURLOPT_TCP_NODELAY, 1L) ||
           curl_easy_setopt(h, CURLOPT_TCP_KEEPALIVE, 1L) ||
           curl_easy_setopt(h, CURLOPT_BUFFERSIZE, 16384L) ||
           curl_easy_setopt(h, CURLOPT_UPLOAD_BUFFERSIZE, 16384L) ||
           /* Decoding is ours (http_gunzip.h): curl does not notice a cut-off gzip stream, and
            * unpacks all of a piece at once even when the caller pauses. */
           curl_easy_setopt(h, CURLOPT_HTTP_CONTENT_DECODING, 0L) ||
           curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, 1L) ||
           curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, 2L) ||
           curl_easy_setopt(h, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) ||
           (c->ca_file[0] && curl_easy_setopt(h, CURLOPT_CAINFO, c->ca_file));
}

int
http_request_set(struct http_exchange *x, const struct http_send *s, struct err *e)
{
    if (set_url(x, s->url, e) != 0 || set_headers(x, s, e) != 0)
        return -1;
    return set_options(x) || set_method(x, s)
               ? err_set(e, "libcurl refuses an option or is out of memory")
               : 0;
}
