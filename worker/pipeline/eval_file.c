/*
 * eval_file.c - saving and loading what an evaluation knows so far. Invariant: loading
 * checks the whole file before it copies the first answer.
 */
#include "worker/pipeline/eval_file.h"

#include <stdbool.h>
#include <string.h>

#include "worker/pipeline/safetensors.h"
#include "worker/pipeline/stamp.h"

static const char *const image_names[EVAL_KINDS] = {
    [EVAL_CLEAN] = "images/clean",
    [EVAL_CORRUPTED] = "images/corrupted",
    [EVAL_ATTACKED] = "images/attacked"};

int
eval_file_save(const struct eval_parts *p, const char *job, const char *path,
               struct err *err)
{
    struct st_writer *w = st_writer_new();

    stamp_write(w, job, EVAL_FILE_VERSION);
    for (int k = 0; k < EVAL_KINDS; k++)
        st_writer_add(w, image_names[k], ST_I64, &p->images[k].n, 1,
                      p->images[k].order);
    for (size_t i = 0; i < p->n; i++)
        if (p->items[i].done > 0)
            st_writer_add(w, p->items[i].name, ST_U8, &p->items[i].done, 1,
                          p->items[i].right);
    const int rc = st_writer_save(w, path, err);
    st_writer_free(w);
    return rc;
}

static int
check_images(const struct st_file *f, const struct eval_parts *p, struct err *err)
{
    for (int k = 0; k < EVAL_KINDS; k++) {
        const struct st_tensor *t = st_find(f, image_names[k]);
        const struct eval_images *own = &p->images[k];
        if (t == NULL || t->dtype != ST_I64 || t->count != own->n
            || memcmp(t->data, own->order, t->bytes) != 0)
            return err_set(err, ERR_DATA, "`%s` is missing or names other images",
                           image_names[k]);
    }
    return 0;
}

static bool
is_images(const char *name)
{
    for (int k = 0; k < EVAL_KINDS; k++)
        if (strcmp(name, image_names[k]) == 0)
            return true;
    return false;
}

/* Every other tensor holds answers of a part. */
static int
check_answers(const struct st_file *f, const struct eval_parts *p, struct err *err)
{
    for (size_t i = 0; i < st_count(f); i++) {
        const struct st_tensor *t = st_at(f, i);
        const struct eval_part *part = eval_parts_find(p, t->name);
        if (is_images(t->name))
            continue;
        if (part == NULL || t->dtype != ST_U8 || t->n_dims != 1 || t->count > part->n)
            return err_set(err, ERR_DATA, "tensor `%s` does not fit", t->name);
        const uint8_t *right = t->data;
        for (int64_t j = 0; j < t->count; j++)
            if (right[j] > 1)
                return err_set(err, ERR_DATA, "`%s` holds %d, not 0 or 1", t->name,
                               right[j]);
    }
    return 0;
}

static void
take_answers(struct eval_parts *p, const struct st_file *f)
{
    for (size_t i = 0; i < p->n; i++) {
        struct eval_part *part = &p->items[i];
        const struct st_tensor *t = st_find(f, part->name);
        if (t == NULL)
            continue;
        memcpy(part->right, t->data, t->bytes);
        part->done = t->count;
    }
}

int
eval_file_load(struct eval_parts *p, const char *job, const char *path, struct err *err)
{
    struct st_file *f;

    if (st_read(&f, path, err) != 0)
        return -1;
    int rc = -1;
    if (stamp_check(f, job, EVAL_FILE_VERSION, err) == 0 && check_images(f, p, err) == 0
        && check_answers(f, p, err) == 0) {
        take_answers(p, f);
        rc = 0;
    }
    st_free(f);
    return rc == 0 ? 0 : err_wrap(err, "answers %s", path);
}
