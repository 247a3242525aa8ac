/*
 * loader.c - batches in memory, filled by the team, one task an image. Every random
 * choice comes from the stream of its sample and epoch: a batch depends on (epoch, index)
 * and not on what was asked for before or on how many threads there are.
 */
#include "worker/data/loader.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "worker/data/augment/augmix.h"
#include "worker/data/augment/crop_flip.h"
#include "worker/engine/rng.h"

enum view { VIEW_CLEAN, VIEW_AUG, VIEWS };

struct loader {
    struct loader_config config;
    struct team *team;
    int64_t pixels;      /* c * h * w */
    int64_t *order;      /* of `order_epoch` */
    int64_t order_epoch; /* 0: none yet */
    float *x, *x_aug;
    int64_t *y, *sample;
    uint8_t *scratch; /* each thread's: an image, then what AugMix needs */
    int64_t scratch_stride;
};

/* What the tasks of one batch share. */
struct fill {
    struct loader *l;
    int64_t epoch, n_aug;
};

struct loader *
loader_new(const struct loader_config *config, struct team *team)
{
    const struct dataset *d = config->data;
    struct loader *l = xcalloc(1, sizeof *l);

    assert(config->batch >= 1 && config->n >= 1);
    assert(!config->augmix || (d->c == AUGMIX_CHANNELS && d->h == d->w));
    l->config = *config;
    l->team = team;
    l->pixels = d->c * d->h * d->w;
    l->order = xcalloc((size_t)config->n, sizeof *l->order);
    memcpy(l->order, config->order, (size_t)config->n * sizeof *l->order);
    l->y = xcalloc((size_t)config->batch, sizeof *l->y);
    l->sample = xcalloc((size_t)config->batch, sizeof *l->sample);
    l->scratch_stride = l->pixels + (config->augmix ? augmix_scratch(d->h) : 0);
    l->scratch_stride = (l->scratch_stride + 63) / 64 * 64;
    l->scratch = mem_large_alloc((size_t)(l->scratch_stride * team_threads(team)));
    const size_t bytes = (size_t)(config->batch * l->pixels) * sizeof(float);
    l->x = mem_large_alloc(bytes);
    if (config->augmix)
        l->x_aug = mem_large_alloc(bytes);
    if (l->scratch == NULL || l->x == NULL || (config->augmix && l->x_aug == NULL)) {
        loader_free(l);
        return NULL;
    }
    return l;
}

void
loader_free(struct loader *l)
{
    if (l == NULL)
        return;
    mem_large_free(l->x_aug);
    mem_large_free(l->x);
    mem_large_free(l->scratch);
    free(l->sample);
    free(l->y);
    free(l->order);
    free(l);
}

int64_t
loader_batches(const struct loader *l)
{
    return (l->config.n + l->config.batch - 1) / l->config.batch;
}

static void
set_order(struct loader *l, int64_t epoch)
{
    if (!l->config.shuffle || l->order_epoch == epoch)
        return;
    struct rng rng = rng_stream(l->config.seed, RNG_SHUFFLE, (uint32_t)epoch, 0);
    memcpy(l->order, l->config.order, (size_t)l->config.n * sizeof *l->order);
    rng_shuffle(&rng, l->order, l->config.n);
    l->order_epoch = epoch;
}

/* The bytes of a sample as this view sees them: cropped into `to`, or as stored. */
static const uint8_t *
view_bytes(uint8_t *to, const struct fill *f, int64_t sample, enum view view)
{
    const struct loader_config *c = &f->l->config;
    const struct dataset *d = c->data;
    const uint8_t *image = d->images + sample * f->l->pixels;

    if (!c->augment)
        return image;
    struct rng rng = rng_stream(c->seed, RNG_CROP, (uint32_t)(VIEWS * f->epoch + view),
                                (uint64_t)sample);
    const struct crop_flip draw = crop_flip_draw(&rng);
    crop_flip_apply(to, image, d->c, d->h, d->w, &draw);
    return to;
}

static void
to_unit(float *x, const uint8_t *bytes, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)bytes[i] / 255;
}

static void
fill_image(void *ctx, int64_t task, int thread)
{
    const struct fill *f = ctx;
    struct loader *l = f->l;
    const int64_t sample = l->sample[task];
    uint8_t *image = l->scratch + thread * l->scratch_stride;

    to_unit(l->x + task * l->pixels, view_bytes(image, f, sample, VIEW_CLEAN),
            l->pixels);
    if (task >= f->n_aug)
        return;
    struct rng rng =
        rng_stream(l->config.seed, RNG_AUGMIX, (uint32_t)f->epoch, (uint64_t)sample);
    augmix(l->x_aug + task * l->pixels, view_bytes(image, f, sample, VIEW_AUG),
           l->config.data->h, &rng, image + l->pixels);
}

struct loader_batch
loader_get(struct loader *l, int64_t epoch, int64_t index, int64_t n_aug)
{
    const int64_t first = index * l->config.batch;
    const int64_t left = l->config.n - first;
    const int64_t n = left < l->config.batch ? left : l->config.batch;
    struct fill fill = {.l = l, .epoch = epoch, .n_aug = l->config.augmix ? n_aug : 0};

    assert(epoch >= 1 && index >= 0 && left > 0);
    set_order(l, epoch);
    for (int64_t i = 0; i < n; i++) {
        l->sample[i] = l->order[first + i];
        l->y[i] = l->config.data->labels[l->sample[i]];
    }
    team_run(l->team, n, fill_image, &fill);
    return (struct loader_batch){
        .n = n, .x = l->x, .x_aug = l->x_aug, .y = l->y, .sample = l->sample};
}
