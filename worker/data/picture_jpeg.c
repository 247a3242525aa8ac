/*
 * picture_jpeg.c - JPEG by libjpeg with Pillow's settings (accurate integer DCT, smooth
 * upsampling). A file that ends early is damaged, which libjpeg only warns of. libjpeg
 * leaves by longjmp: everything that must survive it lies in struct job.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jerror.h>
#include <jpeglib.h>

#include "shared/base/mem.h"
#include "worker/data/picture_format.h"

struct job {
    struct jpeg_error_mgr errors; /* first: libjpeg gives it back to us */
    struct jpeg_decompress_struct info;
    jmp_buf back;
    const char *name;
    struct picture *out;
    struct err *err;
    uint8_t row[PICTURE_MAX_SIDE * PICTURE_CHANNELS];
};

static void
fail(j_common_ptr info)
{
    struct job *job = (struct job *)info->err;
    char text[JMSG_LENGTH_MAX];

    info->err->format_message(info, text);
    err_set(job->err, ERR_DATA, "%s: damaged JPEG: %s", job->name, text);
    longjmp(job->back, 1);
}

/* level -1: a warning. Those of a missing end are failures, others are as in Pillow. */
static void
emit(j_common_ptr info, int level)
{
    const int code = info->err->msg_code;

    if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER))
        fail(info);
}

static int
decode(struct job *job, const void *bytes, size_t size)
{
    struct jpeg_decompress_struct *info = &job->info;
    JSAMPROW row = job->row;

    if (setjmp(job->back) != 0)
        return -1;
    jpeg_create_decompress(info);
    jpeg_mem_src(info, bytes, size);
    (void)jpeg_read_header(info, TRUE);
    if (info->num_components != 1 && info->num_components != PICTURE_CHANNELS)
        return err_set(job->err, ERR_DATA,
                       "%s: a JPEG of %d channels; grey and colour are taken",
                       job->name, info->num_components);
    if (picture_alloc(job->out, info->image_height, info->image_width, job->name,
                      job->err)
        != 0)
        return -1;
    info->out_color_space = JCS_RGB;
    (void)jpeg_start_decompress(info);
    while (info->output_scanline < info->output_height) {
        const int64_t y = info->output_scanline;
        (void)jpeg_read_scanlines(info, &row, 1);
        picture_put_row(job->out, y, row);
    }
    (void)jpeg_finish_decompress(info);
    return 0;
}

int
picture_jpeg_decode(struct picture *out, const void *bytes, size_t size,
                    const char *name, struct err *err)
{
    struct job *job = xcalloc(1, sizeof *job);

    job->name = name;
    job->out = out;
    job->err = err;
    job->info.err = jpeg_std_error(&job->errors);
    job->errors.error_exit = fail;
    job->errors.emit_message = emit;
    const int rc = decode(job, bytes, size);
    jpeg_destroy_decompress(&job->info);
    free(job);
    return rc;
}
