/* tiles.c - cells by two parameters. Pure over the mirror. */
#include "coordinator/web/tiles.h"

#include <math.h>
#include <stdlib.h>

#include "shared/base/mem.h"

enum { MOST = 4000 };

struct tile {
    int64_t cells, done, failed, running, n;
    double sum;
};

static void
add_cell(struct tile *t, struct mirror_cell c, double value)
{
    t->cells++;
    t->done += c.is_done;
    t->failed += c.has_failed;
    t->running += c.is_running && !c.has_failed;
    if (isnan(value))
        return;
    t->n++;
    t->sum += value;
}

static json_t *
tile_json(const struct tile *t, const json_t *row, const json_t *column)
{
    return json_pack("{s:O, s:O, s:I, s:I, s:I, s:I, s:o, s:I}", "row", row, "column",
                     column, "cells", (json_int_t)t->cells, "done", (json_int_t)t->done,
                     "failed", (json_int_t)t->failed, "running", (json_int_t)t->running,
                     "value", t->n > 0 ? json_real(t->sum / (double)t->n) : json_null(),
                     "n", (json_int_t)t->n);
}

json_t *
tiles_of(const struct mirror *m, const struct mirror_sweep *s, const struct axis *rows,
         const struct axis *columns, const struct measures *values, const char *metric)
{
    const size_t n_columns = json_array_size(columns->values);
    const size_t n = json_array_size(rows->values) * n_columns;
    const size_t shown = n < MOST ? n : MOST;
    struct tile *tiles = xcalloc(shown + 1, sizeof *tiles);
    const int k = measures_index(values, metric);
    json_t *list = json_array();

    for (size_t i = 0; i < s->n_cells; i++) {
        const size_t at = rows->codes[i] * n_columns + columns->codes[i];
        if (at < shown)
            add_cell(&tiles[at], mirror_cell(m, s, i),
                     k < 0 ? (double)NAN : values->values[i * values->n + (size_t)k]);
    }
    for (size_t i = 0; i < shown; i++)
        if (tiles[i].cells > 0)
            json_array_append_new(
                list, tile_json(&tiles[i], json_array_get(rows->values, i / n_columns),
                                json_array_get(columns->values, i % n_columns)));
    free(tiles);
    return list;
}
