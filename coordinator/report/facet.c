/*
 * facet.c - data set x model, and what is found within one: fronts, hypervolumes, the
 * axes that vary. Nothing is compared across facets.
 */
#include "coordinator/report/facet.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/report/aggregate.h"
#include "coordinator/report/group.h"
#include "coordinator/report/hypervolume.h"
#include "coordinator/report/pareto.h"
#include "coordinator/report/sheet.h"
#include "coordinator/report/small.h"
#include "shared/base/mem.h"

json_t *
facet_group(const json_t *report, const json_t *facet, size_t i)
{
    const json_t *index = json_array_get(json_object_get(facet, "groups"), i);

    return json_array_get(json_object_get(report, "groups"),
                          (size_t)json_integer_value(index));
}

size_t
facet_n_groups(const json_t *facet)
{
    return json_array_size(json_object_get(facet, "groups"));
}

/* ---- finding them ---------------------------------------------------------------- */

static json_t *
new_facet(const json_t *params)
{
    const char *dataset = json_str(params, "dataset", "");
    const char *model = json_str(params, "model", "");
    struct buf label = {0};

    buf_printf(&label, "%s%s%s", dataset,
               dataset[0] != '\0' && model[0] != '\0' ? ", " : "", model);
    json_t *facet =
        json_pack("{s:s, s:s, s:s, s:s, s:b, s:[]}", "dataset", dataset, "model", model,
                  "label", buf_str(&label), "key", "", "small", 0, "groups");
    buf_release(&label);
    return facet;
}

static bool
is_of(const json_t *facet, const json_t *group)
{
    const json_t *params = json_object_get(group, "params");

    return strcmp(json_str(facet, "dataset", ""), json_str(params, "dataset", "")) == 0
           && strcmp(json_str(facet, "model", ""), json_str(params, "model", "")) == 0;
}

static int
by_label(const void *a, const void *b)
{
    return strverscmp(json_str(*(json_t *const *)a, "label", ""),
                      json_str(*(json_t *const *)b, "label", ""));
}

static void
sort_facets(json_t *facets)
{
    const size_t n = json_array_size(facets);
    json_t **list = xcalloc(n + 1, sizeof *list);

    for (size_t i = 0; i < n; i++)
        list[i] = json_incref(json_array_get(facets, i));
    qsort(list, n, sizeof *list, by_label);
    for (size_t i = 0; i < n; i++) {
        json_array_set_new(facets, i, list[i]);
        if (n > 1) {
            struct buf key = {0};
            sheet_name(&key, json_str(list[i], "dataset", ""));
            sheet_name(&key, json_str(list[i], "model", ""));
            json_object_set_new(list[i], "key", json_string(buf_str(&key)));
            buf_release(&key);
        }
    }
    free(list);
}

/* Index of the group's facet, or their number when it has none yet. */
static size_t
facet_of(const json_t *facets, const json_t *group)
{
    size_t i = 0;

    while (i < json_array_size(facets) && !is_of(json_array_get(facets, i), group))
        i++;
    return i;
}

void
facet_find(json_t *report)
{
    json_t *facets = json_array(), *group;
    const json_t *groups = json_object_get(report, "groups");
    size_t i;

    json_array_foreach(groups, i, group)
    {
        if (facet_of(facets, group) == json_array_size(facets))
            json_array_append_new(facets, new_facet(json_object_get(group, "params")));
    }
    sort_facets(facets);
    json_array_foreach(groups, i, group)
    {
        const json_int_t at = (json_int_t)facet_of(facets, group);
        json_object_set_new(group, "facet", json_integer(at));
    }
    json_object_set_new(report, "facets", facets);
}

/* ---- axes ------------------------------------------------------------------------ */

bool
facet_differs(const json_t *groups, const char *name)
{
    const json_t *first = NULL;
    json_t *group;
    size_t i;

    json_array_foreach(groups, i, group)
    {
        const json_t *v = json_object_get(json_object_get(group, "params"), name);
        if (v != NULL && first != NULL && !json_equal(v, first))
            return true;
        first = v != NULL ? v : first;
    }
    return false;
}

