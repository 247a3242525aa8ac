/*
 * fashion_mnist.c - Fashion-MNIST from its four IDX files. The 28x28 grey images are
 * padded with zeros to 32x32 and repeated to three equal channels, so that every model
 * takes them. Sizes, shapes and labels are checked at every load, digests by `check`.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "worker/data/dataset.h"
#include "worker/data/idx.h"
#include "worker/data/locate.h"

enum {
    CLASSES = 10,
    CHANNELS = 3,
    RAW_SIDE = 28,
    SIDE = 32,
    PLANE = SIDE * SIDE,
    RAW_IMAGE = RAW_SIDE * RAW_SIDE,
    BORDER = (SIDE - RAW_SIDE) / 2,
    N_TRAIN = 60000,
    N_TEST = 10000,
};

#define WHERE                                                                  \
    "run `apt-get install dataset-fashion-mnist` and leave RELUSWEEP_DATA "    \
    "unset, or put the four IDX files, plain or gzipped, into fashion-mnist/ " \
    "of the folder that it names"

/* Debian's and our own folder, torchvision's, and a folder that is named itself. */
static const char *const layouts[] = {"fashion-mnist", "FashionMNIST/raw", "", NULL};

/* Digests of the decompressed bytes: Debian compresses them anew, so those of the
 * published .gz files do not fit. */
static const struct member {
    const char *name, *sha256;
    int ndim;
    int64_t dims[IDX_MAX_DIMS];
} members[] = {
    {"train-images-idx3-ubyte",
     "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
     3,
     {N_TRAIN, RAW_SIDE, RAW_SIDE}},
    {"train-labels-idx1-ubyte",
     "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
     1,
     {N_TRAIN}},
    {"t10k-images-idx3-ubyte",
     "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
     3,
     {N_TEST, RAW_SIDE, RAW_SIDE}},
    {"t10k-labels-idx1-ubyte",
     "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
     1,
     {N_TEST}},
};
enum { MEMBERS = sizeof members / sizeof members[0] };

static char *
find_folder(const char *dir)
{
    const char *files[MEMBERS + 1] = {NULL};

    for (int i = 0; i < MEMBERS; i++)
        files[i] = members[i].name;
    return locate_folder(dir, layouts, files);
}

static int
read_member(uint8_t **out, char **path, const char *folder, const struct member *m,
            struct err *err)
{
    *path = locate_file(folder, m->name);
    if (*path == NULL)
        return err_set(err, ERR_DATA, "%s/%s is missing, plain or with .gz; " WHERE,
                       folder, m->name);
    return idx_read(out, *path, m->ndim, m->dims, err);
}

/* out (c,32,32) from raw (28,28). `out` is zero. */
static void
pad_and_repeat(uint8_t *out, const uint8_t *raw)
{
    for (int64_t y = 0; y < RAW_SIDE; y++)
        memcpy(out + (y + BORDER) * SIDE + BORDER, raw + y * RAW_SIDE, RAW_SIDE);
    for (int64_t c = 1; c < CHANNELS; c++)
        memcpy(out + c * PLANE, out, PLANE);
}

static int
take_images(struct dataset *d, const uint8_t *raw, struct err *err)
{
    const int64_t image = (int64_t)CHANNELS * PLANE;

    assert(raw != NULL);
    d->images = mem_large_alloc((size_t)(d->n * image));
    if (d->images == NULL)
        return err_set(err, ERR_OOM, "no memory for %" PRId64 " images", d->n);
    for (int64_t i = 0; i < d->n; i++)
        pad_and_repeat(d->images + i * image, raw + i * RAW_IMAGE);
    return 0;
}

static int
take_labels(struct dataset *d, const uint8_t *raw, const char *path, struct err *err)
{
    const int64_t header = idx_size(1, &d->n) - d->n;

    assert(raw != NULL);
    d->labels = mem_large_alloc((size_t)d->n * sizeof *d->labels);
    if (d->labels == NULL)
        return err_set(err, ERR_OOM, "no memory for %" PRId64 " labels", d->n);
    for (int64_t i = 0; i < d->n; i++) {
        if (raw[i] >= CLASSES)
            return err_set(err, ERR_DATA,
                           "%s: offset %" PRId64 ": expected a label 0..%d, found %d; "
                           "fetch the file again",
                           path, header + i, CLASSES - 1, raw[i]);
        d->labels[i] = raw[i];
    }
    return 0;
}

