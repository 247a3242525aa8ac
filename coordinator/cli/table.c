/* table.c - rows and columns on a terminal; knows nothing of what they mean. */
#include "coordinator/cli/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/cli/text.h"
#include "shared/base/mem.h"

enum { MAX_COLUMNS = 16, GAP = 2, NARROWEST = 12 };

struct table {
    char *headings;
    const char *names[MAX_COLUMNS];
    bool right[MAX_COLUMNS], spare[MAX_COLUMNS];
    size_t n_columns;
    char **cells;
    size_t n_cells, capacity;
};

struct table *
table_new(const char *headings)
{
    struct table *t = xcalloc(1, sizeof *t);
    char *save = NULL;

    t->headings = xstrdup(headings);
    for (char *h = strtok_r(t->headings, "|", &save); h != NULL;
         h = strtok_r(NULL, "|", &save)) {
        t->spare[t->n_columns] = h[0] == '~';
        h += h[0] == '~';
        t->right[t->n_columns] = h[0] == '>';
        t->names[t->n_columns++] = h + (h[0] == '>');
    }
    return t;
}

void
table_add(struct table *t, const char *fmt, ...)
{
    va_list ap;
    char *text = NULL;

    t->cells = xgrow(t->cells, &t->capacity, t->n_cells + 1, sizeof *t->cells);
    va_start(ap, fmt);
    if (fmt == NULL || vasprintf(&text, fmt, ap) < 0)
        text = NULL;
    va_end(ap);
    t->cells[t->n_cells++] = text_clean(text ? text : "");
    free(text);
}

static void
put_blanks(struct buf *line, size_t n)
{
    while (n-- > 0)
        buf_putc(line, ' ');
}

static void
put_cell(struct buf *line, const char *text, size_t width, bool right, bool last)
{
    const size_t have = text_width(text), blank = have < width ? width - have : 0;

    if (right)
        put_blanks(line, blank);
    const size_t taken = text_put(line, text, width);
    if (last)
        return;
    if (!right)
        put_blanks(line, width - taken);
    put_blanks(line, GAP);
}

/* Widths that the texts want; returns that of a line. */
static size_t
want(const struct table *t, size_t *width)
{
    size_t total = 0;

    for (size_t c = 0; c < t->n_columns; c++)
        width[c] = text_width(t->names[c]);
    for (size_t i = 0; i < t->n_cells; i++) {
        const size_t w = text_width(t->cells[i]), c = i % t->n_columns;
        if (w > width[c])
            width[c] = w;
    }
    for (size_t c = 0; c < t->n_columns; c++)
        total += width[c] + (c > 0 ? GAP : 0);
    return total;
}

/* Column widths that fit: the widest column of text gives way until the line does, for a
 * number that is cut is another number. False: the narrowest are still too wide. */
static bool
fit(const struct table *t, size_t *width, size_t columns)
{
    for (size_t total = want(t, width); total > columns; total--) {
        size_t widest = t->n_columns;
        for (size_t c = 0; c < t->n_columns; c++)
            if (!t->right[c] && width[c] > NARROWEST
                && (widest == t->n_columns || width[c] > width[widest]))
                widest = c;
        if (widest == t->n_columns)
            return false;
        width[widest]--;
    }
    return true;
}

static void
drop_column(struct table *t, size_t c)
{
    const size_t n = t->n_columns;
    size_t kept = 0;

    for (size_t i = 0; i < t->n_cells; i++)
        if (i % n == c)
            free(t->cells[i]);
        else
            t->cells[kept++] = t->cells[i];
    t->n_cells = kept;
    for (size_t k = c; k + 1 < n; k++) {
        t->names[k] = t->names[k + 1];
        t->right[k] = t->right[k + 1];
        t->spare[k] = t->spare[k + 1];
    }
    t->n_columns--;
}

/* Removes the columns in which no row says anything. */
static void
drop_empty_columns(struct table *t)
{
    for (size_t c = t->n_columns; c-- > 1;) {
        bool empty = t->n_cells >= t->n_columns;
        for (size_t i = c; i < t->n_cells; i += t->n_columns)
            empty = empty && t->cells[i][0] == '\0';
        if (empty)
            drop_column(t, c);
    }
}

/* Removes the last column that may be missing; false without one. */
static bool
drop_spare_column(struct table *t)
{
    for (size_t c = t->n_columns; c-- > 1;)
        if (t->spare[c]) {
            drop_column(t, c);
            return true;
        }
    return false;
}

static void
put_row(struct buf *out, const struct table *t, const char *const *cells,
        const size_t *width)
{
    for (size_t c = 0; c < t->n_columns; c++)
        put_cell(out, cells[c], width[c], t->right[c], c + 1 == t->n_columns);
}

void
table_put(struct buf *out, struct table *t, size_t columns, bool colour)
{
    size_t width[MAX_COLUMNS];

    drop_empty_columns(t);
    if (columns == 0)
        want(t, width);
    while (columns > 0 && !fit(t, width, columns) && drop_spare_column(t))
        continue;
    buf_puts(out, colour ? "\033[1m" : "");
    put_row(out, t, t->names, width);
    buf_puts(out, colour ? "\033[0m\n" : "\n");
    for (size_t i = 0; i + t->n_columns <= t->n_cells; i += t->n_columns) {
        put_row(out, t, (const char *const *)t->cells + i, width);
        buf_putc(out, '\n');
    }
    for (size_t i = 0; i < t->n_cells; i++)
        free(t->cells[i]);
    free(t->cells);
    free(t->headings);
    free(t);
}

void
table_print(struct table *t, const struct cmd_ctx *ctx)
{
    struct buf text = {0};

    table_put(&text, t, (size_t)ctx->table_columns, ctx->colour);
    fputs(buf_str(&text), stdout);
    buf_release(&text);
}
