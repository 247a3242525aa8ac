/*
 * sweeps.c - only writer of sweep, cell_def, cell_form and sweep_span. Results do not hang on them: cells
 * may be replaced at any time.
 */
#include "coordinator/db/sweeps.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "shared/base/sha256.h"

/* All that decides on the row of a cell's form, for a digest. */
static void
put_form(struct buf *text, const struct sweep *s, size_t cell)
{
    const char **names = xcalloc(sweep_part_of(s, cell)->n_columns + 1, sizeof *names);
    const size_t n = sweep_unwritten(names, s, cell);

    sweep_form_text(text, s, cell, false);
    sweep_form_text(text, s, cell, true);
    for (size_t i = 0; i < n; i++) {
        buf_puts(text, names[i]);
        buf_putc(text, ',');
    }
    free(names);
}

/* Digest of all that makes a revision. */
static struct sha256
plan_digest(const struct sweep *s, const struct dag *d)
{
    struct sha256_stream *h = sha256_stream_new();
    struct buf text = {0};

    sha256_stream_add(h, s->text, strlen(s->text) + 1);
    sha256_stream_add(h, s->sets, strlen(s->sets) + 1);
    for (size_t c = 0; c < s->n_cells; c++) {
        size_t n;
        const uint32_t *chain = dag_chain(d, c, &n);
        buf_clear(&text);
        if (c == 0 || !sweep_same_form(s, c - 1, c))
            put_form(&text, s, c);
        sweep_own_text(&text, s, c);
        buf_putc(&text, '\0');
        for (size_t i = 0; i < n; i++)
            buf_puts(&text, dag_digest(d, chain[i]));
        sha256_stream_add(h, text.data, text.len);
    }
    buf_release(&text);
    return sha256_stream_end(h);
}

/* The row; *changed: the cells have to be written. */
static int
save_row(struct pg *pg, const struct sweep *s, const char *digest, int64_t *sweep,
         bool *changed, struct err *err)
{
    char *axes = json_canonical(s->axes), *report = json_canonical(s->report);
    struct pg_rows rows;
    const int rc = pg_query(
        pg, &rows,
        "WITH old AS (SELECT plan_digest FROM sweep WHERE name = $1)"
        " INSERT INTO sweep AS w (name, title, path, text, sets, axes, report,"
        "  plan_digest) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
        " ON CONFLICT (name) DO UPDATE SET title = excluded.title,"
        "  path = excluded.path, text = excluded.text, sets = excluded.sets,"
        "  axes = excluded.axes, report = excluded.report, cancelled_at = NULL,"
        "  revision = w.revision + (w.plan_digest <> excluded.plan_digest)::int,"
        "  submitted_at = CASE WHEN w.plan_digest <> excluded.plan_digest"
        "                 THEN now() ELSE w.submitted_at END,"
        "  plan_digest = excluded.plan_digest"
        " RETURNING id, ((SELECT plan_digest FROM old) IS DISTINCT FROM $8)::int",
        PG_ARGS(PG_TEXT(s->name), PG_TEXT(s->title), PG_TEXT(s->path), PG_TEXT(s->text),
                PG_TEXT(s->sets), PG_TEXT(axes), PG_TEXT(report), PG_TEXT(digest)),
        err);

    free(axes);
    free(report);
    if (rc != 0)
        return -1;
    *sweep = pg_int_at(&rows, 0, 0);
    *changed = pg_int_at(&rows, 0, 1) != 0;
    pg_rows_release(&rows);
    return 0;
}

/* ---- cells ----------------------------------------------------------------------- */

struct form {
    size_t cell; /* one that has it */
    int64_t id;
};

struct cells {
    const struct sweep *s;
    const struct dag *d;
    const int64_t *ids;
    int64_t sweep, first; /* number of the first cell */
    struct form *forms;
    size_t n_forms, form_capacity;
    size_t form; /* of the last cell */
    size_t cell; /* where a copy stands */
};

/* Index of the cell's form, n_forms where there is none. */
static size_t
find_form(struct cells *x, size_t cell)
{
    if (x->form < x->n_forms && sweep_same_form(x->s, x->forms[x->form].cell, cell))
        return x->form;
    for (x->form = 0; x->form < x->n_forms; x->form++)
        if (sweep_same_form(x->s, x->forms[x->form].cell, cell))
            break;
    return x->form;
}

static int
save_form(struct pg *pg, const struct cells *x, struct form *f, struct err *err)
{
    const char **names =
        xcalloc(sweep_part_of(x->s, f->cell)->n_columns + 1, sizeof *names);
    const size_t n = sweep_unwritten(names, x->s, f->cell);
    struct buf params = {0}, written = {0};

    sweep_form_text(&params, x->s, f->cell, false);
    sweep_form_text(&written, x->s, f->cell, true);
    const int rc = pg_number(pg, &f->id, NULL,
                             "INSERT INTO cell_form (sweep, params, written, unwritten)"
                             " VALUES ($1, $2, $3, $4) RETURNING id",
                             PG_ARGS(PG_INT(x->sweep), PG_TEXT(buf_str(&params)),
                                     PG_TEXT(buf_str(&written)), PG_TEXTS(names, n)),
                             err);
    buf_release(&params);
    buf_release(&written);
    free(names);
    return rc;
}

static int
save_forms(struct pg *pg, struct cells *x, struct err *err)
{
    for (size_t c = 0; c < x->s->n_cells; c++) {
        if (find_form(x, c) < x->n_forms)
            continue;
        x->forms = xgrow(x->forms, &x->form_capacity, x->n_forms + 1, sizeof *x->forms);
        struct form *f = &x->forms[x->n_forms++];
        *f = (struct form){.cell = c};
        if (save_form(pg, x, f, err) != 0)
            return -1;
    }
    return 0;
}

