#ifndef WORKER_DATA_NPY_H
#define WORKER_DATA_NPY_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/base/err.h"

/*
 * Arrays of whole numbers in NumPy's .npy format, versions 1 and 2: "\x93NUMPY", two
 * version bytes, the header's length (2 or 4 bytes, little-endian), the header, which
 * is a Python dictionary with `descr`, `fortran_order` and `shape`, then the numbers.
 * Only C order and the types that data sets use are taken: |u1, |i1, <u2, <i2, <i4,
 * <u4, <i8.
 */
enum { NPY_MAX_DIMS = 4 };

struct npy {
    char *path;
    int fd;
    bool is_signed;
    int item_bytes; /* 1, 2, 4 or 8 */
    int ndim;
    int64_t dims[NPY_MAX_DIMS];
    int64_t offset; /* of the first number */
};

/* Reads and checks the header and that the file holds exactly the stated numbers.
 * ERR_DATA with path, what was expected and what was found. npy_close also after a
 * failure. */
MUST_CHECK int npy_open(struct npy *a, const char *path, struct err *err);
void npy_close(struct npy *a);

/* out: rows [first, first + rows) of an array of bytes (|u1), all that its further
 * dimensions hold. */
MUST_CHECK int npy_read_bytes(uint8_t *out, const struct npy *a, int64_t first,
                              int64_t rows, struct err *err);

/* out: all numbers of an array of any of the types. */
MUST_CHECK int npy_read_integers(int64_t *out, const struct npy *a, struct err *err);

#endif
