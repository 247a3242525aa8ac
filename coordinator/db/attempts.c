/*
 * attempts.c - only writer of attempt and log_chunk. That an attempt is the current one
 * is checked in jobs.c, in the same transaction.
 */
#include "coordinator/db/attempts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/db/db.h"
#include "coordinator/db/handle.h"
#include "shared/base/buf.h"

enum { LOG_MAX_BYTES = 16 << 20 }; /* of one attempt */

int
attempts_started(struct pg *pg, int64_t job, int64_t attempt, int64_t pid,
                 const char *provenance, struct err *err)
{
    return pg_query(
        pg, NULL,
        "INSERT INTO attempt (job, attempt, worker, leased_at, started_at,"
        " pid, provenance) SELECT id, attempt, worker, leased_at, now(),"
        "  $3::bigint, nullif($4, '')::json"
        " FROM job WHERE id = $1 AND attempt = $2"
        " ON CONFLICT (job, attempt) DO UPDATE SET pid = excluded.pid,"
        "  started_at = coalesce(attempt.started_at, excluded.started_at),"
        "  provenance = excluded.provenance",
        PG_ARGS(PG_INT(job), PG_INT(attempt), PG_INT(pid), PG_TEXT(provenance)), err);
}

int
attempts_end(struct pg *pg, int64_t job, int64_t attempt, const struct attempt_end *end,
             struct err *err)
{
    return pg_query(
        pg, NULL,
        "INSERT INTO attempt (job, attempt, worker, leased_at, ended_at, outcome, error,"
        " fingerprint, exit_code, signal, seconds, peak_rss_bytes)"
        " SELECT id, attempt, worker, leased_at, now(), $3, nullif($4, ''),"
        "  nullif($5, ''), $6::int, $7::int, CASE WHEN $8::float8 >= 0 THEN $8 END,"
        "  nullif($9::bigint, 0) FROM job WHERE id = $1 AND attempt = $2"
        " ON CONFLICT (job, attempt) DO UPDATE SET ended_at = excluded.ended_at,"
        "  outcome = excluded.outcome, error = excluded.error,"
        "  fingerprint = excluded.fingerprint, exit_code = excluded.exit_code,"
        "  signal = excluded.signal, seconds = excluded.seconds,"
        "  peak_rss_bytes = excluded.peak_rss_bytes",
        PG_ARGS(PG_INT(job), PG_INT(attempt), PG_TEXT(end->outcome),
                PG_TEXT(end->error), PG_TEXT(end->fingerprint), PG_INT(end->exit_code),
                PG_INT(end->signal), PG_REAL(end->seconds),
                PG_INT(end->peak_rss_bytes)),
        err);
}

int
attempts_standing(struct pg *pg, int64_t job, int64_t attempt,
                  enum attempt_standing *out, struct err *err)
{
    int64_t number;

    if (pg_number(
            pg, &number, NULL,
            "SELECT CASE WHEN outcome IN ('lost', 'returned', 'preempted') THEN 1 ELSE 2 END"
            " FROM attempt WHERE job = $1 AND attempt = $2"
            " AND outcome IS NOT NULL",
            PG_ARGS(PG_INT(job), PG_INT(attempt)), err)
        != 0)
        return -1;
    *out = (enum attempt_standing)number;
    return 0;
}

int
attempts_next_metrics(struct pg *pg, int64_t job, int64_t attempt, int64_t seq,
                      int64_t *last, struct err *err)
{
    return pg_number(
        pg, last, NULL,
        "WITH moved AS (INSERT INTO attempt (job, attempt, worker, leased_at,"
        "  metric_seq) SELECT id, attempt, worker, leased_at, $3::bigint FROM job"
        "  WHERE id = $1 AND attempt = $2 AND ($3 = 1 OR EXISTS (SELECT 1"
        "   FROM attempt WHERE job = $1 AND attempt = $2))"
        "  ON CONFLICT (job, attempt) DO UPDATE SET metric_seq = excluded.metric_seq"
        "   WHERE attempt.metric_seq = excluded.metric_seq - 1 RETURNING metric_seq)"
        " SELECT coalesce((SELECT -1 FROM moved), (SELECT metric_seq"
        "  FROM attempt WHERE job = $1 AND attempt = $2), 0)",
        PG_ARGS(PG_INT(job), PG_INT(attempt), PG_INT(seq)), err);
}

int
attempts_log(struct pg *pg, int64_t job, int64_t attempt, int64_t worker, int64_t start,
             const char *text, struct err *err)
{
    return pg_query(pg, NULL,
                    "INSERT INTO log_chunk (job, attempt, start, text)"
                    " SELECT $1::bigint, $2::bigint, $3::bigint, $4"
                    " WHERE $3::bigint BETWEEN 0 AND $5::bigint"
                    " AND (EXISTS (SELECT 1 FROM attempt WHERE job = $1"
                    "  AND attempt = $2 AND ($6::bigint = 0 OR worker = $6))"
                    "  OR EXISTS (SELECT 1 FROM job WHERE id = $1 AND attempt = $2"
                    "   AND ($6::bigint = 0 OR worker = $6)))"
                    " ON CONFLICT DO NOTHING",
                    PG_ARGS(PG_INT(job), PG_INT(attempt), PG_INT(start), PG_TEXT(text),
                            PG_INT(LOG_MAX_BYTES), PG_INT(worker)),
                    err);
}

/* Pieces may overlap when an agent was restarted: what is behind `*end` is new. */
static void
add_piece(struct buf *out, int64_t *end, int64_t start, const char *text)
{
    const int64_t size = (int64_t)strlen(text);

    if (start + size <= *end)
        return;
    const int64_t skip = start < *end ? *end - start : 0;
    buf_add(out, text + skip, (size_t)(size - skip));
    *end = start + size;
}

#define LOG_ATTEMPT                                     \
    " job = $1 AND attempt = CASE WHEN $2::bigint > 0 " \
    "THEN $2 ELSE (SELECT max(attempt) FROM attempt WHERE job = $1) END"

int
db_log_size(struct db *db, int64_t job, int64_t attempt, int64_t *size, struct err *err)
{
    return pg_number(db->pg, size, NULL,
                     "SELECT coalesce((SELECT start + octet_length(text) FROM log_chunk"
                     " WHERE" LOG_ATTEMPT " ORDER BY start DESC LIMIT 1), 0)",
                     PG_ARGS(PG_INT(job), PG_INT(attempt)), err);
}

int
db_log(struct db *db, int64_t job, int64_t attempt, int64_t offset, char **text,
       struct err *err)
{
    struct buf out = {0};
    struct pg_rows rows;
    int64_t end = offset;

    *text = NULL;
    if (pg_query(db->pg, &rows,
                 "SELECT start, text FROM log_chunk WHERE" LOG_ATTEMPT
                 " AND start + octet_length(text) > $3 ORDER BY start",
                 PG_ARGS(PG_INT(job), PG_INT(attempt), PG_INT(offset)), err)
        != 0)
        return -1;
    for (int i = 0; i < rows.n; i++)
        add_piece(&out, &end, pg_int_at(&rows, i, 0), pg_text_at(&rows, i, 1));
    pg_rows_release(&rows);
    buf_str(&out);
    *text = buf_take(&out);
    return 0;
}
