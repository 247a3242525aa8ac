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

/* A condition on a parameter of a cell: relu_budget >= 50000. */
struct db_web_condition {
    const char *name, *op, *value; /* op: one of = != < <= > >= */
};
enum { DB_WEB_CONDITIONS = 8 };

/* Which jobs: of a sweep (0: all), in a state, of a stage, whose newest attempt ended with
 * a fingerprint ("": any), of these numbers (none: any), in cells that meet all
 * conditions. */
enum { DB_WEB_CHOSEN = 128 };
struct db_web_filter {
    int64_t sweep;
    const char *state, *stage, *cause;
    int64_t chosen[DB_WEB_CHOSEN];
    size_t n_chosen;
    struct db_web_condition conditions[DB_WEB_CONDITIONS];
    size_t n_conditions;
};

/* ERR_USAGE naming the nearest when `state` is neither "" nor a state. */
MUST_CHECK int db_web_check_state(struct db *db, const char *state, struct err *err);

/* The numbers of those behind `after`, ascending, at most `limit`; caller frees *ids. */
MUST_CHECK int db_web_ids(struct db *db, const struct db_web_filter *f, int64_t after,
                          int64_t limit, int64_t **ids, size_t *n, struct err *err);

/* {"jobs": [{"id","method","stage","state","attempt","params","seconds","worker",
 *            "error"}]} of these numbers, ordered by id. */
MUST_CHECK int db_web_jobs(struct db *db, const int64_t *ids, size_t n, json_t **out,
                           struct err *err);

/* How many there are in each state: {"failed": n, ...} */
MUST_CHECK int db_web_states(struct db *db, const struct db_web_filter *f, json_t **out,
                             struct err *err);

/* What a succeeded job has left under this name: {"name","stage","sha","size"}.
 * ERR_USAGE when there is none. */
MUST_CHECK int db_web_artifact(struct db *db, int64_t job, const char *name,
                               json_t **out, struct err *err);

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
