#ifndef SHARED_BASE_BUF_H
#define SHARED_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

/*
 * Growable byte string. Initialise with {0}. `data` is NUL-terminated whenever it is
 * not NULL, so it can be printed; `len` does not count that NUL.
 */
struct buf {
    char *data;
    size_t len, capacity;
};

void buf_release(struct buf *b);
void buf_clear(struct buf *b); /* length 0, keeps the memory */
void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Contents as a string (never NULL); borrowed until the next change. */
const char *buf_str(struct buf *b);

/* Takes the string out of the buffer; caller frees; the buffer is empty after. */
char *buf_take(struct buf *b);

/* Drops the first n bytes. */
void buf_drop(struct buf *b, size_t n);

#endif
