/*
 * figure_sensitivity.c - small multiples: a panel for each axis that varies, one line
 * for settings that differ in nothing else, coloured by budget.
 */
#include <math.h>
#include <string.h>

#include "coordinator/report/facet.h"
#include "coordinator/report/figure.h"
#include "coordinator/report/group.h"
#include "coordinator/report/label.h"
#include "coordinator/report/number.h"
#include "coordinator/report/others.h"
#include "coordinator/report/scale.h"
#include "shared/base/buf.h"

static const double width = 640, panel_height = 270, edge = 12;
static const double left = 46, right = 14, above = 30, below = 50; /* of a panel */
static const double text_size = 12, radius = 3.6;
enum { COLUMNS = 2, PANELS_MAX = 8, BUDGETS_MAX = 14 };

struct panels {
    struct display *d;
    const json_t *report, *facet;
    const char *metric, *unit;
    const char *axes[PANELS_MAX];
    size_t n;
    const json_t *budgets[BUDGETS_MAX]; /* values of the budget, by x */
    size_t n_budgets;
    struct scale y;
};

/* ---- which panels ---------------------------------------------------------------- */

static bool
has_comparison(const json_t *report, const json_t *facet, const char *axis)
{
    struct others o;

    others_init(&o, report, facet, axis);
    const bool any = o.n_values > 1 && o.n_rows > 0;
    others_release(&o);
    return any;
}

static void
find_panels(struct panels *p)
{
    json_t *axis;
    size_t i;

    json_array_foreach(json_object_get(p->facet, "varying"), i, axis)
    {
        const char *name = json_string_value(axis);
        if (p->n < PANELS_MAX && others_is_compared(name)
            && has_comparison(p->report, p->facet, name))
            p->axes[p->n++] = name;
    }
}

static const json_t *
budget_of(const json_t *group)
{
    return json_object_get(json_object_get(group, "params"), label_budget);
}

static json_t *
budget_or_null(const json_t *group)
{
    const json_t *budget = budget_of(group);

    return budget != NULL ? (json_t *)budget : json_null();
}

static size_t
budget_index(const struct panels *p, const json_t *group)
{
    size_t i = 0;

    while (i < p->n_budgets && !json_equal(p->budgets[i], budget_of(group)))
        i++;
    return i;
}

/* The budgets that some panel has a line of, null for none. New reference, a list. */
static json_t *
drawn_budgets(const struct panels *p)
{
    json_t *budgets = json_array();

    for (size_t i = 0; i < p->n; i++) {
        struct others o;
        others_init(&o, p->report, p->facet, p->axes[i]);
        for (size_t r = 0; r < o.n_rows; r++)
            json_array_append(budgets, budget_or_null(others_first(&o, r)));
        others_release(&o);
    }
    return budgets;
}

static bool
is_among(const json_t *list, const json_t *value)
{
    json_t *item;
    size_t i;

    json_array_foreach(list, i, item)
    {
        if (json_equal(item, value))
            return true;
    }
    return false;
}

/* The budgets, and the y axis that all panels share. */
static void
find_ranges(struct panels *p)
{
    double lo = INFINITY, hi = -INFINITY;
    json_t *drawn = drawn_budgets(p);

    p->unit = "";
    for (size_t i = 0; i < facet_n_groups(p->facet); i++) {
        const json_t *group = facet_group(p->report, p->facet, i);
        const double y = group_stat(group, p->metric, "mean");
        if (group_is_reference(group) || isnan(y)
            || !is_among(drawn, budget_or_null(group)))
            continue;
        lo = fmin(lo, y);
        hi = fmax(hi, y);
        p->unit = group_unit(group, p->metric);
        if (budget_of(group) != NULL && p->n_budgets < BUDGETS_MAX
            && budget_index(p, group) == p->n_budgets)
            p->budgets[p->n_budgets++] = budget_of(group);
    }
    if (isfinite(lo))
        scale_linear(&p->y, lo, hi, 0.08, 6, -INFINITY, INFINITY);
    json_decref(drawn);
}

static void
list(json_t *report)
{
    json_t *facet, *metric;
    size_t i, k;

    json_array_foreach(json_object_get(report, "facets"), i, facet)
    {
        struct panels p = {.report = report, .facet = facet};
        find_panels(&p);
        json_array_foreach(json_object_get(report, "y"), k, metric)
        {
            const char *name = json_string_value(metric);
            struct buf title = {0};
            buf_printf(&title, "%s: sensitivity", label_metric(name));
            if (p.n > 0)
                figure_add(report, "sensitivity", "sensitivity", name, i, "sensitivity",
                           buf_str(&title));
            buf_release(&title);
        }
    }
}

/* ---- drawing --------------------------------------------------------------------- */

struct panel {
    const struct panels *all;
    struct others o;
    double x, y, w; /* left upper corner of the box, its width */
};

static double
at_value(const struct panel *panel, size_t v)
{
    return panel->x + panel->w * ((double)v + 0.5) / (double)panel->o.n_values;
}

