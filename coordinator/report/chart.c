/* chart.c - the report document seen as one plot. Knows nothing of canvas or colour. */
#include "coordinator/report/chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/report/facet.h"
#include "coordinator/report/group.h"
#include "coordinator/report/label.h"
#include "coordinator/report/number.h"
#include "shared/base/buf.h"

/* More series than this cannot be told apart by colour (Okabe and Ito's seven). */
enum { SERIES_WANTED = 7 };

static const char *
keep(struct chart *c, struct buf *text)
{
    const char *s = arena_strdup(&c->mem, buf_str(text));

    buf_release(text);
    return s;
}

static bool
is_drawn(const struct chart *c, const json_t *group)
{
    return !group_is_reference(group) && !isnan(group_x(group, c->x))
           && !isnan(group_stat(group, c->metric, "mean"));
}

/* ---- series ---------------------------------------------------------------------- */

/* Index of the series called `label`, which is added (not copied) when it is new. */
static size_t
series_index(struct chart *c, const char *label)
{
    for (size_t i = 0; i < c->n_series; i++)
        if (strcmp(c->series[i], label) == 0)
            return i;
    c->series[c->n_series] = label;
    return c->n_series++;
}

static int
by_version(const void *a, const void *b)
{
    return strverscmp(*(const char *const *)a, *(const char *const *)b);
}

/* Labels all drawn groups by `axes`: the distinct labels, sorted, are the series. */
static void
assign_series(struct chart *c, const json_t *groups, const json_t *axes)
{
    const char **labels = xcalloc(c->n_points + 1, sizeof *labels);
    json_t *group;
    size_t i, k = 0;

    c->n_series = 0;
    json_array_foreach(groups, i, group)
    {
        struct buf label = {0};
        if (!is_drawn(c, group))
            continue;
        label_series(&label, json_object_get(group, "params"), axes);
        labels[k] = keep(c, &label);
        series_index(c, labels[k++]);
    }
    qsort(c->series, c->n_series, sizeof *c->series, by_version);
    for (i = 0; i < k; i++)
        c->points[i].series = series_index(c, labels[i]);
    free(labels);
}

static void
find_series(struct chart *c, const json_t *groups, const json_t *varying)
{
    json_t *axes = json_array(), *axis;
    size_t i, used = 0;

    json_array_foreach(varying, i, axis)
    {
        const char *name = json_string_value(axis);
        if (strcmp(name, label_budget) == 0 || strcmp(name, c->x) == 0)
            continue;
        json_array_append(axes, axis);
        assign_series(c, groups, axes);
        if (used > 0 && c->n_series > SERIES_WANTED) {
            json_array_remove(axes, used);
            break;
        }
        used++;
    }
    assign_series(c, groups, axes);
    json_decref(axes);
}

/* ---- points ---------------------------------------------------------------------- */

/* "temperature 4: CA 91.20 ± 0.11 % at 50,000 ReLUs (n = 3 of 3)" */
static const char *
tip_of(struct chart *c, const json_t *group, const json_t *varying)
{
    const char *unit = group_unit(group, c->x);
    const long long cells = json_int(group, "cells", 0);
    struct buf b = {0};

    label_series(&b, json_object_get(group, "params"), varying);
    buf_printf(&b, "%s%s ", b.len > 0 ? ": " : "", c->metric);
    group_put_metric(&b, group, c->metric, " ± ");
    buf_printf(&b, "%s%s at ", c->unit[0] != '\0' ? " " : "", c->unit);
    number_metric(&b, group_x(group, c->x), unit);
    buf_printf(&b, " %s", unit[0] != '\0' ? unit : c->x);
    if (cells > 1)
        buf_printf(&b, " (n = %.0f of %lld)", group_stat(group, c->metric, "n"), cells);
    return keep(c, &b);
}

static void
add_point(struct chart *c, const json_t *group, const json_t *varying)
{
    c->points[c->n_points++] = (struct chart_point){
        .x = group_x(group, c->x),
        .y = group_stat(group, c->metric, "mean"),
        .sd = group_stat(group, c->metric, "sd"),
        .complete = group_is_complete(group),
        .on_front = group_on_front(group, c->metric),
        .tip = tip_of(c, group, varying),
    };
}

static void
add_reference(struct chart *c, const json_t *group, const json_t *varying)
{
    const double x = group_x(group, c->x);
    struct buf b = {0};

    label_series(&b, json_object_get(group, "params"), varying);
    buf_puts(&b, b.len > 0 ? ", all " : "all ");
    if (!isnan(x) && strcmp(c->x, "relus") == 0) {
        number_short(&b, x);
        buf_putc(&b, ' ');
    }
    buf_puts(&b, "ReLUs: ");
    number_metric(&b, group_stat(group, c->metric, "mean"), c->unit);
    c->references[c->n_references++] = (struct chart_reference){
        .x = x,
        .y = group_stat(group, c->metric, "mean"),
        .label = keep(c, &b),
        .tip = tip_of(c, group, varying),
    };
}

