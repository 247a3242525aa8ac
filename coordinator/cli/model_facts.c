/*
 * model_facts.c - a look into models: masks and statistics of the last batch norm. Reads
 * the head of a safetensors file and the tensors it wants, never the weights.
 */
#include "coordinator/cli/model_facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/db/blobrange.h"
#include "shared/base/json.h"
#include "shared/base/mem.h"

enum { MODELS_MAX = 48, LENGTH_BYTES = 8, HEADER_MAX = 8 << 20 };

static const char *const norm_paths[] = {".BN_c", ".BN_r", ".BN_a", ""};
enum { NORM_PATHS = sizeof norm_paths / sizeof norm_paths[0] };

/* An open file: where its tensors are. */
struct file {
    struct db *db;
    const char *sha;
    json_t *header;
    int64_t data; /* offset of the first tensor */
};

/* Masks of one network, one after another, for comparing. */
struct masks {
    struct buf bits;
    const json_t *params; /* of its cell */
};

/* ---- safetensors ----------------------------------------------------------------- */

static int
open_file(struct file *f, struct err *err)
{
    struct buf bytes = {0};
    uint64_t length = 0;
    int rc = db_blob_range(f->db, f->sha, 0, LENGTH_BYTES, &bytes, err);

    for (int i = 0; rc == 0 && i < LENGTH_BYTES; i++)
        length |= (uint64_t)(unsigned char)bytes.data[i] << 8 * i;
    if (rc == 0 && length > HEADER_MAX)
        rc = err_set(err, ERR_DATA, "artifact %s: a header of %" PRIu64 " bytes",
                     f->sha, length);
    buf_clear(&bytes);
    if (rc == 0)
        rc = db_blob_range(f->db, f->sha, LENGTH_BYTES, (int64_t)length, &bytes, err);
    if (rc == 0)
        rc = json_parse(&f->header, buf_str(&bytes), bytes.len, "its header", err);
    if (rc != 0)
        (void)err_wrap(err,
                       "artifact %s, a model (`relusweep db check --deep` says if it "
                       "is damaged)",
                       f->sha);
    f->data = LENGTH_BYTES + (int64_t)length;
    buf_release(&bytes);
    return rc;
}

/* Appends the bytes of a tensor to `out`; *found is false when there is none. */
static int
read_tensor(const struct file *f, const char *name, struct buf *out, bool *found,
            struct err *err)
{
    const json_t *offsets =
        json_object_get(json_object_get(f->header, name), "data_offsets");
    const int64_t from = json_integer_value(json_array_get(offsets, 0));
    const int64_t to = json_integer_value(json_array_get(offsets, 1));

    *found = offsets != NULL;
    if (!*found)
        return 0;
    return db_blob_range(f->db, f->sha, f->data + from, to - from, out, err);
}

/* ---- masks ----------------------------------------------------------------------- */

static int
read_masks(json_t *model, struct masks *masks, const struct file *f, struct err *err)
{
    json_t *layers = json_array();
    bool found = true;

    json_object_set_new(model, "layers", layers);
    for (int i = 0; found; i++) {
        const size_t before = masks->bits.len;
        char name[24];
        int64_t kept = 0;
        snprintf(name, sizeof name, "mask.%d", i);
        if (read_tensor(f, name, &masks->bits, &found, err) != 0)
            return -1;
        for (size_t k = before; k < masks->bits.len; k++)
            kept += masks->bits.data[k] != 0;
        if (found)
            json_array_append_new(layers,
                                  json_pack("{s:I, s:I}", "relus",
                                            (json_int_t)(masks->bits.len - before),
                                            "kept", (json_int_t)kept));
    }
    return 0;
}

static double
overlap(const struct masks *a, const struct masks *b)
{
    int64_t both = 0, any = 0;

    for (size_t i = 0; i < a->bits.len; i++) {
        both += a->bits.data[i] != 0 && b->bits.data[i] != 0;
        any += a->bits.data[i] != 0 || b->bits.data[i] != 0;
    }
    return any > 0 ? (double)both / (double)any : 1;
}

static bool
is_same_network(const struct masks *a, const struct masks *b)
{
    static const char *const keys[] = {"dataset", "model"};

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (strcmp(json_str(a->params, keys[i], ""), json_str(b->params, keys[i], ""))
            != 0)
            return false;
    return a->bits.len == b->bits.len && a->bits.len > 0;
}

static json_t *
overlaps_of(const struct masks *masks, size_t n)
{
    json_t *overlaps = json_array();

    for (size_t a = 0; a < n; a++)
        for (size_t b = a + 1; b < n; b++)
            if (is_same_network(&masks[a], &masks[b]))
                json_array_append_new(overlaps,
                                      json_pack("{s:I, s:I, s:f}", "a", (json_int_t)a,
                                                "b", (json_int_t)b, "iou",
                                                overlap(&masks[a], &masks[b])));
    return overlaps;
}

/* ---- batch norm ------------------------------------------------------------------ */

static bool
is_shortcut(const char *layer)
{
    return strstr(layer, "shortcut") != NULL || strstr(layer, "bn_sc") != NULL;
}

/* "layer4.1.bn2": the last batch norm that is not of a shortcut, in the order of names,
 * which is that of execution. Caller frees; NULL when there is none. */
static char *
last_norm(const json_t *header)
{
    static const char ending[] = ".running_mean";
    char *last = NULL;
    const char *name;
    json_t *tensor;

    json_object_foreach((json_t *)header, name, tensor)
    {
        const size_t n = strlen(name), e = sizeof ending - 1;
        if (n <= e || strcmp(name + n - e, ending) != 0)
            continue;
        char *layer = xstrndup(name, n - e), *path = strstr(layer, ".BN_");
        if (path != NULL)
            *path = '\0';
        if (!is_shortcut(layer) && (last == NULL || strverscmp(layer, last) > 0)) {
            free(last);
            last = layer;
        } else {
            free(layer);
        }
    }
    return last;
}

