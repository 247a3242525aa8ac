/*
 * npy.c - reading NumPy's array files. No number of the header decides how much memory
 * is taken: the header is bounded, and the size that it states must be that of the
 * file.
 */
#include "worker/data/npy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/base/buf.h"
#include "shared/base/mem.h"

enum { PREFIX = 12, MAX_HEADER = 4096, PIECE = 1 << 16 };

static const char magic[] = "\x93NUMPY";
enum { MAGIC = sizeof magic - 1 };

/* ---- the header's text ----------------------------------------------------------- */

/* A place in the dictionary; NULL once something else than expected was found. */
struct cursor {
    const char *at;
};

static void
skip_spaces(struct cursor *c)
{
    while (c->at != NULL && (*c->at == ' ' || *c->at == '\n'))
        c->at++;
}

static bool
accept(struct cursor *c, const char *word)
{
    skip_spaces(c);
    if (c->at == NULL || strncmp(c->at, word, strlen(word)) != 0)
        return false;
    c->at += strlen(word);
    return true;
}

static void
expect(struct cursor *c, const char *word)
{
    if (!accept(c, word))
        c->at = NULL;
}

/* 'text' or "text", without escapes. */
static void
take_string(struct cursor *c, char *out, size_t size)
{
    const char quote = accept(c, "'") ? '\'' : '"';

    if (quote == '"')
        expect(c, "\"");
    const char *end = c->at != NULL ? strchr(c->at, quote) : NULL;
    if (end == NULL || (size_t)(end - c->at) >= size) {
        c->at = NULL;
        return;
    }
    memcpy(out, c->at, (size_t)(end - c->at));
    out[end - c->at] = '\0';
    c->at = end + 1;
}

static int64_t
take_number(struct cursor *c)
{
    char *end;

    skip_spaces(c);
    if (c->at == NULL || *c->at < '0' || *c->at > '9') {
        c->at = NULL;
        return 0;
    }
    errno = 0;
    const int64_t n = strtoll(c->at, &end, 10);
    c->at = errno == 0 ? end : NULL;
    return n;
}

static void
take_shape(struct cursor *c, struct npy *a)
{
    expect(c, "(");
    while (c->at != NULL && !accept(c, ")")) {
        if (a->ndim == NPY_MAX_DIMS) {
            c->at = NULL;
            return;
        }
        a->dims[a->ndim++] = take_number(c);
        if (!accept(c, ",")) {
            expect(c, ")");
            return;
        }
    }
}

/* What the dictionary says, as far as it is not kept in struct npy. */
struct description {
    char type[8];
    bool fortran, has_type, has_order, has_shape;
};

static void
take_member(struct cursor *c, struct npy *a, struct description *d)
{
    char key[24] = "";

    take_string(c, key, sizeof key);
    expect(c, ":");
    if (strcmp(key, "descr") == 0 && !d->has_type) {
        take_string(c, d->type, sizeof d->type);
        d->has_type = true;
    } else if (strcmp(key, "fortran_order") == 0 && !d->has_order) {
        d->fortran = accept(c, "True");
        if (!d->fortran)
            expect(c, "False");
        d->has_order = true;
    } else if (strcmp(key, "shape") == 0 && !d->has_shape) {
        take_shape(c, a);
        d->has_shape = true;
    } else {
        c->at = NULL;
    }
}

static bool
read_dictionary(const char *text, struct npy *a, struct description *d)
{
    struct cursor c = {text};

    expect(&c, "{");
    while (c.at != NULL && !accept(&c, "}")) {
        take_member(&c, a, d);
        if (c.at != NULL && !accept(&c, ",")) {
            expect(&c, "}");
            break;
        }
    }
    skip_spaces(&c);
    return c.at != NULL && *c.at == '\0' && d->has_type && d->has_order && d->has_shape;
}

static bool
take_type(struct npy *a, const char *type)
{
    static const struct {
        const char *name;
        int bytes;
        bool is_signed;
    } types[] = {{"|u1", 1, false}, {"|i1", 1, true},  {"<u2", 2, false},
                 {"<i2", 2, true},  {"<u4", 4, false}, {"<i4", 4, true},
                 {"<i8", 8, true}};

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(type, types[i].name) == 0) {
            a->item_bytes = types[i].bytes;
            a->is_signed = types[i].is_signed;
            return true;
        }
    return false;
}

/* ---- the file -------------------------------------------------------------------- */

