/* volumes.c - hypervolumes of the facets as a table. Computes nothing. */
#include "coordinator/report/volumes.h"

#include <math.h>

#include "coordinator/report/number.h"
#include "coordinator/report/sheet.h"

static const char note[] =
    "Area between the front of means and the reference point (all ReLUs, the worst "
    "value), in the metric's unit times decades of x: more is better, and only numbers "
    "with one reference point can be compared. The interval is a 95 % percentile "
    "bootstrap over seeds (2,000 draws, fixed seed).";

static void
add_row(json_t *sheet, const json_t *report, const json_t *facet, const char *metric,
        const json_t *volume)
{
    const double lo = json_num(volume, "lo", NAN), hi = json_num(volume, "hi", NAN);
    const char *unit = json_str(volume, "unit", "");
    json_t *row = sheet_row(sheet);
    struct buf b = {0};

    sheet_text(row, json_str(facet, "label", ""));
    sheet_text(row, metric);
    buf_printf(&b, "%lld", (long long)json_int(volume, "points", 0));
    sheet_take(row, &b);
    buf_printf(&b, "%.2f", json_num(volume, "value", NAN));
    sheet_take(row, &b);
    if (isnan(lo))
        buf_puts(&b, "–");
    else
        buf_printf(&b, "%.2f to %.2f", lo, hi);
    sheet_take(row, &b);
    number_short(&b, json_num(volume, "reference_x", NAN));
    buf_printf(&b, " %s, ", json_str(report, "x", ""));
    number_metric(&b, json_num(volume, "reference_y", NAN), unit);
    buf_printf(&b, "%s%s", unit[0] != '\0' ? " " : "", unit);
    sheet_take(row, &b);
}

void
volumes_add(json_t *report)
{
    json_t *sheet = sheet_new("hypervolume", "pareto", "Hypervolume", note), *facet;
    const char *metric;
    json_t *volume;
    size_t i;

    sheet_column(sheet, "setting", true);
    sheet_column(sheet, "metric", true);
    sheet_column(sheet, "settings", false);
    sheet_column(sheet, "hypervolume", false);
    sheet_column(sheet, "95 % interval", false);
    sheet_column(sheet, "reference point", false);
    json_array_foreach(json_object_get(report, "facets"), i, facet)
    {
        json_object_foreach(json_object_get(facet, "hypervolume"), metric, volume)
        {
            add_row(sheet, report, facet, metric, volume);
        }
    }
    sheet_add(report, sheet);
}
