/*
 * page_grid.c - the grid of a sweep over two of its axes: how many cells of each
 * combination are done, and the mean of a metric. A table, so that it can be read without
 * seeing its colours.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/report/number.h"
#include "coordinator/web/markup.h"
#include "coordinator/web/page.h"
#include "coordinator/web/tiles.h"
#include "shared/base/json.h"

enum { LEVELS = 7 };

/* What is asked for, where it is one of them, else number i of them, else "". */
static const char *
axis_of(const struct request *r, const json_t *axes, const char *field, size_t i)
{
    const char *asked = request_get(r, field);

    if (json_has_text(axes, asked))
        return asked;
    return i < json_array_size(axes) ? json_string_value(json_array_get(axes, i)) : "";
}

static int
load(json_t **out, const struct moment *at, const struct request *r, struct err *err)
{
    const struct measures *measures;
    const struct axis *rows, *columns;
    struct mirror_sweep *s;
    json_t *texts;

    if (moment_sweep(at, r->ids[0], &texts, &s, err) != 0)
        return -1;
    const json_t *report = json_object_get(texts, "report");
    const json_t *axes = json_object_get(texts, "axes"),
                 *y = json_object_get(report, "y");
    const char *row = axis_of(r, axes, "row", 0);
    const char *column = axis_of(r, axes, "column", 1);
    const char *metric = axis_of(r, y, "metric", 0);
    int rc = -1;
    if (axis_find(s, at->db, row, &rows, err) == 0
        && axis_find(s, at->db, column, &columns, err) == 0
        && measures_find(at->mirror, s, at->db, report, &measures, err) == 0) {
        *out = json_pack("{s:I, s:s, s:O, s:s, s:s, s:s, s:o}", "id",
                         (json_int_t)r->ids[0], "name", json_str(texts, "name", ""),
                         "axes", axes, "row", row, "column", column, "metric", metric,
                         "tiles",
                         tiles_of(at->mirror, s, rows, columns, measures, metric));
        json_object_set(*out, "y", (json_t *)(y != NULL ? y : json_null()));
        rc = 0;
    }
    mirror_done(at->mirror);
    json_decref(texts);
    return rc;
}

static void
title(struct buf *out, const json_t *doc)
{
    buf_printf(out, "%s: grid", json_str(doc, "name", ""));
}

/* ---- choosing what it shows -------------------------------------------------------- */

static void
put_choice(struct buf *out, const char *field, const char *label, const json_t *names,
           const char *chosen)
{
    json_t *name;
    size_t i;

    buf_printf(out, "<label>%s <select name=\"%s\">", label, field);
    json_array_foreach(names, i, name)
    {
        const char *text = json_string_value(name);
        html_text(out, "<option value=\"", text, "\"");
        buf_puts(out, strcmp(text, chosen) == 0 ? " selected>" : ">");
        html_text(out, "", text, "</option>");
    }
    buf_puts(out, "</select></label> ");
}

static void
put_form(struct buf *out, const json_t *doc)
{
    const json_t *axes = json_object_get(doc, "axes");

    buf_printf(out, "<form class=\"filter\" action=\"/sweeps/%lld/grid\">",
               (long long)json_int(doc, "id", 0));
    put_choice(out, "row", "Rows", axes, json_str(doc, "row", ""));
    put_choice(out, "column", "Columns", axes, json_str(doc, "column", ""));
    put_choice(out, "metric", "Value", json_object_get(doc, "y"),
               json_str(doc, "metric", ""));
    buf_puts(out, "<button>Show</button></form>\n");
}

/* ---- the table --------------------------------------------------------------------- */

/* What stands in one dimension, in its order: numbers by size. New reference. */
static json_t *
values_of(const json_t *tiles, const char *member)
{
    json_t *seen = json_object(), *list = json_array(), *tile;
    size_t i;

    json_array_foreach(tiles, i, tile)
    {
        const char *value = json_str(tile, member, "");
        if (json_object_get(seen, value) != NULL)
            continue;
        json_object_set_new(seen, value, json_true());
        const double v = strtod(value, NULL);
        size_t at = json_array_size(list);
        while (at > 0
               && strtod(json_string_value(json_array_get(list, at - 1)), NULL) > v)
            at--;
        json_array_insert_new(list, at, json_string(value));
    }
    json_decref(seen);
    return list;
}

struct range {
    double lo, hi;
};

