#ifndef WORKER_DATA_PICTURE_FORMAT_H
#define WORKER_DATA_PICTURE_FORMAT_H

#include "worker/data/picture.h"

/* Between picture.c and the formats: makes out->planes for sizes that are allowed. */
MUST_CHECK int picture_alloc(struct picture *out, int64_t h, int64_t w,
                             const char *name, struct err *err);

/* row: w pixels of three bytes, to line y of the planes. */
void picture_put_row(struct picture *p, int64_t y, const uint8_t *row);

/* As picture_decode, for bytes of this format. */
MUST_CHECK int picture_jpeg_decode(struct picture *out, const void *bytes, size_t size,
                                   const char *name, struct err *err);
MUST_CHECK int picture_png_decode(struct picture *out, const void *bytes, size_t size,
                                  const char *name, struct err *err);

#endif
