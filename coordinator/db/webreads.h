#ifndef COORDINATOR_DB_WEBREADS_H
#define COORDINATOR_DB_WEBREADS_H

#include "coordinator/db/db.h"
#include "shared/base/buf.h"

/*
 * What the page asks of the database. Each returns one JSON document, new reference,
 * made for 100,000 jobs: what has no bound is counted by the server or asked for in
 * pieces. Errors as in db.h.
 */

/* As db_open, for a program that only looks: the server refuses every write of this
 * connection, and ends statements that take longer than 20 s. */
MUST_CHECK int db_web_open(struct db **out, const char *conninfo, struct err *err);

/* Everything that is read until db_web_end is one moment of the database. *moment is its
 * name, appended: equal names are equal contents. */
MUST_CHECK int db_web_begin(struct db *db, struct buf *moment, struct err *err);
void db_web_end(struct db *db);

/* The moment of now. Costs the server next to nothing. */
MUST_CHECK int db_web_moment(struct db *db, struct buf *moment, struct err *err);

/* What has changed since the moment *since (0: nothing to compare with), which is
 * replaced by the one of this answer:
 * {"jobs": [[id, "state", attempt], ...], "sweeps": [ids], "all": true when it was more
 *  than `limit` jobs, and the lists are empty} */
MUST_CHECK int db_web_changes(struct db *db, int64_t *since, int64_t limit,
                              json_t **out, struct err *err);

/* {"sweeps": [{"id","name","title","revision","submitted_at","cancelled","cells",
 *              "jobs": {"ready": n, ...}, "hours"}]}, the newest first. */
MUST_CHECK int db_web_sweeps(struct db *db, json_t **out, struct err *err);

/* One sweep, ERR_USAGE when there is none: the row of db_web_sweeps, and "axes", "report",
 * "text", "sets", "stages": [{"stage","states": {}, "mean_s","n_ok"}], "slots",
 * "running": [...], "failures": [{"fingerprint","text","kind","stage","count","job"}] */
MUST_CHECK int db_web_sweep(struct db *db, int64_t sweep, json_t **out,
                            struct err *err);

/* Rows for report_build with what its Pareto plots need and no more: the cells that are
 * done, and of their metrics x and y. */
MUST_CHECK int db_web_pareto(struct db *db, int64_t sweep, json_t **out,
                             struct err *err);

/* What a grid can be over: {"id","name","axes": [..],"y": [..]} */
MUST_CHECK int db_web_sweep_axes(struct db *db, int64_t sweep, json_t **out,
                                 struct err *err);

/* The grid over two parameters ("" for one row or column): {"tiles": [{"row","column",
 * "cells","done","failed","running","value": mean of `metric` or null, "n"}]} */
MUST_CHECK int db_web_grid(struct db *db, int64_t sweep, const char *row,
                           const char *column, const char *metric, json_t **out,
                           struct err *err);

/* A condition on a parameter of a cell: relu_budget >= 50000. */
struct db_web_condition {
    const char *name, *op, *value; /* op: one of = != < <= > >= */
};
enum { DB_WEB_CONDITIONS = 8 };

/* Which jobs: of a sweep (0: all), in a state, of a stage ("": any), in cells that meet
 * all conditions. */
struct db_web_filter {
    int64_t sweep;
    const char *state, *stage;
    struct db_web_condition conditions[DB_WEB_CONDITIONS];
    size_t n_conditions;
};

/* {"jobs": [{"id","method","stage","state","attempt","params","seconds","worker",
 *            "error"}]}, ordered by id, after `after`, at most `limit`. */
MUST_CHECK int db_web_jobs(struct db *db, const struct db_web_filter *f, int64_t after,
                           int64_t limit, json_t **out, struct err *err);

/* {"ids": [...]} of the first `limit` of them. */
MUST_CHECK int db_web_ids(struct db *db, const struct db_web_filter *f, int64_t limit,
                          json_t **out, struct err *err);

/* What an action ("retry", "cancel") on the filter, or on one job where that is not 0,
 * would do: {"matching", "states": {"failed": n, ...}, "count": jobs that it changes} */
MUST_CHECK int db_web_actions(struct db *db, const struct db_web_filter *f, int64_t job,
                              const char *action, json_t **out, struct err *err);

/* A job of the same stage that differs in the fewest parameters: {"id","params",
 * "state"}, or null where there is none. */
MUST_CHECK int db_web_neighbour(struct db *db, int64_t job, json_t **out,
                                struct err *err);

/* {"workers": [{"id","name","host","version","slots","threads","connected","first_seen",
 *               "last_seen","jobs": [ids], "ended","failed"}]}, connected ones first. */
MUST_CHECK int db_web_workers(struct db *db, json_t **out, struct err *err);

/* {"coordinator": {"holder","since"} | null, "states": {"ready": n, ...},
 *  "oldest_ready_s", "workers", "slots", "running", "server", "schema", "size_bytes",
 *  "connections", "longest_s": of the open transactions, "versions": {"0.3": workers},
 *  "ended_hour", "failed_hour", "events": [{"at","kind","job","detail"}]} */
MUST_CHECK int db_web_system(struct db *db, json_t **out, struct err *err);

#endif
