/* idx_fuzz.c - IDX files, plain and gzipped, that are said to hold 2 images of 3x4. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shared/base/mem.h"
#include "tests/fuzz/fuzz.h"
#include "worker/data/idx.h"

enum { MAX_BYTES = 1 << 16 };

static void
read_it(const char *path)
{
    const int64_t dims[] = {2, 3, 4};
    struct sha256 digest;
    struct err err;
    uint8_t *pixels;
    int64_t size;

    if (idx_read(&pixels, path, 3, dims, &err) == 0)
        mem_large_free(pixels);
    if (idx_digest(&digest, &size, path, MAX_BYTES, &err) == 0 && size > MAX_BYTES)
        abort();
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
        read_it(path);
    close(fd);
    return 0;
}
