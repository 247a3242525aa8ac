#ifndef TESTS_WORKER_DATA_JPEG_FILE_H
#define TESTS_WORKER_DATA_JPEG_FILE_H

#include <stdint.h>

#include "shared/base/buf.h"

/* Appends a JPEG file of one grey value (channels 1) or one colour (3 values). */
void jpeg_file_flat(struct buf *out, int64_t h, int64_t w, int channels,
                    const uint8_t *value);

#endif
