/* hello_evhttp.c - the yardstick of `make bench`: evhttp as it comes, one constant JSON answer.
 * Usage: hello_evhttp PORT */
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char answer[] =
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"text\":\""
    "0123456789012345678901234567890123456789012345678901234567890123456789"
    "0123456789012345678901234567890123456789012345678901234567890123456789\"}}";

static void
on_request(struct evhttp_request *r, void *arg)
{
    (void)arg;
    struct evbuffer *b = evbuffer_new();
    evbuffer_add(b, answer, sizeof answer - 1);
    evhttp_add_header(evhttp_request_get_output_headers(r), "Content-Type", "application/json");
    evhttp_send_reply(r, 200, "OK", b);
    evbuffer_free(b);
}

int
main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    struct event_base *base = event_base_new();
    struct evhttp *h = evhttp_new(base);
    evhttp_set_gencb(h, on_request, NULL);
    if (evhttp_bind_socket(h, "127.0.0.1", (unsigned short)atoi(argv[1])) != 0) {
        fprintf(stderr, "hello_evhttp: port %s is taken\n", argv[1]);
        return 1;
    }
    event_base_dispatch(base);
    return 0;
}
