/* catalog.c - the registries of this worker as one JSON document. Knows no method. */
#include "worker/methods/catalog.h"

#include <stdlib.h>

#include "shared/base/mem.h"
#include "shared/base/proc.h"
#include "shared/spec/catalog.h"
#include "worker/data/dataset.h"
#include "worker/methods/method.h"
#include "worker/models/model.h"

static json_t *
stage_json(const struct method_stage *s)
{
    json_t *after = json_array();

    for (const char *const *name = s->after; *name != NULL; name++)
        json_array_append_new(after, json_string(*name));
    json_t *stage = json_pack("{s:s, s:I, s:s, s:o, s:o}", "name", s->name, "revision",
                              (json_int_t)s->revision, "doc", s->doc, "after", after,
                              "params", param_table_to_json(s->params, s->n_params));
    if (s->skip_param != NULL)
        json_object_set_new(stage, "skip_when",
                            json_pack("{s:s}", s->skip_param, s->skip_value));
    return stage;
}

static json_t *
method_json(const struct method *m)
{
    json_t *stages = json_array();

    for (size_t i = 0; i < m->n_stages; i++)
        json_array_append_new(stages, stage_json(&m->stages[i]));
    return json_pack("{s:s, s:s, s:s, s:o}", "name", m->name, "doc", m->doc, "source",
                     m->source, "stages", stages);
}

/* At least one ReLU in each masked layer, at most all of them. */
static json_t *
budget_range(const struct model *m, const struct dataset_source *d)
{
    struct graph *g = m->build(&(struct model_config){.classes = d->classes,
                                                      .c = 3,
                                                      .h = d->h,
                                                      .w = d->w,
                                                      .std = {1, 1, 1},
                                                      .bn_paths = 2,
                                                      .role = MODEL_STUDENT});
    json_t *range = json_pack("{s:I, s:I}", "min", (json_int_t)graph_n_masks(g), "max",
                              (json_int_t)graph_relus(g));

    graph_free(g);
    return range;
}

static json_t *
budget_limits(void)
{
    json_t *table = json_object();

    for (const struct model *const *m = models; *m != NULL; m++) {
        for (const struct dataset_source *const *d = dataset_sources; *d != NULL; d++) {
            char *key = xasprintf("%s/%s", (*m)->name, (*d)->name);
            json_object_set_new(table, key, budget_range(*m, *d));
            free(key);
        }
    }
    return json_pack("{s:s, s:[s,s], s:s, s:o}", "param", "relu_budget", "by", "model",
                     "dataset", "unit", "ReLUs", "table", table);
}

json_t *
catalog_describe(void)
{
    json_t *rows = json_array();

    for (const struct method *const *m = methods; *m != NULL; m++)
        json_array_append_new(rows, method_json(*m));
    return json_pack("{s:i, s:s, s:o, s:[o]}", "version", CATALOG_VERSION, "program",
                     RELUSWEEP_VERSION, "methods", rows, "limits", budget_limits());
}
