#ifndef SHARED_BASE_MEM_H
#define SHARED_BASE_MEM_H

#include <stddef.h>

/*
 * Small allocations. They abort when memory is gone: leases make a crash safe, and
 * nothing sensible can be done in the middle. Tensors and artifacts, which are large,
 * use mem_large_* and report ERR_OOM.
 */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);

/* A new string; caller frees. */
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Array growth: makes room for at least `need` items of `size` bytes. */
void *xgrow(void *items, size_t *capacity, size_t need, size_t size);

/* Zeroed memory aligned to 64 bytes, or NULL. Freed with mem_large_free. */
void *mem_large_alloc(size_t size);
void mem_large_free(void *p);

/*
 * Arena: many small objects freed at once. Memory from it is zeroed and lives until
 * arena_release.
 */
struct arena {
    struct arena_block *head;
};
void *arena_alloc(struct arena *a, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void arena_release(struct arena *a);

#endif
