/*
 * sweeps.c - only writer of sweep, cell and cell_job. Results do not hang on them: cells
 * may be replaced at any time.
 */
#include "coordinator/db/sweeps.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "shared/base/sha256.h"

enum { CELL_BATCH = 2000 };

/* Digest of all that makes a revision. */
static struct sha256
plan_digest(const struct sweep *s, const struct dag *d)
{
    struct sha256_stream *h = sha256_stream_new();

    sha256_stream_add(h, s->text, strlen(s->text) + 1);
    sha256_stream_add(h, s->sets, strlen(s->sets) + 1);
    for (size_t c = 0; c < d->n_cells; c++) {
        char *values = json_canonical(s->cells[c].values);
        char *written = json_canonical(s->cells[c].written);
        sha256_stream_add(h, values, strlen(values) + 1);
        sha256_stream_add(h, written, strlen(written) + 1);
        for (size_t i = 0; i < d->n_cell_jobs[c]; i++)
            sha256_stream_add(h, d->jobs[d->cell_jobs[c][i]].digest.hex, SHA256_HEX);
        free(values);
        free(written);
    }
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

static char *
cells_text(const struct sweep *s, const struct dag *d, const int64_t *ids, size_t first,
           size_t last)
{
    json_t *rows = json_array();

    for (size_t c = first; c < last; c++) {
        json_t *jobs = json_array();
        for (size_t i = 0; i < d->n_cell_jobs[c]; i++)
            json_array_append_new(jobs, json_integer(ids[d->cell_jobs[c][i]]));
        json_array_append_new(rows,
                              json_pack("{s:I, s:O, s:O, s:o}", "place", (json_int_t)c,
                                        "params", s->cells[c].values, "written",
                                        s->cells[c].written, "jobs", jobs));
    }
    char *text = json_canonical(rows);
    json_decref(rows);
    return text;
}

static int
save_cells(struct pg *pg, const struct sweep *s, const struct dag *d,
           const int64_t *ids, int64_t sweep, struct err *err)
{
    if (pg_query(pg, NULL, "DELETE FROM cell WHERE sweep = $1", PG_ARGS(PG_INT(sweep)),
                 err)
        != 0)
        return -1;
    for (size_t at = 0; at < d->n_cells; at += CELL_BATCH) {
        const size_t end = at + CELL_BATCH < d->n_cells ? at + CELL_BATCH : d->n_cells;
        char *text = cells_text(s, d, ids, at, end);
        const int rc = pg_query(
            pg, NULL,
            "WITH x AS (SELECT * FROM json_to_recordset($2::json) AS x(place int,"
            "  params jsonb, written jsonb, jobs bigint[])),"
            " c AS (INSERT INTO cell (sweep, place, params, written)"
            "  SELECT $1, place, params, written FROM x RETURNING id, place)"
            " INSERT INTO cell_job (cell, place, job)"
            "  SELECT c.id, j.n - 1, j.job FROM c JOIN x USING (place),"
            "  unnest(x.jobs) WITH ORDINALITY AS j(job, n)",
            PG_ARGS(PG_INT(sweep), PG_TEXT(text)), err);
        free(text);
        if (rc != 0)
            return -1;
    }
    return 0;
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
