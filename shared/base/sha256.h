#ifndef SHARED_BASE_SHA256_H
#define SHARED_BASE_SHA256_H

#include <stddef.h>

#include "shared/base/err.h"

enum { SHA256_HEX = 64, SHA256_RAW = 32 };

/* A digest as 64 lower-case hexadecimal digits and a NUL. */
struct sha256 {
    char hex[SHA256_HEX + 1];
};

/* The digits of a digest that is kept as bytes. */
struct sha256 sha256_of_raw(const unsigned char raw[SHA256_RAW]);

struct sha256 sha256_bytes(const void *data, size_t size);

/* Digest of a file's contents. *size (may be NULL) receives its length. */
MUST_CHECK int sha256_file(struct sha256 *out, size_t *size, const char *path,
                           struct err *err);

/* Incremental form. sha256_stream_end frees the stream; after sha256_stream_next it
 * begins again. */
struct sha256_stream *sha256_stream_new(void);
void sha256_stream_add(struct sha256_stream *s, const void *data, size_t size);
struct sha256 sha256_stream_next(struct sha256_stream *s);
struct sha256 sha256_stream_end(struct sha256_stream *s);

/* 1 when `hex` is 64 lower-case hexadecimal digits. */
int sha256_is_hex(const char *hex);

#endif
