/* table.c - groups as rows of text. Knows neither HTML nor the terminal. */
#include "coordinator/report/table.h"

#include <math.h>
#include <string.h>

#include "coordinator/report/group.h"
#include "coordinator/report/label.h"
#include "coordinator/report/number.h"
#include "shared/base/buf.h"

/* Order in which columns give way. */
enum {
    SPARE_NEVER,
    SPARE_METRIC,
    SPARE_CELLS,
    SPARE_SAVING,
    SPARE_BUDGET,
    SPARE_OTHER
};

static const char *
keep(struct table *t, struct buf *b)
{
    const char *text = arena_strdup(&t->mem, buf_str(b));

    buf_clear(b);
    return text;
}

static void
add_column(struct table *t, const char *heading, bool numeric, const char *metric,
           int spare)
{
    t->columns[t->n_columns++] = (struct table_column){heading, numeric, metric, spare};
}

static bool
is_asked_for(const json_t *report, const char *metric)
{
    return json_object_get(json_object_get(report, "goals"), metric) != NULL;
}

static void
add_columns(struct table *t, const json_t *report)
{
    const json_t *varying = json_object_get(report, "varying");
    const json_t *metrics = json_object_get(report, "columns");
    const char *x = json_str(report, "x", "");
    json_t *item;
    size_t i;

    t->columns =
        arena_alloc(&t->mem, (json_array_size(varying) + json_array_size(metrics) + 3)
                                 * sizeof *t->columns);
    json_array_foreach(varying, i, item)
    {
        const char *name = json_string_value(item);
        const bool budget = strcmp(name, label_budget) == 0;
        add_column(t, name, true, NULL, budget ? SPARE_BUDGET : SPARE_NEVER);
    }
    add_column(t, strcmp(x, "relus") == 0 ? "ReLUs" : x, true, NULL, SPARE_NEVER);
    add_column(t, "saving", true, NULL, SPARE_SAVING);
    json_array_foreach(metrics, i, item)
    {
        const char *name = json_string_value(item);
        add_column(t, name, true, name,
                   is_asked_for(report, name) ? SPARE_METRIC : SPARE_OTHER);
    }
    add_column(t, "cells", true, NULL, SPARE_CELLS);
}

static void
put_saving(struct buf *b, const json_t *group)
{
    const double saving = json_num(group, "saving", NAN);

    if (isnan(saving))
        buf_puts(b, "–");
    else
        buf_printf(b, saving < 100 ? "%.2f×" : "%.0f×", saving);
}

static void
put_metric(struct buf *b, const json_t *group, const char *metric, bool spread)
{
    if (spread)
        group_put_metric(b, group, metric);
    else
        number_metric(b, group_stat(group, metric, "mean"), group_unit(group, metric));
}

/* The cells of one group, in the order of add_columns. */
static void
fill_row(struct table *t, struct table_cell *row, const json_t *report,
         const json_t *group, bool spread)
{
    const json_t *varying = json_object_get(report, "varying");
    const char *x = json_str(report, "x", "");
    struct buf b = {0};
    json_t *item;
    size_t i, k = 0;

    json_array_foreach(varying, i, item)
    {
        number_param(&b, json_object_get(json_object_get(group, "params"),
                                         json_string_value(item)));
        row[k++].text = keep(t, &b);
    }
    number_metric(&b, group_x(group, x), group_unit(group, x));
    row[k++].text = keep(t, &b);
    put_saving(&b, group);
    row[k++].text = keep(t, &b);
    json_array_foreach(json_object_get(report, "columns"), i, item)
    {
        const char *name = json_string_value(item);
        put_metric(&b, group, name, spread);
        row[k].on_front = group_on_front(group, name);
        row[k++].text = keep(t, &b);
    }
    const int64_t n = json_int(group, "n", 0), cells = json_int(group, "cells", 0);
    if (n == cells)
        buf_printf(&b, "%lld", (long long)n);
    else
        buf_printf(&b, "%lld of %lld", (long long)n, (long long)cells);
    row[k].text = keep(t, &b);
    buf_release(&b);
}

void
table_init(struct table *t, const json_t *report, bool spread)
{
    const json_t *groups = json_object_get(report, "groups");
    json_t *group;
    size_t i;

    *t = (struct table){.n_rows = json_array_size(groups)};
    add_columns(t, report);
    t->cells = arena_alloc(&t->mem, (t->n_rows + 1) * t->n_columns * sizeof *t->cells);
    json_array_foreach(groups, i, group)
        fill_row(t, t->cells + i * t->n_columns, report, group, spread);
}

void
table_release(struct table *t)
{
    arena_release(&t->mem);
    *t = (struct table){0};
}
