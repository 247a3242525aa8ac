#ifndef COORDINATOR_DB_JOBS_H
#define COORDINATOR_DB_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coordinator/db/db.h"
#include "coordinator/db/pg.h"

/*
 * Tables job, job_def, job_form, job_child. Every function is a step of a transaction that the
 * caller has begun. States are the words of the SQL enum; the moves that exist are those
 * of coordinator/dispatch/job_state.h.
 */

/* ---- for the coordinator --------------------------------------------------------- */

/* A job that may be leased. */
struct job_ready {
    int64_t id, attempt; /* attempt: of the last lease */
    int64_t rank;        /* JOB_RANK: the highest is first */
    int64_t class;       /* rules.h */
    int64_t wait_ms;     /* from now, 0: at once */
};

/* Priority, then place, which is the id where nobody said otherwise; of a row `j`. */
#define JOB_RANK "(j.priority * 1099511627776::bigint - coalesce(j.place, j.id))"

/* The numbers of a sweep's jobs, a subquery. */
#define SWEEP_JOBS(sweep)                                                \
    "(SELECT i.id FROM sweep_span k JOIN job i ON i.id >= lower(k.jobs)" \
    " AND i.id < upper(k.jobs) WHERE k.sweep = " sweep ")"

/* SQL: jobs of `selection` begin afresh; a condition on job may follow. */
#define JOBS_BEGIN_AFRESH                                                             \
    "UPDATE job SET state = 'blocked', n_error = 0, n_lost = 0, n_oom = 0,"           \
    " n_timeout = 0, n_stopped = 0, not_before = NULL, cause = NULL FROM selection s" \
    " WHERE job.id = s.id"

/* Is a row `j` of this sweep, or the sweep 0? Asked of each row: an OR keeps IN from
 * becoming a join, and a large sweep would be gone through for each of its jobs. */
#define OF_SWEEP_OR_ALL(sweep)                                         \
    "(" sweep "::bigint = 0 OR EXISTS (SELECT FROM sweep_span k WHERE" \
    " k.sweep = " sweep " AND k.jobs @> j.id))"

/* Tells the coordinator, where no more can be said in a few spans, to read the whole queue.
 * ids: a relation with a column id. */
#define JOBS_TELL_CHANGED(ids)                                                      \
    " INSERT INTO news (job, last, changed) SELECT CASE WHEN n <= 1000 THEN first"  \
    " END, last, true FROM (SELECT min(id) AS first, max(id) AS last,"              \
    "  count(*) OVER () AS n FROM (SELECT id, id - row_number() OVER (ORDER BY id)" \
    "   AS island FROM " ids ") i GROUP BY island) s WHERE n <= 1000 OR first ="    \
    "  (SELECT min(id) FROM " ids ")"

/* A job under a lease. */
struct job_leased {
    int64_t id, attempt, class;
    char boot[64], name[80]; /* of the worker process */
};

/* Growable lists; initialise with {0}, free(items). */
struct job_ready_list {
    struct job_ready *items;
    size_t n, capacity;
};
struct job_leased_list {
    struct job_leased *items;
    size_t n, capacity;
};

/* Jobs first..last. */
struct job_span {
    int64_t first, last;
};

/* Initialise with {0}; free the three lists of items. */
struct job_news {
    struct job_ready_list ready;
    struct job_leased_list leased;
    struct job_span *changed;
    size_t n_changed, capacity;
    bool many;
};

/* Appends those of the n jobs that may be leased. */
MUST_CHECK int jobs_load_some(struct pg *pg, const int64_t *jobs, size_t n,
                              struct job_ready_list *out, struct err *err);

/* Takes the news: appends the spans of jobs that are not what they were, ascending, and
 * all jobs of them, and of the spans of new jobs, that may be leased or are. many: so many
 * spans that the whole queue should be read. Does not wait for the disk: who crashes reads
 * the whole queue. */
MUST_CHECK int jobs_take_news(struct pg *pg, struct job_news *out, struct err *err);

/* Appends all ready or leased jobs, in no order. */
MUST_CHECK int jobs_load_ready(struct pg *pg, struct job_ready_list *out,
                               struct err *err);
MUST_CHECK int jobs_load_leased(struct pg *pg, struct job_leased_list *out,
                                struct err *err);

/* The end of an attempt, the fence of everything: leased -> `state` if `attempt` is the
 * current one. `counter`: which count grows ("n_error", ...; NULL: none). wait_ms: how
 * long a job that becomes ready waits. *done: false when fenced. */
MUST_CHECK int jobs_finish(struct pg *pg, int64_t job, int64_t attempt,
                           const char *state, const char *counter, int64_t wait_ms,
                           bool *done, struct err *err);

/* True when the attempt is the current one of a leased job; locks the row until the
 * transaction ends. */
MUST_CHECK int jobs_is_current(struct pg *pg, int64_t job, int64_t attempt,
                               bool *current, struct err *err);

