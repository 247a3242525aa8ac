/* points.c - means over the cells that are done, as the report aggregates them. Pure over
 * the mirror. */
#include "coordinator/web/points.h"

#include <math.h>
#include <stdlib.h>

#include "coordinator/report/aggregate.h"
#include "shared/base/mem.h"

struct sums {
    int64_t cells, n;
    struct aggregate metrics[MEASURES_MOST];
};

static struct sums *
add_up(const struct mirror_sweep *s, const struct measures *v)
{
    struct sums *groups = xcalloc(v->n_groups + 1, sizeof *groups);

    for (size_t i = 0; i < s->n_cells; i++) {
        struct sums *g = &groups[v->group[i]];
        g->cells++;
        g->n += v->is_read[i];
        for (size_t k = 0; k < v->n; k++)
            aggregate_add(&g->metrics[k], v->values[i * v->n + k]);
    }
    return groups;
}

static json_t *
group_json(const struct sums *g, const struct measures *v, const json_t *params)
{
    json_t *metrics = json_object();

    for (size_t k = 0; k < v->n; k++)
        if (g->metrics[k].n > 0)
            json_object_set_new(
                metrics, v->names[k],
                aggregate_json(&g->metrics[k], v->units[k], v->goals[k]));
    return json_pack("{s:O, s:[], s:I, s:I, s:b, s:o}", "params",
                     json_object_get(params, "params"), "members", "cells",
                     (json_int_t)g->cells, "n", (json_int_t)g->n, "complete",
                     g->n == g->cells, "metrics", metrics);
}

json_t *
points_rows(const json_t *texts, const struct mirror_sweep *s, const struct measures *v)
{
    struct sums *sums = add_up(s, v);
    json_t *groups = json_array();

    for (size_t i = 0; i < v->n_groups; i++)
        if (sums[i].n > 0)
            json_array_append_new(
                groups, group_json(&sums[i], v, json_array_get(v->params, i)));
    free(sums);
    return json_pack("{s:s, s:s, s:O, s:O, s:[], s:o}", "name",
                     json_str(texts, "name", ""), "title", json_str(texts, "title", ""),
                     "report", json_object_get(texts, "report"), "axes",
                     json_object_get(texts, "axes"), "cells", "groups", groups);
}
