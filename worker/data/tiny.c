/*
 * tiny.c - from the folders of Tiny-ImageNet to lists of pictures with labels. Knows no
 * picture format; image_list.c decodes.
 */
#include "worker/data/tiny.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "worker/data/locate.h"

struct tiny {
    const struct tiny_set *set;
    char *folder;
    char **wnids; /* sorted; set->classes of them, borrowed from `text` */
    struct buf text;
};

/* ---- classes --------------------------------------------------------------------- */

static int
compare_words(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The class index of a wnid, or -1. */
static int64_t
class_of(const struct tiny *t, const char *wnid)
{
    char **found = bsearch(&wnid, t->wnids, (size_t)t->set->classes, sizeof *t->wnids,
                           compare_words);

    return found != NULL ? found - t->wnids : -1;
}

/* The next line of a text that is not empty, or NULL; *rest starts as the text. */
static char *
next_line(char **rest)
{
    char *line;

    do
        line = strsep(rest, "\r\n");
    while (line != NULL && *line == '\0');
    return line;
}

static int
read_wnids(struct tiny *t, struct err *err)
{
    char *path = file_join(t->folder, "wnids.txt");
    int64_t n = 0;
    int rc = file_read(&t->text, path, err);

    t->wnids = xcalloc((size_t)t->set->classes, sizeof *t->wnids);
    char *rest = t->text.data;
    for (char *line; rc == 0 && (line = next_line(&rest)) != NULL; n++)
        if (n < t->set->classes)
            t->wnids[n] = line;
    if (rc == 0 && n != t->set->classes)
        rc = err_set(err, ERR_DATA,
                     "%s: expected %" PRId64 " lines with a class each, found %" PRId64,
                     path, t->set->classes, n);
    if (rc == 0)
        qsort(t->wnids, (size_t)n, sizeof *t->wnids, compare_words);
    for (int64_t i = 0; rc == 0 && i < n; i++)
        if (strchr(t->wnids[i], '/') != NULL
            || (i > 0 && strcmp(t->wnids[i], t->wnids[i - 1]) == 0))
            rc = err_set(err, ERR_DATA, "%s: `%s` is no class, or stands there twice",
                         path, t->wnids[i]);
    free(path);
    return rc;
}

/* tiny_close also after a failure. */
static int
tiny_open(struct tiny *t, const struct tiny_set *set, const char *dir, struct err *err)
{
    static const char *const files[] = {"wnids.txt", NULL};

    *t = (struct tiny){.set = set, .folder = locate_folder(dir, set->layouts, files)};
    return t->folder != NULL ? read_wnids(t, err)
                             : locate_missing(dir, set->where, err);
}

static void
tiny_close(struct tiny *t)
{
    free(t->folder);
    free(t->wnids);
    buf_release(&t->text);
}

/* ---- training pictures ----------------------------------------------------------- */

static int
list_training(struct image_list *l, const struct tiny *t, struct err *err)
{
    for (int64_t k = 0; k < t->set->classes; k++) {
        char *folder = xasprintf("%s/train/%s/images", t->folder, t->wnids[k]);
        int64_t n;
        int rc = image_list_add_folder(l, folder, (uint16_t)k, &n, err);
        if (rc == 0 && n != t->set->train_each)
            rc = err_set(err, ERR_DATA,
                         "%s: expected %" PRId64 " pictures, found %" PRId64
                         "; unpack the archive again",
                         folder, t->set->train_each, n);
        free(folder);
        if (rc != 0)
            return -1;
    }
    return 0;
}

/* ---- validation pictures --------------------------------------------------------- */

/* line: "<file>\t<wnid>\t...", changed. */
static int
add_annotated(struct image_list *l, const struct tiny *t, const char *folder,
              char *line, struct err *err)
{
    char *rest = NULL;
    const char *name = strtok_r(line, "\t ", &rest);
    const char *wnid = strtok_r(NULL, "\t ", &rest);

    if (name == NULL || wnid == NULL || strchr(name, '/') != NULL)
        return err_set(err, ERR_DATA, "expected `file<tab>class<tab>...`");
    const int64_t class = class_of(t, wnid);
    if (class < 0)
        return err_set(err, ERR_DATA, "class `%s` is not in wnids.txt", wnid);
    image_list_add(l, folder, name, (uint16_t) class);
    return 0;
}

static int
compare_files(const void *a, const void *b)
{
    const struct image_file *x = a, *y = b;

    if (x->label != y->label)
        return x->label < y->label ? -1 : 1;
    return strcmp(x->path, y->path);
}

static int
check_validation(const struct image_list *l, const struct tiny *t, const char *path,
                 struct err *err)
{
    if ((int64_t)l->n != t->set->n_val)
        return err_set(err, ERR_DATA,
                       "%s: expected %" PRId64 " lines with a picture each, found %zu",
                       path, t->set->n_val, l->n);
    for (size_t i = 0; i < l->n; i++)
        if (!file_exists(l->files[i].path))
            return err_set(err, ERR_DATA, "%s is missing; unpack the archive again",
                           l->files[i].path);
    return 0;
}

static int
list_validation(struct image_list *l, const struct tiny *t, struct err *err)
{
    char *path = file_join(t->folder, "val/val_annotations.txt");
    char *folder = file_join(t->folder, "val/images");
    struct buf text = {0};
    int number = 1, rc = file_read(&text, path, err);

    char *rest = text.data;
    for (char *line; rc == 0 && (line = next_line(&rest)) != NULL; number++)
        if (add_annotated(l, t, folder, line, err) != 0)
            rc = err_wrap(err, "%s: line %d", path, number);
    if (rc == 0 && l->n > 0)
        qsort(l->files, l->n, sizeof *l->files, compare_files);
    if (rc == 0)
        rc = check_validation(l, t, path, err);
    buf_release(&text);
    free(folder);
    free(path);
    return rc;
}

/* ---- the set --------------------------------------------------------------------- */

int
tiny_load(struct dataset *out, const struct tiny_set *set, const char *dir,
          enum dataset_part part, struct err *err)
{
    char *cache =
        xasprintf("%s-%s", set->name, part == DATASET_TRAIN ? "train" : "test");
    struct image_list files = {0};
    struct tiny t;

    int rc = tiny_open(&t, set, dir, err);
    if (rc == 0)
        rc = part == DATASET_TRAIN ? list_training(&files, &t, err)
                                   : list_validation(&files, &t, err);
    if (rc == 0)
        rc = image_list_load(out, &files, set->side, set->side, set->classes, cache,
                             err);
    image_list_release(&files);
    tiny_close(&t);
    free(cache);
    return rc;
}

int
tiny_check(struct buf *report, const struct tiny_set *set, const char *dir,
           struct err *err)
{
    struct image_list train = {0}, val = {0};
    struct tiny t;

    int rc = tiny_open(&t, set, dir, err);
    if (t.folder == NULL) {
        buf_printf(report, "  %s\n", err->text);
        return 0;
    }
    if (rc == 0)
        rc = list_training(&train, &t, err);
    if (rc == 0)
        rc = list_validation(&val, &t, err);
    if (rc == 0)
        buf_printf(report, "  %s: %zu training and %zu validation pictures\n", t.folder,
                   train.n, val.n);
    else
        buf_printf(report, "  CORRUPT: %s\n", err->text);
    image_list_release(&train);
    image_list_release(&val);
    tiny_close(&t);
    return rc;
}
