/*
 * sweeps.c - only writer of sweep, cell and cell_job. Results do not hang on them: cells
 * may be replaced at any time.
 */
#include "coordinator/db/sweeps.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "shared/base/sha256.h"

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
        sweep_cell_text(&text, s, c, false);
        buf_putc(&text, '\0');
        sweep_cell_text(&text, s, c, true);
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

struct cells {
    const struct sweep *s;
    const struct dag *d;
    const int64_t *ids;
    int64_t sweep, first; /* number of the first cell */
    size_t cell, place;   /* where a copy stands */
};

static bool
next_cell(void *ctx, struct buf *row)
{
    struct cells *x = ctx;
    struct buf text = {0};

    if (x->cell == x->s->n_cells)
        return false;
    buf_printf(row, "%" PRId64 "\t%" PRId64 "\t%zu\t", x->first + (int64_t)x->cell,
               x->sweep, x->cell);
    sweep_cell_text(&text, x->s, x->cell, false);
    pg_copy_text(row, buf_str(&text));
    buf_putc(row, '\t');
    buf_clear(&text);
    sweep_cell_text(&text, x->s, x->cell, true);
    pg_copy_text(row, buf_str(&text));
    buf_release(&text);
    x->cell++;
    return true;
}

static bool
next_link(void *ctx, struct buf *row)
{
    struct cells *x = ctx;

    for (; x->cell < x->s->n_cells; x->cell++, x->place = 0) {
        size_t n;
        const uint32_t *chain = dag_chain(x->d, x->cell, &n);
        if (x->place == n)
            continue;
        buf_printf(row, "%" PRId64 "\t%zu\t%" PRId64, x->first + (int64_t)x->cell,
                   x->place, x->ids[chain[x->place]]);
        x->place++;
        return true;
    }
    return false;
}

/* Numbers for all cells. */
static int
number_cells(struct pg *pg, struct cells *x, struct err *err)
{
    const int64_t n = (int64_t)x->s->n_cells;
    int64_t last;

    if (pg_number(pg, &last, NULL,
                  "WITH s AS (SELECT pg_get_serial_sequence('cell', 'id') AS name)"
                  " SELECT setval(name, nextval(name) + $1 - 1) FROM s",
                  PG_ARGS(PG_INT(n)), err)
        != 0)
        return -1;
    x->first = last - n + 1;
    return 0;
}

static int
save_cells(struct pg *pg, const struct sweep *s, const struct dag *d,
           const int64_t *ids, int64_t sweep, struct err *err)
{
    struct cells x = {.s = s, .d = d, .ids = ids, .sweep = sweep};

    if (pg_query(pg, NULL,
                 "DELETE FROM cell_job k USING cell c WHERE c.id = k.cell"
                 " AND c.sweep = $1",
                 PG_ARGS(PG_INT(sweep)), err)
            != 0
        || pg_query(pg, NULL, "DELETE FROM cell WHERE sweep = $1",
                    PG_ARGS(PG_INT(sweep)), err)
               != 0
        || number_cells(pg, &x, err) != 0
        || pg_copy(pg, "COPY cell (id, sweep, place, params, written) FROM STDIN",
                   next_cell, &x, err)
               != 0)
        return -1;
    x.cell = 0;
    return pg_copy(pg, "COPY cell_job (cell, place, job) FROM STDIN", next_link, &x,
                   err);
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