static int
read_at(void *out, const struct npy *a, int64_t n, int64_t offset, struct err *err)
{
    for (int64_t done = 0; done < n;) {
        const ssize_t got =
            pread(a->fd, (char *)out + done, (size_t)(n - done), offset + done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_sys(err, "read %s", a->path);
        if (got == 0)
            return err_set(err, ERR_DATA,
                           "%s: offset %" PRId64 ": expected %" PRId64
                           " more bytes, found the end of the file",
                           a->path, offset + done, n - done);
        done += got;
    }
    return 0;
}

static int
not_an_array(const struct npy *a, const char *what, struct err *err)
{
    return err_set(err, ERR_DATA, "%s: %s; expected an .npy file of whole numbers",
                   a->path, what);
}

/* Appends the header's text, without NULs. */
static int
read_header(struct buf *text, struct npy *a, struct err *err)
{
    uint8_t prefix[PREFIX];

    if (read_at(prefix, a, PREFIX, 0, err) != 0)
        return -1;
    const bool first = prefix[MAGIC] == 1, second = prefix[MAGIC] == 2;
    if (memcmp(prefix, magic, MAGIC) != 0 || !(first || second))
        return not_an_array(a, "the first bytes are not those of version 1 or 2", err);
    int64_t length = prefix[8] | prefix[9] << 8;
    if (second)
        length |= (int64_t)prefix[10] << 16 | (int64_t)prefix[11] << 24;
    a->offset = (first ? PREFIX - 2 : PREFIX) + length;
    if (length > MAX_HEADER)
        return err_set(err, ERR_DATA,
                       "%s: the header is said to have %" PRId64
                       " bytes; at most %d are taken",
                       a->path, length, MAX_HEADER);
    char bytes[MAX_HEADER];
    if (read_at(bytes, a, length, a->offset - length, err) != 0)
        return -1;
    buf_add(text, bytes, (size_t)length);
    if (memchr(bytes, '\0', (size_t)length) != NULL)
        return not_an_array(a, "the header holds a NUL", err);
    return 0;
}

static int
understand_header(struct npy *a, const char *text, struct err *err)
{
    struct description d = {.type = ""};

    if (!read_dictionary(text, a, &d))
        return not_an_array(a, "the header cannot be understood", err);
    if (!take_type(a, d.type))
        return err_set(err, ERR_DATA,
                       "%s: numbers of type `%s`; expected |u1 (bytes) or other "
                       "little-endian whole numbers",
                       a->path, d.type);
    if (d.fortran)
        return err_set(err, ERR_DATA,
                       "%s: the array is in Fortran order; expected C order "
                       "(numpy.ascontiguousarray)",
                       a->path);
    return 0;
}

static int
check_size(const struct npy *a, struct err *err)
{
    struct stat st;
    int64_t expected = a->item_bytes;
    bool fits = true;

    if (fstat(a->fd, &st) != 0)
        return err_sys(err, "stat %s", a->path);
    for (int i = 0; i < a->ndim; i++)
        fits = fits && !__builtin_mul_overflow(expected, a->dims[i], &expected);
    if (fits && expected == (int64_t)st.st_size - a->offset)
        return 0;
    return err_set(err, ERR_DATA,
                   "%s: its shape asks for %s%" PRId64 " bytes after the header, found "
                   "%" PRId64 "; fetch or make the file again",
                   a->path, fits ? "" : "more than ", fits ? expected : INT64_MAX,
                   (int64_t)st.st_size - a->offset);
}

int
npy_open(struct npy *a, const char *path, struct err *err)
{
    struct buf text = {0};

    *a = (struct npy){.path = xstrdup(path), .fd = -1};
    a->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (a->fd < 0) {
        const bool missing = errno == ENOENT;
        err_sys(err, "open %s", path);
        if (missing)
            err->kind = ERR_DATA;
        return -1;
    }
    int rc = read_header(&text, a, err);
    if (rc == 0)
        rc = understand_header(a, buf_str(&text), err);
    if (rc == 0)
        rc = check_size(a, err);
    buf_release(&text);
    return rc;
}

void
npy_close(struct npy *a)
{
    if (a->path != NULL && a->fd >= 0)
        close(a->fd);
    free(a->path);
    *a = (struct npy){0};
}

/* ---- the numbers ----------------------------------------------------------------- */

static int64_t
row_items(const struct npy *a)
{
    int64_t items = 1;

    for (int i = 1; i < a->ndim; i++)
        items *= a->dims[i];
    return items;
}

int
npy_read_bytes(uint8_t *out, const struct npy *a, int64_t first, int64_t rows,
               struct err *err)
{
    const int64_t row = row_items(a);

    if (a->item_bytes != 1 || a->is_signed)
        return err_set(err, ERR_DATA, "%s: expected an array of bytes (|u1)", a->path);
    if (a->ndim < 1 || first < 0 || rows < 0 || first + rows > a->dims[0])
        return err_set(err, ERR_DATA,
                       "%s: expected at least %" PRId64 " rows, found %" PRId64,
                       a->path, first + rows, a->ndim < 1 ? 0 : a->dims[0]);
    return read_at(out, a, rows * row, a->offset + first * row, err);
}

static int64_t
number(const uint8_t *bytes, int n, bool is_signed)
{
    uint64_t v = 0;

    for (int i = 0; i < n; i++)
        v |= (uint64_t)bytes[i] << (8 * i);
    const int unused = 64 - 8 * n;
    return is_signed ? (int64_t)(v << unused) >> unused : (int64_t)v;
}

int
npy_read_integers(int64_t *out, const struct npy *a, struct err *err)
{
    const int64_t all = a->ndim < 1 ? 1 : a->dims[0] * row_items(a);
    const int64_t each = PIECE / a->item_bytes;
    uint8_t piece[PIECE] = {0};

    for (int64_t i = 0; i < all; i += each) {
        const int64_t n = all - i < each ? all - i : each;
        if (read_at(piece, a, n * a->item_bytes, a->offset + i * a->item_bytes, err)
            != 0)
            return -1;
        for (int64_t k = 0; k < n; k++)
            out[i + k] = number(piece + k * a->item_bytes, a->item_bytes, a->is_signed);
    }
    return 0;
}
