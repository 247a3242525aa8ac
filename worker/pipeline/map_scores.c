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
    float *scratch; /* for each thread twice the largest map */
    int64_t map_size;
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
    s->scratch = floats(2 * s->map_size * team_threads(net_team(student)));
    if (s->d == NULL || s->scratch == NULL) {
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
    mem_large_free(s->scratch);
    free(s->first);
    free(s);
}

/* The maps of two nets, each a task. */
struct maps {
    const struct map_scores *scores;
    struct net *student, *teacher;
    int64_t images;
};

/* sum += |a - b| */
static void
add_distance(float *restrict sum, const float *restrict a, const float *restrict b,
             int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        sum[i] += fabsf(a[i] - b[i]);
}

/* d (C,H,W) of a mask += sum over the images of |A_T - A_S|. */
static void
map_task(void *ctx, int64_t task, int thread)
{
    const struct maps *m = ctx;
    const struct map_scores *s = m->scores;
    const int mask = (int)task;
    const struct net_map map = net_act_map(m->student, mask);
    float *blocked = s->scratch + 2 * s->map_size * thread;
    float *plain = blocked + s->map_size, *d = s->d + s->first[mask];

    assert(map.per_image <= s->map_size);
    memset(blocked, 0, (size_t)map.per_image * sizeof(float));
    for (int64_t i = 0; i < m->images; i++)
        add_distance(blocked, net_act_image(m->teacher, mask, i, thread),
                     net_act_image(m->student, mask, i, thread), map.per_image);
    net_map_to_plain(&map, blocked, plain);
    for (int64_t j = 0; j < map.c * map.h * map.w; j++)
        d[j] += plain[j];
}

void
map_scores_add(struct map_scores *s, struct net *student, struct net *teacher,
               int64_t images)
{
    struct maps maps = {s, student, teacher, images};

    team_run(net_team(student), s->n_masks, map_task, &maps);
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
