/*
 * webjobs.c - lists of jobs for the page: by sweep, state, stage and parameters of their
 * cells, in pages by key. Read-only.
 */
#include "coordinator/db/handle.h"
#include "coordinator/db/jobs.h"
#include "coordinator/db/webreads.h"
#include "shared/base/mem.h"

/* $1: sweep, $2: state, $3: stage, $4, $5, $6: names, operators and values of conditions
 * on the parameters of a cell, $7: numbers of jobs, none for any, $8: cause. Numbers
 * compare as numbers; a cell without the parameter meets nothing. */
#define MEETS                                                                         \
    "NOT EXISTS (SELECT 1 FROM unnest($4::text[], $5::text[], $6::text[]) f(k, o, v)" \
    " WHERE NOT coalesce(CASE o WHEN '=' THEN c.params ->> k = v"                     \
    "  WHEN '!=' THEN c.params ->> k <> v ELSE CASE WHEN"                             \
    "   jsonb_typeof(c.params -> k) = 'number' OR c.params ->> k ~ '^[0-9]{1,15}$'"   \
    "   THEN CASE o"                                                                  \
    "    WHEN '<' THEN (c.params ->> k)::float8 < v::float8"                          \
    "    WHEN '<=' THEN (c.params ->> k)::float8 <= v::float8"                        \
    "    WHEN '>' THEN (c.params ->> k)::float8 > v::float8"                          \
    "    WHEN '>=' THEN (c.params ->> k)::float8 >= v::float8 END END END, false))"
#define MATCHES                                                                         \
    "($2 = '' OR j.state::text = $2) AND ($3 = '' OR s.stage = $3)"                     \
    " AND (cardinality($7::bigint[]) = 0 OR j.id = ANY ($7))"                           \
    " AND ($8 = '' OR EXISTS (SELECT 1 FROM attempt x WHERE x.job = j.id AND x.attempt" \
    "  = j.attempt AND coalesce(x.fingerprint, x.outcome, '') = $8))"                   \
    " AND CASE WHEN cardinality($4::text[]) > 0 THEN j.id IN (SELECT q.job"             \
    "  FROM cell c JOIN cell_job q ON q.cell = c.id"                                    \
    "  WHERE ($1::bigint = 0 OR c.sweep = $1) AND " MEETS ")"                           \
    " ELSE " OF_SWEEP_OR_ALL("$1") " END"

struct conditions {
    const char *names[DB_WEB_CONDITIONS], *ops[DB_WEB_CONDITIONS],
        *values[DB_WEB_CONDITIONS];
};

static struct conditions
columns_of(const struct db_web_filter *f)
{
    struct conditions c = {0};

    for (size_t i = 0; i < f->n_conditions; i++) {
        c.names[i] = f->conditions[i].name;
        c.ops[i] = f->conditions[i].op;
        c.values[i] = f->conditions[i].value;
    }
    return c;
}

#define FILTER_ARGS(f, c)                                                             \
    PG_INT((f)->sweep), PG_TEXT((f)->state), PG_TEXT((f)->stage),                     \
        PG_TEXTS((c).names, (f)->n_conditions), PG_TEXTS((c).ops, (f)->n_conditions), \
        PG_TEXTS((c).values, (f)->n_conditions), PG_INTS((f)->chosen, (f)->n_chosen), \
        PG_TEXT((f)->cause)

int
db_web_check_state(struct db *db, const char *state, struct err *err)
{
    return jobs_check_state(db->pg, state, err);
}

int
db_web_jobs(struct db *db, const int64_t *ids, size_t n, json_t **out, struct err *err)
{
    return pg_json(
        db->pg, out,
        "SELECT json_build_object('jobs', coalesce(json_agg(json_build_object('id', j.id,"
        " 'method', s.method, 'stage', s.stage, 'state', j.state, 'attempt', j.attempt,"
        " 'params', s.spec -> 'params', 'seconds', a.seconds, 'worker', w.name, 'error',"
        " CASE WHEN j.state = 'upstream_failed' THEN 'job ' || j.cause || ' failed'"
        "  ELSE left(a.error, 300) END) ORDER BY j.id), '[]'))"
        " FROM job j JOIN job_spec s ON s.job = j.id"
        " LEFT JOIN attempt a ON a.job = j.id AND a.attempt = j.attempt"
        " LEFT JOIN worker w ON w.id = coalesce(a.worker, j.worker)"
        " WHERE j.id = ANY ($1::bigint[])",
        PG_ARGS(PG_INTS(ids, n)), err);
}

