/*
 * image_list.c - many picture files as one array. They are decoded by all cores, once:
 * the result is kept in the decoded cache. All pictures must have one size, which the
 * caller names; nothing is resized, as that would be another data set.
 */
#include "worker/data/image_list.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "shared/base/proc.h"
#include "worker/data/decoded.h"
#include "worker/data/listing.h"
#include "worker/data/picture.h"
#include "worker/engine/team.h"

/* ---- the list -------------------------------------------------------------------- */

void
image_list_add(struct image_list *l, const char *folder, const char *name,
               uint16_t label)
{
    l->files = xgrow(l->files, &l->capacity, l->n + 1, sizeof *l->files);
    l->files[l->n++] = (struct image_file){file_join(folder, name), label};
}

void
image_list_release(struct image_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->files[i].path);
    free(l->files);
    *l = (struct image_list){0};
}

int
image_list_add_folder(struct image_list *l, const char *folder, uint16_t label,
                      int64_t *count, struct err *err)
{
    struct listing names;
    const int rc = listing_read(&names, folder, LISTING_PICTURES, err);

    for (size_t i = 0; rc == 0 && i < names.n; i++)
        image_list_add(l, folder, names.names[i], label);
    if (count != NULL)
        *count = (int64_t)names.n;
    listing_release(&names);
    return rc;
}

/* ---- decoding -------------------------------------------------------------------- */

int
image_list_read(uint8_t *planes, const char *path, int64_t h, int64_t w,
                struct err *err)
{
    struct picture p = {0};

    if (picture_read(&p, path, err) != 0)
        return -1;
    int rc = 0;
    if (p.h == h && p.w == w)
        memcpy(planes, p.planes, (size_t)(PICTURE_CHANNELS * h * w));
    else
        rc = err_set(err, ERR_DATA,
                     "%s: %" PRId64 "x%" PRId64 " pixels, expected %" PRId64 "x%" PRId64
                     " as of all others; resize the pictures",
                     path, p.w, p.h, w, h);
    picture_release(&p);
    return rc;
}

/* What the tasks share. */
struct decoding {
    const struct image_list *list;
    struct dataset *out;
    pthread_mutex_t lock; /* of what follows */
    struct err *err;
    int64_t
        failed; /* the first file that failed, so that the error is always the same */
};

static void
decode_one(void *ctx, int64_t i, int thread)
{
    struct decoding *d = ctx;
    const int64_t pixels = d->out->c * d->out->h * d->out->w;
    struct err err;

    (void)thread;
    if (image_list_read(d->out->images + i * pixels, d->list->files[i].path, d->out->h,
                        d->out->w, &err)
        == 0)
        return;
    pthread_mutex_lock(&d->lock);
    if (i < d->failed) {
        d->failed = i;
        *d->err = err;
    }
    pthread_mutex_unlock(&d->lock);
}

static int
decode_all(struct dataset *out, const struct image_list *l, struct err *err)
{
    struct decoding d = {.list = l, .out = out, .err = err, .failed = out->n};
    struct team *team = team_new(out->n > 1 ? proc_cores() : 1);

    if (team == NULL)
        return err_set(err, ERR_SYS, "threads cannot be made");
    pthread_mutex_init(&d.lock, NULL);
    team_run(team, out->n, decode_one, &d);
    pthread_mutex_destroy(&d.lock);
    team_free(team);
    return d.failed == out->n ? 0 : -1;
}

int
image_list_load(struct dataset *out, const struct image_list *l, int64_t h, int64_t w,
                int64_t classes, const char *name, struct err *err)
{
    *out = (struct dataset){
        .n = (int64_t)l->n, .c = PICTURE_CHANNELS, .h = h, .w = w, .classes = classes};
    out->images = mem_large_alloc((size_t)(out->n * out->c * h * w));
    out->labels = mem_large_alloc((size_t)out->n * sizeof *out->labels);
    if (out->images == NULL || out->labels == NULL)
        return err_set(err, ERR_OOM, "no memory for %" PRId64 " images", out->n);
    for (size_t i = 0; i < l->n; i++)
        out->labels[i] = l->files[i].label;
    struct decoded cache;
    if (decoded_init(&cache, name, l, err) != 0)
        return -1;
    int rc = 0;
    if (!decoded_read(&cache, out)) {
        rc = decode_all(out, l, err);
        if (rc == 0)
            decoded_write(&cache, out);
    }
    decoded_release(&cache);
    return rc;
}
