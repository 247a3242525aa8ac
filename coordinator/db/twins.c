/* twins.c - only writer of job_twin. */
#include "coordinator/db/twins.h"

#include <stdio.h>

#include "shared/base/mem.h"

int
twins_add(struct pg *pg, const int64_t *again, const int64_t *first, size_t n,
          struct err *err)
{
    return pg_query(
        pg, NULL,
        "INSERT INTO job_twin SELECT * FROM unnest($1::bigint[], $2::bigint[])"
        " ON CONFLICT DO NOTHING",
        PG_ARGS(PG_INTS(again, n), PG_INTS(first, n)), err);
}

/* Who has or had a job is looked up by number, however many jobs there are: OFFSET keeps
 * the server from joining with all of them, as it would while it knows of no twins. */
static const char load[] =
    "SELECT t.again, coalesce(v.id, 0), coalesce(v.host, ''),"
    " t.first, coalesce(w.id, 0), coalesce(w.host, '') FROM job_twin t"
    " LEFT JOIN LATERAL (SELECT x.id, x.host FROM job j JOIN worker x"
    "  ON x.id = j.worker WHERE j.id = t.again OFFSET 0) v ON true"
    " LEFT JOIN LATERAL (SELECT x.id, x.host FROM job j JOIN worker x"
    "  ON x.id = j.worker WHERE j.id = t.first OFFSET 0) w ON true"
    " WHERE t.again > $1 ORDER BY t.again";

static struct twin_side
side_at(const struct pg_rows *rows, int row, int column)
{
    struct twin_side side = {.job = pg_int_at(rows, row, column),
                             .worker = pg_int_at(rows, row, column + 1)};

    snprintf(side.host, sizeof side.host, "%s", pg_text_at(rows, row, column + 2));
    return side;
}

int
twins_load(struct pg *pg, int64_t after, struct twin_list *out, struct err *err)
{
    struct pg_rows rows;

    if (pg_query_again(pg, &rows, load, PG_ARGS(PG_INT(after)), err) != 0)
        return -1;
    out->items =
        xgrow(out->items, &out->capacity, out->n + (size_t)rows.n, sizeof *out->items);
    for (int i = 0; i < rows.n; i++)
        out->items[out->n++] =
            (struct twin_pair){side_at(&rows, i, 0), side_at(&rows, i, 3)};
    pg_rows_release(&rows);
    return 0;
}
