/* metrics.c - only writer of metric_key, metric and metric_final. */
#include "coordinator/db/metrics.h"

#include <math.h>
#include <stdlib.h>

#include "shared/base/json.h"

/* Points as a JSON array. NaN and infinities, which JSON lacks, travel as the words that
 * PostgreSQL reads. */
static char *
points_text(const struct metric *points, size_t n)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < n; i++) {
        const struct metric *p = &points[i];
        json_t *value = isnan(p->value) ? json_string("NaN")
                        : isinf(p->value)
                            ? json_string(p->value > 0 ? "Infinity" : "-Infinity")
                            : json_real(p->value);
        json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:I, s:o}", "name",
                                              p->name, "unit", p->unit, "goal",
                                              metric_goal_name(p->goal), "step",
                                              (json_int_t)p->step, "value", value));
    }
    char *text = json_dumps(rows, JSON_COMPACT);
    json_decref(rows);
    return text;
}

static int
learn_keys(struct pg *pg, const char *text, struct err *err)
{
    return pg_query(
        pg, NULL,
        "INSERT INTO metric_key (name, unit, goal) SELECT DISTINCT x.name, x.unit, x.goal"
        " FROM json_to_recordset($1::json) AS x(name text, unit text, goal text)"
        " WHERE NOT EXISTS (SELECT 1 FROM metric_key k WHERE (k.name, k.unit, k.goal)"
        "  = (x.name, x.unit, x.goal)) ON CONFLICT DO NOTHING",
        PG_ARGS(PG_TEXT(text)), err);
}

int
metrics_append(struct pg *pg, int64_t job, int64_t attempt, int64_t seq,
               const struct metric *points, size_t n, struct err *err)
{
    char *text = points_text(points, n);
    int rc = learn_keys(pg, text, err);

    if (rc == 0)
        rc = pg_query(
            pg, NULL,
            "INSERT INTO metric (job, attempt, seq, key, step, value)"
            " SELECT $2, $3, $4, k.id, x.step, x.value FROM json_to_recordset($1::json)"
            " AS x(name text, unit text, goal text, step bigint, value float8)"
            " JOIN metric_key k USING (name, unit, goal)",
            PG_ARGS(PG_TEXT(text), PG_INT(job), PG_INT(attempt), PG_INT(seq)), err);
    free(text);
    return rc;
}

int
metrics_finish(struct pg *pg, int64_t job, int64_t attempt, const struct metric *finals,
               size_t n, struct err *err)
{
    char *text = points_text(finals, n);
    int rc = learn_keys(pg, text, err);

    if (rc == 0)
        rc =
            pg_query(pg, NULL,
                     "INSERT INTO metric_final (job, attempt, key, value)"
                     " SELECT DISTINCT ON (k.id) $2::bigint, $3::bigint, k.id, x.value"
                     " FROM json_to_recordset($1::json)"
                     " AS x(name text, unit text, goal text, value float8)"
                     " JOIN metric_key k USING (name, unit, goal)"
                     " ON CONFLICT (job, key) DO UPDATE SET attempt = excluded.attempt,"
                     "  value = excluded.value",
                     PG_ARGS(PG_TEXT(text), PG_INT(job), PG_INT(attempt)), err);
    free(text);
    return rc;
}
