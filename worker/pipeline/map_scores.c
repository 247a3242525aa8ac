/*
 * map_scores.c - sums of distances between two networks' activations; see map_scores.h.
 * Invariant: what is kept is plain (C,H,W), whatever the layout that it is added up in.
 * Knows neither masks nor epochs.
 */
#include "worker/pipeline/map_scores.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"

struct map_scores {
    int n_masks;
    int64_t *first; /* n_masks + 1: where each mask's scores begin */
    float *d;       /* all scores */
    float *taken;   /* those of the last batch */
    float *scratch; /* 1 + IMAGES of the largest map */
    int64_t map_size;
};

enum {
    IMAGES = 8,     /* whose distances are computed before they are added up */
    STRETCH = 4096, /* floats that are a task */
};

/* Floats of one image of an activation in any backend's layout. */
static int64_t
widest_size(struct graph_shape s)
{
    enum { WIDEST_BLOCK = 16 };

    return (s.c + WIDEST_BLOCK - 1) / WIDEST_BLOCK * WIDEST_BLOCK * s.h * s.w;
}

static float *
floats(int64_t n)
{
    return mem_large_alloc((size_t)n * sizeof(float));
}

int
map_scores_new(struct map_scores **out, const struct net *student, struct err *err)
{
    const struct graph *g = net_graph(student);
    struct map_scores *s = xcalloc(1, sizeof *s);

    *out = NULL;
    s->n_masks = graph_n_masks(g);
    s->first = xcalloc((size_t)s->n_masks + 1, sizeof *s->first);
    for (int i = 0; i < s->n_masks; i++) {
        const struct graph_shape shape = graph_mask_shape(g, i);
        const int64_t size = widest_size(shape);
        s->first[i + 1] = s->first[i] + shape.c * shape.h * shape.w;
        s->map_size = size > s->map_size ? size : s->map_size;
    }
    s->d = floats(s->first[s->n_masks]);
    s->taken = floats(s->first[s->n_masks]);
    s->scratch = floats((1 + IMAGES) * s->map_size);
    if (s->d == NULL || s->taken == NULL || s->scratch == NULL) {
        map_scores_free(s);
        return err_set(err, ERR_OOM, "no memory for the scores of a mask search");
    }
    *out = s;
    return 0;
}

void
map_scores_free(struct map_scores *s)
{
    if (s == NULL)
        return;
    mem_large_free(s->d);
    mem_large_free(s->taken);
    mem_large_free(s->scratch);
    free(s->first);
    free(s);
}

/* Some images of the maps of two nets. */
struct maps {
    const struct net *student, *teacher;
    int mask;
    int64_t first, images, per_image;
    float *distances, *sum; /* of these images; of all so far, blocked */
};

/* |A_T - A_S| of one image. */
static void
distance_task(void *ctx, int64_t task, int thread)
{
    const struct maps *m = ctx;
    const float *a = net_act_image(m->teacher, m->mask, m->first + task, thread);
    const float *b = net_act_image(m->student, m->mask, m->first + task, thread);
    float *restrict to = m->distances + task * m->per_image;

    for (int64_t i = 0; i < m->per_image; i++)
        to[i] = fabsf(a[i] - b[i]);
}

/* A stretch of the sum over the images, in their order. */
static void
sum_task(void *ctx, int64_t task, int thread)
{
    (void)thread;
    const struct maps *m = ctx;
    const int64_t from = task * STRETCH, end = from + STRETCH;
    float *restrict sum = m->sum;

    for (int64_t i = 0; i < m->images; i++) {
        const float *restrict distance = m->distances + i * m->per_image;

        for (int64_t j = from; j < end && j < m->per_image; j++)
            sum[j] += distance[j];
    }
}

void
map_scores_take(struct map_scores *s, int mask, struct net *student,
                const struct net *teacher, int64_t images)
{
    const struct net_map map = net_act_map(student, mask);
    struct maps m = {.student = student,
                     .teacher = teacher,
                     .mask = mask,
                     .per_image = map.per_image,
                     .distances = s->scratch + s->map_size,
                     .sum = s->scratch};

    assert(map.per_image <= s->map_size);
    memset(m.sum, 0, (size_t)map.per_image * sizeof(float));
    for (; m.first < images; m.first += IMAGES) {
        const int64_t rest = images - m.first;

        m.images = rest < IMAGES ? rest : IMAGES;
        team_run(net_team(student), m.images, distance_task, &m);
        team_run(net_team(student), (map.per_image + STRETCH - 1) / STRETCH, sum_task,
                 &m);
    }
    net_map_to_plain(&map, m.sum, s->taken + s->first[mask]);
}

void
map_scores_add(struct map_scores *s)
{
    for (int64_t i = 0; i < s->first[s->n_masks]; i++)
        s->d[i] += s->taken[i];
}

float *
map_scores_data(struct map_scores *s, int64_t *size)
{
    *size = s->first[s->n_masks];
    return s->d;
}

const float *
map_scores_at(const struct map_scores *s, int mask, int64_t *size)
{
    assert(mask >= 0 && mask < s->n_masks);
    *size = s->first[mask + 1] - s->first[mask];
    return s->d + s->first[mask];
}
