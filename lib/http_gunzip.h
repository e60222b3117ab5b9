/* http_gunzip.h - unpacks a gzip body piece by piece for http_client.c; nobody else includes this.
 *
 * At most 16 KiB unpacked and one piece of input wait while the taker pauses, whatever the ratio
 * of compression. */
#ifndef HTTP_GUNZIP_H
#define HTTP_GUNZIP_H

#include "http_client.h"

struct http_gunzip;

enum http_gunzip_result {
    HTTP_GUNZIP_OK,     /* everything given was taken */
    HTTP_GUNZIP_PAUSED, /* the rest is kept: feed nothing new until fed with STR_NONE */
    HTTP_GUNZIP_STOPPED,
    HTTP_GUNZIP_BAD /* no gzip, damaged, or no memory to keep the rest */
};

struct http_gunzip *http_gunzip_new(void);
void http_gunzip_free(struct http_gunzip *z);

/* Unpacks what was kept and then `bytes`, and gives it to the taker. */
enum http_gunzip_result http_gunzip_feed(struct http_gunzip *z, struct str bytes,
    enum http_flow (*take)(void *arg, struct str bytes), void *arg);
/* The stream came to its proper end, or never began. */
bool http_gunzip_whole(const struct http_gunzip *z);

#endif
