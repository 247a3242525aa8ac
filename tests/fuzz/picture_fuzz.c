/* picture_fuzz.c - JPEG and PNG files in memory. */
#include "tests/fuzz/fuzz.h"
#include "worker/data/picture.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct picture p;
    struct err err;

    if (picture_decode(&p, data, size, "fuzz", &err) == 0) {
        if (p.h < 1 || p.w < 1 || p.h > PICTURE_MAX_SIDE || p.w > PICTURE_MAX_SIDE)
            __builtin_trap();
        picture_release(&p);
    }
    return 0;
}
