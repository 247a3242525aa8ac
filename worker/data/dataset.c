/*
 * dataset.c - loading by name, and the stratified split of a training set. A split
 * depends on the labels and the seed alone, and the validation part does not depend on
 * how much of the rest is kept. Knows nothing of files; every data set has its own.
 */
#include "worker/data/dataset.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "shared/base/word.h"
#include "worker/engine/rng.h"

enum { MAX_NAMED = 63 }; /* data sets that an error lists */

static int
unknown_name(const char *name, struct err *err)
{
    const char *names[MAX_NAMED + 1] = {NULL};

    for (int i = 0; i < MAX_NAMED && dataset_sources[i] != NULL; i++)
        names[i] = dataset_sources[i]->name;
    return word_unknown("data set", name, names, err);
}

int
dataset_load(struct dataset *out, const char *name, const char *dir,
             enum dataset_part part, struct err *err)
{
    const struct dataset_source *source = dataset_find(name);

    *out = (struct dataset){0};
    if (source == NULL)
        return unknown_name(name, err);
    if (source->load(source, out, dir, part, err) != 0) {
        dataset_release(out);
        return err_wrap(err, "data set %s", name);
    }
    memcpy(out->mean, source->mean, sizeof out->mean);
    memcpy(out->std, source->std, sizeof out->std);
    return 0;
}

void
dataset_release(struct dataset *d)
{
    mem_large_free(d->images);
    mem_large_free(d->labels);
    *d = (struct dataset){0};
}

/* The images of one class, in the order in which they are handed out. */
struct class_list {
    int64_t *index;
    int64_t n, taken;
    int64_t quota; /* of the part that is being drawn */
};

static struct class_list *
classes_shuffled(const struct dataset *d, uint64_t seed)
{
    struct class_list *lists = xcalloc((size_t)d->classes, sizeof *lists);

    for (int64_t i = 0; i < d->n; i++)
        lists[d->labels[i]].n++;
    for (int64_t k = 0; k < d->classes; k++) {
        lists[k].index = xcalloc((size_t)lists[k].n + 1, sizeof *lists[k].index);
        lists[k].n = 0;
    }
    for (int64_t i = 0; i < d->n; i++) {
        struct class_list *l = &lists[d->labels[i]];
        l->index[l->n++] = i;
    }
    for (int64_t k = 0; k < d->classes; k++) {
        struct rng rng = rng_stream(seed, RNG_SUBSET, 0, (uint64_t)k);
        rng_shuffle(&rng, lists[k].index, lists[k].n);
    }
    return lists;
}

static void
classes_free(struct class_list *lists, int64_t classes)
{
    for (int64_t k = 0; k < classes; k++)
        free(lists[k].index);
    free(lists);
}

/* Shares `count` out in proportion to what each class has left: the whole parts first,
 * then one each by largest remainder, the lower class first among equals. */
static void
set_quotas(struct class_list *lists, int64_t classes, int64_t count, int64_t left)
{
    int64_t given = 0;
    bool *topped_up = xcalloc((size_t)classes, sizeof *topped_up);

    for (int64_t k = 0; k < classes; k++) {
        lists[k].quota = count * (lists[k].n - lists[k].taken) / left;
        given += lists[k].quota;
    }
    for (; given < count; given++) {
        int64_t best = -1, best_rest = -1;
        for (int64_t k = 0; k < classes; k++) {
            const int64_t rest = count * (lists[k].n - lists[k].taken) % left;
            if (!topped_up[k] && rest > best_rest) {
                best = k;
                best_rest = rest;
            }
        }
        topped_up[best] = true;
        lists[best].quota++;
    }
    free(topped_up);
}

static int
ascending(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* The next `count` of the `left` images that no part has taken yet, sorted. */
static int64_t *
draw(struct class_list *lists, int64_t classes, int64_t count, int64_t left)
{
    int64_t *out = xcalloc((size_t)count + 1, sizeof *out);
    int64_t n = 0;

    if (count > 0)
        set_quotas(lists, classes, count, left);
    for (int64_t k = 0; count > 0 && k < classes; k++) {
        struct class_list *l = &lists[k];
        memcpy(out + n, l->index + l->taken, (size_t)l->quota * sizeof *out);
        n += l->quota;
        l->taken += l->quota;
    }
    qsort(out, (size_t)n, sizeof *out, ascending);
    return out;
}

int
dataset_split(struct dataset_split *out, const struct dataset *d, uint64_t seed,
              int64_t n_train, int64_t n_val, struct err *err)
{
    *out = (struct dataset_split){0};
    if (n_val < 0 || n_val >= d->n)
        return err_set(err, ERR_USAGE,
                       "%" PRId64 " validation images asked for, but the training set "
                       "has %" PRId64 " and some must be left to train on",
                       n_val, d->n);
    const int64_t left = d->n - n_val;
    if (n_train > left)
        return err_set(err, ERR_USAGE,
                       "%" PRId64 " training images asked for, but only %" PRId64
                       " of %" PRId64 " are left beside %" PRId64 " for validation",
                       n_train, left, d->n, n_val);
    struct class_list *lists = classes_shuffled(d, seed);
    out->n_val = n_val;
    out->val = draw(lists, d->classes, n_val, d->n);
    out->n_train = n_train > 0 ? n_train : left;
    out->train = draw(lists, d->classes, out->n_train, left);
    classes_free(lists, d->classes);
    return 0;
}

void
dataset_split_release(struct dataset_split *s)
{
    free(s->train);
    free(s->val);
    *s = (struct dataset_split){0};
}
