/* table.c - rows and columns on a terminal; knows nothing of what they mean. */
#include "coordinator/cli/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/base/mem.h"

enum { MAX_COLUMNS = 16, GAP = 2, NARROWEST = 8 };

struct table {
    char *headings;
    const char *names[MAX_COLUMNS];
    bool right[MAX_COLUMNS];
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
        t->right[t->n_columns] = h[0] == '>';
        t->names[t->n_columns++] = h + (h[0] == '>');
    }
    return t;
}

char *
table_clean(const char *text)
{
    char *copy = xstrdup(text);

    for (char *c = copy; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = *c == '\n' || *c == '\t' ? ' ' : '?';
    return copy;
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
    t->cells[t->n_cells++] = table_clean(text ? text : "");
    free(text);
}

/* Characters (not bytes) of a UTF-8 text. */
static size_t
width_of(const char *s)
{
    size_t n = 0;

    for (; *s != '\0'; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static void
put_cell(struct buf *line, const char *text, size_t width, bool right, bool last)
{
    const size_t have = width_of(text);
    const size_t cut = have > width ? width - 3 : have;
    const size_t shown = have > width ? width : have;
    size_t seen = 0;

    for (size_t i = shown; right && i < width; i++)
        buf_putc(line, ' ');
    for (const char *s = text; *s != '\0'; s++) {
        seen += ((unsigned char)*s & 0xc0) != 0x80;
        if (seen > cut)
            break;
        buf_putc(line, *s);
    }
    if (have > width)
        buf_puts(line, "...");
    for (size_t i = shown; !right && !last && i < width; i++)
        buf_putc(line, ' ');
    if (!last)
        buf_puts(line, "  ");
}

/* Column widths that fit: the widest column gives way until the line does. */
static void
fit(const struct table *t, size_t *width, size_t columns)
{
    size_t total = 0;

    for (size_t c = 0; c < t->n_columns; c++)
        width[c] = width_of(t->names[c]);
    for (size_t i = 0; i < t->n_cells; i++) {
        const size_t w = width_of(t->cells[i]), c = i % t->n_columns;
        if (w > width[c])
            width[c] = w;
    }
    for (size_t c = 0; c < t->n_columns; c++)
        total += width[c] + (c > 0 ? GAP : 0);
    while (total > columns) {
        size_t widest = 0;
        for (size_t c = 1; c < t->n_columns; c++)
            if (width[c] > width[widest])
                widest = c;
        if (width[widest] <= NARROWEST)
            break;
        width[widest]--;
        total--;
    }
}

/* Removes the columns in which no row says anything. */
static void
drop_empty_columns(struct table *t)
{
    for (size_t c = t->n_columns; c-- > 1;) {
        const size_t n = t->n_columns;
        bool empty = t->n_cells >= n;
        for (size_t i = c; i < t->n_cells; i += n)
            empty = empty && t->cells[i][0] == '\0';
        if (!empty)
            continue;
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
        }
        t->n_columns--;
    }
}

void
table_print(struct table *t, const struct cmd_ctx *ctx)
{
    size_t width[MAX_COLUMNS];
    struct buf line = {0};

    drop_empty_columns(t);
    fit(t, width, (size_t)ctx->columns);
    for (size_t c = 0; c < t->n_columns; c++)
        put_cell(&line, t->names[c], width[c], t->right[c], c + 1 == t->n_columns);
    printf("%s%s%s\n", ctx->colour ? "\033[1m" : "", buf_str(&line),
           ctx->colour ? "\033[0m" : "");
    for (size_t i = 0; i + t->n_columns <= t->n_cells; i += t->n_columns) {
        buf_clear(&line);
        for (size_t c = 0; c < t->n_columns; c++)
            put_cell(&line, t->cells[i + c], width[c], t->right[c],
                     c + 1 == t->n_columns);
        puts(buf_str(&line));
    }
    buf_release(&line);
    for (size_t i = 0; i < t->n_cells; i++)
        free(t->cells[i]);
    free(t->cells);
    free(t->headings);
    free(t);
}

const char *
table_duration(double seconds)
{
    static char texts[4][40];
    static int next;
    char *out = texts[next++ % 4];

    if (!(seconds >= 0) || seconds > 1e9) {
        snprintf(out, sizeof texts[0], "?");
        return out;
    }
    const long s = (long)(seconds + 0.5);
    if (s >= 3600)
        snprintf(out, sizeof texts[0], "%ld h %02ld min", s / 3600, s / 60 % 60);
    else if (s >= 60)
        snprintf(out, sizeof texts[0], "%ld min %02ld s", s / 60, s % 60);
    else
        snprintf(out, sizeof texts[0], "%ld s", s);
    return out;
}
