#ifndef WORKER_DATA_NPY_WRITER_H
#define WORKER_DATA_NPY_WRITER_H

#include <stdint.h>

#include "shared/base/err.h"

/* Writes an array of bytes (|u1) as .npy, version 1, in pieces, first index slowest.
 * The file appears under its name at npy_writer_commit; without it npy_writer_release
 * leaves nothing behind. */
struct npy_writer {
    char *path, *tmp;
    int fd;
    int64_t left; /* bytes that are still to come */
};
MUST_CHECK int npy_writer_open(struct npy_writer *w, const char *path, int ndim,
                               const int64_t *dims, struct err *err);
MUST_CHECK int npy_writer_add(struct npy_writer *w, const uint8_t *bytes, int64_t n,
                              struct err *err);
MUST_CHECK int npy_writer_commit(struct npy_writer *w, struct err *err);
void npy_writer_release(struct npy_writer *w);

#endif
