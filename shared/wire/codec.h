#ifndef SHARED_WIRE_CODEC_H
#define SHARED_WIRE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/base/buf.h"
#include "shared/base/mem.h"

/*
 * msgpack between a frame's bytes and C values. Reading is in two passes: codec_check
 * proves that the bytes are one whole, bounded value before anything is allocated; the
 * reader then walks them with a sticky failure, so that a message is decoded as a whole
 * and checked once.
 */
enum {
    CODEC_MAX_DEPTH = 16,
    CODEC_MAX_ITEMS = 100000, /* values in one frame */
};

/* One pass, no allocation. True when data[0..size) is exactly one msgpack value without
 * extension types, within the two bounds above, and every declared length fits into the
 * bytes that are left. */
bool codec_check(const void *data, size_t size);

/*
 * Cursor over checked bytes, which it borrows. Reads happen inside an open array; a read
 * past its last item gives zero without failing (older peers send fewer fields), and
 * codec_close skips what was not read (newer peers send more). A value of another type or
 * beyond its bound sets `failed`; from then on every read gives zero.
 */
struct codec_reader {
    const unsigned char *data;
    size_t size, pos;
    bool failed;
    int depth;
    uint64_t left[CODEC_MAX_DEPTH + 1]; /* items not yet read, by depth */
};

/* `data` has passed codec_check. */
void codec_reader_init(struct codec_reader *r, const void *data, size_t size);

/* Enters the array that comes next; returns its number of items, 0 where it is missing.
 * Always paired with codec_close. */
size_t codec_open(struct codec_reader *r);
void codec_close(struct codec_reader *r);

int64_t codec_read_int(struct codec_reader *r);
double codec_read_real(struct codec_reader *r); /* also takes an integer */
bool codec_read_bool(struct codec_reader *r);

/* Text of at most `max` bytes, valid UTF-8 without NUL; a copy in `mem`, never NULL. */
const char *codec_read_text(struct codec_reader *r, size_t max, struct arena *mem);

/* Bytes; a copy in `mem`. *n receives their number. */
const void *codec_read_bytes(struct codec_reader *r, size_t max, size_t *n,
                             struct arena *mem);

/* Writers append to a buffer. */
void codec_put_array(struct buf *out, size_t n);
void codec_put_int(struct buf *out, int64_t v);
void codec_put_real(struct buf *out, double v);
void codec_put_bool(struct buf *out, bool v);
void codec_put_bytes(struct buf *out, const void *data, size_t n);

/* NULL is written as "". Bytes that are not UTF-8 become '?', and what is longer than
 * `max` is cut between characters, so that everything written can be read. */
void codec_put_text(struct buf *out, const char *text, size_t max);

/* Length of the UTF-8 character at s[0..n), 0 where there is none that is valid. */
size_t codec_utf8_char(const char *s, size_t n);

#endif
