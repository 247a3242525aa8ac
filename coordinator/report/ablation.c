/* ablation.c - what one choice changes, everything else being equal. */
#include "coordinator/report/ablation.h"

#include <math.h>

#include "coordinator/report/facet.h"
#include "coordinator/report/group.h"
#include "coordinator/report/label.h"
#include "coordinator/report/number.h"
#include "coordinator/report/others.h"
#include "coordinator/report/sheet.h"

/* More values than this are a curve, which the sensitivity plots show. */
enum { VALUES_MAX = 6 };

static json_t *
new_sheet(const json_t *facet, const char *axis, const struct others *o)
{
    const char *label = json_str(facet, "label", "");
    struct buf name = {0}, title = {0};

    sheet_name(&name, "ablation");
    sheet_name(&name, axis);
    sheet_name(&name, json_str(facet, "key", ""));
    buf_printf(&title, "%s%s%s", axis, label[0] != '\0' ? " on " : "", label);
    json_t *sheet = sheet_new(buf_str(&name), "ablations", buf_str(&title),
                              "Settings in a row differ in nothing else; differences "
                              "are to the first column of values.");
    sheet_column(sheet, "metric", true);
    sheet_column(sheet, "setting", true);
    for (size_t v = 0; v < o->n_values; v++) {
        sheet_column(sheet, o->values[v].text, false);
        if (v > 0)
            sheet_column(sheet, "difference", false);
    }
    buf_release(&title);
    buf_release(&name);
    return sheet;
}

static void
add_row(json_t *sheet, const struct others *o, size_t r, const char *metric,
        const json_t *axes)
{
    const json_t *const *groups = (const json_t *const *)o->groups + r * o->n_values;
    const double base = group_stat(groups[0], metric, "mean");
    json_t *row = sheet_row(sheet);
    struct buf b = {0};

    sheet_text(row, metric);
    label_params(&b, json_object_get(others_first(o, r), "params"), axes);
    sheet_take(row, &b);
    for (size_t v = 0; v < o->n_values; v++) {
        const double mean = group_stat(groups[v], metric, "mean");
        const char *unit = group_unit(groups[v], metric);
        group_put_metric(&b, groups[v], metric, " ± ");
        sheet_take(row, &b);
        if (v > 0) {
            number_signed(&b, mean - base, unit);
            sheet_take(row, &b);
        }
    }
}

static void
add_axis(json_t *report, const json_t *facet, const char *axis)
{
    json_t *axes = others_axes(facet, axis), *metric;
    struct others o;
    size_t i;

    others_init(&o, report, facet, axis);
    if (o.n_values >= 2 && o.n_values <= VALUES_MAX) {
        json_t *sheet = new_sheet(facet, axis, &o);
        json_array_foreach(json_object_get(report, "y"), i, metric)
        {
            for (size_t r = 0; r < o.n_rows; r++)
                add_row(sheet, &o, r, json_string_value(metric), axes);
        }
        sheet_add(report, sheet);
    }
    others_release(&o);
    json_decref(axes);
}

void
ablation_add(json_t *report)
{
    json_t *facet, *axis;
    size_t i, k;

    json_array_foreach(json_object_get(report, "facets"), i, facet)
    {
        json_array_foreach(json_object_get(facet, "varying"), k, axis)
        {
            if (others_is_compared(json_string_value(axis)))
                add_axis(report, facet, json_string_value(axis));
        }
    }
}
