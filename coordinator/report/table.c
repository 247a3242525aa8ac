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
add_column(struct table *t, const char *heading, const char *metric, int spare)
{
    t->columns[t->n_columns++] = (struct table_column){heading, metric, spare};
}

static bool
is_asked_for(const json_t *report, const char *metric)
{
    return json_object_get(json_object_get(report, "goals"), metric) != NULL;
}

/* The metrics that say how large a group is: ReLUs, and x where it is another one. */
static const char *
size_column(const json_t *report, int i)
{
    const char *x = json_str(report, "x", "");

    if (i == 0)
        return "relus";
    if (i == 1 && strcmp(x, "relus") != 0
        && !json_has_text(json_object_get(report, "varying"), x))
        return x;
    return NULL;
}

static void
add_columns(struct table *t, const json_t *report)
{
    const json_t *varying = json_object_get(report, "varying");
    const json_t *metrics = json_object_get(report, "columns");
    const size_t n = json_array_size(varying) + json_array_size(metrics);
    const char *name;
    json_t *item;
    size_t i;

    t->columns = arena_alloc(&t->mem, (n + 4) * sizeof *t->columns);
    json_array_foreach(varying, i, item)
    {
        name = json_string_value(item);
        add_column(t, name, NULL,
                   strcmp(name, label_budget) == 0 ? SPARE_BUDGET : SPARE_NEVER);
    }
    for (int k = 0; (name = size_column(report, k)) != NULL; k++)
        add_column(t, k == 0 ? label_metric(name) : name, NULL, SPARE_NEVER);
    add_column(t, "saving", NULL, SPARE_SAVING);
    json_array_foreach(metrics, i, item)
    {
        name = json_string_value(item);
        add_column(t, name, name,
                   is_asked_for(report, name) ? SPARE_METRIC : SPARE_OTHER);
    }
    add_column(t, "cells", NULL, SPARE_CELLS);
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

/* The cells of one group, in the order of add_columns. */
static void
fill_row(struct table *t, struct table_cell *row, const json_t *report,
         const json_t *group, const char *plus_minus)
{
    const json_t *varying = json_object_get(report, "varying");
    struct buf b = {0};
    const char *name;
    json_t *item;
    size_t i, k = 0;

    json_array_foreach(varying, i, item)
    {
        number_param(&b, json_object_get(json_object_get(group, "params"),
                                         json_string_value(item)));
        row[k++].text = keep(t, &b);
    }
    for (int c = 0; (name = size_column(report, c)) != NULL; c++) {
        number_metric(&b, group_x(group, name), group_unit(group, name));
        row[k++].text = keep(t, &b);
    }
    put_saving(&b, group);
    row[k++].text = keep(t, &b);
    json_array_foreach(json_object_get(report, "columns"), i, item)
    {
        name = json_string_value(item);
        group_put_metric(&b, group, name, plus_minus);
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
table_init(struct table *t, const json_t *report, const char *plus_minus)
{
    const json_t *groups = json_object_get(report, "groups");
    json_t *group;
    size_t i;

    *t = (struct table){.n_rows = json_array_size(groups)};
    add_columns(t, report);
    t->cells = arena_alloc(&t->mem, (t->n_rows + 1) * t->n_columns * sizeof *t->cells);
    json_array_foreach(groups, i, group)
    {
        fill_row(t, t->cells + i * t->n_columns, report, group, plus_minus);
    }
}

void
table_release(struct table *t)
{
    arena_release(&t->mem);
    *t = (struct table){0};
}
