/* picture.c - picture files as planes of bytes; picture_jpeg.c and picture_png.c know
 * the formats. */
#include "worker/data/picture.h"

#include <inttypes.h>
#include <string.h>

#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "worker/data/picture_format.h"

int
picture_alloc(struct picture *out, int64_t h, int64_t w, const char *name,
              struct err *err)
{
    if (h < 1 || w < 1 || h > PICTURE_MAX_SIDE || w > PICTURE_MAX_SIDE)
        return err_set(err, ERR_DATA,
                       "%s: %" PRId64 "x%" PRId64 " pixels; sides of 1 to %d are taken",
                       name, w, h, PICTURE_MAX_SIDE);
    out->h = h;
    out->w = w;
    out->planes = mem_large_alloc((size_t)(PICTURE_CHANNELS * h * w));
    if (out->planes == NULL)
        return err_set(err, ERR_OOM, "%s: no memory for the picture", name);
    return 0;
}

void
picture_put_row(struct picture *p, int64_t y, const uint8_t *row)
{
    const int64_t plane = p->h * p->w;

    for (int64_t x = 0; x < p->w; x++)
        for (int64_t c = 0; c < PICTURE_CHANNELS; c++)
            p->planes[c * plane + y * p->w + x] = row[x * PICTURE_CHANNELS + c];
}

int
picture_decode(struct picture *out, const void *bytes, size_t size, const char *name,
               struct err *err)
{
    int rc;

    *out = (struct picture){0};
    if (size >= 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0)
        rc = picture_jpeg_decode(out, bytes, size, name, err);
    else if (size >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0)
        rc = picture_png_decode(out, bytes, size, name, err);
    else
        rc = err_set(err, ERR_DATA, "%s: neither a JPEG nor a PNG file", name);
    if (rc != 0)
        picture_release(out);
    return rc;
}

int
picture_read(struct picture *out, const char *path, struct err *err)
{
    struct buf bytes = {0};
    int rc = file_read(&bytes, path, err);

    if (rc == 0)
        rc = picture_decode(out, bytes.data, bytes.len, path, err);
    buf_release(&bytes);
    return rc;
}

void
picture_release(struct picture *p)
{
    mem_large_free(p->planes);
    *p = (struct picture){0};
}
