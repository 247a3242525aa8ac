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
    int64_t *first;         /* n_masks + 1: where each mask's scores begin */
    float *d;               /* all scores */
    float *blocked, *plain; /* one image of the largest map */
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
map_scores_new(struct map_scores **out, const struct graph *g, struct err *err)
{
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
    s->blocked = floats(s->map_size);
    s->plain = floats(s->map_size);
    if (s->d == NULL || s->blocked == NULL || s->plain == NULL) {
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
    mem_large_free(s->blocked);
    mem_large_free(s->plain);
    free(s->first);
    free(s);
}

/* d (C,H,W) += what was added up in the layout of map. */
static void
add_plain(struct map_scores *s, float *d, const struct net_map *map)
{
    net_map_to_plain(map, s->blocked, s->plain);
    for (int64_t j = 0; j < map->c * map->h * map->w; j++)
        d[j] += s->plain[j];
}

/* d (C,H,W) of a mask += sum over the images of |A_T - A_S|. */
static void
add_map(struct map_scores *s, int mask, struct net *student, struct net *teacher,
        int64_t images)
{
    const struct net_map map = net_act_map(student, mask);
    const int64_t size = map.per_image;

    assert(size <= s->map_size);
    memset(s->blocked, 0, (size_t)size * sizeof(float));
    for (int64_t i = 0; i < images; i++) {
        const float *a_s = net_act_image(student, mask, i, 0);
        const float *a_t = net_act_image(teacher, mask, i, 0);

        for (int64_t j = 0; j < size; j++)
            s->blocked[j] += fabsf(a_t[j] - a_s[j]);
    }
    add_plain(s, s->d + s->first[mask], &map);
}

void
map_scores_add(struct map_scores *s, struct net *student, struct net *teacher,
               int64_t images)
{
    for (int i = 0; i < s->n_masks; i++)
        add_map(s, i, student, teacher, images);
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
