/*
 * picture_png.c - PNG by libpng: everything becomes 8-bit RGB, without gamma
 * correction, as in Pillow. libpng leaves by longjmp: what must survive it lies in
 * struct job.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "shared/base/buf.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "worker/data/picture_format.h"

struct job {
    png_structp png;
    png_infop info;
    const char *name;
    struct picture *out;
    struct err *err;
    const uint8_t *bytes;
    size_t left;
    uint8_t *pixels; /* (h,w,3); interlaced files need all rows at once */
    png_bytep *rows;
};

static void
fail(png_structp png, png_const_charp text)
{
    const struct job *job = png_get_error_ptr(png);

    err_set(job->err, ERR_DATA, "%s: damaged PNG: %s", job->name, text);
    png_longjmp(png, 1);
}

static void
ignore(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static void
take_bytes(png_structp png, png_bytep out, size_t n)
{
    struct job *job = png_get_io_ptr(png);

    if (n > job->left)
        png_error(png, "the file ends early");
    memcpy(out, job->bytes, n);
    job->bytes += n;
    job->left -= n;
}

/* Asks libpng for three bytes a pixel, whatever the file has. */
static void
ask_for_rgb(png_structp png)
{
    png_set_expand(png);
    png_set_strip_16(png);
    png_set_strip_alpha(png);
    png_set_gray_to_rgb(png);
    (void)png_set_interlace_handling(png);
}

static int
decode(struct job *job)
{
    png_structp png = job->png;

    if (setjmp(png_jmpbuf(png)) != 0)
        return -1;
    png_set_read_fn(png, job, take_bytes);
    png_read_info(png, job->info);
    const int64_t h = png_get_image_height(png, job->info);
    const int64_t w = png_get_image_width(png, job->info);
    if (picture_alloc(job->out, h, w, job->name, job->err) != 0)
        return -1;
    ask_for_rgb(png);
    png_read_update_info(png, job->info);
    job->pixels = xcalloc((size_t)(h * w), PICTURE_CHANNELS);
    job->rows = xcalloc((size_t)h, sizeof *job->rows);
    for (int64_t y = 0; y < h; y++)
        job->rows[y] = job->pixels + y * w * PICTURE_CHANNELS;
    png_read_image(png, job->rows);
    png_read_end(png, NULL);
    for (int64_t y = 0; y < h; y++)
        picture_put_row(job->out, y, job->rows[y]);
    return 0;
}

int
picture_png_decode(struct picture *out, const void *bytes, size_t size,
                   const char *name, struct err *err)
{
    struct job job = {
        .name = name, .out = out, .err = err, .bytes = bytes, .left = size};

    job.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &job, fail, ignore);
    if (job.png == NULL)
        return err_set(err, ERR_OOM, "%s: no memory for libpng", name);
    job.info = png_create_info_struct(job.png);
    const int rc = decode(&job);
    png_destroy_read_struct(&job.png, &job.info, NULL);
    free(job.pixels);
    free(job.rows);
    return rc;
}

/* ---- writing --------------------------------------------------------------------- */

int
picture_write_png(const char *path, const uint8_t *rgb, int64_t h, int64_t w,
                  struct err *err)
{
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)w,
                       .height = (png_uint_32)h,
                       .format = PNG_FORMAT_RGB};
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
    uint8_t *bytes = xmalloc(size);
    int rc;

    if (png_image_write_to_memory(&image, bytes, &size, 0, rgb, 0, NULL) != 0)
        rc = file_write(path, bytes, size, err);
    else
        rc = err_set(err, ERR_BUG, "%s: libpng: %s", path, image.message);
    free(bytes);
    return rc;
}
