/* workers.c - only writer of worker and progress. */
#include "coordinator/db/workers.h"

int
workers_connected(struct pg *pg, const struct worker_row *w, int64_t *id,
                  struct err *err)
{
    return pg_number(
        pg, id, NULL,
        "INSERT INTO worker (boot, name, host, version, slots, threads, memory_bytes,"
        "  labels, backend, connected)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, coalesce($8, ''), coalesce($9, ''), true)"
        " ON CONFLICT (boot) DO UPDATE SET name = excluded.name, host = excluded.host,"
        "  version = excluded.version, slots = excluded.slots,"
        "  threads = excluded.threads, memory_bytes = excluded.memory_bytes,"
        "  labels = excluded.labels, backend = excluded.backend, connected = true, last_seen = now()"
        " RETURNING id",
        PG_ARGS(PG_TEXT(w->boot), PG_TEXT(w->name), PG_TEXT(w->host),
                PG_TEXT(w->version), PG_INT(w->slots), PG_INT(w->threads),
                PG_INT(w->memory_bytes), PG_TEXT(w->labels), PG_TEXT(w->backend)),
        err);
}

int
workers_gone(struct pg *pg, const char *boot, struct err *err)
{
    return pg_query(pg, NULL,
                    "UPDATE worker SET connected = false, last_seen = now()"
                    " WHERE connected AND ($1::text IS NULL OR boot = $1)",
                    PG_ARGS(PG_TEXT(boot)), err);
}

static int
save_progress(struct pg *pg, const struct worker_progress *p, struct err *err)
{
    return pg_query(
        pg, NULL,
        "INSERT INTO progress (job, attempt, epoch, epochs, step, steps,"
        " images_per_second, loss, seconds_left)"
        " SELECT id, attempt, $3::bigint, $4::bigint, $5::bigint, $6::bigint,"
        "  $7::float8, $8::float8, $9::float8"
        " FROM job WHERE id = $1 AND attempt = $2 AND state = 'leased'"
        " ON CONFLICT (job) DO UPDATE SET attempt = excluded.attempt,"
        "  epoch = excluded.epoch, epochs = excluded.epochs, step = excluded.step,"
        "  steps = excluded.steps, images_per_second = excluded.images_per_second,"
        "  loss = excluded.loss, seconds_left = excluded.seconds_left, at = now()",
        PG_ARGS(PG_INT(p->job), PG_INT(p->attempt), PG_INT(p->epoch), PG_INT(p->epochs),
                PG_INT(p->step), PG_INT(p->steps), PG_REAL(p->images_per_second),
                PG_REAL(p->loss), PG_REAL(p->seconds_left)),
        err);
}

int
workers_progress(struct pg *pg, const struct worker_progress *rows, size_t n,
                 struct err *err)
{
    for (size_t i = 0; i < n; i++)
        if (save_progress(pg, &rows[i], err) != 0)
            return -1;
    return 0;
}

int
workers_forget_progress(struct pg *pg, int64_t job, struct err *err)
{
    return pg_query(pg, NULL, "DELETE FROM progress WHERE job = $1",
                    PG_ARGS(PG_INT(job)), err);
}
