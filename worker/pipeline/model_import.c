/*
 * model_import.c - from a PyTorch state_dict to a teacher of ours. Invariant: every
 * tensor of the file is used, and every parameter of the network comes from it.
 */
#include "worker/pipeline/model_import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "shared/base/sha256.h"
#include "worker/data/locate.h"
#include "worker/methods/choices.h"
#include "worker/models/model.h"
#include "worker/pipeline/model_loaded.h"
#include "worker/pipeline/network.h"
#include "worker/pipeline/safetensors.h"

const struct param model_import_params[] = {
    PARAM_ROW_CHOICE(struct model_import_config, model, NULL, model_names, "network"),
    PARAM_ROW_CHOICE(struct model_import_config, dataset, NULL, choices_datasets,
                     "images and labels that it was trained on"),
    PARAM_ROW_STRING(
        struct model_import_config, data_dir, "",
        "folder of the data sets; default RELUSWEEP_DATA and usual places"),
};
const size_t model_import_n_params = PARAM_COUNT(model_import_params);

static const char multi_gpu[] = "module.", scheme[] = "import:";

/* ---- what the names say ---------------------------------------------------------- */

static bool
ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

static bool
any_ends_with(const struct st_file *f, const char *end)
{
    for (size_t i = 0; i < st_count(f); i++)
        if (ends_with(st_at(f, i)->name, end))
            return true;
    return false;
}

static struct model_info
info_of(const struct st_file *f, const struct model_import_config *c)
{
    struct model_info info = {.role = MODEL_TEACHER, .val_accuracy = -1};

    info.bn_paths = any_ends_with(f, ".BN_r.weight")   ? 3
                    : any_ends_with(f, ".BN_c.weight") ? 2
                                                       : 1;
    info.shared_shortcut_bn =
        info.bn_paths > 1 && any_ends_with(f, ".shortcut.1.weight");
    info.classes = dataset_find(c->dataset)->classes;
    snprintf(info.model, sizeof info.model, "%s", c->model);
    snprintf(info.dataset, sizeof info.dataset, "%s", c->dataset);
    snprintf(info.selected_on, sizeof info.selected_on, "import");
    return info;
}

/* ---- values ---------------------------------------------------------------------- */

static const struct st_tensor *
find(const struct st_file *f, const char *name)
{
    const struct st_tensor *t = st_find(f, name);

    if (t == NULL) {
        char *prefixed = xasprintf("%s%s", multi_gpu, name);
        t = st_find(f, prefixed);
        free(prefixed);
    }
    return t;
}

static bool
has_shape(const struct st_tensor *t, const struct net_param *p)
{
    bool same = t->n_dims == p->n_dims;

    for (int i = 0; same && i < p->n_dims; i++)
        same = t->dims[i] == p->dims[i];
    return same;
}

/* *used counts the tensors of the file that were taken. */
static int
take_param(struct net_param *p, const struct st_file *f, size_t *used, struct err *err)
{
    const struct st_tensor *t = find(f, p->name);
    const bool counter = p->role == NET_BATCHES;

    if (t == NULL && counter)
        return 0; /* older versions of PyTorch did not count */
    if (t == NULL)
        return err_set(err, ERR_DATA, "tensor `%s` is missing", p->name);
    if (t->dtype != (counter ? ST_I64 : ST_F32) || !has_shape(t, p))
        return err_set(err, ERR_DATA, "tensor `%s` has another type or shape", p->name);
    if (counter)
        p->value[0] = (float)*(const int64_t *)t->data;
    else
        memcpy(p->value, t->data, t->bytes);
    ++*used;
    return 0;
}

static bool
is_ours(struct net *n, const char *name)
{
    const size_t prefix = strlen(multi_gpu);

    return net_find_param(n, name) != NULL
           || (strncmp(name, multi_gpu, prefix) == 0
               && net_find_param(n, name + prefix) != NULL);
}

static int
take_params(struct net *n, const struct st_file *f, struct err *err)
{
    size_t count, used = 0;
    struct net_param *params = net_params(n, &count);

    for (size_t i = 0; i < count; i++)
        if (take_param(&params[i], f, &used, err) != 0)
            return -1;
    net_params_changed(n);
    for (size_t i = 0; used != st_count(f) && i < st_count(f); i++)
        if (!is_ours(n, st_at(f, i)->name))
            return err_set(err, ERR_DATA, "tensor `%s` is none of this network",
                           st_at(f, i)->name);
    return used == st_count(f)
               ? 0
               : err_set(err, ERR_DATA, "a tensor is there with and without `%s`",
                         multi_gpu);
}

/* ---- the data folder ------------------------------------------------------------- */

static char *
import_path(const char *digest, const char *data_dir)
{
    char *folder = locate_own_folder(data_dir);
    char *path = xasprintf("%s/imports/%s.safetensors", folder, digest);

    free(folder);
    return path;
}

/* Named by its contents, which are known only when it is written. */
static int
save(char digest[65], const struct model_loaded *m, const char *data_dir,
     struct err *err)
{
    char *folder = locate_own_folder(data_dir), *imports = file_join(folder, "imports");
    char *draft = file_join(imports, "new.safetensors");
    struct sha256 sha;
    size_t size;

    int rc = file_make_dirs(imports, err);
    if (rc == 0)
        rc = model_file_save(m->net, &m->info, draft, err);
    if (rc == 0)
        rc = sha256_file(&sha, &size, draft, err);
    if (rc == 0) {
        char *path = import_path(sha.hex, data_dir);
        if (rename(draft, path) != 0)
            rc = err_sys(err, "rename %s to %s", draft, path);
        memcpy(digest, sha.hex, sizeof sha.hex);
        free(path);
    }
    free(folder);
    free(imports);
    free(draft);
    return rc;
}

int
model_import(char digest[65], const char *file, const struct model_import_config *c,
             struct err *err)
{
    const char *dir = c->data_dir[0] != '\0' ? c->data_dir : NULL;
    struct model_loaded m = {0};
    struct st_file *f = NULL;

    int rc = st_read(&f, file, err);
    if (rc == 0) {
        const struct model_info info = info_of(f, c);
        rc = model_loaded_init(&m, &info, err);
    }
    if (rc == 0) {
        m.info.classes = m.data.classes;
        m.info.relu_count = network_relus(m.net);
        rc = take_params(m.net, f, err);
    }
    if (rc == 0)
        rc = save(digest, &m, dir, err);
    model_loaded_release(&m);
    st_free(f);
    return rc == 0 ? 0 : err_wrap(err, "%s is no %s of %s", file, c->model, c->dataset);
}

const char *
model_import_digest(const char *teacher)
{
    const size_t n = strlen(scheme);

    return strncmp(teacher, scheme, n) == 0 ? teacher + n : NULL;
}

int
model_import_fetch(const char *digest, const char *data_dir, const char *path,
                   struct err *err)
{
    char *from = import_path(digest, data_dir);
    struct buf bytes = {0};

    int rc = file_read(&bytes, from, err);
    if (rc == 0 && strcmp(sha256_bytes(bytes.data, bytes.len).hex, digest) != 0)
        rc = err_set(err, ERR_DATA, "%s: its contents have another digest", from);
    if (rc == 0)
        rc = file_write(path, bytes.data, bytes.len, err);
    else
        err_wrap(err, "imported teacher (`relusweep import` makes it)");
    buf_release(&bytes);
    free(from);
    return rc;
}
