/* catalog.c - the registries of this worker as one JSON document. Knows no method. */
#include "worker/methods/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "shared/base/proc.h"
#include "shared/spec/catalog.h"
#include "worker/methods/gives.h"
#include "worker/methods/needs.h"
#include "worker/methods/work.h"

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
    if (s->only_param != NULL)
        json_object_set_new(stage, "only_when",
                            json_pack("{s:s}", s->only_param, s->only_value));
    json_object_set_new(stage, "gives", gives_of_stage(s));
    json_t *work = work_of_stage(s);
    if (work != NULL)
        json_object_set_new(stage, "work", work);
    return stage;
}

json_t *
catalog_sets(const char *words)
{
    json_t *o = json_object();

    for (const char *at = words; *at != '\0'; at += strspn(at, " ")) {
        const size_t n = strcspn(at, " "), key = strcspn(at, "=");
        char *name = xasprintf("%.*s", (int)key, at);
        json_object_set_new(o, name, json_stringn(at + key + 1, n - key - 1));
        free(name);
        at += n;
    }
    return o;
}

static json_t *
presets_json(const struct method *m)
{
    json_t *choices = json_array();

    for (const struct method_preset *p = m->presets; p->name != NULL; p++)
        json_array_append_new(choices,
                              json_pack("{s:s, s:s, s:o}", "name", p->name, "doc",
                                        p->doc, "sets", catalog_sets(p->sets)));
    return json_pack("{s:s, s:s, s:o}", "param", m->preset_param, "doc",
                     "a row of the method's paper, by the name used there", "choices",
                     choices);
}

static json_t *
method_json(const struct method *m)
{
    json_t *stages = json_array();

    for (size_t i = 0; i < m->n_stages; i++)
        json_array_append_new(stages, stage_json(&m->stages[i]));
    json_t *method = json_pack("{s:s, s:s, s:s, s:o}", "name", m->name, "doc", m->doc,
                               "source", m->source, "stages", stages);
    if (m->preset_param != NULL)
        json_object_set_new(method, "presets", presets_json(m));
    return method;
}

/* At least one ReLU in each masked layer, at most all of them. */
static json_t *
budget_range(const struct model *m, const struct dataset_source *d)
{
    struct graph *g = work_graph(m, d);
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

/* At most the images of a part, `left` of which must remain for something else. */
static json_t *
image_limits(const char *param, enum dataset_part part, int64_t left)
{
    json_t *table = json_object();

    for (const struct dataset_source *const *d = dataset_sources; *d != NULL; d++) {
        const int64_t n = part == DATASET_TRAIN ? (*d)->n_train : (*d)->n_test;
        if (n > 0)
            json_object_set_new(table, (*d)->name,
                                json_pack("{s:I}", "max", (json_int_t)(n - left)));
    }
    return json_pack("{s:s, s:[s], s:s, s:o}", "param", param, "by", "dataset", "unit",
                     part == DATASET_TRAIN ? "training images" : "test images", "table",
                     table);
}

static json_t *
all_limits(void)
{
    json_t *limits = json_array(), *train;

    train = image_limits("train_images", DATASET_TRAIN, 0);
    json_object_set_new(train, "plus", json_pack("[s]", "val_images"));
    json_array_append_new(limits, budget_limits());
    json_array_append_new(limits, train);
    json_array_append_new(limits, image_limits("val_images", DATASET_TRAIN, 2));
    json_array_append_new(limits, image_limits("eval_images", DATASET_TEST, 0));
    json_array_append_new(limits, image_limits("corruption_images", DATASET_TEST, 0));
    json_array_append_new(limits, image_limits("attack_images", DATASET_TEST, 0));
    return limits;
}

json_t *
catalog_describe(void)
{
    json_t *rows = json_array();

    for (const struct method *const *m = methods; *m != NULL; m++)
        json_array_append_new(rows, method_json(*m));
    return json_pack("{s:i, s:s, s:o, s:o, s:o, s:o}", "version", CATALOG_VERSION,
                     "program", RELUSWEEP_VERSION, "methods", rows, "limits",
                     all_limits(), "needs", needs_describe(), "work", work_units());
}
