/* mask_rule.c - first masks and top-k masks. Pure. */
#include "worker/pipeline/mask_rule.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"

void
mask_rule_pattern(uint8_t *mask, struct graph_shape shape, int64_t k, struct rng *rng)
{
    const int64_t plane = shape.h * shape.w;
    const float share = (float)k / (float)(shape.c * plane);

    for (int64_t i = 0; i < plane; i++)
        mask[i] = rng_uniform(rng) < share;
    for (int64_t c = 1; c < shape.c; c++)
        memcpy(mask + c * plane, mask, (size_t)plane);
}

void
mask_rule_random(uint8_t *mask, int64_t n, int64_t k, struct rng *rng)
{
    int64_t *places = xmalloc((size_t)n * sizeof *places);

    for (int64_t i = 0; i < n; i++)
        places[i] = i;
    rng_shuffle(rng, places, n);
    memset(mask, 0, (size_t)n);
    for (int64_t i = 0; i < k; i++)
        mask[places[i]] = 1;
    free(places);
}

struct ranked {
    float score;
    int64_t place;
};

static int
by_rank(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

void
mask_rule_top(uint8_t *mask, const float *score, int64_t n, int64_t k, bool strict)
{
    struct ranked *ranked = xmalloc((size_t)n * sizeof *ranked);

    for (int64_t i = 0; i < n; i++)
        ranked[i] = (struct ranked){score[i], i};
    qsort(ranked, (size_t)n, sizeof *ranked, by_rank);
    memset(mask, 0, (size_t)n);
    for (int64_t i = 0; i < k; i++)
        if (!strict || ranked[i].score > ranked[k - 1].score)
            mask[ranked[i].place] = 1;
    free(ranked);
}