/* The document that the job's digest is of. New reference. */
MUST_CHECK int jobs_spec(struct pg *pg, int64_t job, json_t **out, struct err *err);

/* What a retry is decided from. */
struct job_counts {
    int64_t error, lost, oom, timeout;
    int64_t rank, class;
    int64_t same;          /* earlier attempts with the same fingerprint */
    bool cancel_requested; /* by a person */
    bool hold;             /* it, or every sweep that wants it, is paused */
    /* retries that its sweep file gives, -1: none */
    int64_t own_error, own_lost, own_oom, own_timeout;
};
MUST_CHECK int jobs_counts(struct pg *pg, int64_t job, const char *fingerprint,
                           struct job_counts *out, struct err *err);

/* After `job` succeeded: its children whose parents all have become ready; appended. */
MUST_CHECK int jobs_release_children(struct pg *pg, int64_t job,
                                     struct job_ready_list *out, struct err *err);

/* After `job` failed for good: all that wait for it, however far, become
 * upstream_failed with it as their cause. */
MUST_CHECK int jobs_fail_dependants(struct pg *pg, int64_t job, int64_t *count,
                                    struct err *err);

/* ---- for people's commands, under LOCK_EDIT (jobs_edit.c) ------------------------ */

/* Inserts the jobs of a dag that are new, with their edges, ready or blocked, and takes
 * back cancelled ones. ids[i] receives the number of dag job i. Leaves the temporary table
 * `selection(id)` of those that jobs_settle must look at: most new jobs wait for nothing
 * or just for other new ones. All jobs have their names afterwards. */
MUST_CHECK int jobs_insert(struct pg *pg, struct dag *d, int64_t *ids,
                           struct db_submitted *out, struct err *err);

/* Tells the coordinator of the new jobs first..last. */
MUST_CHECK int jobs_tell(struct pg *pg, int64_t first, int64_t last, struct err *err);

/* Tells it that the jobs of `selection` are not what they were. */
MUST_CHECK int jobs_tell_changed(struct pg *pg, struct err *err);

/* An empty temporary table `selection`. */
MUST_CHECK int jobs_new_selection(struct pg *pg, struct err *err);

/* ERR_USAGE naming the nearest when `state` is neither "" nor a state. */
MUST_CHECK int jobs_check_state(struct pg *pg, const char *state, struct err *err);

/* Fills the temporary table `selection` with the jobs that a selection names. */
MUST_CHECK int jobs_select(struct pg *pg, const struct db_selection *sel,
                           struct err *err);

/* Blocked jobs of `selection` become upstream_failed or ready where their parents say
 * so. The last step of a transaction: it locks unfinished parents, so that the
 * coordinator cannot finish one of them unseen. */
MUST_CHECK int jobs_settle(struct pg *pg, struct err *err);

/* Jobs of `selection` that ended badly, and what failed because of them, become blocked
 * with fresh budgets; with_ancestors: also the failed ones that they wait for. */
MUST_CHECK int jobs_reset(struct pg *pg, bool with_ancestors, struct err *err);

/* Jobs of `selection` that have succeeded, and all that came of them, become blocked with
 * fresh budgets; their artifacts and final metrics go, their attempts become `undone`.
 * ERR_REFUSED when one of them runs (jobs_redo.c). Others leave the selection. */
MUST_CHECK int jobs_redo(struct pg *pg, struct err *err);

/* Takes out of `selection` what other sweeps need than `sweep` (0: nothing), and locks the
 * rows of the rest. paused_give_way: a paused sweep needs nothing now. */
MUST_CHECK int jobs_select_own(struct pg *pg, int64_t sweep, bool paused_give_way,
                               struct err *err);

/* Jobs of `selection` that wait become cancelled; what waits for them and is not
 * selected becomes upstream_failed. Jobs that run stay in `selection`, all others leave
 * it. sweep > 0: jobs that another sweep needs are kept. */
MUST_CHECK int jobs_cancel(struct pg *pg, int64_t sweep, int64_t *count,
                           struct err *err);

/* Jobs of `selection` that wait become held; those that run stay in `selection`, all
 * others leave it. sweep > 0: jobs that another sweep wants now are kept going. */
MUST_CHECK int jobs_hold(struct pg *pg, int64_t sweep, int64_t *count, struct err *err);

/* Held jobs of `selection` become blocked, for jobs_settle; others leave it. */
MUST_CHECK int jobs_unhold(struct pg *pg, int64_t *count, struct err *err);

/* Held jobs of a sweep become blocked and join `selection`. */
MUST_CHECK int jobs_unhold_sweep(struct pg *pg, int64_t sweep, struct err *err);

/* Of the unfinished jobs of `selection`. */
MUST_CHECK int jobs_set_priority(struct pg *pg, int64_t priority, int64_t *count,
                                 struct err *err);

/* Id of the job called `name` (a number or the beginning of a digest). ERR_USAGE when
 * there is none or more than one. */
MUST_CHECK int jobs_find(struct pg *pg, const char *name, int64_t *id, struct err *err);

#endif
