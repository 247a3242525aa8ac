#ifndef COORDINATOR_WEB_MIRROR_H
#define COORDINATOR_WEB_MIRROR_H

#include <stdbool.h>
#include <stdint.h>

#include "coordinator/db/webfacts.h"

/*
 * Jobs and cells in memory, so that counting a hundred thousand of them for a page takes
 * a millisecond: read once, then only what was written since. One for all threads; who
 * has taken it has it alone until mirror_done.
 */
struct mirror;

struct mirror *mirror_new(void);
void mirror_free(struct mirror *m); /* accepts NULL */

/* Takes it, brought to the moment that `db` is in (db_web_begin), or to a later one that
 * another thread has read. Not taken after an error. */
MUST_CHECK int mirror_take(struct mirror *m, struct db *db, const char *moment,
                           struct err *err);
void mirror_done(struct mirror *m);

/* Short words by number: states, stages. */
enum { MIRROR_WORDS = 128 };
struct mirror_words {
    char *list[MIRROR_WORDS];
    size_t n; /* the last one stands for all others once they are full */
};

/* The states that something is decided from have these numbers, all others follow. */
enum mirror_state {
    MIRROR_SUCCEEDED,
    MIRROR_LEASED,
    MIRROR_FAILED,
    MIRROR_QUARANTINED,
    MIRROR_UPSTREAM_FAILED,
    MIRROR_CANCELLED,
    MIRROR_FIRST_OTHER,
};

struct mirror_job {
    float seconds; /* of the current attempt, 0: it has not ended */
    uint8_t state, stage;
};

/* Borrowed until mirror_done; a job that is not there has state and stage MIRROR_WORDS. */
struct mirror_job mirror_job(const struct mirror *m, int64_t job);
int64_t mirror_last(const struct mirror *m); /* the highest number of a job */
const struct mirror_words *mirror_states(const struct mirror *m);
const struct mirror_words *mirror_stages(const struct mirror *m);

struct axis;
struct measures;

/* The cells of one revision of a sweep. */
struct mirror_sweep {
    int64_t id, revision;
    size_t n_cells;
    int64_t *cells; /* their numbers, in the order of the grid */
    size_t *first;  /* of each cell in `chains`, and one more for the end */
    int64_t *chains;
    int64_t *jobs; /* each once, ascending */
    size_t n_jobs;
    struct axis *axes;         /* a list; axis.c */
    struct measures *measures; /* measures.c; NULL: nobody has asked yet */
};

/* The sweep as of this revision, which the caller has read in the same transaction.
 * Borrowed until mirror_done. */
MUST_CHECK int mirror_sweep(struct mirror *m, struct db *db, int64_t sweep,
                            int64_t revision, struct mirror_sweep **out,
                            struct err *err);

/* Where a cell stands, from its chain. */
struct mirror_cell {
    bool is_done, has_failed, is_running;
};
struct mirror_cell mirror_cell(const struct mirror *m, const struct mirror_sweep *s,
                               size_t i);

#endif