static bool
next_cell(void *ctx, struct buf *row)
{
    struct cells *x = ctx;
    struct buf text = {0};
    size_t n;

    if (x->cell == x->s->n_cells)
        return false;
    buf_printf(row, "%" PRId64 "\t%" PRId64 "\t%zu\t%" PRId64 "\t",
               x->first + (int64_t)x->cell, x->sweep, x->cell,
               x->forms[find_form(x, x->cell)].id);
    sweep_own_text(&text, x->s, x->cell);
    pg_copy_text(row, buf_str(&text));
    buf_release(&text);
    const uint32_t *chain = dag_chain(x->d, x->cell, &n);
    for (size_t i = 0; i < n; i++)
        buf_printf(row, "%s%" PRId64, i == 0 ? "\t{" : ",", x->ids[chain[i]]);
    buf_puts(row, n > 0 ? "}" : "\t{}");
    x->cell++;
    return true;
}

/* Numbers for all cells. */
static int
number_cells(struct pg *pg, struct cells *x, struct err *err)
{
    const int64_t n = (int64_t)x->s->n_cells;
    int64_t last;

    if (pg_number(pg, &last, NULL,
                  "WITH s AS (SELECT pg_get_serial_sequence('cell_def', 'id') AS name)"
                  " SELECT setval(name, nextval(name) + $1 - 1) FROM s",
                  PG_ARGS(PG_INT(n)), err)
        != 0)
        return -1;
    x->first = last - n + 1;
    return 0;
}

/* ---- spans ------------------------------------------------------------------------- */

struct spans {
    int64_t sweep, *ids; /* ascending */
    size_t n, at;
};

static int
by_number(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* Numbers that follow each other are one row. */
static bool
next_span(void *ctx, struct buf *row)
{
    struct spans *x = ctx;
    const size_t first = x->at;

    if (first == x->n)
        return false;
    while (x->at < x->n && x->ids[x->at] == x->ids[first] + (int64_t)(x->at - first))
        x->at++;
    buf_printf(row, "%" PRId64 "\t[%" PRId64 ",%" PRId64 "]", x->sweep, x->ids[first],
               x->ids[x->at - 1]);
    return true;
}

static int
save_spans(struct pg *pg, const struct cells *c, struct err *err)
{
    struct spans x = {.sweep = c->sweep,
                      .ids = xcalloc(c->d->n_jobs + 1, sizeof *x.ids),
                      .n = c->d->n_jobs};

    memcpy(x.ids, c->ids, x.n * sizeof *x.ids);
    qsort(x.ids, x.n, sizeof *x.ids, by_number);
    const int rc = pg_copy(pg, "COPY sweep_span FROM STDIN", next_span, &x, err);
    free(x.ids);
    return rc;
}

/* ---- all of it --------------------------------------------------------------------- */

static int
delete_cells(struct pg *pg, int64_t sweep, struct err *err)
{
    static const char *const sql[] = {"DELETE FROM cell_def WHERE sweep = $1",
                                      "DELETE FROM cell_form WHERE sweep = $1",
                                      "DELETE FROM sweep_span WHERE sweep = $1"};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof sql / sizeof sql[0]; i++)
        rc = pg_query(pg, NULL, sql[i], PG_ARGS(PG_INT(sweep)), err);
    return rc;
}

static int
save_cells(struct pg *pg, const struct sweep *s, const struct dag *d,
           const int64_t *ids, int64_t sweep, struct err *err)
{
    struct cells x = {.s = s, .d = d, .ids = ids, .sweep = sweep};
    int rc = -1;

    if (delete_cells(pg, sweep, err) == 0 && number_cells(pg, &x, err) == 0
        && save_forms(pg, &x, err) == 0
        && pg_copy(pg, "COPY cell_def (id, sweep, place, form, own, jobs) FROM STDIN",
                   next_cell, &x, err)
               == 0)
        rc = save_spans(pg, &x, err);
    free(x.forms);
    return rc;
}

int
sweeps_save(struct pg *pg, const struct sweep *s, const struct dag *d,
            const int64_t *ids, int64_t *sweep, struct err *err)
{
    const struct sha256 digest = plan_digest(s, d);
    bool changed;

    if (save_row(pg, s, digest.hex, sweep, &changed, err) != 0)
        return -1;
    return changed ? save_cells(pg, s, d, ids, *sweep, err) : 0;
}

int
sweeps_mark_cancelled(struct pg *pg, int64_t sweep, bool cancelled, struct err *err)
{
    return pg_query(pg, NULL,
                    "UPDATE sweep SET cancelled_at = CASE WHEN $2::bool THEN now() END"
                    " WHERE $1::bigint = 0 OR id = $1",
                    PG_ARGS(PG_INT(sweep), PG_TEXT(cancelled ? "true" : "false")), err);
}

int
sweeps_mark_paused(struct pg *pg, int64_t sweep, const char *why, struct err *err)
{
    return pg_query(pg, NULL,
                    "UPDATE sweep SET paused_why = coalesce($2, ''), paused_at ="
                    "  CASE WHEN $2::text IS NOT NULL THEN now() END"
                    " WHERE $1::bigint = 0 OR id = $1",
                    PG_ARGS(PG_INT(sweep), PG_TEXT(why)), err);
}

int
sweeps_is_paused(struct pg *pg, int64_t sweep, bool *out, struct err *err)
{
    int64_t one;

    return pg_number(pg, &one, out,
                     "SELECT 1 FROM sweep WHERE id = $1 AND paused_at IS NOT NULL",
                     PG_ARGS(PG_INT(sweep)), err);
}
