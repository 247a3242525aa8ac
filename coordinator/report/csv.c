/*
 * csv.c - cells.csv (one line a cell), pareto-<metric>.csv (one line a point of the plot)
 * and <sheet>.csv for every other table, RFC 4180. Numbers of the first two are exact,
 * not rounded for people.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/report/escape.h"
#include "coordinator/report/facet.h"
#include "coordinator/report/figure.h"
#include "coordinator/report/format.h"
#include "coordinator/report/group.h"
#include "coordinator/report/number.h"
#include "coordinator/report/sheet.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"

static int
save(struct buf *text, const char *dir, const char *name, struct err *err)
{
    char *path = file_join(dir, name);
    const int rc = file_write(path, buf_str(text), text->len, err);

    free(path);
    return rc;
}

static void
put_value(struct buf *out, const json_t *value)
{
    if (json_is_string(value)) {
        escape_csv(out, json_string_value(value));
    } else if (json_is_real(value)) {
        number_exact(out, json_real_value(value));
    } else if (value != NULL && !json_is_null(value)) {
        char *text = json_canonical(value);
        escape_csv(out, text);
        free(text);
    }
}

/* ---- cells.csv ------------------------------------------------------------------- */

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted names of all members that the cells' objects `key` have. */
struct names {
    json_t *set; /* owns them */
    const char **list;
    size_t n;
};

static struct names
member_names(const json_t *cells, const char *key)
{
    struct names names = {.set = json_object()};
    json_t *cell, *member;
    const char *name;
    size_t i;

    json_array_foreach(cells, i, cell)
    {
        json_object_foreach(json_object_get(cell, key), name, member)
        {
            json_object_set_new(names.set, name, json_null());
        }
    }
    names.list = xcalloc(json_object_size(names.set) + 1, sizeof *names.list);
    json_object_foreach(names.set, name, member)
    {
        names.list[names.n++] = name;
    }
    qsort(names.list, names.n, sizeof *names.list, by_name);
    return names;
}

static void
names_release(struct names *names)
{
    free(names->list);
    json_decref(names->set);
}

static void
put_members(struct buf *out, const json_t *object, const struct names *names)
{
    for (size_t i = 0; i < names->n; i++) {
        put_value(out, json_object_get(object, names->list[i]));
        buf_putc(out, ',');
    }
}

static void
put_names(struct buf *out, const struct names *names)
{
    for (size_t i = 0; i < names->n; i++) {
        escape_csv(out, names->list[i]);
        buf_putc(out, ',');
    }
}

static void
put_cells(struct buf *out, const json_t *cells)
{
    struct names params = member_names(cells, "params");
    struct names metrics = member_names(cells, "metrics");
    json_t *cell;
    size_t i;

    put_names(out, &params);
    buf_puts(out, "state,");
    put_names(out, &metrics);
    buf_puts(out, "job\r\n");
    json_array_foreach(cells, i, cell)
    {
        const json_t *jobs = json_object_get(cell, "jobs");
        const size_t n = json_array_size(jobs);
        put_members(out, json_object_get(cell, "params"), &params);
        put_value(out, json_object_get(cell, "state"));
        buf_putc(out, ',');
        put_members(out, json_object_get(cell, "metrics"), &metrics);
        put_value(out, n > 0 ? json_array_get(jobs, n - 1) : NULL);
        buf_puts(out, "\r\n");
    }
    names_release(&metrics);
    names_release(&params);
}

/* ---- pareto-<metric>.csv --------------------------------------------------------- */

static void
put_point(struct buf *out, const json_t *report, const json_t *group,
          const char *metric)
{
    static const char *const stats[] = {"mean", "sd", "n", "min", "max"};
    json_t *axis;
    size_t i;

    json_array_foreach(json_object_get(report, "varying"), i, axis)
    {
        put_value(out, json_object_get(json_object_get(group, "params"),
                                       json_string_value(axis)));
        buf_putc(out, ',');
    }
    number_exact(out, group_x(group, json_str(report, "x", "")));
    buf_putc(out, ',');
    number_exact(out, json_num(group, "saving", NAN));
    for (i = 0; i < sizeof stats / sizeof stats[0]; i++) {
        buf_putc(out, ',');
        number_exact(out, group_stat(group, metric, stats[i]));
    }
    buf_printf(out, ",%lld,%s,%s\r\n", (long long)json_int(group, "cells", 0),
               group_is_reference(group) ? "true" : "false",
               group_on_front(group, metric) ? "true" : "false");
}

static int
write_points(const json_t *report, const json_t *figure, const char *dir,
             struct err *err)
{
    const json_t *facet = figure_facet(report, figure);
    struct buf out = {0}, name = {0};
    json_t *item;
    size_t i;

    json_array_foreach(json_object_get(report, "varying"), i, item)
    {
        escape_csv(&out, json_string_value(item));
        buf_putc(&out, ',');
    }
    escape_csv(&out, json_str(report, "x", ""));
    buf_puts(&out, ",saving,mean,sd,n,min,max,cells,reference,on_front\r\n");
    for (i = 0; i < facet_n_groups(facet); i++)
        put_point(&out, report, facet_group(report, facet, i),
                  json_str(figure, "metric", ""));
    buf_printf(&name, "%s.csv", json_str(figure, "name", ""));
    const int rc = save(&out, dir, buf_str(&name), err);
    buf_release(&name);
    buf_release(&out);
    return rc;
}

/* ---- sheets ---------------------------------------------------------------------- */

static int
write_sheet(const json_t *sheet, const char *dir, struct err *err)
{
    const size_t columns = sheet_n_columns(sheet);
    struct buf out = {0}, name = {0};
    json_t *row, *cell;
    size_t i, k;

    for (i = 0; i < columns; i++) {
        escape_csv(&out, sheet_heading(sheet, i));
        buf_puts(&out, i + 1 < columns ? "," : "\r\n");
    }
    json_array_foreach(json_object_get(sheet, "rows"), i, row)
    {
        json_array_foreach(row, k, cell)
        {
            escape_csv(&out, json_string_value(cell));
            buf_puts(&out, k + 1 < columns ? "," : "\r\n");
        }
    }
    buf_printf(&name, "%s.csv", json_str(sheet, "name", ""));
    const int rc = save(&out, dir, buf_str(&name), err);
    buf_release(&name);
    buf_release(&out);
    return rc;
}

static int
write_csv(const json_t *report, const char *dir, struct err *err)
{
    struct buf cells = {0};
    json_t *item;
    size_t i;

    put_cells(&cells, json_object_get(report, "cells"));
    int rc = save(&cells, dir, "cells.csv", err);
    buf_release(&cells);
    json_array_foreach(json_object_get(report, "figures"), i, item)
    {
        if (rc == 0 && strcmp(json_str(item, "kind", ""), "pareto") == 0)
            rc = write_points(report, item, dir, err);
    }
    json_array_foreach(json_object_get(report, "sheets"), i, item)
    {
        if (rc == 0)
            rc = write_sheet(item, dir, err);
    }
    return rc;
}

const struct format format_csv = {
    .name = "csv",
    .doc = "cells.csv, pareto-<metric>.csv and every other table, for spreadsheets",
    .write = write_csv,
};