int
db_web_ids(struct db *db, const struct db_web_filter *f, int64_t after, int64_t limit,
           int64_t **ids, size_t *n, struct err *err)
{
    const struct conditions c = columns_of(f);
    struct pg_rows rows;

    *ids = NULL;
    *n = 0;
    if (jobs_check_state(db->pg, f->state, err) != 0
        || pg_query(db->pg, &rows,
                    "SELECT j.id FROM job j JOIN job_spec s ON s.job = j.id"
                    " WHERE j.id > $9 AND " MATCHES " ORDER BY j.id LIMIT $10",
                    PG_ARGS(FILTER_ARGS(f, c), PG_INT(after), PG_INT(limit)), err)
               != 0)
        return -1;
    *ids = xcalloc((size_t)rows.n + 1, sizeof **ids);
    for (int i = 0; i < rows.n; i++)
        (*ids)[(*n)++] = pg_int_at(&rows, i, 0);
    pg_rows_release(&rows);
    return 0;
}

int
db_web_states(struct db *db, const struct db_web_filter *f, json_t **out,
              struct err *err)
{
    const struct conditions c = columns_of(f);

    if (jobs_check_state(db->pg, f->state, err) != 0)
        return -1;
    return pg_json(db->pg, out,
                   "SELECT coalesce(json_object_agg(state, n ORDER BY state), '{}')"
                   " FROM (SELECT j.state, count(*) AS n FROM job j JOIN job_spec s"
                   "  ON s.job = j.id WHERE " MATCHES " GROUP BY j.state) x",
                   PG_ARGS(FILTER_ARGS(f, c)), err);
}

/* Among the nearest 200 by number, of the same stage: those of one grid were submitted
 * together. $1: the job. */
static const char *const neighbour_sql =
    "WITH me AS (SELECT s.*, s.spec -> 'params' AS p FROM job_spec s WHERE job = $1),"
    " near AS ((SELECT s.* FROM job_spec s, me WHERE s.job < $1 AND s.stage = me.stage"
    "   AND s.method = me.method ORDER BY s.job DESC LIMIT 100) UNION ALL"
    "  (SELECT s.* FROM job_spec s, me WHERE s.job > $1 AND s.stage = me.stage"
    "   AND s.method = me.method ORDER BY s.job LIMIT 100)),"
    " apart AS (SELECT n.job, n.spec -> 'params' AS p, (SELECT count(*) FROM"
    "   (SELECT key, value::text FROM json_each(n.spec -> 'params')"
    "    EXCEPT SELECT key, value::text FROM me, json_each(me.p)) d) AS far FROM near n)"
    " SELECT json_build_object('id', apart.job, 'params', apart.p, 'state', j.state)"
    " FROM apart JOIN job j ON j.id = apart.job"
    " ORDER BY far = 0, far, abs(apart.job - $1), apart.job LIMIT 1";

int
db_web_neighbour(struct db *db, int64_t job, json_t **out, struct err *err)
{
    if (pg_json(db->pg, out, neighbour_sql, PG_ARGS(PG_INT(job)), err) != 0)
        return -1;
    if (*out == NULL)
        *out = json_null();
    return 0;
}

int
db_web_artifact(struct db *db, int64_t job, const char *name, json_t **out,
                struct err *err)
{
    if (pg_json(
            db->pg, out,
            "SELECT json_build_object('name', a.name, 'stage', s.stage, 'sha', b.sha,"
            " 'size', b.size) FROM artifact a JOIN blob b ON b.id = a.blob"
            " JOIN job_spec s ON s.job = a.job"
            " WHERE a.job = $1 AND a.name = $2 AND b.stored",
            PG_ARGS(PG_INT(job), PG_TEXT(name)), err)
        != 0)
        return -1;
    if (*out != NULL)
        return 0;
    return err_set(err, ERR_USAGE, "job %lld has no artifact of this name",
                   (long long)job);
}
