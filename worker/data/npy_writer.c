/* npy_writer.c - arrays of bytes as .npy files, which appear whole or not at all. */
#include "worker/data/npy_writer.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/buf.h"
#include "shared/base/mem.h"

enum { ALIGN = 64, PREFIX = 10 };

/* As NumPy writes it: padded with spaces, so that the numbers begin at n times 64. */
static void
make_header(struct buf *out, int ndim, const int64_t *dims)
{
    struct buf text = {0};

    buf_puts(&text, "{'descr': '|u1', 'fortran_order': False, 'shape': (");
    for (int i = 0; i < ndim; i++)
        buf_printf(&text, "%" PRId64 "%s", dims[i],
                   i + 1 < ndim ? ", "
                   : ndim == 1  ? ","
                                : "");
    buf_puts(&text, "), }");
    while ((PREFIX + text.len + 1) % ALIGN != 0)
        buf_putc(&text, ' ');
    buf_putc(&text, '\n');
    buf_add(out, "\x93NUMPY\x01\x00", 8);
    buf_putc(out, (char)(text.len & 255));
    buf_putc(out, (char)(text.len >> 8));
    buf_add(out, text.data, text.len);
    buf_release(&text);
}

static int
write_all(const struct npy_writer *w, const void *bytes, int64_t n, struct err *err)
{
    for (int64_t done = 0; done < n;) {
        const ssize_t put =
            write(w->fd, (const char *)bytes + done, (size_t)(n - done));
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return err_sys(err, "write %s", w->tmp);
        done += put;
    }
    return 0;
}

int
npy_writer_open(struct npy_writer *w, const char *path, int ndim, const int64_t *dims,
                struct err *err)
{
    struct buf header = {0};

    *w = (struct npy_writer){.path = xstrdup(path), .left = 1};
    w->tmp = xasprintf("%s.tmp.%ld", path, (long)getpid());
    for (int i = 0; i < ndim; i++)
        w->left *= dims[i];
    w->fd = open(w->tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (w->fd < 0)
        return err_sys(err, "create %s", w->tmp);
    make_header(&header, ndim, dims);
    const int rc = write_all(w, header.data, (int64_t)header.len, err);
    buf_release(&header);
    return rc;
}

int
npy_writer_add(struct npy_writer *w, const uint8_t *bytes, int64_t n, struct err *err)
{
    assert(n <= w->left);
    w->left -= n;
    return write_all(w, bytes, n, err);
}

int
npy_writer_commit(struct npy_writer *w, struct err *err)
{
    assert(w->left == 0);
    if (fsync(w->fd) != 0)
        return err_sys(err, "write %s", w->tmp);
    if (rename(w->tmp, w->path) != 0)
        return err_sys(err, "rename %s to %s", w->tmp, w->path);
    free(w->tmp);
    w->tmp = NULL;
    return 0;
}

void
npy_writer_release(struct npy_writer *w)
{
    if (w->path != NULL && w->fd >= 0)
        close(w->fd);
    if (w->tmp != NULL)
        (void)unlink(w->tmp);
    free(w->tmp);
    free(w->path);
    *w = (struct npy_writer){0};
}
