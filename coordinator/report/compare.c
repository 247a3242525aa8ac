/* compare.c - published curves that belong to a facet, and how ours stand to them. */
#include "coordinator/report/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/report/facet.h"
#include "coordinator/report/group.h"
#include "coordinator/report/label.h"
#include "coordinator/report/number.h"
#include "coordinator/report/sheet.h"
#include "shared/base/json.h"
#include "shared/spec/metric.h"

/* ---- curves ---------------------------------------------------------------------- */

static bool
is_wanted(const json_t *report, const struct published_curve *curve)
{
    const json_t *names = json_object_get(report, "published");

    return json_array_size(names) == 0 ? !curve->on_request
                                       : json_has_text(names, curve->key);
}

/* Before the first point of the array with a larger x. */
static void
insert_by_x(json_t *points, json_t *point)
{
    size_t at = json_array_size(points);

    while (at > 0
           && json_num(json_array_get(points, at - 1), "x", 0)
                  > json_num(point, "x", 0))
        at--;
    json_array_insert_new(points, at, point);
}

static json_t *
points_of(const struct published *published, const struct published_curve *curve,
          const json_t *facet, const char *metric)
{
    json_t *points = json_array();

    for (size_t i = 0; i < published->n; i++) {
        const struct published_row *row = &published->rows[i];
        if (published_is_on(row, curve, json_str(facet, "dataset", ""),
                            json_str(facet, "model", ""), metric))
            insert_by_x(points, json_pack("{s:f, s:f, s:s, s:s}", "x", row->relus, "y",
                                          row->our_value, "paper", row->paper, "table",
                                          row->table));
    }
    return points;
}

static json_t *
curves_of(const json_t *report, const struct published *published, const json_t *facet,
          const char *metric)
{
    json_t *curves = json_array();

    for (const struct published_curve *c = published_curves; c->key != NULL; c++) {
        json_t *points = points_of(published, c, facet, metric);
        if (json_array_size(points) > 0 && is_wanted(report, c))
            json_array_append_new(curves,
                                  json_pack("{s:s, s:s, s:s, s:b, s:I, s:O}", "key",
                                            c->key, "label", c->label, "citation",
                                            c->citation, "any_model", c->any_model,
                                            "mark", (json_int_t)(c - published_curves),
                                            "points", points));
        json_decref(points);
    }
    return curves;
}

static void
add_curves(json_t *facet, const json_t *report, const struct published *published)
{
    const bool comparable = !json_is_true(json_object_get(facet, "small"))
                            && strcmp(json_str(report, "x", ""), "relus") == 0;
    json_t *all = json_object(), *metric;
    size_t i;

    json_object_set_new(facet, "curves", all);
    json_array_foreach(json_object_get(report, "y"), i, metric)
    {
        const char *name = json_string_value(metric);
        json_object_set_new(all, name,
                            comparable ? curves_of(report, published, facet, name)
                                       : json_array());
    }
}

/* ---- the table ------------------------------------------------------------------- */

struct compare_best
compare_best(const json_t *facet, const json_t *report, const char *metric,
             double relus)
{
    const char *goal = json_str(json_object_get(report, "goals"), metric, "max");
    const bool down = metric_goal_find(goal) == METRIC_MIN;
    const json_t *curves = json_object_get(json_object_get(facet, "curves"), metric);
    struct compare_best best = {NULL, NULL};
    json_t *curve, *point;
    size_t i, k;

    json_array_foreach(curves, i, curve)
    {
        if (json_is_true(json_object_get(curve, "any_model")))
            continue;
        json_array_foreach(json_object_get(curve, "points"), k, point)
        {
            const double y = json_num(point, "y", NAN);
            const double top = json_num(best.point, "y", NAN);
            if (json_num(point, "x", INFINITY) > relus + published_rounding)
                continue;
            if (best.point == NULL || (down ? y < top : y > top))
                best = (struct compare_best){point, curve};
        }
    }
    return best;
}

static void
add_row(json_t *sheet, const json_t *facet, const json_t *group, const char *metric,
        struct compare_best best)
{
    const double ours = group_stat(group, metric, "mean");
    const double theirs = json_num(best.point, "y", NAN);
    const char *unit = group_unit(group, metric);
    json_t *row = sheet_row(sheet);
    struct buf b = {0};

    sheet_text(row, json_str(facet, "label", ""));
    sheet_text(row, metric);
    number_metric(&b, group_stat(group, "relus", "mean"), "ReLUs");
    sheet_take(row, &b);
    group_put_metric(&b, group, metric, " ± ");
    sheet_take(row, &b);
    number_metric(&b, json_num(best.point, "x", NAN), "ReLUs");
    sheet_take(row, &b);
    number_metric(&b, theirs, unit);
    sheet_take(row, &b);
    buf_printf(&b, "%s (%s)", json_str(best.curve, "label", ""),
               json_str(best.curve, "citation", ""));
    sheet_take(row, &b);
    number_signed(&b, ours - theirs, unit);
    sheet_take(row, &b);
}

static void
add_rows(json_t *sheet, const json_t *report, const json_t *facet, const char *metric)
{
    const json_t *front = json_object_get(json_object_get(facet, "fronts"), metric);
    json_t *index;
    size_t i;

    json_array_foreach(front, i, index)
    {
        const json_t *group = json_array_get(json_object_get(report, "groups"),
                                             (size_t)json_integer_value(index));
        const struct compare_best best =
            compare_best(facet, report, metric, group_stat(group, "relus", "mean"));
        if (best.point != NULL)
            add_row(sheet, facet, group, metric, best);
    }
}

static json_t *
new_sheet(void)
{
    static const char *const numbers[] = {"our ReLUs", "ours", "their ReLUs", "theirs"};
    json_t *sheet = sheet_new(
        "against-published", "pareto", "Our fronts beside published results",
        "For every point of our fronts the best published one with no more ReLUs. The "
        "difference is ours less theirs; theirs are single numbers without a spread.");

    sheet_column(sheet, "setting", true);
    sheet_column(sheet, "metric", true);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sheet_column(sheet, numbers[i], false);
    sheet_column(sheet, "by", true);
    sheet_column(sheet, "difference", false);
    return sheet;
}

void
compare_add(json_t *report, const struct published *published)
{
    json_t *sheet = new_sheet(), *facet, *metric;
    size_t i, k;

    json_array_foreach(json_object_get(report, "facets"), i, facet)
    {
        add_curves(facet, report, published);
        json_array_foreach(json_object_get(report, "y"), k, metric)
        {
            add_rows(sheet, report, facet, json_string_value(metric));
        }
    }
    sheet_add(report, sheet);
}
