/* training_data.c - data sets, split and loaders of one training stage. Invariant: the
 * test part is read only where select_on asks for it. */
#include "worker/pipeline/training_data.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"

static int
load_parts(struct training_data *d, const struct stage_context *c, struct err *err)
{
    const struct stage_config *cfg = &c->config;

    d->on_test = strcmp(cfg->select_on, "test") == 0;
    if (strcmp(cfg->select_on, "validation") == 0 && cfg->val_images == 0)
        return err_set(err, ERR_USAGE,
                       "select_on = validation needs val_images > 0; or choose "
                       "select_on = last");
    if (dataset_load(&d->train, cfg->dataset, c->data_dir, DATASET_TRAIN, err) != 0)
        return -1;
    if (d->on_test
        && dataset_load(&d->test, cfg->dataset, c->data_dir, DATASET_TEST, err) != 0)
        return -1;
    if (dataset_split(&d->split, &d->train, (uint64_t)cfg->seed, cfg->train_images,
                      cfg->val_images, err)
        != 0)
        return -1;
    if (d->split.n_train < 2)
        return err_set(err, ERR_USAGE, "only %" PRId64 " training images are left",
                       d->split.n_train);
    return 0;
}

static struct loader *
training_loader(const struct training_data *d, const struct stage_context *c,
                uint64_t stream_seed)
{
    const struct loader_config config = {.data = &d->train,
                                         .order = d->split.train,
                                         .n = d->split.n_train,
                                         .batch = c->config.batch,
                                         .seed = stream_seed,
                                         .shuffle = true,
                                         .augment = true,
                                         .augmix = true};

    return loader_new(&config, c->team);
}

/* -1 when memory is gone. */
static int
make_selection_loader(struct training_data *d, const struct stage_context *c)
{
    struct loader_config config = {.data = &d->train,
                                   .order = d->split.val,
                                   .n = d->split.n_val,
                                   .batch = (c->config.batch + 1) / 2};

    if (d->on_test) {
        d->test_order = xmalloc((size_t)d->test.n * sizeof *d->test_order);
        for (int64_t i = 0; i < d->test.n; i++)
            d->test_order[i] = i;
        config.data = &d->test;
        config.order = d->test_order;
        config.n = d->test.n;
    }
    if (config.n == 0)
        return 0;
    d->select = loader_new(&config, c->team);
    return d->select != NULL ? 0 : -1;
}

int
training_data_init(struct training_data *d, const struct stage_context *c,
                   uint64_t stream_seed, struct err *err)
{
    *d = (struct training_data){0};
    if (load_parts(d, c, err) != 0)
        return err_wrap(err, "data set %s", c->config.dataset);
    d->batches = training_loader(d, c, stream_seed);
    if (d->batches == NULL || make_selection_loader(d, c) != 0)
        return err_set(err, ERR_OOM, "no memory for a batch of images");
    return 0;
}

void
training_data_release(struct training_data *d)
{
    loader_free(d->batches);
    loader_free(d->select);
    dataset_split_release(&d->split);
    free(d->test_order);
    dataset_release(&d->train);
    dataset_release(&d->test);
    *d = (struct training_data){0};
}