static void
find_units(struct chart *c, const json_t *groups)
{
    json_t *group;
    size_t i;

    c->unit = c->x_unit = "";
    json_array_foreach(groups, i, group)
    {
        if (c->unit[0] == '\0')
            c->unit = group_unit(group, c->metric);
        if (c->x_unit[0] == '\0')
            c->x_unit = group_unit(group, c->x);
    }
}

/* The facet stands before the report's title where there are several. */
static void
set_titles(struct chart *c, const json_t *report, const json_t *facet)
{
    const char *title = json_str(report, "title", "");
    const char *label = json_str(facet, "label", "");
    struct buf b = {0};

    buf_printf(&b, "%s against %s", label_metric(c->metric), label_metric(c->x));
    c->title = keep(c, &b);
    if (json_array_size(json_object_get(report, "facets")) > 1 && label[0] != '\0')
        buf_printf(&b, "%s · ", label);
    buf_puts(&b, title[0] != '\0' ? title : json_str(report, "name", ""));
    if (json_is_true(json_object_get(facet, "small")))
        buf_puts(&b, " · small-scale run");
    c->subtitle = keep(c, &b);
}

/* ---- published ------------------------------------------------------------------- */

static const char *
curve_tip(struct chart *c, const json_t *curve, const json_t *point)
{
    struct buf b = {0};

    buf_printf(&b, "%s, published: %s ", json_str(curve, "label", ""), c->metric);
    number_metric(&b, json_num(point, "y", NAN), c->unit);
    buf_printf(&b, "%s%s at ", c->unit[0] != '\0' ? " " : "", c->unit);
    number_metric(&b, json_num(point, "x", NAN), "ReLUs");
    buf_printf(&b, " ReLUs (%s)", json_str(curve, "citation", ""));
    return keep(c, &b);
}

static void
add_curve(struct chart *c, const json_t *curve)
{
    const json_t *points = json_object_get(curve, "points");
    const size_t n = json_array_size(points);
    double *x = arena_alloc(&c->mem, (2 * n + 1) * sizeof *x), *y = x + n;
    const char **tips = arena_alloc(&c->mem, (n + 1) * sizeof *tips);
    json_t *point;
    size_t i;

    json_array_foreach(points, i, point)
    {
        x[i] = json_num(point, "x", NAN);
        y[i] = json_num(point, "y", NAN);
        tips[i] = curve_tip(c, curve, point);
    }
    c->curves[c->n_curves++] = (struct chart_curve){json_str(curve, "label", ""),
                                                    json_str(curve, "citation", ""),
                                                    x,
                                                    y,
                                                    tips,
                                                    n,
                                                    (size_t)json_int(curve, "mark", 0)};
}

static void
add_curves(struct chart *c, const json_t *facet)
{
    const json_t *curves = json_object_get(json_object_get(facet, "curves"), c->metric);
    json_t *curve;
    size_t i;

    c->curves = arena_alloc(&c->mem, (json_array_size(curves) + 1) * sizeof *c->curves);
    json_array_foreach(curves, i, curve)
    {
        add_curve(c, curve);
    }
}

static void
find_missing(struct chart *c, const json_t *groups)
{
    bool placed = c->n_points > 0, reported = false;
    json_t *group;
    size_t i;

    for (i = 0; i < c->n_references; i++)
        placed = placed || !isnan(c->references[i].x);
    json_array_foreach(groups, i, group)
    {
        reported = reported || !isnan(group_stat(group, c->metric, "mean"));
    }
    if (!placed)
        c->missing = reported ? c->x : c->metric;
}

/* The facet's groups as an array. New reference. */
static json_t *
groups_of(const json_t *report, const json_t *facet)
{
    json_t *groups = json_array();

    for (size_t i = 0; i < facet_n_groups(facet); i++)
        json_array_append(groups, facet_group(report, facet, i));
    return groups;
}

void
chart_init(struct chart *c, const json_t *report, const json_t *facet,
           const char *metric)
{
    json_t *groups = groups_of(report, facet), *group;
    const json_t *varying = json_object_get(facet, "varying");
    const size_t n = json_array_size(groups);
    size_t i;

    *c = (struct chart){.metric = metric, .x = json_str(report, "x", "relus")};
    set_titles(c, report, facet);
    find_units(c, groups);
    c->points = arena_alloc(&c->mem, (n + 1) * sizeof *c->points);
    c->references = arena_alloc(&c->mem, (n + 1) * sizeof *c->references);
    c->series = arena_alloc(&c->mem, (n + 1) * sizeof *c->series);
    json_array_foreach(groups, i, group)
    {
        c->averaged = c->averaged || group_stat(group, metric, "n") > 1;
        if (is_drawn(c, group))
            add_point(c, group, varying);
        else if (group_is_reference(group) && !isnan(group_stat(group, metric, "mean")))
            add_reference(c, group, varying);
    }
    find_missing(c, groups);
    find_series(c, groups, varying);
    if (c->missing == NULL)
        add_curves(c, facet);
    json_decref(groups);
}

void
chart_release(struct chart *c)
{
    arena_release(&c->mem);
    *c = (struct chart){0};
}
