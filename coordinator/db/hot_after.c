/*
 * hot_after.c - what follows from the success of many jobs, in one way to the server: their
 * final metrics, the end of their checkpoints, progress and requests, and the children
 * that are ready now. Must not know how they moved.
 */
#include "coordinator/db/hot_after.h"

#include <stdlib.h>

#include "coordinator/db/blobs.h"
#include "coordinator/db/hot_find.h"
#include "shared/base/mem.h"

/* Finals of the attempts that have moved, as columns. */
struct finals {
    int64_t *job, *attempt;
    double *value;
    const char **name, **unit, **goal;
    size_t n;
};

static struct finals
gather_finals(const struct hot_success *ends, size_t n)
{
    struct finals f = {0};
    size_t room = 1;

    for (size_t i = 0; i < n; i++)
        room += ends[i].done ? ends[i].n_finals : 0;
    f.job = xcalloc(2 * room, sizeof *f.job);
    f.attempt = f.job + room;
    f.value = xcalloc(room, sizeof *f.value);
    f.name = xcalloc(3 * room, sizeof *f.name);
    f.unit = f.name + room;
    f.goal = f.unit + room;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; ends[i].done && k < ends[i].n_finals; k++, f.n++) {
            const struct metric *m = &ends[i].finals[k];
            f.job[f.n] = ends[i].job;
            f.attempt[f.n] = ends[i].attempt;
            f.value[f.n] = m->value;
            f.name[f.n] = m->name;
            f.unit[f.n] = m->unit;
            f.goal[f.n] = metric_goal_name(m->goal);
        }
    return f;
}

static void
free_finals(struct finals *f)
{
    free(f->job);
    free(f->value);
    free(f->name);
}

static int
ask_finals(struct pg *pg, const struct finals *f, struct err *err)
{
    return pg_send(pg,
                   "INSERT INTO metric_key (name, unit, goal)"
                   " SELECT DISTINCT x.name, x.unit, x.goal"
                   " FROM unnest($1::text[], $2::text[], $3::text[])"
                   "  x(name, unit, goal)"
                   " WHERE NOT EXISTS (SELECT 1 FROM metric_key k"
                   "  WHERE (k.name, k.unit, k.goal) = (x.name, x.unit, x.goal))"
                   " ON CONFLICT DO NOTHING",
                   PG_ARGS(PG_TEXTS(f->name, f->n), PG_TEXTS(f->unit, f->n),
                           PG_TEXTS(f->goal, f->n)),
                   err) == 0
                   && pg_send(pg,
                              "INSERT INTO metric_final (job, attempt, key, value)"
                              " SELECT x.job, x.attempt, k.id, x.value"
                              " FROM unnest($1::bigint[], $2::bigint[], $3::float8[],"
                              "  $4::text[], $5::text[], $6::text[])"
                              "  x(job, attempt, value, name, unit, goal)"
                              " JOIN metric_key k ON (k.name, k.unit, k.goal)"
                              "  = (x.name, x.unit, x.goal)"
                              " ON CONFLICT (job, key) DO UPDATE"
                              "  SET attempt = excluded.attempt,"
                              "  value = excluded.value",
                              PG_ARGS(PG_INTS(f->job, f->n), PG_INTS(f->attempt, f->n),
                                      PG_REALS(f->value, f->n), PG_TEXTS(f->name, f->n),
                                      PG_TEXTS(f->unit, f->n), PG_TEXTS(f->goal, f->n)),
                              err)
                          == 0
               ? 0
               : -1;
}

/* Checkpoints and progress of jobs that are finished. */
static int
ask_traces(struct pg *pg, const int64_t *jobs, size_t n, struct err *err)
{
    return pg_send(pg,
                   "DELETE FROM checkpoint_head WHERE job = ANY($1::bigint[])"
                   " RETURNING blob",
                   PG_ARGS(PG_INTS(jobs, n)),
                   err) == 0
                   && pg_send(pg, "DELETE FROM progress WHERE job = ANY($1::bigint[])",
                              PG_ARGS(PG_INTS(jobs, n)), err)
                          == 0
               ? 0
               : -1;
}

/* Few requests are open at any time: the sum keeps the server from looking for one of
 * each job instead of looking at them all. */
static int
ask_requests(struct pg *pg, const int64_t *jobs, size_t n, struct err *err)
{
    return pg_send(pg,
                   "UPDATE request SET done_at = now()"
                   " WHERE job + 0 = ANY($1::bigint[]) AND done_at IS NULL",
                   PG_ARGS(PG_INTS(jobs, n)), err);
}

