/* json_dom.h - small JSON documents as a tree: cJSON behind our own names.
 *
 * For requests, credentials and small replies; rows never come this way.  json_parse() runs
 * json_check() first, so what it returns is strict.  Lookups are case-sensitive.  Numbers lose
 * precision above 2^53: take ids and exact numbers from the text (json_text.h). */
#ifndef JSON_DOM_H
#define JSON_DOM_H

#include "json_text.h"

struct json; /* a value inside a document; lives as long as the document */

/* The caller owns the result (json_free).  NULL with *fault, or with fault->kind JSON_OK when
 * memory ran out. */
struct json *json_parse(struct str text, unsigned max_depth, struct json_fault *fault);
void json_free(struct json *doc);

enum json_type json_type(const struct json *v);                          /* JSON_ABSENT for NULL */
const struct json *json_get(const struct json *object, const char *key); /* NULL: none */
const struct json *json_first(const struct json *array_or_object);       /* iterate ... */
const struct json *json_following(const struct json *v);                 /* ... NULL: end */
const char *json_key(const struct json *v);                              /* of a member */
size_t json_count(const struct json *array_or_object);

/* A string's text (no NUL inside), or STR_NONE for anything else. */
struct str json_string(const struct json *v);
/* Exactly true / exactly false / dflt for anything else. */
bool json_bool(const struct json *v, bool dflt);
/* An integer that a double holds exactly; 0, or -1 for anything else. */
int json_integer(const struct json *v, int64_t *value);

#endif
