/* arena.c - bump allocation for everything that dies with a request.  Any process; never frees a
 * single piece and never gives out more than the bound set at birth. */
#include "arena.h"

#include <stdio.h>
#include <stdlib.h>

enum { FIRST_BLOCK = 4096, LARGEST_BLOCK = 64 * 1024, ALIGN = _Alignof(max_align_t) };

struct block {
    struct block *next;
    size_t size, used; /* bytes behind this header */
    _Alignas(max_align_t) char bytes[];
};

/* Lives at the start of its first block, so that a small request costs one malloc. */
struct arena {
    struct block *blocks; /* the one being filled first, then full and outsized ones */
    struct block *first;
    size_t given, max;
    size_t next_size;
};

enum { SELF = (sizeof(struct arena) + ALIGN - 1) / ALIGN * ALIGN };

static struct block *
block_new(size_t size)
{
    struct block *b = malloc(sizeof *b + size);
    if (b) {
        b->next = NULL;
        b->size = size;
        b->used = 0;
    }
    return b;
}

struct arena *
arena_new(size_t max_bytes)
{
    struct block *b = block_new(FIRST_BLOCK - sizeof *b);
    if (!b)
        return NULL;
    b->used = SELF;
    struct arena *a = (struct arena *)(void *)b->bytes;
    *a = (struct arena){ .blocks = b, .first = b, .max = max_bytes, .next_size = FIRST_BLOCK * 2 };
    return a;
}

static void
free_all_but_first(struct arena *a)
{
    struct block *next;
    for (struct block *b = a->blocks; b; b = next) {
        next = b->next;
        if (b != a->first)
            free(b);
    }
}

void
arena_free(struct arena *a)
{
    if (!a)
        return;
    free_all_but_first(a);
    free(a->first); /* and with it the arena */
}

void
arena_reset(struct arena *a)
{
    free_all_but_first(a);
    a->blocks = a->first;
    a->first->next = NULL;
    a->first->used = SELF;
    a->given = 0;
    a->next_size = FIRST_BLOCK * 2;
}

static struct block *
block_with_room(struct arena *a, size_t n)
{
    struct block *b = a->blocks;
    if (b->size - b->used >= n)
        return b;
    /* Large pieces get a block of their own behind the one being filled, whose rest stays in
     * use; that keeps the waste below a quarter. */
    bool own = n > a->next_size / 4;
    struct block *fresh = block_new(own ? n : a->next_size - sizeof *fresh);
    if (!fresh)
        return NULL;
    if (own) {
        fresh->next = b->next;
        b->next = fresh;
    } else {
        fresh->next = b;
        a->blocks = fresh;
        if (a->next_size < LARGEST_BLOCK)
            a->next_size *= 2;
    }
    return fresh;
}

void *
arena_alloc(struct arena *a, size_t n)
{
    if (n > a->max - a->given)
        return NULL;
    /* Nothing asked for still gets an address of its own. */
    size_t rounded = n ? (n + ALIGN - 1) / ALIGN * ALIGN : ALIGN;
    struct block *b = block_with_room(a, rounded);
    if (!b)
        return NULL;
    void *p = b->bytes + b->used;
    b->used += rounded;
    a->given = rounded > a->max - a->given ? a->max : a->given + rounded;
    return memset(p, 0, rounded);
}

char *
arena_copy(struct arena *a, struct str s)
{
    char *p = s.n < SIZE_MAX ? arena_alloc(a, s.n + 1) : NULL;
    if (p && s.n)
        memcpy(p, s.p, s.n);
    return p;
}

struct str
arena_str(struct arena *a, struct str s)
{
    const char *p = arena_copy(a, s);
    return p ? (struct str){ p, s.n } : STR_NONE;
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *p = n >= 0 ? arena_alloc(a, (size_t)n + 1) : NULL;
    if (!p)
        return NULL;
    va_start(ap, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return p;
}