static struct range
range_of(const json_t *tiles)
{
    struct range r = {INFINITY, -INFINITY};
    json_t *tile;
    size_t i;

    json_array_foreach(tiles, i, tile)
    {
        const double v = json_num(tile, "value", NAN);
        if (isnan(v))
            continue;
        r.lo = v < r.lo ? v : r.lo;
        r.hi = v > r.hi ? v : r.hi;
    }
    return r;
}

static void
put_tile(struct buf *out, const json_t *tile, struct range range)
{
    const double v = json_num(tile, "value", NAN);
    const double share =
        range.hi > range.lo ? (v - range.lo) / (range.hi - range.lo) : 1;

    if (isnan(v))
        buf_puts(out, json_int(tile, "failed", 0) > 0    ? "<td class=\"tile t-bad\">"
                      : json_int(tile, "running", 0) > 0 ? "<td class=\"tile t-run\">"
                                                         : "<td class=\"tile\">");
    else
        buf_printf(out, "<td class=\"tile t-%d\">", (int)lround(share * (LEVELS - 1)));
    if (!isnan(v)) {
        buf_puts(out, "<b>");
        number_metric(out, v, "%");
        buf_puts(out, "</b> ");
    }
    buf_puts(out, "<span>");
    number_count(out, json_int(tile, "done", 0));
    buf_putc(out, '/');
    number_count(out, json_int(tile, "cells", 0));
    if (json_int(tile, "failed", 0) > 0) {
        buf_puts(out, " ✕");
        number_count(out, json_int(tile, "failed", 0));
    }
    if (json_int(tile, "running", 0) > 0) {
        buf_puts(out, " ▶");
        number_count(out, json_int(tile, "running", 0));
    }
    buf_puts(out, "</span></td>");
}

static void
put_heading(struct buf *out, const char *scope, const char *value)
{
    json_t *v = json_string(value);

    buf_printf(out, "<th scope=\"%s\">", scope);
    mark_value(out, v);
    buf_puts(out, "</th>");
    json_decref(v);
}

/* "row\ncolumn" -> tile. New reference. */
static json_t *
index_of(const json_t *tiles)
{
    json_t *index = json_object(), *tile;
    struct buf key = {0};
    size_t i;

    json_array_foreach(tiles, i, tile)
    {
        buf_clear(&key);
        buf_printf(&key, "%s\n%s", json_str(tile, "row", ""),
                   json_str(tile, "column", ""));
        json_object_set(index, buf_str(&key), tile);
    }
    buf_release(&key);
    return index;
}

static void
put_row(struct buf *out, const json_t *index, const char *row, const json_t *columns,
        struct range range)
{
    struct buf key = {0};
    json_t *column;
    size_t i;

    buf_puts(out, "<tr>");
    put_heading(out, "row", row);
    json_array_foreach(columns, i, column)
    {
        buf_clear(&key);
        buf_printf(&key, "%s\n%s", row, json_string_value(column));
        const json_t *tile = json_object_get(index, buf_str(&key));
        if (tile != NULL)
            put_tile(out, tile, range);
        else
            buf_puts(out, "<td></td>");
    }
    buf_puts(out, "</tr>\n");
    buf_release(&key);
}

static void
put_table(struct buf *out, const json_t *doc)
{
    const json_t *tiles = json_object_get(doc, "tiles");
    json_t *rows = values_of(tiles, "row"), *columns = values_of(tiles, "column");
    json_t *index = index_of(tiles), *value;
    const struct range range = range_of(tiles);
    size_t i;

    html_text(out,
              "<div class=\"scroll\" tabindex=\"0\"><table class=\"grid\"><caption>",
              json_str(doc, "row", ""), " down, ");
    html_text(out, "", json_str(doc, "column", ""), " across; mean ");
    html_text(out, "", json_str(doc, "metric", ""),
              " and cells done</caption><thead><tr><td></td>");
    json_array_foreach(columns, i, value)
    {
        put_heading(out, "col", json_string_value(value));
    }
    buf_puts(out, "</tr></thead><tbody>\n");
    json_array_foreach(rows, i, value)
    {
        put_row(out, index, json_string_value(value), columns, range);
    }
    buf_puts(out, "</tbody></table></div>\n");
    json_decref(index);
    json_decref(rows);
    json_decref(columns);
}

static void
draw(struct buf *out, const json_t *doc, const struct request *r,
     const struct site *site)
{
    (void)r;
    (void)site;
    buf_puts(out, "<section data-part=\"grid\"><h2>Grid</h2>\n");
    put_form(out, doc);
    put_table(out, doc);
    mark_part_end(out);
}

const struct page page_grid = {
    .pattern = "/sweeps/#/grid",
    .menu = "Sweeps",
    .load = load,
    .title = title,
    .draw = draw,
};