static json_t *
floats_of(const struct buf *bytes)
{
    json_t *list = json_array();
    float v;

    for (size_t at = 0; at + sizeof v <= bytes->len; at += sizeof v) {
        memcpy(&v, bytes->data + at, sizeof v);
        json_array_append_new(list, json_real((double)v));
    }
    return list;
}

/* One statistic of a path, NULL in *out when the file does not have it. */
static int
read_statistic(json_t **out, const struct file *f, const char *layer, const char *path,
               const char *statistic, struct err *err)
{
    char *name = xasprintf("%s%s.%s", layer, path, statistic);
    struct buf bytes = {0};
    bool found;
    const int rc = read_tensor(f, name, &bytes, &found, err);

    *out = rc == 0 && found ? floats_of(&bytes) : NULL;
    buf_release(&bytes);
    free(name);
    return rc;
}

static int
read_norm(json_t *model, const struct file *f, struct err *err)
{
    char *layer = last_norm(f->header);
    json_t *paths = json_array();
    int rc = 0;

    for (size_t i = 0; layer != NULL && rc == 0 && i < NORM_PATHS; i++) {
        const char *path = norm_paths[i];
        json_t *mean = NULL, *var = NULL;
        rc = read_statistic(&mean, f, layer, path, "running_mean", err);
        if (rc == 0)
            rc = read_statistic(&var, f, layer, path, "running_var", err);
        if (mean != NULL && var != NULL)
            json_array_append_new(paths, json_pack("{s:s, s:O, s:O}", "name",
                                                   path[0] == '.' ? path + 1 : "BN",
                                                   "mean", mean, "var", var));
        json_decref(mean);
        json_decref(var);
    }
    json_object_set_new(
        model, "norm",
        json_pack("{s:s, s:o}", "name", layer != NULL ? layer : "", "paths", paths));
    free(layer);
    return rc;
}

/* ---- cells ----------------------------------------------------------------------- */

/* SHA-256 of the model that a job has left, or NULL. */
static const char *
model_of(const json_t *artifacts, int64_t job)
{
    json_t *row;
    size_t i;

    json_array_foreach(artifacts, i, row)
    {
        if (json_int(row, "job", -1) == job
            && strcmp(json_str(row, "name", ""), "model") == 0)
            return json_str(row, "sha", NULL);
    }
    return NULL;
}

/* The model that a finished cell has evaluated, the last that its chain has made. */
static const char *
model_of_cell(const json_t *cell, const json_t *artifacts)
{
    const json_t *jobs = json_object_get(cell, "jobs");

    if (strcmp(json_str(cell, "state", ""), "succeeded") != 0)
        return NULL;
    for (size_t i = json_array_size(jobs); i-- > 0;) {
        const char *sha =
            model_of(artifacts, json_int(json_array_get(jobs, i), "id", -1));
        if (sha != NULL)
            return sha;
    }
    return NULL;
}

/* True when a cell of the same setting, but for the seed, came before. */
static bool
seen_before(json_t *seen, const json_t *cell, const char *group_over)
{
    json_t *params = json_copy(json_object_get(cell, "params"));

    json_object_del(params, group_over);
    char *key = json_canonical(params);
    const bool known = json_object_get(seen, key) != NULL;
    json_object_set_new(seen, key, json_true());
    free(key);
    json_decref(params);
    return known;
}

static int
read_model(json_t *models, struct masks *masks, struct db *db, const char *sha,
           size_t cell, struct err *err)
{
    struct file f = {.db = db, .sha = sha};
    json_t *model = json_pack("{s:I}", "cell", (json_int_t)cell);
    int rc = open_file(&f, err);

    if (rc == 0)
        rc = read_masks(model, masks, &f, err);
    if (rc == 0)
        rc = read_norm(model, &f, err);
    json_array_append_new(models, model);
    json_decref(f.header);
    return rc;
}

static int
read_models(json_t *models, struct masks *masks, size_t *n, const json_t *rows,
            struct db *db, const json_t *artifacts, struct err *err)
{
    const char *over = json_str(json_object_get(rows, "report"), "group_over", "seed");
    json_t *seen = json_object(), *cell;
    int rc = 0;
    size_t i;

    json_array_foreach(json_object_get(rows, "cells"), i, cell)
    {
        const char *sha = model_of_cell(cell, artifacts);
        if (rc != 0 || sha == NULL || *n == MODELS_MAX || seen_before(seen, cell, over))
            continue;
        masks[*n].params = json_object_get(cell, "params");
        rc = read_model(models, &masks[(*n)++], db, sha, i, err);
    }
    json_decref(seen);
    return rc;
}

int
model_facts_add(json_t *rows, struct db *db, int64_t sweep, struct err *err)
{
    const struct db_selection selection = {.sweep = sweep, .state = ""};
    struct masks *masks = xcalloc(MODELS_MAX, sizeof *masks);
    json_t *artifacts = NULL, *models = json_array();
    size_t n = 0;

    int rc = db_artifacts(db, &selection, &artifacts, err);
    if (rc == 0)
        rc = read_models(models, masks, &n, rows, db,
                         json_object_get(artifacts, "artifacts"), err);
    if (rc == 0) {
        json_object_set(rows, "models", models);
        json_object_set_new(rows, "overlaps", overlaps_of(masks, n));
    }
    for (size_t i = 0; i < n; i++)
        buf_release(&masks[i].bits);
    free(masks);
    json_decref(models);
    json_decref(artifacts);
    return rc;
}
