/*
 * catalog_work.c - what a job costs, from the rows that its stage declares. Knows no
 * parameter by name.
 */
#include "shared/spec/catalog.h"

#include <string.h>

/* Images where the parameter says 0 or more than there are: all of the data set. */
static double
number_of(const struct catalog *c, const char *name, const json_t *params)
{
    const json_t *images = json_object_get(json_object_get(c->json, "work"), "images");
    const json_t *table = json_object_get(images, name);
    const double v = json_num(params, name, 0);

    if (table == NULL)
        return v;
    const double all = json_num(table, json_str(params, "dataset", ""), 0);
    return v <= 0 || (all > 0 && v > all) ? all : v;
}

/* Multiply-adds of one image through the job's network, 0 where not known. */
static double
macs_of(const struct catalog *c, const json_t *params)
{
    const json_t *work = json_object_get(c->json, "work");
    char *key = xasprintf("%s/%s", json_str(params, "model", ""),
                          json_str(params, "dataset", ""));
    const double macs = json_num(json_object_get(work, "macs"), key, 0);

    free(key);
    return macs;
}

static double
row_passes(const struct catalog *c, const json_t *row, const json_t *params)
{
    const json_t *of = json_object_get(row, "of"), *when = json_object_get(row, "when");
    double passes = json_num(row, "passes", 0);

    if (!catalog_has_all(params, when, NULL))
        return 0;
    for (size_t i = 0; i < json_array_size(of); i++) {
        const char *name = json_string_value(json_array_get(of, i));
        passes *= name != NULL ? number_of(c, name, params) : 0;
    }
    return passes;
}

double
catalog_work(const struct catalog *c, const struct catalog_stage *s,
             const json_t *params)
{
    const double macs = macs_of(c, params);
    double passes = 0;

    for (size_t i = 0; i < json_array_size(s->work); i++)
        passes += row_passes(c, json_array_get(s->work, i), params);
    return s->work != NULL && macs > 0 ? passes * macs : -1;
}

bool
catalog_work_reads(const struct catalog_stage *s, const char *name)
{
    if (strcmp(name, "model") == 0 || strcmp(name, "dataset") == 0)
        return true;
    for (size_t i = 0; i < json_array_size(s->work); i++) {
        const json_t *row = json_array_get(s->work, i),
                     *of = json_object_get(row, "of");
        if (json_object_get(json_object_get(row, "when"), name) != NULL)
            return true;
        for (size_t k = 0; k < json_array_size(of); k++) {
            const char *word = json_string_value(json_array_get(of, k));
            if (word != NULL && strcmp(word, name) == 0)
                return true;
        }
    }
    return false;
}

double
catalog_speed(const struct catalog *c)
{
    return json_num(json_object_get(c->json, "work"), "macs_per_second", -1);
}
