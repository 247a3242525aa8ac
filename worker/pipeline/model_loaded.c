/* model_loaded.c - a model file as a network; see model_loaded.h. */
#include "worker/pipeline/model_loaded.h"

#include <string.h>

#include "worker/pipeline/network.h"

/* A set of people's own images has its shape in its files. */
static int
take_shape(struct model_loaded *m, struct err *err)
{
    const struct dataset_source *s = dataset_find(m->info.dataset);

    if (s == NULL)
        return err_set(err, ERR_DATA, "this program has no data set `%s`",
                       m->info.dataset);
    if (s->h == 0)
        return dataset_load(&m->data, s->name, NULL, DATASET_TEST, err);
    m->data = (struct dataset){.c = 3, .h = s->h, .w = s->w, .classes = s->classes};
    memcpy(m->data.mean, s->mean, sizeof s->mean);
    memcpy(m->data.std, s->std, sizeof s->std);
    return 0;
}

int
model_loaded_init(struct model_loaded *m, const struct model_info *info,
                  struct err *err)
{
    *m = (struct model_loaded){.info = *info, .team = team_new(1)};
    if (m->team == NULL)
        return err_set(err, ERR_SYS, "cannot make a thread");
    if (take_shape(m, err) != 0)
        return -1;
    struct network_config config = {.model = info->model,
                                    .data = &m->data,
                                    .role = info->role,
                                    .bn_paths = info->bn_paths,
                                    .shared_shortcut_bn = info->shared_shortcut_bn,
                                    .team = m->team,
                                    .max_batch = 1};
    if (backend_find(&config.backend, "auto", err) != 0)
        return -1;
    return network_new(&m->net, &config, err);
}

int
model_loaded_open(struct model_loaded *m, const char *path, struct err *err)
{
    struct model_file *file = NULL;

    *m = (struct model_loaded){0};
    int rc = model_file_open(&file, path, err);
    if (rc == 0)
        rc = model_loaded_init(m, model_file_info(file), err);
    if (rc == 0)
        rc = model_file_load(m->net, file, err);
    model_file_free(file);
    return rc;
}

void
model_loaded_release(struct model_loaded *m)
{
    net_free(m->net);
    if (m->team != NULL)
        team_free(m->team);
    dataset_release(&m->data);
    *m = (struct model_loaded){0};
}
