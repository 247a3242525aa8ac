/*
 * latex.c - tables for a paper: <sheet>.tex and cells.tex, tabulars with booktabs rules
 * to \input into a table of one's own. Captions are comments: the author writes them.
 */
#include <stdlib.h>

#include "coordinator/report/escape.h"
#include "coordinator/report/format.h"
#include "coordinator/report/group.h"
#include "coordinator/report/sheet.h"
#include "coordinator/report/table.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"

static int
save(struct buf *text, const char *dir, const char *name, struct err *err)
{
    char *path = xasprintf("%s/%s.tex", dir, name);
    const int rc = file_write(path, buf_str(text), text->len, err);

    free(path);
    buf_release(text);
    return rc;
}

static void
put_comment(struct buf *out, const char *text)
{
    buf_puts(out, "% ");
    escape_latex(out, text);
    buf_putc(out, '\n');
}

static void
put_row_end(struct buf *out, bool last)
{
    buf_puts(out, last ? " \\\\\n" : " & ");
}

/* ---- sheets ---------------------------------------------------------------------- */

static void
put_sheet(struct buf *out, const json_t *sheet)
{
    const size_t columns = sheet_n_columns(sheet);
    json_t *row, *cell;
    size_t i, k;

    put_comment(out, json_str(sheet, "title", ""));
    put_comment(out, json_str(sheet, "note", ""));
    buf_puts(out, "\\begin{tabular}{");
    for (i = 0; i < columns; i++)
        buf_putc(out, sheet_is_left(sheet, i) ? 'l' : 'r');
    buf_puts(out, "}\n\\toprule\n");
    for (i = 0; i < columns; i++) {
        escape_latex(out, sheet_heading(sheet, i));
        put_row_end(out, i + 1 == columns);
    }
    buf_puts(out, "\\midrule\n");
    json_array_foreach(json_object_get(sheet, "rows"), i, row)
    {
        json_array_foreach(row, k, cell)
        {
            escape_latex(out, json_string_value(cell));
            put_row_end(out, k + 1 == columns);
        }
    }
    buf_puts(out, "\\bottomrule\n\\end{tabular}\n");
}

/* ---- the settings ---------------------------------------------------------------- */

static void
put_group(struct buf *out, const struct table *t, size_t row)
{
    for (size_t c = 0; c < t->n_columns; c++) {
        const struct table_cell *cell = &t->cells[row * t->n_columns + c];
        buf_puts(out, cell->on_front ? "\\textbf{" : "");
        escape_latex(out, cell->text);
        buf_puts(out, cell->on_front ? "}" : "");
        put_row_end(out, c + 1 == t->n_columns);
    }
}

/* A rule below the references, which come first, of every data set and model. */
static void
put_groups(struct buf *out, const json_t *report)
{
    const json_t *groups = json_object_get(report, "groups");
    bool after_reference = false;
    struct table t;

    table_init(&t, report, " ± ");
    put_comment(out, "Mean ± sample standard deviation; bold: on the Pareto front of "
                     "its column. Needs booktabs.");
    buf_puts(out, "\\begin{tabular}{");
    for (size_t c = 0; c < t.n_columns; c++)
        buf_putc(out, 'r');
    buf_puts(out, "}\n\\toprule\n");
    for (size_t c = 0; c < t.n_columns; c++) {
        escape_latex(out, t.columns[c].heading);
        put_row_end(out, c + 1 == t.n_columns);
    }
    buf_puts(out, "\\midrule\n");
    for (size_t r = 0; r < t.n_rows; r++) {
        const bool reference = group_is_reference(json_array_get(groups, r));
        if (r > 0 && reference != after_reference)
            buf_puts(out, "\\midrule\n");
        put_group(out, &t, r);
        after_reference = reference;
    }
    buf_puts(out, "\\bottomrule\n\\end{tabular}\n");
    table_release(&t);
}

static int
write_latex(const json_t *report, const char *dir, struct err *err)
{
    struct buf out = {0};
    json_t *sheet;
    size_t i;

    put_groups(&out, report);
    if (save(&out, dir, "cells", err) != 0)
        return -1;
    json_array_foreach(json_object_get(report, "sheets"), i, sheet)
    {
        put_sheet(&out, sheet);
        if (save(&out, dir, json_str(sheet, "name", "sheet"), err) != 0)
            return -1;
    }
    return 0;
}

const struct format format_latex = {
    .name = "latex",
    .doc = "cells.tex and a file for every other table: booktabs tabulars",
    .write = write_latex,
};
