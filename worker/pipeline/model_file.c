/*
 * model_file.c - trained networks on disk. Invariant: a file that loads fits the
 * network exactly: every parameter and mask is there with its shape, and nothing else
 * is. Knows nothing of training; optimiser state is checkpoint.c's.
 */
#include "worker/pipeline/model_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "worker/pipeline/network.h"
#include "worker/pipeline/safetensors.h"

struct model_file {
    struct st_file *tensors;
    struct model_info info;
    char *path;
};

static const char *const role_names[] = {
    [MODEL_TEACHER] = "teacher",
    [MODEL_STUDENT] = "student",
};

/* ---- saving ---------------------------------------------------------------------- */

static void
put_info(struct st_writer *w, const struct model_info *info)
{
    char text[64];

    st_writer_metadata(w, "format", "pt");
    st_writer_metadata(w, "model", info->model);
    st_writer_metadata(w, "dataset", info->dataset);
    st_writer_metadata(w, "role", role_names[info->role]);
    st_writer_metadata(w, "selected_on", info->selected_on);
    snprintf(text, sizeof text, "%" PRId64, info->classes);
    st_writer_metadata(w, "classes", text);
    snprintf(text, sizeof text, "%d", info->bn_paths);
    st_writer_metadata(w, "bn_paths", text);
    st_writer_metadata(w, "shared_shortcut_bn", info->shared_shortcut_bn ? "1" : "0");
    snprintf(text, sizeof text, "%" PRId64, info->relu_count);
    st_writer_metadata(w, "relu_count", text);
    snprintf(text, sizeof text, "%.17g", info->val_accuracy);
    st_writer_metadata(w, "val_accuracy", text);
}

/* Values made for the writer live in `mem` until the file is written. */
static void
put_params(struct st_writer *w, struct net *n, struct arena *mem)
{
    size_t count;
    const struct net_param *params = net_params(n, &count);

    for (size_t i = 0; i < count; i++) {
        const struct net_param *p = &params[i];
        if (p->role != NET_BATCHES) {
            st_writer_add(w, p->name, ST_F32, p->dims, p->n_dims, p->value);
            continue;
        }
        int64_t *batches = arena_alloc(mem, sizeof *batches);
        *batches = (int64_t)p->value[0];
        st_writer_add(w, p->name, ST_I64, NULL, 0, batches);
    }
}

static void
put_masks(struct st_writer *w, const struct net *n, struct arena *mem)
{
    for (int i = 0; i < graph_n_masks(net_graph(n)); i++) {
        const struct graph_shape s = graph_mask_shape(net_graph(n), i);
        uint8_t *mask = arena_alloc(mem, (size_t)(s.c * s.h * s.w));
        net_get_mask(n, i, mask);
        st_writer_add(w, arena_printf(mem, "mask.%d", i), ST_U8,
                      (int64_t[]){s.c, s.h, s.w}, 3, mask);
    }
}

int
model_file_save(struct net *n, const struct model_info *info, const char *path,
                struct err *err)
{
    struct st_writer *w = st_writer_new();
    struct arena mem = {0};

    put_info(w, info);
    put_params(w, n, &mem);
    put_masks(w, n, &mem);
    const int rc = st_writer_save(w, path, err);
    st_writer_free(w);
    arena_release(&mem);
    return rc;
}

/* ---- opening --------------------------------------------------------------------- */

static int
need_text(char *out, size_t size, const struct model_file *f, const char *key,
          struct err *err)
{
    const char *text = st_metadata(f->tensors, key);

    if (text == NULL || text[0] == '\0' || strlen(text) >= size)
        return err_set(err, ERR_DATA,
                       "%s: not a model of this program: metadata `%s` %s", f->path,
                       key, text == NULL ? "is missing" : "is malformed");
    memcpy(out, text, strlen(text) + 1);
    return 0;
}

static int
need_number(double *out, const struct model_file *f, const char *key, double lowest,
            double highest, struct err *err)
{
    char text[64], *end;

    if (need_text(text, sizeof text, f, key, err) != 0)
        return -1;
    *out = strtod(text, &end);
    if (*end != '\0' || !(*out >= lowest && *out <= highest))
        return err_set(err, ERR_DATA, "%s: metadata `%s` = `%s` is malformed", f->path,
                       key, text);
    return 0;
}

static int
need_role(struct model_file *f, struct err *err)
{
    char text[16];

    if (need_text(text, sizeof text, f, "role", err) != 0)
        return -1;
    for (int r = 0; r < 2; r++) {
        if (strcmp(role_names[r], text) == 0) {
            f->info.role = (enum model_role)r;
            return 0;
        }
    }
    return err_set(err, ERR_DATA, "%s: metadata `role` = `%s` is not known", f->path,
                   text);
}

