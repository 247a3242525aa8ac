/*
 * hot_end.c - success of many jobs at once: the fenced move, in one way to the server; what
 * follows from it (hot_after.c) is another.
 */
#include <stdlib.h>

#include "coordinator/db/hot.h"
#include "coordinator/db/hot_after.h"
#include "coordinator/db/hot_find.h"
#include "shared/base/mem.h"

/* Ends as columns. */
struct end_columns {
    int64_t *job, *attempt, *code, *rss;
    double *seconds;
    size_t n;
};

static struct end_columns
end_columns(size_t n)
{
    int64_t *all = xcalloc(4 * n + 1, sizeof *all);

    return (struct end_columns){.job = all,
                                .attempt = all + n,
                                .code = all + 2 * n,
                                .rss = all + 3 * n,
                                .seconds = xcalloc(n + 1, sizeof(double)),
                                .n = n};
}

static void
end_columns_free(struct end_columns *c)
{
    free(c->job);
    free(c->seconds);
}

static void
put_end(struct end_columns *c, size_t at, const struct hot_success *end)
{
    c->job[at] = end->job;
    c->attempt[at] = end->attempt;
    c->code[at] = end->exit_code;
    c->rss[at] = end->peak_rss_bytes;
    c->seconds[at] = end->seconds;
}

/* The three statements differ in how they find the rows, and in whether attempts may have
 * a row already. */
#define MOVED "AND j.state = 'leased' RETURNING "
#define ADD(code, rss, s)                                                         \
    "INSERT INTO attempt (job, attempt, worker, leased_at, ended_at, outcome,"    \
    "  exit_code, signal, seconds, peak_rss_bytes) SELECT job, attempt, worker,"  \
    "  leased_at, now(), 'ok', " code ", 0, CASE WHEN " s " >= 0 THEN " s " END," \
    "  nullif(" rss ", 0) FROM m"

#define MOVE_EACH                                                      \
    "WITH m AS (UPDATE job j SET state = 'succeeded' FROM"             \
    "  unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]," \
    "   $5::float8[]) u(job, attempt, code, rss, s)"                   \
    "  WHERE j.id = u.job AND j.attempt = u.attempt " MOVED            \
    "  u.*, j.worker, j.leased_at)"

/* bare: attempts that have no row. */
static int
ask_each(struct pg *pg, const struct end_columns *c, bool bare, struct err *err)
{
    static const char *const statements[] = {
        [true] = MOVE_EACH " " ADD("code", "rss", "s") " RETURNING job",
        [false] = MOVE_EACH
        ", a AS (UPDATE attempt a SET ended_at = now(), outcome = 'ok',"
        "  exit_code = m.code, signal = 0, seconds = CASE WHEN m.s >= 0 THEN m.s END,"
        "  peak_rss_bytes = nullif(m.rss, 0) FROM m"
        "  WHERE a.job = m.job AND a.attempt = m.attempt),"
        " b AS (" ADD(
            "code", "rss",
            "s") "  WHERE NOT EXISTS (SELECT 1 FROM attempt a WHERE a.job = m.job"
                 "   AND a.attempt = m.attempt)) SELECT job FROM m"};

    return pg_send(pg, statements[bare],
                   PG_ARGS(PG_INTS(c->job, c->n), PG_INTS(c->attempt, c->n),
                           PG_INTS(c->code, c->n), PG_INTS(c->rss, c->n),
                           PG_REALS(c->seconds, c->n)),
                   err);
}

/* c: at their numbers; attempt -1, which none is, where no end is. */
static int
ask_bare_dense(struct pg *pg, const struct end_columns *c, const struct hot_span *span,
               struct err *err)
{
    return pg_send(
        pg,
        "WITH m AS (UPDATE job j SET state = 'succeeded'"
        "  WHERE j.id BETWEEN $1::bigint AND $2::bigint"
        "  AND j.attempt = " HOT_AT(
            3, "j.id") " " MOVED
                       "  j.id AS job, j.attempt, j.worker, j.leased_at) " ADD(
                           HOT_AT(4, "job"), HOT_AT(5, "job"),
                           HOT_AT(6, "job")) " RETURNING job",
        PG_ARGS(PG_INT(span->first), PG_INT(span->last), PG_INTS(c->attempt, c->n),
                PG_INTS(c->code, c->n), PG_INTS(c->rss, c->n),
                PG_REALS(c->seconds, c->n)),
        err);
}

/* ---- the move --------------------------------------------------------------------- */

/* Those that are bare, or the others. */
static struct end_columns
gather_ends(const struct hot_success *ends, size_t n, bool bare)
{
    struct end_columns c = end_columns(n);

    c.n = 0;
    for (size_t i = 0; i < n; i++)
        if (ends[i].bare == bare)
            put_end(&c, c.n++, &ends[i]);
    return c;
}

static struct end_columns
spread_ends(const struct hot_success *ends, size_t n, const struct hot_span *span)
{
    struct end_columns c = end_columns(span->size);

    for (size_t i = 0; i < span->size; i++)
        c.attempt[i] = -1;
    for (size_t i = 0; i < n; i++)
        if (ends[i].bare)
            put_end(&c, (size_t)(ends[i].job - span->first), &ends[i]);
    return c;
}

/* *asked: there are some. */
static int
ask_all_bare(struct pg *pg, const struct hot_success *ends, size_t n, bool *asked,
             struct err *err)
{
    struct end_columns c = gather_ends(ends, n, true);
    int rc = 0;

    *asked = c.n > 0;
    if (*asked) {
        const struct hot_span span = hot_span(c.job, sizeof *c.job, c.n);
        if (span.dense) {
            end_columns_free(&c);
            c = spread_ends(ends, n, &span);
            rc = ask_bare_dense(pg, &c, &span, err);
        } else {
            rc = ask_each(pg, &c, true, err);
        }
    }
    end_columns_free(&c);
    return rc;
}

static int
ask_all_known(struct pg *pg, const struct hot_success *ends, size_t n, bool *asked,
              struct err *err)
{
    struct end_columns c = gather_ends(ends, n, false);

    *asked = c.n > 0;
    const int rc = *asked ? ask_each(pg, &c, false, err) : 0;
    end_columns_free(&c);
    return rc;
}

static int
take_ends(struct pg *pg, struct hot_success *ends, size_t n, struct err *err)
{
    struct pg_rows rows;

    if (pg_take(pg, &rows, err) != 0)
        return -1;
    hot_mark(ends, sizeof *ends, n, offsetof(struct hot_success, done), &rows);
    pg_rows_release(&rows);
    return 0;
}

static int
move_to_success(struct pg *pg, struct hot_success *ends, size_t n, struct err *err)
{
    bool bare, known;

    if (ask_all_bare(pg, ends, n, &bare, err) != 0
        || ask_all_known(pg, ends, n, &known, err) != 0
        || (bare && take_ends(pg, ends, n, err) != 0)
        || (known && take_ends(pg, ends, n, err) != 0))
        return -1;
    return 0;
}

int
hot_success(struct pg *pg, struct hot_success *ends, size_t n,
            struct job_ready_list *ready, struct err *err)
{
    return move_to_success(pg, ends, n, err) == 0 ? hot_after(pg, ends, n, ready, err)
                                                  : -1;
}