/* Where no job from the first to the last has any child, one look says so. */
static int
ask_children(struct pg *pg, const int64_t *jobs, size_t n, struct err *err)
{
    const struct hot_span span = hot_span(jobs, sizeof *jobs, n);

    return pg_send(
        pg,
        "UPDATE job j SET state = 'ready' FROM"
        " (SELECT DISTINCT d.child FROM unnest($1::bigint[]) u(job)"
        "  JOIN job_child d ON d.parent = u.job) e"
        " WHERE (SELECT EXISTS (SELECT 1 FROM job_child WHERE parent"
        "  BETWEEN $2::bigint AND $3::bigint)) AND j.id = e.child AND j.state = 'blocked'"
        " AND NOT EXISTS (SELECT 1 FROM job_dep d JOIN job p ON p.id = d.parent"
        "                 WHERE d.child = j.id AND p.state <> 'succeeded')"
        " RETURNING j.id, j.attempt, " JOB_RANK ", j.class",
        PG_ARGS(PG_INTS(jobs, n), PG_INT(span.first), PG_INT(span.last)), err);
}

static int
take_children(struct pg *pg, struct job_ready_list *ready, struct err *err)
{
    struct pg_rows rows;

    if (pg_take(pg, &rows, err) != 0)
        return -1;
    ready->items = xgrow(ready->items, &ready->capacity, ready->n + (size_t)rows.n,
                         sizeof *ready->items);
    for (int i = 0; i < rows.n; i++)
        ready->items[ready->n++] = (struct job_ready){.id = pg_int_at(&rows, i, 0),
                                                      .attempt = pg_int_at(&rows, i, 1),
                                                      .rank = pg_int_at(&rows, i, 2),
                                                      .class = pg_int_at(&rows, i, 3)};
    pg_rows_release(&rows);
    return 0;
}

/* Jobs that have moved: those that were not bare first. */
static size_t
moved_jobs(const struct hot_success *ends, size_t n, int64_t *jobs, size_t *n_traced)
{
    size_t done = 0;

    for (int bare = 0; bare <= 1; bare++) {
        for (size_t i = 0; i < n; i++)
            if (ends[i].done && ends[i].bare == (bool)bare)
                jobs[done++] = ends[i].job;
        *n_traced = bare ? *n_traced : done;
    }
    return done;
}

/* What follows from n jobs that have moved, the first n_traced of which left traces. */
struct aftermath {
    const int64_t *jobs;
    size_t n, n_traced;
    struct finals finals;
};

static int
ask_aftermath(struct pg *pg, const struct aftermath *a, struct err *err)
{
    return (a->finals.n == 0 || ask_finals(pg, &a->finals, err) == 0)
                   && (a->n_traced == 0
                       || ask_traces(pg, a->jobs, a->n_traced, err) == 0)
                   && ask_requests(pg, a->jobs, a->n, err) == 0
                   && ask_children(pg, a->jobs, a->n, err) == 0
               ? 0
               : -1;
}

/* heads: blobs of checkpoints that nobody needs now; the caller releases it. */
static int
take_aftermath(struct pg *pg, const struct aftermath *a, struct pg_rows *heads,
               struct job_ready_list *ready, struct err *err)
{
    if (a->finals.n > 0 && (pg_take(pg, NULL, err) != 0 || pg_take(pg, NULL, err) != 0))
        return -1;
    if (a->n_traced > 0
        && (pg_take(pg, heads, err) != 0 || pg_take(pg, NULL, err) != 0))
        return -1;
    return pg_take(pg, NULL, err) == 0 ? take_children(pg, ready, err) : -1;
}

static int
run(struct pg *pg, const struct aftermath *a, struct job_ready_list *ready,
    struct err *err)
{
    struct pg_rows heads = {0};
    int rc = ask_aftermath(pg, a, err);

    if (rc == 0)
        rc = take_aftermath(pg, a, &heads, ready, err);
    for (int i = 0; rc == 0 && i < heads.n; i++)
        rc = blobs_drop_unused(pg, pg_int_at(&heads, i, 0), err);
    pg_rows_release(&heads);
    return rc;
}

int
hot_after(struct pg *pg, const struct hot_success *ends, size_t n,
          struct job_ready_list *ready, struct err *err)
{
    int64_t *jobs = xcalloc(n, sizeof *jobs);
    struct aftermath a = {.jobs = jobs};
    int rc = 0;

    a.n = moved_jobs(ends, n, jobs, &a.n_traced);
    a.finals = gather_finals(ends, n);
    if (a.n > 0)
        rc = run(pg, &a, ready, err);
    free_finals(&a.finals);
    free(jobs);
    return rc;
}
