#ifndef WORKER_DATA_IDX_H
#define WORKER_DATA_IDX_H

#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"
#include "shared/base/sha256.h"

/*
 * IDX, the format of MNIST and its descendants, plain or gzipped: 00 00 08 <ndim>, then
 * ndim big-endian 32-bit sizes, then that many unsigned bytes, the last index fastest.
 */
enum { IDX_MAX_DIMS = 4 };

/* Header plus payload in bytes. ndim 1..IDX_MAX_DIMS. */
int64_t idx_size(int ndim, const int64_t *dims);

/* Reads a file that must have exactly these sizes, so that no header, however hostile,
 * decides how much memory is taken. *out receives the payload, made with
 * mem_large_alloc; the caller frees it with mem_large_free. Anything missing, truncated,
 * of another shape, damaged or too long is ERR_DATA with path, offset in the
 * decompressed bytes, what was expected and what was found. */
MUST_CHECK int idx_read(uint8_t **out, const char *path, int ndim, const int64_t *dims,
                        struct err *err);

/* Digest and length of the decompressed bytes, header included. Stops with ERR_DATA
 * beyond max_bytes and at damage. */
MUST_CHECK int idx_digest(struct sha256 *out, int64_t *size, const char *path,
                          int64_t max_bytes, struct err *err);

#endif
