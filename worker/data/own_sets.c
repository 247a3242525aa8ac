/*
 * own_sets.c - data sets out of folders of pictures. A set that cannot be used is left
 * out with its reason and never stops a program. What was found is kept until the end.
 */
#include "worker/data/own_sets.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "worker/data/image_list.h"
#include "worker/data/listing.h"
#include "worker/data/locate.h"
#include "worker/data/picture.h"

struct own_set {
    struct dataset_source source; /* first: `self` of its functions */
    char *train, *test;           /* folders */
};

/* ---- listing --------------------------------------------------------------------- */

static int
add_class(struct image_list *files, const char *part, const char *class, size_t index,
          struct err *err)
{
    char *folder = file_join(part, class);
    int64_t n = 0;
    int rc = image_list_add_folder(files, folder, (uint16_t)index, &n, err);

    if (rc == 0 && n == 0)
        rc = err_set(err, ERR_DATA, "%s: no picture (.jpg, .jpeg, .png)", folder);
    free(folder);
    return rc;
}

static int
check_classes(const struct listing *here, const struct listing *all, const char *part,
              struct err *err)
{
    bool equal = here->n == all->n;

    for (size_t k = 0; equal && k < all->n; k++)
        equal = strcmp(here->names[k], all->names[k]) == 0;
    return equal ? 0
                 : err_set(err, ERR_DATA,
                           "%s: its class folders are not those of the training part",
                           part);
}

/* The files of one part; *classes (may be NULL) of the training part. */
static int
list_part(struct image_list *files, int64_t *classes, const struct own_set *s,
          enum dataset_part part, struct err *err)
{
    const char *folder = part == DATASET_TRAIN ? s->train : s->test;
    struct listing all = {0}, here = {0};

    int rc = listing_read(&all, s->train, LISTING_FOLDERS, err);
    if (rc == 0)
        rc = listing_read(&here, folder, LISTING_FOLDERS, err);
    if (rc == 0)
        rc = check_classes(&here, &all, folder, err);
    if (rc == 0 && (all.n < 2 || all.n > OWN_SETS_MAX_CLASSES))
        rc = err_set(err, ERR_DATA, "%s: %zu class folders; 2 to %d are taken",
                     s->train, all.n, OWN_SETS_MAX_CLASSES);
    for (size_t k = 0; rc == 0 && k < all.n; k++)
        rc = add_class(files, folder, all.names[k], k, err);
    if (classes != NULL)
        *classes = (int64_t)all.n;
    listing_release(&here);
    listing_release(&all);
    return rc;
}

/* ---- the functions of a source --------------------------------------------------- */

static int
load(const struct dataset_source *self, struct dataset *out, const char *dir,
     enum dataset_part part, struct err *err)
{
    const struct own_set *s = (const struct own_set *)self;
    char *cache =
        xasprintf("own-%s-%s", self->name, part == DATASET_TRAIN ? "train" : "test");
    struct image_list files = {0};

    (void)dir;
    int rc = list_part(&files, NULL, s, part, err);
    if (rc == 0)
        rc = image_list_load(out, &files, self->h, self->w, self->classes, cache, err);
    image_list_release(&files);
    free(cache);
    return rc;
}

static int
check(const struct dataset_source *self, struct buf *report, const char *dir,
      struct err *err)
{
    const struct own_set *s = (const struct own_set *)self;
    struct image_list files = {0};

    (void)dir;
    int rc = list_part(&files, NULL, s, DATASET_TRAIN, err);
    if (rc == 0)
        rc = list_part(&files, NULL, s, DATASET_TEST, err);
    if (rc == 0)
        buf_printf(report, "  %s, %s: %zu pictures\n", s->train, s->test, files.n);
    else
        buf_printf(report, "  CORRUPT: %s\n", err->text);
    image_list_release(&files);
    return rc;
}

/* ---- finding --------------------------------------------------------------------- */

/* All pictures must have the size of this one. */
static int
take_size(struct dataset_source *d, const char *path, struct err *err)
{
    struct picture p = {0};

    if (picture_read(&p, path, err) != 0)
        return -1;
    d->h = p.h;
    d->w = p.w;
    picture_release(&p);
    if (d->h == d->w)
        return 0;
    return err_set(err, ERR_DATA,
                   "%s: %" PRId64 "x%" PRId64 " pixels; pictures must be square", path,
                   d->w, d->h);
}

static int
count_part(int64_t *n, struct own_set *s, enum dataset_part part, struct err *err)
{
    struct image_list files = {0};
    int rc = list_part(&files, &s->source.classes, s, part, err);

    *n = (int64_t)files.n;
    if (rc == 0 && part == DATASET_TRAIN && files.files != NULL)
        rc = take_size(&s->source, files.files[0].path, err);
    image_list_release(&files);
    return rc;
}

static int
check_name(const char *name, struct err *err)
{
    if (name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-")] != '\0')
        return err_set(err, ERR_DATA,
                       "the name of a data set is made of a-z, 0-9, _ and -");
    const struct dataset_source *other = dataset_find(name);
    if (other != NULL && other->load != load)
        return err_set(err, ERR_DATA, "there is another data set of this name");
    return 0;
}

static int
describe(struct own_set *s, char *folder, const char *name, struct err *err)
{
    struct dataset_source *d = &s->source;

    s->train = file_join(folder, "train");
    s->test = file_join(folder, "test");
    if (!file_exists(s->test)) {
        free(s->test);
        s->test = file_join(folder, "val");
    }
    *d = (struct dataset_source){.name = xstrdup(name),
                                 .doc = "your own pictures",
                                 .source = folder,
                                 .std = {1, 1, 1},
                                 .where = "its folder is among the data",
                                 .load = load,
                                 .check = check};
    if (check_name(name, err) != 0
        || count_part(&d->n_train, s, DATASET_TRAIN, err) != 0)
        return -1;
    return count_part(&d->n_test, s, DATASET_TEST, err);
}

static void
own_set_free(struct own_set *s)
{
    free(s->train);
    free(s->test);
    free((char *)s->source.name);
    free((char *)s->source.source);
    free(s);
}

int
own_sets_find(const struct dataset_source **found, const char *dir,
              struct buf *complaints)
{
    static const char *const layouts[] = {"image-folders", NULL};
    static const char *const anything[] = {".", NULL};
    char *place = locate_folder(dir, layouts, anything);
    struct listing names = {0};
    struct err err;
    int n = 0;

    if (place != NULL && listing_read(&names, place, LISTING_FOLDERS, &err) != 0
        && complaints != NULL)
        buf_printf(complaints, "%s\n", err.text);
    for (size_t i = 0; i < names.n && n < OWN_SETS_MAX; i++) {
        struct own_set *s = xcalloc(1, sizeof *s);
        const int rc =
            describe(s, file_join(place, names.names[i]), names.names[i], &err);
        if (rc == 0 && found != NULL) {
            found[n++] = &s->source;
            continue;
        }
        if (rc != 0 && complaints != NULL)
            buf_printf(complaints, "%s/%s cannot be used: %s\n", place, names.names[i],
                       err.text);
        own_set_free(s);
    }
    listing_release(&names);
    free(place);
    return n;
}