static void
draw_box(const struct panel *panel, const char *axis)
{
    static const struct display_style grid = {
        .stroke = DISPLAY_INK, .width = 1, .opacity = 0.14};
    const struct panels *all = panel->all;
    struct buf b = {0};

    for (size_t i = 0; i < all->y.n_ticks; i++) {
        const double y = scale_at(&all->y, all->y.ticks[i]);
        display_line(all->d, panel->x, y, panel->x + panel->w, y, grid);
        buf_clear(&b);
        buf_printf(&b, "%g", all->y.ticks[i]);
        display_text(all->d, panel->x - 6, y + 4.2, text_size, DISPLAY_END, false, 0,
                     buf_str(&b));
    }
    buf_clear(&b);
    buf_printf(&b, "%s%s%s", all->metric, all->unit[0] != '\0' ? ", " : "", all->unit);
    display_text(all->d, panel->x - left + 6, panel->y - 12, text_size, DISPLAY_START,
                 false, 0.72, buf_str(&b));
    display_text(all->d, panel->x + panel->w / 2, panel->y - 12, text_size,
                 DISPLAY_MIDDLE, true, 0,
                 display_fit(all->d, axis, text_size, true, panel->w - 60));
    buf_release(&b);
}

/* Names of the values; on two levels when they would touch. */
static void
draw_values(const struct panel *panel)
{
    const double base = panel->y + panel_height - above - below;
    const double room = panel->w / (double)panel->o.n_values - 6;
    double widest = 0;

    for (size_t v = 0; v < panel->o.n_values; v++)
        widest =
            fmax(widest, display_text_width(panel->o.values[v].text, text_size, false));
    const bool levels = widest > room && panel->o.n_values > 1;
    for (size_t v = 0; v < panel->o.n_values; v++) {
        const double drop = levels && v % 2 ? 34 : 19;
        display_text(panel->all->d, at_value(panel, v), base + drop, text_size,
                     DISPLAY_MIDDLE, false, 0,
                     display_fit(panel->all->d, panel->o.values[v].text, text_size,
                                 false, levels ? 2 * room : room));
    }
}

static void
draw_row(const struct panel *panel, size_t r)
{
    const struct panels *all = panel->all;
    const json_t *const *groups =
        (const json_t *const *)panel->o.groups + r * panel->o.n_values;
    const size_t series = budget_index(all, others_first(&panel->o, r));
    const enum display_color color = display_series_color(series);
    const struct display_style line = {.stroke = color, .width = 1.2, .opacity = 0.6};
    struct display_style dot = {.stroke = color, .fill = color, .width = 1.2};
    struct display_point last = {NAN, NAN};

    for (size_t v = 0; v < panel->o.n_values; v++) {
        const double mean = group_stat(groups[v], all->metric, "mean");
        struct buf tip = {0};
        if (isnan(mean))
            continue;
        const struct display_point at = {at_value(panel, v), scale_at(&all->y, mean)};
        if (!isnan(last.x))
            display_line(all->d, last.x, last.y, at.x, at.y, line);
        last = at;
        dot.fill = group_is_complete(groups[v]) ? color : DISPLAY_PAPER;
        buf_printf(&tip, "%s: ", json_str(groups[v], "label", ""));
        group_put_metric(&tip, groups[v], all->metric, " ± ");
        display_marker(all->d, at.x, at.y, radius, display_series_marker(series), dot,
                       buf_str(&tip));
        buf_release(&tip);
    }
}

/* Budgets by colour and shape, in rows. Returns the last baseline. */
static double
draw_legend(const struct panels *p, double y)
{
    double x = edge;

    for (size_t i = 0; i < p->n_budgets && p->n_budgets > 1; i++) {
        const enum display_color color = display_series_color(i);
        struct buf b = {0};
        number_param(&b, p->budgets[i]);
        buf_puts(&b, " ReLUs");
        const double w = 18 + display_text_width(buf_str(&b), text_size, false);
        if (x > edge && x + w > width - edge) {
            x = edge;
            y += 19;
        }
        display_marker(
            p->d, x + 6, y - 4.2, 4.2, display_series_marker(i),
            (struct display_style){.stroke = color, .fill = color, .width = 1}, NULL);
        display_text(p->d, x + 18, y, text_size, DISPLAY_START, false, 0, buf_str(&b));
        x += w + 16;
        buf_release(&b);
    }
    return y;
}

static void
draw_panel(struct panels *p, size_t i, double top)
{
    const size_t columns = p->n < COLUMNS ? p->n : COLUMNS;
    const double w = width / (double)columns;
    const size_t row = i / columns;
    struct panel panel = {.all = p,
                          .x = w * (double)(i % columns) + left,
                          .y = top + panel_height * (double)row + above,
                          .w = w - left - right};

    others_init(&panel.o, p->report, p->facet, p->axes[i]);
    p->y.from = panel.y + panel_height - above - below;
    p->y.to = panel.y;
    draw_box(&panel, p->axes[i]);
    draw_values(&panel);
    for (size_t r = 0; r < panel.o.n_rows; r++)
        draw_row(&panel, r);
    others_release(&panel.o);
}

static void
draw(struct display *d, const json_t *report, const json_t *figure)
{
    struct panels p = {.d = d,
                       .report = report,
                       .facet = figure_facet(report, figure),
                       .metric = json_str(figure, "metric", "")};

    display_init(d, width, panel_height, json_str(figure, "title", ""));
    find_panels(&p);
    find_ranges(&p);
    const double top = draw_legend(&p, figure_head(d, report, figure) + 8) + 12;
    const size_t rows = (p.n + COLUMNS - 1) / COLUMNS;
    d->height = top + panel_height * (double)rows;
    for (size_t i = 0; i < p.n; i++)
        draw_panel(&p, i, top);
    scale_release(&p.y);
}

const struct figure_kind figure_sensitivity = {
    .name = "sensitivity",
    .list = list,
    .draw = draw,
};
