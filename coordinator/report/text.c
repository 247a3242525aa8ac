/*
 * text.c - the Pareto table and plot for a terminal. Fits the columns that it is given: what has
 * no room is left out, in a fixed order, and named. Knows no colours and no terminal.
 */
#include <stdlib.h>
#include <string.h>

#include "coordinator/report/chart.h"
#include "coordinator/report/escape.h"
#include "coordinator/report/group.h"
#include "coordinator/report/report.h"
#include "coordinator/report/table.h"
#include "coordinator/report/text_plot.h"
#include "shared/base/mem.h"

enum { COLUMNS_DEFAULT = 80, COLUMNS_MIN = 20, GAP = 2, CELL_MAX = 28, ROWS_MAX = 48 };

struct layout {
    const struct table *t;
    size_t *widths; /* of each column; 0: left out */
    bool front;     /* any mark at all: metric columns have room for it */
};

/* Columns of a terminal that a text takes: one for each character of UTF-8. */
static size_t
text_width(const char *s)
{
    size_t n = 0;

    for (; *s != '\0'; s++)
        n += ((unsigned char)*s & 0xC0) != 0x80;
    return n;
}

static void
put_spaces(struct buf *out, size_t n)
{
    while (n-- > 0)
        buf_putc(out, ' ');
}

/* `text` without control characters, cut to CELL_MAX. Caller releases. */
static struct buf
clean(const char *text)
{
    struct buf b = {0};

    escape_terminal(&b, text);
    if (text_width(buf_str(&b)) <= CELL_MAX)
        return b;
    size_t at = 0;
    for (int n = 0; n < CELL_MAX - 1; n++)
        do /* whole characters */
            at++;
        while (((unsigned char)b.data[at] & 0xC0) == 0x80);
    b.len = at;
    buf_puts(&b, "…");
    return b;
}

/* ---- layout ---------------------------------------------------------------------- */

static size_t
cell_width(const struct layout *l, const char *text, size_t column)
{
    struct buf b = clean(text);
    const size_t mark = l->front && l->t->columns[column].metric != NULL ? 2 : 0;
    const size_t n = text_width(buf_str(&b)) + mark;

    buf_release(&b);
    return n;
}

static void
measure(struct layout *l)
{
    const struct table *t = l->t;

    for (size_t i = 0; i < t->n_rows * t->n_columns; i++)
        l->front = l->front || t->cells[i].on_front;
    for (size_t c = 0; c < t->n_columns; c++) {
        l->widths[c] = cell_width(l, t->columns[c].heading, c);
        for (size_t r = 0; r < t->n_rows; r++) {
            const size_t w = cell_width(l, t->cells[r * t->n_columns + c].text, c);
            l->widths[c] = w > l->widths[c] ? w : l->widths[c];
        }
    }
}

static size_t
total_width(const struct layout *l)
{
    size_t n = 0;

    for (size_t c = 0; c < l->t->n_columns; c++)
        n += l->widths[c] > 0 ? l->widths[c] + (n > 0 ? GAP : 0) : 0;
    return n;
}

/* The column that gives way next: the most spare, the last of equals; -1 when all that
 * are left stay. */
static int
spare_column(const struct layout *l)
{
    int found = -1, most = 0;

    for (size_t c = 0; c < l->t->n_columns; c++) {
        const int spare = l->widths[c] > 0 ? l->t->columns[c].spare : 0;
        if (spare > 0 && spare >= most) {
            most = spare;
            found = (int)c;
        }
    }
    return found;
}

/* Leaves columns out until the table fits; true when no metric had to go that the sweep
 * asks for. */
static bool
fit(struct layout *l, size_t columns)
{
    bool all = true;

    while (total_width(l) > columns) {
        const int c = spare_column(l);
        if (c < 0)
            return false;
        l->widths[c] = 0;
        all = all && (l->t->columns[c].metric == NULL || l->t->columns[c].spare > 1);
    }
    return all;
}

/* ---- rows ------------------------------------------------------------------------ */

static void
put_cell(struct buf *out, const struct layout *l, size_t column, const char *text,
         bool on_front)
{
    struct buf b = clean(text);
    const bool marked = l->front && l->t->columns[column].metric != NULL;

    put_spaces(out, l->widths[column] - cell_width(l, text, column));
    buf_puts(out, buf_str(&b));
    if (marked)
        buf_puts(out, on_front ? " *" : "  ");
    buf_release(&b);
}

static void
end_line(struct buf *out)
{
    while (out->len > 0 && out->data[out->len - 1] == ' ')
        out->len--;
    buf_putc(out, '\n');
}

static void
put_row(struct buf *out, const struct layout *l, size_t r)
{
    const struct table *t = l->t;
    bool first = true;

    for (size_t c = 0; c < t->n_columns; c++) {
        const struct table_cell head = {t->columns[c].heading, false};
        const struct table_cell cell =
            r == 0 ? head : t->cells[(r - 1) * t->n_columns + c];
        if (l->widths[c] == 0)
            continue;
        put_spaces(out, first ? 0 : GAP);
        put_cell(out, l, c, cell.text, cell.on_front);
        first = false;
    }
    end_line(out);
}

