/* timings.c - how long finished jobs took. Read-only. */
#include "coordinator/db/timings.h"

#include "coordinator/db/handle.h"

/* The newest ones say most about the workers of today. */
static const char *const timings_sql =
    "SELECT coalesce(json_agg(json_build_object('spec', s.spec, 'seconds', t.seconds)),"
    "  '[]') FROM (SELECT job, seconds FROM attempt WHERE outcome = 'ok'"
    "  AND seconds > 0 ORDER BY ended_at DESC LIMIT 300) t JOIN job_spec s ON s.job = t.job";

int
db_timings(struct db *db, json_t **out, struct err *err)
{
    return pg_json(db->pg, out, timings_sql, PG_NONE, err);
}
