/* buf.c - the byte-string library of the project; knows only mem. */
#include "shared/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"

enum { FIRST = 64 }; /* bytes that a buffer begins with */

static void
reserve(struct buf *b, size_t more)
{
    const size_t need = b->len + more + 1;

    if (need > b->capacity)
        b->data = xgrow(b->data, &b->capacity, need > FIRST ? need : FIRST, 1);
}

void
buf_release(struct buf *b)
{
    free(b->data);
    *b = (struct buf){0};
}

void
buf_clear(struct buf *b)
{
    b->len = 0;
    if (b->data != NULL)
        b->data[0] = '\0';
}

void
buf_add(struct buf *b, const void *bytes, size_t n)
{
    reserve(b, n);
    if (n > 0)
        memcpy(b->data + b->len, bytes, n);
    b->len += n;
    b->data[b->len] = '\0';
}

void
buf_puts(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void
buf_putc(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap, again;

    va_start(ap, fmt);
    va_copy(again, ap);
    const int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n >= 0) {
        reserve(b, (size_t)n);
        vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

const char *
buf_str(struct buf *b)
{
    reserve(b, 0);
    b->data[b->len] = '\0';
    return b->data;
}

char *
buf_take(struct buf *b)
{
    buf_str(b);
    char *s = b->data;
    *b = (struct buf){0};
    return s;
}

void
buf_drop(struct buf *b, size_t n)
{
    if (n >= b->len) {
        buf_clear(b);
        return;
    }
    memmove(b->data, b->data + n, b->len - n);
    b->len -= n;
    b->data[b->len] = '\0';
}
