/*
 * corrupted.c - finds the corrupted test images that belong to a data set, and gives
 * them out. Invariant: what it gives for (corruption, severity, sample) has the label
 * of that test sample. Knows no file format; corrupted_npy.c and corrupted_folders.c
 * do.
 */
#include "worker/data/corrupted.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "worker/data/corrupted_about.h"
#include "worker/data/corrupted_impl.h"
#include "worker/data/locate.h"

enum { MAX_NAMES = 64 };

/* ---- finding --------------------------------------------------------------------- */

/* Does any corruption lie there under its name with this ending? */
static bool
holds(const char *folder, const char *ending)
{
    bool found = false;

    for (int i = 0; !found && corruptions[i] != NULL; i++) {
        char *path = xasprintf("%s/%s%s", folder, corruptions[i]->name, ending);
        found = file_exists(path);
        free(path);
    }
    return found;
}

/* The folder of this source, or NULL. Caller frees. */
static char *
find_folder(const struct dataset_source *source, const char *dir)
{
    char *own = xasprintf("%s-c", source->name);
    const char *published = source->corrupted != NULL ? source->corrupted : own;
    const char *layouts[] = {published, own, NULL};
    const char *names[MAX_NAMES + 1] = {"labels.npy"};
    struct arena mem = {0};
    int n = 1;

    for (int i = 0; corruptions[i] != NULL && n + 1 < MAX_NAMES; i++) {
        names[n++] = corruptions[i]->name;
        names[n++] = arena_printf(&mem, "%s.npy", corruptions[i]->name);
    }
    char *folder = locate_folder(dir, layouts, names);
    arena_release(&mem);
    free(own);
    return folder;
}

static const struct corrupted_format *
format_of(const char *folder)
{
    return holds(folder, ".npy") || !holds(folder, "") ? &corrupted_npy
                                                       : &corrupted_folders;
}

static int
find(struct corrupted *c, const char *name, const char *dir, struct err *err)
{
    const struct dataset_source *source = dataset_find(name);

    if (source == NULL)
        return err_set(err, ERR_USAGE, "data set `%s` is not known", name);
    c->folder = find_folder(source, dir);
    if (c->folder == NULL)
        return 0;
    c->format = format_of(c->folder);
    if (corrupted_about_read(&c->ours, c->folder, c->test, err) != 0)
        return -1;
    return c->format->check(NULL, c, err);
}

int
corrupted_open(struct corrupted **out, const char *name, const char *dir,
               const struct dataset *test, struct err *err)
{
    struct corrupted *c = xcalloc(1, sizeof *c);

    c->test = test;
    if (find(c, name, dir, err) != 0) {
        corrupted_close(c);
        *out = NULL;
        return err_wrap(err, "corrupted test images of %s", name);
    }
    *out = c;
    return 0;
}

void
corrupted_close(struct corrupted *c)
{
    if (c == NULL)
        return;
    image_list_release(&c->files);
    mem_large_free(c->images);
    free(c->folder);
    free(c);
}

enum corrupted_origin
corrupted_origin(const struct corrupted *c)
{
    return c->folder == NULL || c->ours ? CORRUPTED_MADE : CORRUPTED_PUBLISHED;
}

const char *
corrupted_folder(const struct corrupted *c)
{
    return c->folder;
}

/* ---- giving out ------------------------------------------------------------------ */

int
corrupted_select(struct corrupted *c, const struct corruption *kind, int severity,
                 struct err *err)
{
    assert(severity >= 1 && severity <= CORRUPTION_SEVERITIES);
    c->kind = kind;
    c->severity = severity;
    c->made = c->format == NULL;
    return c->made ? 0 : c->format->select(c, err);
}

/* What the tasks of one batch share. */
struct fill {
    const struct corrupted *c;
    float *x;
    const int64_t *sample;
    pthread_mutex_t lock; /* of what follows */
    struct err *err;
    bool failed;
};

static void
note_failure(struct fill *f, const struct err *err)
{
    pthread_mutex_lock(&f->lock);
    if (!f->failed)
        *f->err = *err;
    f->failed = true;
    pthread_mutex_unlock(&f->lock);
}

static void
fill_one(void *ctx, int64_t task, int thread)
{
    struct fill *f = ctx;
    const struct corrupted *c = f->c;
    const struct dataset *t = c->test;
    const int64_t pixels = t->c * t->h * t->w, sample = f->sample[task];
    float *x = f->x + task * pixels;
    struct err err;

    (void)thread;
    if (c->made)
        corruption_apply(x, t->images + sample * pixels, t->h, t->w, c->kind,
                         c->severity, CORRUPTED_SEED, sample);
    else if (c->format->fill(x, c, sample, &err) != 0)
        note_failure(f, &err);
}

int
corrupted_fill(float *x, const struct corrupted *c, const int64_t *sample, int64_t n,
               struct team *team, struct err *err)
{
    struct fill f = {.c = c, .x = x, .sample = sample, .err = err};

    assert(c->kind != NULL);
    pthread_mutex_init(&f.lock, NULL);
    team_run(team, n, fill_one, &f);
    pthread_mutex_destroy(&f.lock);
    return f.failed ? -1 : 0;
}

/* ---- looking at it --------------------------------------------------------------- */

int
corrupted_check(struct buf *report, const struct dataset_source *source,
                const char *dir, struct err *err)
{
    struct corrupted c = {.folder = find_folder(source, dir)};
    struct dataset test;
    struct err no_test;
    int rc = 0;

    if (c.folder == NULL
        || dataset_load(&test, source->name, dir, DATASET_TEST, &no_test) != 0) {
        free(c.folder);
        return 0;
    }
    c.test = &test;
    c.format = format_of(c.folder);
    rc = corrupted_about_read(&c.ours, c.folder, &test, err);
    if (rc != 0)
        buf_printf(report, "  CORRUPT: %s\n", err->text);
    else
        rc = c.format->check(report, &c, err);
    dataset_release(&test);
    free(c.folder);
    return rc;
}