json_t *
facet_varying(const json_t *groups, const json_t *axes)
{
    json_t *varying = json_array(), *axis;
    size_t i;

    json_array_foreach(axes, i, axis)
    {
        if (facet_differs(groups, json_string_value(axis)))
            json_array_append(varying, axis);
    }
    return varying;
}

static void
set_varying(json_t *facet, const json_t *report)
{
    json_t *groups = json_array();

    for (size_t i = 0; i < facet_n_groups(facet); i++)
        json_array_append(groups, facet_group(report, facet, i));
    json_object_set_new(facet, "varying",
                        facet_varying(groups, json_object_get(report, "axes")));
    json_decref(groups);
}

/* ---- fronts ---------------------------------------------------------------------- */

/* The front of one metric against x (less is better); references are what the others
 * are measured against and stay out. New array of indices, by x as groups are sorted. */
static json_t *
find_front(const json_t *report, const json_t *facet, const char *metric,
           enum metric_goal goal)
{
    const enum metric_goal goals[] = {METRIC_MIN, goal};
    const size_t n = facet_n_groups(facet);
    double *values = xcalloc(n + 1, 2 * sizeof *values);
    bool *on_front = xcalloc(n + 1, sizeof *on_front);
    json_t *front = json_array();

    for (size_t i = 0; i < n; i++) {
        const json_t *group = facet_group(report, facet, i);
        const bool out = group_is_reference(group);
        values[2 * i] = out ? (double)NAN : group_x(group, json_str(report, "x", ""));
        values[2 * i + 1] = group_stat(group, metric, "mean");
    }
    pareto_front(on_front, values, n, 2, goals);
    for (size_t i = 0; i < n; i++) {
        if (!on_front[i])
            continue;
        json_array_append(front, json_array_get(json_object_get(facet, "groups"), i));
        json_object_set_new(json_object_get(facet_group(report, facet, i), "on_front"),
                            metric, json_true());
    }
    free(on_front);
    free(values);
    return front;
}

/* ---- hypervolume ----------------------------------------------------------------- */

/* x of all ReLUs, else of the largest setting; NaN when there is none. */
static double
reference_x(const json_t *report, const json_t *facet)
{
    const char *x = json_str(report, "x", "");
    double all = NAN, most = NAN;

    for (size_t i = 0; i < facet_n_groups(facet); i++) {
        const json_t *group = facet_group(report, facet, i);
        most = fmax(most, group_x(group, x));
        if (group_is_reference(group))
            all = fmax(all, group_x(group, x));
        else if (strcmp(x, "relus") == 0)
            all = fmax(all, group_stat(group, "relus_total", "mean"));
    }
    return isnan(all) ? most : all;
}

/* Values of the group's finished cells, into `x` and `y` (room for all members). */
static size_t
member_values(double *x, double *y, const json_t *group, const json_t *cells,
              const char *x_name, const char *metric)
{
    const json_t *members = json_object_get(group, "members");
    size_t i, n = 0;
    json_t *member;

    json_array_foreach(members, i, member)
    {
        const json_t *cell = json_array_get(cells, (size_t)json_integer_value(member));
        const double measured = aggregate_value(cell, x_name);
        x[n] = isnan(measured) ? group_x(group, x_name) : measured;
        y[n] = aggregate_value(cell, metric);
        n += strcmp(json_str(cell, "state", ""), "succeeded") == 0 && x[n] > 0
             && !isnan(y[n]);
    }
    return n;
}

struct settings {
    struct hypervolume_setting *list;
    size_t n;
    double *values; /* owns x and y of all */
};

