/*
 * corrupted_npy.c - the layout of CIFAR-10-C: <corruption>.npy of bytes (5 n,h,w,3),
 * the whole test part at severity 1, then at 2, ...; labels.npy with its labels five
 * times.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "worker/data/corrupted_impl.h"
#include "worker/data/npy.h"

static char *
path_of(const struct corrupted *c, const char *name)
{
    return xasprintf("%s/%s.npy", c->folder, name);
}

static int
check_shape(const struct npy *a, const struct dataset *t, struct err *err)
{
    if (a->item_bytes != 1 || a->is_signed)
        return err_set(err, ERR_DATA, "%s: expected an array of bytes (|u1)", a->path);
    if (a->ndim == 4 && a->dims[0] == CORRUPTION_SEVERITIES * t->n && a->dims[1] == t->h
        && a->dims[2] == t->w && a->dims[3] == t->c)
        return 0;
    return err_set(err, ERR_DATA,
                   "%s: expected the shape (%" PRId64 ", %" PRId64 ", %" PRId64
                   ", %" PRId64 "): %d severities of %" PRId64 " test images",
                   a->path, CORRUPTION_SEVERITIES * t->n, t->h, t->w, t->c,
                   CORRUPTION_SEVERITIES, t->n);
}

static int
open_images(struct npy *a, const struct corrupted *c, const struct corruption *kind,
            struct err *err)
{
    char *path = path_of(c, kind->name);
    int rc = npy_open(a, path, err);

    if (rc == 0)
        rc = check_shape(a, c->test, err);
    free(path);
    return rc;
}

static bool
is_missing(const struct corrupted *c, const struct corruption *kind)
{
    char *path = path_of(c, kind->name);
    const bool missing = !file_exists(path);

    free(path);
    return missing;
}

/* ---- labels ---------------------------------------------------------------------- */

static int
compare_labels(const int64_t *found, const struct dataset *t, const char *path,
               struct err *err)
{
    for (int64_t i = 0; i < CORRUPTION_SEVERITIES * t->n; i++)
        if (found[i] != t->labels[i % t->n])
            return err_set(err, ERR_DATA,
                           "%s: image %" PRId64 " has label %" PRId64
                           ", test image %" PRId64 " has %d: these are not the "
                           "corrupted test images of this data set",
                           path, i, found[i], i % t->n, t->labels[i % t->n]);
    return 0;
}

static int
check_labels(const struct corrupted *c, struct err *err)
{
    const int64_t n = CORRUPTION_SEVERITIES * c->test->n;
    char *path = path_of(c, "labels");
    struct npy a;

    int rc = npy_open(&a, path, err);
    if (rc == 0 && (a.ndim != 1 || a.dims[0] != n))
        rc = err_set(err, ERR_DATA, "%s: expected %" PRId64 " labels", path, n);
    if (rc == 0) {
        int64_t *labels = xmalloc((size_t)n * sizeof *labels);
        rc = npy_read_integers(labels, &a, err);
        if (rc == 0)
            rc = compare_labels(labels, c->test, path, err);
        free(labels);
    }
    npy_close(&a);
    free(path);
    return rc;
}

/* ---- the format ------------------------------------------------------------------ */

static int
check_one(struct buf *report, const struct corrupted *c, const struct corruption *kind,
          struct err *err)
{
    struct npy a;

    if (c->ours && is_missing(c, kind))
        return 0;
    const int rc = open_images(&a, c, kind, err);
    if (report != NULL && rc == 0)
        buf_printf(report, "  %s: size ok\n", a.path);
    else if (report != NULL)
        buf_printf(report, "  CORRUPT: %s\n", err->text);
    npy_close(&a);
    return rc;
}

static int
check(struct buf *report, const struct corrupted *c, struct err *err)
{
    struct err each;
    int rc = check_labels(c, err);

    if (report != NULL && rc != 0)
        buf_printf(report, "  CORRUPT: %s\n", err->text);
    for (int i = 0; corruptions[i] != NULL; i++)
        if (check_one(report, c, corruptions[i], &each) != 0 && rc == 0) {
            *err = each;
            rc = -1;
        }
    return rc;
}

static int
select_part(struct corrupted *c, struct err *err)
{
    const struct dataset *t = c->test;
    struct npy a;

    c->made = c->ours && is_missing(c, c->kind);
    if (c->made)
        return 0;
    if (c->images == NULL)
        c->images = mem_large_alloc((size_t)(t->n * t->c * t->h * t->w));
    if (c->images == NULL)
        return err_set(err, ERR_OOM, "no memory for %" PRId64 " images", t->n);
    int rc = open_images(&a, c, c->kind, err);
    if (rc == 0)
        rc = npy_read_bytes(c->images, &a, (c->severity - 1) * t->n, t->n, err);
    npy_close(&a);
    return rc;
}

static int
fill(float *x, const struct corrupted *c, int64_t sample, struct err *err)
{
    const int64_t plane = c->test->h * c->test->w, channels = c->test->c;
    const uint8_t *image = c->images + sample * plane * channels;

    (void)err;
    for (int64_t k = 0; k < channels; k++)
        for (int64_t p = 0; p < plane; p++)
            x[k * plane + p] = (float)image[p * channels + k] / 255;
    return 0;
}

const struct corrupted_format corrupted_npy = {.check = check,
                                               .select = select_part,
                                               .fill = fill};
