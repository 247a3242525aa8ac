/* npy_fuzz.c - .npy files: what their header says must be in them before it is read. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shared/base/mem.h"
#include "tests/fuzz/fuzz.h"
#include "worker/data/npy.h"

/* Numbers in the array, which are no more than the bytes of the file. */
static int64_t
count(const struct npy *a, size_t size)
{
    int64_t n = 1;

    for (int i = 0; i < a->ndim; i++)
        n *= a->dims[i];
    if (n < 0 || n > (int64_t)size)
        abort();
    return n;
}

static void
read_it(const char *path, size_t size)
{
    struct npy a;
    struct err err;

    if (npy_open(&a, path, &err) == 0) {
        const int64_t n = count(&a, size);
        int64_t *numbers = xcalloc((size_t)n + 1, sizeof *numbers);
        uint8_t *bytes = xcalloc((size_t)n + 1, 1);
        if (npy_read_integers(numbers, &a, &err) != 0)
            abort();
        if (a.ndim > 0 && npy_read_bytes(bytes, &a, 0, a.dims[0], &err) == 0 && n > 0
            && bytes[0] != numbers[0])
            abort();
        free(numbers);
        free(bytes);
    }
    npy_close(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    const int fd = memfd_create("fuzz", MFD_CLOEXEC);

    if (fd < 0)
        return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (write(fd, data, size) == (ssize_t)size)
        read_it(path, size);
    close(fd);
    return 0;
}
