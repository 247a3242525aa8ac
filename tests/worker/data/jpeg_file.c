/* jpeg_file.c - JPEG files for the tests of the readers. */
#include "tests/worker/data/jpeg_file.h"

#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

#include "shared/base/mem.h"

void
jpeg_file_flat(struct buf *out, int64_t h, int64_t w, int channels,
               const uint8_t *value)
{
    struct jpeg_compress_struct info;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    unsigned long size = 0;
    uint8_t *line = xmalloc((size_t)(w * channels));

    for (int64_t i = 0; i < w * channels; i++)
        line[i] = value[i % channels];
    info.err = jpeg_std_error(&errors);
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, &bytes, &size);
    info.image_width = (JDIMENSION)w;
    info.image_height = (JDIMENSION)h;
    info.input_components = channels;
    info.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, 100, TRUE);
    jpeg_start_compress(&info, TRUE);
    while (info.next_scanline < info.image_height)
        (void)jpeg_write_scanlines(&info, &line, 1);
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    buf_add(out, bytes, size);
    free(bytes);
    free(line);
}
