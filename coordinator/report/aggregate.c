/*
 * aggregate.c - cells grouped over seeds. Knows the shape of a cell, not what any
 * parameter or metric means.
 */
#include "coordinator/report/aggregate.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void
aggregate_add(struct aggregate *a, double v)
{
    if (!isfinite(v))
        return;
    a->n++;
    const double delta = v - a->mean;
    a->mean += delta / (double)a->n;
    a->m2 += delta * (v - a->mean);
    a->min = a->n == 1 || v < a->min ? v : a->min;
    a->max = a->n == 1 || v > a->max ? v : a->max;
}

double
aggregate_sd(const struct aggregate *a)
{
    return a->n < 2 ? (double)NAN : sqrt(a->m2 / (double)(a->n - 1));
}

double
aggregate_value(const json_t *cell, const char *metric)
{
    const json_t *record = json_object_get(json_object_get(cell, "metrics"), metric);
    const double v = json_num(record, "value", NAN);

    return isfinite(v) ? v : (double)NAN;
}

static bool
is_done(const json_t *cell)
{
    return strcmp(json_str(cell, "state", ""), "succeeded") == 0;
}

/* The cell's parameters without those that are averaged over. New reference. */
static json_t *
group_params(const json_t *cell, const json_t *group_over)
{
    json_t *params = json_copy(json_object_get(cell, "params"));
    size_t i;
    json_t *name;

    if (params == NULL)
        params = json_object();
    json_array_foreach(group_over, i, name)
    {
        json_object_del(params, json_string_value(name));
    }
    return params;
}

json_t *
aggregate_json(const struct aggregate *a, const char *unit, const char *goal)
{
    const double sd = aggregate_sd(a);

    return json_pack("{s:f, s:o, s:I, s:f, s:f, s:s, s:s}", "mean", a->mean, "sd",
                     isnan(sd) ? json_null() : json_real(sd), "n", (json_int_t)a->n,
                     "min", a->min, "max", a->max, "unit", unit, "goal", goal);
}

/* Adds metric `name` over all members to the group, unless it is there already. */
static void
add_metric(json_t *metrics, const char *name, const json_t *record, const json_t *group,
           const json_t *cells)
{
    struct aggregate a = {0};
    size_t i;
    json_t *member;

    if (json_object_get(metrics, name) != NULL)
        return;
    json_array_foreach(json_object_get(group, "members"), i, member)
    {
        const json_t *cell = json_array_get(cells, (size_t)json_integer_value(member));
        if (is_done(cell))
            aggregate_add(&a, aggregate_value(cell, name));
    }
    if (a.n > 0)
        json_object_set_new(metrics, name,
                            aggregate_json(&a, json_str(record, "unit", ""),
                                           json_str(record, "goal", "none")));
}

static void
finish_group(json_t *group, const json_t *cells)
{
    const json_t *members = json_object_get(group, "members");
    json_t *metrics = json_object(), *member, *record;
    const char *name;
    json_int_t n = 0;
    size_t i;

    json_array_foreach(members, i, member)
    {
        const json_t *cell = json_array_get(cells, (size_t)json_integer_value(member));
        if (!is_done(cell))
            continue;
        n++;
        json_object_foreach(json_object_get(cell, "metrics"), name, record)
        {
            add_metric(metrics, name, record, group, cells);
        }
    }
    const size_t trials = json_array_size(members);
    json_object_set_new(group, "cells", json_integer((json_int_t)trials));
    json_object_set_new(group, "n", json_integer(n));
    json_object_set_new(group, "complete", json_boolean((size_t)n == trials));
    json_object_set_new(group, "metrics", metrics);
}

/* The group of these parameters, made when it is new. Borrowed. */
static json_t *
find_group(json_t *groups, json_t *by_key, json_t *params)
{
    char *key = json_canonical(params);
    json_t *group = json_object_get(by_key, key);

    if (group == NULL) {
        group = json_pack("{s:O, s:[]}", "params", params, "members");
        json_array_append_new(groups, group);
        json_object_set(by_key, key, group);
    }
    free(key);
    return group;
}

/* True when a cell with the same parameters came before; remembers this one. */
static bool
seen_before(json_t *seen, const json_t *cell)
{
    const json_t *params = json_object_get(cell, "params");
    char *key = params != NULL ? json_canonical(params) : NULL;
    const bool known = key != NULL && json_object_get(seen, key) != NULL;

    if (key != NULL && !known)
        json_object_set_new(seen, key, json_true());
    free(key);
    return known;
}

json_t *
aggregate_cells(const json_t *cells, const json_t *group_over)
{
    json_t *groups = json_array(), *by_key = json_object(), *seen = json_object();
    json_t *cell, *group;
    size_t i;

    json_array_foreach(cells, i, cell)
    {
        if (seen_before(seen, cell))
            continue;
        json_t *params = group_params(cell, group_over);
        group = find_group(groups, by_key, params);
        json_array_append_new(json_object_get(group, "members"),
                              json_integer((json_int_t)i));
        json_decref(params);
    }
    json_array_foreach(groups, i, group)
    {
        finish_group(group, cells);
    }
    json_decref(seen);
    json_decref(by_key);
    return groups;
}
