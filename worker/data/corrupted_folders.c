/*
 * corrupted_folders.c - the layout of Tiny-ImageNet-C: <corruption>/<severity>/<class>/
 * with pictures. Classes and pictures are taken in the order of their names. Only what
 * is asked for is decoded, each time: all of it would be 9 GB.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "shared/base/mem.h"
#include "worker/data/corrupted_impl.h"
#include "worker/data/image_list.h"
#include "worker/data/listing.h"

static int
list_classes(struct image_list *files, const struct corrupted *c, const char *folder,
             struct err *err)
{
    struct listing classes;
    int rc = listing_read(&classes, folder, LISTING_FOLDERS, err);

    if (rc == 0 && (int64_t)classes.n != c->test->classes)
        rc = err_set(err, ERR_DATA, "%s: expected %" PRId64 " class folders, found %zu",
                     folder, c->test->classes, classes.n);
    for (size_t k = 0; rc == 0 && k < classes.n; k++) {
        char *path = xasprintf("%s/%s", folder, classes.names[k]);
        rc = image_list_add_folder(files, path, (uint16_t)k, NULL, err);
        free(path);
    }
    listing_release(&classes);
    return rc;
}

/* The same labels in the same order as the test part's. */
static int
compare_labels(const struct image_list *files, const struct dataset *t,
               const char *folder, struct err *err)
{
    if ((int64_t)files->n != t->n)
        return err_set(err, ERR_DATA, "%s: expected %" PRId64 " pictures, found %zu",
                       folder, t->n, files->n);
    for (int64_t i = 0; i < t->n; i++)
        if (files->files[i].label != t->labels[i])
            return err_set(err, ERR_DATA,
                           "%s: its classes have other numbers of pictures than the "
                           "test part's (picture %" PRId64 ", %s)",
                           folder, i, files->files[i].path);
    return 0;
}

static int
list_part(struct image_list *files, const struct corrupted *c, const char *name,
          int severity, struct err *err)
{
    char *folder = xasprintf("%s/%s/%d", c->folder, name, severity);
    int rc = list_classes(files, c, folder, err);

    if (rc == 0)
        rc = compare_labels(files, c->test, folder, err);
    free(folder);
    return rc;
}

static int
check(struct buf *report, const struct corrupted *c, struct err *err)
{
    int rc = 0;

    for (int i = 0; corruptions[i] != NULL; i++) {
        const char *name = corruptions[i]->name;
        struct err each;
        int found = 0;
        for (int s = 1; found == 0 && s <= CORRUPTION_SEVERITIES; s++) {
            struct image_list files = {0};
            found = list_part(&files, c, name, s, &each);
            image_list_release(&files);
        }
        if (report != NULL && found == 0)
            buf_printf(report, "  %s/%s: all pictures are there\n", c->folder, name);
        else if (report != NULL)
            buf_printf(report, "  CORRUPT: %s\n", each.text);
        if (found != 0 && rc == 0) {
            *err = each;
            rc = -1;
        }
    }
    return rc;
}

static int
select_part(struct corrupted *c, struct err *err)
{
    image_list_release(&c->files);
    return list_part(&c->files, c, c->kind->name, c->severity, err);
}

static int
fill(float *x, const struct corrupted *c, int64_t sample, struct err *err)
{
    const struct dataset *t = c->test;
    const int64_t pixels = t->c * t->h * t->w;
    uint8_t *planes = xmalloc((size_t)pixels);
    const int rc =
        image_list_read(planes, c->files.files[sample].path, t->h, t->w, err);

    if (rc == 0)
        corruption_from_bytes(x, planes, pixels);
    free(planes);
    return rc;
}

const struct corrupted_format corrupted_folders = {.check = check,
                                                   .select = select_part,
                                                   .fill = fill};