static int
load(const struct dataset_source *self, struct dataset *out, const char *dir,
     enum dataset_part part, struct err *err)
{
    const struct member *files = members + (part == DATASET_TRAIN ? 0 : 2);
    uint8_t *images = NULL, *labels = NULL;
    char *images_path = NULL, *labels_path = NULL, *folder = find_folder(dir);
    int rc = -1;

    (void)self;
    if (folder == NULL)
        return locate_missing(dir, WHERE, err);
    *out = (struct dataset){
        .n = files[0].dims[0], .c = CHANNELS, .h = SIDE, .w = SIDE, .classes = CLASSES};
    if (read_member(&labels, &labels_path, folder, &files[1], err) == 0
        && take_labels(out, labels, labels_path, err) == 0
        && read_member(&images, &images_path, folder, &files[0], err) == 0
        && take_images(out, images, err) == 0)
        rc = 0;
    mem_large_free(images);
    mem_large_free(labels);
    free(images_path);
    free(labels_path);
    free(folder);
    return rc;
}

/* Reports one file; -1 when it is there and not what was published. */
static int
check_member(struct buf *report, const char *folder, const struct member *m,
             struct err *err)
{
    const int64_t expected = idx_size(m->ndim, m->dims);
    char *path = locate_file(folder, m->name);
    struct sha256 digest;
    int64_t size;
    int rc = -1;

    if (path == NULL) {
        buf_printf(report, "  %s/%s: missing; " WHERE "\n", folder, m->name);
        return 0;
    }
    if (idx_digest(&digest, &size, path, expected, err) != 0)
        buf_printf(report, "  CORRUPT: %s\n", err->text);
    else if (strcmp(digest.hex, m->sha256) != 0) {
        err_set(err, ERR_DATA,
                "%s: expected %" PRId64 " bytes with SHA-256 %s, found %" PRId64
                " with %s (decompressed); fetch the file again",
                path, expected, m->sha256, size, digest.hex);
        buf_printf(report, "  CORRUPT: %s\n", err->text);
    } else {
        buf_printf(report, "  %s: %" PRId64 " bytes, checksum ok\n", path, size);
        rc = 0;
    }
    free(path);
    return rc;
}

static int
check(const struct dataset_source *self, struct buf *report, const char *dir,
      struct err *err)
{
    char *folder = find_folder(dir);
    struct err each;
    int rc = 0;

    (void)self;
    if (folder == NULL) {
        (void)locate_missing(dir, WHERE, &each);
        buf_printf(report, "  %s\n", each.text);
        return 0;
    }
    for (int i = 0; i < MEMBERS; i++)
        if (check_member(report, folder, &members[i], &each) != 0 && rc == 0) {
            *err = each;
            rc = -1;
        }
    free(folder);
    return rc;
}

/* Mean and deviation are those of all 60000 * 32 * 32 training pixels after padding, on
 * [0,1], in double: m = sum(v) / n, s = sqrt(sum(v^2) / n - m^2) =
 * 0.218999832, 0.331811373. The channels are equal. */
const struct dataset_source dataset_source_fashion_mnist = {
    .name = "fashion-mnist",
    .doc = "clothes, 10 classes, 28x28 grey padded to 32x32 and three equal channels",
    .source = "Xiao, Rasul, Vollgraf 2017, arXiv 1708.07747",
    .classes = CLASSES,
    .h = SIDE,
    .w = SIDE,
    .n_train = N_TRAIN,
    .n_test = N_TEST,
    .mean = {0.2190f, 0.2190f, 0.2190f},
    .std = {0.3318f, 0.3318f, 0.3318f},
    .where = WHERE,
    .load = load,
    .check = check,
};
