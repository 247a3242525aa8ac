/*
 * hot.c - start of many jobs at once, and what the other moves share (hot_lease.c,
 * hot_end.c). Invariant of all three: each statement names attempt and state that it
 * expects, and finds its rows by number.
 */
#include "coordinator/db/hot.h"

#include <stdlib.h>

#include "coordinator/db/hot_find.h"
#include "shared/base/mem.h"

int
hot_prepare(struct pg *pg, struct err *err)
{
    return pg_script(pg,
                     "SET enable_seqscan = off; SET enable_hashjoin = off;"
                     "SET enable_mergejoin = off; SET plan_cache_mode ="
                     " force_generic_plan; SET jit = off",
                     err);
}

int
hot_replan(struct pg *pg, struct err *err)
{
    return pg_script(pg, "DISCARD PLANS", err);
}

struct hot_span
hot_span(const void *items, size_t size, size_t n)
{
    const char *at = items;
    int64_t first = *(const int64_t *)at, last = first;

    for (size_t i = 1; i < n; i++) {
        const int64_t job = *(const int64_t *)(at + i * size);
        first = job < first ? job : first;
        last = job > last ? job : last;
    }
    const size_t span = (size_t)(last - first) + 1;
    return (struct hot_span){first, last, span, span <= 2 * n};
}

size_t
hot_find(const void *items, size_t size, size_t n, size_t from, int64_t job)
{
    for (size_t k = 0; k < n; k++) {
        const size_t i = (from + k) % n;
        if (*(const int64_t *)((const char *)items + i * size) == job)
            return i;
    }
    return n;
}

void
hot_mark(void *items, size_t size, size_t n, size_t done, const struct pg_rows *rows)
{
    size_t at = 0;

    for (int i = 0; i < rows->n; i++) {
        at = hot_find(items, size, n, at, pg_int_at(rows, i, 0));
        if (at < n)
            *(bool *)((char *)items + at * size + done) = true;
    }
}

/* ---- start ------------------------------------------------------------------------ */

int
hot_start(struct pg *pg, struct hot_start *starts, size_t n, struct err *err)
{
    int64_t *v = xcalloc(3 * n, sizeof *v);
    const char **provenance = xcalloc(n, sizeof *provenance);
    struct pg_rows rows;

    for (size_t i = 0; i < n; i++) {
        v[i] = starts[i].job;
        v[n + i] = starts[i].attempt;
        v[2 * n + i] = starts[i].pid;
        provenance[i] = starts[i].provenance[0] != '\0' ? starts[i].provenance : NULL;
    }
    const int rc = pg_query_again(
        pg, &rows,
        "INSERT INTO attempt (job, attempt, worker, leased_at, started_at, pid,"
        " provenance) SELECT DISTINCT ON (j.id) j.id, j.attempt, j.worker, j.leased_at, now(), u.pid,"
        "  u.provenance::json"
        " FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[])"
        "  u(job, attempt, pid, provenance) JOIN job j ON j.id = u.job"
        "  AND j.attempt = u.attempt AND j.state = 'leased'"
        " ON CONFLICT (job, attempt) DO UPDATE SET pid = excluded.pid,"
        "  started_at = coalesce(attempt.started_at, excluded.started_at),"
        "  provenance = excluded.provenance RETURNING job",
        PG_ARGS(PG_INTS(v, n), PG_INTS(v + n, n), PG_INTS(v + 2 * n, n),
                PG_TEXTS(provenance, n)),
        err);
    free(v);
    free(provenance);
    if (rc != 0)
        return -1;
    hot_mark(starts, sizeof *starts, n, offsetof(struct hot_start, done), &rows);
    pg_rows_release(&rows);
    return 0;
}