static int
read_info(struct model_file *f, struct err *err)
{
    struct model_info *info = &f->info;
    double classes, paths, shared, relus;

    if (need_text(info->model, sizeof info->model, f, "model", err) != 0
        || need_text(info->dataset, sizeof info->dataset, f, "dataset", err) != 0
        || need_text(info->selected_on, sizeof info->selected_on, f, "selected_on", err)
               != 0
        || need_role(f, err) != 0
        || need_number(&classes, f, "classes", 1, 65536, err) != 0
        || need_number(&paths, f, "bn_paths", 1, GRAPH_MAX_PATHS, err) != 0
        || need_number(&shared, f, "shared_shortcut_bn", 0, 1, err) != 0
        || need_number(&relus, f, "relu_count", 0, 1e15, err) != 0
        || need_number(&info->val_accuracy, f, "val_accuracy", -1, 100, err) != 0)
        return -1;
    info->classes = (int64_t)classes;
    info->bn_paths = (int)paths;
    info->shared_shortcut_bn = shared > 0;
    info->relu_count = (int64_t)relus;
    return 0;
}

int
model_file_open(struct model_file **out, const char *path, struct err *err)
{
    struct model_file *f = xcalloc(1, sizeof *f);

    *out = NULL;
    f->path = xstrdup(path);
    if (st_read(&f->tensors, path, err) != 0 || read_info(f, err) != 0) {
        model_file_free(f);
        return -1;
    }
    *out = f;
    return 0;
}

void
model_file_free(struct model_file *f)
{
    if (f == NULL)
        return;
    st_free(f->tensors);
    free(f->path);
    free(f);
}

const struct model_info *
model_file_info(const struct model_file *f)
{
    return &f->info;
}

/* ---- loading --------------------------------------------------------------------- */

/* The tensor `name`, which must have this type and shape. */
static int
need_tensor(const struct st_tensor **out, const struct model_file *f, const char *name,
            enum st_dtype dtype, const int64_t *dims, int n_dims, struct err *err)
{
    const struct st_tensor *t = st_find(f->tensors, name);

    if (t == NULL)
        return err_set(err, ERR_DATA, "%s: tensor `%s` is missing", f->path, name);
    bool fits = t->dtype == dtype && t->n_dims == n_dims;
    for (int i = 0; fits && i < n_dims; i++)
        fits = t->dims[i] == dims[i];
    if (!fits)
        return err_set(err, ERR_DATA, "%s: tensor `%s` has another type or shape",
                       f->path, name);
    *out = t;
    return 0;
}

static int
load_param(const struct net_param *p, const struct model_file *f, struct err *err)
{
    const struct st_tensor *t;

    if (p->role == NET_BATCHES) {
        if (need_tensor(&t, f, p->name, ST_I64, NULL, 0, err) != 0)
            return -1;
        p->value[0] = (float)*(const int64_t *)t->data;
        return 0;
    }
    if (need_tensor(&t, f, p->name, ST_F32, p->dims, p->n_dims, err) != 0)
        return -1;
    memcpy(p->value, t->data, t->bytes);
    return 0;
}

static int
load_mask(struct net *n, int index, const struct model_file *f, struct err *err)
{
    const struct graph_shape s = graph_mask_shape(net_graph(n), index);
    const struct st_tensor *t;
    char name[32];

    snprintf(name, sizeof name, "mask.%d", index);
    if (need_tensor(&t, f, name, ST_U8, (int64_t[]){s.c, s.h, s.w}, 3, err) != 0)
        return -1;
    const uint8_t *mask = t->data;
    for (int64_t i = 0; i < t->count; i++)
        if (mask[i] > 1)
            return err_set(err, ERR_DATA, "%s: `%s` holds %d, not 0 or 1", f->path,
                           name, mask[i]);
    net_set_mask(n, index, mask);
    return 0;
}

int
model_file_load(struct net *n, const struct model_file *f, struct err *err)
{
    const int masks = graph_n_masks(net_graph(n));
    size_t count;
    const struct net_param *params = net_params(n, &count);

    for (size_t i = 0; i < count; i++)
        if (load_param(&params[i], f, err) != 0)
            return -1;
    for (int i = 0; i < masks; i++)
        if (load_mask(n, i, f, err) != 0)
            return -1;
    if (st_count(f->tensors) != count + (size_t)masks)
        return err_set(err, ERR_DATA, "%s: holds %zu tensors, the network has %zu",
                       f->path, st_count(f->tensors), count + (size_t)masks);
    net_params_changed(n);
    if (network_relus(n) != f->info.relu_count)
        return err_set(err, ERR_DATA,
                       "%s: masks have %" PRId64 " ReLUs, metadata says %" PRId64,
                       f->path, network_relus(n), f->info.relu_count);
    return 0;
}
