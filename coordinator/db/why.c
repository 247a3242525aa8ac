/*
 * why.c - one sentence on why a job is where it is. For a ready job the reasons are asked
 * in the order in which the coordinator finds them: time, limits, needs, machines that
 * rest, others before it. Read-only.
 */
#include "coordinator/db/why.h"

/* A worker w has what the terms k.terms ask for, as dispatch/needs.c says it. */
#define WORKER_FITS                                                                  \
    "w.memory_bytes / greatest(w.slots, 1) >="                                       \
    "  coalesce((k.terms ->> 'memory_bytes')::bigint, 0)"                            \
    " AND w.threads >= coalesce((k.terms ->> 'threads')::bigint, 0)"                 \
    " AND w.backend = coalesce(k.terms ->> 'backend', w.backend)"                    \
    " AND string_to_array(w.labels, ',') @> ARRAY(SELECT jsonb_array_elements_text(" \
    "  k.terms -> 'labels'))"

#define LIMIT_WORDS                                                                   \
    "'at most ' || l.most || ' jobs' || CASE WHEN l.stage <> '' THEN ' of stage ' ||" \
    " l.stage ELSE '' END || CASE WHEN l.label <> '' THEN ' that need ' || l.label"   \
    " ELSE '' END || coalesce(' of sweep ' || (SELECT w.name FROM sweep w"            \
    " WHERE w.id = l.sweep), '') || ' may run at once'"

/* $1: the job, which is ready; NULL where nothing but the order keeps it. */
static const char *const waiting_sql =
    "SELECT to_json(coalesce("
    " (SELECT 'is tried again in ' || ceil(extract(epoch FROM j.not_before - now()))"
    "   || ' s, after: ' || coalesce((SELECT coalesce(a.error, a.outcome) FROM attempt a"
    "   WHERE a.job = j.id AND a.attempt = j.attempt), '')"
    "   WHERE j.not_before > now()),"
    " (SELECT 'may run, but no worker is connected; start one with `relusweep-worker"
    " agent`' WHERE NOT EXISTS (SELECT 1 FROM worker WHERE connected)),"
    " (SELECT 'waits for a limit: ' || " LIMIT_WORDS
    "   FROM job_limit l WHERE l.id = ANY (k.limits) AND l.most <= (SELECT count(*)"
    "    FROM job o JOIN job_class ok ON ok.id = o.class WHERE o.state = 'leased'"
    "    AND l.id = ANY (ok.limits)) ORDER BY l.id LIMIT 1),"
    " (SELECT 'needs ' || (k.terms - ARRAY['timeout_s', 'stall_s',"
    "   'retries_error', 'retries_lost', 'retries_oom', 'retries_timeout'])::text || ', and none of the '"
    "   || (SELECT count(*) FROM worker WHERE connected) || ' connected workers has that'"
    "   WHERE NOT EXISTS (SELECT 1 FROM worker w WHERE w.connected AND " WORKER_FITS
    ")),"
    " (SELECT 'waits because ' || min(h.host || ' rests: ' || h.why) || ', and no other"
    " connected worker can do it' FROM worker w JOIN host_rest h ON h.host = w.host"
    "   AND h.until > now() WHERE w.connected AND " WORKER_FITS
    "   HAVING NOT EXISTS (SELECT 1 FROM worker w WHERE w.connected AND " WORKER_FITS
    "    AND NOT EXISTS (SELECT 1 FROM host_rest r WHERE r.host = w.host"
    "     AND r.until > now()))),"
    " (SELECT 'waits up to 5 minutes for another worker than ' || u.name || ', which has"
    " or had job ' || o.id || ': the numbers of the two are compared' FROM job_twin t"
    "   JOIN job o ON o.id = CASE WHEN t.again = j.id THEN t.first ELSE t.again END"
    "   JOIN worker u ON u.id = o.worker AND u.connected"
    "   WHERE (t.again = j.id OR t.first = j.id) AND EXISTS (SELECT 1 FROM worker w"
    "    WHERE w.connected AND w.id <> u.id AND " WORKER_FITS ") LIMIT 1),"
    " 'waits for a free worker; ' || (SELECT count(*) FROM job o WHERE o.state = 'ready'"
    "  AND (-o.priority, coalesce(o.place, o.id)) < (-j.priority, coalesce(j.place,"
    "   j.id))) || ' jobs are before it'))"
    " FROM job j JOIN job_class k ON k.id = j.class WHERE j.id = $1";

static const char *const state_sql =
    "SELECT to_json(CASE j.state"
    "  WHEN 'blocked' THEN 'waits for ' || coalesce((SELECT string_agg('job ' || p.id ||"
    "   ' (' || ps.stage || ', ' || p.state || ')', ', ' ORDER BY p.id) FROM job_dep d"
    "   JOIN job p ON p.id = d.parent JOIN job_spec ps ON ps.job = p.id WHERE d.child ="
    "   j.id AND p.state <> 'succeeded'), 'the coordinator')"
    "  WHEN 'leased' THEN 'runs on ' || coalesce(w.name, '?') || ' as attempt ' ||"
    "   j.attempt || CASE (SELECT r.kind FROM request r WHERE r.job = j.id"
    "    AND r.done_at IS NULL) WHEN 'cancel' THEN ', and was told to stop'"
    "    WHEN 'hold' THEN ', and was told to stop until it is resumed' ELSE '' END"
    "  WHEN 'succeeded' THEN 'is done'"
    "  WHEN 'failed' THEN 'failed (' || coalesce(a.outcome, '?') || '): ' ||"
    "   coalesce(a.error, '') || '; when the cause is removed: `relusweep retry '"
    "   || j.id || '`'"
    "  WHEN 'quarantined' THEN 'was set aside because ' || j.n_lost || ' workers or"
    " processes vanished while they ran it; look at their memory, then `relusweep retry"
    " ' || j.id || '`'"
    "  WHEN 'cancelled' THEN 'was cancelled; `relusweep retry ' || j.id ||"
    "   '` takes it back'"
    "  WHEN 'upstream_failed' THEN 'cannot run because job ' || j.cause || ' ' ||"
    "   coalesce((SELECT o.state::text FROM job o WHERE o.id = j.cause), 'failed') ||"
    "   '; see `relusweep explain ' || j.cause || '`'"
    "  WHEN 'held' THEN coalesce((SELECT 'is held: sweep ' || min(s.name || ' was paused '"
    "    || s.paused_why || '; `relusweep resume ' || s.name || '`') || ' lets it go on'"
    "    FROM sweep_span k JOIN sweep s ON s.id = k.sweep"
    "    WHERE k.jobs @> j.id AND s.paused_at IS NOT NULL),"
    "   'is held by a person; `relusweep resume ' || j.id || '` lets it go on') END)"
    " FROM job j LEFT JOIN attempt a ON a.job = j.id AND a.attempt = j.attempt"
    " LEFT JOIN worker w ON w.id = j.worker WHERE j.id = $1";

int
why_find(struct pg *pg, int64_t job, json_t **out, struct err *err)
{
    int64_t one;
    bool ready;

    *out = NULL;
    if (pg_number(pg, &one, &ready,
                  "SELECT 1 FROM job WHERE id = $1 AND state = 'ready'",
                  PG_ARGS(PG_INT(job)), err)
        != 0)
        return -1;
    return pg_json(pg, out, ready ? waiting_sql : state_sql, PG_ARGS(PG_INT(job)), err);
}