static struct settings
settings_of(const json_t *report, const json_t *facet, const json_t *cells,
            const char *metric)
{
    const size_t n = facet_n_groups(facet);
    struct settings s = {.list = xcalloc(n + 1, sizeof *s.list)};
    size_t room = 0;

    for (size_t i = 0; i < n; i++)
        room +=
            json_array_size(json_object_get(facet_group(report, facet, i), "members"));
    double *x = s.values = xcalloc(2 * room + 1, sizeof *x), *y = x + room;
    for (size_t i = 0; i < n; i++) {
        const json_t *group = facet_group(report, facet, i);
        if (group_is_reference(group))
            continue;
        const size_t k =
            member_values(x, y, group, cells, json_str(report, "x", ""), metric);
        if (k > 0)
            s.list[s.n++] = (struct hypervolume_setting){x, y, k};
        x += k;
        y += k;
    }
    return s;
}

/* Per cent end at 0 or 100; of other units the worst value is the reference. */
static double
reference_y(const struct settings *s, enum metric_goal goal, bool percent)
{
    const bool down = goal == METRIC_MIN;
    double worst = down ? -INFINITY : INFINITY;

    if (percent)
        return down ? 100 : 0;
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; k < s->list[i].n; k++)
            worst = down ? fmax(worst, s->list[i].y[k]) : fmin(worst, s->list[i].y[k]);
    return worst;
}

static json_t *
number_or_null(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

static void
add_hypervolume(json_t *all, const json_t *report, const json_t *facet,
                const json_t *cells, const char *metric, enum metric_goal goal)
{
    struct settings s = settings_of(report, facet, cells, metric);
    const char *unit = "";
    double lo, hi;

    for (size_t i = 0; i < facet_n_groups(facet) && unit[0] == '\0'; i++)
        unit = group_unit(facet_group(report, facet, i), metric);
    const struct hypervolume_reference reference = {
        reference_x(report, facet), reference_y(&s, goal, strcmp(unit, "%") == 0),
        goal};
    if (s.n > 0 && reference.x > 0) {
        const double value = hypervolume_of_means(s.list, s.n, reference);
        hypervolume_interval(&lo, &hi, s.list, s.n, reference);
        json_object_set_new(all, metric,
                            json_pack("{s:f, s:o, s:o, s:I, s:f, s:f, s:s}", "value",
                                      value, "lo", number_or_null(lo), "hi",
                                      number_or_null(hi), "points", (json_int_t)s.n,
                                      "reference_x", reference.x, "reference_y",
                                      reference.y, "unit", unit));
    }
    free(s.values);
    free(s.list);
}

/* ---- all of it ------------------------------------------------------------------- */

static void
fill_facet(json_t *facet, json_t *report, const json_t *cells)
{
    json_t *fronts = json_object(), *volumes = json_object(), *metric, *index;
    size_t i, k;

    json_array_foreach(json_object_get(report, "y"), i, metric)
    {
        const char *name = json_string_value(metric);
        const char *word = json_str(json_object_get(report, "goals"), name, "max");
        const enum metric_goal goal = metric_goal_find(word);
        json_t *front = find_front(report, facet, name, goal);
        json_object_set_new(fronts, name, front);
        json_array_foreach(front, k, index)
        {
            json_array_append(json_object_get(json_object_get(report, "fronts"), name),
                              index);
        }
        add_hypervolume(volumes, report, facet, cells, name, goal);
    }
    json_object_set_new(facet, "fronts", fronts);
    json_object_set_new(facet, "hypervolume", volumes);
    set_varying(facet, report);
}

void
facet_fill(json_t *report, const json_t *cells)
{
    json_t *facets = json_object_get(report, "facets"), *fronts = json_object();
    json_t *item, *facet;
    size_t i;

    json_object_set_new(report, "fronts", fronts);
    json_array_foreach(json_object_get(report, "y"), i, item)
    {
        json_object_set_new(fronts, json_string_value(item), json_array());
    }
    json_array_foreach(json_object_get(report, "groups"), i, item)
    {
        facet = json_array_get(facets, (size_t)json_int(item, "facet", 0));
        json_object_set_new(item, "on_front", json_object());
        json_array_append_new(json_object_get(facet, "groups"),
                              json_integer((json_int_t)i));
        if (small_params(json_object_get(item, "params")))
            json_object_set_new(facet, "small", json_true());
    }
    json_array_foreach(facets, i, facet)
    {
        fill_facet(facet, report, cells);
    }
}
