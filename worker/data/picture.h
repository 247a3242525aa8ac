#ifndef WORKER_DATA_PICTURE_H
#define WORKER_DATA_PICTURE_H

#include <stddef.h>
#include <stdint.h>

#include "shared/base/err.h"

/* Picture files, JPEG and PNG, told apart by their first bytes. */
enum { PICTURE_CHANNELS = 3, PICTURE_MAX_SIDE = 4096 };

struct picture {
    int64_t h, w;
    uint8_t *planes; /* (3,h,w), RGB; grey ones are repeated, transparency is dropped */
};

/* Colours are those of Pillow's Image.convert("RGB"). What is no whole picture, or has
 * a side above PICTURE_MAX_SIDE, is ERR_DATA naming `name`. Released with
 * picture_release, not after a failure. */
MUST_CHECK int picture_decode(struct picture *out, const void *bytes, size_t size,
                              const char *name, struct err *err);
MUST_CHECK int picture_read(struct picture *out, const char *path, struct err *err);
void picture_release(struct picture *p);

/* rgb: (h,w,3). Written under its name when it is whole. */
MUST_CHECK int picture_write_png(const char *path, const uint8_t *rgb, int64_t h,
                                 int64_t w, struct err *err);

#endif
