/* Host, Origin, Content-Type and Accept.  Workers, for each request; must never allocate. */
#include "front/access.h"

/* Cuts ":8000" off.  False: what follows the name is no port. */
static bool
split_port(struct str host, struct str *name)
{
    size_t n = 0;
    uint64_t port;

    if (host.n > 0 && host.p[0] == '[') {
        while (n < host.n && host.p[n] != ']')
            n++;
        n += n < host.n;
    } else {
        while (n < host.n && host.p[n] != ':')
            n++;
    }
    *name = (struct str){ host.p, n };
    host = str_from(host, n);
    if (host.n == 0)
        return true;
    return host.p[0] == ':' &&
           (host.n == 1 || (str_to_u64(str_from(host, 1), &port) == 0 && port <= 65535));
}

static bool
is_loopback(struct str name)
{
    return str_is_nocase(name, "localhost") || str_is(name, "127.0.0.1") || str_is(name, "[::1]");
}

bool
access_host_allowed(const struct config *c, struct str host)
{
    const char *const *h;
    struct str name;

    if (host.n == 0 || !split_port(host, &name) || name.n == 0)
        return false;
    if (is_loopback(name))
        return true;
    for (h = c->server_allowed_hosts; h && *h; h++)
        if (strcmp(*h, "*") == 0 || str_is_nocase(name, *h) || str_is_nocase(host, *h))
            return true;
    return false;
}

/* A page that was loaded from this machine.  A page whose name was made to point here (DNS
 * rebinding) has that name in its Origin and in its Host. */
static bool
is_local_page(struct str origin, struct str host)
{
    struct str name;

    if (str_starts(origin, "http://"))
        origin = str_from(origin, 7);
    else if (str_starts(origin, "https://"))
        origin = str_from(origin, 8);
    else
        return false;
    return split_port(origin, &name) && is_loopback(name) && split_port(host, &name) &&
           is_loopback(name);
}

bool
access_origin_allowed(const struct config *c, struct str origin, struct str host)
{
    const char *const *o;

    for (o = c->server_allowed_origins; o && *o; o++)
        if (str_is_nocase(origin, *o))
            return true;
    return is_local_page(origin, host);
}

bool
media_is_json(struct str content_type)
{
    struct str type;

    return str_split(&content_type, ';', &type) &&
           str_is_nocase(str_trim(type), "application/json");
}

/* The weight is not 0. */
static bool
is_wanted(struct str params)
{
    struct str p;
    size_t i;

    while (str_split(&params, ';', &p)) {
        p = str_trim(p);
        if (p.n < 3 || (p.p[0] != 'q' && p.p[0] != 'Q') || p.p[1] != '=')
            continue;
        for (i = 2; i < p.n && (p.p[i] == '0' || p.p[i] == '.'); i++)
            ;
        return i < p.n;
    }
    return true;
}

unsigned
media_accepts(struct str accept)
{
    static const char *const json[] = { "*/*", "application/*", "application/json" };
    static const char *const sse[] = { "*/*", "text/*", "text/event-stream" };
    unsigned json_rank = 0, sse_rank = 0, answer = 0, i;
    struct str range, type;

    if (str_is(accept, "application/json, text/event-stream")) /* what every MCP client sends */
        return ACCEPTS_JSON | ACCEPTS_SSE;
    while (str_split(&accept, ',', &range)) {
        if (!str_split(&range, ';', &type))
            continue;
        type = str_trim(type);
        for (i = 0; i < 3; i++) {
            bool wanted = is_wanted(range);

            if (i + 1 > json_rank && str_is_nocase(type, json[i])) {
                json_rank = i + 1;
                answer = wanted ? answer | ACCEPTS_JSON : answer & ~ACCEPTS_JSON;
            }
            if (i + 1 > sse_rank && str_is_nocase(type, sse[i])) {
                sse_rank = i + 1;
                answer = wanted ? answer | ACCEPTS_SSE : answer & ~ACCEPTS_SSE;
            }
        }
    }
    return answer;
}
