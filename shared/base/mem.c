/* mem.c - allocation that aborts, large allocation that reports, and arenas. */
#include "shared/base/mem.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void
out_of_memory(size_t size)
{
    fprintf(stderr, "relusweep: out of memory (asked for %zu bytes)\n", size);
    abort();
}

void *
xmalloc(size_t size)
{
    void *p = malloc(size ? size : 1);

    if (p == NULL)
        out_of_memory(size);
    return p;
}

void *
xcalloc(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size ? size : 1);

    if (p == NULL)
        out_of_memory(size);
    return p;
}

void *
xrealloc(void *p, size_t size)
{
    p = realloc(p, size ? size : 1);
    if (p == NULL)
        out_of_memory(size);
    return p;
}

char *
xstrdup(const char *s)
{
    return xstrndup(s, strlen(s));
}

char *
xstrndup(const char *s, size_t n)
{
    char *copy = xmalloc(n + 1);

    memcpy(copy, s, n);
    copy[n] = '\0';
    return copy;
}

char *
xasprintf(const char *fmt, ...)
{
    va_list ap;
    char *out = NULL;

    va_start(ap, fmt);
    if (vasprintf(&out, fmt, ap) < 0)
        out_of_memory(0);
    va_end(ap);
    return out;
}

void *
xgrow(void *items, size_t *capacity, size_t need, size_t size)
{
    if (need <= *capacity)
        return items;
    size_t grown = *capacity ? *capacity * 2 : 8;
    if (grown < need)
        grown = need;
    if (grown > SIZE_MAX / size)
        out_of_memory(grown);
    *capacity = grown;
    return xrealloc(items, grown * size);
}

enum { CACHE_LINE = 64, HUGE_PAGE = 2 << 20 };

/* Several huge pages or more lie on huge pages where the system has them: kernels walk
 * through dozens of streams at once, more than there are entries for small pages. */
void *
mem_large_alloc(size_t size)
{
    const bool huge = size >= 2 * (size_t)HUGE_PAGE;
    const size_t unit = huge ? HUGE_PAGE : CACHE_LINE;
    const size_t rounded = size > 0 ? (size + unit - 1) / unit * unit : unit;
    void *p;

    if (rounded < size)
        return NULL;
    p = aligned_alloc(unit, rounded);
    if (p == NULL)
        return NULL;
    if (huge)
        (void)madvise(p, rounded, MADV_HUGEPAGE); /* an advice: may be refused */
    memset(p, 0, rounded);
    return p;
}

void
mem_large_free(void *p)
{
    free(p);
}

enum { ARENA_MIN = 512, ARENA_MAX = 32768 }; /* bytes of a block */

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    _Alignas(16) unsigned char data[];
};

/* Most arenas hold a few words, some megabytes. */
static size_t
next_block(const struct arena *a, size_t need)
{
    const size_t doubled = a->head != NULL ? 2 * a->head->size : ARENA_MIN;
    const size_t usual = doubled < ARENA_MAX ? doubled : ARENA_MAX;

    return need > usual ? need : usual;
}

void *
arena_alloc(struct arena *a, size_t size)
{
    const size_t need = (size + 15) & ~(size_t)15;

    if (a->head == NULL || a->head->size - a->head->used < need) {
        const size_t block = next_block(a, need);
        struct arena_block *b = xmalloc(sizeof *b + block);
        b->size = block;
        b->used = 0;
        b->next = a->head;
        a->head = b;
    }
    void *p = a->head->data + a->head->used;
    a->head->used += need;
    return memset(p, 0, need);
}

char *
arena_strdup(struct arena *a, const char *s)
{
    const size_t n = strlen(s) + 1;

    return memcpy(arena_alloc(a, n), s, n);
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap, again;

    va_start(ap, fmt);
    va_copy(again, ap);
    const int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *out = arena_alloc(a, (size_t)(n < 0 ? 0 : n) + 1);
    vsnprintf(out, (size_t)(n < 0 ? 0 : n) + 1, fmt, again);
    va_end(again);
    return out;
}

void
arena_release(struct arena *a)
{
    while (a->head != NULL) {
        struct arena_block *next = a->head->next;
        free(a->head);
        a->head = next;
    }
}
