/*
 * idx.c - reads IDX files through zlib, which also reads plain ones. The caller says
 * what shape the file must have; a header is only ever compared, never believed.
 * Offsets in errors count decompressed bytes. Knows nothing of any data set.
 */
#include "worker/data/idx.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "shared/base/mem.h"

enum {
    TYPE_UBYTE = 8,
    CHUNK = 1 << 20,
    DIGEST_CHUNK = 1 << 16,
    MIN_BUFFER = 1 << 12,
    MAX_BUFFER = 1 << 18,
    MAX_HEADER = 4 + 4 * IDX_MAX_DIMS,
};

struct input {
    const char *path;
    gzFile file;
    int64_t offset; /* decompressed bytes read so far */
};

/* zlib makes three times as much of it, which a small file does not need. */
static unsigned
buffer_size(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0 || st.st_size > MAX_BUFFER)
        return MAX_BUFFER;
    return st.st_size < MIN_BUFFER ? MIN_BUFFER : (unsigned)st.st_size;
}

static int
input_open(struct input *in, const char *path, struct err *err)
{
    *in = (struct input){.path = path};
    errno = 0;
    in->file = gzopen(path, "rbe");
    if (in->file == NULL) {
        err_sys(err, "open %s", path);
        if (errno == ENOENT || errno == EISDIR)
            err->kind = ERR_DATA;
        return -1;
    }
    (void)gzbuffer(in->file, buffer_size(path));
    return 0;
}

static void
input_close(struct input *in)
{
    if (in->file != NULL)
        (void)gzclose(in->file);
    in->file = NULL;
}

/* Up to `size` bytes; fewer only at the end of the file. A gzip stream that is damaged
 * or that stops before its own end is an error. */
static int
input_read(struct input *in, void *bytes, int64_t size, int64_t *got, struct err *err)
{
    char *to = bytes;
    int status;

    *got = 0;
    while (*got < size) {
        const int64_t left = size - *got;
        const int n =
            gzread(in->file, to + *got, (unsigned)(left < CHUNK ? left : CHUNK));
        if (n <= 0)
            break;
        *got += n;
        in->offset += n;
    }
    const char *why = gzerror(in->file, &status);
    if (status == Z_ERRNO)
        return err_sys(err, "read %s at offset %" PRId64, in->path, in->offset);
    if (status != Z_OK && status != Z_STREAM_END)
        return err_set(err, ERR_DATA,
                       "%s: the gzip stream is damaged or truncated at offset %" PRId64
                       " of the decompressed bytes (%s); fetch the file again",
                       in->path, in->offset, why);
    return 0;
}

/* Exactly `size` bytes. */
static int
input_exact(struct input *in, void *bytes, int64_t size, const char *what,
            struct err *err)
{
    int64_t got;

    if (input_read(in, bytes, size, &got, err) != 0)
        return -1;
    if (got < size)
        return err_set(err, ERR_DATA,
                       "%s: truncated in the %s at offset %" PRId64
                       ": expected %" PRId64
                       " more bytes, found the end of the file; fetch the file again",
                       in->path, what, in->offset, size - got);
    return 0;
}

static int
input_end(struct input *in, struct err *err)
{
    char extra;
    int64_t got;

    if (input_read(in, &extra, 1, &got, err) != 0)
        return -1;
    if (got != 0)
        return err_set(err, ERR_DATA,
                       "%s: expected the end of the file at offset %" PRId64
                       ", found more bytes",
                       in->path, in->offset - 1);
    return 0;
}

static int64_t
header_size(int ndim)
{
    return 4 + 4 * (int64_t)ndim;
}

static int
check_header(struct input *in, int ndim, const int64_t *dims, struct err *err)
{
    uint8_t h[MAX_HEADER];

    if (input_exact(in, h, 4, "header", err) != 0)
        return -1;
    if (h[0] != 0 || h[1] != 0 || h[2] != TYPE_UBYTE || h[3] != ndim)
        return err_set(err, ERR_DATA,
                       "%s: offset 0: expected the magic 00 00 08 %02x of an IDX file, "
                       "found %02x %02x %02x %02x",
                       in->path, (unsigned)ndim, h[0], h[1], h[2], h[3]);
    if (input_exact(in, h + 4, header_size(ndim) - 4, "header", err) != 0)
        return -1;
    for (int i = 0; i < ndim; i++) {
        const uint8_t *b = h + header_size(i);
        const int64_t found = (int64_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
        if (found != dims[i])
            return err_set(err, ERR_DATA,
                           "%s: offset %d: expected size %" PRId64
                           " of dimension %d, found %" PRId64,
                           in->path, 4 + 4 * i, dims[i], i, found);
    }
    return 0;
}

int64_t
idx_size(int ndim, const int64_t *dims)
{
    int64_t bytes = 1;

    assert(ndim >= 1 && ndim <= IDX_MAX_DIMS);
    for (int i = 0; i < ndim; i++)
        bytes *= dims[i];
    return header_size(ndim) + bytes;
}

int
idx_read(uint8_t **out, const char *path, int ndim, const int64_t *dims,
         struct err *err)
{
    const int64_t bytes = idx_size(ndim, dims) - header_size(ndim);
    struct input in;
    uint8_t *payload = NULL;

    *out = NULL;
    if (input_open(&in, path, err) != 0)
        return -1;
    if (check_header(&in, ndim, dims, err) != 0)
        goto fail;
    payload = mem_large_alloc((size_t)bytes);
    if (payload == NULL) {
        err_set(err, ERR_OOM, "%s: no memory for %" PRId64 " bytes", path, bytes);
        goto fail;
    }
    if (input_exact(&in, payload, bytes, "data", err) != 0 || input_end(&in, err) != 0)
        goto fail;
    input_close(&in);
    *out = payload;
    return 0;

fail:
    mem_large_free(payload);
    input_close(&in);
    return -1;
}

int
idx_digest(struct sha256 *out, int64_t *size, const char *path, int64_t max_bytes,
           struct err *err)
{
    struct sha256_stream *stream = sha256_stream_new();
    uint8_t *chunk = xmalloc(DIGEST_CHUNK);
    struct input in;
    int64_t got = 0;
    int rc = input_open(&in, path, err);

    while (rc == 0 && (rc = input_read(&in, chunk, DIGEST_CHUNK, &got, err)) == 0
           && got > 0) {
        sha256_stream_add(stream, chunk, (size_t)got);
        if (in.offset > max_bytes)
            rc = err_set(err, ERR_DATA,
                         "%s: expected %" PRId64 " bytes, found more than that", path,
                         max_bytes);
    }
    *size = in.offset;
    *out = sha256_stream_end(stream);
    input_close(&in);
    free(chunk);
    return rc;
}