/* Of a long table the references and what is on a front; how many rows are left out. */
static size_t
put_rows(struct buf *out, const struct layout *l, const json_t *groups)
{
    const struct table *t = l->t;
    size_t left_out = 0;

    put_row(out, l, 0);
    for (size_t r = 0; r < t->n_rows; r++) {
        bool shown =
            t->n_rows <= ROWS_MAX || group_is_reference(json_array_get(groups, r));
        for (size_t c = 0; c < t->n_columns; c++)
            shown = shown || t->cells[r * t->n_columns + c].on_front;
        if (shown)
            put_row(out, l, r + 1);
        left_out += !shown;
    }
    return left_out;
}

/* ---- words around the table ------------------------------------------------------ */

/* Words of `text` in lines of at most `columns`, the first after `start`, the others
 * after as many spaces. */
static void
put_wrapped(struct buf *out, const char *start, const char *text, size_t columns)
{
    const size_t indent = text_width(start);
    struct buf clean_text = {0};
    size_t at = indent;
    char *save = NULL;

    escape_terminal(&clean_text, text);
    buf_puts(out, start);
    buf_str(&clean_text);
    for (char *word = strtok_r(clean_text.data, " ", &save); word != NULL;
         word = strtok_r(NULL, " ", &save)) {
        const size_t n = text_width(word);
        if (at > indent && at + 1 + n > columns) {
            buf_putc(out, '\n');
            put_spaces(out, indent);
            at = indent;
        }
        at += n + (at > indent);
        buf_puts(out, at > indent + n ? " " : "");
        buf_puts(out, word);
    }
    buf_putc(out, '\n');
    buf_release(&clean_text);
}

static void
put_left_out(struct buf *out, const struct layout *l, size_t columns)
{
    struct buf names = {0};

    for (size_t c = 0; c < l->t->n_columns; c++)
        if (l->widths[c] == 0)
            buf_printf(&names, "%s%s", names.len > 0 ? ", " : "not shown here: ",
                       l->t->columns[c].heading);
    if (names.len > 0)
        put_wrapped(out, "", buf_str(&names), columns);
    buf_release(&names);
}

static void
put_failures(struct buf *out, const json_t *report, size_t columns)
{
    json_t *failure;
    size_t i;

    json_array_foreach(json_object_get(report, "failures"), i, failure)
    {
        struct buf line = {0};
        const long long n = json_int(failure, "count", 0);
        buf_printf(&line, "%lld %s job%s failed (%s): %s", n,
                   json_str(failure, "stage", ""), n == 1 ? "" : "s",
                   json_str(failure, "kind", ""), json_str(failure, "text", ""));
        put_wrapped(out, "! ", buf_str(&line), columns);
        buf_release(&line);
    }
}

static void
put_table(struct buf *out, const json_t *report, size_t columns)
{
    struct table t;
    static const char *const spreads[] = {"±", NULL};
    enum { ATTEMPTS = sizeof spreads / sizeof spreads[0] };
    bool fits = false;

    for (int attempt = 0; attempt < ATTEMPTS && !fits; attempt++) {
        table_init(&t, report, spreads[attempt]);
        struct layout l = {.t = &t, .widths = xcalloc(t.n_columns, sizeof *l.widths)};
        measure(&l);
        fits = fit(&l, columns);
        if (fits || attempt == ATTEMPTS - 1) {
            const size_t left_out =
                put_rows(out, &l, json_object_get(report, "groups"));
            if (l.front)
                buf_puts(out, "* on the Pareto front\n");
            if (left_out > 0)
                buf_printf(out, "%zu settings on no front: cells.csv has them\n",
                           left_out);
            put_left_out(out, &l, columns);
        }
        free(l.widths);
        table_release(&t);
    }
}

/* The first metric of every facet. */
static void
put_plots(struct buf *out, const json_t *report, size_t columns)
{
    const json_t *facets = json_object_get(report, "facets"), *facet;
    const char *metric =
        json_string_value(json_array_get(json_object_get(report, "y"), 0));
    size_t i;

    json_array_foreach(facets, i, facet)
    {
        struct chart chart;
        chart_init(&chart, report, facet, metric);
        if (json_array_size(facets) > 1 && chart.missing == NULL)
            put_wrapped(out, "", json_str(facet, "label", ""), columns);
        text_plot(out, &chart, columns);
        buf_puts(out, chart.missing == NULL ? "\n" : "");
        chart_release(&chart);
    }
}

void
report_text(struct buf *out, const json_t *report, int columns)
{
    const size_t wanted = columns > 0 ? (size_t)columns : COLUMNS_DEFAULT;
    const size_t width = wanted > COLUMNS_MIN ? wanted : COLUMNS_MIN;
    const char *title = json_str(report, "title", "");
    struct buf heading = {0};
    json_t *note;
    size_t i;

    buf_printf(&heading, "%s%s%s", json_str(report, "name", ""),
               title[0] != '\0' ? ": " : "", title);
    put_wrapped(out, "", buf_str(&heading), width);
    buf_release(&heading);
    buf_putc(out, '\n');
    if (json_array_size(json_object_get(report, "groups")) > 0)
        put_table(out, report, width);
    buf_putc(out, '\n');
    put_plots(out, report, width);
    put_wrapped(out, "", json_str(report, "summary", ""), width);
    json_array_foreach(json_object_get(report, "notes"), i, note)
    {
        put_wrapped(out, "- ", json_string_value(note), width);
    }
    put_failures(out, report, width);
}
