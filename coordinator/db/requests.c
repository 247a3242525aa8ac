/* requests.c - only writer of request. */
#include "coordinator/db/requests.h"

#include "shared/base/mem.h"

int
requests_stop(struct pg *pg, const char *kind, bool hard, int64_t *count,
              struct err *err)
{
    const char *flag = hard ? "true" : "false";

    if (pg_query(pg, NULL,
                 "UPDATE request r SET hard = r.hard OR $1::bool,"
                 "  kind = CASE WHEN $2 = 'cancel' THEN $2 ELSE r.kind END"
                 " FROM selection s WHERE r.job = s.id AND r.done_at IS NULL",
                 PG_ARGS(PG_TEXT(flag), PG_TEXT(kind)), err)
        != 0)
        return -1;
    return pg_change(pg, count,
                     "INSERT INTO request (kind, job, hard)"
                     " SELECT $2, s.id, $1::bool FROM selection s WHERE NOT EXISTS"
                     "  (SELECT 1 FROM request r WHERE r.job = s.id"
                     "   AND r.done_at IS NULL)",
                     PG_ARGS(PG_TEXT(flag), PG_TEXT(kind)), err);
}

int
requests_unhold(struct pg *pg, struct err *err)
{
    return pg_script(pg,
                     "UPDATE request r SET done_at = now() FROM selection s"
                     " WHERE r.job = s.id AND r.kind = 'hold' AND r.done_at IS NULL",
                     err);
}

int
requests_open(struct pg *pg, struct request_list *out, struct err *err)
{
    struct pg_rows rows;

    if (pg_query(pg, &rows,
                 "SELECT j.id, j.attempt, r.hard::int, (r.kind = 'hold')::int"
                 " FROM request r"
                 " JOIN job j ON j.id = r.job"
                 " WHERE r.done_at IS NULL AND j.state = 'leased' ORDER BY r.id",
                 PG_NONE, err)
        != 0)
        return -1;
    out->items =
        xgrow(out->items, &out->capacity, out->n + (size_t)rows.n, sizeof *out->items);
    for (int i = 0; i < rows.n; i++)
        out->items[out->n++] =
            (struct request_cancel){.job = pg_int_at(&rows, i, 0),
                                    .attempt = pg_int_at(&rows, i, 1),
                                    .hard = pg_int_at(&rows, i, 2),
                                    .hold = pg_int_at(&rows, i, 3)};
    pg_rows_release(&rows);
    return 0;
}

int
requests_done(struct pg *pg, int64_t job, struct err *err)
{
    return pg_query(pg, NULL,
                    "UPDATE request SET done_at = now()"
                    " WHERE job = $1 AND done_at IS NULL",
                    PG_ARGS(PG_INT(job)), err);
}
