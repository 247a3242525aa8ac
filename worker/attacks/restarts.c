/*
 * restarts.c - one attack from several random starts: an image counts as right only if
 * every run leaves it so. Later runs get the images that still stand and no others;
 * their starts belong to (seed, run, sample), so who else stands changes nothing.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "worker/attacks/ascent.h"

/* The images that still stand, gathered row by row. */
struct standing {
    int64_t n, image; /* images; numbers of one */
    int64_t *of;      /* (n) index in the caller's batch */
    int64_t *y, *sample;
    float *x, *start, *out; /* (n,image) */
    float *teacher;         /* (n,classes), NULL where the attack reads none */
};

static int
standing_init(struct standing *s, const struct attack_batch *b,
              const struct attack_target *t, struct err *err)
{
    const size_t bytes = (size_t)(b->n * s->image) * sizeof(float);

    s->of = xmalloc((size_t)b->n * sizeof *s->of);
    s->y = xmalloc((size_t)b->n * sizeof *s->y);
    s->sample = xmalloc((size_t)b->n * sizeof *s->sample);
    if (t->teacher != NULL)
        s->teacher = xmalloc((size_t)(b->n * t->classes) * sizeof *s->teacher);
    s->x = mem_large_alloc(bytes);
    s->start = mem_large_alloc(bytes);
    s->out = mem_large_alloc(bytes);
    return s->x != NULL && s->start != NULL && s->out != NULL
               ? 0
               : err_set(err, ERR_OOM, "no memory for a batch of an attack");
}

static void
standing_release(struct standing *s)
{
    free(s->of);
    free(s->y);
    free(s->sample);
    free(s->teacher);
    mem_large_free(s->x);
    mem_large_free(s->start);
    mem_large_free(s->out);
}

static void
gather(struct standing *s, const struct attack_batch *b, const struct attack_target *t,
       const uint8_t *right)
{
    const int64_t k = t->classes;

    s->n = 0;
    for (int64_t i = 0; i < b->n; i++) {
        if (!right[i])
            continue;
        const int64_t row = s->n++;
        s->of[row] = i;
        s->y[row] = t->y[i];
        s->sample[row] = b->sample[i];
        memcpy(s->x + row * s->image, b->x + i * s->image,
               (size_t)s->image * sizeof(float));
        if (t->teacher != NULL)
            memcpy(s->teacher + row * k, t->teacher + i * k, (size_t)k * sizeof(float));
    }
}

/* Predictions for the results, which go back to their places. */
static int
scatter(float *out, uint8_t *right, const struct standing *s,
        const struct attack_target *t, struct err *err)
{
    const float *z = net_forward(t->net, s->out, s->n, NET_EVAL, t->path);

    for (int64_t i = 0; i < s->n * t->classes; i++)
        if (!isfinite(z[i]))
            return err_set(err, ERR_NUMERIC,
                           "attack: the network's output is not finite");
    for (int64_t i = 0; i < s->n; i++) {
        memcpy(out + s->of[i] * s->image, s->out + i * s->image,
               (size_t)s->image * sizeof(float));
        right[s->of[i]] =
            ascent_first_largest(z + i * t->classes, t->classes) == s->y[i];
    }
    return 0;
}

static int
run_once(float *out, uint8_t *right, struct standing *s, const struct attack *a,
         const struct attack_target *target, const struct attack_config *config,
         uint64_t seed, uint32_t run, struct err *err)
{
    struct attack_target those = *target;

    those.y = s->y;
    those.teacher = s->teacher;
    if (a->random_start)
        attack_start(s->start, s->n, s->image, s->sample, seed, run);
    if (a->run(s->out, s->x, s->start, s->n, &those, config, err) != 0)
        return -1;
    return scatter(out, right, s, &those, err);
}

int
attack_restarts(float *out, uint8_t *right, const struct attack_batch *batch,
                const struct attack *a, const struct attack_target *target,
                const struct attack_config *config, int64_t restarts, struct err *err)
{
    const struct graph_shape shape = graph_shape(net_graph(target->net), 0);
    const int64_t runs = a->random_start ? restarts : 1;
    struct standing s = {.image = shape.c * shape.h * shape.w};

    memset(right, 1, (size_t)batch->n);
    int rc = standing_init(&s, batch, target, err);
    for (int64_t run = 0; rc == 0 && run < runs; run++) {
        gather(&s, batch, target, right);
        if (s.n == 0)
            break;
        rc = run_once(out, right, &s, a, target, config, batch->seed, (uint32_t)run,
                      err);
    }
    standing_release(&s);
    return rc == 0 ? 0 : err_wrap(err, "attack %s", a->name);
}
