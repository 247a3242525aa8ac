/*
 * jpeg_compression.c - written as JPEG in memory and read again, with Pillow's defaults:
 * 4:2:0 chroma, baseline tables, the accurate integer DCT, smooth upsampling.
 */
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

#include "shared/base/mem.h"
#include "worker/data/corrupt/corrupt.h"

/* Input and sizes are our own, so libjpeg can only fail for want of memory: small
 * allocations abort (mem.h). */
static void
fail(j_common_ptr info)
{
    info->err->output_message(info);
    abort();
}

/* Returns the file's bytes, made by malloc. rgb: (h,w,3). */
static unsigned char *
compress(unsigned long *size, uint8_t *rgb, int64_t h, int64_t w, int quality)
{
    struct jpeg_compress_struct info;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;

    info.err = jpeg_std_error(&errors);
    errors.error_exit = fail;
    jpeg_create_compress(&info);
    *size = 0;
    jpeg_mem_dest(&info, &bytes, size);
    info.image_width = (JDIMENSION)w;
    info.image_height = (JDIMENSION)h;
    info.input_components = CORRUPTION_CHANNELS;
    info.in_color_space = JCS_RGB;
    jpeg_set_defaults(&info); /* YCbCr 4:2:0, islow */
    jpeg_set_quality(&info, quality, TRUE);
    jpeg_start_compress(&info, TRUE);
    while (info.next_scanline < info.image_height) {
        JSAMPROW row = rgb + (int64_t)info.next_scanline * w * CORRUPTION_CHANNELS;
        (void)jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    return bytes;
}

static void
decompress(uint8_t *rgb, int64_t w, const unsigned char *bytes, unsigned long size)
{
    struct jpeg_decompress_struct info;
    struct jpeg_error_mgr errors;

    info.err = jpeg_std_error(&errors);
    errors.error_exit = fail;
    jpeg_create_decompress(&info);
    jpeg_mem_src(&info, bytes, size);
    (void)jpeg_read_header(&info, TRUE);
    (void)jpeg_start_decompress(&info);
    while (info.output_scanline < info.output_height) {
        JSAMPROW row = rgb + (int64_t)info.output_scanline * w * CORRUPTION_CHANNELS;
        (void)jpeg_read_scanlines(&info, &row, 1);
    }
    (void)jpeg_finish_decompress(&info);
    jpeg_destroy_decompress(&info);
}

static void
apply(float *image, int64_t h, int64_t w, int severity, struct rng *rng)
{
    static const int quality[CORRUPTION_SCALES][CORRUPTION_SEVERITIES] = {
        {80, 65, 58, 50, 40}, {65, 58, 50, 40, 25}};
    const int64_t n = h * w;
    uint8_t *planes = xmalloc((size_t)(n * CORRUPTION_CHANNELS * 2));
    uint8_t *rgb = planes + CORRUPTION_CHANNELS * n;
    unsigned long size;

    (void)rng;
    corruption_to_bytes(planes, image, CORRUPTION_CHANNELS * n);
    for (int64_t i = 0; i < CORRUPTION_CHANNELS * n; i++)
        rgb[i] = planes[i % CORRUPTION_CHANNELS * n + i / CORRUPTION_CHANNELS];
    unsigned char *bytes =
        compress(&size, rgb, h, w, quality[corruption_scale(h, w)][severity - 1]);
    decompress(rgb, w, bytes, size);
    free(bytes);
    for (int64_t i = 0; i < CORRUPTION_CHANNELS * n; i++)
        planes[i % CORRUPTION_CHANNELS * n + i / CORRUPTION_CHANNELS] = rgb[i];
    corruption_from_bytes(image, planes, CORRUPTION_CHANNELS * n);
    free(planes);
}

const struct corruption corruption_jpeg_compression = {
    .name = "jpeg_compression",
    .doc = "JPEG of quality 80 to 25",
    .index = 14,
    .apply = apply,
};
